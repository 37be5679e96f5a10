"""Reductions: many elements become one, along some axes or all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from operator import index

import numpy as np

from tinydl import kernels
from tinydl.engine import Op, rule
from tinydl.errors import DTypeError, ShapeError
from tinydl.ops.elementwise import Floating

Axis = int | tuple[int, ...] | None


def normalize_axes(where: str, axis, ndim: int) -> tuple[int, ...]:
    """The axes meant by an int, a tuple or None (all), counted from the front and sorted.

    Raises
    ------
    ShapeError
        When there is no such axis, or one is named twice.
    DTypeError
        When an axis is not a whole number.

    Examples
    --------
    >>> normalize_axes("sum", (-1, 0), 3)
    (0, 2)
    """
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:  # by far the most frequent
        return (axis % ndim,)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    try:
        axes = tuple(map(index, axes))
    except TypeError:
        raise DTypeError(
            where, "axis", got=repr(axis), expected="whole numbers, or None for all axes"
        ) from None
    if not all(-ndim <= one < ndim for one in axes):
        raise ShapeError(
            where,
            "axis",
            got=axis,
            expected=f"between {-ndim} and {ndim - 1}" if ndim else "None",
            hint=f"the tensor has {ndim} axes" if ndim else "a single number has no axes",
        )
    counted = tuple(sorted([one % ndim for one in axes]))
    if len(set(counted)) < len(counted):
        raise ShapeError(where, "axis", got=axis, expected="each axis once")
    return counted


class Reduction(Op, abstract=True):
    """An op that makes one element of many.

    Parameters
    ----------
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep the reduced axes, with length 1.
    """

    input_names = ("x",)

    def __init__(self, axis: Axis = None, keepdims: bool = False) -> None:
        self.axis, self.keepdims = axis, keepdims

    def axes(self, x):
        """The axes to reduce, counted from the front; as in NumPy, a number may be told axis 0."""
        if x.ndim == 0 and self.axis in (0, -1):
            return ()
        return normalize_axes(self.name, self.axis, x.ndim)

    def check(self, x):
        self.axes(x)

    def count(self, x):
        """How many elements become one."""
        return math.prod(x.shape[axis] for axis in self.axes(x))

    def stretch(self, reduced, x):
        """Bring a reduced tensor back to the shape of `x`."""
        axes = self.axes(x)
        if not self.keepdims and 0 < len(axes) < x.ndim:
            reduced = reduced.reshape([1 if a in axes else n for a, n in enumerate(x.shape)])
        return reduced.broadcast_to(x.shape)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[tuple[Op, tuple[np.ndarray, ...]]]:
        """Every kind of axis."""
        for axis in (None, 0, -1, (0, 2), (-1, 1)):
            yield cls(axis=axis), (rng.normal(size=rng.integers(1, 5, 3)),)
        yield cls(axis=1, keepdims=True), (rng.normal(size=(3, 4)),)
        yield cls(keepdims=True), (rng.normal(size=(2, 3)),)
        yield cls(axis=0), (rng.normal(size=(3, 0)),)
        yield cls(axis=()), (rng.normal(size=(2, 2)),)
        yield cls(), (rng.normal(size=()),)


def total_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of a sum or a product: as in Keras, at least 32 bits for whole numbers.

    Examples
    --------
    >>> total_dtype(np.dtype("uint8")), total_dtype(np.dtype("float16"))
    (dtype('uint32'), dtype('float16'))
    """
    if dtype.kind in "iub" and dtype.itemsize < 4:
        return np.dtype(np.uint32 if dtype.kind == "u" else np.int32)
    return dtype


