r"""Read LaTeX: from the text of a formula to a tree of what it says.

This is not TeX, but the part of it in which this project writes formulas: scalar indices, sums and
products, functions, fractions, cases. What is juxtaposed is multiplied, except in an index without
an operator, where it is listed: the index of :math:`x_{ij}` is i, j, that of :math:`x_{2 i + 1}`
is 2 i + 1. A letter is taken for a function where a parenthesis follows without a space:
``f(x)``, but ``a (x + 1)``. A sum reaches to the next plus, minus or relation.
"""

from __future__ import annotations

from tinydl.errors import ArgumentError
from tinydl.explain.symbols import (
    ACCENTS,
    ALPHABETS,
    BIG,
    BRACKETS,
    DELIMITERS,
    FUNCTIONS,
    LETTERS,
    LOGIC,
    RELATIONS,
    SIGNS,
    TIMES,
)
from tinydl.explain.tokens import Token, tokens
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


def parse(latex: str) -> Node:
    r"""The tree of a formula.

    Raises
    ------
    ArgumentError
        Where the LaTeX is not of the kind this module reads; the message quotes the place.

    Examples
    --------
    >>> parse(r"a_{ij} + 1")  # doctest: +NORMALIZE_WHITESPACE
    Infix(level='sum', parts=(('', Scripted(base=Symbol(text='a', alphabet=''),
      sub=Sequence(items=(Symbol(text='i', alphabet=''), Symbol(text='j', alphabet='')),
      separators=('',)), sup=None)), ('+', Number(text='1'))))
    """
    return _Parser(latex).whole()


