"""Regularizers: values and gradients."""

import numpy as np
import pytest

from tinydl import regularizers, tensor
from tinydl.engine import grad
from tinydl.errors import ArgumentError

WEIGHT = [[1.0, -2.0], [0.5, 3.0]]


@pytest.mark.parametrize(
    ("regularizer", "value", "slope"),
    [
        (regularizers.L1(0.1), 0.65, lambda w: 0.1 * np.sign(w)),
        (regularizers.L2(0.1), 1.425, lambda w: 0.2 * w),
        (regularizers.L1L2(0.1, 0.2), 3.5, lambda w: 0.1 * np.sign(w) + 0.4 * w),
        (regularizers.L1L2(), 0.0, np.zeros_like),
    ],
)
def test_value_and_gradient(regularizer, value, slope):
    w = tensor(WEIGHT, requires_grad=True, dtype="float64")
    penalty = regularizer(w)
    assert penalty.shape == ()
    assert penalty.item() == pytest.approx(value)
    np.testing.assert_allclose(grad(penalty, w).numpy(), slope(w.numpy()))


def test_get():
    assert regularizers.get(None) is None
    assert regularizers.get("L1").l1 == 0.01
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.0, "l2": 0.0}


@pytest.mark.parametrize("factor", [-0.1, "0.1", None, float("nan")])
def test_a_factor_is_at_least_zero(factor):
    with pytest.raises(ArgumentError, match=r"L2: l2 is .*, expected a number of at least 0"):
        regularizers.L2(factor)
