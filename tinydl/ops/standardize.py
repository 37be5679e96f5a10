r"""Bring numbers to mean 0 and variance 1, to mean square 1, or to length 1.

.. math:: y_i = \frac{x_i - m}{\sqrt{v + \epsilon}}, \quad
    m = \frac{1}{n} \sum_j x_j, \quad v = \frac{1}{n} \sum_j (x_j - m)^2

In the gradient, two things that x cannot change are taken away from what arrives: y always has
mean 0, so the mean of :math:`\bar y` has no effect, and it always has the same length, so the part
of :math:`\bar y` along y has none either. Only the rest goes down.
"""

from __future__ import annotations

import numpy as np

from tinydl.engine import rule, tensor
from tinydl.errors import ArgumentError
from tinydl.ops.selection import Where
from tinydl.ops.softmax import OverAxis

EPSILON = 1e-7  # Keras's default where a function leaves it open


class Scaled(OverAxis, abstract=True):
    """An op that divides by a size: an epsilon keeps it away from 0."""

    def __init__(self, axis=-1, epsilon=EPSILON):
        self.axis, self.epsilon = axis, epsilon

    def inverse_root(self, v):
        r"""The tensor :math:`1 / \sqrt{v + \epsilon}`."""
        return 1.0 / (v + self.epsilon).sqrt()

    def average(self, t):
        """The mean of a tensor along the axes, with its axes kept."""
        return t.mean(axis=self.axis, keepdims=True)

    @classmethod
    def examples(cls, rng):
        """A larger epsilon: two elements always become -1 and 1, and all the rest is rounding."""
        for op, arrays in super().examples(rng):
            yield cls(op.axis, 1e-3), arrays


class Standardize(Scaled):
    """Shift and scale to mean 0 and variance 1 along the axes.

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    axis : int, tuple of int, or None
        The axes over which mean and variance are taken; None means all.
    epsilon : float
        Added to the variance.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.standardize([1.0, 3.0, 3.0, 5.0], epsilon=0.0).numpy().round(4)
    array([-1.4142,  0.    ,  0.    ,  1.4142], dtype=float32)
    """

    formula = (
        r"y_i = \frac{x_i - m}{\sqrt{v + \epsilon}}, \quad m = \frac{1}{n} \sum_j x_j,"
        r" \quad v = \frac{1}{n} \sum_j (x_j - m)^2"
    )

    def forward(self, x):
        wide = x.astype(np.result_type(x, np.float32))  # squares overflow in float16
        centred = wide - _mean(wide, self.axes(x))
        v = _mean(centred * centred, self.axes(x))
        return (centred / np.sqrt(v + wide.dtype.type(self.epsilon))).astype(x.dtype)

    @rule(
        r"\bar x_i = \frac{1}{\sqrt{v + \epsilon}} \Big( \bar y_i - \frac{1}{n} \sum_j \bar y_j"
        r" - y_i \, \frac{1}{n} \sum_j \bar y_j y_j \Big)"
    )
    def x(self, y_bar, y, x):
        centred = x - self.average(x)
        v = self.average(centred * centred)
        rest = y_bar - self.average(y_bar) - y * self.average(y_bar * y)
        return rest * self.inverse_root(v)


class RootMeanSquareNormalize(Scaled):
    """Scale so that the mean of the squares is 1 along the axes; nothing is shifted.

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    axis : int, tuple of int, or None
        The axes over which the mean is taken; None means all.
    epsilon : float
        Added to the mean of the squares.

    Source: Zhang & Sennrich, *Root mean square layer normalization*, arXiv:1910.07467.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.root_mean_square_normalize([3.0, -3.0, 3.0])
    tensor([ 1., -1.,  1.])
    """

    formula = r"y_i = \frac{x_i}{\sqrt{v + \epsilon}}, \quad v = \frac{1}{n} \sum_j x_j^2"

    def forward(self, x):
        wide = x.astype(np.result_type(x, np.float32))  # squares overflow in float16
        v = _mean(wide * wide, self.axes(x))
        return (wide / np.sqrt(v + wide.dtype.type(self.epsilon))).astype(x.dtype)

    @rule(
        r"\bar x_i = \frac{1}{\sqrt{v + \epsilon}}"
        r" \Big( \bar y_i - y_i \, \frac{1}{n} \sum_j \bar y_j y_j \Big)"
    )
    def x(self, y_bar, y, x):
        rest = y_bar - y * self.average(y_bar * y)
        return rest * self.inverse_root(self.average(x * x))


