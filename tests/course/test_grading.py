"""Grading one submission of a toy assignment: points, counter-examples, and what is said."""

import json

import numpy as np
import pytest

from tinydl.course import Assignment, expect_close, expect_unchanged, grade
from tinydl.course.feedback import details

SUM = r"L = \frac1n \sum_i (y_i - \hat y_i)^2"


def literal(y, y_hat):
    return sum((a - b) ** 2 for a, b in zip(y, y_hat, strict=True)) / len(y)


@pytest.fixture(scope="module")
def assignment():
    toy = Assignment("00-toy", title="A toy", functions=["mse(y, y_hat)", "relu(x)"])

    @toy.property(
        "mse: value",
        points=2,
        public=True,
        formula=SUM,
        likely={"a sum for the mean": lambda y, y_hat: np.sum((y - y_hat) ** 2)},
    )
    def value(student, draw):
        n = draw.integer(1, 9)
        y, y_hat = draw.normal(n), draw.normal(n)
        expect_close(
            student.mse(y, y_hat), literal(y, y_hat), name="L", numbers=lambda at: f"n = {n}"
        )

    @toy.property("relu: value", points=1)
    def relu(student, draw):
        x = draw.normal(draw.shape(2, 4))
        expect_close(student.relu(x), np.maximum(x, 0), name="y")

    return toy


RIGHT = """
import numpy as np

def mse(y, y_hat):
    return np.mean((y - y_hat) ** 2)

def relu(x):
    return np.maximum(x, 0)
"""


@pytest.fixture
def graded(assignment, tmp_path):
    def graded(source, name="assignment.py", **settings):
        content = source.encode() if isinstance(source, str) else source
        (tmp_path / name).write_bytes(content)
        return grade(assignment, tmp_path, **settings)

    return graded


def test_a_right_submission_earns_everything(graded):
    result = graded(RIGHT)
    assert (result.state, result.earned, result.points) == ("graded", 3, 3)
    assert result.hidden_points == 1 and result.notes == [] and result.message == ""


def test_the_smallest_counter_example_is_shown_with_the_likely_mistake(graded):
    value, relu = graded(RIGHT.replace("np.mean", "np.sum")).properties
    assert relu.passed and not value.passed and value.earned == 0
    assert value.likely == "a sum for the mean"
    example = value.counter_example
    assert example.call == "mse(y, y_hat)" and example.numbers == "n = 2"
    assert [len(text.split(",")) for _, text in example.arguments] == [2, 2]
    assert all(
        float(n).is_integer() for _, t in example.arguments for n in t.strip("[]").split(",")
    )


def test_what_is_kept_from_one_call_to_the_next_is_noticed(graded):
    counting = "calls = []\n" + RIGHT.replace(
        "return np.mean((y - y_hat) ** 2)",
        "calls.append(1)\n    return np.mean((y - y_hat) ** 2) + len(calls)",
    )
    value, _ = graded(counting).properties
    assert value.likely.startswith("the same call is answered differently")


def test_the_same_seed_gives_the_same_grade(graded):
    wrong = RIGHT.replace("np.mean", "np.sum")
    once, again, other = graded(wrong), graded(wrong), graded(wrong, seed=1)
    assert once.to_dict() == again.to_dict() != other.to_dict()


def test_a_grade_is_plain_data(graded):
    json.dumps(graded(RIGHT.replace("np.mean", "np.sum")).to_dict(), allow_nan=False)


def test_public_properties_alone(graded):
    result = graded(RIGHT, public_only=True)
    assert [p.name for p in result.properties] == ["mse: value"]


def test_an_exception_is_told_with_its_line(graded):
    value, _ = graded(RIGHT.replace("np.mean((y", "np.mean((z")).properties
    assert value.line == 5 and "NameError" in value.message and "np.mean((z" in value.text


def test_lines_of_a_notebook_are_told_by_cell(graded):
    sources = ["%time\nnp?", RIGHT.strip().replace("np.mean((y", "np.mean((z")]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    value, _ = graded(json.dumps({"cells": cells}), "assignment.ipynb").properties
    assert (value.cell, value.line) == (2, 4)
    assert "Line 4 of code cell 2: return np.mean((z" in " ".join(details(value))
    cells[1]["source"] = "def mse(:"
    syntax = graded(json.dumps({"cells": cells}), "assignment.ipynb").message
    assert syntax.startswith("assignment.ipynb, code cell 2, line 1: invalid syntax")


def test_writing_into_an_argument_fails(graded):
    source = RIGHT.replace("return np.maximum(x, 0)", "x[x < 0] = 0\n    return x")
    _, relu = graded(source).properties
    assert relu.kind == "changed input" and "x" in relu.message


def test_changed_inputs_can_be_a_property_of_their_own(tmp_path):
    toy = Assignment("00", title="", functions=["f(x)"], inputs_may_change=True)

    @toy.property("value", points=1)
    def value(student, draw):
        x = draw.normal(3)
        expect_close(student.f(x), np.abs(x))

    @toy.property("inputs stay as they are", points=1)
    def unchanged(student, draw):
        student.f(draw.normal(3))
        expect_unchanged(student)

    (tmp_path / "assignment.py").write_text("def f(x):\n    x[:] = abs(x)\n    return x")
    assert [p.passed for p in grade(toy, tmp_path).properties] == [True, False]


def test_arguments_that_are_not_numbers_do_not_count_as_changed(tmp_path):
    toy = Assignment("00", title="", functions=["f(x, y)"])

    @toy.property("value", points=1, cases=1)
    def value(student, draw):
        student.f(float("nan"), [np.full(2, np.nan), float("nan")])

    (tmp_path / "assignment.py").write_text("def f(x, y): return x")
    assert grade(toy, tmp_path).earned == 1


def test_random_numbers_start_anew(tmp_path):
    """The global generators, so that a grade can be repeated."""
    toy = Assignment("00", title="", functions=["f()"])
    drawn = []

    @toy.property("value", points=1, cases=2)
    def value(student, draw):
        drawn.append([float(student.f()) for _ in range(2)])

    source = "import numpy as np, random\ndef f(): return np.random.rand() + random.random()"
    (tmp_path / "assignment.py").write_text(source)
    for _ in range(2):
        grade(toy, tmp_path)
    assert drawn[:2] == drawn[2:] and len({n for pair in drawn for n in pair}) == 4


def test_other_files_can_be_imported(tmp_path):
    toy = Assignment("00", title="", functions=["f(x)"], extras=["engine.py"])

    @toy.property("value", points=1)
    def value(student, draw):
        expect_close(student.f(draw.number(0, 1)), 7)

    (tmp_path / "assignment.py").write_text("from engine import seven\ndef f(x): return seven()")
    (tmp_path / "engine.py").write_text("def seven(): return 7")
    assert grade(toy, tmp_path).earned == 1


def test_a_driver_runs_after_the_submission(tmp_path):
    toy = Assignment("00", title="", functions=["Counter"])

    @toy.property("it counts", points=1)
    def counts(student, draw):
        n = draw.integer(1, 5)
        got = student.run("c = Counter()\nfor _ in range(n): c.up()\nresult = c.n", n=n)
        expect_close(got, n)

    source = "class Counter:\n    n = 0\n    def up(self):\n        self.n += 1\n"
    (tmp_path / "assignment.py").write_text(source)
    assert grade(toy, tmp_path).earned == 1
    (tmp_path / "assignment.py").write_text(source.replace("+= 1", "= 1"))
    (failed,) = grade(toy, tmp_path).properties
    assert failed.message == "the result is 1, expected 2"
