"""Shrinkers and thresholds: activations that set small numbers to a constant."""

from __future__ import annotations

import numpy as np

from tinydl.engine import rule
from tinydl.ops.comparison import LogicalNot
from tinydl.ops.elementwise import Bent, Floating


class HardShrink(Floating, Bent):
    r"""Numbers not above the threshold in size become 0, the others stay.

    Parameters
    ----------
    x : array_like
    threshold : float
        The size t up to which numbers vanish.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.hard_shrink([-1.0, 0.25, 0.75])
    tensor([-1.  ,  0.  ,  0.75])
    """

    formula = r"y_i = x_i \, [|x_i| > t]"
    kinks = "x_i = -t and x_i = t: the gradient is 0 there"
    slopes_at_kinks = ((-0.5, 0.0), (0.5, 0.0))

    def __init__(self, threshold=0.5):
        self.threshold = threshold

    def forward(self, x):
        return np.where(np.abs(x) <= self.threshold, 0, x).astype(x.dtype)

    @rule(r"\bar x_i = \bar y_i \, [|x_i| > t]")
    def x(self, y_bar, y, x):
        return y_bar * LogicalNot()(abs(x) <= self.threshold)


class SoftShrink(Floating, Bent):
    r"""Numbers moved towards 0 by the threshold; those nearer become 0.

    Parameters
    ----------
    x : array_like
    threshold : float
        How far t to move.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.soft_shrink([-1.0, 0.25, 0.75])
    tensor([-0.5 ,  0.  ,  0.25])
    """

    formula = r"y_i = \operatorname{sign}(x_i) \max(|x_i| - t, 0)"
    kinks = "x_i = -t and x_i = t: the gradient is 0 there"
    slopes_at_kinks = ((-0.5, 0.0), (0.5, 0.0))

    def __init__(self, threshold=0.5):
        self.threshold = threshold

    def forward(self, x):
        return x - np.clip(x, -self.threshold, self.threshold)

    @rule(r"\bar x_i = \bar y_i \, [|x_i| > t]")
    def x(self, y_bar, y, x):
        return y_bar * LogicalNot()(abs(x) <= self.threshold)


class Threshold(Floating, Bent):
    r"""Numbers above the threshold stay, the others get a fixed value.

    Parameters
    ----------
    x : array_like
    threshold : float
        The number t to be above of.
    default_value : float
        The value v of all others.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.threshold([-1.0, 0.5, 2.0], 1.0, 10.0)
    tensor([10., 10.,  2.])
    """

    formula = r"y_i = \begin{cases} x_i & x_i > t \\ v & \text{otherwise} \end{cases}"
    kinks = "x_i = t: the gradient is 0 there"

    def __init__(self, threshold, default_value):
        self.threshold, self.default_value = threshold, default_value

    def forward(self, x):
        return np.where(x <= self.threshold, self.default_value, x).astype(x.dtype)

    @rule(r"\bar x_i = \bar y_i \, [x_i > t]")
    def x(self, y_bar, y, x):
        return y_bar * LogicalNot()(x <= self.threshold)

    @classmethod
    def examples(cls, rng):
        """Numbers on both sides."""
        for shape in ((3, 4), (), (0, 2)):
            size = rng.uniform(0.25, 2.0, shape)
            yield cls(1.0, -3.0), (1.0 + size * rng.choice([-1, 1], shape),)

    @classmethod
    def conventions(cls):
        """On the threshold."""
        yield cls(1.0, -3.0), (np.array([1.0]),), (np.array([0.0]),)
