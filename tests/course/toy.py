"""A small assignment, as a teacher would write it, for the tests of everything around it."""

from pathlib import Path

ASSIGNMENT = '''# %% [markdown]
# # Assignment 0: a toy
#
# **Time:** a minute.

# %%
import numpy as np

# %% nbgrader={"grade": false, "grade_id": "mse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mse(y, t):
    """The mean of the squared differences."""
    ### BEGIN SOLUTION
    return np.mean((y - t) ** 2)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_mse", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    assert mse(np.ones(2), np.zeros(2)) == 1
    ### BEGIN HIDDEN TESTS
    a_secret_number = 1234
    assert mse(np.ones((2, 3)), np.full((2, 3), a_secret_number + 1)) == a_secret_number**2
    ### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(x):
    """The positive part."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    assert relu(np.array([-1.0]))[0] == 0

# %%
if __name__ == "__main__":
    print(mse(relu(np.array([-1.0, 2.0])), np.zeros(2)))
'''  # noqa: E501

PROPERTIES = '''"""The properties of a toy."""

from __future__ import annotations

import numpy as np

from tinydl.course import Assignment, Limits, Mistake, expect_close

assignment = Assignment(
    "00-toy",
    title="A toy",
    functions=["mse(y, t)", "relu(x)"],
    tutorial="05_mean_squared_error_and_cross_entropy",
    limits=Limits(import_seconds=2.0),
)


@assignment.reference
def literal_mse(y, t):
    return sum((a - b) ** 2 for a, b in zip(y, t, strict=True)) / len(y)


def numbers(y, t):
    terms = " + ".join(rf"({a:.4g} - {b:.4g})^2" for a, b in zip(y, t, strict=True))
    return rf"L = \\frac{{1}}{{{len(y)}}} ({terms})"


@assignment.property(
    "mse: value",
    points=2,
    public=True,
    formula=r"L = \\frac{1}{n} \\sum_i (y_i - t_i)^2",
    likely={"a sum for the mean": lambda y, t: np.sum((y - t) ** 2)},
)
def value(student, draw):
    n = draw.integer(1, 6)
    y, t = draw.normal(n), draw.normal(n)
    expect_close(
        student.mse(y, t), literal_mse(y, t), name="L", numbers=lambda at: numbers(y, t)
    )


@assignment.property("mse: matrices", points=1, formula=r"L = \\frac{1}{n} \\sum_i (y_i - t_i)^2")
def matrices(student, draw):
    secret_shape = draw.shape(2, 4)
    y, t = draw.normal(secret_shape), draw.normal(secret_shape)
    expect_close(student.mse(y, t), literal_mse(y.ravel(), t.ravel()), name="L")


@assignment.property("relu: value", points=1, public=True, formula=r"y_i = \\max(x_i, 0)")
def relu(student, draw):
    x = draw.normal(draw.shape(2, 4))
    expect_close(student.relu(x), np.maximum(x, 0), name="y")


MISTAKES = [
    Mistake(
        "a sum for the mean",
        replace="np.mean(",
        by="np.sum(",
        loses=("mse: value", "mse: matrices"),
        says="a sum for the mean",
    ),
    Mistake("only rows", "np.mean((y - t) ** 2)", "((y - t) ** 2).mean(-1)", ("mse: matrices",)),
    Mistake("the negative part", "np.maximum(x, 0)", "np.minimum(x, 0)", ("relu: value",)),
]
'''


def write_toy(folder: Path) -> Path:
    """Write the assignment into `folder`/00-toy."""
    toy = folder / "00-toy"
    toy.mkdir(parents=True)
    (toy / "assignment.py").write_text(ASSIGNMENT)
    (toy / "properties.py").write_text(PROPERTIES)
    return toy


RIGHT = """
import numpy as np

def mse(y, t):
    return np.mean((y - t) ** 2)

def relu(x):
    return np.maximum(x, 0)
"""
