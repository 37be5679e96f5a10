"""Tell what is wrong with a gradient: where, by how much, and what the likely cause is."""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

import numpy as np

from tinydl.engine import Op
from tinydl.testing.causes import likely_cause
from tinydl.testing.differences import derivative
from tinydl.testing.pairs import Arrays, Pair

MOST_ELEMENTS = 1024  # of a larger input, only those elements are looked at that surely matter


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


def explain(mismatch: Mismatch) -> str:
    """A few lines: the element that differs most, the likely cause, and all numbers of the case."""
    pair, arrays, i = mismatch.pair, mismatch.arrays, mismatch.position
    name, y_bar, analytic = mismatch.names[i], mismatch.y_bar, mismatch.x_bar
    jacobian, bounds = _jacobian(pair, arrays, i)
    numeric = (y_bar @ jacobian).reshape(arrays[i].shape)
    bound = (np.abs(y_bar) @ bounds).reshape(arrays[i].shape)
    cause = likely_cause(analytic, numeric, y_bar, jacobian, _other_gradients(mismatch, numeric))
    if analytic.shape != numeric.shape:
        what = f"has shape {analytic.shape}, the input {numeric.shape}"
    else:
        error = np.abs(analytic - numeric)
        place = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error - bound)), error.shape)
        at = f"at {tuple(int(k) for k in place)} " if place else ""
        what = (
            f"{at}is {analytic[place]:.8g}, the finite difference {numeric[place]:.8g} "
            f"within {bound[place]:.1e}"
        )
        what = what.lstrip()
    lines = [f"{mismatch.of}the gradient of {name} {what}", f"  likely cause: {cause}"]
    lines += _formulas(mismatch)
    lines += [_shown(label, a) for label, a in zip(mismatch.names, arrays, strict=True)]
    if "y_bar" not in mismatch.names:
        lines.append(_shown("from above", y_bar))
    lines += [_shown("analytic", analytic), _shown("numeric", numeric)]
    return "\n".join(lines)


def _jacobian(pair: Pair, arrays: Arrays, i: int) -> tuple[np.ndarray, np.ndarray]:
    """All derivatives with respect to input i by finite differences, and their bounds."""
    columns = []
    for element in range(arrays[i].size):
        direction = np.zeros(arrays[i].size)
        direction[element] = 1.0
        moved = list(arrays)

        def curve(t: float) -> np.ndarray:
            moved[i] = arrays[i] + (t * direction).reshape(arrays[i].shape)
            return pair.values(moved)

        columns.append(derivative(curve))
    return np.stack([c.value for c in columns], 1), np.stack([c.bound for c in columns], 1)


def _other_gradients(mismatch: Mismatch, numeric: np.ndarray) -> list[np.ndarray]:
    """The right gradients of the other inputs of this shape."""
    return [
        (mismatch.y_bar @ _jacobian(mismatch.pair, mismatch.arrays, k)[0]).reshape(a.shape)
        for k, a in enumerate(mismatch.arrays)
        if k != mismatch.position and a.dtype.kind == "f" and a.shape == numeric.shape
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
