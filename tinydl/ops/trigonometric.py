"""Sine, cosine, tangent, and their inverses; angles are in radians."""

from __future__ import annotations

import numpy as np

from tinydl.engine import rule
from tinydl.ops.elementwise import Binary, Floating, Function
from tinydl.ops.selection import Where


class Sin(Function):
    r"""The sine.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sin([0.0, np.pi / 2])
    tensor([0., 1.])
    """

    formula = r"y_i = \sin x_i"
    methods = ("sin",)

    def forward(self, x):
        return np.sin(x)

    @rule(r"\bar x_i = \bar y_i \cos x_i")
    def x(self, y_bar, y, x):
        return y_bar * Cos()(x)


class Cos(Function):
    r"""The cosine.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.cos([0.0, np.pi])
    tensor([ 1., -1.])
    """

    formula = r"y_i = \cos x_i"
    methods = ("cos",)

    def forward(self, x):
        return np.cos(x)

    @rule(r"\bar x_i = -\bar y_i \sin x_i")
    def x(self, y_bar, y, x):
        return -y_bar * Sin()(x)


class Tan(Function):
    r"""The tangent.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.tan([0.0, np.pi / 4])
    tensor([0., 1.])
    """

    formula = r"y_i = \tan x_i"

    def forward(self, x):
        return np.tan(x)

    @rule(r"\bar x_i = \bar y_i (1 + y_i^2)")
    def x(self, y_bar, y, x):
        return y_bar * (1.0 + y * y)

    @classmethod
    def examples(cls, rng):
        """Numbers between the poles."""
        for shape in ((3, 4), (), (1,), (0, 2)):
            yield cls(), (rng.uniform(-1.2, 1.2, shape) + np.pi * rng.integers(-1, 2, shape),)


class Arcsin(Function):
    r"""The angle between -pi/2 and pi/2 whose sine is x; nan outside of -1 to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.arcsin([0.0, 1.0])
    tensor([0.       , 1.5707964])
    """

    formula = r"y_i = \arcsin x_i"
    domain = (-1.0, 1.0)

    def forward(self, x):
        return np.arcsin(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{\sqrt{(1 - x_i)(1 + x_i)}}")
    def x(self, y_bar, y, x):
        return y_bar / ((1.0 - x) * (1.0 + x)).sqrt()

    @classmethod
    def examples(cls, rng):
        """Numbers between -1 and 1, away from the ends, where the slope is infinite."""
        for shape in ((3, 4), (), (1,), (0, 2)):
            yield cls(), (rng.uniform(-0.9, 0.9, shape),)


class Arccos(Function):
    r"""The angle between 0 and pi whose cosine is x; nan outside of -1 to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.arccos([1.0, 0.0])
    tensor([0.       , 1.5707964])
    """

    formula = r"y_i = \arccos x_i"
    domain = (-1.0, 1.0)

    def forward(self, x):
        return np.arccos(x)

    @rule(r"\bar x_i = -\frac{\bar y_i}{\sqrt{(1 - x_i)(1 + x_i)}}")
    def x(self, y_bar, y, x):
        return -y_bar / ((1.0 - x) * (1.0 + x)).sqrt()

    @classmethod
    def examples(cls, rng):
        """Numbers between -1 and 1, away from the ends, where the slope is infinite."""
        for shape in ((3, 4), (), (1,), (0, 2)):
            yield cls(), (rng.uniform(-0.9, 0.9, shape),)


class Arctan(Function):
    r"""The angle between -pi/2 and pi/2 whose tangent is x.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.arctan([0.0, 1.0])
    tensor([0.       , 0.7853982])
    """

    formula = r"y_i = \arctan x_i"

    def forward(self, x):
        return np.arctan(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{1 + x_i^2}")
    def x(self, y_bar, y, x):
        return y_bar / (1.0 + x * x)


class Arctan2(Floating, Binary):
    r"""The angle from the axis to the right to the point with height `x1` and abscissa `x2`.

    It lies between -pi and pi and jumps on the negative axis.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.arctan2([1.0, -1.0], [0.0, 0.0])
    tensor([ 1.5707964, -1.5707964])
    """

    formula = r"y_i = \operatorname{arg}(b_i + \mathrm{i} \, a_i)"
    kinks = "a_i = b_i = 0: the gradients are 0 there"

    def forward(self, x1, x2):
        return np.arctan2(x1, x2)

    @rule(r"\bar a_i = \bar y_i \frac{b_i}{a_i^2 + b_i^2}")
    def x1(self, y_bar, y, x1, x2):
        return y_bar * x2 / _squared_distance(x1, x2)

    @rule(r"\bar b_i = -\bar y_i \frac{a_i}{a_i^2 + b_i^2}")
    def x2(self, y_bar, y, x1, x2):
        return -y_bar * x1 / _squared_distance(x1, x2)

    @classmethod
    def conventions(cls):
        """The origin."""
        yield cls(), (np.zeros(1), np.zeros(1)), (np.zeros(1), np.zeros(1))


def _squared_distance(x1, x2):
    """From the origin; at the origin itself 1, so that 0 can be divided by it."""
    square = x1 * x1 + x2 * x2
    return Where()(square.data == 0, 1, square)
