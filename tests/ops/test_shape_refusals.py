"""Wrong shapes, places, and settings of the ops that move elements and of products."""

import numpy as np
import pytest

from tinydl import ops
from tinydl.errors import ArgumentError, DataError, DTypeError, ShapeError

X = np.ones((2, 3))

REFUSED = [
    (lambda: ops.reshape(X, 2.5), DTypeError, "reshape: newshape is 2.5, expected whole numbers"),
    (lambda: ops.moveaxis(X, (0, 1), 0), ShapeError, "destination is 0, expected as many axes"),
    (lambda: ops.moveaxis(X, (0, 0), (0, 1)), ShapeError, "moveaxis: axis is .*each axis once"),
    (lambda: ops.swapaxes(X, 0, 2), ShapeError, "swapaxes: axis is 2, expected between -2 and 1"),
    (lambda: ops.concatenate(5.0), DTypeError, "concatenate: xs is 5.0, expected a sequence"),
    (lambda: ops.split(X, 2, axis=1), ShapeError, "split: indices_or_sections is 2, expected"),
    (lambda: ops.split(X, 0), ArgumentError, "expected a number of pieces from 1"),
    (lambda: ops.unstack(X, num=3), ShapeError, r"unstack: num is 3, expected 2, as x is \(2, 3\)"),
    (lambda: ops.flip(X, 2), ShapeError, "flip: axis is 2"),
    (lambda: ops.roll(X, 1, axis=5), ShapeError, "roll: axis is 5"),
    (lambda: ops.roll(X, (1, 2, 3), (0, 1)), ShapeError, r"roll: shift is \(1, 2, 3\)"),
    (lambda: ops.tile(X, -1), ArgumentError, "tile: repeats is -1, expected numbers from 0"),
    (lambda: ops.repeat(X, [1, -1], axis=0), ArgumentError, r"repeat: repeats is \[1, -1\]"),
    (lambda: ops.repeat(X, [1, 2], axis=1), ShapeError, "a single number or 3 of them"),
    (lambda: ops.pad(X, 1, "reflekt"), ArgumentError, "pad: mode is 'reflekt'.*did you mean 'refl"),
    (lambda: ops.pad(X, -1), ArgumentError, "pad: pad_width is -1"),
    (lambda: ops.pad(X, 0.5), DTypeError, "pad: pad_width is 0.5"),
    (lambda: ops.pad(X, ((1, 1),) * 3), ShapeError, "a pair for each of the 2 axes of x"),
    (lambda: ops.pad(X, 1, "edge", constant_values=1), ArgumentError, "constant_values is 1"),
    (lambda: ops.pad(X[:0], 1, "edge"), ShapeError, r"pad: x is \(0, 3\), expected elements"),
    (lambda: ops.tril(X[0]), ShapeError, r"tril: x is \(3,\), expected at least two axes"),
    (lambda: ops.put_item(X, 0, (2, 2)), ShapeError, r"put_item: x is \(2, 3\), expected \(2,\)"),
    (lambda: ops.take(X, 6), DataError, "take: an index is 6, expected from -6 to 5; x is"),
    (lambda: ops.take(X, [0, -3], axis=0), DataError, "take: an index is -3, expected from -2"),
    (lambda: ops.take(X[:0], 0, axis=0), DataError, "expected none, the axis is empty"),
    (lambda: ops.take(X, 0.5), DTypeError, "take: indices is of dtype float32"),
    (lambda: ops.take_along_axis(X, [0], 1), ShapeError, r"indices is \(1,\), expected 2 axes"),
    (lambda: ops.take_along_axis(X, np.zeros((3, 1), int), 1), ShapeError, "axes that broadcast"),
    (lambda: ops.one_hot([1], 2, axis=2), ShapeError, "one_hot: axis is 2"),
    (lambda: ops.one_hot([1], 2, sparse=True), ArgumentError, "one_hot: sparse is True"),
    (lambda: ops.diagonal(X[0]), ShapeError, "diagonal: x is"),
    (lambda: ops.diag(np.ones((1, 1, 1))), ShapeError, "diag: x is"),
    (lambda: ops.top_k(X, 4), ArgumentError, "top_k: k is 4, expected from 0 to 3"),
    (lambda: ops.argsort(X, 2), ShapeError, "argsort: axis is 2"),
    (lambda: ops.argsort(3.0, 1), ShapeError, "argsort: axis is 1"),
    (lambda: ops.sort(3.0), ShapeError, "^sort: axis is -1"),
    (lambda: ops.reshape(X, (-2, 3)), ShapeError, r"newshape is \(-2, 3\), expected lengths, or"),
    (lambda: ops.tensordot(X, X, 1), ShapeError, r"of lengths \[2\] along its axes \[0\]"),
    (lambda: ops.tensordot(X, X, 3), ArgumentError, "tensordot: axes is 3, expected from 0 to 2"),
    (lambda: ops.tensordot(X, X, (0, 1, 2)), ArgumentError, "a number, or axes of each"),
    (lambda: ops.matmul(X, X[:, 0]), ShapeError, r"x2 is \(2,\), expected \(3,\); x1 is \(2, 3\)"),
    (lambda: ops.dot(X, X), ShapeError, "x2 is"),
    (lambda: ops.einsum(3, X), DTypeError, "einsum: subscripts is 3, expected a string"),
    (lambda: ops.einsum("i$", X), ArgumentError, r"subscripts is 'i\$', expected letters"),
    (lambda: ops.einsum("ij->k", X), ArgumentError, "after -> each letter once"),
    (lambda: ops.einsum("ij->ii", X), ArgumentError, "after -> each letter once"),
    (lambda: ops.einsum("ij,j", X), ArgumentError, "the number of operands is 1, expected 2"),
    (lambda: ops.einsum("i", X), ShapeError, r"operands\[0\] is \(2, 3\), expected 1 axes"),
    (lambda: ops.einsum("ii", X), ShapeError, "so 'i' is 2 long, expected 3"),
    (lambda: ops.einsum("ij,ij", X, X.T), ShapeError, "as elsewhere in 'ij,ij'"),
    (lambda: ops.scatter([[2]], [1.0], (2,)), DataError, r"scatter: a place is \(2,\)"),
    (lambda: ops.scatter([0.5], 1.0, (2,)), DTypeError, "scatter: indices is of dtype float32"),
    (lambda: ops.scatter([[0, 0]], [1.0], (2,)), ShapeError, "rows of at most 1 numbers"),
    (lambda: ops.scatter_update(X, [[0]], X), ShapeError, "scatter_update: updates is"),
    (lambda: ops.slice(X, (1, 0), (2, 1)), ShapeError, r"slice: the block is of shape \(2, 1\)"),
    (lambda: ops.zeros((-1,)), ShapeError, r"zeros: shape is \(-1,\), expected lengths from 0"),
    (lambda: ops.ones(2, "complex64"), DTypeError, "ones: dtype is 'complex64', expected real"),
    (lambda: ops.ones(2, "floaty"), DTypeError, "ones: dtype is 'floaty'"),
    (lambda: ops.full((2, 2), [1, 2, 3]), ShapeError, "broadcast_to: shape is"),
    (lambda: ops.arange(1, 2, 0), ArgumentError, "arange: step is 0"),
    (lambda: ops.linspace(0, 1, -1), ArgumentError, "linspace: num is -1"),
    (lambda: ops.meshgrid([1], indexing="yx"), ArgumentError, "meshgrid: indexing is 'yx'"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
