"""Activations: values by the formula, gradients by differences."""

import math

import numpy as np
import pytest

from tinydl import activations, tensor
from tinydl.engine import grad
from tinydl.testing import gradcheck

# Written with scalars, from the formulas.
SCALAR = {
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "exponential": math.exp,
    "leaky_relu": lambda x: x if x > 0 else 0.2 * x,
    "linear": lambda x: x,
    "relu": lambda x: x if x > 0 else 0.0,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "tanh": math.tanh,
}
OVER_AN_AXIS = {"softmax", "log_softmax"}
POINTS = np.array([[-3.0, -1.0, -0.25], [0.5, 1.0, 4.0]])
FUNCTIONS = list(activations._registry)


def test_every_activation_is_tested():
    assert {f.__name__ for f in FUNCTIONS} == SCALAR.keys() | OVER_AN_AXIS


@pytest.mark.parametrize("name", SCALAR)
def test_values(name):
    expected = np.vectorize(SCALAR[name])(POINTS)
    np.testing.assert_allclose(activations.get(name)(tensor(POINTS)).numpy(), expected, rtol=1e-14)


def test_softmax_and_its_logarithm():
    powers = np.exp(POINTS)
    expected = powers / powers.sum(axis=0)
    np.testing.assert_allclose(activations.softmax(POINTS, axis=0).numpy(), expected, rtol=1e-14)
    np.testing.assert_allclose(
        activations.log_softmax(POINTS, axis=0).numpy(), np.log(expected), rtol=1e-13
    )


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
class TestEveryActivation:
    def test_gradients_to_second_order(self, function):
        gradcheck(function, [POINTS], order=2)

    def test_large_numbers_do_not_become_nan(self, function):
        x = tensor([-1e4, 1e4], requires_grad=True)
        y = function(x)
        assert not np.isnan(y.numpy()).any()
        if np.isfinite(y.numpy()).all():
            assert np.isfinite(grad(y.sum(), x).numpy()).all()

    def test_keeps_float32(self, function):
        assert function(tensor(POINTS.astype(np.float32))).dtype == np.float32

    def test_carries_its_formula(self, function):
        assert "y_i =" in function.formula


@pytest.mark.parametrize(
    ("name", "slope"), [("elu", 1.0), ("leaky_relu", 0.2), ("relu", 0.0), ("softsign", 1.0)]
)
def test_the_slope_at_zero(name, slope):
    x = tensor(0.0, requires_grad=True, dtype="float64")
    assert grad(activations.get(name)(x), x).item() == slope


def test_settings():
    assert activations.leaky_relu([-1.0], negative_slope=0.5).item() == -0.5
    assert activations.elu([-1000.0], alpha=2.0).item() == -2.0


def test_functions_of_your_own_are_kept():
    def own(x):
        return x

    assert activations.get(own) is own
