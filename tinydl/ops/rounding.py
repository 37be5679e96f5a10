"""Rounding to whole numbers. Between its jumps each is constant, so every gradient is zero."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinydl.engine import Op, rule
from tinydl.ops.elementwise import Floating, Unary, zeros_like


class Rounding(Unary, abstract=True):
    """A staircase; its slope is 0 everywhere, also at the jumps."""

    kinks = "the jumps: the gradient is 0 there"

    @rule(r"\bar x_i = 0")
    def x(self, y_bar, y, x):
        return zeros_like(y_bar)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[tuple[Op, tuple[np.ndarray, ...]]]:
        """Numbers that are neither whole nor halves."""
        for shape in ((3, 4), (), (1,), (0, 2)):
            halves = rng.integers(-6, 6, shape) / 2
            yield cls(), (halves + rng.uniform(0.1, 0.4, shape),)

    @classmethod
    def conventions(cls):
        """Whole numbers and halves."""
        yield cls(), (np.array([-1.0, 0.0, 0.5, 2.0]),), (np.zeros(4),)


class Floor(Floating, Rounding):
    r"""Down to the next whole number, as a float; the gradient is zero.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.floor([-1.5, 1.5])
    tensor([-2.,  1.])
    """

    formula = r"y_i = \lfloor x_i \rfloor"

    def forward(self, x):
        return np.floor(x)


class Ceil(Floating, Rounding):
    r"""Up to the next whole number, as a float; the gradient is zero.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.ceil([-1.5, 1.5])
    tensor([-1.,  2.])
    """

    formula = r"y_i = \lceil x_i \rceil"

    def forward(self, x):
        return np.ceil(x)


class Trunc(Rounding):
    r"""Towards zero to the next whole number; the gradient is zero.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.trunc([-1.5, 1.5])
    tensor([-1.,  1.])
    """

    formula = r"y_i = \operatorname{sign}(x_i) \lfloor |x_i| \rfloor"

    def forward(self, x):
        return np.trunc(x)


class Round(Rounding):
    r"""To the nearest number of so many decimals, halves to the even one; the gradient is zero.

    Parameters
    ----------
    x : array_like
    decimals : int
        Digits after the point; negative for digits before it.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.round([-1.5, 0.5, 1.23])
    tensor([-2.,  0.,  1.])
    >>> ops.round([-1.5, 0.5, 1.23], 1)
    tensor([-1.5,  0.5,  1.2])
    """

    formula = r"y_i = 10^{-d} \lfloor 10^d x_i + \tfrac{1}{2} \rfloor, \text{ halves to even}"
    methods = ("round",)

    def __init__(self, decimals=0):
        self.decimals = decimals

    def forward(self, x):
        return np.round(x.astype(np.int32) if x.dtype.kind == "b" else x, self.decimals)

    @classmethod
    def examples(cls, rng):
        """Numbers that are not halfway, and a digit after and before the point."""
        yield from super().examples(rng)
        yield cls(1), (rng.integers(-9, 9, (2, 3)) / 10 + rng.uniform(0.01, 0.04, (2, 3)),)
        yield cls(-1), (rng.integers(-9, 9, (2, 3)) * 10 + rng.uniform(1, 4, (2, 3)),)
