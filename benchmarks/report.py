"""The measurements as tables."""

import sys

from rich.console import Console
from rich.table import Table

from benchmarks.cases import CASES
from benchmarks.programs import PROGRAM_CASES
from benchmarks.targets import TARGETS

UNITS = ((1, "s"), (1e-3, "ms"), (1e-6, "µs"))


def amount(value, unit):
    """123e-6, "s" -> "123 µs"."""
    if unit != "s":
        return f"{value:.4g} {unit}"
    scale, name = next((u for u in UNITS if abs(value) >= u[0]), UNITS[-1])
    number = value / scale
    return f"{number:.0f} {name}" if abs(number) >= 100 else f"{number:.3g} {name}"


def cell(measured, units_per_call=1):
    if measured is None:
        return "-"
    text = amount(measured.median / units_per_call, measured.unit)
    if len(measured.values) > 1:
        text += f" ±{measured.spread:.0%}"
    return f"{text}\n[dim]{measured.variant}[/]" if measured.variant else text


def times(ratio):
    if ratio is None:
        return "-"
    return f"[{'green' if ratio >= 1 else 'red'}]{ratio:.2f}[/]"


def percent(share):
    return "-" if share is None else f"{share:.0%}"


def group_tables(results):
    """A table for each group of cases and number of threads, as (title, table)."""
    groups = {}
    for name, _, _, threads in results.measured:
        group = "program" if name in PROGRAM_CASES else CASES[name].group
        groups.setdefault((group, threads), {})[name] = None
    return [
        table_of(f"{group}, {'one thread' if threads == 1 else f'{threads} threads'}",
                 list(cases), threads, results)
        for (group, threads), cases in groups.items()
    ]  # fmt: skip


def table_of(title, cases, threads, results):
    frameworks = results.frameworks()
    table = Table("", title=title, title_justify="left")
    for framework in frameworks:
        table.add_column(framework, justify="right")
    table.add_column("best peer / tinydl", justify="right")
    table.add_column("of the possible", justify="right")
    for name in cases:
        units = CASES[name].units_per_call if name in CASES else 1
        table.add_row(
            name,
            *(cell(results.best(name, framework, threads), units) for framework in frameworks),
            times(results.ratio(name, threads)),
            percent(results.share(name, threads)),
        )
    return table


def judgements(results, threads):
    """A dict for each target and number of threads for which something was measured."""
    for target in TARGETS:
        for count in threads:
            measured, known, cases = target.judge(results, count)
            if measured is not None:
                yield {
                    "subject": target.subject,
                    "target": target.text,
                    "threads": count,
                    "asked": f"{'<=' if target.at_most else '>='} {target.asked:g}",
                    "measured": measured,
                    "met": target.met(measured),
                    "cases": f"{known} of {cases}",
                }


def targets_table(judged):
    table = Table(title="Targets", title_justify="left")
    for name, justify in (
        ("", "left"),
        ("ratios are peer / tinydl", "left"),
        ("threads", "right"),
        ("asked", "right"),
        ("measured", "right"),
        ("met", "left"),
        ("cases", "right"),
    ):
        table.add_column(name, justify=justify)
    for row in judged:
        table.add_row(
            row["subject"],
            row["target"],
            str(row["threads"]),
            row["asked"],
            f"{row['measured']:.3g}",
            "[green]yes[/]" if row["met"] else "[red]no[/]",
            row["cases"],
        )
    return table


def print_report(results, context, threads):
    console = Console(width=None if sys.stdout.isatty() else 200)  # a file has room enough
    for what, value in context.items():
        console.print(f"{what}: {value}", highlight=False)
    for table in group_tables(results):
        console.print(table)
    for problem in results.problems:
        console.print(f"{problem.framework}: {problem.case}: {problem.reason}", markup=False)
    console.print(targets_table(judgements(results, threads)))
