"""The checker on trial: it must accept what is right and catch every kind of wrong gradient."""

import numpy as np
import pytest

from tinydl import ops
from tinydl.engine import Op, Tensor, rule
from tinydl.errors import ArgumentError, DTypeError
from tinydl.testing import GradientMismatch, Inconclusive, gradcheck

RNG = np.random.default_rng(1)
X = RNG.uniform(0.5, 2.0, size=(3, 4))


def wrong(forward, gradient, broadcasts=False):
    """An op with this forward and this (wrong) rule for every input."""

    class Wrong(Op, abstract=True):
        name = "wrong"
        input_names = ("a", "b")

        @rule(r"\bar a")
        def a(self, y_bar, y, a, b):
            return gradient(y_bar, y, a, b)

        @rule(r"\bar b")
        def b(self, y_bar, y, a, b):
            return y_bar * 0.0

    Wrong.broadcasts = broadcasts
    Wrong.forward = lambda self, a, b: forward(a, b)
    op = Wrong()
    return lambda a: op(a, np.ones(a.shape))


def softmax(a):
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def one_element_in_twelve(y_bar, y, a, b):
    return y_bar * Tensor(np.where(np.arange(12).reshape(3, 4) == 7, 1.001, 1.0))


MISTAKES = {
    "sign": (lambda a, b: np.exp(a), lambda g, y, a, b: -g * y),
    "factor 2": (lambda a, b: a * a, lambda g, y, a, b: g * a),
    "off by one part in a million": (lambda a, b: np.sin(a), lambda g, y, a, b: g * (1 + 1e-6)),
    "zero": (lambda a, b: a * a, lambda g, y, a, b: g * 0.0),
    "softmax with the gradient of zeros": (lambda a, b: softmax(a), lambda g, y, a, b: g * 0.0),
    "softmax treated as elementwise": (
        lambda a, b: softmax(a),
        lambda g, y, a, b: g * y * (1.0 - y),
    ),
    "the cotangent forgotten": (lambda a, b: a * 2.0, lambda g, y, a, b: g * 0.0 + 2.0),
    "input for output": (lambda a, b: np.tanh(a), lambda g, y, a, b: g * (1.0 - a * a)),
    "mean without 1/n": (
        lambda a, b: a - a.mean(-1, keepdims=True),
        lambda g, y, a, b: g - g.sum(axis=-1, keepdims=True),
    ),
    "rows for columns": (
        lambda a, b: a - a.mean(0, keepdims=True),
        lambda g, y, a, b: g - g.mean(axis=1, keepdims=True),
    ),
    "one wrong element": (lambda a, b: a.copy(), one_element_in_twelve),
    "shifted by one": (
        lambda a, b: np.roll(a, 1, axis=0),
        lambda g, y, a, b: ops.concatenate([g[2:], g[:2]]),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_caught(mistake):
    forward, gradient = MISTAKES[mistake]
    with pytest.raises(GradientMismatch, match="the gradient of input 0"):
        gradcheck(wrong(forward, gradient), [X])


def test_a_gradient_that_is_only_wrong_at_second_order_passes_the_first_and_fails_the_second():
    def detached(x):
        return WithDetachedRule()(x)

    class WithDetachedRule(Op, abstract=True):
        name = "detached"
        input_names = ("x",)

        def forward(self, x):
            return x**3

        @rule(r"\bar x")
        def x(self, y_bar, y, x):
            return y_bar * 3.0 * (x * x).detach()

    gradcheck(detached, [X])
    with pytest.raises(GradientMismatch):
        gradcheck(detached, [X], order=2)


def test_every_input_is_checked_not_only_the_first():
    with pytest.raises(GradientMismatch, match="input 1"):
        gradcheck(lambda a, b: a * b.detach(), [X, X + 1.0])


def test_an_input_without_influence_has_gradient_zero():
    gradcheck(lambda a, b: a * 2.0, [X, X], order=2)


def test_right_gradients_are_not_accused():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(size=(3, 2)), rng.normal(size=(2, 3))
        gradcheck(lambda a, b: ops.softmax(ops.tanh(a @ b)), [a, b], order=2, rng=rng)


def test_float32_is_refused_with_advice():
    with pytest.raises(DTypeError, match=r"inputs\[0\] is float32.*astype"):
        gradcheck(ops.exp, [X.astype(np.float32)])


class TestKinksAndJumps:
    def test_at_a_jump_the_verdict_is_open_not_passed(self):
        with pytest.raises(Inconclusive, match="uncertain"):
            gradcheck(ops.sign, [np.array([0.0])])

    def test_beside_a_jump_a_shorter_step_decides(self):
        assert gradcheck(ops.sign, [np.array([1e-5])]).passed

    @pytest.mark.parametrize("distance", [0.01, 1e-3, 1e-5])
    def test_beside_a_kink_a_shorter_step_decides(self, distance):
        x = np.array([distance, -distance])
        assert gradcheck(ops.relu, [x], order=2).passed

    def test_at_a_kink_the_verdict_is_open_and_tells_both_slopes(self):
        with pytest.raises(
            Inconclusive, match="kink here: the derivative is 0 from the left and 1"
        ):
            gradcheck(ops.relu, [np.array([0.0])])

    @pytest.mark.parametrize("slope, passes", [(0, 1), (1, 1), (0.5, 1), (-0.1, 0), (1.1, 0)])
    def test_at_a_declared_kink_any_slope_between_will_do(self, slope, passes):
        verdict = gradcheck(
            lambda x: np.maximum(x, 0),
            [np.array([0.0, 1.0, -1.0])],
            gradient=lambda g, x: g * np.where(x == 0, slope, x > 0),
            kinks=True,
            raises=False,
        )
        assert verdict.passed == bool(passes)

    def test_kinks_do_not_hide_one_another(self):
        # Along (1, -1) the kinks of |a| - |b| at 0 cancel.
        verdict = gradcheck(
            lambda x: np.abs(x[0]) - np.abs(x[1]),
            [np.zeros(2)],
            gradient=lambda x: np.array([0.0, 5.0]),
            kinks=True,
            raises=False,
        )
        assert verdict.outcome == "fail"

    def test_a_steep_bend_is_no_kink(self):
        assert gradcheck(lambda x: ops.softplus(x * 1000.0), [np.array([0.0])]).passed


class TestVerdict:
    def test_it_counts_and_measures(self):
        verdict = gradcheck(ops.exp, [X])
        assert verdict.passed
        assert verdict.outcome == "pass"
        assert verdict.derivatives == 12 * 13  # a random cotangent and one for each result
        assert 0 <= verdict.worst < 1
        assert verdict.missed == 0
        assert "156 derivatives" in str(verdict)

    def test_large_inputs_are_moved_along_random_directions(self):
        x = RNG.normal(size=500)
        verdict = gradcheck(ops.tanh, [x], directions=5)
        assert verdict.derivatives == 5
        assert verdict.missed == 2**-5
        assert "cancel with probability 0.03" in str(verdict)

    def test_one_wrong_element_of_many_is_always_found(self):
        x = RNG.uniform(0.5, 2.0, 500)
        for place in (0, 123, 499):
            off = np.where(np.arange(500) == place, 1e-5, 0.0)
            with pytest.raises(GradientMismatch, match=rf"at \({place},\) is"):
                gradcheck(
                    np.square, [x], gradient=lambda g, x, off=off: 2 * g * x + off, directions=1
                )

    def test_without_raising(self):
        verdict = gradcheck(lambda x: x * x.detach(), [X], raises=False)
        assert verdict.outcome == "fail"
        assert "likely cause: a factor 2 is missing" in verdict.reason

    def test_the_counterexample_has_round_numbers(self):
        x = np.array([1.2345678, 3.4567])
        verdict = gradcheck(np.square, [x], gradient=lambda g, x: g * x, raises=False)
        assert "input 0 = [1., 3.]" in verdict.reason

    def test_an_op_shows_its_formulas(self):
        class Half(Op, abstract=True):
            name = "half"
            input_names = ("weight",)
            formula = r"y_i = w_i / 2"

            def forward(self, w):
                return w / 2

            @rule(r"\bar w_i = \bar y_i")
            def weight(self, y_bar, y, w):
                return y_bar

        with pytest.raises(GradientMismatch) as caught:
            gradcheck(Half(), [X])
        report = str(caught.value)
        for part in (
            "gradient of weight at",
            "w_i / 2",
            r"\bar w_i = \bar y_i",
            "a factor 2 too many",
        ):
            assert part in report

    def test_at_second_order_it_says_of_which_gradient(self):
        with pytest.raises(
            GradientMismatch, match="the gradient of input 0: the gradient of input 0"
        ):
            gradcheck(lambda x: Constant()(x), [X], order=2)

    def test_random_functions_are_told_apart_from_wrong_ones(self):
        noise = np.random.default_rng(0)
        with pytest.raises(Inconclusive, match="random"):
            gradcheck(lambda x: x * noise.normal(), [X])

    def test_noise_of_float32_is_no_accusation(self):
        verdict = gradcheck(
            lambda x: np.sin(x.astype(np.float32)),
            [X],
            gradient=lambda g, x: g * np.cos(x),
            raises=False,
        )
        assert verdict.outcome == "inconclusive"

    def test_a_function_that_is_infinite_is_inconclusive(self):
        with pytest.raises(Inconclusive):
            gradcheck(ops.log, [np.array([0.0])])

    def test_a_function_that_is_nan_is_inconclusive(self):
        with pytest.raises(Inconclusive):
            gradcheck(ops.log, [np.array([-1.0])])


class Constant(Op, abstract=True):
    """The square, with a rule whose own derivative is missing."""

    name = "constant"
    input_names = ("x",)

    def forward(self, x):
        return x * x

    @rule(r"\bar x")
    def x(self, y_bar, y, x):
        return y_bar * 2.0 * x.detach()


class TestHandWrittenGradients:
    def test_of_a_single_number_need_not_take_the_upstream_gradient(self):
        assert gradcheck(lambda w: np.sum(w**3), [X], gradient=lambda w: 3 * w**2).passed

    def test_of_several_inputs(self):
        a, b = X, X.T.copy()
        assert gradcheck(
            lambda a, b: a @ b, [a, b], gradient=lambda g, a, b: (g @ b.T, a.T @ g)
        ).passed

    def test_may_leave_out_inputs_without_gradient(self):
        assert gradcheck(
            lambda x, i: x[i], [X, np.array([2, 0])], gradient=lambda g, x, i: scattered(g, x, i)
        ).passed

    def test_of_functions_with_several_results(self):
        assert gradcheck(
            lambda x: (np.sin(x), x.sum()),
            [X],
            gradient=lambda gs, x: gs[0] * np.cos(x) + gs[1],
        ).passed

    def test_a_missing_upstream_gradient_is_explained(self):
        with pytest.raises(ArgumentError, match="takes y_bar"):
            gradcheck(np.sin, [X], gradient=lambda x: np.cos(x))

    def test_a_wrong_number_of_gradients_is_explained(self):
        verdict = gradcheck(np.add, [X, X], gradient=lambda g, a, b: g, raises=False)
        assert "1 arrays" in verdict.reason

    def test_spoiling_its_arguments_changes_nothing(self):
        def gradient(g, x):
            g *= 2 * x
            x[:] = 0
            return g

        assert gradcheck(np.square, [X], gradient=gradient).passed

    def test_there_is_no_second_order(self):
        with pytest.raises(ArgumentError, match="no gradient of its own"):
            gradcheck(np.square, [X], 2, gradient=lambda g, x: 2 * g * x)


def scattered(g, x, i):
    x_bar = np.zeros_like(x)
    np.add.at(x_bar, i, g)
    return x_bar


def test_tensors_functions_with_several_results_to_second_order():
    assert gradcheck(lambda x: [ops.sin(x), x * x], [X], order=2).passed


@pytest.mark.parametrize("shape", [(0,), (2, 0), (), (1, 1)])
def test_empty_and_single_inputs(shape):
    assert gradcheck(ops.exp, [np.ones(shape)], order=2).passed


def test_a_rule_of_the_wrong_shape_is_a_failure():
    f = wrong(lambda a, b: a.sum(), lambda g, y, a, b: g)
    assert "returned shape" in gradcheck(f, [X], raises=False).reason
