"""check_op on ops of our own, right and wrong; what it reports, and that it never raises."""

import numpy as np
import pytest

from tinydl.engine import Op, rule
from tinydl.errors import ArgumentError
from tinydl.testing import check_op
from tinydl.testing.properties import PROPERTIES


class Cube(Op, abstract=True):
    """The third power."""

    name = "cube"
    input_names = ("x",)
    formula = r"y_i = x_i^3"

    def forward(self, x):
        return x**3

    @rule(r"\bar x_i = 3 \bar y_i x_i^2")
    def x(self, y_bar, y, x):
        return y_bar * 3.0 * x * x


def failures(report):
    return {result.name: result.message for result in report.properties if not result.passed}


def test_a_right_op_passes_every_property():
    report = check_op(Cube, order=3, seeds=2)
    assert report.passed, str(report)
    assert [result.name for result in report.properties] == list(PROPERTIES)
    assert report.examples > 50
    assert 0 < report.worst < 1
    assert "cube: passed, to order 3" in str(report)


def test_an_instance_and_a_name_will_do_as_well():
    assert check_op(Cube(), properties=["documented"]).passed
    assert check_op("exp", properties=["documented"]).name == "exp"


def test_a_wrong_rule_is_reported_with_its_smallest_example_and_cause():
    class Wrong(Cube, abstract=True):
        @rule(r"\bar x_i = \bar y_i x_i^2")
        def x(self, y_bar, y, x):
            return y_bar * -3.0 * x * x

    message = failures(check_op(Wrong))["gradients"]
    assert "cube of float64(1,)" in message or "cube of float64()" in message
    assert "likely cause: the sign is wrong" in message
    assert r"formula: y_i = x_i^3" in message
    assert r"gradient rule: \bar x_i = \bar y_i x_i^2" in message
    for word in ("x =", "from above =", "analytic =", "numeric ="):
        assert word in message


def test_an_op_that_raises_fails_and_does_not_raise():
    class Broken(Cube, abstract=True):
        def forward(self, x):
            raise ZeroDivisionError("oh")

    found = failures(check_op(Broken))
    assert "ZeroDivisionError: oh" in found["gradients"]
    assert "ZeroDivisionError" in found["extremes"]


def test_examples_that_raise_are_a_failure_too():
    class WithoutExamples(Cube, abstract=True):
        @classmethod
        def examples(cls, rng):
            raise KeyError("none")

    assert "KeyError" in failures(check_op(WithoutExamples))["examples"]


def test_a_starred_input_is_linear_in_all_of_it_together():
    class Both(Op, abstract=True):
        """The sum of any number of arrays."""

        name = "both"
        input_names = ("*xs",)
        formula = r"y_i = \sum_k x_{ki}"
        linear_in = ("*xs",)

        def forward(self, *xs):
            return np.sum(xs, axis=0)

        @rule(r"\bar x_{ki} = \bar y_i")
        def xs(self, y_bar, y, *xs, position):
            return y_bar

        @classmethod
        def examples(cls, rng):
            yield cls(), (rng.normal(size=3), rng.normal(size=3))

    report = check_op(Both)
    assert report.passed, str(report)
    assert {r.name: r.examples for r in report.properties}["linear"] == 2


def test_a_result_of_the_wrong_shape_after_float32_is_seen():
    class Flat(Cube, abstract=True):
        def forward(self, x):
            return (x**3).ravel() if x.dtype == np.float32 else x**3

    assert "shape" in failures(check_op(Flat))["float32"]


def test_unknown_names_are_told_the_closest():
    with pytest.raises(ArgumentError, match="did you mean 'tanh'"):
        check_op("tanhh")
    with pytest.raises(ArgumentError, match="did you mean 'linear'"):
        check_op("tanh", properties=["linaer"])
