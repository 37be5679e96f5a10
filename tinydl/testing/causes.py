"""Guess what is wrong with a gradient from the way in which its numbers differ from the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

Jacobian = np.ndarray  # (elements of the result, elements of the input)


def likely_cause(
    analytic: np.ndarray,
    numeric: np.ndarray,
    y_bar: np.ndarray,
    jacobian: Jacobian,
    others: Sequence[np.ndarray] = (),
) -> str:
    """Say in one sentence which common mistake turns `numeric` into `analytic`.

    Parameters
    ----------
    analytic, numeric : numpy.ndarray
        The gradient under suspicion, and what finite differences say. Their shapes may differ.
    y_bar : numpy.ndarray
        The gradient that arrived from above.
    jacobian : numpy.ndarray, shape (y.size, x.size)
        The derivatives of the result, by finite differences.
    others : sequence of numpy.ndarray
        The right gradients of the other inputs.

    Examples
    --------
    >>> g = np.array([1.0, -2.0])
    >>> likely_cause(-g, g, g, np.eye(2))
    'the sign is wrong'
    >>> likely_cause(np.ones((3, 2)), np.full(2, 3.0), np.ones((3, 2)), np.ones((6, 2)))
    'the sum over axis 0, along which the input was broadcast, is missing'
    """
    if analytic.shape != numeric.shape:
        return _cause_of_shape(analytic, numeric)
    if not np.all(np.isfinite(analytic)):
        return "it is not finite: a division by zero, or the logarithm of zero, in the rule"
    differs = ~np.isclose(analytic, numeric, rtol=1e-6, atol=1e-9)
    if not differs.any():
        return "the error is of the size of float32 rounding: something is computed in float32"
    for sentence, wrong in _mistakes(analytic, numeric, y_bar, jacobian, others):
        if wrong.shape == analytic.shape and _close(analytic, wrong):
            return sentence
    if np.count_nonzero(differs) <= differs.size / 2:
        return (
            f"{np.count_nonzero(differs)} of {differs.size} elements differ, the others are right: "
            "look at what is special about those places"
        )
    return "no simple relation between the two was found"


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.allclose(one, other, rtol=1e-6, atol=1e-9))


def _cause_of_shape(analytic: np.ndarray, numeric: np.ndarray) -> str:
    if analytic.shape == numeric.shape[::-1]:
        return "it is transposed"
    extra = analytic.ndim - numeric.ndim
    if extra >= 0:
        aligned = (1,) * extra + numeric.shape
        lengths = list(zip(analytic.shape, aligned, strict=True))
        stretched = tuple(i for i, (n, m) in enumerate(lengths) if i < extra or (m == 1 and n != 1))
        total = analytic.sum(axis=stretched, keepdims=True)
        if total.size == numeric.size and _close(total.reshape(numeric.shape), numeric):
            axes = " and ".join(f"axis {i}" for i in stretched)
            return f"the sum over {axes}, along which the input was broadcast, is missing"
    return "a gradient has the shape of its input"


def _mistakes(
    analytic: np.ndarray,
    numeric: np.ndarray,
    y_bar: np.ndarray,
    jacobian: Jacobian,
    others: Sequence[np.ndarray],
) -> Iterator[tuple[str, np.ndarray]]:
    """Sentences, each with the gradient that the mistake would give."""
    if numeric.any():
        yield "it is zero: the input was detached from the graph", np.zeros(numeric.shape)
    yield "the sign is wrong", -numeric
    yield "a factor 2 is missing", numeric / 2
    yield "a factor 2 too many", numeric * 2
    yield from _lost_counts(numeric, y_bar)
    if jacobian.size:
        ignored = jacobian.sum(axis=0).reshape(numeric.shape)
        yield "the gradient that arrives from above is not used", ignored
        if jacobian.shape[0] == jacobian.shape[1]:
            diagonal = (np.diag(jacobian) * y_bar.ravel()).reshape(numeric.shape)
            yield "it is treated as elementwise: each result depends on several elements", diagonal
    for other in others:
        yield "it is the gradient of another input", other
    yield from _misplaced(numeric)
    scale = np.vdot(numeric, analytic) / max(np.vdot(numeric, numeric), 1e-300)
    yield f"it is {scale:.6g} times what it should be", numeric * scale


def _lost_counts(numeric: np.ndarray, y_bar: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Sums for means and means for sums: off by the length of an axis, or of some."""
    reduced, stretched = numeric.size // max(y_bar.size, 1), y_bar.size // max(numeric.size, 1)
    counts = {numeric.size, y_bar.size, reduced, stretched, *numeric.shape}
    for n in sorted(count for count in counts if count > 1):
        yield f"a mean for a sum: it is {n} times too small, a count of elements", numeric / n
        yield f"a sum for a mean: it is {n} times too large, a count of elements", numeric * n


def _misplaced(numeric: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The right numbers in the wrong places."""
    if numeric.ndim >= 2:
        yield "it is transposed", numeric.swapaxes(-1, -2)
    if numeric.ndim > 2:
        yield "it is transposed", numeric.T
    for axis in range(numeric.ndim):
        yield f"axis {axis} is reversed", np.flip(numeric, axis)
        for shift in (1, -1):
            yield f"it is shifted by one along axis {axis}", np.roll(numeric, shift, axis)
