"""Every formula on every page, with or without numbers, can be read in every medium."""

import dataclasses

import numpy as np
import pytest

from tinydl import explain
from tinydl.engine import Op, tensor
from tinydl.explain.mathml import mathml
from tinydl.explain.page import ElementView, GradientView, Part, Step, UpdateView
from tinydl.explain.unicode_math import unicode_math
from tinydl.optimizers import SGD, Adam, AdamW

NO_LATEX = {"title", "layer", "op", "kind", "name", "dtype", "combine", "outcome", "source", "role"}


def formulas_in(view):
    """Every string of a view that is LaTeX."""
    if isinstance(view, str):
        yield view
    elif isinstance(view, tuple | list):
        for part in view:
            yield from formulas_in(part)
    elif dataclasses.is_dataclass(view):
        for field in dataclasses.fields(view):
            if field.name not in {*NO_LATEX, "refs", "axes", "views", "array", "input", "rules"}:
                yield from formulas_in(getattr(view, field.name))


def check(views, seen):
    for latex in {*formulas_in(views)} - seen:
        seen.add(latex)
        assert "\\" not in unicode_math(latex)
        assert "<math" in mathml(latex)


def views_of(step):
    """The page of a step, and what it shows of the largest element of each value."""
    yield step
    yield [latex for _, latex in step.rules]
    if step.kind == "forward":
        yield step.element()
    elif step.kind == "update":
        yield step.update()
    else:
        yield from (
            step.gradient(v.name.removeprefix("grad ")) for v in step.outputs if v.array.size
        )


@pytest.mark.parametrize("name", [name for name in explain.STORIES if name != "mnist"])
def test_every_page_of_the_stories(name):
    seen = set()
    for step in explain.ready_made(name):
        for view in views_of(step):
            assert isinstance(view, Step | ElementView | GradientView | UpdateView | list)
            check(view, seen)
    assert seen


@pytest.mark.parametrize("name", [n for n, op in sorted(Op.registry.items()) if any(op.rules)])
def test_every_page_of_an_op(name):
    """Those without a gradient have no page of their own: no story leads through them."""
    op, arrays = next(iter(Op.registry[name].examples(np.random.default_rng(0))))
    inputs = [tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    with explain.record() as story:
        y = op(*inputs)
        (y * y).sum().backward()
    seen = set()
    for step in story:
        for view in views_of(step):
            check(view, seen)
    assert seen


@pytest.mark.parametrize(
    ("optimizer", "decays"),
    [
        (SGD(0.1), 0),
        (SGD(0.1, weight_decay=0.1, clipnorm=0.5), 1),
        (Adam(0.1, amsgrad=True), 0),
        (AdamW(0.1), 1),
        (AdamW(0.1, amsgrad=True), 1),
    ],
)
def test_every_page_of_an_update(optimizer, decays):
    w = tensor([1.0, 2.0], requires_grad=True, name="w")
    with explain.record() as story:
        (w * w).sum().backward()
        optimizer.apply([w.grad], [w])
    (update,) = (step.update() for step in story if step.kind == "update")
    check(update, set())
    assert unicode_math(update.formula).count("λ") == decays


def test_what_is_no_latex_would_be_found():
    with pytest.raises(ValueError, match="formula"):
        check(Part(symbol=r"\foo", combine="sum", terms=(), value=0.0), set())
