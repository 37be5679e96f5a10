"""Some of the elements by their places, and elements put back at places: each other's gradients."""

from __future__ import annotations

import numpy as np

from tinydl.engine import DEFAULT_DTYPE, Op, Tensor, rule
from tinydl.errors import ArgumentError, DataError, DTypeError, ShapeError
from tinydl.ops.reduce import normalize_axes


def _as_index(part):
    """A NumPy index that nobody can change: lists and arrays in it are copied."""
    if isinstance(part, tuple):
        return tuple(_as_index(one) for one in part)
    if isinstance(part, Tensor):
        return part.data
    if isinstance(part, list):
        return np.array(part) if part else np.array(part, dtype=int)
    return part.copy() if isinstance(part, np.ndarray) else part


def _names_places_twice(key) -> bool:
    """Whether the key may: slices and masks never do, arrays of places can."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(part, np.ndarray) and part.dtype.kind != "b" for part in parts)


class GetItem(Op):
    """Some of the elements: ``x[key]``, with every kind of key NumPy has.

    Parameters
    ----------
    x : array_like
    key : int, slice, Ellipsis, None, array_like of int or bool, or a tuple of these
        Slices may have a step, also a negative one; None makes a new axis; an array of places may
        name a place more than once; an array of booleans takes where it is true.

    Raises
    ------
    IndexError
        When there is no such place.

    Examples
    --------
    >>> from tinydl import tensor
    >>> x = tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x[::-1, 0]
    tensor([3., 1.])
    >>> x[[0, 0, 1], [1, 1, 0]]
    tensor([2., 2., 3.])
    """

    input_names = ("x",)
    formula = r"y_k = x_{i(k)}"
    linear_in = ("x",)
    methods = ("__getitem__",)

    def __init__(self, key):
        self.key = _as_index(key)

    def forward(self, x):
        return x[self.key]

    @rule(r"\bar x_i = \sum_{k : i(k) = i} \bar y_k")
    def x(self, y_bar, y, x):
        return PutItem(self.key, x.shape)(y_bar)

    @classmethod
    def examples(cls, rng):
        """Slices, new axes, masks, and integer arrays that name an element twice."""
        x = rng.normal(size=(4, 3))
        mask, places = rng.uniform(size=4) > 0.5, rng.integers(-4, 4, (2, 3))
        keys = (0, -1, slice(None, None, -2), (Ellipsis, None, 1), slice(3, 1), (), None)
        for key in (*keys, places, x > 0, mask, [], [2, 0, 2], True):
            yield cls(key), (x,)
        for key in (([1, 1], slice(0, 2)), (None, places, None, -1), (mask, 2), ([[0], [3]], [2])):
            yield cls(key), (x,)
        yield cls((Ellipsis, places)), (rng.normal(size=(2, 1, 4)),)
        yield cls(Ellipsis), (rng.normal(size=()),)


class PutItem(Op):
    """Zeros of `shape`, to which the elements are added at `key`: the gradient of ``x[key]``.

    Parameters
    ----------
    x : array_like
        Of the shape that zeros of `shape` have at `key`.
    key : int, slice, Ellipsis, None, array_like of int or bool, or a tuple of these
    shape : tuple of int

    Raises
    ------
    ShapeError
        When `x` has another shape.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.put_item([1.0, 2.0, 3.0], [0, 2, 0], (4,))
    tensor([4., 0., 2., 0.])
    """

    input_names = ("x",)
    formula = r"y_i = \sum_{k : i(k) = i} x_k"
    linear_in = ("x",)

    def __init__(self, key, shape):
        self.key, self.shape = _as_index(key), tuple(shape)

    def check(self, x):
        expected = np.broadcast_to(0, self.shape)[self.key].shape
        if x.shape != expected:
            raise ShapeError(
                "put_item",
                "x",
                got=x.shape,
                expected=f"{expected}, the shape at that key of zeros of shape {self.shape}",
            )

    def forward(self, x):
        y = np.zeros(self.shape, x.dtype)
        if _names_places_twice(self.key):
            np.add.at(y, self.key, x)  # y[key] += x would add only one of two equal places
        else:
            y[self.key] = x
        return y

    @rule(r"\bar x_k = \bar y_{i(k)}")
    def x(self, y_bar, y, x):
        return GetItem(self.key)(y_bar)

    @classmethod
    def examples(cls, rng):
        """Repeated places, slices, masks, and single numbers."""
        mask = np.array([True, False, True])
        yield cls(np.array([2, 0, 2]), (4, 2)), (rng.normal(size=(3, 2)),)
        yield cls((None, [1, 1], slice(None, None, 2)), (2, 3)), (rng.normal(size=(1, 2, 2)),)
        yield cls(slice(3, 0, -2), (4, 2)), (rng.normal(size=(2, 2)),)
        yield cls((slice(None), mask), (2, 3)), (rng.normal(size=(2, 2)),)
        yield cls((1, -1), (2, 3)), (rng.normal(size=()),)
        yield cls((), (2, 0)), (rng.normal(size=(2, 0)),)


class Indexed(Op, abstract=True):
    """An op that takes elements at places given as an array."""

    input_names = ("x", "indices")
    linear_in = ("x",)

    def __init__(self, axis=None):
        self.axis = axis

    def check(self, x, indices):
        self.check_places(x, indices)

    def check_places(self, x, indices):
        """Raise unless all indices are places along the axis."""
        if indices.dtype.kind not in "iu":
            raise DTypeError(
                self.name, "indices", got=f"of dtype {indices.dtype}", expected="whole numbers"
            )
        length = x.size if self.axis is None else x.shape[self.counted_axis(x)]
        outside = (indices < -length) | (indices >= length)
        if outside.any():
            raise DataError(
                self.name,
                "an index",
                got=indices[outside].flat[0],
                expected=f"from {-length} to {length - 1}" if length else "none, the axis is empty",
                hint=f"x is {x.shape}, axis is {self.axis}",
            )

    def counted_axis(self, x):
        """The axis, counted from the front."""
        return normalize_axes(self.name, self.axis, x.ndim)[0]


class Take(Indexed):
    """Slices at places along an axis.

    Parameters
    ----------
    x : array_like
    indices : array_like of int
        Places, of any shape; negative ones count from the end.
    axis : int or None
        The axis to take from, which the axes of `indices` replace; None takes from all elements in
        reading order.

    Raises
    ------
    DataError
        When there is no such place.
    DTypeError
        When the places are not whole numbers.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.take([[1.0, 2.0], [3.0, 4.0]], [1, 1, 0], axis=0)
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """

    formula = r"y_{k j} = x_{i_k j}"
    methods = ("take",)

    def forward(self, x, indices):
        return np.take(x, indices, self.axis)

    @rule(r"\bar x_{ij} = \sum_{k : i_k = i} \bar y_{kj}")
    def x(self, y_bar, y, x, indices):
        if self.axis is None:
            return PutItem(indices, (x.size,))(y_bar).reshape(x.shape)
        axes_before = (slice(None),) * self.counted_axis(x)
        return PutItem((*axes_before, indices), x.shape)(y_bar)

    @classmethod
    def examples(cls, rng):
        """From all elements, and along each axis, with places of any shape."""
        x = rng.normal(size=(2, 4, 3))
        yield cls(), (x, rng.integers(-24, 24, (2, 5)))
        yield cls(0), (x, np.array(1))
        yield cls(1), (x, rng.integers(-4, 4, (2, 3)))
        yield cls(-1), (x, np.zeros(0, int))
        yield cls(0), (x[:0], np.zeros((0, 2), int))


class TakeAlongAxis(Indexed):
    """One element for each place: along an axis, everywhere else at the same place.

    Parameters
    ----------
    x : array_like
    indices : array_like of int
        Places along the axis; the other axes broadcast with those of `x`.
    axis : int or None
        The axis to take from; None takes from all elements in reading order, and `indices` then has
        one axis.

    Raises
    ------
    DataError
        When there is no such place.
    ShapeError
        When the axes do not fit.

    Examples
    --------
    >>> from tinydl import ops
    >>> x = [[3.0, 1.0, 2.0], [5.0, 6.0, 4.0]]
    >>> ops.take_along_axis(x, ops.argsort(x), axis=1)
    tensor([[1., 2., 3.],
            [4., 5., 6.]])
    """

    formula = r"y_{kj} = x_{i_{kj} j}"

    def check(self, x, indices):
        self.check_places(x, indices)
        if indices.ndim != (1 if self.axis is None else x.ndim):
            raise ShapeError(
                self.name,
                "indices",
                got=indices.shape,
                expected="1 axis" if self.axis is None else f"{x.ndim} axes, as x is {x.shape}",
            )
        if self.axis is not None:
            self.places(x, indices)

    def places(self, x, indices):
        """The key of the elements: the given places along the axis, all others in order."""
        axis = self.counted_axis(x)
        without_axis = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        try:
            shape = np.broadcast_shapes(indices.shape, without_axis)
        except ValueError:
            raise ShapeError(
                self.name,
                "indices",
                got=indices.shape,
                expected=f"axes that broadcast with those of x, {x.shape}, but for axis {axis}",
            ) from None
        key = np.ogrid[tuple(slice(n) for n in x.shape)]
        # An axis of x with length 1 stays at its only place when the indices stretch it.
        return *key[:axis], np.broadcast_to(indices, shape), *key[axis + 1 :]

    def forward(self, x, indices):
        if self.axis is None:
            return x.reshape(-1)[indices]
        return x[self.places(x, indices)]

    @rule(r"\bar x_{ij} = \sum_{k : i_{kj} = i} \bar y_{kj}")
    def x(self, y_bar, y, x, indices):
        if self.axis is None:
            return PutItem(indices, (x.size,))(y_bar).reshape(x.shape)
        return PutItem(self.places(x.data, indices.data), x.shape)(y_bar)

    @classmethod
    def examples(cls, rng):
        """Along each axis, stretched in both directions, and from all elements."""
        x = rng.normal(size=(2, 4, 3))
        yield cls(1), (x, rng.integers(-4, 4, (2, 5, 3)))
        yield cls(-1), (x, rng.integers(-3, 3, (1, 4, 2)))
        yield cls(0), (x[:, :1], rng.integers(0, 2, (3, 2, 1)))
        yield cls(0), (x[:, :0], np.zeros((1, 0, 3), int))
        yield cls(), (x, rng.integers(-24, 24, 5))


class OneHot(Op):
    r"""Turn class numbers into vectors with a single 1; a number out of range gives only zeros.

    Parameters
    ----------
    x : array_like of int
        Class numbers.
    num_classes : int
        The length of the new axis.
    axis : int
        Where the new axis is in the result.
    dtype : dtype, optional
        Of the result, float32 by default.
    sparse : bool
        Only False: there are no sparse tensors here.

    Raises
    ------
    DTypeError
        When the class numbers are not whole numbers.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.one_hot([2, 0], 3)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """

    input_names = ("x",)
    formula = r"y_{ik} = [x_i = k]"

    def __init__(self, num_classes, axis=-1, dtype=None, sparse=False):
        if sparse:
            raise ArgumentError(
                "one_hot", "sparse", got=True, expected="False, as there are no sparse tensors"
            )
        self.num_classes, self.axis = num_classes, axis
        self.dtype = np.dtype(dtype or DEFAULT_DTYPE)

    def check(self, x):
        if x.dtype.kind not in "iu":
            raise DTypeError("one_hot", "x", got=f"of dtype {x.dtype}", expected="whole numbers")
        normalize_axes("one_hot", self.axis, x.ndim + 1)

    def forward(self, x):
        # Zeros, and a 1 in each row: to compare each x with each class takes seven times as long.
        numbers = x.reshape(-1)
        rows = np.flatnonzero((numbers >= 0) & (numbers < self.num_classes))
        y = np.zeros((x.size, self.num_classes), self.dtype)
        y[rows, numbers[rows]] = 1
        return np.moveaxis(y.reshape(*x.shape, self.num_classes), -1, self.axis)

    @classmethod
    def examples(cls, rng):
        """Class numbers, some out of range, and other places for the new axis."""
        yield cls(4), (rng.integers(0, 4, (3, 2)),)
        yield cls(3, axis=1), (rng.integers(-1, 5, (2, 4)),)
        yield cls(3, axis=0, dtype="float64"), (rng.integers(0, 3, ()),)
