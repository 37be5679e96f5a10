"""Products of tensors that are one matrix product in disguise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import ArgumentError, ShapeError
from tinydl.ops.arithmetic import Multiply
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.matmul import Matmul
from tinydl.ops.reduce import normalize_axes
from tinydl.ops.shape import Transpose, ravel, whole_numbers


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Tensor:
    r"""Sum products over some axes of each.

    .. math:: y_{ij} = \sum_k a_{ik} b_{kj}

    where i, j and k stand for several axes each.

    Parameters
    ----------
    x1, x2 : array_like
    axes : int or (axes of x1, axes of x2)
        Over which axes to sum: so many last ones of `x1` and first ones of `x2`, or those named,
        each an int or a sequence of int, which meet in that order.

    Returns
    -------
    Tensor
        The other axes of `x1`, then the other axes of `x2`.

    Raises
    ------
    ShapeError
        When axes that meet have different lengths.

    Examples
    --------
    >>> tensordot([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0], axes=1)
    tensor([21., 43.])
    >>> tensordot([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0], axes=(0, 0))
    tensor([31., 42.])
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    summed1, summed2 = _summed_axes(axes, x1.ndim, x2.ndim)
    lengths1 = [x1.shape[axis] for axis in summed1]
    lengths2 = [x2.shape[axis] for axis in summed2]
    if lengths1 != lengths2:
        raise ShapeError(
            "tensordot",
            "x2",
            got=f"{x2.shape}, of lengths {lengths2} along its axes {summed2}",
            expected=f"lengths {lengths1}",
            hint=f"x1 is {x1.shape}, and its axes {summed1} meet these",
        )
    kept1 = [axis for axis in range(x1.ndim) if axis not in summed1]
    kept2 = [axis for axis in range(x2.ndim) if axis not in summed2]
    shape1, shape2 = ([x.shape[a] for a in kept] for x, kept in ((x1, kept1), (x2, kept2)))
    k = math.prod(lengths1)
    left = Transpose([*kept1, *summed1])(x1).reshape((math.prod(shape1), k))
    right = Transpose([*summed2, *kept2])(x2).reshape((k, math.prod(shape2)))
    return Matmul()(left, right).reshape((*shape1, *shape2))


def _summed_axes(axes: Any, ndim1: int, ndim2: int) -> tuple[list[int], list[int]]:
    if np.ndim(axes) == 0:
        (count,) = whole_numbers("tensordot", "axes", axes)
        if not 0 <= count <= min(ndim1, ndim2):
            raise ArgumentError(
                "tensordot",
                "axes",
                got=axes,
                expected=f"from 0 to {min(ndim1, ndim2)}, the axes that both have",
            )
        return list(range(ndim1 - count, ndim1)), list(range(count))
    if len(axes) != 2:
        raise ArgumentError("tensordot", "axes", got=axes, expected="a number, or axes of each")
    named1, named2 = (whole_numbers("tensordot", "axes", named) for named in axes)
    normalize_axes("tensordot", named1, ndim1)
    normalize_axes("tensordot", named2, ndim2)
    return [axis % ndim1 for axis in named1], [axis % ndim2 for axis in named2]


def dot(x1: Any, x2: Any) -> Tensor:
    r"""Sum products over the last axis of the first, and the last but one of the second.

    .. math:: y_{ij} = \sum_k a_{ik} b_{kj}

    The only axis of a vector counts as either; a single number multiplies everything.

    Raises
    ------
    ShapeError
        When these lengths differ.

    Examples
    --------
    >>> dot([1.0, 2.0], [3.0, 4.0])
    tensor(11.)
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return Multiply()(x1, x2)
    return tensordot(x1, x2, axes=(-1, 0 if x2.ndim == 1 else -2))


def inner(x1: Any, x2: Any) -> Tensor:
    r"""Sum products over the last axis of both.

    .. math:: y_{ij} = \sum_k a_{ik} b_{jk}

    Raises
    ------
    ShapeError
        When their last lengths differ.

    Examples
    --------
    >>> inner([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    tensor([21., 43.])
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return Multiply()(x1, x2)
    return tensordot(x1, x2, axes=(-1, -1))


def vdot(x1: Any, x2: Any) -> Tensor:
    r"""Sum the products of all elements, in reading order.

    .. math:: y = \sum_k a_k b_k

    Raises
    ------
    ShapeError
        When the numbers of elements differ.

    Examples
    --------
    >>> vdot([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]])
    tensor(5.)
    """
    return tensordot(ravel(x1), ravel(x2), axes=1)


def outer(x1: Any, x2: Any) -> Tensor:
    r"""The product of each element of the first with each of the second, in reading order.

    .. math:: y_{ij} = a_i b_j

    Examples
    --------
    >>> outer([1.0, 2.0], [10.0, 20.0])
    tensor([[10., 20.],
            [20., 40.]])
    """
    return Multiply()(ravel(x1).reshape((-1, 1)), ravel(x2))