def total(x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> np.ndarray:
    """The sum of an array along some axes, counted from the front."""
    if x.dtype == np.float16:  # the rounding of each step would be felt
        return total(x.astype(np.float32), axes, keepdims).astype(np.float16)
    count = len(axes)
    if 0 < count < x.ndim and axes == tuple(range(count)) and x.dtype.kind == "f":
        rows = x.reshape(math.prod(x.shape[:count]), math.prod(x.shape[count:]))
        y = kernels.sum_rows(rows)  # as for the gradient of a bias
        return y.reshape((1,) * count * keepdims + x.shape[count:])
    return x.sum(axis=axes, keepdims=keepdims, dtype=total_dtype(x.dtype))


class Sum(Reduction):
    """Add up; nothing adds up to 0.

    Parameters
    ----------
    x : array_like
        Whole numbers have a whole sum, of at least 32 bits.
    axis : int, tuple of int, or None
        The axes to add up along; None means all.
    keepdims : bool
        Keep these axes, with length 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    tensor([4., 6.])
    """

    formula = r"y = \sum_i x_i"
    methods = ("sum",)
    linear_in = ("x",)

    def forward(self, x):
        return total(x, self.axes(x), self.keepdims)

    @rule(r"\bar x_i = \bar y")
    def x(self, y_bar, y, x):
        return self.stretch(y_bar, x)


class Mean(Floating, Reduction):
    """The average; of nothing it is nan.

    Parameters
    ----------
    x : array_like
        Whole numbers have a float32 mean.
    axis : int, tuple of int, or None
        The axes to average over; None means all.
    keepdims : bool
        Keep these axes, with length 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.mean([[1.0, 2.0], [3.0, 4.0]], axis=1)
    tensor([1.5, 3.5])
    """

    formula = r"y = \frac{1}{n} \sum_{i=1}^{n} x_i"
    methods = ("mean",)
    linear_in = ("x",)

    def forward(self, x):
        if x.dtype == np.float16:  # the sum may be too large for it
            return self.forward(x.astype(np.float32)).astype(np.float16)
        axes = self.axes(x)
        return total(x, axes, self.keepdims) / math.prod([x.shape[axis] for axis in axes])

    @rule(r"\bar x_i = \frac{\bar y}{n}")
    def x(self, y_bar, y, x):
        return MeanGradient(x.shape, self.axes(x))(y_bar)


class MeanGradient(Op):
    """Share each element of `g` evenly among the elements of a mean.

    Parameters
    ----------
    g : array_like
        Of the shape of the mean, with or without the axes of length 1.
    shape : tuple of int
        The shape of what the mean was taken of.
    axes : tuple of int
        Along which axes.
    """

    input_names = ("g",)
    linear_in = ("g",)
    formula = r"z_i = \frac{g}{n}"

    def __init__(self, shape, axes):
        self.shape, self.axes = shape, axes
        self._count = max(math.prod([shape[axis] for axis in axes]), 1)

    def forward(self, g):
        kept = [1 if axis in self.axes else n for axis, n in enumerate(self.shape)]
        z = np.empty(self.shape, g.dtype)
        z[...] = (g / self._count).reshape(kept)
        return z

    @rule(r"\bar g = \frac{1}{n} \sum_{i=1}^{n} \bar z_i")
    def g(self, z_bar, z, g):
        return (z_bar.sum(axis=self.axes) / self._count).reshape(g.shape)

    @classmethod
    def examples(cls, rng):
        """Means along all axes, some and none, and of nothing."""
        yield cls((2, 3), (0, 1)), (rng.normal(size=()),)
        yield cls((2, 3, 4), (0, 2)), (rng.normal(size=3),)
        yield cls((3, 4), (1,)), (rng.normal(size=(3, 1)),)
        yield cls((2, 2), ()), (rng.normal(size=(2, 2)),)
        yield cls((3, 0), (1,)), (rng.normal(size=3),)


class All(Reduction):
    """Whether every element is true, that is, not 0; of nothing it is true.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep these axes, with length 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.all([[True, False], [True, True]], axis=1)
    tensor([False,  True])
    """

    formula = r"y = \bigwedge_i x_i"
    methods = ("all",)

    def forward(self, x):
        return np.all(x, axis=self.axes(x), keepdims=self.keepdims)


class Any(Reduction):
    """Whether at least one element is true, that is, not 0; of nothing it is false.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep these axes, with length 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.any([[True, False], [False, False]], axis=1)
    tensor([ True, False])
    """

    formula = r"y = \bigvee_i x_i"
    methods = ("any",)

    def forward(self, x):
        return np.any(x, axis=self.axes(x), keepdims=self.keepdims)


class CountNonzero(Reduction):
    """How many elements are not 0, as an int32; no gradient flows.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to count along; None means all.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.count_nonzero([[1.0, 0.0], [2.0, 3.0]], axis=1).numpy()
    array([1, 2], dtype=int32)
    """

    formula = r"y = \sum_i [x_i \ne 0]"

    def __init__(self, axis=None):
        super().__init__(axis)

    def forward(self, x):
        return np.sum(x != 0, axis=self.axes(x), dtype=np.int32)

    @classmethod
    def examples(cls, rng):
        """Whole numbers, some of them 0."""
        for axis in (None, 0, (0, -1)):
            yield cls(axis), (rng.integers(-1, 2, (3, 4, 2)),)
