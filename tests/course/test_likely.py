"""Typical mistakes, recognised by their numbers."""

import math

import numpy as np
import pytest

from tinydl.course import load_assignment
from tinydl.course.failures import Failure
from tinydl.course.likely import likely_mistake
from tinydl.course.student import Call
from tinydl.errors import ArgumentError


def seen(wrong, right, *shapes, known=None):
    """What is said of a function that answers `wrong` where `right` is right."""
    rng = np.random.default_rng(0)
    cases = []
    for shape in shapes:
        x, y = rng.standard_normal((2, *shape))
        call = Call("f", {"x": x, "y": y}, 2)
        cases.append(([call], Failure("", got=wrong(x, y), expected=right(x, y))))
    return likely_mistake(known or {}, cases)


def error(x, y):
    return np.mean((x - y) ** 2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x, y: -error(x, y), "the sign is wrong"),
        (lambda x, y: error(x, y) / 2, "a factor 2 is missing"),
        (
            lambda x, y: np.sum((x - y) ** 2),
            "it is as many times too large as x has elements: a sum for a mean",
        ),
        (
            lambda x, y: np.sum((x - y) ** 2) / x.shape[0],
            "it is as many times too large as axis 1 of x is long: a sum for a mean",
        ),
        (
            lambda x, y: error(x, y) / x.shape[0],
            "it is as many times too small as axis 0 of x is long: a mean for a sum",
        ),
        (lambda x, y: error(x, y) + 0.1, ""),
        (lambda x, y: np.inf, "it overflows, or divides by zero"),
        (lambda x, y: 0.0, "all elements are zero"),
        (lambda x, y: 1e-20 * np.sin(error(x, y)), "all elements are zero"),
    ],
)
def test_a_number(wrong, said):
    assert seen(wrong, error, (2, 3), (5, 4)) == said


def test_a_factor_must_explain_all_cases():
    """In the first case two is also the number of elements."""
    assert seen(lambda x, y: 2 * error(x, y), error, (2,), (7,)) == "a factor 2 too many"
    said = seen(lambda x, y: x.size * error(x, y), error, (2,), (7,))
    assert said.startswith("it is as many times too large as x has elements")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x, y: (x @ y.T).T, "it is transposed"),
        (lambda x, y: (x @ y.T)[::-1], "axis 0 is reversed"),
        (lambda x, y: np.round(x @ y.T, 1), ""),
    ],
)
def test_a_matrix(wrong, said):
    assert seen(wrong, lambda x, y: x @ y.T, (2, 3), (4, 3)) == said


def test_a_known_mistake_goes_first_if_it_explains_all_cases():
    known = {
        "it raises": lambda x, y: 1 / 0,
        "another": lambda x, y: x,
        "the sum": lambda x, y: (None, np.sum((x - y) ** 2)),
    }
    wrong = lambda x, y: np.sum((x - y) ** 2)  # noqa: E731
    assert seen(wrong, error, (2,), (5,), known=known) == "the sum"


def test_nothing_is_said_where_nothing_was_answered():
    assert likely_mistake({}, [([], Failure("crashed"))]) == ""


def test_a_likely_mistake_of_no_property_is_an_error(tmp_path):
    (tmp_path / "properties.py").write_text(
        "from tinydl.course import Assignment\nassignment = Assignment('00-toy', title='Toy')\n"
        "@assignment.property('value', points=1)\ndef value(student, draw):\n    pass\n"
    )
    (tmp_path / "mistakes.py").write_text("LIKELY = {'values': {}}\n")
    with pytest.raises(ArgumentError, match="values"):
        load_assignment(tmp_path)


def test_mistakes_may_use_what_the_properties_define(tmp_path):
    (tmp_path / "properties.py").write_text(
        "from tinydl.course import Assignment\nassignment = Assignment('00-toy', title='Toy')\n"
        "@assignment.property('value', points=1)\ndef value(student, draw):\n    pass\n"
        "def right(x):\n    return 2 * x\n"
    )
    (tmp_path / "mistakes.py").write_text(
        "from .properties import right\n"
        "LIKELY = {'value': {'the sign is wrong': lambda x: -right(x)}}\n"
    )
    (value,) = load_assignment(tmp_path).properties
    assert value.likely["the sign is wrong"](3) == -6


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x, y: right(x, y).sum(axis=0), "axis 0 is summed over, and has to stay"),
        (lambda x, y: right(x, y).mean(axis=1), "axis 1 is averaged over, and has to stay"),
        (lambda x, y: right(x, y)[0], "only the first along axis 0 is there"),
        (lambda x, y: right(x, y)[..., None], "an axis of length 1 too many"),
        (lambda x, y: right(x, y).ravel(), "an axis is missing"),
        (lambda x, y: x[..., None] * y[:, None], "axis 2 is not summed over, and has to go"),
        (lambda x, y: np.trunc(right(x, y)), "stored in an array of whole numbers"),
        (lambda x, y: np.clip(right(x, y), -9, 0.25), "above 0.25 is cut off"),
        (lambda x, y: np.clip(right(x, y), -0.25, 9), "below -0.25 is cut off"),
        (lambda x, y: 1 / right(x, y), "1 divided by the right answer"),
        (lambda x, y: np.nan_to_num(right(x, y) / 0), "inf was turned into the largest number"),
    ],
)
def test_what_is_wrong_with_a_matrix(wrong, said):
    with np.errstate(all="ignore"):
        assert said in seen(wrong, right, (3, 4), (5, 7))


def right(x, y):
    return x * y.sum(axis=1, keepdims=True)


def test_of_one_number_nothing_is_said_by_chance():
    """2 is the square root of 4, but 1 is not that of 3."""
    x = Call("f", {"x": 1.0}, 1)
    cases = [([x], Failure("", got=g, expected=e)) for g, e in ((1.0, 3.0), (2.0, 4.0))]
    assert likely_mistake({}, cases) == ""


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("max(x, 0)", "decide about one number"),
        ("math.exp(x)", "takes arrays"),
        ("x @ x", "as many columns"),
        ("x + x.sum(axis=1)", "keepdims=True"),
        ("x[9]", "goes past the end"),
        ("x[1.0]", "a whole number"),
        ("x.sum(axis=5)", "fewer axes"),
        ("np.add(x, 0.5, out=np.zeros((2, 3), dtype=int))", "cannot take fractions"),
        ("np.broadcast_to(x, (4, 2, 3)).fill(0)", "write into a copy"),
        ("nothing() + 1", "without `return`"),
        ("deeper()", "calls itself too deeply"),
    ],
)
def test_errors_of_python_and_numpy_are_explained(source, said):
    space = {"np": np, "math": math, "x": np.ones((2, 3)), "nothing": lambda: None}
    space["deeper"] = lambda: space["deeper"]()
    with pytest.raises(Exception) as raised:
        eval(source, space)
    message = f"{type(raised.value).__name__}: {raised.value}"
    failure = Failure(f"f raises {message}", kind="raised")
    assert said in likely_mistake({}, [([], failure)])
