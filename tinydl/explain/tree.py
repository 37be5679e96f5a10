"""What a formula says, as a tree; `tinydl.explain.latex` makes it, the printers walk it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """Digits, perhaps with a decimal point."""

    text: str


@dataclass(frozen=True)
class Symbol:
    """A letter, or a name of several letters; `alphabet` is LaTeX's, as in ``mathcal``."""

    text: str
    alphabet: str = ""


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class Scripted:
    """Something with an index below it, something above it, or both."""

    base: Node
    sub: Node | None = None
    sup: Node | None = None


@dataclass(frozen=True)
class Accent:
    """Something with a bar or a hat: a combining character."""

    base: Node
    mark: str


@dataclass(frozen=True)
class Fraction:
    """A numerator above a denominator, or before it."""

    numerator: Node
    denominator: Node


@dataclass(frozen=True)
class Root:
    """A square root."""

    body: Node


@dataclass(frozen=True)
class Delimited:
    """Something in brackets of any kind, those of an absolute value included."""

    opening: str
    body: Node
    closing: str


@dataclass(frozen=True)
class Apply:
    """A function and its argument."""

    function: Node
    argument: Node


@dataclass(frozen=True)
class Big:
    """A sum, product or integral, its limits, and what stands under it."""

    operator: str
    sub: Node | None
    sup: Node | None
    body: Node


@dataclass(frozen=True)
class Infix:
    """Operands with operators between them, all of one strength.

    `level` is "relation", "logic", "sum" or "product". Each part is an operator and the operand
    after it. The operator of the first is "" or a sign; that of a factor is "" where nothing is
    written.
    """

    level: str
    parts: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Sequence:
    """Several statements or indices, with what stands between them: a comma, a space, words."""

    items: tuple[Node, ...]
    separators: tuple[str, ...]


@dataclass(frozen=True)
class Cases:
    """Values, each with its condition."""

    rows: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True)
class Lines:
    """Statements below each other."""

    rows: tuple[Node, ...]


Node = (
    Number
    | Symbol
    | Text
    | Scripted
    | Accent
    | Fraction
    | Root
    | Delimited
    | Apply
    | Big
    | Infix
    | Sequence
    | Cases
    | Lines
)
NOTHING = Symbol("")
