r"""Running sums and products, and the product of all.

The derivative of a product with respect to one factor is the product of the others. To divide the
whole product by the factor would fail where that is 0, so the others are multiplied: those before
it and those after it, which are running products from either side.
"""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op, Tensor, rule
from tinydl.ops.joining import Concatenate
from tinydl.ops.reduce import Reduction, normalize_axes, total_dtype


class Running(Op, abstract=True):
    """An op whose element i is made of the elements up to i."""

    input_names = ("x",)

    def __init__(self, axis=None, dtype=None):
        self.axis = axis
        self.dtype = None if dtype is None else np.dtype(dtype)

    def check(self, x):
        if x.ndim or self.axis not in (0, -1):
            normalize_axes(self.name, self.axis, x.ndim)

    def place(self, x):
        """The axis, counted from the front, of a tensor that may have been made flat."""
        return 0 if self.axis is None or x.ndim == 0 else self.axis % x.ndim

    def line_up(self, x):
        """The tensor with an axis to run along: flat if none was named."""
        return x.reshape((-1,)) if self.axis is None or x.ndim == 0 else x

    def result_dtype(self, x):
        """The dtype asked for, or that of `x`; booleans are counted."""
        return self.dtype or (np.dtype(np.int32) if x.dtype.kind == "b" else x.dtype)

    @classmethod
    def examples(cls, rng):
        """Flat and along axes, with zeros and with nothing."""
        yield cls(), (rng.normal(size=(2, 3)),)
        for axis, shape in ((0, (4, 2)), (-1, (2, 5)), (1, (2, 1, 3)), (0, (3, 0)), (0, (0,))):
            yield cls(axis), (rng.normal(size=shape),)
        yield cls(-1), (rng.normal(size=(2, 5)) * [1, 0, 1, 0, 1],)
        yield cls(0), (rng.normal(size=()),)


class Cumsum(Running):
    """The sum of all elements up to each.

    Parameters
    ----------
    x : array_like
    axis : int or None
        The axis to run along; None means all elements in reading order, as one row.
    dtype : dtype, optional
        The dtype of the sums; that of `x` by default.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.cumsum([1.0, 2.0, 3.0])
    tensor([1., 3., 6.])
    """

    formula = r"y_i = \sum_{j \le i} x_j"
    methods = ("cumsum",)
    linear_in = ("x",)

    def forward(self, x):
        return np.cumsum(x, axis=self.axis, dtype=self.result_dtype(x))

    @rule(r"\bar x_j = \sum_{i \ge j} \bar y_i")
    def x(self, y_bar, y, x):
        axis = self.place(x)
        return _reverse(Cumsum(axis)(_reverse(y_bar, axis)), axis).reshape(x.shape)


class Cumprod(Running):
    """The product of all elements up to each.

    Parameters
    ----------
    x : array_like
    axis : int or None
        The axis to run along; None means all elements in reading order, as one row.
    dtype : dtype, optional
        The dtype of the products; that of `x` by default.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.cumprod([1.0, 2.0, 3.0])
    tensor([1., 2., 6.])
    """

    formula = r"y_i = \prod_{j \le i} x_j"
    methods = ("cumprod",)

    def forward(self, x):
        return np.cumprod(x, axis=self.axis, dtype=self.result_dtype(x))

    @rule(
        r"\bar x_j = \Big( \prod_{k < j} x_k \Big) s_j, \quad"
        r" s_j = \sum_{i \ge j} \bar y_i \prod_{j < k \le i} x_k = \bar y_j + x_{j+1} s_{j+1}"
    )
    def x(self, y_bar, y, x):
        axis, factors = self.place(x), self.line_up(x)
        steps = _shift(factors, 1, axis)
        before = _shifted_back(y, axis)
        return (before * _recur(y_bar, steps, axis)).reshape(x.shape)


def _slice(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)


def _reverse(x: Tensor, axis: int) -> Tensor:
    return x[_slice(axis, slice(None, None, -1))]


def _filled(x: Tensor, axis: int, length: int, value: float) -> Tensor:
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    return Tensor(np.full(shape, value, x.dtype))


def _shift(x: Tensor, count: int, axis: int) -> Tensor:
    """Element i + count at the place i; zeros at the end."""
    count = min(count, x.shape[axis])
    return Concatenate(axis)(x[_slice(axis, slice(count, None))], _filled(x, axis, count, 0))


def _shifted_back(x: Tensor, axis: int) -> Tensor:
    """Element i - 1 at the place i; a one at the beginning."""
    n = x.shape[axis]
    return Concatenate(axis)(_filled(x, axis, 1, 1), x)[_slice(axis, slice(0, n))]


def _recur(s: Tensor, steps: Tensor, axis: int) -> Tensor:
    """Solve ``s[i] += steps[i] * s[i + 1]`` from the end, in log2(n) steps of doubled length."""
    length = 1
    while length < s.shape[axis]:
        s = s + steps * _shift(s, length, axis)
        steps = steps * _shift(steps, length, axis)
        length *= 2
    return s


class Prod(Reduction):
    """Multiply; of nothing the product is 1. The gradient is right where factors are 0.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to multiply along; None means all.
    keepdims : bool
        Keep these axes, with length 1.
    dtype : dtype, optional
        The dtype of the product; by default that of `x`, at least 32 bits for whole numbers.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.prod([[1.0, 2.0], [3.0, 4.0]], axis=0)
    tensor([3., 8.])
    """

    formula = r"y = \prod_i x_i"
    methods = ("prod",)

    def __init__(self, axis=None, keepdims=False, dtype=None):
        super().__init__(axis, keepdims)
        self.dtype = None if dtype is None else np.dtype(dtype)

    def forward(self, x):
        dtype = self.dtype or total_dtype(x.dtype)
        return np.prod(x, axis=self.axes(x), keepdims=self.keepdims, dtype=dtype)

    @rule(r"\bar x_i = \bar y \prod_{j < i} x_j \prod_{j > i} x_j")
    def x(self, y_bar, y, x):
        axes = self.axes(x)
        order = (*(axis for axis in range(x.ndim) if axis not in axes), *axes)
        lined_up = x.transpose(order)
        rows = lined_up.reshape((*lined_up.shape[: x.ndim - len(axes)], self.count(x)))
        others = _product_of_others(rows).reshape(lined_up.shape)
        return self.stretch(y_bar, x) * others.transpose(np.argsort(order).tolist())

    @classmethod
    def examples(cls, rng):
        """One factor that is 0, several, and none at all."""
        yield from super().examples(rng)
        for zeros in ([1, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 1]):
            yield cls(axis=-1), (rng.normal(size=(2, 4)) * zeros,)
        yield cls(axis=1), (rng.normal(size=(2, 0)),)


def _product_of_others(rows: Tensor) -> Tensor:
    """For each element of a row, the product of the others in the row."""
    axis = rows.ndim - 1
    before = _shifted_back(Cumprod(axis)(rows), axis)
    after = _reverse(_shifted_back(Cumprod(axis)(_reverse(rows, axis)), axis), axis)
    return before * after
