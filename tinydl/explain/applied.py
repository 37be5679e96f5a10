"""One application of an op, and its derivatives at that point, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinydl.derivatives import jvp
from tinydl.engine import Op, Tensor, enable_grad, no_grad, quiet
from tinydl.errors import TinydlError
from tinydl.explain.expressions import Expression, number_of
from tinydl.explain.page import Index, Ref
from tinydl.ops.elementwise import Cast

FEW_ROWS = 2_000  # results up to here may be differentiated one by one


@dataclass(frozen=True)
class Operand:
    """An input of an op: what it is called on the page, its letter in the formula, its elements."""

    name: str
    symbol: str
    array: np.ndarray

    def at(self, index: Index) -> Expression:
        """The number at this place."""
        return number_of(self.array[index], Ref(self.name, index))

    def letter_at(self, index: Index) -> Expression:
        """The same, written as a letter with indices."""
        e = self.at(index)
        return Expression(letter(self.symbol, index), e.value, 4, e.refs)


@dataclass(frozen=True)
class Applied:
    """An op, what it read and what it returned; `symbol` and `name` are those of the result."""

    op: Op
    operands: tuple[Operand, ...]
    y: np.ndarray
    symbol: str = "y"
    name: str = "y"

    @property
    def result(self) -> Operand:
        """The result, as something that the gradient rules read."""
        return Operand(self.name, self.symbol, self.y)

    @cached_property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What was read, floats as float64."""
        return tuple(as_float64(operand.array) for operand in self.operands)

    @cached_property
    def recorded(self) -> Tensor:
        """The result in float64, as the engine would record it."""
        with enable_grad():
            xs = tuple(Tensor(a, a.dtype.kind == "f") for a in self.arrays)
            y = evaluate(self.op, self.arrays)
            return Tensor(y, True, None, self.op, xs, self.arrays)

    def row(self, position: int, index: Index) -> np.ndarray | None:
        """How one result changes with each element of an input; None without a gradient rule."""
        y = self.recorded
        if y.data.dtype.kind != "f" or self.op.rules_for(y.inputs)[position] is None:
            return None
        one = np.zeros(y.shape)
        one[index] = 1.0
        return self.pull_back(position, one)

    def pull_back(self, position: int, y_bar: np.ndarray) -> np.ndarray:
        """The gradient rule of an input."""
        with no_grad(), quiet():
            x_bar = self.op.gradient(position, Tensor(y_bar), self.recorded)
        assert x_bar is not None
        return x_bar.data

    def column(self, position: int, index: Index) -> np.ndarray | None:
        """How each result changes with one element of an input, as the gradient rule has it."""
        y = self.recorded
        direction = np.zeros(self.arrays[position].shape)
        direction[index] = 1.0
        random = np.random.default_rng(0).normal(size=y.shape)
        with quiet():
            expected = self.pull_back(position, random)[index]
        try:
            column = self._pushed_forward(position, direction)
            if np.isclose(np.sum(random * column), expected, rtol=1e-6, atol=1e-9):
                return column
        except (TinydlError, TypeError, ValueError, AttributeError):
            pass  # a rule that is not made of tensor operations cannot be differentiated
        if y.size > FEW_ROWS:
            return None
        rows = [self.row(position, j) for j in np.ndindex(*y.shape)]
        return np.array([row[index] for row in rows if row is not None]).reshape(y.shape)

    def _pushed_forward(self, position: int, direction: np.ndarray) -> np.ndarray:
        xs = self.recorded.inputs

        def apply(x: Tensor) -> Tensor:
            return Op.__call__(self.op, *xs[:position], x, *xs[position + 1 :])

        with enable_grad(), quiet():
            return jvp(apply, (self.arrays[position],), (direction,))[1].data


def evaluate(op: Op, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Compute an op in the precision of its inputs; a cast to another float changes nothing."""
    if isinstance(op, Cast) and op.dtype.kind == "f":
        return arrays[0]
    with quiet():
        return op.evaluate(arrays)


def as_float64(array: np.ndarray) -> np.ndarray:
    """Floats in the highest precision, anything else as it is."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def letter(symbol: str, index: Index) -> str:
    """A letter with its indices.

    Examples
    --------
    >>> letter("x", (0, 2)), letter("L", ())
    ('x_{0,2}', 'L')
    """
    return f"{symbol}_{{{','.join(map(str, index))}}}" if index else symbol


def within(index: Index, shape: Index) -> Index:
    """Where an element of a stretched result is in an input of this shape.

    Examples
    --------
    >>> within((4, 2), (1, 3)), within((4, 2), (3,))
    ((0, 2), (2,))
    """
    last = index[len(index) - len(shape) :]
    return tuple(0 if n == 1 else i for i, n in zip(last, shape, strict=True))
