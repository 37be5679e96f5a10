"""What a student gets of an assignment: the solutions and the hidden tests are cut out.

The marks are nbgrader's, and so is what takes their place:

>>> print(without_solutions('''def double(x):
...     ### BEGIN SOLUTION
...     return 2 * x
...     ### END SOLUTION'''))
def double(x):
    # YOUR CODE HERE
    raise NotImplementedError()
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tinydl.course.cells import Cell
from tinydl.errors import ArgumentError

SOLUTION, HIDDEN_TESTS = "SOLUTION", "HIDDEN TESTS"
RETURNS_VALUE = re.compile(r"\breturn\b\s*[^;\s]")

Region = Sequence[str]
Stub = Callable[[Region, str], list[str]]


def student_cells(cells: Sequence[Cell]) -> list[Cell]:
    """The cells as a student gets them.

    Raises
    ------
    ArgumentError
        If a mark has no partner, or nbgrader's metadata do not know of a solution or of tests.
    """
    return [_student_cell(cell) for cell in cells]


def without_solutions(text: str) -> str:
    """A Python program in which each solution is ``raise NotImplementedError()``.

    Raises
    ------
    ArgumentError
        If a mark has no partner.
    """
    return _cut(text, SOLUTION, _python_stub)


def without_hidden_tests(text: str) -> str:
    """A Python program without its hidden tests.

    Raises
    ------
    ArgumentError
        If a mark has no partner.
    """
    return _cut(text, HIDDEN_TESTS, lambda region, indent: [])


def without_c_solutions(text: str) -> str:
    """A C file in which each solution is a comment, and the number 0 where it returned one.

    Raises
    ------
    ArgumentError
        If a mark has no partner.

    Examples
    --------
    >>> print(without_c_solutions('''double twice(double x) {
    ...     // ### BEGIN SOLUTION
    ...     return 2 * x;
    ...     // ### END SOLUTION
    ... }'''))
    double twice(double x) {
        // YOUR CODE HERE
        return 0;
    }
    """
    return _cut(text, SOLUTION, _c_stub)


def _student_cell(cell: Cell) -> Cell:
    notes = cell.metadata.get("nbgrader", {})
    for name, note in ((SOLUTION, "solution"), (HIDDEN_TESTS, "grade")):
        if f"BEGIN {name}" in cell.source and not notes.get(note):
            raise ArgumentError(
                "release",
                "cell",
                got=f"{cell.source.splitlines()[0]!r} ..., with BEGIN {name}",
                expected=f'a cell with "{note}": true in its nbgrader metadata',
            )
    return replace(cell, source=without_hidden_tests(without_solutions(cell.source)).rstrip("\n"))


def _cut(text: str, name: str, stub: Stub) -> str:
    return "\n".join(_without_regions(text.split("\n"), name, stub))


def _without_regions(lines: Sequence[str], name: str, stub: Stub) -> Iterator[str]:
    """The lines, with what stands between two marks exchanged for its stub."""
    region: list[str] | None = None
    indent = ""
    for number, line in enumerate(lines, start=1):
        begins, ends = f"BEGIN {name}" in line, f"END {name}" in line
        if begins and region is None:
            region, indent = [], line[: len(line) - len(line.lstrip())]
        elif ends and region is not None:
            yield from stub(region, indent)
            region = None
        elif begins or ends:
            raise _unpaired(line, number)
        elif region is not None:
            region.append(line)
        else:
            yield line
    if region is not None:
        raise _unpaired(f"BEGIN {name}", len(lines))


def _python_stub(region: Region, indent: str) -> list[str]:
    return [f"{indent}# YOUR CODE HERE", f"{indent}raise NotImplementedError()"]


def _c_stub(region: Region, indent: str) -> list[str]:
    returned = any(RETURNS_VALUE.search(line) for line in region)
    return [f"{indent}// YOUR CODE HERE", *([f"{indent}return 0;"] if returned else [])]


def _unpaired(line: str, number: int) -> ArgumentError:
    return ArgumentError(
        "release",
        "mark",
        got=f"{line.strip()!r} in line {number}, without its partner",
        expected="BEGIN and END by turns",
    )
