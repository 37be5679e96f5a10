"""Tensors from nothing but a shape: zeros, ones, sequences, identities."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.engine import DEFAULT_DTYPE, Tensor
from tinydl.errors import ArgumentError, DTypeError, ShapeError, unknown_name
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.shape import BroadcastTo, whole_numbers


def _shape(where: str, shape: Any) -> tuple[int, ...]:
    lengths = whole_numbers(where, "shape", shape)
    if min(lengths, default=0) < 0:
        raise ShapeError(where, "shape", got=shape, expected="lengths from 0")
    return lengths


def _dtype(where: str, dtype: Any, default: Any = DEFAULT_DTYPE) -> np.dtype:
    try:
        found = np.dtype(default if dtype is None else dtype)
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "fiub":
        raise DTypeError(where, "dtype", got=repr(dtype), expected="real numbers or booleans")
    return found


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros, float32 by default.

    Examples
    --------
    >>> zeros((2, 2))
    tensor([[0., 0.],
            [0., 0.]])
    """
    return Tensor(np.zeros(_shape("zeros", shape), _dtype("zeros", dtype)))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones, float32 by default.

    Examples
    --------
    >>> ones(3, dtype="int64")
    tensor([1, 1, 1])
    """
    return Tensor(np.ones(_shape("ones", shape), _dtype("ones", dtype)))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor with one value everywhere, float32 by default.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : array_like
        A number, or numbers that broadcast to the shape; gradients flow to it.
    dtype : dtype, optional

    Examples
    --------
    >>> full((2,), 0.5)
    tensor([0.5, 0.5])
    """
    value = convert_to_tensor(fill_value, _dtype("full", dtype))
    return BroadcastTo(_shape("full", shape))(value)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros of the shape and the dtype of another tensor.

    Examples
    --------
    >>> zeros_like([1.0, 2.0])
    tensor([0., 0.])
    """
    x = convert_to_tensor(x)
    return Tensor(np.zeros(x.shape, _dtype("zeros_like", dtype, x.dtype)))


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones of the shape and the dtype of another tensor.

    Examples
    --------
    >>> ones_like([1.0, 2.0], dtype="int64")
    tensor([1, 1])
    """
    x = convert_to_tensor(x)
    return Tensor(np.ones(x.shape, _dtype("ones_like", dtype, x.dtype)))


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value everywhere, in the shape and the dtype of another tensor.

    Examples
    --------
    >>> full_like([1.0, 2.0], 7)
    tensor([7., 7.])
    """
    x = convert_to_tensor(x)
    return full(x.shape, fill_value, x.dtype if dtype is None else dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Numbers at equal distances, without the last one.

    Parameters
    ----------
    start, stop : float
        The first number, and where to end before; a single one is `stop`, and `start` then 0.
    step : float, optional
        The distance, 1 by default.
    dtype : dtype, optional
        By default int64 for whole numbers, as in NumPy (Keras has int32), and float32 for Python's
        other numbers.

    Examples
    --------
    >>> arange(3)
    tensor([0, 1, 2])
    >>> arange(1.0, 0.0, -0.25)
    tensor([1.  , 0.75, 0.5 , 0.25])
    """
    first, last = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    if step == 0:
        raise ArgumentError("arange", "step", got=step, expected="a number that is not 0")
    numbers = (first, last, step)
    given = [convert_to_tensor(number).dtype for number in numbers]
    floats = [one for one in given if one.kind == "f"]
    dtype = _dtype("arange", dtype, np.result_type(*(floats or given)))
    # Counted in float64, because float32 would drift; whole numbers stay whole.
    exact = [convert_to_tensor(n, "float64" if floats else None).item() for n in numbers]
    return Tensor(np.arange(*exact).astype(dtype))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers at equal distances, so many of them.

    Parameters
    ----------
    start, stop : array_like
        The first and the last number; no gradient flows to them.
    num : int
        How many.
    endpoint : bool
        Whether `stop` is one of them.
    retstep : bool
        Also return the distance.
    dtype : dtype, optional
        By default that of the first and last number, float32 for Python's.
    axis : int
        The axis along which the numbers go, if `start` and `stop` are several.

    Returns
    -------
    Tensor, or Tensor and Tensor

    Examples
    --------
    >>> linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    (num,) = whole_numbers("linspace", "num", num)
    if num < 0:
        raise ArgumentError("linspace", "num", got=num, expected="a number from 0")
    given = [convert_to_tensor(end).dtype for end in (start, stop)]
    floats = [one for one in given if one.kind == "f"] or [DEFAULT_DTYPE]
    dtype = _dtype("linspace", dtype, np.result_type(*floats))
    first, last = (convert_to_tensor(end, "float64").data for end in (start, stop))
    numbers, step = np.linspace(first, last, num, endpoint, retstep=True, axis=axis)
    numbers = np.floor(numbers) if dtype.kind in "iu" else numbers
    y = Tensor(numbers.astype(dtype))
    return (y, Tensor(np.asarray(step, np.result_type(*floats)))) if retstep else y


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on a diagonal, zeros elsewhere.

    Parameters
    ----------
    N, M : int
        The numbers of rows and columns; as many columns as rows by default.
    k : int
        The diagonal: 0 is the main one, positive ones are above it.
    dtype : dtype, optional
        float32 by default.

    Examples
    --------
    >>> eye(2, 3, k=1)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    rows, columns = _shape("eye", (N, N if M is None else M))
    return Tensor(np.eye(rows, columns, k=k, dtype=_dtype("eye", dtype)))


def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix.

    Examples
    --------
    >>> identity(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on and below a diagonal, zeros above it.

    Examples
    --------
    >>> tri(2, 3)
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    rows, columns = _shape("tri", (N, N if M is None else M))
    return Tensor(np.tri(rows, columns, k=k, dtype=_dtype("tri", dtype)))


def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of every point of a grid, one tensor for each axis.

    Parameters
    ----------
    *x : array_like
        The coordinates along each axis.
    indexing : {"xy", "ij"}
        Whether the first coordinate goes along the second axis, as in a picture, or the first.

    Examples
    --------
    >>> across, down = meshgrid([1.0, 2.0], [5.0, 6.0])
    >>> across
    tensor([[1., 2.],
            [1., 2.]])
    """
    if indexing not in ("xy", "ij"):
        raise unknown_name("meshgrid", "indexing", indexing, ("xy", "ij"))
    axes = list(range(len(x)))
    if indexing == "xy" and len(x) > 1:
        axes[:2] = 1, 0
    lines = [convert_to_tensor(one).reshape(-1) for one in x]
    lengths = [0] * len(lines)
    for axis, line in zip(axes, lines, strict=True):
        lengths[axis] = line.size
    return [
        BroadcastTo(lengths)(line.reshape([-1 if a == axis else 1 for a in range(len(lines))]))
        for axis, line in zip(axes, lines, strict=True)
    ]
