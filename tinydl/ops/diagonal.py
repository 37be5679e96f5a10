"""Diagonals: taken out of matrices, and put into them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import ShapeError
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.indexing import GetItem, PutItem
from tinydl.ops.shape import moveaxis


def _places(rows: int, columns: int, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the elements of a diagonal are."""
    first_row, first_column = max(-offset, 0), max(offset, 0)
    i = np.arange(max(min(rows - first_row, columns - first_column), 0))
    return i + first_row, i + first_column


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    r"""The elements on a diagonal.

    .. math:: y_i = x_{i, i + k}

    Parameters
    ----------
    x : array_like
    offset : int
        Which diagonal k: 0 is the main one, positive ones are above it.
    axis1, axis2 : int
        The rows and columns of the matrices; in the result the diagonal is the last axis.

    Raises
    ------
    ShapeError
        When there are less than two axes, or no such ones.

    Examples
    --------
    >>> diagonal([[1.0, 2.0], [3.0, 4.0]])
    tensor([1., 4.])
    """
    x = convert_to_tensor(x)
    if x.ndim < 2:
        raise ShapeError("diagonal", "x", got=x.shape, expected="at least two axes")
    matrices = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = matrices.shape[-2:]
    return GetItem((Ellipsis, *_places(rows, columns, offset)))(matrices)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    r"""The sum along a diagonal.

    .. math:: y = \sum_i x_{i, i + k}

    Parameters
    ----------
    x : array_like
    offset : int
        Which diagonal k: 0 is the main one, positive ones are above it.
    axis1, axis2 : int
        The rows and columns of the matrices.

    Examples
    --------
    >>> trace([[1.0, 2.0], [3.0, 4.0]])
    tensor(5.)
    """
    return diagonal(x, offset, axis1, axis2).sum(axis=-1)


def diag(x: Any, k: int = 0) -> Tensor:
    """A matrix with this diagonal and zeros elsewhere; of a matrix, its diagonal.

    Parameters
    ----------
    x : array_like, shape (N,) or (M, N)
    k : int
        Which diagonal: 0 is the main one, positive ones are above it.

    Raises
    ------
    ShapeError
        When `x` has another number of axes.

    Examples
    --------
    >>> diag([1.0, 2.0])
    tensor([[1., 0.],
            [0., 2.]])
    >>> diag([[1.0, 2.0], [3.0, 4.0]])
    tensor([1., 4.])
    """
    x = convert_to_tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError("diag", "x", got=x.shape, expected="one axis, or a matrix")
    n = x.size + abs(k)
    return PutItem(_places(n, n, k), (n, n))(x)
