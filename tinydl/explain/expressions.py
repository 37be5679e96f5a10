r"""Numbers that know how they were computed: an expression prints itself and has a value.

A formula is written once, in Python, and gives both what stands on the page and what it comes to:

>>> x = number_of(-0.5)
>>> sigmoid = 1 / (1 + exp(-x))
>>> sigmoid.text
'\\frac{1}{1 + e^{-(-0.5)}}'
>>> round(sigmoid.value, 4)
0.3775
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinydl.engine import quiet
from tinydl.explain.page import Part, Ref, Term, number

SUM, PRODUCT, FRACTION, POWER, ATOM = range(5)  # how strongly the outermost sign binds


class Expression:
    """A number, how it was computed, and from which elements.

    Attributes
    ----------
    text : str
        LaTeX.
    value : float
    binds : int
        Brackets are needed around it where something binds more strongly.
    refs : tuple of Ref
    """

    def __init__(self, text: str, value: Any, binds: int, refs: Sequence[Ref] = ()) -> None:
        self.text, self.value, self.binds = text, float(value), binds
        self.refs = tuple(refs)

    def within(self, binds: int) -> str:
        """The text, with brackets where the surroundings bind more strongly."""
        return self.text if self.binds >= binds else rf"\left({self.text}\right)"

    def after_sign(self) -> str:
        """The text as it stands after a plus or a minus."""
        return f"({self.text})" if self.text.startswith("-") else self.text

    def __add__(self, other: Any) -> Expression:
        b = expression(other)
        return _made("+", SUM, f"{self.text} + {b.after_sign()}", self, b)

    def __radd__(self, other: Any) -> Expression:
        return expression(other) + self

    def __sub__(self, other: Any) -> Expression:
        b = expression(other)
        right = b.within(PRODUCT) if not b.text.startswith("-") else f"({b.text})"
        return _made("-", SUM, f"{self.text} - {right}", self, b)

    def __rsub__(self, other: Any) -> Expression:
        return expression(other) - self

    def __mul__(self, other: Any) -> Expression:
        b = expression(other)
        text = rf"{_factor(self)} \cdot {_factor(b)}"
        return _made("*", PRODUCT, text, self, b)

    def __rmul__(self, other: Any) -> Expression:
        return expression(other) * self

    def __truediv__(self, other: Any) -> Expression:
        b = expression(other)
        return _made("/", FRACTION, rf"\frac{{{self.text}}}{{{b.text}}}", self, b)

    def __rtruediv__(self, other: Any) -> Expression:
        return expression(other) / self

    def __pow__(self, other: Any) -> Expression:
        b = expression(other)
        return _made("**", POWER, f"{self.within(ATOM)}^{{{b.text}}}", self, b)

    def __neg__(self) -> Expression:
        inner = f"({self.text})" if self.text.startswith("-") else self.within(PRODUCT)
        return Expression(f"-{inner}", -self.value, SUM, self.refs)

    def term(self) -> Term:
        """The expression as a term of a page."""
        return Term(self.text, self.value, self.refs)


def _factor(e: Expression) -> str:
    return f"({e.text})" if e.text.startswith("-") else e.within(PRODUCT)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
}


def _made(sign: str, binds: int, text: str, a: Expression, b: Expression) -> Expression:
    with quiet():
        value = OPERATIONS[sign](np.float64(a.value), np.float64(b.value))
    return Expression(text, value, binds, (*a.refs, *b.refs))


def number_of(value: Any, *refs: Ref) -> Expression:
    """A number as it is, and the element it came from."""
    text = number(float(value))
    binds = SUM if text.startswith("-") else PRODUCT if "cdot" in text else ATOM
    return Expression(text, value, binds, refs)


def expression(value: Any) -> Expression:
    """The expression itself, or a number as one."""
    return value if isinstance(value, Expression) else number_of(value)


def called(symbol: str, e: Expression | Part) -> Expression:
    """A number computed before, by its symbol."""
    return Expression(symbol, e.value, ATOM)


def formatted(
    template: str, compute: Callable[..., Any], binds: int, *arguments: Any
) -> Expression:
    r"""A function by its LaTeX, with ``{}`` for each argument, and what computes it.

    Examples
    --------
    >>> formatted(r"\max({}, {})", max, ATOM, 1.5, 0).text
    '\\max(1.5, 0)'
    """
    inner = [expression(a) for a in arguments]
    text = template
    for e in inner:
        text = text.replace("{}", e.text, 1)
    with quiet():
        value = compute(*[np.float64(e.value) for e in inner])
    return Expression(text, value, binds, [ref for e in inner for ref in e.refs])


def function(name: str, compute: Callable[..., Any]) -> Callable[..., Expression]:
    """A function written with brackets: sin(x)."""

    def of(*arguments: Any) -> Expression:
        places = ", ".join(["{}"] * len(arguments))
        return formatted(rf"{name}\left({places}\right)", compute, ATOM, *arguments)

    return of


def exp(x: Any) -> Expression:
    """The exponential."""
    return formatted("e^{{}}", np.exp, POWER, x)


def root(x: Any) -> Expression:
    """The square root."""
    return formatted(r"\sqrt{{}}", np.sqrt, ATOM, x)


def size(x: Any) -> Expression:
    """The absolute value."""
    return formatted(r"\left|{}\right|", np.abs, ATOM, x)


def floor(x: Any) -> Expression:
    """The largest whole number that is not larger."""
    return formatted(r"\left\lfloor{}\right\rfloor", np.floor, ATOM, x)


def whether(template: str, holds: Callable[..., Any], *arguments: Any) -> Expression:
    """1 where a condition holds, otherwise 0: in square brackets, as Iverson writes it."""
    return formatted(rf"\left[{template}\right]", holds, ATOM, *arguments)


ln = function(r"\ln", np.log)
largest_of = function(r"\max", np.maximum)
smallest_of = function(r"\min", np.minimum)
sign = function(r"\operatorname{sign}", np.sign)
