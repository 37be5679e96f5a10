"""Output files: found out to be writable before the work, and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to a temporary neighbour of `path`, which takes its place when all went well.

    Renaming is atomic: readers see the old file or the new one, never a part. After an error,
    or Ctrl-C, the old file stands as it was.

    Parameters
    ----------
    path : Path
        The file to be written.

    Yields
    ------
    Path
        Where to write. It has the suffix of `path`, from which many writers tell the format.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "history.csv"
    >>> with replacing(path) as temporary:
    ...     _ = temporary.write_text("epoch,loss")
    ...     path.exists()
    False
    >>> path.read_text()
    'epoch,loss'
    """
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
