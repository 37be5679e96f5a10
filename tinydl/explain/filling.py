r"""A gradient rule with numbers in it: for every letter of its formula, the number it stands for.

The rule of a tanh is :math:`\bar x_i = \bar y_i (1 - y_i^2)`, and a page should say
:math:`0.5 (1 - 0.76^2)`. The formula is read (`tinydl.explain.latex`), and evaluated by numbers
that know how they were computed (`tinydl.explain.evaluating`). That is possible where its letters
have one index, which counts single elements or the elements of a row. Rules about windows, places
and matrices are sums of products, and say all they have to say term by term.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import numpy as np

from tinydl.engine import quiet
from tinydl.errors import ArgumentError
from tinydl.explain import tree
from tinydl.explain.applied import Applied, Operand, letter, within
from tinydl.explain.evaluating import Evaluator, Unreadable
from tinydl.explain.expressions import Expression
from tinydl.explain.latex import parse
from tinydl.explain.page import Index, Part, Term, zeros_to_the_middle
from tinydl.explain.unicode_math import as_text


def filled_rule(
    applied: Applied, position: int, y_bar: Operand, index: Index, value: float
) -> tuple[Part, ...]:
    """The rule of an input with the numbers of one element of it.

    Parameters
    ----------
    applied : Applied
    position : int
        Of the input.
    y_bar : Operand
        What arrived.
    index : tuple of int
        Of the input's element.
    value : float
        What the rule makes; a reading that comes to another number is none.

    Returns
    -------
    tuple of Part
        Named sums first, the gradient last. Nothing where the rule only passes on what arrives,
        or is about windows, places or matrices.
    """
    rule = applied.op.rules_for(applied.operands)[position]
    try:
        statement = _read(getattr(rule, "formula", ""))
        if not _says_more_than(statement.right, y_bar.symbol):
            return ()
        with quiet():
            parts = _filled(applied, position, y_bar, index, statement)
            *before, result = parts
            scale = 1 + abs(value) + sum(abs(term.value) for term in result.terms)
            eps = float(np.finfo(y_bar.array.dtype).eps)
            adds_up = abs(result.combined() - value) <= 256 * eps * scale
    except (Unreadable, ArgumentError, OverflowError):
        return ()
    except (TypeError, ValueError, IndexError):  # an op of one's own may call other things `axis`
        return ()
    return (*before, replace(result, value=value)) if adds_up else ()


class _Statement:
    """A formula taken apart: what stands on the left, on the right, and what it defines."""

    def __init__(self, formula: str) -> None:
        whole = parse(formula)
        first, *others = whole.items if isinstance(whole, tree.Sequence) else (whole,)
        separators = whole.separators if isinstance(whole, tree.Sequence) else ()
        self.index, self.right = _equation(first)[1:]
        self.definitions: dict[str, tuple[str, tree.Node]] = {}
        for separator, other in zip(separators, others, strict=True):
            if separator.strip() != ",":
                break  # words
            try:
                name, index, right = _equation(other)
            except Unreadable:
                continue  # a remark
            self.definitions[name] = index, right


_read = cache(_Statement)


def _equation(node: tree.Node) -> tuple[str, str, tree.Node]:
    """The letter on the left, its index or "", and the right side."""
    match node:
        case tree.Infix("relation", ((_, left), ("=", right), *_)):
            match left:
                case tree.Symbol() | tree.Accent():
                    return as_text(left), "", right
                case tree.Scripted(base, tree.Symbol(index), None):
                    return as_text(base), index, right
    raise Unreadable


def _says_more_than(right: tree.Node, y_bar: str) -> bool:
    """Whether there is another letter than that of the gradient which arrives."""
    without_indices = re.sub(r"_(\w+|\([^)]*\))", "", as_text(right))
    rest = without_indices.replace(as_text(parse(y_bar)), "")
    return any(mark.isalpha() and mark != "Σ" for mark in rest)


def _filled(
    applied: Applied, position: int, y_bar: Operand, index: Index, rule: _Statement
) -> list[Part]:
    """The parts for a row; or, of an op on single elements, a term for each result it feeds."""
    arrays = [*applied.operands, applied.result, y_bar]
    definitions = {**_read(applied.op.formula).definitions, **rule.definitions}
    x = applied.operands[position]
    symbol = letter(rf"\bar {x.symbol}", index)
    axes = _axes_of_row(applied)
    if axes is not None:
        row = _Row(applied, axes, index)
        evaluator = Evaluator(
            applied.op, {a.symbol: row.of(a) for a in arrays}, row.length, definitions
        )
        bound = {rule.index: row.at} if rule.index else {}
        return evaluator.parts_of(symbol, rule.right, bound)
    terms: list[Term] = []
    for place in _fed_by(index, x.array.shape, applied.y.shape):
        letters = {a.symbol: _same(a.at(within(place, a.array.shape))) for a in arrays}
        evaluator = Evaluator(applied.op, letters, 1, definitions)
        parts = evaluator.parts_of(symbol, rule.right, {rule.index: 0})
        if applied.y.shape == x.array.shape:
            return parts
        terms += parts[-1].terms
    made = zeros_to_the_middle(terms)
    return [Part(symbol, "sum", made, float(np.sum([term.value for term in terms])))]


def _same(e: Expression) -> Callable[[int], Expression]:
    return lambda i: e


def _fed_by(index: Index, shape: Index, result: Index) -> Iterator[Index]:
    """The places of a stretched result at which this element of an input was used."""
    numbers = np.arange(prod(shape)).reshape(shape)
    try:
        stretched = np.broadcast_to(numbers, result)
    except ValueError:
        raise Unreadable from None
    return (tuple(place.tolist()) for place in np.argwhere(stretched == numbers[index]))


def _axes_of_row(applied: Applied) -> tuple[int, ...] | None:
    """Along which axes the elements depend on each other; None for an op on single elements."""
    op: Any = applied.op
    whole = max(applied.operands, key=lambda x: x.array.ndim).array
    if hasattr(op, "axes"):
        axis = op.axes(whole) if callable(op.axes) else op.axes
        return tuple(range(whole.ndim)) if axis is None else tuple(axis)
    if not hasattr(op, "axis"):
        return None
    if op.axis is None or whole.ndim == 0:
        return tuple(range(whole.ndim))
    return (op.axis % whole.ndim,)


class _Row:
    """The elements that depend on each other, of which the picked one is one."""

    def __init__(self, applied: Applied, axes: Index, index: Index) -> None:
        whole = max((x.array for x in applied.operands), key=lambda a: a.ndim)
        self.shape, self.axes = whole.shape, axes
        is_whole = len(index) == whole.ndim
        self.kept = [i for axis, i in enumerate(index) if axis not in axes or not is_whole]
        self.lengths = [whole.shape[axis] for axis in axes]
        self.length = prod(self.lengths)
        along = [index[axis] for axis in axes] if is_whole else []
        self.at = int(np.ravel_multi_index(along, self.lengths)) if along else 0

    def of(self, x: Operand) -> Callable[[int], Expression]:
        """The elements of an array along the row; the one of an array that has one for all."""
        if x.array.shape == self.shape:
            return lambda i: x.at(self._place(i))
        return lambda i: x.at(self._only(x))

    def _only(self, x: Operand) -> Index:
        kept = iter(self.kept)
        if x.array.ndim != len(self.shape):
            return tuple(self.kept)
        return tuple(0 if axis in self.axes else next(kept) for axis in range(len(self.shape)))

    def _place(self, i: int) -> Index:
        along = iter(np.unravel_index(i, self.lengths) if self.lengths else ())
        kept = iter(self.kept)
        return tuple(
            int(next(along)) if axis in self.axes else next(kept) for axis in range(len(self.shape))
        )
