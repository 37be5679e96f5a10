r"""Derivatives by finite differences, each with a bound on its own error.

For a curve :math:`y(t)` the central difference errs by even powers of the step only,

.. math:: D(h) = \frac{y(h) - y(-h)}{2 h} = y'(0) + c_2 h^2 + c_4 h^4 + \dots

so that differences at three steps can be combined until :math:`h^2` and :math:`h^4` cancel
(Richardson). How far the last combination moved bounds what is left, and the rounding of y, divided
by the step, is added to it. Long steps suffer from the curve's bends, short ones from rounding:
steps are shortened until the bound is good, and the best is kept.

The same numbers give the derivatives from the left and from the right. Where those differ, the
curve has a kink, and the central difference is only their average.

Source: Press et al., *Numerical Recipes*, 3rd ed., Cambridge 2007, section 5.7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STEPS = tuple(2.0**-k for k in (6, 11, 16, 21))  # powers of two: x + h is then mostly exact
GOOD = 1e-8  # with a relative bound like this, no shorter step is tried
SAFETY = 4  # the last combination is much better than what it moved by; noise is not
UNKNOWN = 1e300  # a bound where the curve is not finite; unlike inf, 0 times it is 0
ROUNDING = 64 * np.finfo(np.float64).eps  # of one difference, generously

Curve = Callable[[float], np.ndarray]


class Derivative(NamedTuple):
    """The derivative of each element of a curve at 0, and how far to trust it."""

    value: np.ndarray
    bound: np.ndarray
    left: np.ndarray
    right: np.ndarray
    sides_bound: np.ndarray
    has_kink: np.ndarray  # where left and right surely differ, however short the step


def derivative(curve: Curve) -> Derivative:
    """Differentiate a curve at 0.

    Parameters
    ----------
    curve : callable
        Takes a number near 0, returns an array; the same shape each time.

    Examples
    --------
    >>> slope = derivative(lambda t: np.array([np.exp(t), abs(t)]))
    >>> bool(abs(slope.value[0] - 1) < slope.bound[0] < 1e-8)
    True
    >>> slope.has_kink
    array([False,  True])
    """
    with np.errstate(all="ignore"):
        middle = curve(0.0)
        best = _at_step(curve, middle, STEPS[0])
        for step in STEPS[1:]:
            if np.all((best.bound <= GOOD * (1 + np.abs(best.value))) & ~best.has_kink):
                break
            best = _better_of(best, _at_step(curve, middle, step))
    return best


def _at_step(curve: Curve, middle: np.ndarray, longest: float) -> Derivative:
    steps = [longest, longest / 2, longest / 4]
    above = [curve(h) for h in steps]
    below = [curve(-h) for h in steps]
    rounding = ROUNDING * (1 + np.abs(np.where(np.isfinite(middle), middle, UNKNOWN))) / longest

    central = [(a - b) / (2 * h) for a, b, h in zip(above, below, steps, strict=True)]
    rightward = [(a - middle) / h for a, h in zip(above, steps, strict=True)]
    leftward = [(middle - b) / h for b, h in zip(below, steps, strict=True)]
    value, bound = _without_powers(central, 2, 4)
    right, right_bound = _without_powers(rightward, 1, 2)
    left, left_bound = _without_powers(leftward, 1, 2)
    sides_bound = left_bound + right_bound + 4 * rounding
    kink = np.abs(right - left) > sides_bound
    return Derivative(value, bound + rounding, left, right, sides_bound, kink)


def _without_powers(
    differences: list[np.ndarray], first: int, second: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cancel two powers of the step, which is halved each time; and bound what is left."""
    coarse, middle, fine = differences
    earlier = middle + (middle - coarse) / (2**first - 1)
    later = fine + (fine - middle) / (2**first - 1)
    value = later + (later - earlier) / (2**second - 1)
    bound = SAFETY * np.abs(later - earlier)
    known = np.isfinite(bound)
    return np.where(known, value, 0.0), np.where(known, bound, UNKNOWN)


def _better_of(one: Derivative, other: Derivative) -> Derivative:
    """Choose for each element the derivative with the smaller bound, and likewise the sides."""
    first = one.bound <= other.bound
    first_sides = one.sides_bound <= other.sides_bound
    return Derivative(
        np.where(first, one.value, other.value),
        np.where(first, one.bound, other.bound),
        np.where(first_sides, one.left, other.left),
        np.where(first_sides, one.right, other.right),
        np.where(first_sides, one.sides_bound, other.sides_bound),
        one.has_kink & other.has_kink,
    )
