"""Print a formula as one line of text, for the terminal: ``m_t/(1-β₁^t)``.

What LaTeX shows by height and size, text has to show by parentheses, and here it always does: a
fraction, sum or exponent of more than one symbol stands in parentheses of its own, every product
has its dot, every argument of a function its parentheses. So each text has one reading.
"""

from __future__ import annotations

import re
import unicodedata

from tinydl.explain.latex import parse
from tinydl.explain.tree import (
    NOTHING,
    Accent,
    Apply,
    Big,
    Cases,
    Delimited,
    Fraction,
    Infix,
    Lines,
    Node,
    Number,
    Root,
    Scripted,
    Sequence,
    Symbol,
    Text,
)

BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ABOVE = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
CALLIGRAPHIC = {"N": "𝒩", "U": "𝒰", "L": "ℒ"}
DOUBLE = {"R": "ℝ", "N": "ℕ", "E": "𝔼"}


def unicode_math(latex: str) -> str:
    r"""The formula as text.

    Raises
    ------
    ArgumentError
        Where the LaTeX is not of the kind `tinydl.explain.latex` reads.

    Examples
    --------
    >>> print(unicode_math(r"\frac{m_t}{1 - \beta_1^t}"))
    m_t/(1-β₁^t)
    >>> print(unicode_math(r"y_{ij} = \sum_k a_{ik} b_{kj} + c_j"))
    y_ij = (Σ_k a_ik·b_kj) + c_j
    >>> print(unicode_math(r"\bar x_i = -\frac{\bar y_i}{\sqrt{1 - x_i^2}}"))
    x̄_i = -ȳ_i/√(1-x_i²)
    """
    return as_text(parse(latex))


def as_text(tree: Node) -> str:
    """The tree of a formula as text.

    Examples
    --------
    >>> as_text(Fraction(Symbol("a"), Number("2")))
    'a/2'
    """
    text = unicodedata.normalize("NFC", _Printer().show(tree)).strip()
    return re.sub("   +", "  ", text)


