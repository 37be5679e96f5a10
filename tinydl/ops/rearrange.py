"""Elements in another order or several times: flip, roll, tile, repeat."""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op, rule
from tinydl.errors import ArgumentError, ShapeError
from tinydl.ops.indexing import PutItem
from tinydl.ops.reduce import normalize_axes
from tinydl.ops.shape import whole_numbers


class Flip(Op):
    """The elements in reverse order along axes.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reverse; None means all.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.flip([[1.0, 2.0], [3.0, 4.0]], axis=1)
    tensor([[2., 1.],
            [4., 3.]])
    """

    input_names = ("x",)
    formula = r"y_i = x_{n + 1 - i}"
    linear_in = ("x",)

    def __init__(self, axis=None):
        self.axis = axis

    def forward(self, x):
        return np.flip(x, normalize_axes("flip", self.axis, x.ndim))

    @rule(r"\bar x_i = \bar y_{n + 1 - i}")
    def x(self, y_bar, y, x):
        return Flip(self.axis)(y_bar)

    @classmethod
    def examples(cls, rng):
        """Each kind of axis, and nothing to reverse."""
        for axis in (None, 0, -1, (0, -1), ()):
            yield cls(axis), (rng.normal(size=(2, 1, 3)),)
        yield cls(), (rng.normal(size=()),)
        yield cls(1), (rng.normal(size=(3, 0)),)


class Roll(Op):
    """The elements moved along axes; what leaves at the end comes in at the beginning.

    Parameters
    ----------
    x : array_like
    shift : int or tuple of int
        By how many places, one number for all axes or one for each.
    axis : int, tuple of int, or None
        Along which axes; None moves in reading order.

    Raises
    ------
    ShapeError
        When there is no such axis, or `shift` and `axis` differ in number.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.roll([1.0, 2.0, 3.0, 4.0], 1)
    tensor([4., 1., 2., 3.])
    """

    input_names = ("x",)
    formula = r"y_{(i + s) \bmod n} = x_i, \quad i = 0, \dots, n - 1"
    linear_in = ("x",)

    def __init__(self, shift, axis=None):
        self.shift, self.axis = shift, axis

    def check(self, x):
        shifts = whole_numbers("roll", "shift", self.shift)
        axes = () if self.axis is None else whole_numbers("roll", "axis", self.axis)
        for axis in axes:
            normalize_axes("roll", axis, x.ndim)
        if np.ndim(self.shift) and np.ndim(self.axis or 0) and len(shifts) != len(axes):
            raise ShapeError(
                "roll", "shift", got=self.shift, expected=f"one for each axis of {self.axis}"
            )

    def forward(self, x):
        return np.roll(x, self.shift, self.axis)

    @rule(r"\bar x_i = \bar y_{(i + s) \bmod n}")
    def x(self, y_bar, y, x):
        shifts = whole_numbers("roll", "shift", self.shift)
        back = tuple(-shift for shift in shifts)
        return Roll(back if np.ndim(self.shift) else back[0], self.axis)(y_bar)

    @classmethod
    def examples(cls, rng):
        """Along one axis, two, all; forwards, backwards, and further than there are places."""
        x = rng.normal(size=(2, 4, 3))
        yield cls(2), (x,)
        yield cls(-7, axis=1), (x,)
        yield cls((1, -1), axis=(0, -1)), (x,)
        yield cls(2, axis=(1, 2)), (x,)
        yield cls((1, 2), axis=1), (x,)
        yield cls(1), (rng.normal(size=()),)
        yield cls(1, axis=0), (rng.normal(size=(0, 2)),)


