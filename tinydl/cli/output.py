"""The output folder: found out to be writable before the work, not after it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from tinydl.errors import ArgumentError


def prepare_folder(folder: Path, names: Iterable[str]) -> None:
    """Create `folder` if need be, and find out now whether those files can be written into it.

    Parameters
    ----------
    folder : Path
        The output folder.
    names : iterable of str
        The files that are going to be written there.

    Raises
    ------
    ArgumentError
        If the folder cannot be created or written to, or a name is already taken by a folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ArgumentError(
            "train",
            "--output",
            got=str(folder),
            expected="a folder that can be written to",
            hint=f"the system says: {error.strerror}",
        ) from error
    for name in names:
        if (folder / name).is_dir():
            raise ArgumentError(
                "train",
                "--output",
                got=str(folder),
                expected=f"a folder where the file {name} can be written",
                hint=f"{folder / name} is a folder; move it away",
            )
