"""A story as one HTML file that needs no network: the pages of `tinydl.explain.page`, clickable.

The file holds the arrays, each formula once (see `tinydl.explain.blanks`), and the numbers of
chosen elements; for a step with a law (`tinydl.explain.laws`) the page computes those of any
element itself. The rest is plain HTML, CSS and JavaScript in `tinydl/explain/assets`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from importlib import resources
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tinydl.explain.blanks import blanks_of, markup_of, statements_of
from tinydl.explain.landscapes import Landscape
from tinydl.explain.laws import Law, law_of
from tinydl.explain.page import (
    GRADIENT,
    ElementView,
    GradientView,
    Index,
    Part,
    Ref,
    Step,
    Term,
    UpdateView,
    Value,
    largest,
)
from tinydl.explain.story import Story

ALL = 256  # outputs of up to so many elements have pages for all of them,
CHOSEN = 160  # larger ones without a law for so many,
DIFFERENCES = 50  # and gradients for so many: each comes with a finite difference.
MOST_COMPUTED = 150_000_000  # But to write a file, at most so many elements are computed once more,
PER_OP = 5_000  # where an op costs as much as so many of them, and long sums are fewer:
MOST_TERMS = 30_000  # those of a page have at most so many terms together.
SHOWN_TERMS = 24
EXACT = 2000  # arrays of up to so many elements are kept in float64
STYLES = ("explorer.css",)
SCRIPTS = (
    "arrays.js",
    "formulas.js",
    "tensors.js",
    "pages.js",
    "landscape.js",
    "explorer.js",
)


def to_html(story: Story) -> str:
    """The whole file.

    Parameters
    ----------
    story : Story

    Returns
    -------
    str
    """
    assets = resources.files("tinydl.explain") / "assets"

    def read(name: str) -> str:
        return (assets / name).read_text(encoding="utf-8")

    data = json.dumps(data_of(story), separators=(",", ":"), allow_nan=False)
    for sign in "<>&":  # so that nothing in it can end the script element
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    page = read("explorer.html")
    page = page.replace("/* styles */", "".join(map(read, STYLES)))
    page = page.replace("/* scripts */", "".join(map(read, SCRIPTS)))
    return page.replace('"data"', data)


def data_of(story: Story) -> dict[str, Any]:
    """The story as JSON can hold it."""
    return _Writer().story(story)


def write_html(story: Story, path: str | os.PathLike[str]) -> None:
    """Write the file; see `to_html`."""
    Path(path).write_text(to_html(story), encoding="utf-8")


class _Writer:
    """Numbers formulas, arrays and values, so that each is written once.

    Attributes
    ----------
    formulas : dict
        (LaTeX with blanks, display) to number.
    arrays : dict
        Bytes of an array to number; equal arrays are one.
    values : dict
        Name to number.
    """

    def __init__(self) -> None:
        self.formulas: dict[tuple[str, bool], int] = {}
        self.arrays: dict[tuple[str, bytes], int] = {}
        self.values: dict[str, int] = {}
        self.written: list[dict[str, Any]] = []

    def story(self, story: Story) -> dict[str, Any]:
        self.forward = [step for step in story if step.kind == "forward"]
        share = max(1, sum(step.kind == "backward" for step in story))
        self.computed_each = MOST_COMPUTED / share
        for step in story:
            for value in (*step.inputs, *step.outputs):
                self.value(value)
        steps = [self.step(step) for step in story]
        return {
            "title": story.title,
            "note": story.note,
            "missing": story.missing,
            "landscape": story.landscape and _landscape(story.landscape),
            "steps": steps,
            "values": self.written,
            "arrays": [
                {"type": kind, "data": base64.b64encode(data).decode()}
                for kind, data in self.arrays
            ],
            "formulas": [markup_of(*key) for key in self.formulas],
        }

    def step(self, step: Step) -> dict[str, Any]:
        law = law_of(step) if step.kind == "forward" else None
        source = step.source
        return {
            "number": step.number,
            "kind": step.kind,
            "title": step.title,
            "layer": step.layer,
            "op": step.op,
            "formula": self.statements(step.formula),
            "rules": [[name, self.statements(formula)] for name, formula in step.rules],
            "shapes": self.statements(step.shapes),
            "inputs": [self.value(value) for value in step.inputs],
            "outputs": [self.value(value) for value in step.outputs],
            "letters": {
                self.value(value): self.formula(value.symbol)
                for value in (*step.inputs, *step.outputs)
            },
            "source": source and [Path(source.file).name, source.line, source.text.strip()],
            "after": list(step.after),
            "of": step.of,
            "law": law and self.law(law),
            "picks": [_flat(largest(value.array), value) for value in step.outputs],
            "views": [{} if law else self.views(step, value) for value in step.outputs],
        }

    def views(self, step: Step, value: Value) -> dict[int | None, Any]:
        """The chosen elements of an output, by their place in reading order."""
        if step.kind == "backward" and not value.name.startswith(GRADIENT):
            return {}
        written: dict[int | None, Any] = {}
        terms = read = computed = 0
        for index in _chosen(value, DIFFERENCES if step.kind == "backward" else CHOSEN):
            if terms > MOST_TERMS or read > self.computed_each:
                break
            if step.kind != "update":
                read += sum(prod(x.shape) for x in (*step.inputs, *step.outputs))
            computed += self.cost_of_difference(step)
            written[_flat(index, value)] = view = self.view(
                step, value, index, computed <= self.computed_each
            )
            parts = view.get("parts") or [
                part for path in view["paths"] for part in (*path["filled"], path["part"])
            ]
            terms += sum(len(part["terms"]) + part["elided"] for part in parts)
        return written

    def cost_of_difference(self, step: Step) -> int:
        """How many elements are computed once more when an input of a step is moved."""
        since = [later for later in self.forward if later.number >= (step.of or len(self.forward))]
        return sum(PER_OP + prod(later.output.shape) for later in since)

    def view(self, step: Step, value: Value, index: Index, differs: bool) -> dict[str, Any]:
        if step.kind == "forward":
            return self.element(step.element(index))
        if step.kind == "backward":
            written = self.gradient(step.gradient(value.name, index, differs))
            return written if differs else {**written, "difference": "omitted"}
        return self.update(step.update(index))

    def element(self, view: ElementView) -> dict[str, Any]:
        written: dict[str, Any] = {
            "value": _number(view.value),
            "parts": [self.part(part) for part in (*view.parts, view.result)],
        }
        if view.derivatives:
            written["derivatives"] = [[self.ref(r), _number(d)] for r, d in view.derivatives]
        return written

    def gradient(self, view: GradientView) -> dict[str, Any]:
        found = view.difference
        return {
            "value": _number(view.accumulated),
            "total": _number(view.total),
            "paths": [
                {
                    "step": path.step,
                    "input": path.input,
                    "rule": self.statements(path.rule),
                    "filled": [self.part(part) for part in path.filled],
                    "part": self.part(path.part),
                }
                for path in view.paths
            ],
            "difference": found
            and {
                "value": _number(found.value),
                "bound": _number(found.bound),
                "left": _number(found.left),
                "right": _number(found.right),
                "outcome": found.outcome,
            },
        }

    def update(self, view: UpdateView) -> dict[str, Any]:
        return {
            "value": _number(view.new),
            "old": _number(view.old),
            "gradient": _number(view.gradient),
            "settings": [[self.formula(symbol), _number(value)] for symbol, value in view.settings],
            "before": {name: _number(value) for name, value in view.before.items()},
            "after": {name: _number(value) for name, value in view.after.items()},
            "parts": [self.part(part) for part in view.lines],
        }

    def part(self, part: Part) -> dict[str, Any]:
        first, elided, last = part.shown(SHOWN_TERMS)
        middle = part.terms[len(first) : len(first) + elided]
        return {
            "symbol": self.text(part.symbol),
            "combine": part.combine,
            "terms": [self.term(term) for term in first],
            "elided": elided,
            "rest": _number(Part("", part.combine, middle, 0.0).combined()) if elided else None,
            "last": [self.term(term) for term in last],
            "value": _number(part.value),
        }

    def term(self, term: Term) -> list[Any]:
        return [*self.text(term.text), _number(term.value), [self.ref(ref) for ref in term.refs]]

    def law(self, law: Law) -> dict[str, Any]:
        return {
            "combine": law.combine,
            "symbol": self.formula(law.symbol),
            "terms": [
                {
                    "formula": self.formula(term.blank),
                    "numbers": term.numbers,
                    "places": [[self.values[p.name], p.start, p.slopes] for p in term.places],
                    "value": term.value,
                }
                for term in law.terms
            ],
        }

    def text(self, latex: str) -> list[Any]:
        """The number of the formula, and what fills its blanks."""
        blank, numbers = blanks_of(latex)
        return [self.formula(blank), list(numbers)]

    def ref(self, ref: Ref) -> list[int]:
        number = self.values[ref.name]
        shape = self.written[number]["shape"]
        return [number, int(np.ravel_multi_index(ref.index, shape)) if shape else 0]

    def statements(self, latex: str) -> list[int]:
        return [self.formula(statement, display=True) for statement in statements_of(latex)]

    def formula(self, latex: str, display: bool = False) -> int:
        return self.formulas.setdefault((latex, display), len(self.formulas))

    def value(self, value: Value) -> int:
        if value.name not in self.values:
            self.values[value.name] = len(self.values)
            array, kind = _as_bytes(value.array)
            self.written.append(
                {
                    "name": value.name,
                    "shape": list(value.shape),
                    "kept": list(value.array.shape),
                    "dtype": value.dtype,
                    "axes": list(value.axes),
                    "role": value.role,
                    "array": self.arrays.setdefault((kind, array), len(self.arrays)),
                }
            )
        return self.values[value.name]


def _landscape(seen: Landscape) -> dict[str, Any]:
    return {
        "a": seen.a.tolist(),
        "b": seen.b.tolist(),
        "loss": [[x if np.isfinite(x) else None for x in row] for row in seen.loss.tolist()],
        "paths": [
            {"name": name, "points": path.points.tolist(), "losses": path.losses.tolist()}
            for name, path in seen.paths.items()
        ],
        "exact": seen.exact,
    }


def _chosen(value: Value, most: int) -> Iterator[Index]:
    """The largest element, then all others where these are few, else some all over the array."""
    shape, size = value.array.shape, value.array.size
    best = largest(value.array)
    if best is None:
        return
    yield best
    if size <= (ALL if most >= CHOSEN else most):
        places = np.arange(size)
    else:
        places = np.linspace(0, size - 1, most - 1).round().astype(int)
    for place in places:
        index = tuple(int(i) for i in np.unravel_index(place, shape))
        if index != best:
            yield index


def _flat(index: Index | None, value: Value) -> int | None:
    """Where an element is in the whole array, in reading order; None where there is none."""
    if index is None:
        return None
    return int(np.ravel_multi_index(index, value.shape)) if value.shape else 0


def _as_bytes(array: np.ndarray) -> tuple[bytes, str]:
    """The elements as little-endian float64 or float32, or one element if all are the same."""
    if array.size > 1 and (array == array.flat[0]).all():
        array = array.reshape(-1)[:1]
    kind = "<f8" if array.size <= EXACT else "<f4"
    return np.ascontiguousarray(array, kind).tobytes(), kind


def _number(value: float) -> float | str:
    """A number for JSON, which has no name for nan and the infinite ones."""
    value = float(value)
    return value if np.isfinite(value) else str(value)
