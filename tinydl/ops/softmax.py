"""Softmax and its logarithm: scores become probabilities."""

from __future__ import annotations

import math

import numpy as np

from tinydl import kernels
from tinydl.engine import rule
from tinydl.ops.elementwise import Floating
from tinydl.ops.reduce import normalize_axes


class OverAxis(Floating, abstract=True):
    """An op on all the elements along some axes, which keeps the shape.

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    axis : int, tuple of int, or None
        The axes whose elements are taken together; None means all.
    """

    input_names = ("x",)

    def __init__(self, axis=-1):
        self.axis = axis

    def axes(self, x):
        """The axes whose elements are taken together, counted from the front."""
        return normalize_axes(self.name, self.axis, x.ndim)

    def check(self, x):
        self.axes(x)

    def by_rows(self, kernel, x):
        """Apply a kernel on rows: of the elements along the axes, which are made the last axis."""
        axes = self.axes(x)
        if axes == (x.ndim - 1,):
            return kernel(x)
        order = *(axis for axis in range(x.ndim) if axis not in axes), *axes
        turned = x.transpose(order)
        others = turned.shape[: x.ndim - len(axes)]
        rows = turned.reshape(*others, math.prod(turned.shape[len(others) :]))
        return kernel(rows).reshape(turned.shape).transpose(np.argsort(order))

    @classmethod
    def examples(cls, rng):
        """One axis, several, all; a single element along the axis, and no row at all."""
        shape = tuple(rng.integers(2, 5, 3))
        for axis in (-1, 1, (0, -1), None):
            yield cls(axis=axis), (rng.normal(size=shape),)
        yield cls(axis=0), (rng.normal(size=(1, 3)),)
        yield cls(), (rng.normal(size=(0, 2)),)


class Softmax(OverAxis):
    r"""Exponentials, scaled so that they add up to 1 along the axis.

    Adding a constant to all scores changes nothing, so the largest is subtracted first: then no
    exponential is above 1.

    Parameters
    ----------
    x : array_like
        Scores, also called logits. Whole numbers become float32.
    axis : int, tuple of int, or None
        The axes along which the probabilities add up to 1; None means all.

    Source: Goodfellow, Bengio, Courville, *Deep Learning*, MIT Press 2016, section 6.2.2.3.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.softmax([1000.0, 1000.0])
    tensor([0.5, 0.5])
    """

    formula = r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}"

    def forward(self, x):
        return self.by_rows(kernels.softmax, x)

    @rule(r"\bar x_i = y_i \Big( \bar y_i - \sum_j \bar y_j y_j \Big)")
    def x(self, y_bar, y, x):
        return y * (y_bar - (y_bar * y).sum(axis=self.axis, keepdims=True))


class LogSoftmax(OverAxis):
    r"""The logarithm of the softmax, computed without ever forming the probabilities.

    Parameters
    ----------
    x : array_like
        Scores, also called logits. Whole numbers become float32.
    axis : int, tuple of int, or None
        The axes along which the probabilities add up to 1; None means all.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log_softmax([0.0, -1000.0])
    tensor([    0., -1000.])
    """

    formula = r"y_i = x_i - \ln \sum_j e^{x_j}"

    def forward(self, x):
        return self.by_rows(kernels.log_softmax, x)

    @rule(r"\bar x_i = \bar y_i - e^{y_i} \sum_j \bar y_j")
    def x(self, y_bar, y, x):
        return y_bar - y.exp() * y_bar.sum(axis=self.axis, keepdims=True)
