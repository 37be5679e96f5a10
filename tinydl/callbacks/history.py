"""The record that `fit` returns."""

from __future__ import annotations

from typing import Any

from tinydl.callbacks.callback import Callback, Logs


class History(Callback):
    """Keeps the loss and the metrics of each complete epoch.

    `fit` makes one and returns it; it is also there as ``model.history``, which helps when Ctrl-C
    ended the training.

    Attributes
    ----------
    history : dict of str to list of float
        ``{"loss": [...], "accuracy": [...], "val_loss": [...], ...}``, one number an epoch.
    epoch : list of int
        The numbers of the epochs, the first being 0.

    Examples
    --------
    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 2.0})
    >>> history.on_epoch_end(1, {"loss": 1.5})
    >>> history.epoch, history.history
    ([0, 1], {'loss': [2.0, 1.5]})
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the epoch's numbers."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
