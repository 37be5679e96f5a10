"""Normalizations: their definitions, precision, refusals, and gradients of the whole."""

import numpy as np
import pytest

from tinydl import grad, ops, tensor
from tinydl.errors import ArgumentError, ShapeError
from tinydl.testing import gradcheck

RNG = np.random.default_rng(8)
X = RNG.normal(3.0, 2.0, (4, 3, 6))
VECTOR, OTHER = RNG.normal(size=6), RNG.normal(size=6)


def standardized(x, axis, epsilon):
    mean, variance = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize("axis", [-1, (0, 1), (0, -1), None])
def test_standardize(axis):
    y = ops.standardize(X, axis, epsilon=0.1).numpy()
    np.testing.assert_allclose(y, standardized(X, axis, 0.1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axes", [[0], (0, 1), [-1], None])
def test_moments(axes, keepdims):
    mean, variance = ops.moments(X, axes, keepdims)
    axis = None if axes is None else tuple(axes)
    np.testing.assert_allclose(mean.numpy(), X.mean(axis, keepdims=keepdims), rtol=1e-12)
    np.testing.assert_allclose(variance.numpy(), X.var(axis, keepdims=keepdims), rtol=1e-12)
    assert mean.shape == variance.shape


def test_moments_of_narrow_floats_do_not_overflow():
    mean, variance = ops.moments(np.array([-300.0, 300.0, 300.0, -300.0], np.float16), [0])
    assert (mean.dtype, variance.dtype) == (np.float16, np.float16)
    assert mean.item() == 0
    assert variance.item() == np.finfo(np.float16).max  # 90000 is no float16
    mean, _ = ops.moments(np.full(3000, 60.0, np.float16), [0])
    assert mean.item() == 60


def test_batch_normalization():
    mean, variance = RNG.normal(size=6), RNG.uniform(0.5, 2, 6)
    y = ops.batch_normalization(X, mean, variance, -1, OTHER, VECTOR, 0.01).numpy()
    expected = (X - mean) / np.sqrt(variance + 0.01) * VECTOR + OTHER
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    by_other_axis = ops.batch_normalization(
        X.swapaxes(1, 2), mean, variance, 1, OTHER, VECTOR, 0.01
    )
    np.testing.assert_allclose(by_other_axis.numpy(), expected.swapaxes(1, 2), rtol=1e-12)


def test_batch_normalization_in_training_is_standardize():
    def with_moments(x):
        return ops.batch_normalization(x, *ops.moments(x, (0, 1)), axis=-1)

    x = tensor(X, requires_grad=True)
    fused = ops.standardize(x, (0, 1), epsilon=1e-3)
    np.testing.assert_allclose(with_moments(x).numpy(), fused.numpy(), rtol=1e-12, atol=1e-12)
    arrives = RNG.normal(size=X.shape)
    by_chain, by_rule = (grad(y, x, arrives).numpy() for y in (with_moments(x), fused))
    np.testing.assert_allclose(by_chain, by_rule, rtol=1e-9, atol=1e-12)
    gradcheck(with_moments, [X[:2, :2, :2]], order=2)


@pytest.mark.parametrize("axis", [-1, [1, 2], 1, (0, -1)])
def test_layer_normalization(axis):
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shape = tuple(X.shape[a] for a in sorted(a % 3 for a in axes))
    gamma, beta = RNG.normal(size=shape), RNG.normal(size=shape)
    beside = tuple(X.shape[a] if a in {b % 3 for b in axes} else 1 for a in range(3))
    expected = standardized(X, axes, 1e-7) * gamma.reshape(beside) + beta.reshape(beside)
    y = ops.layer_normalization(X, gamma, beta, axis).numpy()
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def test_group_normalization():
    y = ops.group_normalization(X, 2, VECTOR, OTHER, epsilon=0.1).numpy()
    for channels in (slice(0, 3), slice(3, 6)):
        expected = standardized(X[..., channels], (1, 2), 0.1) * VECTOR[channels] + OTHER[channels]
        np.testing.assert_allclose(y[..., channels], expected, rtol=1e-12, atol=1e-12)
    whole = ops.group_normalization(X, 1, epsilon=0.1).numpy()
    np.testing.assert_allclose(whole, standardized(X, (1, 2), 0.1), rtol=1e-12, atol=1e-12)
    each = ops.group_normalization(X, -1, epsilon=0.1).numpy()
    np.testing.assert_allclose(each, standardized(X, 1, 0.1), rtol=1e-12, atol=1e-12)
    turned = ops.group_normalization(X.swapaxes(1, 2), 2, VECTOR, OTHER, axis=1, epsilon=0.1)
    np.testing.assert_allclose(turned.numpy(), y.swapaxes(1, 2), rtol=1e-12, atol=1e-12)


def test_rms_normalization():
    expected = X / np.sqrt(np.mean(X * X, -1, keepdims=True) + 0.1) * VECTOR
    y = ops.rms_normalization(X, VECTOR, epsilon=0.1).numpy()
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    without = ops.rms_normalization(X, scale=None, epsilon=0.1).numpy()
    np.testing.assert_allclose(without * VECTOR, expected, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("axis", [-1, (0, 1), None])
def test_normalize(order, axis):
    length = np.sum(np.abs(X) ** order, axis, keepdims=True) ** (1 / order)
    np.testing.assert_allclose(ops.normalize(X, axis, order).numpy(), X / length, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize_neither_overflows_nor_loses_the_small(order):
    for size in (1e-30, 1e30):
        x = tensor([3 * size, 4 * size], dtype="float32", requires_grad=True)
        y = ops.normalize(x, order=order, epsilon=1e-37)
        length = (3.0**order + 4.0**order) ** (1 / order)
        np.testing.assert_allclose(y.numpy(), [3 / length, 4 / length], rtol=1e-6)
        assert np.isfinite(grad(y, x, [1.0, 2.0]).numpy()).all()


def test_normalize_at_nothing_is_division_by_epsilon():
    x = tensor(np.zeros(3), requires_grad=True)
    y = ops.normalize(x, epsilon=0.25)
    np.testing.assert_array_equal(y.numpy(), np.zeros(3))
    first = grad(y.sum(), x, create_graph=True)
    np.testing.assert_array_equal(first.numpy(), np.full(3, 4.0))
    np.testing.assert_array_equal(grad(first.sum(), x).numpy(), np.zeros(3))


def test_normalize_of_the_tiniest_numbers_and_of_nan():
    x = tensor([[5e-324, 0.0], [5e-324, 1e3], [np.nan, 1.0]], dtype="float64", requires_grad=True)
    y = ops.normalize(x, order=1, epsilon=1e-3)
    g = grad(y, x, np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])).numpy()
    np.testing.assert_allclose(g[0], [1e3, 2e3])  # shorter than epsilon
    np.testing.assert_allclose(g[1], [(1.0 - 2.0) / 1e3, 0.0])
    assert np.isnan(y.numpy()[2]).all()
    assert np.isnan(g[2]).all()


def test_gradients_of_scale_and_shift():
    x, gamma, beta = X[:2, :2, :4], VECTOR[:4], OTHER[:4]
    gradcheck(lambda x, a, b: ops.layer_normalization(x, a, b), [x, gamma, beta], order=2)
    gradcheck(lambda x, a, b: ops.group_normalization(x, 2, a, b), [x, gamma, beta], order=2)
    gradcheck(lambda x, a: ops.rms_normalization(x, a), [x, gamma], order=2)


@pytest.mark.parametrize("function", [ops.standardize, ops.layer_normalization])
def test_far_from_zero_in_float32(function):
    """1000 + noise has 13 bits of noise left: the mean has to go before anything is squared."""
    x = (1000 + RNG.normal(size=(8, 50))).astype(np.float32)
    exact = standardized(x.astype(np.float64), -1, 1e-7)
    np.testing.assert_allclose(function(x).numpy(), exact, atol=2e-4)


def test_the_constant_and_the_empty():
    np.testing.assert_array_equal(ops.standardize(np.full((2, 3), 7.0)).numpy(), np.zeros((2, 3)))
    for function in (ops.standardize, ops.root_mean_square_normalize, ops.normalize):
        assert function(np.ones((0, 3))).shape == (0, 3)
        assert function(np.ones((3, 0))).shape == (3, 0)
    assert np.isnan(ops.moments(np.ones((2, 0)), [1])[0].numpy()).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "bool"])