class Normalize(OverAxis):
    r"""Scale to length 1 along the axes; what is shorter than epsilon is divided by epsilon.

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    axis : int, tuple of int, or None
        The axes along which the length is measured; None means all.
    order : int
        The p of the length :math:`(\sum_j |x_j|^p)^{1/p}`, at least 1.
    epsilon : float, optional
        The least length to divide by; 1e-7 by default.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.normalize([[3.0, 4.0], [0.0, 0.0]])
    tensor([[0.6, 0.8],
            [0. , 0. ]])
    """

    formula = (
        r"y_i = \frac{x_i}{\max(\ell, \epsilon)}, \quad \ell = \Big( \sum_j |x_j|^p \Big)^{1/p}"
    )
    kinks = "a length of epsilon: the gradient is that of x / epsilon; for order 1 also x_i = 0"

    def __init__(self, axis=-1, order=2, epsilon=None):
        if not hasattr(order, "__index__") or isinstance(order, bool) or order < 1:
            raise ArgumentError(
                "normalize", "order", got=repr(order), expected="a whole number, at least 1"
            )
        self.axis, self.order = axis, int(order)
        self.epsilon = EPSILON if epsilon is None else epsilon

    def forward(self, x):
        largest = self.largest(x)
        powers = np.abs(x / largest) ** self.order
        length = largest * np.sum(powers, self.axes(x), keepdims=True) ** (1 / self.order)
        return x / np.maximum(length, x.dtype.type(self.epsilon))

    def largest(self, x):
        """The largest absolute value, at least epsilon: measured in it, no power overflows."""
        largest = np.max(np.abs(x), axis=self.axes(x), keepdims=True, initial=self.epsilon)
        return np.where((largest > 0) & np.isfinite(largest), largest, 1).astype(x.dtype)

    @rule(
        r"\bar x_i = \frac{1}{\max(\ell, \epsilon)} \Big( \bar y_i - [\ell > \epsilon]"
        r" \operatorname{sign}(x_i) |y_i|^{p-1} \sum_j \bar y_j y_j \Big)"
    )
    def x(self, y_bar, y, x):
        largest = self.largest(x.data)
        least = tensor(self.epsilon / largest, dtype=x.dtype)
        powers = (abs(x / largest) ** self.order).sum(axis=self.axis, keepdims=True)
        is_long = ~(powers.data <= least.data**self.order)  # a nan makes everything nan
        length = largest * Where()(is_long, Where()(is_long, powers, 1) ** (1 / self.order), least)
        slope = y if self.order == 2 else np.sign(x.data) * abs(y) ** (self.order - 1)
        along = (y_bar * y).sum(axis=self.axis, keepdims=True)
        return (y_bar - is_long.astype(x.dtype) * slope * along) / length

    @classmethod
    def conventions(cls):
        """Nothing has no length, and gets what arrives, divided by epsilon."""
        yield cls(epsilon=0.5), (np.zeros(3),), (np.full(3, 2.0),)

    @classmethod
    def examples(cls, rng):
        """Every kind of axis, other orders, and what is shorter than epsilon."""
        for axis in (-1, 0, (0, 1), None):
            yield cls(axis=axis), (rng.normal(size=rng.integers(1, 4, 2)),)
        x = rng.uniform(0.5, 2.0, (2, 3)) * rng.choice([-1, 1], (2, 3))
        yield cls(order=1), (x,)
        yield cls(axis=0, order=3), (x,)
        yield cls(epsilon=10.0), (x,)


def _mean(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The mean with its axes kept."""
    total = np.sum(x, axis=axes, keepdims=True)
    return total / x.dtype.type(max(x.size // max(total.size, 1), 1))
