"""Smooth activations: S-curves, and soft versions of the rectifier."""

from __future__ import annotations

import math

import numpy as np

from tinydl import kernels
from tinydl.engine import rule
from tinydl.errors import ArgumentError
from tinydl.ops.elementwise import Function
from tinydl.ops.error_function import Erfc
from tinydl.ops.hyperbolic import Tanh
from tinydl.ops.selection import Where


class Sigmoid(Function):
    r"""The logistic function, an S-curve from 0 to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sigmoid([-1000.0, 0.0, 1000.0])
    tensor([0. , 0.5, 1. ])
    """

    formula = r"y_i = \frac{1}{1 + e^{-x_i}}"

    def forward(self, x):
        return kernels.sigmoid_each(x)

    @rule(r"\bar x_i = \bar y_i y_i (1 - y_i)")
    def x(self, y_bar, y, x):
        return y_bar * y * (1.0 - y)


class LogSigmoid(Function):
    r"""The logarithm of the sigmoid, finite where the sigmoid rounds to 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log_sigmoid([-1000.0, 0.0, 1000.0])
    tensor([-1.000000e+03, -6.931472e-01,  0.000000e+00])
    """

    formula = r"y_i = -\ln(1 + e^{-x_i})"

    def forward(self, x):
        # Of x - ln(1 + e^x) and -ln(1 + e^-x), take the one whose exponential is at most 1.
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    @rule(r"\bar x_i = \bar y_i \, \sigma(-x_i)")
    def x(self, y_bar, y, x):
        return y_bar * Sigmoid()(-x)


class Softplus(Function):
    r"""A smooth version of relu, and the integral of the sigmoid.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.softplus([-1000.0, 0.0, 1000.0])
    tensor([0.000000e+00, 6.931472e-01, 1.000000e+03])
    """

    formula = r"y_i = \ln(1 + e^{x_i})"

    def forward(self, x):
        # ln(1 + e^x) = x + ln(1 + e^-x): of the two, take the one whose exponential is at most 1.
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    @rule(r"\bar x_i = \bar y_i \, \sigma(x_i)")
    def x(self, y_bar, y, x):
        return y_bar * Sigmoid()(x)


class Softsign(Function):
    r"""An S-curve from -1 to 1 that flattens more slowly than tanh.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.softsign([-1.0, 3.0])
    tensor([-0.5 ,  0.75])
    """

    formula = r"y_i = \frac{x_i}{1 + |x_i|}"

    def forward(self, x):
        return x / (1 + np.abs(x))

    @rule(r"\bar x_i = \frac{\bar y_i}{(1 + |x_i|)^2}")
    def x(self, y_bar, y, x):
        return y_bar / (1.0 + abs(x)) ** 2


class Silu(Function):
    r"""The input times its own sigmoid; also called swish.

    Source: Ramachandran, Zoph & Le, *Searching for activation functions*, arXiv:1710.05941.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.silu([-1000.0, 0.0, 1000.0])
    tensor([  -0.,    0., 1000.])
    """

    formula = r"y_i = x_i \, \sigma(x_i)"

    def forward(self, x):
        return x * Sigmoid().forward(x)

    @rule(r"\bar x_i = \bar y_i \, \sigma(x_i) \, (1 + x_i (1 - \sigma(x_i)))")
    def x(self, y_bar, y, x):
        s = Sigmoid()(x)
        return y_bar * s * (1.0 + x * (1.0 - s))


class Mish(Function):
    r"""The input times the tanh of its softplus: like silu, a little steeper.

    Source: Misra, *Mish: a self regularized non-monotonic activation function*, arXiv:1908.08681.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.mish([-1000.0, 0.0, 1000.0])
    tensor([  -0.,    0., 1000.])
    """

    formula = r"y_i = x_i \tanh \ln(1 + e^{x_i})"

    def forward(self, x):
        return x * np.tanh(Softplus().forward(x))

    @rule(
        r"\bar x_i = \bar y_i \big( t_i + x_i (1 - t_i^2) \, \sigma(x_i) \big),"
        r" \quad t_i = \tanh \ln(1 + e^{x_i})"
    )
    def x(self, y_bar, y, x):
        t = Tanh()(Softplus()(x))
        return y_bar * (t + x * (1.0 - t * t) * Sigmoid()(x))


