"""Exponentials, logarithms and roots."""

from __future__ import annotations

import math

import numpy as np

from tinydl import kernels
from tinydl.engine import rule
from tinydl.ops.elementwise import MANY, Function


class Exp(Function):
    r"""The exponential.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.exp([0.0, 1.0])
    tensor([1.      , 2.718282])
    """

    formula = r"y_i = e^{x_i}"
    methods = ("exp",)

    def forward(self, x):
        return kernels.exp_each(x) if x.size >= MANY else np.exp(x)

    @rule(r"\bar x_i = \bar y_i y_i")
    def x(self, y_bar, y, x):
        return y_bar * y


class Exp2(Function):
    r"""Two to the power of x.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.exp2([0.0, 3.0])
    tensor([1., 8.])
    """

    formula = r"y_i = 2^{x_i}"

    def forward(self, x):
        return np.exp2(x)

    @rule(r"\bar x_i = \bar y_i y_i \ln 2")
    def x(self, y_bar, y, x):
        return y_bar * y * math.log(2)


class Expm1(Function):
    r"""The exponential minus 1, exact for small x.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.expm1([0.0, 1e-10])
    tensor([0.e+00, 1.e-10])
    """

    formula = r"y_i = e^{x_i} - 1"

    def forward(self, x):
        return np.expm1(x)

    @rule(r"\bar x_i = \bar y_i e^{x_i}")
    def x(self, y_bar, y, x):
        return y_bar * Exp()(x)


class Log(Function):
    r"""The natural logarithm; -inf at 0, nan below.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log([1.0, 2.0])
    tensor([0.       , 0.6931472])
    """

    formula = r"y_i = \ln x_i"
    domain = (0.0, np.inf)
    methods = ("log",)

    def forward(self, x):
        return np.log(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{x_i}")
    def x(self, y_bar, y, x):
        return y_bar / x


class Log1p(Function):
    r"""The logarithm of 1 + x, exact for small x.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log1p([0.0, 1e-10])
    tensor([0.e+00, 1.e-10])
    """

    formula = r"y_i = \ln(1 + x_i)"
    domain = (-1.0, np.inf)

    def forward(self, x):
        return np.log1p(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{1 + x_i}")
    def x(self, y_bar, y, x):
        return y_bar / (1.0 + x)


class Log2(Function):
    r"""The logarithm to base 2; -inf at 0, nan below.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log2([1.0, 8.0])
    tensor([0., 3.])
    """

    formula = r"y_i = \log_2 x_i"
    domain = (0.0, np.inf)

    def forward(self, x):
        return np.log2(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{x_i \ln 2}")
    def x(self, y_bar, y, x):
        return y_bar / (math.log(2) * x)


class Log10(Function):
    r"""The logarithm to base 10; -inf at 0, nan below.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log10([0.0, 1.0])
    tensor([-inf,   0.])
    """

    formula = r"y_i = \log_{10} x_i"
    domain = (0.0, np.inf)

    def forward(self, x):
        return np.log10(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{x_i \ln 10}")
    def x(self, y_bar, y, x):
        return y_bar / (math.log(10) * x)


class Sqrt(Function):
    r"""The square root; nan below 0. At 0 the gradient is infinite.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sqrt([4.0, 9.0])
    tensor([2., 3.])
    """

    formula = r"y_i = \sqrt{x_i}"
    domain = (0.0, np.inf)
    methods = ("sqrt",)

    def forward(self, x):
        return np.sqrt(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{2 y_i}")
    def x(self, y_bar, y, x):
        return y_bar / (2.0 * y)


class Rsqrt(Function):
    r"""One divided by the square root; inf at 0, nan below.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.rsqrt([4.0, 16.0])
    tensor([0.5 , 0.25])
    """

    formula = r"y_i = \frac{1}{\sqrt{x_i}}"
    domain = (0.0, np.inf)

    def forward(self, x):
        return 1 / np.sqrt(x)

    @rule(r"\bar x_i = -\tfrac{1}{2} \bar y_i y_i^3")
    def x(self, y_bar, y, x):
        return -0.5 * y_bar * y * y * y
