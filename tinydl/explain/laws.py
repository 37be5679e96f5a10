"""What the numbers of all elements of a step have in common, found by looking at a few of them.

Most ops treat each element of their output like the others: term by term, the input elements that
feed it lie where its own index says, shifted, scaled. Such a `law` lets a page show any element of
a large tensor without holding the numbers of each: it is found from an element in the middle and
its neighbours, and tried on others, on corners and on random ones. A step without a law (a border
that is treated in a way of its own, terms that depend on the values) has pages for chosen elements.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinydl.explain.blanks import blanks_of
from tinydl.explain.page import ElementView, Index, Part, Ref, Step, Term, largest, number

MOST_TERMS = 64  # a law of more would take longer to find than it saves
TRIED = 24


@dataclass(frozen=True)
class Place:
    """Where an input element lies: ``start + slopes @ index`` along each of its axes.

    Without slopes it lies at the same place in reading order, in an array of shape `start`.
    """

    name: str
    start: Index
    slopes: tuple[Index, ...]

    def at(self, index: Index, shape: Index) -> Ref:
        """The element that feeds the element at `index` of an output of this shape."""
        if not self.slopes and self.start:
            return Ref(self.name, _same_place(index, shape, self.start))
        moved = (
            start + sum(slope * i for slope, i in zip(slopes, index, strict=True))
            for start, slopes in zip(self.start, self.slopes, strict=True)
        )
        return Ref(self.name, tuple(moved))


@dataclass(frozen=True)
class TermLaw:
    """One term: its formula with blanks, what fills these, its refs, and its value.

    Attributes
    ----------
    blank : str
    numbers : tuple of (kind, ...)
        ``("constant", text)``, ``("value", ref, in_brackets)`` or ``("index", ref, axis)``.
    places : tuple of Place
    value : {"product", "output"}
        The product of what the refs point to, or the output element itself.
    """

    blank: str
    numbers: tuple[tuple[Any, ...], ...]
    places: tuple[Place, ...]
    value: str


@dataclass(frozen=True)
class Law:
    """How every element of an output comes about, out of terms that are made alike."""

    combine: str
    symbol: str
    terms: tuple[TermLaw, ...]
    shape: Index

    def view(self, index: Index, arrays: Mapping[str, np.ndarray], value: float) -> ElementView:
        """The view of one element; terms whose elements lie beyond the border are left out."""
        terms = []
        for law in self.terms:
            refs = tuple(place.at(index, self.shape) for place in law.places)
            if all(_inside(ref.index, arrays[ref.name].shape) for ref in refs):
                terms.append(_term(law, refs, arrays, value))
        indices = iter(index)
        symbol = self.symbol
        while r"\blank" in symbol:
            symbol = symbol.replace(r"\blank", str(next(indices)), 1)
        return ElementView(index, value, Part(symbol, self.combine, tuple(terms), value))


def law_of(step: Step) -> Law | None:
    """The law of a forward step, if it has one that holds for all elements that are tried."""
    output = step.output
    arrays = {value.name: value.array for value in step.inputs}
    whole = all(value.is_whole for value in (*step.inputs, output))
    if not whole or output.array.size == 0 or not output.shape:
        return None
    tried = [step.element(index) for index in _some_indices(output.shape)]
    for base in (tuple(n // 2 for n in output.shape), largest(output.array)):
        assert base is not None
        view = step.element(base)
        if view.parts or view.derivatives or not 0 < len(view.terms) <= MOST_TERMS:
            return None
        neighbours = [step.element(index) for index in _neighbours(base, output.shape)]
        law = _fit(view, neighbours, tried, arrays, output.shape)
        if law and all(
            _alike(law.view(v.index, arrays, v.value), v) for v in (view, *neighbours, *tried)
        ):
            return law
    return None


def _fit(
    view: ElementView,
    neighbours: Sequence[ElementView],
    tried: Sequence[ElementView],
    arrays: Mapping[str, np.ndarray],
    shape: Index,
) -> Law | None:
    """A law of the form above for an element and its neighbours."""
    symbol, indices = blanks_of(view.result.symbol)
    if indices != tuple(map(str, view.index)):
        return None
    terms = []
    for position, term in enumerate(view.terms):
        beside = [v.terms[position] for v in neighbours if position < len(v.terms)]
        if len(beside) < len(neighbours):
            return None
        law = _fit_term(view, term, beside, tried, arrays, shape)
        if law is None:
            return None
        terms.append(law)
    return Law(view.combine, symbol, tuple(terms), shape)


def _fit_term(
    view: ElementView,
    term: Term,
    beside: Sequence[Term],
    tried: Sequence[ElementView],
    arrays: Mapping[str, np.ndarray],
    shape: Index,
) -> TermLaw | None:
    blank, numbers = blanks_of(term.text)
    if any(
        len(other.refs) != len(term.refs) or blanks_of(other.text)[0] != blank for other in beside
    ):
        return None
    places = [
        _place([ref, *(other.refs[which] for other in beside)], view.index, shape, arrays)
        for which, ref in enumerate(term.refs)
    ]
    value = _value_of(term, view, arrays)
    if value is None or None in places:
        return None
    brackets = _bracketed(blank, [view, *tried])
    kinds = [_kind(i, text, term, beside, arrays, brackets) for i, text in enumerate(numbers)]
    return TermLaw(blank, tuple(kinds), tuple(filter(None, places)), value)


def _place(
    refs: Sequence[Ref], index: Index, shape: Index, arrays: Mapping[str, np.ndarray]
) -> Place | None:
    """Where the first ref lies, as its neighbours show."""
    ref, *others = refs
    if any(other.name != ref.name for other in others):
        return None
    beside = _neighbours(index, shape)
    inputs = arrays[ref.name].shape
    if math.prod(inputs) == math.prod(shape) and inputs != shape:
        places = [_same_place(at, shape, inputs) for at in (index, *beside)]
        if places == [ref.index for ref in refs]:
            return Place(ref.name, inputs, ())
    steps = _steps(index, shape)
    slopes = tuple(tuple(_slope(i, others, axis, steps)) for axis, i in enumerate(ref.index))
    start = tuple(
        i - sum(slope * at for slope, at in zip(along, index, strict=True))
        for i, along in zip(ref.index, slopes, strict=True)
    )
    return Place(ref.name, start, slopes)


def _kind(
    position: int,
    text: str,
    term: Term,
    beside: Sequence[Term],
    arrays: Mapping[str, np.ndarray],
    brackets: set[int],
) -> tuple[Any, ...]:
    """What fills a blank: the value of a ref, a place of it, or always the same."""
    texts = [text, *(blanks_of(other.text)[1][position] for other in beside)]
    terms = [term, *beside]
    for which, ref in enumerate(term.refs):
        for axis in range(len(ref.index)) if "_{" in term.text else ():
            if texts == [str(t.refs[which].index[axis]) for t in terms]:
                return ("index", which, axis)
        values = [float(arrays[ref.name][t.refs[which].index]) for t in terms]
        if [t.strip("()") for t in texts] == [number(v) for v in values]:
            return ("value", which, position in brackets)
    return ("constant", text)


def _value_of(term: Term, view: ElementView, arrays: Mapping[str, np.ndarray]) -> str | None:
    product = math.prod(float(arrays[ref.name][ref.index]) for ref in term.refs)
    if view.combine == "function":
        return "output"
    return "product" if term.refs and math.isclose(product, term.value, rel_tol=1e-12) else None


def _bracketed(blank: str, views: Iterable[ElementView]) -> set[int]:
    """Which blanks stand in brackets where the number is negative; by default all but the first."""
    found = {i: i > 0 for i in range(blank.count(r"\blank"))}
    for view in views:
        for term in view.terms:
            text, numbers = blanks_of(term.text)
            if text == blank:
                found |= {i: n[0] == "(" for i, n in enumerate(numbers) if n[0] in "(-"}
    return {i for i, is_so in found.items() if is_so}


def _term(
    law: TermLaw, refs: tuple[Ref, ...], arrays: Mapping[str, np.ndarray], output: float
) -> Term:
    values = [float(arrays[ref.name][ref.index]) for ref in refs]
    text = law.blank
    for kind, *rest in law.numbers:
        if kind == "constant":
            filling = rest[0]
        elif kind == "index":
            filling = str(refs[rest[0]].index[rest[1]])
        else:
            filling = number(values[rest[0]])
            if rest[1] and filling.startswith("-"):
                filling = f"({filling})"
        text = text.replace(r"\blank", filling, 1)
    return Term(text, math.prod(values) if law.value == "product" else output, refs)


def _slope(at: int, others: Sequence[Ref], axis: int, steps: Sequence[int]) -> Iterable[int]:
    """By how much an index of a ref moves when an index of the output moves by one."""
    beside = iter(others)
    for step in steps:
        yield step * (next(beside).index[axis] - at) if step else 0


def _steps(index: Index, shape: Index) -> list[int]:
    """For each axis a step to a neighbour: ahead, or back, or none where there is no other."""
    return [0 if n == 1 else 1 if i + 1 < n else -1 for i, n in zip(index, shape, strict=True)]


def _neighbours(index: Index, shape: Index) -> list[Index]:
    steps = enumerate(_steps(index, shape))
    return [(*index[:a], index[a] + step, *index[a + 1 :]) for a, step in steps if step]


def _some_indices(shape: Index) -> list[Index]:
    """Corners, and random elements."""
    corners = list(itertools.islice(itertools.product(*[{0, n - 1} for n in shape]), TRIED))
    rng = np.random.default_rng(0)
    return corners + [tuple(int(rng.integers(n)) for n in shape) for _ in range(TRIED)]


def _same_place(index: Index, shape: Index, other: Index) -> Index:
    """Where an index is in an array of another shape, in reading order."""
    flat = np.ravel_multi_index(index, shape) if shape else 0
    return tuple(int(i) for i in np.unravel_index(int(flat), other)) if other else ()


def _inside(index: Index, shape: Index) -> bool:
    return all(0 <= i < n for i, n in zip(index, shape, strict=True))


def _alike(found: ElementView, true: ElementView) -> bool:
    """Whether two views say the same."""
    return (
        found.result.symbol == true.result.symbol
        and found.combine == true.combine
        and [(t.text, t.refs) for t in found.terms] == [(t.text, t.refs) for t in true.terms]
        and np.allclose(
            [t.value for t in found.terms],
            [t.value for t in true.terms],
            rtol=1e-6,
            atol=0,
            equal_nan=True,
        )
    )