class Gelu(Function):
    r"""The input times the probability that a standard normal variable is below it.

    Parameters
    ----------
    x : array_like
    approximate : bool
        Whether to use :math:`\tfrac{x}{2} \big( 1 + \tanh \sqrt{2/\pi} (x + 0.044715 x^3) \big)`,
        which is off by less than 0.0005, instead of the error function.

    Source: Hendrycks & Gimpel, *Gaussian error linear units*, arXiv:1606.08415.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.gelu([-1.0, 0.0, 1.0])
    tensor([-0.158808,  0.      ,  0.841192])
    >>> ops.gelu([-1.0, 0.0, 1.0], approximate=False)
    tensor([-0.15865526,  0.        ,  0.8413447 ])
    """

    formula = (
        r"y_i = x_i \, \Phi(x_i),"
        r" \quad \Phi(x) = \tfrac{1}{2} (1 + \operatorname{erf}(x / \sqrt{2}))"
        r" \approx \tfrac{1}{2} \big( 1 + \tanh(\sqrt{2 / \pi} \, (x + 0.044715 \, x^3)) \big)"
    )

    def __init__(self, approximate=True):
        self.approximate = approximate

    def forward(self, x):
        if self.approximate:
            return x * Sigmoid().forward(self.inner(x))
        return 0.5 * x * Erfc().forward(-math.sqrt(0.5) * x)

    def inner(self, x):
        """What the approximation takes the sigmoid of, as (1 + tanh u) / 2 is that of 2 u."""
        return math.sqrt(8 / math.pi) * (x + 0.044715 * (x * x * x))

    @rule(r"\bar x_i = \bar y_i \big( \Phi(x_i) + x_i \, \Phi'(x_i) \big)")
    def x(self, y_bar, y, x):
        if self.approximate:
            s = Sigmoid()(self.inner(x))
            flat = s * (1.0 - s)
            near = Where()(flat == 0, 0, x)  # far out the square overflows: 0 * inf would be nan
            slope = math.sqrt(8 / math.pi) * (1.0 + 3 * 0.044715 * (near * near))
            return y_bar * (s + x * flat * slope)
        below = 0.5 * Erfc()(-math.sqrt(0.5) * x)
        return y_bar * (below + x * ((-0.5 * x * x).exp() / math.sqrt(2 * math.pi)))

    @classmethod
    def examples(cls, rng):
        """Exact and approximate."""
        for approximate in (True, False):
            yield cls(approximate), (rng.normal(size=(3, 4)),)
        yield cls(), (rng.normal(size=()),)
        yield cls(), (rng.normal(size=(0, 2)),)


class TanhShrink(Function):
    r"""The input without its tanh.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.tanh_shrink([0.0, 1000.0])
    tensor([  0., 999.])
    """

    formula = r"y_i = x_i - \tanh x_i"

    def forward(self, x):
        return x - np.tanh(x)

    @rule(r"\bar x_i = \bar y_i \tanh^2 x_i")
    def x(self, y_bar, y, x):
        t = Tanh()(x)
        return y_bar * t * t


class Squareplus(Function):
    r"""A smooth relu made of a square root, without exponentials.

    Parameters
    ----------
    x : array_like
    b : float
        How far the bend is from the corner of relu; above 0.

    Raises
    ------
    ArgumentError
        When `b` is not above 0.

    Source: Barron, *Squareplus: a softplus-like algebraic rectifier*, arXiv:2112.11687.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.squareplus([0.0, 1.5])
    tensor([1., 2.])
    """

    formula = r"y_i = \tfrac{1}{2} \Big( x_i + \sqrt{x_i^2 + b} \Big)"

    def __init__(self, b=4):
        if not b > 0:
            raise ArgumentError("squareplus", "b", got=b, expected="a number above 0")
        self.b = b

    def forward(self, x):
        # For negative x the sum cancels; there it is b / 2 divided by the difference.
        root = np.hypot(x, math.sqrt(self.b))
        return np.maximum(x, 0) + self.b / 2 / (root + np.abs(x))

    @rule(r"\bar x_i = \bar y_i \frac{y_i}{2 y_i - x_i}, \quad 2 y_i - x_i = \sqrt{x_i^2 + b}")
    def x(self, y_bar, y, x):
        return y_bar * y / (2.0 * y - x)

    @classmethod
    def examples(cls, rng):
        """A tight and a wide bend."""
        for b in (4, 0.5):
            yield cls(b), (rng.normal(size=(3, 4)),)
        yield cls(), (rng.normal(size=()),)
