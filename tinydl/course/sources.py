"""Reading what was handed in: scripts and notebooks, however they were saved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LARGEST = 5_000_000  # bytes
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class Unreadable(Exception):
    """There is no submission, or none that can be read; the message is for the student.

    Attributes
    ----------
    state : str
        "missing" or "unreadable".
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
        As a script, with line endings as Python has them.
    file : str
        The name of the file it was in.
    notes : list of str
        What was unusual, in words for the student.
    """

    text: str
    file: str
    notes: list[str] = field(default_factory=list)


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
        raise Unreadable("missing", f"there is no file {name}")
    if path.stat().st_size > LARGEST:
        raise Unreadable("unreadable", f"{path.name} is larger than {LARGEST // 10**6} MB")
    content = path.read_bytes()
    if not content.strip():
        raise Unreadable("unreadable", f"{path.name} is empty")
    text = _decoded(content, path.name, notes)
    if path.suffix == ".ipynb":
        text = script_of_notebook(text, notes)
    return Source(text, path.name, notes)


def _find(folder: Path, name: str, notes: list[str]) -> Path:
    """The file of this name, or the only one that could be meant."""
    stem, suffix = Path(name).stem, Path(name).suffix
    suffixes = {suffix, ".ipynb"} if suffix == ".py" else {suffix}
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.suffix.lower() in suffixes)
    for wanted in (name, f"{stem}.ipynb"):
        for file in files:
            if file.name == wanted:
                return file
    if len(files) == 1:
        notes.append(f"The file is called {files[0].name}; it should be {name}.")
        return files[0]
    if files:
        found = ", ".join(file.name for file in files)
        raise Unreadable("missing", f"there is no file {name}; found: {found}")
    raise Unreadable("missing", f"there is no file {name}")


def _decoded(content: bytes, file: str, notes: list[str]) -> str:
    encoding = next(
        (e for mark, e in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8"
    )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        notes.append(f"{file} is not UTF-8; it was read as Latin-1. Save it as UTF-8.")
    if "\0" in text:
        raise Unreadable("unreadable", f"{file} is no text: it contains zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def script_of_notebook(text: str, notes: list[str]) -> str:
    r"""The code cells of a notebook, one after the other.

    Lines for IPython alone (``%matplotlib inline``, ``!pip``) become comments.

    Raises
    ------
    Unreadable
        If it is no notebook.

    Examples
    --------
    >>> cells = [{"cell_type": "code", "source": ["%time\n", "x = 1"]}]
    >>> print(script_of_notebook(json.dumps({"cells": cells}), []))
    # %%
    # %time
    x = 1
    """
    try:
        cells = json.loads(text)["cells"]
        sources = [_joined(c["source"]) for c in cells if c["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreadable(
            "unreadable", "the notebook is damaged: it is no JSON with cells"
        ) from None
    notes.append("A notebook was handed in; its code cells were graded as one script.")
    return "\n\n".join("# %%\n" + "\n".join(map(_plain, s.splitlines())) for s in sources)


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _plain(line: str) -> str:
    return f"# {line}" if line.lstrip().startswith(("%", "!")) else line


def read_extras(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """The other files of a submission, as far as they are there and not too large."""
    folder = path if path.is_dir() else path.parent
    files = (folder / name for name in names)
    return {
        file.name: file.read_bytes()
        for file in files
        if file.is_file() and file.stat().st_size <= LARGEST
    }
