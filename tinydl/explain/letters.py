r"""The letters of a formula: which stands for which input, and what shapes they have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tinydl.engine import Op
from tinydl.explain.evaluating import SETTINGS
from tinydl.explain.formulas import name_in_latex
from tinydl.explain.page import number

LEFT_SIDE = re.compile(r"\\bar\s*\{?\s*(\\?[A-Za-z]+)")
SETS = {"f": r"\mathbb{R}", "i": r"\mathbb{Z}", "u": r"\mathbb{N}", "b": r"\{0, 1\}"}
OTHERS = {"where": "x", "condition": "c", "x_min": "a", "x_max": "b", "indices": "i"}
IN_LATEX = {"ε": r"\epsilon", "λ": r"\lambda"}
OF_PAIRS = {"x1": "a", "x2": "b", "x": "a", "y": "b"}  # in ops without rules: comparisons


def letters_of(op: Op, count: int) -> tuple[str, ...]:
    r"""The letter of each input: the one with a bar on the left side of its rule.

    Examples
    --------
    >>> from tinydl.ops.conv import Conv
    >>> letters_of(Conv(), 2)
    ('x', 'w')
    """
    if op.starred:
        return tuple(f"x^{{({m})}}" for m in range(1, count + 1))
    return tuple(_letter(op, position, count) for position in range(count))


def _letter(op: Op, position: int, count: int) -> str:
    name = op.input_names[position]
    rule = op.rules[position]
    found = LEFT_SIDE.match(getattr(rule, "formula", ""))
    if found:
        return found.group(1)
    if name in OTHERS:
        return OTHERS[name]
    if count == 2 and name in OF_PAIRS:
        return OF_PAIRS[name]
    return name[0]


def letter_of_result(op: Op) -> str:
    """The letter on the left side of an op's formula.

    Examples
    --------
    >>> from tinydl.ops.conv import ConvInputGradient
    >>> letter_of_result(ConvInputGradient)
    'z'
    """
    found = re.match(r"\s*(\\?[A-Za-z]+)", op.formula)
    return found.group(1) if found and "=" in op.formula else "y"


def formula_of_op(op: Op, letters: Sequence[str]) -> str:
    """The op's formula; of one that states none, its name and its letters."""
    return op.formula or rf"y = {name_in_latex(op.name)}({', '.join(letters)})"


def mentions(formula: str, symbol: str) -> bool:
    r"""Whether a letter occurs in a formula without a bar.

    Examples
    --------
    >>> mentions(r"\bar x_i = \bar y_i (1 - y_i^2)", "y"), mentions(r"\bar x_i = -\bar y_i", "y")
    (True, False)
    """
    without_bars = re.sub(LEFT_SIDE, "", formula)
    return bool(re.search(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z])", without_bars))


def shape_of(symbol: str, shape: tuple[int, ...], dtype: np.dtype) -> str:
    r"""What a letter stands for.

    Examples
    --------
    >>> shape_of("x", (2, 3), np.dtype("float32")), shape_of("L", (), np.dtype("int64"))
    ('x \\in \\mathbb{R}^{2 \\times 3}', 'L \\in \\mathbb{Z}')
    """
    lengths = r" \times ".join(map(str, shape))
    return rf"{symbol} \in {SETS[dtype.kind]}" + (f"^{{{lengths}}}" if shape else "")


def settings_of(op: Op, arrays: Sequence[np.ndarray], formula: str) -> list[str]:
    r"""What the other letters of a formula stand for: strides, paddings, a slope, a count.

    Examples
    --------
    >>> from tinydl.ops.conv import Conv
    >>> image, kernel = np.zeros((1, 5, 5, 1)), np.zeros((3, 3, 1, 1))
    >>> settings_of(Conv(strides=(2, 1), padding="same"), (image, kernel), Conv.formula)
    ['s = (2, 1)', 'd = 1', 't = 1', 'l = 1']
    """
    known = _geometry(op, arrays)
    for letter, attributes in SETTINGS.items():
        for attribute in attributes:
            if isinstance(getattr(op, attribute, None), (int, float)):
                known[IN_LATEX.get(letter, letter)] = number(getattr(op, attribute))
    if type(op).__module__.startswith("tinydl.") and callable(getattr(op, "axes", None)):
        axes = op.axes(arrays[0])  # type: ignore[attr-defined]
        known["n"] = str(prod(arrays[0].shape[axis] for axis in axes))
    return [f"{letter} = {value}" for letter, value in known.items() if mentions(formula, letter)]


def _geometry(op: Any, arrays: Sequence[np.ndarray]) -> dict[str, str]:
    """Of an op on windows: stride, dilation, and the padding at the top and on the left."""
    match getattr(op, "name", ""):
        case "conv":
            strides, sides, dilation = op.geometry(*arrays)
        case "max_pool" | "average_pool":
            _, strides, sides = op.geometry(*arrays)
            dilation = (1, 1)
        case _:
            return {}
    (top, _), (left, _) = sides
    return {"s": _pair(strides), "d": _pair(dilation), "t": str(top), "l": str(left)}


def _pair(both: tuple[int, int]) -> str:
    return str(both[0]) if both[0] == both[1] else f"({both[0]}, {both[1]})"
