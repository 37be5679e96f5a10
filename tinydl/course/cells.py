"""Percent scripts and notebooks: the same cells, in two spellings.

A percent script is an ordinary Python file whose cells begin with a line ``# %%``, as jupytext,
Visual Studio Code and Spyder have it; a notebook is nbformat 4. Both are read and written here, so
that a course needs neither jupytext nor Jupyter.

>>> cells = parse_script('''# %% [markdown]
... # # Means
... # %% tags=["answer"]
... def mean(x):
...     return sum(x) / len(x)
... ''')
>>> [(cell.kind, cell.source.split()[0], cell.metadata) for cell in cells]
[('markdown', '#', {}), ('code', 'def', {'tags': ['answer']})]
"""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinydl.errors import FileFormatError

MARKER = re.compile(r"^#[ \t]*%%+(?:[ \t](?P<rest>.*))?$", re.MULTILINE)
KIND = re.compile(r"\[(markdown|md|raw)\]")
SETTING = re.compile(r"([A-Za-z_][\w.-]*)\s*=\s*")
COMMAND = r"(?:%{1,2}|!)[A-Za-z]|\?{1,2}[A-Za-z_][\w.]*$|[A-Za-z_][\w.]*\?{1,2}$"  # of IPython
MAGIC = re.compile(COMMAND)
COMMENTED_MAGIC = re.compile(f"# (?=(?:{COMMAND}))")
TIMING = re.compile(r"%%(?:time|timeit|capture|prun)\b")
HEADER = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")


@dataclass(frozen=True)
class Cell:
    """A cell: text, code, or something raw.

    Attributes
    ----------
    kind : str
        "code", "markdown" or "raw".
    source : str
        Its lines, without a newline at the end.
    metadata : dict
        What is noted about it, such as nbgrader's notes under ``"nbgrader"``.
    """

    kind: str
    source: str
    metadata: dict[str, Any] = field(default_factory=dict)


def read_cells(path: Path) -> list[Cell]:
    """The cells of a percent script or a notebook.

    Parameters
    ----------
    path : Path
        A file ``.py`` or ``.ipynb``.

    Raises
    ------
    FileFormatError
        If it is no text, or a notebook that is damaged or of before 2015.
    """
    if path.suffix == ".ipynb":
        return parse_notebook(text_of(path), where=path.name)
    return parse_script(text_of(path))


def script_of(path: Path) -> str:
    """The Python program in a script or a notebook, with plain line endings.

    A script is given back as it is. A notebook becomes a percent script; IPython's magics in it
    become comments.

    Raises
    ------
    FileFormatError
        As `read_cells` does.
    """
    if path.suffix == ".ipynb":
        return format_script(read_cells(path))
    return text_of(path)


def text_of(path: Path) -> str:
    """A text file, without a byte-order mark, and with plain newlines between its lines.

    Raises
    ------
    FileFormatError
        If its bytes are not the text that they claim to be.
    """
    data = path.read_bytes()
    try:
        encoding = "utf-16"
        if data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        raise FileFormatError(
            "read", "file", got=f"{path.name}, which is no UTF-8 text", expected="a text file"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_script(text: str) -> list[Cell]:
    """The cells of a percent script; a header in YAML, as jupytext writes it, is left out."""
    body = HEADER.sub("", text)
    markers = list(MARKER.finditer(body))
    ends = [marker.start() for marker in markers] + [len(body)]
    cells = [_cell("code", body[: ends[0]], {})]
    for marker, end in zip(markers, ends[1:], strict=True):
        kind, metadata = _read_marker(marker["rest"] or "")
        cells.append(_cell(kind, body[marker.end() : end], metadata))
    return cells if cells[0].source else cells[1:]


def format_script(cells: Sequence[Cell]) -> str:
    """The percent script that has these cells."""
    return "\n\n".join(_lines_of(cell) for cell in cells).rstrip() + "\n"


def parse_notebook(text: str, where: str = "notebook") -> list[Cell]:
    """The cells of a notebook, without their outputs.

    Raises
    ------
    FileFormatError
        If this is no notebook of nbformat 4.
    """
    try:
        found = json.loads(text)
        cells = found["cells"]
        return [
            Cell(cell["cell_type"], "".join(cell["source"]).rstrip("\n"), cell.get("metadata", {}))
            for cell in cells
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FileFormatError(
            "read",
            "notebook",
            got=f"{where}, which has no list of cells",
            expected="a notebook of nbformat 4",
            hint="open it in Jupyter and save it once more",
        ) from None


def format_notebook(cells: Sequence[Cell]) -> str:
    """The notebook (nbformat 4.5) that has these cells, not run yet."""
    written: list[dict[str, Any]] = []
    for number, cell in enumerate(cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", cell.kind)
        entry: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": re.sub(r"[^A-Za-z0-9_-]", "-", f"{number:03}-{name}")[:64],
            "metadata": cell.metadata,
            "source": cell.source.splitlines(keepends=True),
        }
        if cell.kind == "code":
            entry |= {"execution_count": None, "outputs": []}
        written.append(entry)
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": written,
        "metadata": {"kernelspec": python, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str, metadata: dict[str, Any]) -> Cell:
    """A cell from its lines in a script."""
    lines = text.strip("\n").split("\n")
    if kind == "code":
        lines = [line[2:] if COMMENTED_MAGIC.match(line) else line for line in lines]
    else:
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    return Cell(kind, "\n".join(lines), metadata)


def _lines_of(cell: Cell) -> str:
    """A cell as lines of a script."""
    notes = dict(cell.metadata)
    title = [notes.pop("title")] if "title" in notes else []
    kind = [] if cell.kind == "code" else [f"[{cell.kind}]"]
    settings = [f"{name}={json.dumps(value)}" for name, value in notes.items()]
    lines = cell.source.split("\n")
    if cell.kind == "code":
        body = _without_magics(lines)
    else:
        body = [f"# {line}".rstrip() for line in lines]
    return "\n".join([" ".join(["# %%", *title, *kind, *settings]), *body])


def _without_magics(lines: Sequence[str]) -> list[str]:
    """The lines, IPython's own commands commented out; another language's cell is one of these."""
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and not TIMING.match(first):
        return [f"# {line}".rstrip() for line in lines]
    return [f"# {line}" if MAGIC.match(line) else line for line in lines]


def _read_marker(rest: str) -> tuple[str, dict[str, Any]]:
    """The kind of a cell and its metadata, from what follows ``# %%``."""
    kind = "code"
    found = KIND.search(rest)
    if found:
        kind = "raw" if found[1] == "raw" else "markdown"
        title, rest = rest[: found.start()], rest[found.end() :]
    else:
        first = SETTING.search(rest)
        start = first.start() if first else len(rest)
        title, rest = rest[:start], rest[start:]
    metadata = dict(_settings(rest))
    return kind, ({"title": title.strip()} if title.strip() else {}) | metadata


def _settings(text: str) -> Iterator[tuple[str, Any]]:
    """The pairs ``name=value`` of a marker; values are JSON."""
    decoder = json.JSONDecoder()
    place = 0
    while found := SETTING.search(text, place):
        try:
            value, place = decoder.raw_decode(text, found.end())
        except ValueError:
            raise FileFormatError(
                "read", "cell", got=f"# %% {text.strip()}", expected="name=value, the values JSON"
            ) from None
        yield found[1], value