class _Printer:
    """One method for each kind of node; `tight` leaves out the spaces around operators."""

    def show(self, node: Node, tight: bool = False) -> str:
        method = getattr(self, f"show_{type(node).__name__.lower()}")
        text: str = method(node, tight)
        return text

    def show_number(self, node: Number, tight: bool) -> str:
        return node.text

    def show_text(self, node: Text, tight: bool) -> str:
        return node.text

    def show_symbol(self, node: Symbol, tight: bool) -> str:
        table = {"mathcal": CALLIGRAPHIC, "mathbb": DOUBLE}.get(node.alphabet, {})
        return table.get(node.text, node.text)

    def show_accent(self, node: Accent, tight: bool) -> str:
        base = self.show(node.base)
        return base + node.mark if _is_letter(node.base) else f"({base}){node.mark}"

    def show_scripted(self, node: Scripted, tight: bool) -> str:
        base = self.show(node.base, tight)
        if not isinstance(node.base, (Symbol, Accent, Delimited, Text, Number)):
            base = f"({base})"
        return base + self.below(node.sub) + self.above(node.sup)

    def below(self, node: Node | None) -> str:
        """An index: small digits, or letters after an underscore."""
        if node is None:
            return ""
        if isinstance(node, Number):
            return node.text.translate(BELOW)
        text = self.show(node, tight=True)
        return f"_{text}" if _is_word(node) else f"_({text})"

    def above(self, node: Node | None) -> str:
        """An exponent or label: small digits, or what follows a caret."""
        if node is None:
            return ""
        text = self.show(node, tight=True)
        if not text.strip("′ᵀ"):
            return text
        if text.lstrip("-").isdigit():
            return text.translate(ABOVE)
        return f"^{text}" if _is_letter(node) or isinstance(node, Delimited) else f"^({text})"

    def show_fraction(self, node: Fraction, tight: bool) -> str:
        numerator, denominator = (
            self.enclosed(part) if isinstance(part, (Infix, Fraction, Big)) else self.show(part)
            for part in (node.numerator, node.denominator)
        )
        return f"{numerator}/{denominator}"

    def enclosed(self, node: Node) -> str:
        return f"({self.show(node, tight=True)})"

    def show_root(self, node: Root, tight: bool) -> str:
        body = self.show(node.body, tight=True)
        return (
            f"√{body}" if isinstance(node.body, Number) or _is_letter(node.body) else f"√({body})"
        )

    def show_delimited(self, node: Delimited, tight: bool) -> str:
        return node.opening + self.show(node.body, tight) + node.closing

    def show_apply(self, node: Apply, tight: bool) -> str:
        function, argument = self.show(node.function, tight), self.show(node.argument, tight)
        if function in ("¬", "∂", "∇") and _is_atomic(node.argument):
            return function + argument
        return function + (argument if _is_parenthesised(node.argument) else f"({argument})")

    def show_big(self, node: Big, tight: bool) -> str:
        limits = self.below(node.sub) + self.above(node.sup)
        return f"{node.operator}{limits} {self.show(node.body, tight)}"

    def show_infix(self, node: Infix, tight: bool) -> str:
        printer = {"sum": self.signed, "product": self.multiplied}.get(node.level, self.related)
        return printer(node, tight)

    def signed(self, node: Infix, tight: bool) -> str:
        """Terms with their signs; a sum sign that more terms follow gets parentheses."""
        text = ""
        last = len(node.parts) - 1
        for position, (sign, term) in enumerate(node.parts):
            shown = self.show(term, tight)
            weaker = isinstance(term, Infix) and term.level != "product"
            if weaker or (position < last and _ends_in_big(term)):
                shown = f"({shown})"
            text += f" {sign} {shown}" if text and not tight else sign + shown
        return text

    def multiplied(self, node: Infix, tight: bool) -> str:
        """Factors with their dots; fractions, and sums that factors follow, in parentheses."""
        text = ""
        last = len(node.parts) - 1
        for position, (operator, factor) in enumerate(node.parts):
            shown = self.show(factor, tight)
            if isinstance(factor, (Infix, Fraction)) or (position < last and _ends_in_big(factor)):
                shown = f"({shown})"
            if not text:
                text = shown
            elif operator == "mod":
                text += f" mod {shown}"
            else:
                text += (operator or "·") + shown
        return text

    def related(self, node: Infix, tight: bool) -> str:
        text = ""
        for operator, operand in node.parts:
            space = "" if tight else " "
            text += f"{space}{operator}{space}" if operator else ""
            text += self.show(operand, tight)
        return text.strip()

    def show_sequence(self, node: Sequence, tight: bool) -> str:
        text = self.show(node.items[0], tight)
        word = _is_word(node)
        for separator, item in zip(node.separators, node.items[1:], strict=True):
            between = separator if separator or word else ","
            gap = " " if between.endswith((",", ":", ";")) else ""
            text += between + gap + self.show(item, tight)
        return text

    def show_cases(self, node: Cases, tight: bool) -> str:
        rows = []
        for value, condition in node.rows:
            words = isinstance(condition, Text) or (
                isinstance(condition, Sequence) and isinstance(condition.items[0], Text)
            )
            if_ = "" if words or condition == NOTHING else "if "
            rows.append(f"{self.show(value)} {if_}{self.show(condition)}".rstrip())
        return "{ " + "; ".join(rows) + " }"

    def show_lines(self, node: Lines, tight: bool) -> str:
        return "\n".join(self.show(row) for row in node.rows)


def _is_letter(node: Node) -> bool:
    """A single symbol, perhaps with an accent."""
    if isinstance(node, Accent):
        return _is_letter(node.base)
    return isinstance(node, Symbol)


def _is_atomic(node: Node) -> bool:
    return isinstance(node, (Symbol, Number, Accent, Scripted, Delimited))


def _is_word(node: Node) -> bool:
    """Letters and digits in a row, which stay together after an underscore."""
    if isinstance(node, Sequence):
        return not any(node.separators) and all(_is_word(item) for item in node.items)
    if isinstance(node, Text):
        return node.text.isalnum()
    return isinstance(node, (Symbol, Number))


def _is_parenthesised(node: Node) -> bool:
    return isinstance(node, Delimited) and node.opening == "("


def _ends_in_big(node: Node) -> bool:
    """Whether what follows could be read as standing under a sum sign."""
    if isinstance(node, Infix) and node.level == "product":
        return _ends_in_big(node.parts[-1][1])
    return isinstance(node, Big)
