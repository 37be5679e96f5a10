"""Activations: values by the formula, gradients by differences."""

import math

import numpy as np
import pytest

from tinydl import activations, tensor
from tinydl.testing import gradcheck


# Written with scalars, from the formulas.
def sigmoid(x):
    return 1 / (1 + math.exp(-x))


SELU = 1.0507009873554805, 1.6732632423543772
SCALAR = {
    "celu": lambda x: x if x > 0 else math.exp(x) - 1,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "exponential": math.exp,
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "hard_shrink": lambda x: x if abs(x) > 0.5 else 0.0,
    "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0), 1),
    "hard_silu": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
    "hard_tanh": lambda x: min(max(x, -1), 1),
    "leaky_relu": lambda x: x if x > 0 else 0.2 * x,
    "linear": lambda x: x,
    "log_sigmoid": lambda x: math.log(sigmoid(x)),
    "mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "relu": lambda x: x if x > 0 else 0.0,
    "relu6": lambda x: min(max(x, 0), 6),
    "selu": lambda x: SELU[0] * (x if x > 0 else SELU[1] * (math.exp(x) - 1)),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "soft_shrink": lambda x: math.copysign(max(abs(x) - 0.5, 0), x),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "squareplus": lambda x: (x + math.sqrt(x * x + 4)) / 2,
    "tanh": math.tanh,
    "tanh_shrink": lambda x: x - math.tanh(x),
}
OVER_AN_AXIS = {"softmax", "log_softmax"}
POINTS = np.array([[-3.5, -1.25, -0.25], [0.4, 1.5, 7.0]])


def test_every_activation_is_tested():
    named = {f.__name__ for f in activations._registry}
    assert named - {"exp"} | {"exponential"} == SCALAR.keys() | OVER_AN_AXIS


@pytest.mark.parametrize("name", SCALAR)
def test_values(name):
    expected = np.vectorize(SCALAR[name], otypes=[float])(POINTS)
    found = activations.get(name)(tensor(POINTS)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_softmax_and_its_logarithm():
    powers = np.exp(POINTS)
    expected = powers / powers.sum(axis=0)
    np.testing.assert_allclose(activations.softmax(POINTS, axis=0).numpy(), expected, rtol=1e-14)
    np.testing.assert_allclose(
        activations.log_softmax(POINTS, axis=0).numpy(), np.log(expected), rtol=1e-13
    )


@pytest.mark.parametrize("name", sorted(SCALAR.keys() | OVER_AN_AXIS))
class TestEveryActivation:
    def test_is_reached_by_its_name_as_a_function_too(self, name):
        assert activations.get(name.upper()) is getattr(activations, name)

    def test_gradient(self, name):
        gradcheck(activations.get(name), [POINTS])

    def test_keeps_float32(self, name):
        assert activations.get(name)(POINTS.astype(np.float32)).dtype == np.float32

    def test_shows_its_formula(self, name):
        assert ".. math::" in activations.get(name).__doc__


def test_gelu_is_exact_unless_asked():
    exact, rough = activations.gelu(POINTS), activations.gelu(POINTS, approximate=True)
    assert 0 < np.abs(exact.numpy() - rough.numpy()).max() < 1e-3


def test_settings():
    assert activations.leaky_relu([-1.0], negative_slope=0.5).item() == -0.5
    assert activations.elu([-1000.0], alpha=2.0).item() == -2.0


def test_functions_of_your_own_are_kept():
    def own(x):
        return x

    assert activations.get(own) is own
