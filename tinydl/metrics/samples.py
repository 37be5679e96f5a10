"""Metrics that are means over samples: each a function, and a class that adds it up."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.errors import ShapeError
from tinydl.metrics.decisions import check_threshold
from tinydl.metrics.metric import MeanMetricWrapper, as_array, matching
from tinydl.registry import check_count


def accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Where predictions equal targets, averaged over the last axis.

    Examples
    --------
    >>> accuracy([[1], [2]], [[1], [3]])
    array([1., 0.])
    """
    y_true, y_pred = matching("accuracy", y_true, y_pred)
    return np.mean(y_true == y_pred, axis=-1)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> np.ndarray:
    """Where probabilities are on the right side of the threshold, averaged over the last axis.

    Examples
    --------
    >>> binary_accuracy([[1], [0]], [[0.6], [0.7]])
    array([1., 0.])
    """
    y_true, y_pred = matching("binary_accuracy", y_true, y_pred)
    return np.mean(y_true == (y_pred > threshold), axis=-1)


def categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Where the most probable class is the right one, for one-hot targets.

    Examples
    --------
    >>> categorical_accuracy([[0, 1], [0, 1]], [[0.2, 0.8], [0.7, 0.3]])
    array([1., 0.])
    """
    y_true, y_pred = matching("categorical_accuracy", y_true, y_pred)
    return (y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)).astype(np.float64)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Where the most probable class is the right one, for class numbers.

    Examples
    --------
    >>> sparse_categorical_accuracy([1, 1], [[0.2, 0.8], [0.7, 0.3]])
    array([1., 0.])
    """
    predicted = as_array(y_pred).argmax(axis=-1)
    y_true = as_array(y_true)
    if y_true.shape == (*predicted.shape, 1):
        y_true = y_true[..., 0]
    if y_true.shape != predicted.shape:
        raise ShapeError(
            "sparse_categorical_accuracy",
            "y_true",
            got=y_true.shape,
            expected=f"{predicted.shape}, a class number a sample",
        )
    return (y_true == predicted).astype(np.float64)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> np.ndarray:
    """Where fewer than k classes are more probable than the right one, for one-hot targets.

    Examples
    --------
    >>> top_k_categorical_accuracy([[0, 0, 1], [0, 1, 0]], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]], k=2)
    array([1., 0.])
    """
    y_true, y_pred = matching("top_k_categorical_accuracy", y_true, y_pred)
    right = np.take_along_axis(y_pred, y_true.argmax(axis=-1)[..., None], axis=-1)
    return (np.sum(~(y_pred <= right), axis=-1) < k).astype(np.float64)


def mean_squared_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """The squared difference, averaged over the last axis.

    Examples
    --------
    >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]])
    array([2.])
    """
    y_true, y_pred = matching("mean_squared_error", y_true, y_pred)
    return np.mean(np.subtract(y_pred, y_true, dtype=np.float64) ** 2, axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """The absolute difference, averaged over the last axis.

    Examples
    --------
    >>> mean_absolute_error([[1.0, 2.0]], [[1.0, 4.0]])
    array([1.])
    """
    y_true, y_pred = matching("mean_absolute_error", y_true, y_pred)
    return np.mean(np.abs(np.subtract(y_pred, y_true, dtype=np.float64)), axis=-1)


class Accuracy(MeanMetricWrapper):
    """How many predictions equal their target.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 5.1.2.

    Examples
    --------
    >>> Accuracy()([[1], [2]], [[1], [3]])
    0.5
    """

    formula = r"M = \frac{1}{n} \sum_i [y_i = t_i]"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How many probabilities are on the right side of the threshold.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 5.1.2.

    Examples
    --------
    >>> BinaryAccuracy()([[1], [0]], [[0.6], [0.7]])
    0.5
    """

    formula = r"M = \frac{1}{n} \sum_i \big[ [y_i > \theta] = t_i \big]"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        super().__init__(lambda t, y: binary_accuracy(t, y, self.threshold), name, dtype)
        self.threshold = check_threshold("BinaryAccuracy", "threshold", threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How many samples have their right class as the most probable one, for one-hot targets.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 5.1.2.

    Examples
    --------
    >>> CategoricalAccuracy()([[0, 1], [0, 1]], [[0.2, 0.8], [0.7, 0.3]])
    0.5
    """

    formula = (
        r"M = \frac{1}{n} \sum_i [\operatorname{argmax}_k y_{ik} = \operatorname{argmax}_k t_{ik}]"
    )

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How many samples have their right class as the most probable one, for class numbers.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 5.1.2.

    Examples
    --------
    >>> SparseCategoricalAccuracy()([1, 1], [[0.2, 0.8], [0.7, 0.3]])
    0.5
    """

    formula = r"M = \frac{1}{n} \sum_i [\operatorname{argmax}_k y_{ik} = t_i]"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How many samples have their right class among the k most probable ones.

    Source: Krizhevsky, Sutskever & Hinton, *ImageNet classification with deep convolutional neural
    networks*, NeurIPS 2012.

    Examples
    --------
    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [0, 1, 0]], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]])
    0.5
    """

    formula = (
        r"M = \frac{1}{n} \sum_i \Big[ \sum_j [y_{ij} > y_{i c}] < k \Big],"
        r" \quad c = \operatorname{argmax}_j t_{ij}"
    )

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(lambda t, y: top_k_categorical_accuracy(t, y, self.k), name, dtype)
        self.k = check_count("TopKCategoricalAccuracy", "k", k)


class MeanSquaredError(MeanMetricWrapper):
    """The mean squared difference.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 5.1.4.

    Examples
    --------
    >>> MeanSquaredError()([[1.0], [2.0]], [[1.0], [4.0]])
    2.0
    """

    formula = r"M = \frac{1}{n K} \sum_{i,k} (y_{ik} - t_{ik})^2"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean absolute difference.

    Source: Willmott & Matsuura, *Advantages of the mean absolute error (MAE) over the root mean
    square error (RMSE) in assessing average model performance*, Climate Research 30, 2005.

    Examples
    --------
    >>> MeanAbsoluteError()([[1.0], [2.0]], [[1.0], [4.0]])
    1.0
    """

    formula = r"M = \frac{1}{n K} \sum_{i,k} |y_{ik} - t_{ik}|"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)
