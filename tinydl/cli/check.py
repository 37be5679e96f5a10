"""``tinydl check``: attack the ops with property tests; or put the checks themselves on trial."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tinydl.cli.ops import check_names
from tinydl.engine import Op
from tinydl.testing import OpReport, check_op
from tinydl.testing.mutants import CATALOGUE, Trial, try_mutant

if TYPE_CHECKING:
    from rich.console import Console

HELP = "check formulas, gradients and promises of all ops, or of those named"

Item = TypeVar("Item")
Result = TypeVar("Result")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which ops, how many derivatives, how many examples; or the mutants."""
    parser.add_argument("ops", nargs="*", metavar="OP", help="names of ops; all by default")
    parser.add_argument(
        "--order", type=_positive, default=2, help="the highest derivative to check (2)"
    )
    parser.add_argument(
        "--seeds", type=_positive, default=1, help="how often to draw the examples anew (1)"
    )
    parser.add_argument(
        "--mutants",
        action="store_true",
        help="run the checks on the catalogue of wrong gradients instead: all must be caught",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a table; the status is 1 if something is wrong."""
    from rich.console import Console

    check_names("check", arguments.ops)
    console = Console()
    if arguments.mutants:
        return _try_mutants(console, arguments.seeds)
    return _check_ops(console, arguments.ops or sorted(Op.registry), arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _check_ops(console: Console, names: list[str], arguments: argparse.Namespace) -> int:
    def check(name: str) -> OpReport:
        return check_op(name, arguments.order, arguments.seeds)

    reports = list(_with_progress(console, check, names, str))
    rows = [
        (
            report.name,
            str(len(report.properties)),
            str(report.examples),
            f"{report.worst:.3f}",
            str(report.order),
            "passed" if report.passed else "FAILED",
        )
        for report in reports
    ]
    columns = ("op", "properties", "examples", "worst error / bound", "order", "outcome")
    console.print(_table(columns, rows))
    failed = [report for report in reports if not report.passed]
    for report in failed:
        for result in report.properties:
            if not result.passed:
                console.print(f"{report.name}\n{result}", markup=False, highlight=False)
    console.print(f"{len(reports) - len(failed)} of {len(reports)} ops passed")
    return 1 if failed else 0


def _try_mutants(console: Console, seeds: int) -> int:
    def attempt(mutant: Any) -> Trial:
        return try_mutant(mutant, seeds)

    trials = list(_with_progress(console, attempt, CATALOGUE, lambda mutant: mutant.name))
    rows = [
        (
            trial.mutant.name,
            trial.mutant.explanation,
            trial.mutant.caught_by,
            "caught" if trial.caught else "MISSED",
            "ACCUSED" if trial.accused else "accepted",
        )
        for trial in trials
    ]
    columns = ("mistake", "what is wrong", "caught by", "verdict", "without it")
    console.print(_table(columns, rows))
    caught = sum(trial.caught for trial in trials)
    accused = sum(trial.accused for trial in trials)
    console.print(
        f"kill rate {caught / len(trials):.1%}: {caught} of {len(trials)} mistakes caught; "
        f"{accused} of {len(trials)} right versions accused"
    )
    return 0 if caught == len(trials) and not accused else 1


def _with_progress(
    console: Console,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    name_of: Callable[[Item], str],
) -> Iterator[Result]:
    """Apply the function to each item; on a terminal a bar shows how far it is."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    items = list(items)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=len(items))
        for item in items:
            bar.update(task, description=name_of(item))
            yield function(item)
            bar.advance(task)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
