"""Simple relations between a wrong answer and the right one: what a mistake does to the numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinydl.testing.causes import likely_cause

ROUNDED = "the error is of the size of float32 rounding: something is computed in float32"
HUGE = 1e300  # np.nan_to_num makes the largest number of inf


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays have one shape and the same numbers, up to rounding."""
    if one.shape != other.shape or other.dtype.kind not in "biuf":
        return False
    tolerance = 1e-4 if one.dtype == np.float32 else 1e-7
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance * 1e-2, equal_nan=True))


def relation(got: np.ndarray, expected: np.ndarray) -> str:
    """A simple relation between an answer and the right one, if there is one.

    Examples
    --------
    >>> relation(np.array([-1.0, 2.0]), np.array([1.0, -2.0]))
    'the sign is wrong'
    >>> relation(np.array([4.0, 6.0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    'axis 0 is summed over, and has to stay'
    >>> relation(np.array([0.5, 1.0]), np.array([1.0, 3.0]))
    ''
    """
    if not (got.size and expected.size) or got.dtype.kind not in "fiu":
        return ""
    double = got.dtype == np.float64
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        if got.shape != expected.shape:
            return _of_shapes(got, expected)
        if double and np.abs(got - expected).max() <= 1e-6 * np.abs(expected).max():
            return ROUNDED
        return _of_numbers(got, expected)


def _of_shapes(got: np.ndarray, expected: np.ndarray) -> str:
    if got.ndim > 1 and got.shape == expected.shape[::-1]:
        return "it is transposed"
    flat = expected.ravel()
    if same(got.ravel(), flat):
        if got.ndim > expected.ndim:
            return "the numbers are right, but there is an axis of length 1 too many"
        if got.ndim < expected.ndim:
            return "the numbers are right, but an axis is missing; `keepdims=True` keeps one"
        return "the numbers are right, but their shape is not"
    if not np.any(expected):
        return ""
    for sentence, wrong in _lost_axes(expected):
        if same(np.squeeze(got), np.squeeze(wrong)):
            return sentence
    for sentence, mended in _lost_axes(got):
        if same(np.squeeze(mended), np.squeeze(expected)):
            return sentence.replace("and has to stay", "and has to go").replace(
                "is summed", "is not summed"
            )
    return ""


def _lost_axes(right: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What is left of an array when one axis, or each, is lost."""
    for axis, length in enumerate(right.shape):
        if length > 1:
            yield f"axis {axis} is summed over, and has to stay", right.sum(axis=axis)
            yield f"axis {axis} is averaged over, and has to stay", right.mean(axis=axis)
            yield f"only the first along axis {axis} is there", right.take(0, axis=axis)
            yield f"only the last along axis {axis} is there", right.take(-1, axis=axis)
    if right.ndim > 1:
        yield "everything is added up, where axes have to stay", right.sum()
        yield "everything is averaged, where axes have to stay", right.mean()


def _of_numbers(got: np.ndarray, expected: np.ndarray) -> str:
    if not np.all(np.isfinite(got)):
        nan = ": inf / inf, inf - inf and 0 times inf are nan" if np.any(np.isnan(got)) else ""
        return "" if np.all(np.isnan(expected)) else f"it overflows, or divides by zero{nan}"
    if np.abs(got).max() <= 1e-9 * np.abs(expected[np.isfinite(expected)]).max(initial=0.0):
        return "all elements are zero"
    for sentence, wrong in _functions_of(expected):
        if same(got, wrong):
            return sentence
    if np.abs(got).max() > HUGE:
        return "inf was turned into the largest number there is: it should not arise at all"
    if not np.all(np.isfinite(expected)) or got.size == 1:
        return ""
    sentence = _cut_off(got, expected) or likely_cause(got, expected, np.ones(1), np.empty((0, 0)))
    return "" if sentence.startswith("no simple relation") else sentence


def _functions_of(right: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Functions of the right answer, element by element; not of 0 and 1 alone."""
    if not np.all(np.isin(right, (-1.0, 0.0, 1.0))):
        yield "it is the absolute value of the right answer", np.abs(right)
        yield "it is the square of the right answer", right**2
        yield "it is the square root of the right answer", np.sqrt(right)
        yield "it is the exponential of the right answer", np.exp(right)
        yield "it is the logarithm of the right answer", np.log(right)
        yield "it is 1 divided by the right answer", 1 / right
        whole = "fractions are lost: the result is stored in an array of whole numbers"
        yield whole, np.trunc(right)


def _cut_off(got: np.ndarray, expected: np.ndarray) -> str:
    """Whether all that is wrong lies beyond a limit, and is moved to it."""
    wrong = ~np.isclose(got, expected, rtol=1e-4, atol=1e-7)
    if 1 < np.count_nonzero(wrong) < wrong.size:
        low, high = got.min(), got.max()
        if np.all(expected[wrong & (got == high)] > high) and np.all(got[wrong] == high):
            return f"what should be above {high:.6g} is cut off there"
        if np.all(expected[wrong & (got == low)] < low) and np.all(got[wrong] == low):
            return f"what should be below {low:.6g} is cut off there"
    return ""
