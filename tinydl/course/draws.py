"""The random inputs of a property: small ones first, and smaller ones again once it fails.

A draw remembers each choice it made. So a failing case can be repeated with some choices replaced
by simpler ones, as Hypothesis does it (MacIver and Donaldson, Test-case reduction via test-case
generation, 2020), but with nothing to install.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tinydl.errors import ArgumentError

Option = TypeVar("Option")
Shape = int | Sequence[int]
DIGITS = (None, 2, 1, 0)  # decimals that numbers keep, level by level


@dataclass(frozen=True)
class Choice:
    """A whole number that was drawn, and the simplest it could have been."""

    value: int
    simplest: int


class Draw:
    """Random sizes, numbers and arrays for one case of a property.

    The same seed, name and case give the same draws, whatever else was drawn before.

    Parameters
    ----------
    seed : int
        The seed of the grading.
    name : str
        The property's name.
    case, cases : int
        Which case of how many; sizes grow with it.
    forced : mapping of int to int
        Choices to make differently, by their position.
    simplicity : int
        How few digits numbers have: 0 all, 1 two decimals, 2 one, 3 whole numbers.

    Examples
    --------
    >>> first = Draw(0, "sum", case=0, cases=20)
    >>> first.integer(1, 9), first.normal(2).shape
    (1, (2,))
    >>> last = Draw(0, "sum", case=19, cases=20, simplicity=3)
    >>> 1 <= last.integer(1, 9) <= 9
    True
    """

    def __init__(
        self,
        seed: int,
        name: str,
        case: int,
        cases: int,
        forced: Mapping[int, int] | None = None,
        simplicity: int = 0,
    ) -> None:
        self._key = (seed, zlib.crc32(name.encode()), case)
        self._part = 1.0 if cases <= 1 else case / (cases - 1)
        self._forced = dict(forced or {})
        self._digits = DIGITS[simplicity]
        self._count = 0
        self.case = case
        self.choices: dict[int, Choice] = {}

    def again(self) -> Draw:
        """The same draw from its beginning."""
        fresh = copy.copy(self)
        fresh._count, fresh.choices = 0, {}
        return fresh

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high (included), near low in the first cases."""
        most = low + int(np.ceil((high - low) * self._part))
        return self._choose(low, most, low, high)

    def choice(self, options: Sequence[Option]) -> Option:
        """One of the options; the first is the simplest."""
        if not options:
            raise ArgumentError("choice", "options", got="empty", expected="at least one option")
        last = len(options) - 1
        return options[self._choose(0, last, 0, last)]

    def boolean(self) -> bool:
        """False or true; false is simpler."""
        return self.choice((False, True))

    def shape(self, ndim: int, most: int, least: int = 1) -> tuple[int, ...]:
        """Lengths of `ndim` axes, each from least to most."""
        return tuple(self.integer(least, most) for _ in range(ndim))

    def normal(
        self, shape: Shape, scale: float = 1.0, mean: float = 0.0, dtype: Any = np.float64
    ) -> np.ndarray:
        """Normally distributed numbers."""
        values = mean + scale * self.generator().standard_normal(shape)
        return np.asarray(self._simple(values), dtype)

    def uniform(
        self, shape: Shape, low: float = -1.0, high: float = 1.0, dtype: Any = np.float64
    ) -> np.ndarray:
        """Numbers spread evenly from low to high."""
        values = self.generator().uniform(low, high, shape)
        return np.asarray(np.clip(self._simple(values), low, high), dtype)

    def integers(self, shape: Shape, low: int, high: int) -> np.ndarray:
        """Whole numbers (int64) from low to high (included), such as labels."""
        return self.generator().integers(low, high, shape, endpoint=True)

    def distinct(self, shape: Shape, step: float = 0.5) -> np.ndarray:
        """Numbers no two of which are nearer than `step`: no ties, no kinks at zero."""
        size = int(np.prod(shape))
        order = self.generator().permutation(size) - size // 2
        return (step * (order + 0.5)).reshape(shape)

    def number(self, low: float, high: float) -> float:
        """One number from low to high."""
        return float(self.uniform((), low, high))

    def generator(self) -> np.random.Generator:
        """A generator of its own, for what the methods above do not offer."""
        self._count += 1
        return np.random.default_rng([*self._key, self._count])

    def _choose(self, low: int, most: int, simplest: int, limit: int) -> int:
        value = int(self.generator().integers(low, most, endpoint=True))
        position = len(self.choices)
        if position in self._forced:
            value = min(max(self._forced[position], low), limit)
        self.choices[position] = Choice(value, simplest)
        return value

    def _simple(self, values: Any) -> Any:
        if self._digits is None:
            return values
        return np.round(values, self._digits) + 0.0  # no -0
