"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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

    Raises
    ------
    FileNotFoundError
        When the folder of `path` does not exist.

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
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {path}: there is no folder {path.parent}; make it first"
        )
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
