"""An assignment as a notebook for ``otter assign``.

Otter cuts out the solutions itself, from marks of its own, and keeps each test as a function that
is given what it uses of the student's names.

Source: the documentation of Otter-Grader, *Creating assignments*.
"""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

from tinydl.course.assignment import load_assignment
from tinydl.course.cells import Cell, format_notebook, read_cells
from tinydl.course.names import names_defined, names_used
from tinydl.course.releasing import SCRIPT, student_files
from tinydl.course.stripping import without_hidden_tests

HIDDEN = "HIDDEN TESTS"


def export_otter(source: Path, target: Path, tinydl: str) -> Path:
    """Write ``NAME/NAME.ipynb``, which ``otter assign`` reads, and the files beside it.

    Parameters
    ----------
    source : Path
        The assignment's folder.
    target : Path
        The folder for the notebook's folder.
    tinydl : str
        What pip installs where submissions are graded, such as "tinydl".

    Returns
    -------
    Path
        The notebook.
    """
    folder = target / source.name
    folder.mkdir(parents=True, exist_ok=True)
    others = student_files(source, load_assignment(source))
    del others[SCRIPT]
    for name, text in others.items():
        (folder / name).write_text(text, encoding="utf-8")
    cells = otter_cells(read_cells(source / SCRIPT), source.name, list(others), tinydl)
    notebook = folder / f"{source.name}.ipynb"
    notebook.write_text(format_notebook(cells), encoding="utf-8")
    return notebook


def otter_cells(cells: Sequence[Cell], name: str, files: Sequence[str], tinydl: str) -> list[Cell]:
    """The cells in Otter's own format.

    Parameters
    ----------
    cells : sequence of Cell
        Of the assignment, with solutions and tests.
    name : str
    files : sequence of str
        Other files that a student changes and hands in.
    tinydl : str
        As `export_otter` has it.
    """
    config = {
        "name": name,
        "requirements": ["numpy", tinydl],
        "student_files": list(files),
        "strip_solutions_from_all_cells": True,
        "tests": {"ok_format": False},
        "export_cell": {"pdf": False, "files": list(files)},
    }
    written = [_raw("ASSIGNMENT CONFIG", config)]
    earlier: list[str] = []  # test cells
    for cell in cells:
        notes = cell.metadata.get("nbgrader", {})
        if notes.get("grade"):
            written += _question(notes["grade_id"], notes["points"], cell.source, earlier)
            earlier.append(cell.source)
        elif notes.get("solution"):
            written.append(Cell("code", _with_otters_marks(cell.source)))
        else:
            written.append(Cell(cell.kind, cell.source))
    return written


def _raw(title: str, config: dict[str, Any] | None = None) -> Cell:
    """A cell that begins with a title; what is set below it is YAML, of which JSON is a part."""
    settings = [f"{name}: {json.dumps(value)}" for name, value in (config or {}).items()]
    return Cell("raw", "\n".join([f"# {title}", *settings]))


def _question(name: str, points: float, source: str, earlier: Sequence[str]) -> Iterator[Cell]:
    """A test cell as a question: all of its tests hold, or there are no points."""
    yield _raw("BEGIN QUESTION", {"name": name, "points": points, "all_or_nothing": True})
    yield _raw("BEGIN TESTS")
    shown = [without_hidden_tests(text) for text in earlier]
    yield Cell("code", _test(without_hidden_tests(source), shown, hidden=False))
    if f"BEGIN {HIDDEN}" in source:
        yield Cell("code", _test(source, earlier, hidden=True))
    yield _raw("END TESTS")
    yield _raw("END QUESTION")


def _test(source: str, earlier: Sequence[str], hidden: bool) -> str:
    """The test as a function whose parameters are the student's names that it uses."""
    function = _function(_run_as_main(source))
    function = _function([*_inherited(function, earlier), *_run_as_main(source)])
    names = sorted(names_used(function) - set(vars(builtins)))
    config = f'""" # BEGIN TEST CONFIG\nhidden: {json.dumps(hidden)}\n""" # END TEST CONFIG\n'
    return config + function.replace("test()", f"test({', '.join(names)})", 1)


def _function(statements: Sequence[ast.stmt]) -> str:
    body = "\n".join(map(ast.unparse, statements)) or "pass"
    return f"def test():\n{indent(body, '    ')}"


def _inherited(function: str, earlier: Sequence[str]) -> list[ast.stmt]:
    """What earlier test cells have assigned that a test uses, as it can in a notebook."""
    needed, kept = names_used(function), list[ast.stmt]()
    assignments = [
        statement
        for source in earlier
        for statement in _run_as_main(source)
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
    ]
    for statement in reversed(assignments):
        if needed & set(names_defined(statement)):
            kept.insert(0, statement)
            needed |= names_used(ast.unparse(statement))
    return kept


def _run_as_main(source: str) -> list[ast.stmt]:
    """The statements, those under ``if __name__ == "__main__"`` among the others."""
    statements: list[ast.stmt] = []
    for statement in ast.parse(source).body:
        is_main = isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)
        statements += statement.body if isinstance(statement, ast.If) and is_main else [statement]
    return statements


def _with_otters_marks(source: str) -> str:
    """The solution cell with nbgrader's marks written as Otter's, and nbgrader's stub."""
    lines = []
    for line in source.split("\n"):
        space = line[: len(line) - len(line.lstrip())]
        if "BEGIN SOLUTION" in line:
            lines.append(f"{space}# BEGIN SOLUTION NO PROMPT")
        elif "END SOLUTION" in line:
            stub = ["# YOUR CODE HERE", "raise NotImplementedError()"]
            prompt = ['""" # BEGIN PROMPT', *stub, '""" # END PROMPT']
            lines += [f"{space}{text}" for text in ["# END SOLUTION", *prompt]]
        else:
            lines.append(line)
    return "\n".join(lines)
