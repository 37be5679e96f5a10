"""Functions made of several ops: against NumPy forwards, against differences backwards."""

import numpy as np
import pytest

from tinydl import Tensor, ops, tensor
from tinydl.testing import gradcheck

RNG = np.random.default_rng(0)
X, V = RNG.normal(size=(2, 4, 3)), RNG.normal(size=4)
PLACES = np.array([[1], [0], [1]])

# Each row: the call on tensors, and what NumPy makes of the same arrays.
CASES = {
    "ravel": (ops.ravel, np.ravel, [X]),
    "swapaxes": (lambda x: ops.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), [X]),
    "moveaxis": (lambda x: ops.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), [X]),
    "moveaxis of two": (
        lambda x: ops.moveaxis(x, (0, -1), (1, 0)),
        lambda x: np.moveaxis(x, (0, -1), (1, 0)),
        [X],
    ),
    "split": (lambda x: ops.split(x, 2, axis=1)[1], lambda x: np.split(x, 2, axis=1)[1], [X]),
    "split at places": (
        lambda x: ops.split(x, [1, 3], -2)[1],
        lambda x: np.split(x, [1, 3], -2)[1],
        [X],
    ),
    "split backwards": (lambda x: ops.split(x, [3, 1])[1], lambda x: np.split(x, [3, 1])[1], [V]),
    "array_split": (
        lambda x: ops.array_split(x, 3, 1)[0],
        lambda x: np.array_split(x, 3, 1)[0],
        [X],
    ),
    "unstack": (lambda x: ops.unstack(x, axis=-1)[2], lambda x: x[..., 2], [X]),
    "hstack": (lambda a, b: ops.hstack([a, b]), lambda a, b: np.hstack([a, b]), [X, X[:, :1]]),
    "hstack of rows": (lambda a: ops.hstack([a, 2.0]), lambda a: np.hstack([a, 2.0]), [V]),
    "vstack": (lambda a, b: ops.vstack([a, b]), lambda a, b: np.vstack([a, b]), [V, X[0].T]),
    "diagonal": (ops.diagonal, np.diagonal, [X]),
    "diagonal above": (
        lambda x: ops.diagonal(x, 1, axis1=-1, axis2=0),
        lambda x: np.diagonal(x, 1, axis1=-1, axis2=0),
        [X],
    ),
    "diagonal far outside": (lambda x: ops.diagonal(x, 7), lambda x: np.diagonal(x, 7), [X]),
    "trace": (lambda x: ops.trace(x, -1, 1, 2), lambda x: np.trace(x, -1, 1, 2), [X]),
    "diag of a row": (lambda x: ops.diag(x, -2), lambda x: np.diag(x, -2), [V]),
    "diag of a matrix": (lambda x: ops.diag(x, 1), lambda x: np.diag(x, 1), [X[0]]),
    "sort": (ops.sort, np.sort, [X]),
    "sort of all": (lambda x: ops.sort(x, None), lambda x: np.sort(x, None), [X]),
    "top_k": (lambda x: ops.top_k(x, 2)[0], lambda x: np.sort(x)[..., ::-1][..., :2], [X]),
    "matmul of a row": (ops.matmul, np.matmul, [V, X]),
    "matmul of a column": (ops.matmul, np.matmul, [X.transpose(0, 2, 1), V]),
    "matmul of both": (ops.matmul, np.matmul, [V, V[::-1]]),
    "matmul of an empty row": (ops.matmul, np.matmul, [V[:0], X[0, :0]]),
    "dot": (ops.dot, np.dot, [X, X[0].T]),
    "dot of many axes": (ops.dot, np.dot, [X, X.transpose(1, 2, 0)]),
    "dot with a number": (ops.dot, np.dot, [X, np.array(2.0)]),
    "inner": (ops.inner, np.inner, [X, X[0]]),
    "vdot": (ops.vdot, np.vdot, [X, X[:, ::-1]]),
    "outer": (ops.outer, np.outer, [X[0], V]),
    "tensordot": (ops.tensordot, np.tensordot, [X, X[0]]),
    "tensordot over named axes": (
        lambda a, b: ops.tensordot(a, b, ((0, -1), (2, 0))),
        lambda a, b: np.tensordot(a, b, ((0, -1), (2, 0))),
        [X, X.transpose(2, 1, 0)],
    ),
    "tensordot over nothing": (
        lambda a, b: ops.tensordot(a, b, 0),
        lambda a, b: np.tensordot(a, b, 0),
        [V, X[0]],
    ),
    "tensordot over an empty axis": (
        lambda a, b: ops.tensordot(a, b, 1),
        lambda a, b: np.tensordot(a, b, 1),
        [X[..., :0], X[:0, 0]],
    ),
    "meshgrid": (lambda a, b: ops.meshgrid(a, b)[1], lambda a, b: np.meshgrid(a, b)[1], [V, V[1:]]),
    "meshgrid of three": (
        lambda a, b: ops.meshgrid(a, b, 1.0, indexing="ij")[0],
        lambda a, b: np.meshgrid(a, b, 1.0, indexing="ij")[0],
        [V, V[1:]],
    ),
    "full": (lambda v: ops.full((2, 4), v, "float64"), lambda v: np.full((2, 4), v), [V]),
    "slice": (lambda x: ops.slice(x, (0, 1, 0), (2, 2, -1)), lambda x: x[:, 1:3], [X]),
}


