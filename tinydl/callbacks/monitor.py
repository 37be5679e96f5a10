"""Watching one number: is it better than before?"""

from __future__ import annotations

import math
import warnings

from tinydl.callbacks.callback import Callback, Logs
from tinydl.errors import unknown_name

# Metrics of which more is better are told by what their names contain.
MORE_IS_BETTER = ("acc", "precision", "recall", "auc", "f1")


class MonitorCallback(Callback):
    """The base of callbacks that act when a number gets better, or does not.

    Parameters
    ----------
    monitor : str
        The name of the number in the logs.
    mode : str
        ``"min"`` if less is better, ``"max"`` if more is, ``"auto"`` to tell by the name: more is
        better for accuracy, precision and recall, less for everything else.
    min_delta : float
        By how much a number must be better to count.

    Raises
    ------
    ArgumentError
        When the mode is none of the three.

    Attributes
    ----------
    best : float
        The best number so far.
    worst : float
        What every number is better than.

    Examples
    --------
    >>> accuracy = MonitorCallback("val_accuracy", min_delta=0.01)
    >>> accuracy.is_better(0.95, than=0.93), accuracy.is_better(0.935, than=0.93)
    (True, False)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise unknown_name(type(self).__name__, "mode", mode, ["auto", "min", "max"])
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.more_is_better = mode == "max" or (
            mode == "auto" and any(part in monitor for part in MORE_IS_BETTER)
        )
        self.worst = -math.inf if self.more_is_better else math.inf
        self.best = self.worst

    def is_better(self, value: float, than: float) -> bool:
        """Whether a number is better than another by more than `min_delta`."""
        if self.more_is_better:
            return value - self.min_delta > than
        return value + self.min_delta < than

    def monitored(self, logs: Logs | None) -> float | None:
        """The number, or None with a warning where the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            complaint = unknown_name(type(self).__name__, "monitor", self.monitor, logs or {})
            warnings.warn(f"{complaint} (val_... needs validation data)", stacklevel=2)
            return None
        return float(value)
