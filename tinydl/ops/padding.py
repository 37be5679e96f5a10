"""More elements around, and fewer on one side of the diagonal: pad, tril, triu."""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op, rule
from tinydl.errors import ArgumentError, DTypeError, ShapeError, unknown_name
from tinydl.ops.indexing import PutItem
from tinydl.ops.shape import whole_numbers

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


class Pad(Op):
    """More elements before and after, along each axis.

    Parameters
    ----------
    x : array_like
    pad_width : int, (int,), (int, int), or a pair of ints for each axis
        How many elements before and after; one number or one pair counts for all axes.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}
        What to put there: a constant, the outermost element, or the elements themselves: mirrored
        at the outermost one, mirrored behind it, or from the other side.
    constant_values : float, optional
        The constant, 0 by default; also a pair, or a pair for each axis.

    Raises
    ------
    ArgumentError
        When the mode is unknown, a width is negative, or a constant has another mode.
    ShapeError
        When the widths do not fit the axes, or an empty axis has nothing to repeat.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.pad([1.0, 2.0], 1)
    tensor([0., 1., 2., 0.])
    >>> ops.pad([1.0, 2.0, 3.0], ((2, 1),), mode="reflect")
    tensor([3., 2., 1., 2., 3., 2.])
    """

    input_names = ("x",)
    formula = r"y_k = x_{i(k)}, \quad \text{a constant where there is no } i(k)"
    linear_in: tuple[str, ...] = ("x",)

    def __init__(self, pad_width, mode="constant", constant_values=None):
        if mode not in MODES:
            raise unknown_name("pad", "mode", mode, MODES)
        if constant_values is not None:
            if mode != "constant":
                raise ArgumentError(
                    "pad",
                    "constant_values",
                    got=constant_values,
                    expected=f"nothing with mode={mode!r}",
                )
            constant_values = np.array(constant_values)
            self.linear_in = ()  # a sum of a constant and something linear
        self.pad_width, self.mode, self.constant_values = pad_width, mode, constant_values

    def check(self, x):
        width = self.width(x)
        if self.mode != "constant" and np.any(width[np.equal(x.shape, 0)]):
            raise ShapeError(
                "pad", "x", got=x.shape, expected=f"elements to repeat, as mode is {self.mode!r}"
            )

    def width(self, x):
        """How many before and after, one row for each axis."""
        width = np.asarray(self.pad_width)
        if width.dtype.kind not in "iu" and width.size:
            raise DTypeError("pad", "pad_width", got=self.pad_width, expected="whole numbers")
        if np.any(width < 0):
            raise ArgumentError("pad", "pad_width", got=self.pad_width, expected="numbers from 0")
        try:
            return np.broadcast_to(width, (x.ndim, 2)).astype(int)
        except ValueError:
            raise ShapeError(
                "pad",
                "pad_width",
                got=self.pad_width,
                expected=f"a number, a pair, or a pair for each of the {x.ndim} axes of x",
            ) from None

    def forward(self, x):
        if x.ndim == 0:
            return x
        if self.constant_values is None:
            return np.pad(x, self.width(x), self.mode)
        return np.pad(x, self.width(x), self.mode, constant_values=self.constant_values)

    @rule(r"\bar x_i = \sum_{k : i(k) = i} \bar y_k")
    def x(self, y_bar, y, x):
        width = self.width(x)
        if self.mode == "constant":
            inside = zip(width[:, 0], x.shape, strict=True)
            return y_bar[tuple(slice(start, start + n) for start, n in inside)]
        places = (
            np.pad(np.arange(n), pair, self.mode) for n, pair in zip(x.shape, width, strict=True)
        )
        return PutItem(np.ix_(*places), x.shape)(y_bar)

    @classmethod
    def examples(cls, rng):
        """Every mode, also further than there are elements, and every form of the width."""
        for mode in MODES:
            yield cls(((1, 2), (0, 1)), mode), (rng.normal(size=(2, 3)),)
            yield cls((2, 5), mode), (rng.normal(size=2),)
            yield cls(1, mode), (rng.normal(size=1),)
        yield cls((1,), constant_values=2.5), (rng.normal(size=(2, 3)),)
        yield cls(((0, 0), (2, 1))), (rng.normal(size=(2, 0)),)
        yield cls(0), (rng.normal(size=()),)


class Triangle(Op, abstract=True):
    """Zeros on one side of a diagonal of each matrix.

    Parameters
    ----------
    x : array_like, shape (..., M, N)
    k : int
        The diagonal: 0 is the main one, positive ones are above it.

    Raises
    ------
    ShapeError
        When there are less than two axes.
    """

    input_names = ("x",)
    linear_in: tuple[str, ...] = ("x",)

    def __init__(self, k=0):
        (self.k,) = whole_numbers(self.name, "k", k)

    def check(self, x):
        if x.ndim < 2:
            raise ShapeError(self.name, "x", got=x.shape, expected="at least two axes")

    @classmethod
    def examples(cls, rng):
        """Diagonals inside and outside, and many matrices."""
        for k in (0, 1, -1, 5, -5):
            yield cls(k), (rng.normal(size=(3, 4)),)
        yield cls(), (rng.normal(size=(2, 4, 3)),)
        yield cls(-1), (rng.normal(size=(0, 2)),)


class Tril(Triangle):
    """The lower triangle of each matrix, with zeros above its diagonal.

    Parameters
    ----------
    x : array_like, shape (..., M, N)
    k : int
        The last diagonal to keep: 0 is the main one, positive ones are above it.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.tril([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 0.],
            [3., 4.]])
    """

    formula = r"y_{ij} = [j \le i + k] \, x_{ij}"

    def forward(self, x):
        return np.tril(x, self.k)

    @rule(r"\bar x_{ij} = [j \le i + k] \, \bar y_{ij}")
    def x(self, y_bar, y, x):
        return Tril(self.k)(y_bar)


class Triu(Triangle):
    """The upper triangle of each matrix, with zeros below its diagonal.

    Parameters
    ----------
    x : array_like, shape (..., M, N)
    k : int
        The first diagonal to keep: 0 is the main one, positive ones are above it.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.triu([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [0., 4.]])
    """

    formula = r"y_{ij} = [j \ge i + k] \, x_{ij}"

    def forward(self, x):
        return np.triu(x, self.k)

    @rule(r"\bar x_{ij} = [j \ge i + k] \, \bar y_{ij}")
    def x(self, y_bar, y, x):
        return Triu(self.k)(y_bar)