def test_dtypes(dtype):
    x = np.array([[0, 1, 1, 0]], dtype)
    expected = dtype if "float" in dtype else "float32"
    for y in (
        ops.standardize(x),
        ops.normalize(x),
        ops.layer_normalization(x, np.ones(4)),
        ops.group_normalization(x, 2, np.ones(4)),
        ops.rms_normalization(x),
        ops.batch_normalization(x, np.zeros(4), np.ones(4), -1),
        *ops.moments(x, [0]),
    ):
        assert y.dtype == expected
    narrow = np.array([300.0, -300.0, 300.0], np.float16)  # whose squares are no float16
    assert np.isfinite(ops.rms_normalization(narrow).numpy()).all()
    assert np.isfinite(ops.standardize(narrow).numpy()).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.batch_normalization(X, np.ones(3), np.ones(6), -1), ShapeError,
         r"batch_normalization: mean is \(3,\), expected \(6,\)"),
        (lambda: ops.batch_normalization(X, np.ones(6), np.ones(6), -1, scale=np.ones(3)),
         ShapeError, "scale is"),
        (lambda: ops.layer_normalization(X, np.ones(3)), ShapeError,
         r"layer_normalization: gamma is \(3,\), expected \(6,\)"),
        (lambda: ops.group_normalization(X, 4), ArgumentError,
         "group_normalization: groups is 4, expected a divisor of the 6 channels"),
        (lambda: ops.group_normalization(X, axis=0), ShapeError, "group_normalization: axis is 0"),
        (lambda: ops.normalize(X, order=0), ArgumentError, "normalize: order is 0"),
        (lambda: ops.normalize(X, order=1.5), ArgumentError, "normalize: order is 1.5"),
        (lambda: ops.standardize(X, 3), ShapeError, "standardize: axis is 3"),
        (lambda: ops.moments(X, [0], synchronized=True), ArgumentError, "synchronized"),
    ],
)  # fmt: skip
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
