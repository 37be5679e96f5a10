"""Differences: the error is always below the bound that is claimed, and the bound is small."""

import numpy as np
import pytest

from tinydl.testing.differences import UNKNOWN, derivative

CURVES = {
    "sine": (np.sin, np.cos),
    "exponential": (np.exp, np.exp),
    "polynomial": (lambda x: x**7 - x**2, lambda x: 7 * x**6 - 2 * x),
    "inverse": (lambda x: 1 / x, lambda x: -1 / x**2),
    "logarithm": (np.log, lambda x: 1 / x),
    "fast wave": (lambda x: np.sin(40 * x), lambda x: 40 * np.cos(40 * x)),
    "large": (lambda x: 1e6 * np.tanh(x), lambda x: 1e6 / np.cosh(x) ** 2),
    "constant": (np.ones_like, np.zeros_like),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("seed", range(3))
def test_the_error_is_within_its_bound(name, seed):
    f, f_prime = CURVES[name]
    x = np.random.default_rng(seed).uniform(0.05, 3.0, 200)
    slope = derivative(lambda t: f(x + t))
    error = np.abs(slope.value - f_prime(x))
    assert np.all(error <= slope.bound)
    assert np.all(slope.bound <= 1e-6 * (1 + np.abs(slope.value)) * max(1, np.abs(f(x)).max()))
    assert not slope.has_kink.any()


def test_a_kink_is_seen_with_both_slopes():
    slope = derivative(lambda t: np.array([abs(t), max(t, 0) * 3, t]))
    np.testing.assert_array_equal(slope.has_kink, [True, True, False])
    np.testing.assert_allclose(slope.left[:2], [-1, 0], atol=1e-9)
    np.testing.assert_allclose(slope.right[:2], [1, 3], atol=1e-9)


def test_a_jump_or_an_infinity_is_uncertain():
    slope = derivative(lambda t: np.array([float(t > 0), np.log(t), np.nan]))
    assert np.all(slope.bound > 1)
    assert np.all(slope.bound[1:] >= UNKNOWN)
    assert np.all(np.isfinite(slope.value))
