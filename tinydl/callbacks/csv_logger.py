"""The history as a file that grows with every epoch."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from tinydl.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of comma-separated values after each epoch.

    The columns are ``epoch`` and what the first epoch's logs hold, in the order of their names.

    Parameters
    ----------
    filename : str or Path
        The file to write.
    separator : str
        What stands between the values.
    append : bool
        Go on with an existing file instead of writing a new one; its columns stay.

    Raises
    ------
    OSError
        At the beginning of the training, when the file cannot be written.

    Examples
    --------
    >>> import tempfile, tinydl
    >>> path = Path(tempfile.mkdtemp()) / "history.csv"
    >>> model = tinydl.Sequential([tinydl.layers.Dense(1, use_bias=False)])
    >>> model.compile(tinydl.optimizers.SGD(learning_rate=0.0), loss="mse")
    >>> history = model.fit([[0.0]], [2.0], epochs=2, callbacks=[CSVLogger(path)], verbose=0)
    >>> print(path.read_text())
    epoch,loss
    0,4.0
    1,4.0
    <BLANKLINE>
    """

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._file: TextIO | None = None
        self._columns: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self._columns = self._columns_so_far() if self.append else []
        self._file = self.filename.open("a" if self.append else "w", newline="")

    def _columns_so_far(self) -> list[str]:
        if not self.filename.exists():
            return []
        with self.filename.open(newline="") as file:
            return next(csv.reader(file, delimiter=self.separator), [])

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line, and see to it that it is in the file."""
        assert self._file is not None
        row: dict[str, Any] = {"epoch": epoch, **(logs or {})}
        new = not self._columns
        if new:
            self._columns = ["epoch", *sorted(logs or {})]
        writer = csv.DictWriter(
            self._file, self._columns, restval="NA", extrasaction="ignore", delimiter=self.separator
        )
        if new:
            writer.writeheader()
        writer.writerow(row)
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
