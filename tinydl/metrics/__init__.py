r"""Metrics: numbers for people, which add up over batches and need no gradient.

A metric keeps sums, not averages, so that the last short batch counts for no more than its samples:

.. math:: M = \frac{\sum_i s_i \, m(t_i, y_i)}{\sum_i s_i}

with samples i, sample weights s (1 by default), targets t (`y_true`) and predictions y (`y_pred`).
Everything here is plain NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinydl.metrics.curves import AUC, SensitivityAtSpecificity, SpecificityAtSensitivity
from tinydl.metrics.decisions import Precision, Recall
from tinydl.metrics.metric import Mean, MeanMetricWrapper, Metric, Shape
from tinydl.metrics.samples import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_accuracy,
    top_k_categorical_accuracy,
)
from tinydl.registry import Registry

_registry = Registry(
    "metrics",
    "metric",
    [
        AUC,
        Accuracy,
        BinaryAccuracy,
        CategoricalAccuracy,
        Mean,
        MeanAbsoluteError,
        MeanSquaredError,
        Precision,
        Recall,
        SensitivityAtSpecificity,
        SparseCategoricalAccuracy,
        SpecificityAtSensitivity,
        TopKCategoricalAccuracy,
    ],
    {"acc": Accuracy, "mae": MeanAbsoluteError, "mse": MeanSquaredError},
)


def get(
    identifier: Any,
    y_true_shape: Shape | None = None,
    y_pred_shape: Shape | None = None,
    custom_objects: dict[str, Any] | None = None,
) -> Metric:
    """The metric meant by a name, an object, or a function of (y_true, y_pred).

    Parameters
    ----------
    identifier : str, dict, Metric or callable
        ``"accuracy"`` (or ``"acc"``) means the accuracy that fits the shapes, if they are given:
        binary for a single output, sparse for class numbers, else categorical.
    y_true_shape, y_pred_shape : tuple of int, optional
        Shapes of a batch of targets and predictions.
    custom_objects : dict, optional
        The caller's own metrics, by name.

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.

    Examples
    --------
    >>> type(get("accuracy", (32, 10), (32, 10))).__name__
    'CategoricalAccuracy'
    >>> type(get("accuracy", (32,), (32, 10))).__name__
    'SparseCategoricalAccuracy'
    """
    if identifier in ("accuracy", "acc") and y_true_shape is not None and y_pred_shape is not None:
        return _accuracy_for(y_true_shape, y_pred_shape)(name=identifier)
    metric = _registry.get(identifier, custom_objects)
    return metric if isinstance(metric, Metric) else MeanMetricWrapper(metric)


def _accuracy_for(y_true_shape: Shape, y_pred_shape: Shape) -> Callable[..., Metric]:
    if y_pred_shape[-1:] == (1,):
        return BinaryAccuracy
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1:] == (1,):
        return SparseCategoricalAccuracy
    return CategoricalAccuracy


__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "sparse_categorical_accuracy",
    "top_k_categorical_accuracy",
]
