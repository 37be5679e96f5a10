"""Other shapes and other orders of the axes: the gradients go back to the former ones."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinydl.engine import Op, Tensor, rule, sum_to
from tinydl.errors import DTypeError, ShapeError
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.reduce import normalize_axes


def whole_numbers(where: str, argument: str, given: Any) -> tuple[int, ...]:
    """One whole number or several, as a tuple of Python's.

    Examples
    --------
    >>> whole_numbers("reshape", "newshape", np.array([2, 3]))
    (2, 3)
    >>> whole_numbers("tile", "repeats", 2)
    (2,)
    """
    if type(given) is tuple and all(type(n) is int for n in given):  # by far the most frequent
        return given
    several = isinstance(given, (tuple, list)) or np.ndim(given) > 0
    try:
        return tuple(map(operator.index, given if several else (given,)))
    except TypeError:
        raise DTypeError(where, argument, got=given, expected="whole numbers") from None


class Reshape(Op):
    """The same elements in the same order under another shape.

    Parameters
    ----------
    x : array_like
    newshape : int or tuple of int
        One length may be -1: as many as there are elements left.

    Raises
    ------
    ShapeError
        When the new shape has another number of elements, or a length below -1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.reshape([1.0, 2.0, 3.0, 4.0], (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """

    input_names = ("x",)
    formula = r"y_{j} = x_{i}, \quad i \text{ and } j \text{ at the same place in reading order}"
    linear_in = ("x",)

    def __init__(self, newshape):
        self.newshape = whole_numbers("reshape", "newshape", newshape)
        if min(self.newshape, default=0) < -1:  # NumPy would read each of them as -1
            raise ShapeError("reshape", "newshape", got=self.newshape, expected="lengths, or -1")

    def forward(self, x):
        try:
            return x.reshape(self.newshape)
        except ValueError:
            raise ShapeError(
                "reshape",
                "newshape",
                got=self.newshape,
                expected=f"a shape of {x.size} elements",
                hint=f"x is {x.shape}",
            ) from None

    @rule(r"\bar x_{i} = \bar y_{j}")
    def x(self, y_bar, y, x):
        return y_bar.reshape(x.shape)

    @classmethod
    def examples(cls, rng):
        """With and without a length left open."""
        yield cls((2, 6)), (rng.normal(size=(3, 4)),)
        yield cls((4, -1)), (rng.normal(size=(2, 2, 3)),)
        yield cls(-1), (rng.normal(size=(2, 1, 3)),)
        yield cls((1, 1)), (rng.normal(size=()),)
        yield cls((0, 7)), (rng.normal(size=(3, 0)),)


class Transpose(Op):
    """Another order of the axes.

    Parameters
    ----------
    x : array_like
    axes : sequence of int, optional
        Which axis of `x` comes first, second, ...; the reverse order by default.

    Raises
    ------
    ShapeError
        When an axis is missing or named twice.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.transpose([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 3.],
            [2., 4.]])
    """

    input_names = ("x",)
    formula = r"y_{ji} = x_{ij}"
    linear_in = ("x",)

    def __init__(self, axes=None):
        self.axes = None if axes is None else whole_numbers("transpose", "axes", axes)

    def check(self, x):
        if self.axes is None:
            return
        if (
            len(self.axes) != x.ndim
            or len(normalize_axes("transpose", self.axes, x.ndim)) != x.ndim
        ):
            raise ShapeError(
                "transpose", "axes", got=self.axes, expected=f"each of the {x.ndim} axes once"
            )

    def forward(self, x):
        return x.transpose(self.axes)

    @rule(r"\bar x_{ij} = \bar y_{ji}")
    def x(self, y_bar, y, x):
        if self.axes is None:
            return Transpose()(y_bar)
        return Transpose(np.argsort([axis % x.ndim for axis in self.axes]).tolist())(y_bar)

    @classmethod
    def examples(cls, rng):
        """Orders that are not their own inverse."""
        yield cls(), (rng.normal(size=(2, 3, 4)),)
        yield cls((2, 0, 1)), (rng.normal(size=(2, 3, 4)),)
        yield cls((-1, 0, 1)), (rng.normal(size=(2, 3, 4)),)
        yield cls((1, 2, 0)), (rng.normal(size=(2, 0, 1)),)
        yield cls(()), (rng.normal(size=()),)


class BroadcastTo(Op):
    """Repeat along new axes and along axes of length 1, as NumPy's broadcasting does.

    Parameters
    ----------
    x : array_like
    shape : int or tuple of int

    Raises
    ------
    ShapeError
        When `x` cannot be stretched to that shape.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.broadcast_to([1.0, 2.0], (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """

    input_names = ("x",)
    formula = r"y_{ij} = x_j"
    linear_in = ("x",)
    methods = ("broadcast_to",)

    def __init__(self, shape):
        self.shape = whole_numbers("broadcast_to", "shape", shape)

    def forward(self, x):
        try:
            return np.broadcast_to(x, self.shape)
        except ValueError:
            raise ShapeError(
                "broadcast_to", "shape", got=self.shape, expected=f"a shape {x.shape} broadcasts to"
            ) from None

    @rule(r"\bar x_j = \sum_i \bar y_{ij}")
    def x(self, y_bar, y, x):
        return sum_to(y_bar, x.shape)

    @classmethod
    def examples(cls, rng):
        """New axes, stretched axes, and both."""
        yield cls((2, 3)), (rng.normal(size=3),)
        yield cls((2, 3)), (rng.normal(size=(2, 1)),)
        yield cls((4, 2, 3)), (rng.normal(size=(2, 1)),)
        yield cls((0, 3)), (rng.normal(size=(1, 3)),)
        yield cls((2,)), (rng.normal(size=()),)


class ExpandDims(Op):
    """New axes of length 1.

    Parameters
    ----------
    x : array_like
    axis : int or tuple of int
        Where the new axes are in the result.

    Raises
    ------
    ShapeError
        When the result has no such axis.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.expand_dims([1.0, 2.0], -1).shape
    (2, 1)
    """

    input_names = ("x",)
    formula = r"y_{i1} = x_i"
    linear_in = ("x",)

    def __init__(self, axis):
        self.axis = axis

    def check(self, x):
        normalize_axes("expand_dims", self.axis, x.ndim + np.size(self.axis))

    def forward(self, x):
        return np.expand_dims(x, self.axis)

    @rule(r"\bar x_i = \bar y_{i1}")
    def x(self, y_bar, y, x):
        return y_bar.reshape(x.shape)

    @classmethod
    def examples(cls, rng):
        """From both ends, and several."""
        yield cls(0), (rng.normal(size=(2, 3)),)
        yield cls(-1), (rng.normal(size=(2, 3)),)
        yield cls((0, -2)), (rng.normal(size=(2, 3)),)
        yield cls(0), (rng.normal(size=()),)


class Squeeze(Op):
    """Without axes of length 1.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to leave out; None means all of length 1.

    Raises
    ------
    ShapeError
        When one of these is longer.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.squeeze([[1.0], [2.0]]).shape
    (2,)
    """

    input_names = ("x",)
    formula = r"y_i = x_{i1}"
    linear_in = ("x",)
    methods = ("squeeze",)

    def __init__(self, axis=None):
        self.axis = axis

    def check(self, x):
        if self.axis is None:
            return
        if any(x.shape[axis] != 1 for axis in normalize_axes("squeeze", self.axis, x.ndim)):
            raise ShapeError(
                "squeeze", "axis", got=self.axis, expected=f"axes of length 1 in {x.shape}"
            )

    def forward(self, x):
        return np.squeeze(x, None if self.axis is None else normalize_axes("", self.axis, x.ndim))

    @rule(r"\bar x_{i1} = \bar y_i")
    def x(self, y_bar, y, x):
        return y_bar.reshape(x.shape)

    @classmethod
    def examples(cls, rng):
        """All short axes, some of them, and none."""
        yield cls((0, -1)), (rng.normal(size=(1, 1, 3, 1)),)
        yield cls(()), (rng.normal(size=(1, 2)),)
        yield cls(), (rng.normal(size=(1, 3, 1)),)
        yield cls(-1), (rng.normal(size=(1, 3, 1)),)


def ravel(x: Any) -> Tensor:
    """All elements in reading order, along one axis.

    Examples
    --------
    >>> ravel([[1.0, 2.0], [3.0, 4.0]])
    tensor([1., 2., 3., 4.])
    """
    return Reshape((-1,))(x)


def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Axes brought to other places; the others keep their order.

    Parameters
    ----------
    x : array_like
    source, destination : int or sequence of int
        Where the axes are now, and where they are in the result.

    Raises
    ------
    ShapeError
        When there is no such axis, one is named twice, or the two differ in number.

    Examples
    --------
    >>> from tinydl import ops
    >>> moveaxis(ops.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = convert_to_tensor(x)
    places = [whole_numbers("moveaxis", "axis", given) for given in (source, destination)]
    if len(places[0]) != len(places[1]):
        raise ShapeError(
            "moveaxis", "destination", got=destination, expected=f"as many axes as {source}"
        )
    for axes in places:
        normalize_axes("moveaxis", axes, x.ndim)
    to_from = sorted((to % x.ndim, axis % x.ndim) for axis, to in zip(*places, strict=True))
    moved = [axis for _, axis in to_from]
    order = [axis for axis in range(x.ndim) if axis not in moved]
    for to, axis in to_from:
        order.insert(to, axis)
    return Transpose(order)(x)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """The tensor with two axes exchanged.

    Raises
    ------
    ShapeError
        When there is no such axis.

    Examples
    --------
    >>> from tinydl import ops
    >>> swapaxes(ops.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = convert_to_tensor(x)
    order = list(range(x.ndim))
    first, second = (normalize_axes("swapaxes", axis, x.ndim)[0] for axis in (axis1, axis2))
    order[first], order[second] = second, first
    return Transpose(order)(x)