@pytest.mark.parametrize("name", CASES)
def test_as_numpy_and_with_its_gradient(name):
    ours, numpys, arrays = CASES[name]
    expected = numpys(*arrays)
    y = ours(*[tensor(a) for a in arrays])
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-13, atol=1e-15)
    gradcheck(ours, arrays, order=2)


class TestScatter:
    def test_equal_places_add_up(self):
        y = ops.scatter(PLACES, X[0, :3], (2, 3))
        np.testing.assert_allclose(y.numpy(), [X[0, 1], X[0, 0] + X[0, 2]])
        gradcheck(lambda v: ops.scatter(PLACES, v, (2, 3)), [X[0, :3]], order=2)

    def test_the_last_update_of_a_place_counts(self):
        inputs = np.zeros((3, 2))
        y = ops.scatter_update(inputs, PLACES, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
        np.testing.assert_array_equal(y.numpy(), [[3, 4], [5, 6], [0, 0]])
        gradcheck(
            lambda x, u: ops.scatter_update(x, PLACES, u),
            [inputs, RNG.normal(size=(3, 2))],
            order=2,
        )

    def test_single_elements_and_none(self):
        y = ops.scatter_update(np.zeros((2, 2)), [[0, 1], [-1, 0]], [5.0, 7.0])
        np.testing.assert_array_equal(y.numpy(), [[0, 5], [7, 0]])
        nothing = ops.scatter_update(np.ones(2), np.zeros((0, 1), int), np.zeros(0))
        np.testing.assert_array_equal(nothing.numpy(), np.ones(2))

    def test_a_block(self):
        block = RNG.normal(size=(2, 1, 2))
        y = ops.slice_update(X, (0, 3, 1), block)
        expected = X.copy()
        expected[:, 3:, 1:] = block
        np.testing.assert_array_equal(y.numpy(), expected)
        gradcheck(lambda x, b: ops.slice_update(x, (0, 3, 1), b), [X, block], order=2)


class TestCreation:
    @pytest.mark.parametrize(
        "y, expected",
        [
            (ops.zeros((2, 3)), np.zeros((2, 3), "f4")),
            (ops.ones(2, "int64"), np.ones(2, "i8")),
            (ops.zeros(()), np.zeros((), "f4")),
            (ops.full((2, 2), 3), np.full((2, 2), 3, "f4")),
            (ops.full_like(np.zeros(2, "i4"), 3), np.full(2, 3, "i4")),
            (ops.zeros_like(np.ones(2)), np.zeros(2)),
            (ops.ones_like([1, 2], "bool"), np.ones(2, bool)),
            (ops.arange(4), np.arange(4)),
            (ops.arange(1, 7, 2, dtype="float32"), np.arange(1, 7, 2, "f4")),
            (ops.arange(1.0, 0.0, -0.25), np.arange(1.0, 0.0, -0.25, "f4")),
            (ops.arange(np.float64(2)), np.arange(2.0)),
            (ops.arange(5, 2), np.zeros(0, int)),
            (ops.linspace(0, 1, 5), np.linspace(0, 1, 5, dtype="f4")),
            (ops.linspace(0, 1, 4, endpoint=False), np.linspace(0, 1, 4, False, dtype="f4")),
            (ops.linspace(V, -V, 3, axis=-1), np.linspace(V, -V, 3, axis=-1)),
            (ops.linspace(0, 10, 4, dtype="int64"), np.linspace(0, 10, 4, dtype=int)),
            (ops.linspace(0, 1, 0), np.zeros(0, "f4")),
            (ops.eye(2), np.eye(2, dtype="f4")),
            (ops.eye(2, 3, -1, "int32"), np.eye(2, 3, -1, "i4")),
            (ops.identity(3), np.eye(3, dtype="f4")),
            (ops.tri(3, 2, 1), np.tri(3, 2, 1, "f4")),
        ],
    )
    def test_as_numpy(self, y, expected):
        assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(y.numpy(), expected)

    def test_sequences_do_not_drift_in_float32(self):
        y = ops.arange(0.0, 10.0, 0.001)
        np.testing.assert_array_equal(y.numpy(), np.arange(0.0, 10.0, 0.001).astype("f4"))
        y = ops.linspace(0.1, 0.7, 1000)
        np.testing.assert_array_equal(y.numpy(), np.linspace(0.1, 0.7, 1000).astype("f4"))

    def test_the_distance(self):
        _, step = ops.linspace(0, 10, 5, retstep=True)
        assert isinstance(step, Tensor)
        assert step.item() == 2.5


class TestOrder:
    def test_nan_is_the_largest(self):
        x = [2.0, np.nan, 1.0]
        np.testing.assert_array_equal(ops.sort(x).numpy(), [1.0, 2.0, np.nan])
        values, places = ops.top_k(x, 2)
        np.testing.assert_array_equal(values.numpy(), [np.nan, 2.0])
        np.testing.assert_array_equal(places.numpy(), [1, 0])

    def test_equal_elements_keep_their_order(self):
        x = [1.0, 0.0, 1.0, 0.0]
        np.testing.assert_array_equal(ops.argsort(x).numpy(), [1, 3, 0, 2])
        np.testing.assert_array_equal(ops.top_k(x, 3)[1].numpy(), [0, 2, 1])

    @pytest.mark.parametrize("axis", [-1, 0, None])
    def test_a_single_number_is_a_list_of_one(self, axis):
        np.testing.assert_array_equal(ops.argsort(3.0, axis).numpy(), [0])

    def test_places_are_int32(self):
        assert ops.argsort([1.0]).dtype == ops.top_k([1.0], 1)[1].dtype == np.int32

    def test_of_unsigned_numbers(self):
        values, _ = ops.top_k(np.array([3, 0, 200], "uint8"), 3)
        np.testing.assert_array_equal(values.numpy(), [200, 3, 0])


def test_methods_are_numpy_s():
    x = tensor(X)
    for ours, theirs in (
        (x.swapaxes(0, 2), X.swapaxes(0, 2)), (x.ravel(), X.ravel()), (x.trace(), X.trace()),
        (x.diagonal(1), X.diagonal(1)), (x.dot(X[0].T), X.dot(X[0].T)), (x.take(3), X.take(3)),
        (x.repeat(2, axis=0), X.repeat(2, axis=0)),
        (x.flatten(), X.flatten()), (x[:1].squeeze(0), X[:1].squeeze(0)),
    ):  # fmt: skip
        np.testing.assert_allclose(ours.numpy(), theirs)
