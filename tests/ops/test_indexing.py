"""Indexing as NumPy does it, and how gradients find their way back to the places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinydl import grad, ops, tensor

SHAPE = (3, 4, 2)
X = np.random.default_rng(0).normal(size=SHAPE)


def scattered(key, g):
    """The gradient of x[key], one place after the other."""
    number_of = np.arange(X.size).reshape(SHAPE)[key]
    x_bar = np.zeros(X.size)
    for place, value in zip(np.ravel(number_of), np.ravel(g), strict=True):
        x_bar[place] += value
    return x_bar.reshape(SHAPE)


def check(key):
    expected = X[key]
    x = tensor(X, requires_grad=True)
    y = x[key]
    np.testing.assert_array_equal(y.numpy(), expected)
    g = np.random.default_rng(1).normal(size=expected.shape)
    np.testing.assert_allclose(grad(y, x, g).numpy(), scattered(key, g), rtol=1e-12)


@given(hnp.basic_indices(SHAPE, allow_newaxis=True))
def test_every_basic_key(key):
    check(key)


@given(hnp.integer_array_indices(SHAPE, result_shape=hnp.array_shapes(max_dims=2, max_side=5)))
def test_every_key_of_integer_arrays(key):
    check(key)


@given(st.integers(0, 3).flatmap(lambda n: hnp.arrays(bool, SHAPE[:n])))
def test_every_mask(mask):
    check(mask)


@given(
    hnp.arrays(int, hnp.array_shapes(max_dims=2, max_side=3), elements=st.integers(-2, 1)),
    st.permutations([None, slice(None, None, -1), Ellipsis]),
    st.integers(0, 3),
)
def test_arrays_among_slices(places, others, position):
    check((*others[:position], places, *others[position:]))


def test_keys_are_copied():
    x, places = tensor([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 2])
    y = x[places]
    places[:] = 1
    np.testing.assert_array_equal(grad(y, x, np.ones(2)).numpy(), [1.0, 0.0, 1.0])


def test_tensors_and_lists_as_keys():
    x = tensor([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(x[tensor([2, 0])].numpy(), [3.0, 1.0])
    np.testing.assert_array_equal(x[x > 1.5].numpy(), [2.0, 3.0])
    np.testing.assert_array_equal(x[[]].numpy(), [])
    assert x[tensor(1)].item() == 2.0


@pytest.mark.parametrize("key", [3, (0, 0), 0.5, "a", [5], np.array([0.5]), [True, False]])
def test_wrong_keys_are_index_errors(key):
    with pytest.raises(IndexError):
        tensor([1.0, 2.0, 3.0])[key]


class TestTake:
    def test_a_number_stays_an_index_beside_floats(self):
        assert ops.take([1.0, 2.0, 3.0], -1).item() == 3.0

    @pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
    def test_every_kind_of_whole_number(self, dtype):
        y = ops.take(X, np.array([1, 0], dtype), axis=1)
        np.testing.assert_array_equal(y.numpy(), X[:, [1, 0]])

    def test_whole_numbers_stay_whole(self):
        assert ops.take([1, 2], [0]).dtype == np.int64

    def test_along_an_axis_of_stretched_indices(self):
        places = np.array([[[1], [0]]])
        expected = np.take_along_axis(X, np.broadcast_to(places, (3, 2, 2)), 1)
        np.testing.assert_array_equal(ops.take_along_axis(X, places, 1).numpy(), expected)


class TestOneHot:
    def test_axes(self):
        labels = np.array([[0, 2], [1, 1]])
        rows = np.eye(3, dtype="f4")[labels]
        for axis in (0, 1, 2, -1, -2, -3):
            y = ops.one_hot(labels, 3, axis=axis)
            np.testing.assert_array_equal(y.numpy(), np.moveaxis(rows, -1, axis))

    def test_out_of_range_is_zero(self):
        np.testing.assert_array_equal(ops.one_hot([-1, 3], 3).numpy(), np.zeros((2, 3)))

    def test_dtype(self):
        assert ops.one_hot([1], 2, dtype="bool").dtype == np.bool_
        assert ops.one_hot(1, 2).shape == (2,)
