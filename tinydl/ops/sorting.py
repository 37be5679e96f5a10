"""Elements by size. The order itself has no gradient; what is taken in that order has."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import ArgumentError
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.indexing import TakeAlongAxis
from tinydl.ops.reduce import normalize_axes
from tinydl.ops.shape import ravel, whole_numbers


def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """The places of the elements from the smallest to the largest; equal ones keep their order.

    Parameters
    ----------
    x : array_like
        nan counts as the largest.
    axis : int or None
        Along which axis; None takes all elements in reading order. A single number counts as a
        list of one, as in NumPy.

    Returns
    -------
    Tensor of int32

    Examples
    --------
    >>> argsort([3.0, 1.0, 2.0])
    tensor([1, 2, 0], dtype=int32)
    """
    x = convert_to_tensor(x)
    if axis is not None:
        normalize_axes("argsort", axis, max(x.ndim, 1))
    return Tensor(np.argsort(x.data, axis=axis, kind="stable").astype(np.int32))


def sort(x: Any, axis: int | None = -1) -> Tensor:
    """The elements from the smallest to the largest.

    The gradient of each goes back to its place; equal elements count as in their first order.

    Parameters
    ----------
    x : array_like
        nan counts as the largest.
    axis : int or None
        Along which axis; None takes all elements in reading order.

    Examples
    --------
    >>> sort([3.0, 1.0, 2.0])
    tensor([1., 2., 3.])
    """
    x = convert_to_tensor(x)
    if axis is None:
        return sort(ravel(x))
    normalize_axes("sort", axis, x.ndim)
    return TakeAlongAxis(axis)(x, argsort(x, axis))


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest elements along the last axis, and their places; of equal ones the first.

    Parameters
    ----------
    x : array_like, shape (..., N)
        nan counts as the largest.
    k : int
        How many, at most N.
    sorted : bool
        Promises the largest first; here that is so in any case.

    Returns
    -------
    values : Tensor, shape (..., k)
    indices : Tensor of int32, shape (..., k)

    Raises
    ------
    ArgumentError
        When there are less than k.

    Examples
    --------
    >>> values, indices = top_k([1.0, 4.0, 2.0, 4.0], 3)
    >>> values, indices
    (tensor([4., 4., 2.]), tensor([1, 3, 2], dtype=int32))
    """
    x = convert_to_tensor(x)
    (k,) = whole_numbers("top_k", "k", k)
    length = x.shape[normalize_axes("top_k", -1, x.ndim)[0]]
    if not 0 <= k <= length:
        raise ArgumentError(
            "top_k", "k", got=k, expected=f"from 0 to {length}", hint=f"x is {x.shape}"
        )
    # Read from behind, a stable order from the smallest has the first of equal elements last.
    from_behind = np.argsort(x.data[..., ::-1], axis=-1, kind="stable")
    indices = (length - 1 - from_behind[..., ::-1][..., :k]).astype(np.int32)
    return TakeAlongAxis(-1)(x, indices), Tensor(indices)
