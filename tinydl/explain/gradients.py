"""The gradient of one element: every path it came by, and a finite difference beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from tinydl.engine import Op, Tensor, quiet
from tinydl.explain.applied import Applied, Operand, as_float64, evaluate, letter
from tinydl.explain.expressions import Expression, number_of
from tinydl.explain.filling import filled_rule
from tinydl.explain.formulas import name_in_latex
from tinydl.explain.page import (
    Difference,
    GradientPath,
    GradientView,
    Index,
    Part,
    Ref,
    zeros_to_the_middle,
)
from tinydl.explain.recorder import PassingBack
from tinydl.testing.differences import Derivative, derivative

ROUNDING = 2_000  # how many roundings of the largest gradient a gradient may be off
UNCERTAIN = 1e-2  # a difference that may be off by this part of itself proves nothing


class Passage:
    """One walk back through a graph, and all one may ask about its gradients.

    Parameters
    ----------
    event : PassingBack
    applied : dict
        For the id of each result, the op that made it and what that had read.
    steps : dict
        For the id of each result, the number of its backward step.
    names : dict
        For the id of each tensor, the name of its gradient.
    """

    def __init__(
        self,
        event: PassingBack,
        applied: Mapping[int, Applied],
        steps: Mapping[int, int],
        names: Mapping[int, str],
    ) -> None:
        self.event, self.applied, self.steps, self.names = event, applied, steps, names

    def view(self, x: Tensor, name: str, index: Index, with_difference: bool) -> GradientView:
        """The gradient of an element of a tensor."""
        paths = [self._seed(x, index)] if any(y is x for y in self.event.outputs) else []
        accumulated = float(self.event.gradients[id(x)][index])
        unexplained = []
        for y in reversed(self.event.walked):
            if y.op is not None and id(y) in self.event.gradients:
                for position, one in enumerate(y.inputs):
                    if one is x and y.op.rules_for(y.inputs)[position] is not None:
                        paths.append(self._path(y, y.op, position, index))
                    elif one is x and has_own_gradient(y.op):
                        unexplained.append((y, position))
        for y, position in unexplained[:1]:
            paths.append(self._rest(y, position, index, accumulated, paths))
        total = float(np.sum([path.value for path in paths]))
        difference = self._difference(x, index, accumulated) if with_difference else None
        return GradientView(name, index, tuple(paths), total, accumulated, difference)

    def _seed(self, x: Tensor, index: Index) -> GradientPath:
        """What one begins with."""
        position = next(i for i, y in enumerate(self.event.outputs) if y is x)
        value = float(self.event.seeds[position][index])
        part = Part(letter(r"\bar y", index), "function", (number_of(value).term(),), value)
        return GradientPath(self.steps.get(id(x), 0), "", r"\bar y = 1", part)

    def _path(self, y: Tensor, op: Op, position: int, index: Index) -> GradientPath:
        applied = self.applied[id(y)]
        y_bar = self.event.gradients[id(y)]
        x = applied.operands[position]
        column = applied.column(position, index)
        if column is None:
            brought = applied.pull_back(position, as_float64(y_bar))[index]
            terms = [number_of(brought)]
        else:
            terms = [
                self._product(y_bar, id(y), tuple(j.tolist()), column) for j in np.argwhere(column)
            ]
            if not terms and column.shape == x.array.shape:
                terms = [self._product(y_bar, id(y), index, column)]
        value = float(np.sum([term.value for term in terms]))
        symbol = letter(rf"\bar {x.symbol}", index)
        part = Part(symbol, "sum", zeros_to_the_middle([e.term() for e in terms]), value)
        filled = filled_rule(applied, position, self._arriving(y, applied), index, value)
        if filled and [t.text for t in filled[-1].terms] == [t.text for t in part.terms]:
            part, filled = filled[-1], ()  # the rule is a product already; its terms know more
        name, rule = op.input_name(position), rule_formula(applied, position)
        return GradientPath(self.steps[id(y)], name, rule, part, filled)

    def _arriving(self, y: Tensor, applied: Applied) -> Operand:
        """The gradient of a result."""
        key = id(y)
        return Operand(self.names[key], rf"\bar {applied.symbol}", self.event.gradients[key])

    def _rest(
        self, y: Tensor, position: int, index: Index, accumulated: float, paths: list[GradientPath]
    ) -> GradientPath:
        """What came by an op that has no rules but computes gradients in its own way."""
        applied = self.applied[id(y)]
        value = accumulated - sum(path.value for path in paths)
        symbol = letter(rf"\bar {applied.operands[position].symbol}", index)
        part = Part(symbol, "sum", (number_of(value).term(),), value)
        name = applied.op.input_name(position)
        return GradientPath(self.steps[id(y)], name, rule_formula(applied, position), part)

    def _product(self, y_bar: np.ndarray, y: int, j: Index, column: np.ndarray) -> Expression:
        """What arrives at a result, times how that changes."""
        return number_of(y_bar[j], Ref(self.names[y], j)) * number_of(column[j])

    # The finite difference.

    @cached_property
    def _values(self) -> dict[int, np.ndarray]:
        """Everything that was computed, once more in float64."""
        values: dict[int, np.ndarray] = {}
        for y in self.event.walked:
            if y.op is not None:
                values[id(y)] = evaluate(y.op, self._arrays(y, values))
        return values

    def _arrays(self, y: Tensor, values: Mapping[int, np.ndarray]) -> list[np.ndarray]:
        arrays = self.applied[id(y)].arrays
        return [values.get(id(x), array) for x, array in zip(y.inputs, arrays, strict=True)]

    def _difference(self, x: Tensor, index: Index, gradient: float) -> Difference | None:
        """Move the element, compute all that depends on it once more, look at the outputs."""
        downstream = self._downstream(x)

        def loss(h: float) -> np.ndarray:
            moved = self._start(x).copy()
            moved[index] += h
            values = {**self._values, id(x): moved}
            for y in downstream:
                assert y.op is not None
                values[id(y)] = evaluate(y.op, self._arrays(y, values))
            outputs = zip(self.event.outputs, self.event.seeds, strict=True)
            return np.array([sum(np.sum(seed * values[id(y)]) for y, seed in outputs)])

        try:
            with quiet():
                slope = derivative(loss)
        except NotImplementedError:  # an op that cannot be computed again by itself
            return None
        return self._judged(x, gradient, slope)

    def _start(self, x: Tensor) -> np.ndarray:
        """What a tensor held."""
        if x.op is not None:
            return self._values[id(x)]
        for y in self.event.walked:
            for one, array in zip(y.inputs, y.arrays_read, strict=True):
                if one is x:
                    return as_float64(array)
        return as_float64(x.data)

    def _downstream(self, x: Tensor) -> list[Tensor]:
        """What depends on a tensor, in the order in which it was computed."""
        moving = {id(x)}
        found = []
        for y in self.event.walked:
            if y is not x and any(id(one) in moving for one in y.inputs):
                moving.add(id(y))
                found.append(y)
        return found

    def _judged(self, x: Tensor, gradient: float, slope: Derivative) -> Difference:
        value, bound = float(slope.value[0]), float(slope.bound[0])
        left, right = float(slope.left[0]), float(slope.right[0])
        gradients = self.event.gradients[id(x)]
        kept = [self.event.gradients[id(y)] for y in self.event.walked if id(y) in self.steps]
        scale = max([float(np.max(np.abs(g))) for g in [gradients, *kept] if g.size], default=0.0)
        allowed = ROUNDING * float(np.finfo(gradients.dtype).eps) * scale
        low, high = min(left, right), max(left, right)
        sides = float(slope.sides_bound[0]) if slope.has_kink[0] else bound
        is_between = low - sides - allowed <= gradient <= high + sides + allowed
        if abs(gradient - value) <= bound + allowed and not slope.has_kink[0]:
            outcome = "agrees"
        elif is_between:
            outcome = "kink"
        elif not bound <= UNCERTAIN * (scale + abs(value)):  # a scale of nan is none
            outcome = "uncertain"
        else:
            outcome = "disagrees"
        return Difference(value, bound, left, right, outcome)


def rule_formula(applied: Applied, position: int) -> str:
    r"""The rule of an input; where that was stretched, the gradient is added up again.

    The rules of ops that broadcast speak of inputs of the result's shape.
    """
    op = applied.op
    rule = op.rules_for(applied.operands)[position]
    if rule is None:
        return rf"\bar {applied.operands[position].symbol} = {name_in_latex(op.name)}(\bar y)"
    formula: str = getattr(rule, "formula", "")
    left, equals, right = formula.partition(" = ")
    if not (equals and op.broadcasts and _is_stretched(applied, position)):
        return formula
    if " + " in right or " - " in right or right.startswith("-"):
        right = rf"\left( {right} \right)"
    return rf"{left} = \sum_{{\text{{stretched axes}}}} {right}"


def has_own_gradient(op: Op) -> bool:
    """Whether an op computes gradients otherwise than by one rule for each input."""
    return type(op).gradient is not Op.gradient


def _is_stretched(applied: Applied, position: int) -> bool:
    """Whether an input was stretched; of matrices to be multiplied, only leading axes can be."""
    shape = applied.operands[position].array.shape
    if applied.op.name == "matmul":
        return shape[:-2] != applied.y.shape[:-2] and len(shape) > 1 < applied.y.ndim
    return shape != applied.y.shape
