"""Metrics of yes and no: a probability above the threshold is a yes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.errors import ShapeError
from tinydl.metrics.metric import Metric, matching, weights_for
from tinydl.registry import check_number


class PositiveRate(Metric):
    """What `Precision` and `Recall` share: counts of answers by what was asked and answered.

    Parameters
    ----------
    thresholds : float, optional
        A probability above it is a yes; 0.5 by default.
    class_id : int, optional
        Look at this class only, by its place on the last axis.
    """

    def __init__(
        self,
        thresholds: float | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        threshold = 0.5 if thresholds is None else thresholds
        self.thresholds = check_threshold(type(self).__name__, "thresholds", threshold)
        self.class_id = class_id
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch; see `Metric`."""
        wanted, y_pred, weights = decisions(self.name, y_true, y_pred, sample_weight, self.class_id)
        answered = y_pred > self.thresholds
        self.true_positives += float(np.sum(weights * (wanted & answered)))
        self.false_positives += float(np.sum(weights * (~wanted & answered)))
        self.false_negatives += float(np.sum(weights * (wanted & ~answered)))

    def reset_state(self) -> None:
        """Forget everything taken in."""
        self.true_positives = self.false_positives = self.false_negatives = 0.0


class Precision(PositiveRate):
    """How many of the yes answers are right.

    Parameters
    ----------
    thresholds : float, optional
        A probability above it is a yes; 0.5 by default.
    class_id : int, optional
        Look at this class only, by its place on the last axis.

    Source: Manning, Raghavan & Schütze, *Introduction to information retrieval*, Cambridge 2008,
    section 8.3.

    Examples
    --------
    >>> Precision()([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.2])
    0.6666666666666666
    """

    formula = r"M = \frac{\mathrm{TP}}{\mathrm{TP} + \mathrm{FP}}"

    def result(self) -> float:
        """The precision so far; 0 without any yes."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)


class Recall(PositiveRate):
    """How many of those that deserve a yes got it.

    Parameters
    ----------
    thresholds : float, optional
        A probability above it is a yes; 0.5 by default.
    class_id : int, optional
        Look at this class only, by its place on the last axis.

    Source: Manning, Raghavan & Schütze, *Introduction to information retrieval*, Cambridge 2008,
    section 8.3.

    Examples
    --------
    >>> Recall()([1, 0, 1, 1], [0.9, 0.8, 0.2, 0.2])
    0.3333333333333333
    """

    formula = r"M = \frac{\mathrm{TP}}{\mathrm{TP} + \mathrm{FN}}"

    def result(self) -> float:
        """The recall so far; 0 without any that deserve a yes."""
        return ratio(self.true_positives, self.true_positives + self.false_negatives)


def decisions(
    where: str, y_true: Any, y_pred: Any, sample_weight: Any, class_id: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What deserves a yes, how probable a yes is, and how much that counts, of one shape."""
    y_true, y_pred = matching(where, y_true, y_pred)
    if class_id is not None:
        if not 0 <= class_id < y_pred.shape[-1]:
            raise ShapeError(
                where,
                "class_id",
                got=class_id,
                expected=f"0 to {y_pred.shape[-1] - 1}",
                hint=f"y_pred is {y_pred.shape}",
            )
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    weights = weights_for(where, y_true.shape, 1.0 if sample_weight is None else sample_weight)
    return y_true.astype(bool), y_pred, weights


def ratio(part: float, whole: float) -> float:
    """Part of the whole; 0 of nothing."""
    return part / whole if whole else 0.0


def check_threshold(where: str, argument: str, threshold: float) -> float:
    """The threshold, if it is a probability."""
    return check_number(where, argument, threshold, lambda t: 0 <= t <= 1, "between 0 and 1")
