"""Dropout: when it drops, how much, and that the expected value stays."""

import numpy as np
import pytest

from tinydl import random, tensor
from tinydl.engine import grad
from tinydl.errors import ArgumentError
from tinydl.layers import Dropout

X = np.arange(1.0, 10_001.0).reshape(100, 100)


def test_does_nothing_outside_training():
    x = tensor(X, dtype="float32")
    assert Dropout(0.5)(x) is x
    assert Dropout(0.0)(x, training=True) is x


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_at_the_rate_and_scales_up_the_rest(rate):
    y = Dropout(rate, seed=0, dtype="float64")(X, training=True).numpy()
    kept = y != 0
    np.testing.assert_allclose(y[kept], X[kept] / (1 - rate))
    # 10,000 coins: four standard deviations of the mean.
    assert kept.mean() == pytest.approx(1 - rate, abs=4 * (rate * (1 - rate)) ** 0.5 / 100)


def test_each_element_falls_by_itself():
    y = Dropout(0.5, seed=0)(X, training=True).numpy()
    dropped = y == 0
    assert 0 < dropped[0].sum() < 100
    assert 0 < dropped[:, 0].sum() < 100


def test_whole_axes_may_fall_together():
    y = Dropout(0.5, noise_shape=(None, 1), seed=0)(X, training=True).numpy()
    dropped = (y == 0).sum(axis=1)
    assert set(dropped) == {0, 100}


def test_the_gradient_passes_where_the_input_did():
    x = tensor(X, requires_grad=True)
    y = Dropout(0.2, seed=0, dtype="float64")(x, training=True)
    np.testing.assert_allclose(grad(y.sum(), x).numpy(), y.numpy() / X)


def test_a_seed_gives_other_masks_at_each_call_but_the_same_series():
    first, again = Dropout(0.5, seed=3), Dropout(0.5, seed=3)
    masks = [first(X, training=True).numpy() for _ in range(2)]
    assert (masks[0] != masks[1]).any()
    for mask in masks:
        np.testing.assert_array_equal(again(X, training=True).numpy(), mask)


def test_without_a_seed_the_default_generator_serves():
    layer = Dropout(0.5)
    random.set_seed(3)
    first = layer(X, training=True).numpy()
    random.set_seed(3)
    np.testing.assert_array_equal(layer(X, training=True).numpy(), first)


def test_keeps_float32():
    assert Dropout(0.3)(X, training=True).dtype == np.float32


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2, "0.5", None, float("nan")])
def test_the_rate_is_a_probability_below_one(rate):
    with pytest.raises(ArgumentError, match=r"Dropout: rate is .*, expected a number in \[0, 1\)"):
        Dropout(rate)
