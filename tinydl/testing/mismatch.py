"""Tell what is wrong with a gradient: where, by how much, and what the likely cause is."""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

import numpy as np

from tinydl.engine import Op
from tinydl.testing.causes import likely_cause
from tinydl.testing.pairs import Arrays, Pair, slope_along

FEW = 64  # larger inputs are halved until so many elements are left, among them a wrong one


class Mismatch(NamedTuple):
    """A gradient that is wrong somewhere: of which function, where, and for which cotangent."""

    f: Any
    pair: Pair
    arrays: Arrays
    position: int
    names: list[str]
    y_bar: np.ndarray
    x_bar: np.ndarray
    of: str


def explain(mismatch: Mismatch, direction: np.ndarray) -> str:
    """A few lines: the element that differs most, the likely cause, and all numbers of the case.

    Parameters
    ----------
    mismatch : Mismatch
    direction : numpy.ndarray
        The direction along which the derivative is known to be wrong.
    """
    arrays, i, y_bar = mismatch.arrays, mismatch.position, mismatch.y_bar
    shape = arrays[i].shape
    elements = np.arange(arrays[i].size)
    if mismatch.x_bar.shape == shape:
        elements = _guilty(mismatch, direction)
    jacobian, bounds = _jacobian(mismatch.pair, arrays, i, elements)
    numeric, bound, analytic = y_bar @ jacobian, np.abs(y_bar) @ bounds, mismatch.x_bar
    others = []
    if len(elements) == arrays[i].size:
        numeric, bound = numeric.reshape(shape), bound.reshape(shape)
        others = _other_gradients(mismatch, shape)
    else:
        analytic = analytic.ravel()[elements]
    cause = likely_cause(analytic, numeric, y_bar, jacobian, others)
    what = f"has shape {analytic.shape}, the input {shape}"
    if analytic.shape == numeric.shape:
        error = np.abs(analytic - numeric) - bound
        worst = np.argmax(np.where(np.isnan(error), np.inf, error))
        place = tuple(int(k) for k in np.unravel_index(elements[worst], shape))
        what = (
            f"{f'at {place} ' if place else ''}is {analytic.flat[worst]:.8g}, the finite "
            f"difference {numeric.flat[worst]:.8g} within {bound.flat[worst]:.1e}"
        )
    lines = [f"{mismatch.of}the gradient of {mismatch.names[i]} {what}", f"  likely cause: {cause}"]
    lines += _formulas(mismatch)
    lines += [_shown(label, a) for label, a in zip(mismatch.names, arrays, strict=True)]
    if "y_bar" not in mismatch.names:
        lines.append(_shown("from above", y_bar))
    lines += [_shown("analytic", analytic), _shown("numeric", numeric)]
    return "\n".join(lines)


def _guilty(mismatch: Mismatch, direction: np.ndarray) -> np.ndarray:
    """A few elements, one of which is wrong: halve the direction, keep the half that is wrong."""
    elements = np.flatnonzero(np.ones(direction.shape))
    while len(elements) > FEW:
        half = elements[: len(elements) // 2]
        part = np.zeros(direction.size)
        part[half] = direction.ravel()[half]
        along = part.reshape(direction.shape)
        slope = slope_along(mismatch.pair, mismatch.arrays, mismatch.position, along)
        error = abs(np.sum(mismatch.x_bar * along) - mismatch.y_bar @ slope.value)
        is_wrong = not error <= np.abs(mismatch.y_bar) @ slope.bound
        elements = half if is_wrong else elements[len(elements) // 2 :]
    return elements


def _jacobian(
    pair: Pair, arrays: Arrays, i: int, elements: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The derivatives with respect to these elements of input i, and their bounds."""
    slopes = []
    for element in elements:
        direction = np.zeros(arrays[i].size)
        direction[element] = 1.0
        slopes.append(slope_along(pair, arrays, i, direction.reshape(arrays[i].shape)))
    return np.stack([s.value for s in slopes], 1), np.stack([s.bound for s in slopes], 1)


def _other_gradients(mismatch: Mismatch, shape: tuple[int, ...]) -> list[np.ndarray]:
    """The right gradients of the other inputs of this shape."""
    pair, arrays = mismatch.pair, mismatch.arrays
    return [
        (mismatch.y_bar @ _jacobian(pair, arrays, k, np.arange(a.size))[0]).reshape(shape)
        for k, a in enumerate(arrays)
        if k != mismatch.position and a.dtype.kind == "f" and a.shape == shape
    ]


def _formulas(mismatch: Mismatch) -> list[str]:
    """The op's formula and the rule's, if it is an op."""
    if not isinstance(mismatch.f, Op):
        return []
    rules = mismatch.f.rules_for(mismatch.arrays[: len(mismatch.names)])
    lines = [f"  op: {mismatch.f!r}", f"  formula: {mismatch.f.formula}"]
    rule = rules[mismatch.position] if mismatch.position < len(rules) else None
    if rule is not None and not mismatch.of:
        lines.append(f"  gradient rule: {rule.formula}")  # type: ignore[attr-defined]
    return lines


def _shown(label: str, a: np.ndarray) -> str:
    numbers = np.array2string(a, precision=6, threshold=40, edgeitems=3, separator=", ")
    return f"  {label} =" + (
        f" {numbers}" if "\n" not in numbers else "\n" + textwrap.indent(numbers, "    ")
    )
