"""The checker on trial: it must accept what is right and catch every kind of wrong gradient."""

import numpy as np
import pytest

from tinydl import ops
from tinydl.engine import Op, Tensor, rule
from tinydl.errors import DTypeError, GradientError
from tinydl.testing import GradientMismatch, gradcheck

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


def test_at_a_kink_of_the_gradient_the_verdict_is_open_not_passed():
    with pytest.raises(GradientError):
        gradcheck(ops.sign, [np.array([1e-5])])