class _Parser:
    """Recursive descent, one method for each strength of binding, the weakest first."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.tokens = tokens(latex)
        self.at = 0
        self.closing: list[str] = []  # the brackets that are open, by what closes them

    # What comes next.

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise self.error("the end")
        self.at += 1
        return token

    def next_is(self, *texts: str) -> bool:
        """Whether the next piece is one of these characters (not commands)."""
        token = self.peek()
        return token is not None and token.kind == "character" and token.text in texts

    def error(self, got: str) -> ArgumentError:
        place = self.tokens[self.at].place if self.at < len(self.tokens) else len(self.latex)
        return ArgumentError(
            "formula",
            "LaTeX",
            got=f"{got} after {self.latex[max(0, place - 20) : place]!r}",
            expected="something tinydl.explain.latex can read",
        )

    def expect(self, text: str) -> None:
        if not self.next_is(text):
            raise self.error(repr(self.tokens[self.at].text) if self.peek() else "the end")
        self.at += 1

    def operator(self, table: dict[str, str]) -> str:
        """The operator of this table that comes next, or ""; it is not taken."""
        token = self.peek()
        if token is None or token.kind not in ("character", "command"):
            return ""
        if token.kind == "character" and token.text.isalpha():
            return ""
        return table.get(token.text, "")

    # From the whole to its parts.

    def whole(self) -> Node:
        node = self.sequence()
        if self.peek() is not None:
            raise self.error(repr(self.tokens[self.at].text))
        return node

    def group(self) -> Node:
        """What stands in braces, or the next atom alone."""
        if not self.next_is("{"):
            return self.atom()
        self.at += 1
        self.closing.append("")
        node = self.sequence()
        self.closing.pop()
        self.expect("}")
        return node

    def separator(self) -> str:
        """What stands between two statements: commas, colons, wide spaces, words."""
        found = ""
        while (token := self.peek()) is not None:
            if token.kind == "character" and token.text in ",:;":
                found += token.text if token.text != ":" else " :"
            elif token.kind == "command" and token.text in ("quad", "qquad"):
                found += "  "
            elif token.kind == "text" and not self.followed_by_index():
                found += f" {token.text.strip()} " if token.text[:1] != "," else token.text
            else:
                break
            self.at += 1
        return found

    def followed_by_index(self) -> bool:
        after = self.tokens[self.at + 1 : self.at + 2]
        return bool(after) and after[0].text == "_"

    def ended(self) -> bool:
        token = self.peek()
        return (
            token is None
            or (token.kind == "character" and token.text in ("}", "&"))
            or (token.kind == "command" and token.text == "\\")
            or (token.kind == "environment" and token.text.startswith(r"\end"))
            or self.closes()
        )

    def closes(self) -> bool:
        """Whether the next piece closes the innermost bracket."""
        token = self.peek()
        if token is None or not self.closing:
            return False
        text = DELIMITERS.get(token.text, "") if token.kind == "command" else token.text
        if token.kind == "character" and token.text in "{}":
            return False
        return text == self.closing[-1] != ""

    def sequence(self) -> Node:
        items: list[Node] = []
        separators: list[str] = []
        if self.ended():
            return NOTHING
        while True:
            items.append(self.relation())
            separator = self.separator()
            if self.ended():
                if separator.strip():  # words at the end
                    items.append(NOTHING)
                    separators.append(separator)
                break
            if not separator:
                raise self.error(repr(self.tokens[self.at].text))
            separators.append(separator)
        return items[0] if len(items) == 1 else Sequence(tuple(items), tuple(separators))

    def relation(self) -> Node:
        first = NOTHING if self.operator(RELATIONS) else self.logic()
        return self.chain("relation", RELATIONS, first)

    def logic(self) -> Node:
        return self.chain("logic", LOGIC, self.sum())

    def chain(self, level: str, table: dict[str, str], first: Node) -> Node:
        below = self.logic if level == "relation" else self.sum
        parts = [("", first)]
        while (operator := self.operator(table)) and not self.closes():
            self.at += 1
            parts.append((operator, below() if not self.ended() else NOTHING))
        return first if len(parts) == 1 else Infix(level, tuple(parts))

    def sum(self) -> Node:
        sign = self.sign()
        parts = [(sign, self.product())]
        while self.operator(SIGNS):
            sign_of_term, own_sign = self.sign(), self.sign()
            term = self.product()
            parts.append((sign_of_term, Infix("sum", ((own_sign, term),)) if own_sign else term))
        return parts[0][1] if len(parts) == 1 and not sign else Infix("sum", tuple(parts))

    def sign(self) -> str:
        sign = self.operator(SIGNS)
        self.at += bool(sign)
        return sign

    def product(self, until: str = "") -> Node:
        """Factors; `until` names a big operator before which a second factor ends the product."""
        parts = [("", self.factor())]
        while not self.ended():
            if self.next_is("/"):
                self.at += 1
                parts = [("", Fraction(_product(parts), self.signed_factor()))]
            elif operator := self.operator(TIMES):
                self.at += 1
                parts.append((operator, self.signed_factor()))
            elif self.begins_a_factor(until):
                parts.append(("", self.factor()))
            else:
                break
        return _product(parts)

    def signed_factor(self) -> Node:
        sign = self.sign()
        return Infix("sum", ((sign, self.factor()),)) if sign else self.factor()

    def begins_a_factor(self, until: str = "") -> bool:
        token = self.peek()
        if token is None or self.ended():
            return False
        if token.kind == "text":
            return self.followed_by_index()
        if token.kind == "command":
            others = RELATIONS | LOGIC | SIGNS | TIMES
            return token.text not in others and token.text not in ("quad", "qquad", until)
        return token.text not in "=<>+-*/,:;^_)]&"

    def factor(self) -> Node:
        token = self.peek()
        if token is not None and token.kind == "command" and token.text in BIG:
            return self.big()
        node = self.scripts(self.atom())
        if _is_prefix(node) and self.begins_a_factor():
            return Apply(node, self.factor())
        if _may_be_function(node) and self.next_is("(") and not self.tokens[self.at].spaced:
            return Apply(node, self.scripts(self.atom()))
        return node

    def big(self) -> Node:
        name = self.take().text
        limits = self.scripts(NOTHING)
        sub, sup = (limits.sub, limits.sup) if isinstance(limits, Scripted) else (None, None)
        return Big(BIG[name], sub, sup, self.product(until=name if name == "prod" else ""))

    def scripts(self, base: Node) -> Node:
        sub: Node | None = None
        sup: Node | None = None
        primes = ""
        while self.next_is("_", "^", "'"):
            mark = self.take().text
            if mark == "'":
                primes += "′"
                sup = Symbol(primes)
            elif mark == "_":
                sub = self.index()
            else:
                sup = self.group()
        return base if sub is None and sup is None else Scripted(base, sub, sup)

    def index(self) -> Node:
        """An index: what is juxtaposed in it is a list, unless there is an operator."""
        node = self.group()
        items, separators = (
            ((node,), ()) if not isinstance(node, Sequence) else (node.items, node.separators)
        )
        flat: list[Node] = []
        between: list[str] = []
        for position, item in enumerate(items):
            letters = _spread(item)
            flat += letters
            between += [""] * (len(letters) - 1)
            between += separators[position : position + 1]
        return flat[0] if len(flat) == 1 else Sequence(tuple(flat), tuple(between))

    def atom(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return Number(token.text)
        if token.kind == "text":
            return Text(token.text.strip())
        if token.kind == "environment":
            return self.environment(token.text)
        if token.kind == "command":
            return self.command(token.text)
        if token.text == "{":
            self.at -= 1
            return self.group()
        if token.text in BRACKETS:
            return self.delimited(token.text)
        if token.text.isalpha():
            return self.letter(token.text)
        if token.text in "…−∞∂∇.":
            return Symbol(token.text)
        self.at -= 1
        raise self.error(repr(token.text))

    def letter(self, text: str) -> Node:
        after = self.tokens[self.at] if self.at < len(self.tokens) else None
        together = after is not None and after.kind == "character" and not after.spaced
        if text == "d" and after is not None and together and after.text.isalpha():
            self.at += 1  # the dt of an integral
            return Symbol(f"d{after.text}")
        return Symbol(text)

    def command(self, name: str) -> Node:
        if name in LETTERS:
            return Symbol(LETTERS[name])
        if name in FUNCTIONS:
            return Symbol(name, "operatorname")
        if name in ACCENTS:
            return Accent(self.group(), ACCENTS[name])
        if name in ("frac", "tfrac", "dfrac"):
            return Fraction(self.group(), self.group())
        if name == "sqrt":
            return Root(self.group())
        if name in ALPHABETS:
            return Symbol(self.name_in_braces(), name)
        if name in ("neg", "lnot"):
            return Apply(Symbol("¬"), self.factor())
        if DELIMITERS.get(name, "") in BRACKETS:
            return self.delimited(DELIMITERS[name])
        self.at -= 1
        raise self.error(rf"\{name}")

    def name_in_braces(self) -> str:
        self.expect("{")
        letters = ""
        while not self.next_is("}"):
            token = self.take()
            letters += LETTERS.get(token.text, token.text)
        self.at += 1
        return letters

    def delimited(self, opening: str) -> Node:
        self.closing.append(BRACKETS[opening])
        body = self.sequence()
        if not self.closes():
            raise self.error(repr(self.tokens[self.at].text) if self.peek() else "the end")
        self.at += 1
        return Delimited(opening, body, self.closing.pop())

    def environment(self, begin: str) -> Node:
        name = begin[begin.index("{") + 1 : begin.index("}")].rstrip("*")
        if not begin.startswith(r"\begin") or name not in ("cases", "aligned", "align", "array"):
            self.at -= 1
            raise self.error(begin)
        self.closing.append("")
        rows = [self.row()]
        while (token := self.take()).kind == "command" and token.text == "\\":
            rows.append(self.row())
        self.closing.pop()
        if token.kind != "environment" or not token.text.startswith(r"\end"):
            self.at -= 1
            raise self.error(repr(token.text))
        if name == "cases":
            return Cases(tuple((row[0], row[1] if len(row) > 1 else NOTHING) for row in rows))
        joined = [row[0] if len(row) == 1 else _joined(row) for row in rows if any(row)]
        return Lines(tuple(joined))

    def row(self) -> list[Node]:
        cells = [self.cell()]
        while self.next_is("&"):
            self.at += 1
            cells.append(self.cell())
        return cells

    def cell(self) -> Node:
        token = self.peek()
        if token is not None and token.kind == "text":  # words first: "if ...", "otherwise"
            self.at += 1
            rest = self.sequence()
            words = Text(token.text.strip())
            return words if rest == NOTHING else Sequence((words, rest), (" ",))
        return self.sequence()


def _product(parts: list[tuple[str, Node]]) -> Node:
    return parts[0][1] if len(parts) == 1 else Infix("product", tuple(parts))


def _joined(cells: list[Node]) -> Node:
    """The cells of a row of aligned formulas as one formula: ``a &= b``."""
    left, right = cells[0], cells[1]
    if isinstance(right, Infix) and right.level == "relation" and right.parts[0][1] == NOTHING:
        chain = isinstance(left, Infix) and left.level == "relation"
        before = left.parts if isinstance(left, Infix) and chain else (("", left),)
        return Infix("relation", (*before, *right.parts[1:]))
    return right if left == NOTHING else Infix("product", (("", left), ("", right)))


def _spread(node: Node) -> tuple[Node, ...]:
    """The letters of an index without operators, one by one."""
    if not isinstance(node, Infix) or any(operator for operator, _ in node.parts):
        return (node,)
    return tuple(part for _, part in node.parts)


def _is_prefix(node: Node) -> bool:
    """Whether it is applied to what follows: ln, max, an operatorname, a derivative."""
    if isinstance(node, Scripted):
        return _is_prefix(node.base)
    if not isinstance(node, Symbol):
        return False
    return node.alphabet in ("operatorname", "mathcal") or node.text in "∂∇"


def _may_be_function(node: Node) -> bool:
    if isinstance(node, Scripted):
        return _may_be_function(node.base)
    return isinstance(node, Symbol) and node != NOTHING
