"""The means that training and evaluation report: of the loss, and of each metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinydl import metrics
from tinydl.errors import ArgumentError


class MetricList:
    """The mean of the loss, and metrics; what "accuracy" means is settled by the first batch.

    Parameters
    ----------
    identifiers : iterable of str, Metric or callable
        The metrics, as `compile` gets them.

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.
    """

    def __init__(self, identifiers: Iterable[Any]) -> None:
        if isinstance(identifiers, (str, metrics.Metric)):
            raise ArgumentError(
                "compile", "metrics", got=repr(identifiers), expected="a list, even of one"
            )
        self.identifiers = list(identifiers)
        self._loss = metrics.Mean(name="loss")
        self._metrics = [_metric(identifier) for identifier in self.identifiers]
        self._shapes_known = False
        names = [metric.name for metric in self.all]
        for name in names:
            if names.count(name) > 1:
                raise ArgumentError(
                    "compile", "metrics", got=f"two named {name!r}", expected="different names"
                )

    @property
    def all(self) -> list[Any]:
        """The mean of the loss, and the metrics."""
        return [self._loss, *self._metrics]

    def reset_state(self) -> None:
        """Start new means."""
        for metric in self.all:
            metric.reset_state()

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, loss: float) -> dict[str, float]:
        """Take in a batch; return the means so far, by name."""
        if not self._shapes_known:
            self._shapes_known = True
            shapes = y_true.shape, y_pred.shape
            self._metrics = [_metric(identifier, *shapes) for identifier in self.identifiers]
        self._loss.update_state(loss, len(y_pred))
        for metric in self._metrics:
            metric.update_state(y_true, y_pred)
        return {metric.name: metric.result() for metric in self.all}


def _metric(identifier: Any, *shapes: Any) -> metrics.Metric:
    """The metric meant by an identifier; one given by a name is reported by that name."""
    metric = metrics.get(identifier, *shapes)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric
