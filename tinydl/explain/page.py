r"""What is on a page: plain data, from which terminal, notebook and browser show the same content.

A `Story` (`tinydl.explain.story`) is a list of `Step`, in the order in which things happened. There
are three kinds:

- ``"forward"``: one op was applied. ``element(index)`` shows how one element of the output came
  about.
- ``"backward"``: the gradient that arrived at the output of forward step `of` was passed on to its
  inputs. `inputs` begin with the gradient that arrived, followed by what the op had read, and its
  result where a rule reads that; `outputs` are the gradients of its inputs, complete as the engine
  had them in the end. ``gradient(input, index)`` shows the gradient of one element of one input:
  every path it came by.
- ``"update"``: an optimizer changed one weight. ``update(index)`` shows one element of it.

Names are unique within a story: a value with a certain name is the same wherever it is mentioned,
and the gradient of ``h`` is called ``grad h``. So steps and views refer to values by name, and a
click on an element leads to whatever fed it.

An expression in a view is LaTeX with numbers in it, ``0.5 \cdot (-1.2)``, and its value is computed
from unrounded numbers. Numbers are printed with `DIGITS` significant digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from tinydl.errors import ArgumentError

DIGITS = 5
WHOLE = 50_000  # arrays of up to so many elements are kept whole
SHOWN = 12  # so many terms are printed, of a longer sum only some

Index = tuple[int, ...]


@dataclass(frozen=True)
class Ref:
    """One element of a value."""

    name: str
    index: Index


@dataclass(frozen=True)
class Value:
    """A tensor as it was at that moment.

    Attributes
    ----------
    name : str
        Unique within a story: ``"conv2d/kernel"``, ``"x"``, ``"grad conv2d/kernel"``.
    symbol : str
        LaTeX, a short letter: ``"w"``.
    shape : tuple of int
    dtype : str
    axes : tuple of str
        What each axis counts: ``("sample", "row", "column", "channel")``.
    array : numpy.ndarray
        The elements; of an array of more than `WHOLE` elements a block of its first ones.
    role : {"input", "weight", "activation", "gradient", "state"}
        What was computed from inputs alone counts as input, too.
    """

    name: str
    symbol: str
    shape: Index
    dtype: str
    axes: tuple[str, ...]
    array: np.ndarray
    role: str

    @property
    def is_whole(self) -> bool:
        """Whether `array` has all elements."""
        return self.array.shape == self.shape


@dataclass(frozen=True)
class Term:
    r"""One summand, factor or candidate.

    Attributes
    ----------
    text : str
        LaTeX with numbers: ``0.5 \cdot (-1.2)``.
    value : float
    refs : tuple of Ref
        The elements whose numbers stand in the text.
    """

    text: str
    value: float
    refs: tuple[Ref, ...] = ()


@dataclass(frozen=True)
class Part:
    """A named number made of terms.

    Attributes
    ----------
    symbol : str
        LaTeX: what later parts call it.
    combine : {"sum", "product", "max", "min", "function"}
        How `terms` make `value`: all of them together, to rounding. A function has one term, which
        is its value.
    terms : tuple of Term
        All of them; whoever shows them may elide some in the middle (`shown`). A long sum has its
        zeros there (`zeros_to_the_middle`).
    value : float
    """

    symbol: str
    combine: str
    terms: tuple[Term, ...]
    value: float

    def combined(self) -> float:
        """What the terms make together."""
        values = [term.value for term in self.terms]
        return float(COMBINE[self.combine](values))

    def shown(self, most: int = SHOWN) -> tuple[tuple[Term, ...], int, tuple[Term, ...]]:
        """The first terms, how many are left out after them, and the last terms.

        Examples
        --------
        >>> terms = tuple(Term(str(i), float(i)) for i in range(6))
        >>> first, elided, last = Part("y", "sum", terms, 15.0).shown(most=3)
        >>> [term.text for term in first], elided, [term.text for term in last]
        (['0', '1'], 3, ['5'])
        """
        if len(self.terms) <= most:
            return self.terms, 0, ()
        after = most // 3
        before = most - after
        return self.terms[:before], len(self.terms) - most, self.terms[len(self.terms) - after :]

    def line(self, most: int = SHOWN) -> str:
        r"""One line of LaTeX: what is computed, its terms, and the value.

        Examples
        --------
        >>> Part("y_{2}", "sum", (Term("1", 1.0), Term("-0.5", -0.5)), 0.5).line()
        'y_{2} = 1 + (-0.5) = 0.5'
        """
        first, elided, last = self.shown(most)
        texts = [term.text for term in first]
        texts += [r"\dots"] * bool(elided) + [term.text for term in last]
        if self.combine == "sum":
            right = " + ".join([texts[0], *map(_in_brackets, texts[1:])]) if texts else "0"
        elif self.combine == "product":
            right = r" \cdot ".join(map(_in_brackets, texts)) or "1"
        elif self.combine == "function":
            right = texts[0]
        else:
            right = rf"\{self.combine}({', '.join(texts)})"
        value = number(self.value)
        return f"{self.symbol} = {right}" + ("" if right == value else f" = {value}")


def zeros_to_the_middle(terms: Sequence[Term]) -> tuple[Term, ...]:
    """The summands, in an order in which those that are 0 are left out first.

    Examples
    --------
    >>> terms = [Term("0", 0.0)] * 12 + [Term("1", 1.0), Term("2", 2.0), Term("3", 3.0)]
    >>> [term.text for term in zeros_to_the_middle(terms)][:3]
    ['1', '2', '0']
    """
    if len(terms) <= SHOWN:
        return tuple(terms)
    others = [term for term in terms if term.value != 0]
    zeros = [term for term in terms if term.value == 0]
    before = len(others) - len(others) // 3
    return (*others[:before], *zeros, *others[before:])


def number(value: float) -> str:
    r"""A number in LaTeX, with `DIGITS` significant digits.

    Examples
    --------
    >>> number(0.1234567), number(-2.0), number(1.5e-7), number(float("inf"))
    ('0.12346', '-2', '1.5 \\cdot 10^{-7}', '\\infty')
    """
    if np.isnan(value):
        return r"\text{nan}"
    if np.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    text = f"{value + 0.0:.{DIGITS}g}"  # adding 0 makes -0 a 0
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    if float(value).is_integer() and abs(value) < 1e9:
        return str(int(value))
    power = f"10^{{{int(exponent)}}}"
    return rf"{mantissa} \cdot {power}" if mantissa not in ("1", "-1") else mantissa[:-1] + power


def _in_brackets(text: str) -> str:
    """Brackets around what begins with a sign: it stands after another sign."""
    return f"({text})" if text.startswith("-") else text


COMBINE: Mapping[str, Any] = {
    "sum": np.sum,
    "product": np.prod,
    "max": lambda values: np.max(values) if values else np.nan,
    "min": lambda values: np.min(values) if values else np.nan,
    "function": lambda values: values[0],
}


@dataclass(frozen=True)
class ElementView:
    """How one element of the output of a forward step came about.

    Attributes
    ----------
    index : tuple of int
    value : float
        The element, as it is in the output.
    result : Part
        The last line: its terms make `value`, to the rounding of the output's dtype.
    parts : tuple of Part
        Numbers computed before, which occur in the result by their symbol: the sum S of a softmax.
    derivatives : tuple of (Ref, float)
        How the element changes with each input element; only where no formula is known beyond the
        op's own, and the terms say no more than its value.
    """

    index: Index
    value: float
    result: Part
    parts: tuple[Part, ...] = ()
    derivatives: tuple[tuple[Ref, float], ...] = ()

    @property
    def formula(self) -> str:
        """The last line in LaTeX: the formula with this element's numbers."""
        return self.result.line()

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the result."""
        return self.result.terms

    @property
    def combine(self) -> str:
        """How the terms make the value."""
        return self.result.combine

    @property
    def refs(self) -> frozenset[Ref]:
        """The input elements that feed this one."""
        parts = (*self.parts, self.result)
        return frozenset(ref for part in parts for term in part.terms for ref in term.refs)


@dataclass(frozen=True)
class GradientPath:
    r"""What came down to an element by one use of it.

    Attributes
    ----------
    step : int
        The backward step of the op that had used the element.
    input : str
        The name of that op's input, ``"x1"``.
    rule : str
        LaTeX of the rule: ``\bar a_i = \bar y_i b_i``.
    part : Part
        A sum of terms, one for each output element that the element feeds: the gradient arriving
        there times the local derivative.
    filled : tuple of Part
        The rule with a number for every letter; the last one is the element, those before it are
        sums that occur in it by their letter. Nothing where `part` says all there is.
    """

    step: int
    input: str
    rule: str
    part: Part
    filled: tuple[Part, ...] = ()

    @property
    def value(self) -> float:
        """What this path brings."""
        return self.part.value


@dataclass(frozen=True)
class Difference:
    """A central difference: the element was moved a little up and down, the loss recomputed.

    Attributes
    ----------
    value : float
        The derivative of the loss, by differences in float64.
    bound : float
        How far the difference may be off (see `tinydl.testing.differences`).
    left, right : float
        The derivatives to either side; at a kink these differ.
    outcome : {"agrees", "kink", "disagrees", "uncertain"}
        Whether the gradient is within the bound and the rounding of its dtype. At a kink it is
        between `left` and `right`.
    """

    value: float
    bound: float
    left: float
    right: float
    outcome: str


@dataclass(frozen=True)
class GradientView:
    """The gradient of one element: every path it came by, and a finite difference beside it.

    Attributes
    ----------
    name : str
        The gradient: ``"grad w"``.
    index : tuple of int
    paths : tuple of GradientPath
    total : float
        The sum over the paths.
    accumulated : float
        What the engine had: equal to the total, to rounding.
    difference : Difference or None
        None where the loss cannot be recomputed, or was not to be.
    """

    name: str
    index: Index
    paths: tuple[GradientPath, ...]
    total: float
    accumulated: float
    difference: Difference | None


@dataclass(frozen=True)
class UpdateView:
    """How one element of a weight was changed.

    Attributes
    ----------
    name : str
        The weight.
    index : tuple of int
    gradient : float
        What the optimizer was given.
    settings : tuple of (str, float)
        The rule's constants: symbol in LaTeX, and value.
    before, after : dict of str to float
        What the optimizer remembered about this element: m, v, velocity.
    formula : str
        The rule.
    lines : tuple of Part
        The rule with numbers, line by line: clipping, decay, new state, new weight.
    old, new : float
        The weight's element.
    """

    name: str
    index: Index
    gradient: float
    settings: tuple[tuple[str, float], ...]
    before: Mapping[str, float]
    after: Mapping[str, float]
    formula: str
    lines: tuple[Part, ...]
    old: float
    new: float


class Source(NamedTuple):
    """The line of the user's program that did it."""

    file: str
    line: int
    text: str


class Views(Protocol):
    """Whoever can say more about a step, element by element."""

    def element(self, index: Index) -> ElementView:
        """Of a forward step."""

    def gradient(self, name: str, index: Index, with_difference: bool) -> GradientView:
        """Of a backward step, for the gradient of this name."""

    def update(self, index: Index) -> UpdateView:
        """Of an update step."""


@dataclass(frozen=True)
class Step:
    """One page.

    Attributes
    ----------
    number : int
        From 1 on.
    kind : {"forward", "backward", "update"}
    title : str
        A few words: ``"conv2d: conv"``.
    layer : str or None
    op : str
        The name of the op, or of the optimizer.
    formula : str
        LaTeX: of the op, of the rules, or of the update.
    rules : tuple of (str, str)
        Of a backward step: the name of a value that gets a gradient, and the LaTeX of the rule.
    shapes : str
        LaTeX: the formula's letters with their shapes, and what its other letters stand for.
    inputs, outputs : tuple of Value
    source : Source or None
    after : tuple of int
        The steps whose results this one uses.
    of : int or None
        Of a backward step: its forward step.
    """

    number: int
    kind: str
    title: str
    layer: str | None
    op: str
    formula: str
    rules: tuple[tuple[str, str], ...]
    shapes: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    source: Source | None
    after: tuple[int, ...]
    of: int | None = None
    views: Views | None = field(default=None, repr=False, compare=False)

    @property
    def output(self) -> Value:
        """The first output."""
        return self.outputs[0]

    def element(self, index: Any = None) -> ElementView:
        """How an element of the output came about; by default the largest one."""
        self._require("forward", "element")
        assert self.views is not None
        return self.views.element(_index_in(self.output, index))

    def gradient(
        self, name: str | None = None, index: Any = None, with_difference: bool = True
    ) -> GradientView:
        """The gradient of an element of an input; by default the largest of the first one.

        The input is meant by its name, ``"w"``, or by that of its gradient, ``"grad w"``. The
        finite difference computes the loss several times over.
        """
        self._require("backward", "gradient")
        assert self.views is not None
        names = [output.name for output in self.outputs]
        wanted = names[0] if name is None else name if name in names else GRADIENT + name
        if wanted not in names:
            raise ArgumentError("gradient", "name", got=repr(name), expected=" or ".join(names))
        picked = _index_in(self.outputs[names.index(wanted)], index)
        return self.views.gradient(wanted, picked, with_difference)

    def update(self, index: Any = None) -> UpdateView:
        """How an element of the weight was changed; by default the largest one."""
        self._require("update", "update")
        assert self.views is not None
        return self.views.update(_index_in(self.output, index))

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from tinydl.explain.notebook import html_of_step

        return html_of_step(self)

    def _require(self, kind: str, view: str) -> None:
        if self.kind != kind:
            raise ArgumentError(
                view, "the step", got=f"a {self.kind} step", expected=f"a {kind} one"
            )


GRADIENT = "grad "


def excerpt(array: np.ndarray, most: int = WHOLE) -> np.ndarray:
    """The array itself, or a copy of a block of its first elements.

    Leading axes are cut first, so that what remains of an image is whole.

    Examples
    --------
    >>> excerpt(np.zeros((10, 4, 5)), most=50).shape
    (2, 4, 5)
    """
    if array.size <= most:
        return array
    kept, rest = [], array.size
    for n in array.shape:
        rest //= n
        kept.append(min(n, max(1, most // rest)))
        most = max(1, most // kept[-1])
    return array[tuple(map(slice, kept))].copy()


def largest(array: np.ndarray) -> Index | None:
    """Where the element of the largest magnitude is; None where there is no element.

    Examples
    --------
    >>> largest(np.array([[1.0, -3.0], [2.0, 0.0]]))
    (0, 1)
    """
    if array.size == 0:
        return None
    size = np.abs(np.nan_to_num(array.astype(np.float64), nan=np.inf))
    return tuple(int(i) for i in np.unravel_index(int(size.argmax()), array.shape))


def indices(shape: Index) -> Iterator[Index]:
    """Every index of an array, in reading order."""
    return iter(np.ndindex(*shape))


def _index_in(value: Value, index: Any) -> Index:
    """The index as a tuple of positive numbers; by default that of the largest element."""
    if index is None:
        found = largest(value.array)
        if found is None:
            raise ArgumentError("pick", value.name, got="an empty tensor", expected="an element")
        return found
    picked = tuple(index) if isinstance(index, (tuple, list)) else (index,)
    if not value.shape and picked:
        raise ArgumentError(
            "pick", f"the index into {value.name}", got=index, expected="none: it is one number"
        )
    if len(picked) != len(value.shape) or not all(
        hasattr(i, "__index__") and -n <= i < n for i, n in zip(picked, value.shape, strict=True)
    ):
        raise ArgumentError(
            "pick",
            f"the index into {value.name}",
            got=index,
            expected=f"{len(value.shape)} whole numbers within the shape {value.shape}",
        )
    return tuple(int(i) % n for i, n in zip(picked, value.shape, strict=True))
