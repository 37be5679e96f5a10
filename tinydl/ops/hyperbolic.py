"""Hyperbolic functions and their inverses."""

from __future__ import annotations

import numpy as np

from tinydl import kernels
from tinydl.engine import rule
from tinydl.ops.elementwise import MANY, Function


class Sinh(Function):
    r"""The hyperbolic sine.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sinh([0.0, 1.0])
    tensor([0.       , 1.1752012])
    """

    formula = r"y_i = \frac{e^{x_i} - e^{-x_i}}{2}"

    def forward(self, x):
        return np.sinh(x)

    @rule(r"\bar x_i = \bar y_i \cosh x_i")
    def x(self, y_bar, y, x):
        return y_bar * Cosh()(x)


class Cosh(Function):
    r"""The hyperbolic cosine, the curve of a hanging chain.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.cosh([0.0, 1.0])
    tensor([1.       , 1.5430807])
    """

    formula = r"y_i = \frac{e^{x_i} + e^{-x_i}}{2}"

    def forward(self, x):
        return np.cosh(x)

    @rule(r"\bar x_i = \bar y_i \sinh x_i")
    def x(self, y_bar, y, x):
        return y_bar * Sinh()(x)


class Tanh(Function):
    r"""The hyperbolic tangent, an S-curve from -1 to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.tanh([0.0, 100.0])
    tensor([0., 1.])
    """

    formula = r"y_i = \tanh x_i"
    methods = ("tanh",)

    def forward(self, x):
        return kernels.tanh_each(x) if x.size >= MANY else np.tanh(x)

    @rule(r"\bar x_i = \bar y_i (1 - y_i^2)")
    def x(self, y_bar, y, x):
        return y_bar * (1.0 - y * y)


class Arcsinh(Function):
    r"""The number whose hyperbolic sine is x.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.arcsinh([0.0, 1.0])
    tensor([0.       , 0.8813736])
    """

    formula = r"y_i = \ln \Big( x_i + \sqrt{x_i^2 + 1} \Big)"

    def forward(self, x):
        return np.arcsinh(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{\sqrt{x_i^2 + 1}}")
    def x(self, y_bar, y, x):
        return y_bar / (x * x + 1.0).sqrt()


class Arccosh(Function):
    r"""The number, not below 0, whose hyperbolic cosine is x; nan below 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.arccosh([1.0, 2.0])
    tensor([0.      , 1.316958])
    """

    formula = r"y_i = \ln \Big( x_i + \sqrt{x_i^2 - 1} \Big)"
    domain = (1.0, np.inf)

    def forward(self, x):
        return np.arccosh(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{\sqrt{(x_i - 1)(x_i + 1)}}")
    def x(self, y_bar, y, x):
        return y_bar / ((x - 1.0) * (x + 1.0)).sqrt()


class Arctanh(Function):
    r"""The number whose hyperbolic tangent is x; nan outside of -1 to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.arctanh([-1.0, 0.0, 1.0])
    tensor([-inf,   0.,  inf])
    """

    formula = r"y_i = \frac{1}{2} \ln \frac{1 + x_i}{1 - x_i}"
    domain = (-1.0, 1.0)

    def forward(self, x):
        return np.arctanh(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{(1 - x_i)(1 + x_i)}")
    def x(self, y_bar, y, x):
        return y_bar / ((1.0 - x) * (1.0 + x))

    @classmethod
    def examples(cls, rng):
        """Numbers between -1 and 1, away from the ends, where the slope is infinite."""
        for shape in ((3, 4), (), (1,), (0, 2)):
            yield cls(), (rng.uniform(-0.9, 0.9, shape),)
