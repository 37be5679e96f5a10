"""A record of a training, for the history file and the learning curves."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tinydl.callbacks import Callback
from tinydl.utils import replacing

# Batches averaged into one point of the learning curves.
WINDOW = 100


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
        """Write the epochs as CSV, a row each, without one that saw no image yet."""
        with replacing(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Epoch._fields)
            writer.writerows(epoch for epoch in self.epochs if epoch.images > 0)
