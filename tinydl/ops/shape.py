"""Ops that move elements without changing them: their gradients move them back."""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op, Tensor, rule, sum_to
from tinydl.errors import ShapeError
from tinydl.ops.reduce import normalize_axes


class Reshape(Op):
    """The same elements in the same order under another shape; one length may be -1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.reshape([1.0, 2.0, 3.0, 4.0], (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """

    input_names = ("x",)
    formula = r"y_{j} = x_{i}, \quad i \text{ and } j \text{ at the same place in reading order}"

    def __init__(self, newshape=(-1,)):
        self.newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)

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
        yield cls((0, 7)), (rng.normal(size=(3, 0)),)


class Transpose(Op):
    """Another order of the axes; reversed if none is given.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.transpose([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 3.],
            [2., 4.]])
    """

    input_names = ("x",)
    formula = r"y_{ji} = x_{ij}"

    def __init__(self, axes=None):
        self.axes = None if axes is None else tuple(axes)

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


class BroadcastTo(Op):
    """Repeat along new axes and along axes of length 1, as NumPy's broadcasting does.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.broadcast_to([1.0, 2.0], (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """

    input_names = ("x",)
    formula = r"y_{ij} = x_j"
    methods = ("broadcast_to",)

    def __init__(self, shape=()):
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)

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


class ExpandDims(Op):
    """A new axis of length 1 at the place `axis` of the result.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.expand_dims([1.0, 2.0], -1).shape
    (2, 1)
    """

    input_names = ("x",)
    formula = r"y_{i1} = x_i"

    def __init__(self, axis=-1):
        self.axis = axis

    def check(self, x):
        normalize_axes("expand_dims", self.axis, x.ndim + 1)

    def forward(self, x):
        return np.expand_dims(x, self.axis)

    @rule(r"\bar x_i = \bar y_{i1}")
    def x(self, y_bar, y, x):
        return y_bar.reshape(x.shape)

    @classmethod
    def examples(cls, rng):
        """From both ends."""
        yield cls(0), (rng.normal(size=(2, 3)),)
        yield cls(-1), (rng.normal(size=(2, 3)),)


class Squeeze(Op):
    """Without the axes of length 1, or without those given.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.squeeze([[1.0], [2.0]]).shape
    (2,)
    """

    input_names = ("x",)
    formula = r"y_i = x_{i1}"
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
        return np.squeeze(x, self.axis)

    @rule(r"\bar x_{i1} = \bar y_i")
    def x(self, y_bar, y, x):
        return y_bar.reshape(x.shape)

    @classmethod
    def examples(cls, rng):
        """All short axes, and one of them."""
        yield cls(), (rng.normal(size=(1, 3, 1)),)
        yield cls(-1), (rng.normal(size=(1, 3, 1)),)


def _as_index(key):
    """A NumPy index: tensors in it become their arrays."""
    if isinstance(key, tuple):
        return tuple(_as_index(part) for part in key)
    return key.data if isinstance(key, Tensor) else key


class GetItem(Op):
    """Some of the elements: ``x[key]``, with every kind of key NumPy has."""

    input_names = ("x",)
    formula = r"y_k = x_{i(k)}"
    methods = ("__getitem__",)

    def __init__(self, key=()):
        self.key = _as_index(key)

    def forward(self, x):
        return x[self.key]

    @rule(r"\bar x_i = \sum_{k : i(k) = i} \bar y_k")
    def x(self, y_bar, y, x):
        return PutItem(self.key, x.shape)(y_bar)

    @classmethod
    def examples(cls, rng):
        """Slices, new axes, and integer arrays that name an element twice."""
        x = rng.normal(size=(4, 3))
        keys = (0, slice(None, None, -2), (Ellipsis, None, 1), np.array([2, 0, 2]), x > 0)
        for key in (*keys, (np.array([1, 1]), slice(0, 2))):
            yield cls(key), (x,)


