"""What `fit`, `evaluate` and `predict` show of their progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tinydl.callbacks.callback import Callback, Logs

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Drawing the bar takes longer than many a training step, and nobody reads faster than this.
SECONDS_BETWEEN_DRAWINGS = 0.1


class ProgbarLogger(Callback):
    """Shows a live bar (``verbose=1``), and leaves a line after each epoch (``verbose`` 1 or 2).

    The bar tells the batches done, the images or samples per second, loss and metrics so far, and
    the time left. `fit`, `evaluate` and `predict` add this callback by themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar: tuple[Progress, TaskID] | None = None
        self._in_fit = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Let validations pass silently from now on."""
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Take the bar away, if the training ended within an epoch."""
        self._close()
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start a bar."""
        self._open(f"Epoch {epoch + 1}/{self.params['epochs']}")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Leave a line."""
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start a bar."""
        if not self._in_fit:
            self._open("Evaluate")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        if not self._in_fit:
            self._advance(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Leave a line."""
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start a bar."""
        self._open("Predict")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        self._advance(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Leave a line."""
        self._finish(None)

    def _open(self, title: str) -> None:
        self._title, self._done = title, 0
        self._start = self._now = self._drawn = time.perf_counter()
        if self.params["verbose"] == 1:
            self._bar = _new_bar(title, self.params["steps"])

    def _advance(self, batch: int, logs: Logs | None) -> None:
        self._done, self._now = batch + 1, time.perf_counter()
        if self._bar and self._now - self._drawn >= SECONDS_BETWEEN_DRAWINGS:
            self._drawn = self._now
            progress, task = self._bar
            numbers = "  ".join([self._speed(), *_in_words(logs)])
            progress.update(task, completed=self._done, numbers=numbers, refresh=True)

    def _finish(self, logs: Logs | None) -> None:
        self._close()
        if self._done == 0:
            return
        steps = f"{self._done}/{self.params['steps']}"
        seconds = f"{time.perf_counter() - self._start:.1f} s"
        print("  ".join([self._title, steps, seconds, self._speed(), *_in_words(logs)]), flush=True)

    def _close(self) -> None:
        if self._bar:
            self._bar[0].stop()
            self._bar = None

    def _speed(self) -> str:
        seen = min(self._done * self.params["batch_size"], self.params["samples"])
        return f"{seen / max(self._now - self._start, 1e-9):,.0f} {self.params['unit']}/s"


def _new_bar(title: str, steps: int) -> tuple[Progress, TaskID]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[numbers]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        auto_refresh=False,
        transient=True,
    )
    task = progress.add_task(title, total=steps, numbers="")
    progress.start()
    return progress, task


def _in_words(logs: Logs | None) -> list[str]:
    return [f"{name} {_number(value)}" for name, value in (logs or {}).items()]


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.3e}"
