r"""The error function and what it lacks to 1: the tails of the bell curve.

Near 0 the error function is x times a quotient of polynomials. Further out it is 1 minus its
complement, and that is :math:`e^{-x^2}` times such a quotient. The coefficients are those of

    W. J. Cody, *Rational Chebyshev approximations for the error function*,
    Mathematics of Computation 23 (1969), pages 631-637,

chosen so that the error is below the rounding of float64 everywhere.
"""

from __future__ import annotations

import math

import numpy as np

from tinydl.engine import rule
from tinydl.ops.elementwise import Function

# Numerators and denominators, highest powers first.
NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
     3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2,
     1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
     6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
     1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2,
     5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
     4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
FAR = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
     1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0,
     5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip


def _quotient(polynomials, x):
    numerator, denominator = polynomials
    return np.polyval(numerator, x) / np.polyval(denominator, x)


def _erf_near(x):
    """The error function for |x| up to 0.46875."""
    return x * _quotient(NEAR, x * x)


def _erfc_beyond(x):
    """The complement for x above 0.46875."""
    x = np.minimum(x, 30.0)  # erfc(30) rounds to 0, and inf would give 0 * inf
    quotient = _quotient(MIDDLE, x)
    is_far = x > 4
    u = 1 / x[is_far] ** 2
    quotient[is_far] = (1 / math.sqrt(math.pi) - u * _quotient(FAR, u)) / x[is_far]
    # In e^{-x^2} the rounding of x^2 would grow by x^2: split off a square that is exact.
    rough = np.trunc(x * 16) / 16
    return np.exp(-rough * rough) * np.exp(-(x - rough) * (x + rough)) * quotient


class Erf(Function):
    r"""The error function: an S-curve from -1 to 1, the integral of the bell curve.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.erf([-100.0, 0.0, 1.0])
    tensor([-1.       ,  0.       ,  0.8427008])
    """

    formula = r"y_i = \frac{2}{\sqrt{\pi}} \int_0^{x_i} e^{-t^2} dt"

    def forward(self, x):
        wide = x.astype(np.float64)
        y = np.asarray(_erf_near(wide))
        beyond = np.abs(wide) > 0.46875
        outer = wide[beyond]
        y[beyond] = np.copysign(1 - _erfc_beyond(np.abs(outer)), outer)
        return y.astype(x.dtype)

    @rule(r"\bar x_i = \bar y_i \frac{2}{\sqrt{\pi}} e^{-x_i^2}")
    def x(self, y_bar, y, x):
        return y_bar * (2 / math.sqrt(math.pi) * (-x * x).exp())


class Erfc(Function):
    r"""What the error function lacks to 1, with all its digits also where that is tiny.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.erfc([-100.0, 0.0, 100.0])
    tensor([2., 1., 0.])
    """

    formula = r"y_i = \frac{2}{\sqrt{\pi}} \int_{x_i}^\infty e^{-t^2} dt"

    def forward(self, x):
        wide = x.astype(np.float64)
        y = np.asarray(1 - _erf_near(wide))
        beyond = np.abs(wide) > 0.46875
        outer = wide[beyond]
        tail = _erfc_beyond(np.abs(outer))
        y[beyond] = np.where(outer > 0, tail, 2 - tail)
        return y.astype(x.dtype)

    @rule(r"\bar x_i = -\bar y_i \frac{2}{\sqrt{\pi}} e^{-x_i^2}")
    def x(self, y_bar, y, x):
        return -y_bar * (2 / math.sqrt(math.pi) * (-x * x).exp())
