"""A story in the terminal: the same pages, with formulas as text, and turned by letters."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tinydl.errors import ArgumentError
from tinydl.explain.landscapes import Landscape
from tinydl.explain.page import (
    GRADIENT,
    Difference,
    ElementView,
    GradientView,
    Index,
    Part,
    Ref,
    Step,
    UpdateView,
    Value,
    number,
)
from tinydl.explain.story import Story
from tinydl.explain.unicode_math import unicode_math

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN = 12  # terms of a sum
SHOWN_SLOPES = 12
HELP = (
    "n next, p previous, a number: that step, e 0,2 pick an element,"
    " g NAME 0,2 one of that value, q quit"
)


def print_story(story: Story, step: int | None = None, element: Any = None) -> None:
    """Print one page, or all; see `Story.print`."""
    console = _console()
    if step is None:
        console.print(story.title, style="bold", markup=False, highlight=False)
        for words in (story.note, story.missing):
            if words:
                console.print(words, markup=False, highlight=False)
    for page in story if step is None else [story[step]]:
        console.print()
        print_step(console, page, element, len(story))
    if step is None and story.landscape:
        _print_landscape(console, story.landscape)


def _print_landscape(console: Console, seen: Landscape) -> None:
    """Where the paths lead; the picture is for the browser."""
    from rich.text import Text

    console.print()
    table = _table("path", "loss", "after")
    for name, path in seen.paths.items():
        table.add_row(Text(name), _number(path.losses[-1]), f"{len(path.losses) - 1} steps")
    console.print(table)


def print_step(
    console: Console, step: Step, element: Any = None, steps: int = 0, name: str | None = None
) -> None:
    """One page.

    Parameters
    ----------
    console : rich.console.Console
    step : Step
    element : int or tuple of int, optional
        Which element to show with numbers; by default the largest.
    steps : int
        How many steps the story has.
    name : str, optional
        Of a backward step: the value whose gradient is shown.
    """
    place = f"step {step.number} of {steps}" if steps else f"step {step.number}"
    console.rule(f"[bold]{place}[/bold]", align="left")
    _say(console, f"{step.title}  ({step.kind})", style="bold")
    for rule_name, rule in step.rules or (("", step.formula),):
        _say(
            console, f"  {_text(rule)}" + (f"    [{rule_name}]" if rule_name else ""), style="cyan"
        )
    _say(console, f"  {_text(step.shapes)}", style="dim")
    for value in step.inputs:
        _say(console, f"  in   {_described(value)}", style="dim")
    for value in step.outputs:
        _say(console, f"  out  {_described(value)}", style="dim")
    console.print()
    if not any(value.array.size for value in step.outputs):
        _say(console, "No elements.")
    elif step.kind == "forward":
        _print_element(console, step, step.element(element))
    elif step.kind == "backward":
        _print_gradient(console, step.gradient(name, element))
    else:
        _print_update(console, step.update(element))
    if step.source:
        _say(console, f"\n  {step.source.file}:{step.source.line}", style="dim")
        _say(console, f"  {step.source.text}")


def read_along(story: Story, ask: Callable[[str], str] | None = None, first: int = 1) -> None:
    """Turn the pages by letters until `q` or the end of the input.

    Parameters
    ----------
    story : Story
    ask : callable, optional
        Shows a prompt and returns a line; by default `input`.
    first : int
        The step to begin with.
    """
    console = _console()
    at, element, name = story[first].number, None, None
    while True:
        try:
            print_step(console, story[at], element, len(story), name)
        except ArgumentError as error:
            _say(console, str(error), style="red")
            element = name = None
        _say(console, f"\n{HELP}", style="dim")
        try:
            answer = (ask or input)(f"{at}/{len(story)} > ").strip()
        except EOFError:
            answer = "q"
        if answer == "q":
            return
        try:
            at, element, name = _next_page(answer or "n", at, story, element, name)
        except ValueError as error:
            _say(console, str(error), style="red")


def index_of(text: str) -> Index:
    """An index as it is typed: ``0,2`` or ``(0, 2)``; nothing for a single number.

    Examples
    --------
    >>> index_of("0,2"), index_of("[3]"), index_of("")
    ((0, 2), (3,), ())
    """
    try:
        return tuple(int(i) for i in text.strip("()[] ").replace(",", " ").split())
    except ValueError:
        raise ValueError(f"{text!r} is no index; one looks like 0,2") from None


def _next_page(
    answer: str, at: int, story: Story, element: Index | None, name: str | None
) -> tuple[int, Index | None, str | None]:
    """Which step, element and value an answer leads to."""
    word, _, rest = answer.partition(" ")
    if word in ("n", "p"):
        to = min(max(at + (1 if word == "n" else -1), 1), len(story))
        return (to, None, None) if to != at else (at, element, name)
    if word.isdigit() and 1 <= int(word) <= len(story):
        return int(word), None, None
    if word == "e":
        return at, index_of(rest), name
    if word == "g" and rest:
        names = [output.name for output in story[at].outputs]
        if rest in names or GRADIENT + rest in names:
            return at, None, rest
        value, _, index = rest.rpartition(" ")
        return (at, index_of(index), value) if value else (at, None, rest)
    raise ValueError(f"what does {answer!r} mean? {HELP}")


def _print_element(console: Console, step: Step, view: ElementView) -> None:
    _say(console, f"{_place(step.output.name, view.index)} = {_number(view.value)}", style="bold")
    for part in (*view.parts, view.result):
        _print_part(console, part)
    if view.derivatives:
        table = _table("fed by", "how the element changes with it")
        for ref, slope in view.derivatives[:SHOWN_SLOPES]:
            table.add_row(_place(*_pair(ref)), _number(slope))
        if len(view.derivatives) > SHOWN_SLOPES:
            table.add_row(f"... {len(view.derivatives) - SHOWN_SLOPES} more", "")
        console.print(table)


def _print_gradient(console: Console, view: GradientView) -> None:
    name = view.name if view.name.startswith("grad ") else f"grad {view.name}"
    _say(console, f"{_place(name, view.index)} = {_number(view.accumulated)}", style="bold")
    for path in view.paths:
        _say(console, f"  by step {path.step}: {_text(path.rule)}")
        for part in path.filled:
            _print_part(console, part)
        _say(console, "  what arrives there, times the local derivative:")
        _print_part(console, path.part)
    if len(view.paths) > 1:
        total = " + ".join(_number(path.value) for path in view.paths)
        _say(console, f"  all paths: {total} = {_number(view.total)}")
    _say(console, f"  what the engine has: {_number(view.accumulated)}")
    if view.difference:
        _say(console, f"  finite difference: {_compared(view.difference)}")


def _compared(difference: Difference) -> str:
    words = {
        "agrees": "agrees",
        "disagrees": "does not agree",
        "uncertain": "too rough here to tell",
        "kink": f"a kink: slopes {_number(difference.left)} and {_number(difference.right)}",
    }
    bound = _number(difference.bound)
    return f"{_number(difference.value)} ± {bound}: {words[difference.outcome]}"


def _print_update(console: Console, view: UpdateView) -> None:
    _say(
        console,
        f"{_place(view.name, view.index)}: {_number(view.old)} becomes {_number(view.new)}",
        style="bold",
    )
    settings = [f"{_text(symbol)} = {_number(value)}" for symbol, value in view.settings]
    _say(console, "  " + ", ".join([f"gradient {_number(view.gradient)}", *settings]))
    for part in view.lines:
        _print_part(console, part)
    if view.after:
        table = _table("remembered", "before", "after")
        for name in view.after:
            table.add_row(name, _number(view.before[name]), _number(view.after[name]))
        console.print(table)


def _print_part(console: Console, part: Part) -> None:
    """One line where there is one term, else a table of terms that ends in what they make."""
    if len(part.terms) < 2:
        _say(console, f"  {_text(part.line())}")
        return
    first, elided, last = part.shown(SHOWN)
    table = _table("", "", "fed by")
    for term in first:
        table.add_row(_text(term.text), _number(term.value), _fed_by(term.refs))
    if elided:
        middle = part.terms[len(first) : len(first) + elided]
        rest = Part("", part.combine, middle, 0.0).combined()
        table.add_row(f"... {elided} more", _number(rest), "")
    for term in last:
        table.add_row(_text(term.text), _number(term.value), _fed_by(term.refs))
    table.add_section()
    table.add_row(
        f"{_text(part.symbol)}: the {part.combine}", _number(part.value), "", style="bold"
    )
    console.print(table)


def _fed_by(refs: Sequence[Ref]) -> str:
    return ", ".join(_place(*_pair(ref)) for ref in refs)


def _pair(ref: Ref) -> tuple[str, Index]:
    return ref.name, ref.index


def _place(name: str, index: Index) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _described(value: Value) -> str:
    axes = " × ".join(map(_counted, value.shape, value.axes))
    kept = " × ".join(map(str, value.array.shape))
    part = "" if value.is_whole else f"; the largest of the first {kept} is shown"
    return f"{_text(value.symbol)} = {value.name}: {axes or 'one number'}, {value.dtype}{part}"


def _counted(n: int, axis: str) -> str:
    """The axis in the plural: 3 columns, 3 channels in."""
    word, space, rest = axis.partition(" ")
    return f"{n} {axis}" if n == 1 else f"{n} {word}s{space}{rest}"


def _number(value: float) -> str:
    return _text(number(value))


def _text(latex: str) -> str:
    """The formula as text; as it was written where it is not of the kind that can be read."""
    try:
        return unicode_math(latex)
    except ArgumentError:
        return latex


def _say(console: Console, text: str, style: str = "") -> None:
    """Print words as they are: a name in square brackets is no style."""
    console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def _table(*titles: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD, show_header=any(titles), pad_edge=False, padding=(0, 2, 0, 0)
    )
    for position, title in enumerate(titles):
        table.add_column(title, justify="right" if position == 1 else "left", overflow="fold")
    return table


def _console() -> Console:
    from rich.console import Console

    width = None if shutil.get_terminal_size((0, 0)).columns else 100
    return Console(width=width)
