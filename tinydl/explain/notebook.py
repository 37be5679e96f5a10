"""What a notebook shows of stories, steps, tensors, layers and models.

Tensors and layers stand on lower floors and know nothing of this package; importing
`tinydl.explain` gives them their ``_repr_html_``.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import ArgumentError
from tinydl.explain.blanks import markup_of
from tinydl.explain.formulas import formula
from tinydl.explain.page import GradientView, Part, Step, number
from tinydl.explain.story import Story
from tinydl.layers import Layer

ROWS, COLUMNS = 8, 10  # of a tensor's last two axes


def html_of_story(story: Story) -> str:
    """Title, note, and every page, folded."""
    pages = (
        f"<details><summary>{step.number}. {escape(step.title)} ({step.kind})</summary>"
        f"{html_of_step(step)}</details>"
        for step in story
    )
    notes = "".join(f"<p>{escape(words)}</p>" for words in (story.note, story.missing) if words)
    return f"<h3>{escape(story.title)}</h3>{notes}{''.join(pages)}"


def html_of_step(step: Step) -> str:
    """The page of a step, with the numbers of its largest element."""
    lines = [markup_of(step.formula, True), markup_of(step.shapes, True)]
    if step.output.array.size == 0:
        lines.append("<p>No elements.</p>")
    elif step.kind == "forward":
        view = step.element()
        lines += map(_line, (*view.parts, view.result))
    elif step.kind == "backward":
        lines += _gradient(step.gradient())
    else:
        lines += map(_line, step.update().lines)
    if step.source:
        file, line, text = step.source
        lines.append(f"<p><code>{escape(text)}</code> ({escape(file)}, line {line})</p>")
    return f"<h4>{escape(step.title)}</h4>" + "".join(lines)


def html_of_tensor(x: Tensor) -> str:
    """The values, the gradient, and the op they came from with its formula."""
    name = f"<b>{escape(x.name)}</b>, " if x.name else ""
    shape = " × ".join(map(str, x.shape)) or "one number"
    parts = [f"<p>{name}{shape}, {x.dtype}</p>", _table(x.data)]
    if x.grad is not None:
        parts += ["<p>its gradient</p>", _table(x.grad.data)]
    if x.op is not None:
        inputs = ", ".join(escape(y.name or "×".join(map(str, y.shape))) for y in x.inputs)
        parts.append(f"<p>made by <b>{escape(x.op.name)}</b> of {inputs or 'nothing'}</p>")
        if x.op.formula:
            parts.append(markup_of(x.op.formula, True))
    return "".join(parts)


def html_of_layer(layer: Layer) -> str:
    """The layer, or model, with its formula."""
    shown = f"<p>{escape(repr(layer))}</p>"
    try:
        return shown + formula(layer)._repr_html_()
    except ArgumentError:  # a layer of one's own need not have one
        return shown


def _gradient(view: GradientView) -> Iterable[str]:
    for path in view.paths:
        yield f"<p>by step {path.step}: {markup_of(path.rule, False)}</p>"
        yield from map(_line, path.filled)
        yield "<p>what arrives there, times the local derivative:</p>"
        yield _line(path.part)
    yield f"<p>the engine has {_number(view.accumulated)}"
    if view.difference:
        yield f"; the finite difference is {_number(view.difference.value)}: "
        yield escape(view.difference.outcome)
    yield "</p>"


def _line(part: Part) -> str:
    return f"<p>{markup_of(part.line(), False)}</p>"


def _number(value: float) -> str:
    return markup_of(number(value), False)


def _table(array: np.ndarray) -> str:
    """A table of the last two axes, the first of the others, cut where it is large."""
    rows = np.atleast_2d(array)
    rows = rows[(0,) * (rows.ndim - 2)] if array.size else np.zeros((0, 0))
    cut = rows.shape[0] > ROWS or rows.shape[1] > COLUMNS or array.ndim > 2
    cells = (
        "<tr>" + "".join(f"<td>{value:.5g}</td>" for value in row[:COLUMNS]) + "</tr>"
        for row in rows[:ROWS]
    )
    return f"<table>{''.join(cells)}</table>" + ("<p>…</p>" if cut else "")


def install() -> None:
    """Give tensors and layers their ``_repr_html_``."""
    Tensor._repr_html_ = html_of_tensor  # type: ignore[attr-defined]
    Layer._repr_html_ = html_of_layer  # type: ignore[attr-defined]