class Tile(Op):
    """Copies of the whole tensor beside each other.

    Parameters
    ----------
    x : array_like
    repeats : int or sequence of int
        How many copies along each axis; missing ones, at the front, are 1, and further ones make
        new axes at the front.

    Raises
    ------
    ArgumentError
        When a number is negative.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.tile([1.0, 2.0], 2)
    tensor([1., 2., 1., 2.])
    """

    input_names = ("x",)
    formula = r"y_{r n + i} = x_i"
    linear_in = ("x",)

    def __init__(self, repeats):
        self.repeats = whole_numbers("tile", "repeats", repeats)
        if min(self.repeats, default=0) < 0:
            raise ArgumentError("tile", "repeats", got=repeats, expected="numbers from 0")

    def forward(self, x):
        return np.tile(x, self.repeats)

    @rule(r"\bar x_i = \sum_r \bar y_{r n + i}")
    def x(self, y_bar, y, x):
        ndim = y_bar.ndim
        repeats = (1,) * (ndim - len(self.repeats)) + self.repeats
        lengths = (1,) * (ndim - x.ndim) + x.shape
        copies = [n for pair in zip(repeats, lengths, strict=True) for n in pair]
        return y_bar.reshape(copies).sum(axis=tuple(range(0, 2 * ndim, 2))).reshape(x.shape)

    @classmethod
    def examples(cls, rng):
        """Fewer numbers than axes, as many, more, and none at all."""
        for repeats in (2, (2, 3), (2, 1, 2), (), (0, 1)):
            yield cls(repeats), (rng.normal(size=(2, 3)),)
        yield cls((2, 2)), (rng.normal(size=()),)
        yield cls(3), (rng.normal(size=(2, 0)),)


class Repeat(Op):
    """Each element several times in a row.

    Parameters
    ----------
    x : array_like
    repeats : int or sequence of int
        How many times, one number for all or one for each place along the axis.
    axis : int or None
        The axis to lengthen; None takes all elements in reading order.

    Raises
    ------
    ShapeError
        When there are not as many numbers as places.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.repeat([1.0, 2.0, 3.0], [2, 0, 1])
    tensor([1., 1., 3.])
    """

    input_names = ("x",)
    formula = r"y_k = x_{i(k)}, \quad i = 1, \dots, 1, 2, \dots, 2, \dots"
    linear_in = ("x",)
    methods = ("repeat",)

    def __init__(self, repeats, axis=None):
        self.repeats, self.axis = whole_numbers("repeat", "repeats", repeats), axis
        if min(self.repeats, default=0) < 0:
            raise ArgumentError("repeat", "repeats", got=repeats, expected="numbers from 0")

    def length(self, x):
        """How many places there are along the axis."""
        return x.size if self.axis is None else x.shape[self.counted_axis(x)]

    def counted_axis(self, x):
        """The axis, counted from the front."""
        return normalize_axes("repeat", self.axis, x.ndim)[0]

    def check(self, x):
        if len(self.repeats) not in (1, self.length(x)):
            raise ShapeError(
                "repeat",
                "repeats",
                got=f"of length {len(self.repeats)}",
                expected=f"a single number or {self.length(x)} of them",
                hint=f"x is {x.shape}, axis is {self.axis}",
            )

    def forward(self, x):
        return np.repeat(x, self.repeats, self.axis)

    @rule(r"\bar x_i = \sum_{k : i(k) = i} \bar y_k")
    def x(self, y_bar, y, x):
        places = np.repeat(np.arange(self.length(x)), self.repeats)
        if self.axis is None:
            return PutItem(places, (x.size,))(y_bar).reshape(x.shape)
        return PutItem((slice(None),) * self.counted_axis(x) + (places,), x.shape)(y_bar)

    @classmethod
    def examples(cls, rng):
        """The same for all and not, along an axis and all, and none at all."""
        x = rng.normal(size=(2, 3))
        yield cls(2), (x,)
        yield cls(3, axis=0), (x,)
        yield cls([2, 0, 1], axis=-1), (x,)
        yield cls(rng.integers(0, 3, 6)), (x,)
        yield cls(0, axis=1), (x,)
        yield cls(2), (rng.normal(size=()),)
