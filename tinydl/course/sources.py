"""Reading what was handed in: scripts and notebooks, however they were saved."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinydl.course.cells import Cell, format_script, read_cells, text_of
from tinydl.errors import FileFormatError

LARGEST = 5_000_000  # bytes
MOST_NAMES = 5


class Unreadable(Exception):
    """There is no submission, or none that can be graded; the message is for the student.

    Attributes
    ----------
    state : str
        "missing", "unreadable", "refused", "does not compile" or "timed out".
    """

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


@dataclass
class Source:
    """The text of a submission.

    Attributes
    ----------
    text : str
        As a script, with plain line endings.
    file : str
        The name of the file it was in.
    notes : list of str
        What was unusual, in words for the student.
    cells : list of int
        In which line of the text each code cell of a notebook begins; empty for a script.
    """

    text: str
    file: str
    notes: list[str] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)

    def place(self, line: int) -> tuple[int | None, int]:
        r"""The code cell of a line, None for a script, and the line's number there.

        Examples
        --------
        >>> Source("# %%\nx = 1\n\n# %%\ny = 2", "a.ipynb", cells=[2, 5]).place(5)
        (2, 1)
        """
        cell = bisect_right(self.cells, line)
        return (cell, line - self.cells[cell - 1] + 1) if cell else (None, line)


def read_source(path: Path, name: str) -> Source:
    """Read a submission: a file, or a folder with a file of this name.

    Parameters
    ----------
    path : Path
        A script, a notebook, or a folder that holds one.
    name : str
        What the file should be called, such as "assignment.py".

    Raises
    ------
    Unreadable
    """
    notes: list[str] = []
    if path.is_dir():
        path = _find(path, name, notes)
    if not path.is_file():
        beside = _plain_files(path.parent) if path.parent.is_dir() else []
        raise Unreadable("missing", _lacking(f"folder {path.name} with {name}", beside))
    if path.stat().st_size > LARGEST:
        raise Unreadable("unreadable", f"{path.name} is larger than {LARGEST // 10**6} MB")
    try:
        notebook = path.suffix.lower() == ".ipynb"
        text = _script(path, notes) if notebook else _text(path, notes)
    except FileFormatError as error:
        told = str(error) if notebook else f"{path.name} is no UTF-8 text"
        raise Unreadable("unreadable", told) from None
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}"
        raise Unreadable("unreadable", message) from None
    if not text.strip():
        raise Unreadable("unreadable", f"{path.name} is empty")
    if "\0" in text:
        raise Unreadable("unreadable", f"{path.name} is no text: it contains zero bytes")
    return Source(text, path.name, notes, _code_cells(text) if notebook else [])


def _find(folder: Path, name: str, notes: list[str]) -> Path:
    """The file of this name, or the only one that could be meant."""
    stem, suffix = Path(name).stem, Path(name).suffix
    suffixes = {suffix, ".ipynb"} if suffix == ".py" else {suffix}
    files = [f for f in _plain_files(folder) if f.suffix.lower() in suffixes]
    for wanted in (name, f"{stem}.ipynb"):
        for file in files:
            if file.name == wanted:
                return file
    if len(files) == 1:
        notes.append(f"The file is called {files[0].name}; it should be {name}.")
        return files[0]
    raise Unreadable("missing", _lacking(f"file {name}", sorted(folder.iterdir())))


def _lacking(what: str, there: Sequence[Path]) -> str:
    """What is not there, and what is; "" if nothing is."""
    found = [path.name for path in there if not path.name.startswith(".")]
    if not found:
        return ""
    more = ", ..." if len(found) > MOST_NAMES else ""
    return f"there is no {what}; found: {', '.join(found[:MOST_NAMES])}{more}"


def _plain_files(folder: Path) -> list[Path]:
    """The files of a folder; a link could lead to a neighbour's work, or the teacher's."""
    return sorted(f for f in folder.iterdir() if f.is_file() and not f.is_symlink())


def _text(path: Path, notes: list[str]) -> str:
    """The text of a file; C may be in the encoding of an older editor, as compilers take it."""
    try:
        return text_of(path)
    except FileFormatError:
        if path.suffix.lower() != ".c":
            raise
    notes.append(f"{path.name} is not saved as UTF-8; it was read as Latin-1.")
    text = path.read_bytes().decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _script(path: Path, notes: list[str]) -> str:
    """The code cells of a notebook, one after the other."""
    notes.append("A notebook was handed in; its code cells were graded as one script.")
    return format_script([Cell("code", c.source) for c in read_cells(path) if c.kind == "code"])


def _code_cells(text: str) -> list[int]:
    """In which line each cell of a script of code cells begins."""
    return [n + 1 for n, line in enumerate(text.split("\n"), 1) if line.startswith("# %%")]


def read_extras(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """The other files of a submission, as far as they are there and not too large."""
    folder = path if path.is_dir() else path.parent
    return {
        file.name: file.read_bytes()
        for file in _plain_files(folder)
        if file.name in names and file.stat().st_size <= LARGEST
    }
