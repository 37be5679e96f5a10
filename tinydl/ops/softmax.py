"""Softmax and its logarithm: scores become probabilities."""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op, rule
from tinydl.errors import ShapeError
from tinydl.ops.reduce import normalize_axes


class OverAxis(Op, abstract=True):
    """An op on all the elements along one axis, which keeps the shape."""

    input_names = ("x",)

    def __init__(self, axis=-1):
        self.axis = axis

    def check(self, x):
        if x.shape[normalize_axes(self.name, self.axis, x.ndim)[0]] == 0:
            raise ShapeError(
                self.name, "x", got=x.shape, expected=f"elements along axis {self.axis}"
            )

    @classmethod
    def examples(cls, rng):
        """The last axis, another one, and a single element."""
        yield cls(), (rng.normal(size=(3, 4)),)
        yield cls(axis=1), (rng.normal(size=(2, 3, 2)),)
        yield cls(), (rng.normal(size=(2, 1)),)


class Softmax(OverAxis):
    r"""Exponentials, scaled so that they add up to 1 along the axis.

    Adding a constant to all scores changes nothing, so the largest is subtracted first: then no
    exponential is above 1.

    Parameters
    ----------
    x : array_like
        Scores, also called logits.
    axis : int
        The axis along which the probabilities add up to 1.

    Source: Goodfellow, Bengio, Courville, *Deep Learning*, MIT Press 2016, section 6.2.2.3.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.softmax([1000.0, 1000.0])
    tensor([0.5, 0.5])
    """

    formula = r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}"

    def forward(self, x):
        e = np.exp(x - np.max(x, axis=self.axis, keepdims=True))
        return e / np.sum(e, axis=self.axis, keepdims=True)

    @rule(r"\bar x_i = y_i \Big( \bar y_i - \sum_j \bar y_j y_j \Big)")
    def x(self, y_bar, y, x):
        return y * (y_bar - (y_bar * y).sum(axis=self.axis, keepdims=True))


class LogSoftmax(OverAxis):
    r"""The logarithm of the softmax, computed without ever forming the probabilities.

    Parameters
    ----------
    x : array_like
        Scores, also called logits.
    axis : int
        The axis along which the probabilities add up to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log_softmax([0.0, -1000.0])
    tensor([    0., -1000.])
    """

    formula = r"y_i = x_i - \ln \sum_j e^{x_j}"

    def forward(self, x):
        x = x - np.max(x, axis=self.axis, keepdims=True)
        return x - np.log(np.sum(np.exp(x), axis=self.axis, keepdims=True))

    @rule(r"\bar x_i = \bar y_i - e^{y_i} \sum_j \bar y_j")
    def x(self, y_bar, y, x):
        return y_bar - y.exp() * y_bar.sum(axis=self.axis, keepdims=True)
