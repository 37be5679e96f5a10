"""Evaluate the tree of a formula by numbers that know how they were computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import erf, exp, pi, sqrt
from typing import Any

import numpy as np

from tinydl.engine import Op
from tinydl.explain import tree
from tinydl.explain.expressions import (
    ATOM,
    Expression,
    called,
    floor,
    function,
    largest_of,
    ln,
    number_of,
    root,
    sign,
    size,
    smallest_of,
    whether,
)
from tinydl.explain.expressions import exp as power_of_e
from tinydl.explain.latex import parse
from tinydl.explain.page import Part, zeros_to_the_middle
from tinydl.explain.unicode_math import as_text

SETTINGS = {  # the letter of a formula: where the op has its value
    "a": ("alpha", "negative_slope"),
    "b": ("b",),
    "d": ("decimals",),
    "k": ("k",),
    "p": ("ord", "order"),
    "t": ("threshold",),
    "v": ("default_value",),
    "ε": ("epsilon",),
    "λ": ("scale",),
}
FUNCTIONS: dict[str, Callable[..., Expression]] = {
    **{name: function(rf"\{name}", getattr(np, name)) for name in ("sin", "cos", "sinh", "cosh")},
    "tanh": function(r"\tanh", np.tanh),
    "ln": ln,
    "max": largest_of,
    "min": smallest_of,
    "sign": sign,
    "σ": function(r"\sigma", lambda x: 1 / (1 + np.exp(-x))),
    "Φ": function(r"\Phi", lambda x: (1 + erf(x / sqrt(2))) / 2),
    "Φ′": function(r"\Phi'", lambda x: exp(-x * x / 2) / sqrt(2 * pi)),
}
RELATIONS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "=": ("=", np.equal),
    "≠": (r"\ne", np.not_equal),
    "<": ("<", np.less),
    ">": (">", np.greater),
    "≤": (r"\le", np.less_equal),
    "≥": (r"\ge", np.greater_equal),
}
BIG = {"Σ": ("sum", "s"), "∏": ("product", "q")}
NAMES = {"ℓ": r"\ell"}  # what is no letter in LaTeX


class Unreadable(Exception):
    """The formula is of another kind."""


class Evaluator:
    """Says what each part of a formula comes to.

    Parameters
    ----------
    op : Op
        Which has the settings.
    letters : dict
        For the LaTeX of a letter, its elements along the row.
    n : int
        The length of the row.
    definitions : dict
        For a letter the formula defines, its index or "", and the right side.
    """

    def __init__(
        self,
        op: Op,
        letters: Mapping[str, Callable[[int], Expression]],
        n: int,
        definitions: Mapping[str, tuple[str, tree.Node]],
    ) -> None:
        self.op = op
        self.letters = {as_text(parse(symbol)): of for symbol, of in letters.items()}
        self.n, self.definitions = n, definitions
        self.parts: list[Part] = []
        self.named: dict[str, Part] = {}
        self.is_inside_sum = False

    def parts_of(self, symbol: str, right: tree.Node, bound: Mapping[str, int]) -> list[Part]:
        """What the right side of a rule comes to."""
        if isinstance(right, tree.Big):
            combine, terms = self._terms(right, bound)
        else:
            combine, terms = "function", [self.value(right, bound)]
        made = [e.term() for e in terms]
        whole = Part(symbol, combine, tuple(made), 0.0)
        if combine == "sum":
            made = list(zeros_to_the_middle(made))
        return [*self.parts, Part(symbol, combine, tuple(made), whole.combined())]

    def value(self, node: tree.Node, bound: Mapping[str, int]) -> Expression:
        """The number that a part of the formula stands for."""
        match node:
            case tree.Number(text):
                return number_of(float(text))
            case tree.Symbol() | tree.Accent():
                return self._letter(as_text(node), None)
            case tree.Scripted(tree.Symbol("e"), None, power) if power is not None:
                return power_of_e(self.value(power, bound))
            case tree.Scripted(base, None, power) if power is not None:
                return self.value(base, bound) ** self.value(power, bound)
            case tree.Scripted(base, tree.Symbol(letter), power) if letter in bound:
                e = self._letter(as_text(base), bound[letter])
                return e if power is None else e ** self.value(power, bound)
            case tree.Fraction(a, b):
                return self.value(a, bound) / self.value(b, bound)
            case tree.Root(body):
                return root(self.value(body, bound))
            case tree.Delimited("(", body):
                return self.value(body, bound)
            case tree.Delimited("|", body):
                return size(self.value(body, bound))
            case tree.Delimited("⌊", body):
                return floor(self.value(body, bound))
            case tree.Delimited("[", body):
                return self._truth(body, bound)
            case tree.Apply(name, argument):
                return self._applied(name, argument, bound)
            case tree.Big():
                return self._named_sum(node, bound)
            case tree.Infix(("sum" | "product"), parts):
                return self._chain(parts, bound)
        raise Unreadable

    def _letter(self, name: str, i: int | None) -> Expression:
        """An element of an array, a setting of the op, or what the formula defines."""
        if name in self.letters:
            return self.letters[name](i or 0)
        for attribute in SETTINGS.get(name, ()):
            if hasattr(self.op, attribute):
                return number_of(getattr(self.op, attribute))
        if name in self.definitions:
            return self._defined(name, i)
        if name == "n":
            return number_of(self.n)
        if name == "π":
            return Expression(r"\pi", pi, ATOM)
        raise Unreadable

    def _defined(self, name: str, i: int | None) -> Expression:
        """A letter that the formula defines, as a part of its own."""
        index, right = self.definitions[name]
        if i is not None and self.is_inside_sum:  # a name for each of its terms: too many
            raise Unreadable
        if name not in self.named:
            inside, self.is_inside_sum = self.is_inside_sum, False
            if _is_softmax(right):
                e = self._softmax(right, i or 0)
            else:
                e = self.value(right, {index: i or 0} if index else {})
            self.is_inside_sum = inside
            symbol = NAMES.get(name, name) + ("" if i is None else f"_{{{i}}}")
            self.named[name] = Part(symbol, "function", (e.term(),), e.value)
            self.parts.append(self.named[name])
        return called(self.named[name].symbol, self.named[name])

    def _softmax(self, node: tree.Node, i: int) -> Expression:
        assert isinstance(node, tree.Apply) and isinstance(node.argument, tree.Delimited)
        scores = [self._letter(as_text(node.argument.body), k) for k in range(self.n)]
        return power_of_e(scores[i]) / self._part("sum", "s", list(map(power_of_e, scores)))

    def _named_sum(self, node: tree.Big, bound: Mapping[str, int]) -> Expression:
        if self.is_inside_sum:
            raise Unreadable
        return self._part(*BIG[node.operator], self._terms(node, bound)[1])

    def _part(self, combine: str, letter: str, terms: Sequence[Expression]) -> Expression:
        """A sum or product with a letter of its own."""
        symbol = letter + "'" * sum(part.symbol.rstrip("'") == letter for part in self.parts)
        made = tuple(e.term() for e in terms)
        value = Part(symbol, combine, made, 0.0).combined()
        shown = zeros_to_the_middle(made) if combine == "sum" else made
        self.parts.append(Part(symbol, combine, shown, value))
        return called(symbol, self.parts[-1])

    def _terms(self, node: tree.Big, bound: Mapping[str, int]) -> tuple[str, list[Expression]]:
        """What a sum adds up, or a product multiplies."""
        if node.operator not in BIG:
            raise Unreadable
        letter, holds = self._running(node, bound)
        inside = [{**bound, letter: i} for i in range(self.n)]
        self.is_inside_sum = True
        terms = [self.value(node.body, b) for b in inside if holds(b)]
        self.is_inside_sum = False
        return BIG[node.operator][0], terms

    def _running(
        self, node: tree.Big, bound: Mapping[str, int]
    ) -> tuple[str, Callable[[Mapping[str, int]], bool]]:
        """The letter a sum runs over, and the condition on it."""
        match node.sub:
            case tree.Symbol(letter):
                return letter, lambda b: True
            case tree.Infix("relation", parts) if node.sup is None:
                letters = [as_text(part) for _, part in parts]
                signs = [sign_ for sign_, _ in parts[1:]]
                free = [letter for letter in letters if letter not in bound]
                if len(free) == 1:
                    return free[0], lambda b: all(
                        RELATIONS[s][1](b[x], b[y])
                        for s, x, y in zip(signs, letters, letters[1:], strict=False)
                    )
            case tree.Infix("relation", ((_, tree.Symbol(letter)), ("=", tree.Number("1")))):
                return letter, lambda b: True
        raise Unreadable

    def _chain(
        self, parts: Sequence[tuple[str, tree.Node]], bound: Mapping[str, int]
    ) -> Expression:
        """Summands or factors."""
        result: Expression | None = None
        for operator, node in parts:
            e = self.value(node, bound)
            if result is None:
                result = -e if operator == "-" else e
            elif operator in ("+", "-"):
                result = result + e if operator == "+" else result - e
            elif operator in ("", "·"):
                result = result * e
            else:
                raise Unreadable
        assert result is not None
        return result

    def _applied(
        self, name: tree.Node, argument: tree.Node, bound: Mapping[str, int]
    ) -> Expression:
        power = None
        match name:
            case tree.Scripted(base, None, tree.Number(text)):
                name, power = base, number_of(float(text))
        compute = FUNCTIONS.get(as_text(name))
        if compute is None:
            raise Unreadable
        match argument:
            case tree.Delimited("(", body):
                argument = body
        inside = argument.items if isinstance(argument, tree.Sequence) else (argument,)
        e = compute(*[self.value(node, bound) for node in inside])
        return e if power is None else e**power

    def _truth(self, node: tree.Node, bound: Mapping[str, int]) -> Expression:
        """Conditions in Iverson's brackets, of which one has to hold."""
        alternatives = node.items if isinstance(node, tree.Sequence) else (node,)
        if isinstance(node, tree.Sequence) and set(node.separators) != {" or "}:
            raise Unreadable
        templates: list[str] = []
        numbers: list[Expression] = []
        outcomes: list[bool] = []
        for one in alternatives:
            (_, first), *others = _comparisons(one)
            values = [self.value(first, bound)]
            template, holds = "{}", True
            for sign_, part in others:
                latex, compare = RELATIONS[sign_]
                values.append(self.value(part, bound))
                template += f" {latex} {{}}"
                holds &= bool(compare(values[-2].value, values[-1].value))
            templates.append(template)
            numbers += values
            outcomes.append(holds)
        return whether(r" \text{ or } ".join(templates), lambda *_: any(outcomes), *numbers)


def _comparisons(node: tree.Node) -> Sequence[tuple[str, tree.Node]]:
    """The parts of a relation; a number alone is compared with 0."""
    match node:
        case tree.Infix("relation", parts):
            return parts
    return ("", node), ("≠", tree.Number("0"))


def _is_softmax(node: tree.Node) -> bool:
    return isinstance(node, tree.Apply) and as_text(node.function) == "softmax"
