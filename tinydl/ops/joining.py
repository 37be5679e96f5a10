"""Tensors joined to one, and one taken apart into several."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinydl.engine import Op, Tensor, floats_among_whole_numbers, rule
from tinydl.errors import ArgumentError, ShapeError
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.indexing import GetItem
from tinydl.ops.reduce import normalize_axes


class Concatenate(Op):
    """Tensors one after the other along an axis they have.

    Parameters
    ----------
    xs : sequence of array_like
        Of one shape, but for the length along `axis`.
    axis : int or None
        The axis to lengthen; None makes each of them one row of numbers first.

    Raises
    ------
    ShapeError
        When there is nothing to join, or the other lengths differ.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.concatenate([[1.0, 2.0], [3.0]])
    tensor([1., 2., 3.])
    """

    input_names = ("*xs",)
    formula = r"y_{o_m + i} = x^{(m)}_i, \quad o_m = n_1 + \dots + n_{m-1}"
    linear_in = ("xs",)

    def __init__(self, axis=0):
        self.axis = axis

    def check(self, *xs):
        if not xs:
            raise ShapeError("concatenate", "xs", got="empty", expected="at least one tensor")
        if self.axis is None:
            return
        axis = normalize_axes("concatenate", self.axis, xs[0].ndim)[0]
        for position, x in enumerate(xs):
            if _without(x.shape, axis) != _without(xs[0].shape, axis) or x.ndim != xs[0].ndim:
                raise ShapeError(
                    "concatenate",
                    f"xs[{position}]",
                    got=x.shape,
                    expected=f"the shape of xs[0], {xs[0].shape}, but for axis {axis}",
                )

    def forward(self, *xs):
        return np.concatenate(floats_among_whole_numbers(xs), self.axis)

    @rule(r"\bar x^{(m)}_i = \bar y_{o_m + i}")
    def xs(self, y_bar, y, *xs, position):
        axis = 0 if self.axis is None else self.axis % y.ndim
        lengths = [x.size if self.axis is None else x.shape[axis] for x in xs]
        start = sum(lengths[:position])
        part = y_bar[(slice(None),) * axis + (slice(start, start + lengths[position]),)]
        return part.reshape(xs[position].shape)

    @classmethod
    def examples(cls, rng):
        """Different lengths, along the first, a middle, the last axis, and all."""
        yield cls(0), (rng.normal(size=(2, 3)), rng.normal(size=(1, 3)))
        yield cls(-1), tuple(rng.normal(size=(2, n)) for n in (1, 0, 3))
        yield cls(1), tuple(rng.normal(size=(2, n, 2)) for n in (2, 1))
        yield cls(None), (rng.normal(size=(2, 2)), rng.normal(size=()), rng.normal(size=3))
        yield cls(), (rng.normal(size=4),)


class Stack(Op):
    """Tensors of one shape side by side along a new axis.

    Parameters
    ----------
    x : sequence of array_like
        Of one shape.
    axis : int
        Where the new axis is in the result.

    Raises
    ------
    ShapeError
        When there is nothing to join, or the shapes differ.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.stack([[1.0, 2.0], [3.0, 4.0]], axis=1)
    tensor([[1., 3.],
            [2., 4.]])
    """

    input_names = ("*x",)
    formula = r"y_{mi} = x^{(m)}_i"
    linear_in = ("x",)

    def __init__(self, axis=0):
        self.axis = axis

    def check(self, *x):
        if not x:
            raise ShapeError("stack", "x", got="empty", expected="at least one tensor")
        normalize_axes("stack", self.axis, x[0].ndim + 1)
        for position, one in enumerate(x):
            if one.shape != x[0].shape:
                raise ShapeError(
                    "stack", f"x[{position}]", got=one.shape, expected=f"{x[0].shape}, as x[0]"
                )

    def forward(self, *x):
        return np.stack(floats_among_whole_numbers(x), self.axis)

    @rule(r"\bar x^{(m)}_i = \bar y_{mi}")
    def x(self, y_bar, y, *x, position):
        return y_bar[(slice(None),) * (self.axis % y.ndim) + (position,)]

    @classmethod
    def examples(cls, rng):
        """Along the first, the middle and the last axis; single numbers; nothing."""
        for axis in (0, 1, -1):
            yield cls(axis), tuple(rng.normal(size=(2, 3)) for _ in range(3))
        yield cls(), (rng.normal(size=()), rng.normal(size=()))
        yield cls(-1), (rng.normal(size=(0, 2)),)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def _pieces(x: Tensor, axis: int, borders: Sequence[int]) -> list[Tensor]:
    before = (slice(None),) * axis
    return [
        GetItem((*before, slice(start, stop)))(x)
        for start, stop in zip([0, *borders], [*borders, x.shape[axis]], strict=True)
    ]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut into pieces along an axis.

    Parameters
    ----------
    x : array_like
    indices_or_sections : int or sequence of int
        Into how many equal pieces, or where each piece but the first begins.
    axis : int
        The axis to cut.

    Returns
    -------
    list of Tensor

    Raises
    ------
    ShapeError
        When the length is not a multiple of the number of pieces.

    Examples
    --------
    >>> first, second = split([1.0, 2.0, 3.0, 4.0], 2)
    >>> second
    tensor([3., 4.])
    >>> [len(piece) for piece in split([1.0, 2.0, 3.0, 4.0], [1, 3])]
    [1, 2, 1]
    """
    x = convert_to_tensor(x)
    axis = normalize_axes("split", axis, x.ndim)[0]
    if np.ndim(indices_or_sections) == 1:
        return _pieces(x, axis, [operator.index(i) for i in indices_or_sections])
    count, length = _piece_count("split", indices_or_sections), x.shape[axis]
    if length % count:
        raise ShapeError(
            "split",
            "indices_or_sections",
            got=count,
            expected=f"a divisor of {length}, the length of axis {axis}",
            hint="array_split makes pieces of nearly equal length",
        )
    return _pieces(x, axis, [length // count * i for i in range(1, count)])


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut into pieces along an axis; the first ones are longer by one where it does not divide.

    Examples
    --------
    >>> [len(piece) for piece in array_split([1.0, 2.0, 3.0, 4.0], 3)]
    [2, 1, 1]
    """
    if np.ndim(indices_or_sections) == 1:
        return split(x, indices_or_sections, axis)
    x = convert_to_tensor(x)
    axis = normalize_axes("array_split", axis, x.ndim)[0]
    count = _piece_count("array_split", indices_or_sections)
    short, longer = divmod(x.shape[axis], count)
    return _pieces(x, axis, [short * i + min(i, longer) for i in range(1, count)])


def _piece_count(where: str, count: Any) -> int:
    if np.ndim(count) or operator.index(count) < 1:
        raise ArgumentError(
            where,
            "indices_or_sections",
            got=count,
            expected="a number of pieces from 1, or one list of places",
        )
    return operator.index(count)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The parts of a tensor along an axis, without that axis: what `stack` joins.

    Parameters
    ----------
    x : array_like
    num : int, optional
        How many parts there must be.
    axis : int
        The axis to take apart.

    Examples
    --------
    >>> unstack([[1.0, 2.0], [3.0, 4.0]], axis=1)[0]
    tensor([1., 3.])
    """
    x = convert_to_tensor(x)
    axis = normalize_axes("unstack", axis, x.ndim)[0]
    if num not in (None, x.shape[axis]):
        raise ShapeError("unstack", "num", got=num, expected=f"{x.shape[axis]}, as x is {x.shape}")
    return [GetItem((slice(None),) * axis + (i,))(x) for i in range(x.shape[axis])]


def hstack(xs: Sequence[Any]) -> Tensor:
    """Tensors side by side: joined along the second axis, rows of numbers along their only one.

    Examples
    --------
    >>> hstack([[[1.0], [2.0]], [[3.0], [4.0]]])
    tensor([[1., 3.],
            [2., 4.]])
    """
    rows = [x.reshape((1,)) if x.ndim == 0 else x for x in map(convert_to_tensor, xs)]
    return Concatenate(0 if not rows or rows[0].ndim == 1 else 1)(*rows)


def vstack(xs: Sequence[Any]) -> Tensor:
    """Tensors below each other: joined along the first axis, each row of numbers as one row.

    Examples
    --------
    >>> vstack([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    tables = [x.reshape((1, -1)) if x.ndim < 2 else x for x in map(convert_to_tensor, xs)]
    return Concatenate(0)(*tables)
