r"""Metrics over all thresholds at once: how many yes answers are right, and how many no answers.

For each threshold :math:`\theta` a probability above it is a yes, which makes a sensitivity and a
specificity; the ROC curve joins these points. A threshold is moved in steps of
1 / (num_thresholds - 1), as in Keras, so that batches add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.errors import ArgumentError
from tinydl.metrics.decisions import check_threshold, decisions
from tinydl.metrics.metric import Metric
from tinydl.registry import check_count


class _Curve(Metric):
    """What the metrics here share: counts of answers for each threshold.

    Parameters
    ----------
    num_thresholds : int
        How many thresholds there are, from 0 to 1; a single one is 0.5.
    class_id : int, optional
        Look at this class only, by its place on the last axis.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.num_thresholds = check_count(type(self).__name__, "num_thresholds", num_thresholds)
        self.class_id = class_id
        self.thresholds = (
            np.array([0.5]) if num_thresholds == 1 else np.linspace(0.0, 1.0, num_thresholds)
        )
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch; see `Metric`."""
        wanted, y_pred, weights = decisions(self.name, y_true, y_pred, sample_weight, self.class_id)
        self._true_positives += self._above(y_pred[wanted], weights[wanted])
        self._false_positives += self._above(y_pred[~wanted], weights[~wanted])
        self._positives += float(weights[wanted].sum())
        self._negatives += float(weights[~wanted].sum())

    def _above(self, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """For each threshold, the weight of the probabilities above it; nan is above none."""
        comparable = np.where(np.isnan(probabilities), -np.inf, probabilities)
        passed = np.searchsorted(self.thresholds, comparable)
        counts = np.bincount(passed, weights, minlength=len(self.thresholds) + 1)
        return counts[::-1].cumsum()[::-1][1:]

    def reset_state(self) -> None:
        """Forget everything taken in."""
        self._true_positives = np.zeros(len(self.thresholds))
        self._false_positives = np.zeros(len(self.thresholds))
        self._positives = self._negatives = 0.0

    def sensitivities(self) -> np.ndarray:
        """The part of the positives above each threshold, shape (thresholds,); 0 of nothing."""
        return self._true_positives / (self._positives or 1.0)

    def false_alarms(self) -> np.ndarray:
        """The part of the negatives above each threshold, shape (thresholds,); 0 of nothing."""
        return self._false_positives / (self._negatives or 1.0)


class AUC(_Curve):
    """The area under the ROC curve: how probably a positive is ranked above a negative.

    The area is made of trapezoids between neighbouring thresholds. With probabilities closer
    together than 1 / (num_thresholds - 1) it is therefore only approximate.

    Parameters
    ----------
    num_thresholds : int
        How many thresholds there are, at least 2.
    curve : "ROC"
        Keras also knows the curve of precision and recall; it is not offered here.

    Source: Hanley & McNeil, *The meaning and use of the area under a receiver operating
    characteristic (ROC) curve*, Radiology 143, 1982.

    Examples
    --------
    >>> AUC()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    0.75
    """

    formula = (
        r"M = \sum_k \frac{R_k + R_{k+1}}{2} (F_k - F_{k+1}), \quad"
        r" R_k = \frac{\mathrm{TP}_k}{\mathrm{TP}_k + \mathrm{FN}_k}, \quad"
        r" F_k = \frac{\mathrm{FP}_k}{\mathrm{FP}_k + \mathrm{TN}_k}"
    )

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_thresholds, None, name, dtype)
        if self.num_thresholds == 1:
            raise ArgumentError("AUC", "num_thresholds", got=1, expected="at least 2")
        if curve != "ROC":
            raise ArgumentError("AUC", "curve", got=repr(curve), expected="'ROC'")
        self.curve = curve
        self.thresholds = self.thresholds[1:-1]  # the ends of the curve need no counting
        self.reset_state()

    def result(self) -> float:
        """The area so far; 0 without positives or without negatives."""
        if not self._positives or not self._negatives:
            return 0.0
        # The curve begins where everything is a yes, in (1, 1), and ends where nothing is.
        recall = np.concatenate([[1.0], self.sensitivities(), [0.0]])
        false_alarms = np.concatenate([[1.0], self.false_alarms(), [0.0]])
        return float(np.sum((recall[:-1] + recall[1:]) / 2 * -np.diff(false_alarms)))


class SensitivityAtSpecificity(_Curve):
    """The best sensitivity among the thresholds with at least the given specificity.

    Parameters
    ----------
    specificity : float
        How many of the negatives have to get a no.
    num_thresholds : int
        How many thresholds there are to choose from.
    class_id : int, optional
        Look at this class only, by its place on the last axis.

    Source: Altman & Bland, *Diagnostic tests 1: sensitivity and specificity*, BMJ 308, 1994.

    Examples
    --------
    >>> SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    1.0
    """

    formula = (
        r"M = \max_{k:\, S_k \geq s} R_k, \quad"
        r" R_k = \frac{\mathrm{TP}_k}{\mathrm{TP}_k + \mathrm{FN}_k}, \quad"
        r" S_k = \frac{\mathrm{TN}_k}{\mathrm{TN}_k + \mathrm{FP}_k}"
    )

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_thresholds, class_id, name, dtype)
        self.specificity = check_threshold("SensitivityAtSpecificity", "specificity", specificity)

    def result(self) -> float:
        """The best sensitivity so far; 0 if no threshold will do."""
        if not self._negatives:
            return 0.0
        enough = 1 - self.false_alarms() >= self.specificity
        return float(np.max(self.sensitivities(), where=enough, initial=0.0))


class SpecificityAtSensitivity(_Curve):
    """The best specificity among the thresholds with at least the given sensitivity.

    Parameters
    ----------
    sensitivity : float
        How many of the positives have to get a yes.
    num_thresholds : int
        How many thresholds there are to choose from.
    class_id : int, optional
        Look at this class only, by its place on the last axis.

    Source: Altman & Bland, *Diagnostic tests 1: sensitivity and specificity*, BMJ 308, 1994.

    Examples
    --------
    >>> SpecificityAtSensitivity(1.0)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    0.5
    """

    formula = (
        r"M = \max_{k:\, R_k \geq r} S_k, \quad"
        r" R_k = \frac{\mathrm{TP}_k}{\mathrm{TP}_k + \mathrm{FN}_k}, \quad"
        r" S_k = \frac{\mathrm{TN}_k}{\mathrm{TN}_k + \mathrm{FP}_k}"
    )

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_thresholds, class_id, name, dtype)
        self.sensitivity = check_threshold("SpecificityAtSensitivity", "sensitivity", sensitivity)

    def result(self) -> float:
        """The best specificity so far; 0 if no threshold will do."""
        if not self._negatives:
            return 0.0
        enough = self.sensitivities() >= self.sensitivity
        return float(np.max(1 - self.false_alarms(), where=enough, initial=0.0))
