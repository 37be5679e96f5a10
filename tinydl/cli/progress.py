"""Watching a training: a live bar for the eye, and a record for the history file and the curves."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tinydl.callbacks import Callback
from tinydl.cli.files import replacing

if TYPE_CHECKING:
    from rich.console import Console

# Batches averaged into one point of the learning curves.
WINDOW = 50


class Epoch(NamedTuple):
    """One row of the history: means over the images seen in that epoch."""

    epoch: int
    images: int
    seconds: float
    loss: float
    accuracy: float


class Point(NamedTuple):
    """One point of the learning curves: means over a few batches, `epochs` into the training."""

    epochs: float
    loss: float
    accuracy: float


class Record(Callback):
    """Keeps the epochs, the last of them possibly unfinished, and the points of the curves.

    Parameters
    ----------
    images : int
        Training images in an epoch.
    batch_size : int
        Images in a batch; the last batch of an epoch may be shorter.
    """

    def __init__(self, images: int, batch_size: int) -> None:
        super().__init__()
        self.images, self.batch_size = images, batch_size
        self.epochs: list[Epoch] = []
        self.points: list[Point] = []

    @property
    def finished(self) -> int:
        """How many epochs saw all their images."""
        return sum(epoch.images == self.images for epoch in self.epochs)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Start a row."""
        self._began = time.perf_counter()
        self.epochs.append(Epoch(epoch + 1, 0, 0.0, 0.0, 0.0))
        self._window_began = self.epochs[-1]

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Bring the row up to date; `logs` are means over the epoch so far."""
        assert logs is not None
        now = Epoch(
            epoch=self.epochs[-1].epoch,
            images=min((batch + 1) * self.batch_size, self.images),
            seconds=time.perf_counter() - self._began,
            loss=float(logs["loss"]),
            accuracy=float(logs["accuracy"]),
        )
        self.epochs[-1] = now
        if (batch + 1) % WINDOW == 0 or now.images == self.images:
            self.points.append(self._mean_between(self._window_began, now))
            self._window_began = now

    def _mean_between(self, start: Epoch, end: Epoch) -> Point:
        count = end.images - start.images
        return Point(
            epochs=end.epoch - 1 + (start.images + end.images) / 2 / self.images,
            loss=(end.loss * end.images - start.loss * start.images) / count,
            accuracy=(end.accuracy * end.images - start.accuracy * start.images) / count,
        )

    def save(self, path: Path) -> None:
        """Write the epochs as CSV, a row each."""
        with replacing(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Epoch._fields)
            writer.writerows(self.epochs)


class Bar(Callback):
    """Shows on the console what a `Record` records: a live bar, and a line for each epoch.

    It is a context manager, so that the bar is closed however the training ends.

    Parameters
    ----------
    record : Record
        Called before this callback, so that its last row is up to date.
    epochs : int
        How many epochs the whole bar stands for.
    console : rich.console.Console
        Where it is not a terminal, only the lines are printed.
    """

    def __init__(self, record: Record, epochs: int, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__()
        self.record, self.epochs = record, epochs
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=epochs * record.images)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Move the bar, at every tenth batch."""
        if batch % 10 == 0:
            row = self.record.epochs[-1]
            seen = (row.epoch - 1) * self.record.images + row.images
            self._progress.update(self._task, completed=seen, description=self._line(row))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Leave a line that stays."""
        row = self.record.epochs[-1]
        self._progress.console.print(f"{self._line(row)}  {row.seconds:.1f} s")

    def _line(self, row: Epoch) -> str:
        return (
            f"epoch {row.epoch}/{self.epochs}  loss {row.loss:.4f}  accuracy {row.accuracy:.4f}  "
            f"{row.images / row.seconds:6.0f} images/s"
        )