class PutItem(Op):
    """Zeros of `shape`, to which the elements are added at `key`: the gradient of ``x[key]``."""

    input_names = ("x",)
    formula = r"y_i = \sum_{k : i(k) = i} x_k"

    def __init__(self, key=(), shape=()):
        self.key, self.shape = key, shape

    def forward(self, x):
        y = np.zeros(self.shape, x.dtype)
        np.add.at(y, self.key, x)  # y[key] += x would add only one of two equal indices
        return y

    @rule(r"\bar x_k = \bar y_{i(k)}")
    def x(self, y_bar, y, x):
        return y_bar[self.key]

    @classmethod
    def examples(cls, rng):
        """A repeated place."""
        yield cls(np.array([2, 0, 2]), (4, 2)), (rng.normal(size=(3, 2)),)


class Concatenate(Op):
    """Tensors one after the other along an axis they have.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.concatenate([[1.0, 2.0], [3.0]])
    tensor([1., 2., 3.])
    """

    input_names = ("*xs",)
    formula = r"y_{o_m + i} = x^{(m)}_i, \quad o_m = n_1 + \dots + n_{m-1}"

    def __init__(self, axis=0):
        self.axis = axis

    def check(self, *xs):
        if not xs:
            raise ShapeError("concatenate", "xs", got="empty", expected="at least one tensor")
        axis = normalize_axes("concatenate", self.axis, xs[0].ndim)[0]
        for position, x in enumerate(xs):
            fits = x.ndim == xs[0].ndim and all(
                n == m
                for i, (n, m) in enumerate(zip(x.shape, xs[0].shape, strict=True))
                if i != axis
            )
            if not fits:
                raise ShapeError(
                    "concatenate",
                    f"xs[{position}]",
                    got=x.shape,
                    expected=f"the shape of xs[0], {xs[0].shape}, but for axis {axis}",
                )

    def forward(self, *xs):
        return np.concatenate(xs, self.axis)

    @rule(r"\bar x^{(m)}_i = \bar y_{o_m + i}")
    def xs(self, y_bar, y, *xs, position):
        axis = self.axis % y.ndim
        start = sum(x.shape[axis] for x in xs[:position])
        return y_bar[(slice(None),) * axis + (slice(start, start + xs[position].shape[axis]),)]

    @classmethod
    def examples(cls, rng):
        """Different lengths, along the first and the last axis."""
        yield cls(0), (rng.normal(size=(2, 3)), rng.normal(size=(1, 3)))
        yield cls(-1), tuple(rng.normal(size=(2, n)) for n in (1, 0, 3))


class Stack(Op):
    """Tensors of one shape side by side along a new axis.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.stack([[1.0, 2.0], [3.0, 4.0]], axis=1)
    tensor([[1., 3.],
            [2., 4.]])
    """

    input_names = ("*xs",)
    formula = r"y_{mi} = x^{(m)}_i"

    def __init__(self, axis=0):
        self.axis = axis

    def check(self, *xs):
        if not xs:
            raise ShapeError("stack", "xs", got="empty", expected="at least one tensor")
        normalize_axes("stack", self.axis, xs[0].ndim + 1)
        for position, x in enumerate(xs):
            if x.shape != xs[0].shape:
                raise ShapeError(
                    "stack", f"xs[{position}]", got=x.shape, expected=f"{xs[0].shape}, as xs[0]"
                )

    def forward(self, *xs):
        return np.stack(xs, self.axis)

    @rule(r"\bar x^{(m)}_i = \bar y_{mi}")
    def xs(self, y_bar, y, *xs, position):
        return y_bar[(slice(None),) * (self.axis % y.ndim) + (position,)]

    @classmethod
    def examples(cls, rng):
        """Along the first and the last axis."""
        for axis in (0, -1):
            yield cls(axis), tuple(rng.normal(size=(2, 3)) for _ in range(3))
