"""The largest and the smallest element, and where they are."""

from __future__ import annotations

import numpy as np

from tinydl.engine import rule
from tinydl.errors import DTypeError, ShapeError
from tinydl.ops.reduce import Reduction


class Extremum(Reduction, abstract=True):
    """The largest or the smallest element; ties share the gradient equally.

    Parameters
    ----------
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep the reduced axes, with length 1.
    initial : number, optional
        One more candidate, needed where there may be no elements.
    """

    kinks = "ties: the elements that tie share the gradient equally"

    def __init__(self, axis=None, keepdims=False, initial=None):
        super().__init__(axis, keepdims)
        self.initial = initial

    def check(self, x):
        if any(x.shape[axis] == 0 for axis in self.axes(x)) and self.initial is None:
            raise ShapeError(
                self.name,
                "x",
                got=x.shape,
                expected="at least one element along each reduced axis",
                hint="pass `initial`, the result for no elements",
            )

    @rule(r"\bar x_i = \bar y \, \frac{[x_i = y]}{\sum_j [x_j = y]}")
    def x(self, y_bar, y, x):
        best = self.stretch(y.detach(), x).data
        is_winner = (x.data == best) | ((x.data != x.data) & (best != best))  # nan, too, can win
        ties = np.sum(is_winner, axis=self.axes(x), keepdims=True)
        share = is_winner / np.maximum(ties, 1)
        return self.stretch(y_bar, x) * share.astype(x.dtype)

    @classmethod
    def examples(cls, rng):
        """Elements far enough from each other, and a further candidate."""
        for axis in (None, 0, -1, (0, 2)):
            yield cls(axis=axis), (_apart(rng, (3, 4, 2)),)
        yield cls(axis=1, keepdims=True), (_apart(rng, (3, 4)),)
        yield cls(axis=1, initial=0.0), (_apart(rng, (3, 4)),)
        yield cls(axis=1, initial=0.0), (np.zeros((2, 0)),)
        yield cls(axis=0), (np.zeros((3, 0)),)
        yield cls(), (rng.normal(size=()),)

    @classmethod
    def conventions(cls):
        """Three of four elements tie."""
        x = np.array([2.0, 2.0, 2.0, 5.0 if cls.name == "min" else -5.0])
        yield cls(), (x,), (np.array([1 / 3, 1 / 3, 1 / 3, 0.0]),)


def _apart(rng, shape):
    return rng.permutation(np.arange(np.prod(shape)) * 0.25 - 1.1).reshape(shape)


class Max(Extremum):
    """The largest element; nan if there is one. Ties share the gradient equally.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep these axes, with length 1.
    initial : number, optional
        One more candidate, needed where there may be no elements.

    Raises
    ------
    ShapeError
        When there is no element, and no `initial`.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.max([[1.0, 2.0], [4.0, 3.0]], axis=1)
    tensor([2., 4.])
    """

    formula = r"y = \max_i x_i"
    methods = ("max",)

    def forward(self, x):
        return np.max(x, axis=self.axes(x), keepdims=self.keepdims, initial=self.initial)


class Min(Extremum):
    """The smallest element; nan if there is one. Ties share the gradient equally.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep these axes, with length 1.
    initial : number, optional
        One more candidate, needed where there may be no elements.

    Raises
    ------
    ShapeError
        When there is no element, and no `initial`.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.min([[1.0, 2.0], [4.0, 3.0]], axis=1)
    tensor([1., 3.])
    """

    formula = r"y = \min_i x_i"
    methods = ("min",)

    def forward(self, x):
        return np.min(x, axis=self.axes(x), keepdims=self.keepdims, initial=self.initial)


class Place(Reduction, abstract=True):
    """Where an element is along one axis, or among all in reading order; an int32."""

    axis: int | None

    def check(self, x):
        if isinstance(self.axis, (tuple, list)):
            raise DTypeError(self.name, "axis", got=self.axis, expected="one axis, or None for all")
        if any(x.shape[axis] == 0 for axis in self.axes(x)):
            raise ShapeError(self.name, "x", got=x.shape, expected="at least one element to choose")

    @classmethod
    def examples(cls, rng):
        """All elements, and one axis; with ties."""
        yield cls(), (rng.integers(-3, 3, (3, 4)) * 1.0,)
        yield cls(keepdims=True), (rng.normal(size=(3, 4)),)
        yield cls(axis=1, keepdims=True), (rng.normal(size=(3, 4)),)
        yield cls(axis=-2), (rng.integers(-3, 3, (3, 4)),)
        yield cls(), (rng.normal(size=()),)


class Argmax(Place):
    """The place of the largest element, the first of several; a whole number without gradient.

    Parameters
    ----------
    x : array_like
        A nan counts as the largest.
    axis : int or None
        The axis to search; None means all, in reading order.
    keepdims : bool
        Keep this axis, with length 1.

    Returns
    -------
    Tensor of int32

    Raises
    ------
    ShapeError
        When there is no element.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.argmax([[1.0, 2.0], [4.0, 3.0]], axis=1).numpy()
    array([1, 0], dtype=int32)
    """

    formula = r"y = \min \{ i : x_i = \max_j x_j \}"
    methods = ("argmax",)

    def forward(self, x):
        return np.argmax(x, axis=self.axis, keepdims=self.keepdims).astype(np.int32)


class Argmin(Place):
    """The place of the smallest element, the first of several; a whole number without gradient.

    Parameters
    ----------
    x : array_like
        A nan counts as the smallest.
    axis : int or None
        The axis to search; None means all, in reading order.
    keepdims : bool
        Keep this axis, with length 1.

    Returns
    -------
    Tensor of int32

    Raises
    ------
    ShapeError
        When there is no element.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.argmin([[1.0, 2.0], [4.0, 3.0]], axis=1).numpy()
    array([0, 1], dtype=int32)
    """

    formula = r"y = \min \{ i : x_i = \min_j x_j \}"
    methods = ("argmin",)

    def forward(self, x):
        return np.argmin(x, axis=self.axis, keepdims=self.keepdims).astype(np.int32)
