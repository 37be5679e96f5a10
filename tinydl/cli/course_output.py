"""What the terminal shows of checks and of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from tinydl.course.batch import Graded
from tinydl.course.feedback import Feedback, as_text, assigned, details, example_of, points
from tinydl.course.grades import Grade, PropertyResult
from tinydl.course.publishing import Published


@contextmanager
def progress(total: int | None) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, and nothing elsewhere; call what it gives when something is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    console = Console()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)

        def seen(name: str) -> None:
            bar.update(task, description=escape(name))
            bar.advance(task)

        yield seen


def print_check(grade: Grade, known: Published) -> None:
    """What a student sees: each public property, and what is still open."""
    console = Console(highlight=False)
    feedback = Feedback.on(grade, known.assignment)
    console.print(Text(feedback.heading, style="bold"))
    for text in (feedback.verdict, grade.message, *grade.notes):
        if text:
            console.print(Text(text, style="red" if text == feedback.verdict else ""))
    for result in grade.properties:
        _print_property(console, result, tried=grade.state == "graded")
    if grade.output.strip():
        console.print("\nYour program printed:")
        console.print(_indented(grade.output.strip(), 2))
    console.print(f"\n{_tried_here(grade)}")
    if known.hidden_points:
        total = grade.points + known.hidden_points
        console.print(
            f"{known.hidden_points:g} of all {total:g} points are still open: hidden properties are"
            " tried when your work is graded."
        )


def _tried_here(grade: Grade) -> str:
    return f"You have {points(grade.earned, grade.points)} that can be tried here."


def _print_property(console: Console, result: PropertyResult, tried: bool) -> None:
    mark, style = ("✓", "green") if result.passed else ("✗", "red")
    line = Text.assemble((mark, style), f" {result.name}  ")
    line.append(points(result.earned, result.points), style="dim")
    console.print(line)
    if result.passed or not tried:
        return
    example = example_of(result)
    lines = details(result)
    if result.formula:
        lines.append(f"Formula: {as_text(result.formula)}")
    if example is not None:
        if example.call:
            lines.append(f"{example.call} with")
        lines += [assigned(f"  {name}", value) for name, value in example.arguments]
        if example.expected:
            lines += [assigned("  your answer", example.got), assigned("  right", example.expected)]
        if example.numbers:
            lines.append(as_text(example.numbers))
    for text in lines:
        console.print(_indented(text, 4))


def _indented(text: str, by: int) -> Padding:
    return Padding(Text(text), (0, 0, 0, by))


def print_class(graded: Sequence[Graded]) -> None:
    """A line for each submission, and how many lost each property."""
    console = Console(highlight=False)
    for assignment in sorted({g.submission.assignment for g in graded}):
        console.print(Text(assignment.name, style="bold"))
        _print_assignment(console, [g for g in graded if g.submission.assignment == assignment])


def _print_assignment(console: Console, graded: Sequence[Graded]) -> None:
    rows = [
        (
            g.submission.student,
            f"{round(g.grade.earned, 2):g} of {g.grade.points:g}",
            _remark(g),
        )
        for g in graded
    ]
    console.print(_table(("student", "points", "remark"), rows))
    lost: dict[str, list[bool]] = {}
    for one in graded:
        for result in one.grade.properties if one.grade.state == "graded" else ():
            lost.setdefault(result.name, []).append(not result.passed)
    counts = [(name, f"{sum(failed)} of {len(failed)}") for name, failed in lost.items()]
    if any(any(failed) for failed in lost.values()):
        console.print(_table(("property", "lost by"), counts))


def _remark(graded: Graded) -> str:
    grade = graded.grade
    if grade.state != "graded":
        remark = ": ".join(filter(None, [grade.state, *grade.message.splitlines()[:1]]))
    else:
        named = (p.likely or p.message for p in grade.properties if not p.passed)
        remark = next(named, "")
    late = f"{graded.late:.1f} hours late" if graded.late else ""
    return "; ".join(filter(None, [late, remark]))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> object:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(*columns, box=SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
