"""Parts taken and replaced by the places of their corners or of their elements."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import DataError, DTypeError, ShapeError
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.indexing import GetItem, PutItem, Take
from tinydl.ops.selection import Where
from tinydl.ops.shape import whole_numbers


def _columns(where: str, indices: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """The rows of places as one array for each of the first axes: a NumPy key."""
    places = convert_to_tensor(indices).data
    if places.dtype.kind not in "iu":
        raise DTypeError(where, "indices", got=f"of dtype {places.dtype}", expected="whole numbers")
    if places.ndim < 1 or places.shape[-1] > len(shape):
        raise ShapeError(
            where,
            "indices",
            got=places.shape,
            expected=f"rows of at most {len(shape)} numbers",
            hint=f"each row is a place in a tensor of shape {shape}",
        )
    lengths = np.array(shape[: places.shape[-1]], int)
    outside = ((places < -lengths) | (places >= lengths)).any(axis=-1)
    if outside.any():
        raise DataError(
            where,
            "a place",
            got=tuple(places[outside][0].tolist()),
            expected=f"inside of {tuple(lengths.tolist())}",
        )
    return tuple(np.moveaxis(places, -1, 0))


def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros, with values added at places.

    Parameters
    ----------
    indices : array_like of int, shape (..., K)
        A place in each row, by its first K coordinates.
    values : array_like, shape (...) + shape[K:]
        What to add there; several values for one place add up.
    shape : tuple of int
        Of the result.

    Raises
    ------
    DataError
        When there is no such place.
    ShapeError
        When the shapes do not fit.

    Examples
    --------
    >>> scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (4,))
    tensor([4., 0., 2., 0.])
    """
    lengths = whole_numbers("scatter", "shape", shape)
    return PutItem(_columns("scatter", indices, lengths), lengths)(values)


def scatter_update(inputs: Any, indices: Any, updates: Any) -> Tensor:
    """The tensor, with other values at places.

    Parameters
    ----------
    inputs : array_like
    indices : array_like of int, shape (N, K)
        A place in each row, by its first K coordinates; of equal ones the last counts.
    updates : array_like, shape (N,) + inputs.shape[K:]
        What to put there.

    Raises
    ------
    DataError
        When there is no such place.
    ShapeError
        When the shapes do not fit.

    Examples
    --------
    >>> scatter_update([1.0, 2.0, 3.0], [[2], [0]], [10.0, 20.0])
    tensor([20.,  2., 10.])
    """
    inputs = convert_to_tensor(inputs)
    updates = convert_to_tensor(updates, inputs.dtype)
    key = _columns("scatter_update", indices, inputs.shape)
    places = np.broadcast_shapes(*(column.shape for column in key))
    rest = inputs.shape[len(key) :]
    if updates.shape != places + rest:
        raise ShapeError("scatter_update", "updates", got=updates.shape, expected=places + rest)
    count = math.prod(places)
    if count == 0:
        return inputs
    which = np.full(inputs.shape[: len(key)], -1)
    which[key] = np.arange(count).reshape(places)
    taken = Take(0)(updates.reshape((count, *rest)), np.maximum(which, 0))
    return Where()((which >= 0).reshape(which.shape + (1,) * len(rest)), taken, inputs)


def slice(inputs: Any, start_indices: Any, shape: Any) -> Tensor:
    """A block of a tensor.

    Parameters
    ----------
    inputs : array_like
    start_indices : sequence of int
        The place of its first element.
    shape : sequence of int
        Its shape; -1 goes on to the end of the axis.

    Raises
    ------
    ShapeError
        When the block does not lie in the tensor.

    Examples
    --------
    >>> slice([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], (0, 1), (2, 2))
    tensor([[2., 3.],
            [5., 6.]])
    """
    inputs = convert_to_tensor(inputs)
    return GetItem(_block("slice", inputs.shape, start_indices, shape))(inputs)


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """The tensor, with another block in it.

    Parameters
    ----------
    inputs : array_like
    start_indices : sequence of int
        The place of the block's first element.
    updates : array_like
        The block, with as many axes as `inputs`.

    Raises
    ------
    ShapeError
        When the block does not lie in the tensor.

    Examples
    --------
    >>> slice_update([1.0, 2.0, 3.0], (1,), [10.0])
    tensor([ 1., 10.,  3.])
    """
    inputs = convert_to_tensor(inputs)
    updates = convert_to_tensor(updates, inputs.dtype)
    key = _block("slice_update", inputs.shape, start_indices, updates.shape)
    inside = np.zeros(inputs.shape, bool)
    inside[key] = True
    return Where()(inside, PutItem(key, inputs.shape)(updates), inputs)


def _block(where: str, inputs: tuple[int, ...], start: Any, shape: Any) -> tuple[Any, ...]:
    first = whole_numbers(where, "start_indices", start)
    lengths = whole_numbers(where, "shape", shape)
    fits = len(first) == len(lengths) == len(inputs) and all(
        i >= 0 and n >= -1 and i + n <= length
        for i, n, length in zip(first, lengths, inputs, strict=True)
    )
    if not fits:
        raise ShapeError(
            where,
            "the block",
            got=f"of shape {lengths} from {first}",
            expected=f"inside of inputs, which is {inputs}",
        )
    return tuple(
        builtins.slice(i, None if n == -1 else i + n) for i, n in zip(first, lengths, strict=True)
    )
