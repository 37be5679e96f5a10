r"""A formula with numbers, taken apart: the formula with blanks, and the numbers that fill them.

The terms of an element differ in their numbers only, and so do those of the next element. So a page
that shows many of them holds each formula once, in MathML, and the numbers beside it.
"""

from __future__ import annotations

import re

from tinydl.errors import ArgumentError

SIZE = r"\d+(?:\.\d+)?(?: \\cdot 10\^\{-?\d+\})?"
POWER = r"10\^\{-?\d+\}"
NUMBER = re.compile(rf"(?<![A-Za-z\d.])(?:\(-(?:{POWER}|{SIZE})\)|-?(?:{POWER}|{SIZE}))")
WORDS = re.compile(r"(\\(?:text|textrm|operatorname|mathrm)\{[^{}]*\}|\\begin\{\w+\}(?:\{\w+\})?)")
FIRST = 900_000_001  # a number that stands for the first blank while MathML is made


def blanks_of(latex: str) -> tuple[str, tuple[str, ...]]:
    r"""The formula with its numbers replaced by blanks, and the numbers in order.

    Brackets around a negative number belong to the number.

    Examples
    --------
    >>> blanks_of(r"0.5 \cdot (-1.2) + e^{-3}")
    ('\\blank \\cdot \\blank + e^{\\blank}', ('0.5', '(-1.2)', '-3'))
    """
    numbers: list[str] = []

    def take(match: re.Match[str]) -> str:
        numbers.append(match[0])
        return r"\blank"

    pieces = WORDS.split(latex)
    pieces[::2] = [NUMBER.sub(take, piece) for piece in pieces[::2]]
    return "".join(pieces), tuple(numbers)


def statements_of(latex: str) -> list[str]:
    r"""The statements of a formula, which may stand below each other where the page is narrow.

    Examples
    --------
    >>> statements_of(r"m \leftarrow \beta m + g, \quad w \leftarrow w - \eta m")
    ['m \\leftarrow \\beta m + g', 'w \\leftarrow w - \\eta m']
    >>> statements_of(r"y = x, \quad \text{a remark}")
    ['y = x, \\quad \\text{a remark}']
    """
    from tinydl.explain.latex import parse

    pieces = latex.split(r", \quad ")
    try:
        are_relations = [getattr(parse(piece), "level", "") == "relation" for piece in pieces]
    except ArgumentError:
        return [latex]
    return pieces if all(are_relations) else [latex]


def markup_of(blank: str, display: bool) -> str:
    r"""MathML of a formula with blanks; the blanks are ``{0}``, ``{1}``, ...

    A formula that is not of the kind that `tinydl.explain.latex` reads, which may come with an op
    of one's own, stays as it was written, as code.

    Examples
    --------
    >>> print(markup_of(r"x + \blank", display=False)[-67:])
    <mi>x</mi><mo>&#x0002B;</mo><mrow><mn>{0}</mn></mrow></mrow></math>
    """
    from html import escape

    from tinydl.explain.mathml import mathml

    count = 0

    def stand_in(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{{{FIRST + count - 1}}}"

    latex = re.sub(r"\\blank(?![a-z])", stand_in, blank)
    try:
        markup = mathml(latex, display)
    except ArgumentError:
        markup = f"<code>{escape(latex)}</code>"
    for i in range(count):
        markup = markup.replace(str(FIRST + i), f"{{{i}}}")
    return markup
