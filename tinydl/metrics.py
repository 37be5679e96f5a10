r"""Metrics: numbers for people, which add up over batches and need no gradient.

A metric keeps sums, not averages, so that the last short batch counts for no more than its samples:

.. math:: M = \frac{\sum_i s_i \, m(t_i, y_i)}{\sum_i s_i}

with samples i, sample weights s (1 by default), targets t (`y_true`) and predictions y (`y_pred`).
Everything here is plain NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import DTypeError, ShapeError
from tinydl.registry import Configurable, Registry, check_count, check_number, snake_case

Shape = tuple[int, ...]


class Metric(Configurable):
    """A number that is updated batch by batch.

    Subclasses state a `formula` and define `update_state`, `result` and `reset_state`.

    Parameters
    ----------
    dtype : dtype, optional
        Accepted as in Keras; sums are always float64, so that they do not lose small samples.
    name : str, optional
        By default the name of the class in snake case.

    Attributes
    ----------
    formula : str
        LaTeX, with scalar indices.
    """

    formula: ClassVar[str] = ""

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.dtype = dtype
        self.name = name or snake_case(type(self).__name__)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Parameters
        ----------
        y_true, y_pred : array_like
            What was wanted and what was predicted. Where shapes have to be equal, a last axis of
            length 1 may be missing in one of the two.
        sample_weight : array_like, optional
            A number for each sample: how much it counts.

        Raises
        ------
        ShapeError
            When the shapes do not match.
        """
        raise NotImplementedError

    def result(self) -> float:
        """The metric of everything taken in since the last reset; 0 of nothing."""
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forget everything taken in."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Take in a batch and return the result so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


class Mean(Metric):
    """The weighted average of numbers.

    Source: Bishop, *Pattern recognition and machine learning*, Springer 2006, section 1.2.2.

    Examples
    --------
    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state([8.0], sample_weight=[2.0])
    >>> mean.result()
    5.0
    """

    formula = r"M = \frac{\sum_i s_i m_i}{\sum_i s_i}"

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.reset_state()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take in numbers; unlike the other metrics, `Mean` compares nothing."""
        values = _array(values)
        if sample_weight is None:
            self._total += float(values.sum(dtype=np.float64))
            self._weight += values.size
        else:
            weights = _weights_for(self.name, values.shape, sample_weight)
            self._total += float((values * weights).sum())
            self._weight += float(weights.sum())

    def result(self) -> float:
        """The average so far."""
        return self._total / self._weight if self._weight else 0.0

    def reset_state(self) -> None:
        """Forget everything taken in."""
        self._total = self._weight = 0.0


class MeanMetricWrapper(Metric):
    """The average of a function of (y_true, y_pred) that gives one number a sample.

    Parameters
    ----------
    fn : callable
        May return an array or a tensor.
    name : str, optional
        By default the name of the function.

    Examples
    --------
    >>> from tinydl.losses import mean_squared_error
    >>> metric = MeanMetricWrapper(mean_squared_error)
    >>> metric([[0.0], [0.0]], [[1.0], [3.0]])
    5.0
    """

    formula = r"M = \frac{\sum_i s_i \, m(t_i, y_i)}{\sum_i s_i}"

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name or getattr(fn, "__name__", None))
        self.fn = fn
        self._mean = Mean()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch; see `Metric`."""
        self._mean.update_state(self.fn(y_true, y_pred), sample_weight)

    def result(self) -> float:
        """The average so far."""
        return self._mean.result()

    def reset_state(self) -> None:
        """Forget everything taken in."""
        self._mean.reset_state()


def _array(x: Any) -> np.ndarray:
    array = x.data if isinstance(x, Tensor) else np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise DTypeError("metrics", "an array", got=f"of dtype {array.dtype}", expected="numbers")
    return array


def _weights_for(where: str, shape: Shape, sample_weight: Any) -> np.ndarray:
    """The sample weights, stretched to `shape`, in float64."""
    weights = np.asarray(_array(sample_weight), np.float64)
    if weights.shape == shape:
        return weights
    given = weights.shape[:-1] if weights.shape == (*shape, 1) else weights.shape
    if given != shape[: len(given)]:
        raise ShapeError(
            where, "sample_weight", got=weights.shape, expected=f"{shape}, a number a sample"
        )
    return np.broadcast_to(weights.reshape(given + (1,) * (len(shape) - len(given))), shape)


def _matching(where: str, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of the shape of the predictions."""
    y_true, y_pred = _array(y_true), _array(y_pred)
    if y_true.shape == y_pred.shape:
        return y_true, y_pred
    if y_pred.shape in ((*y_true.shape, 1), y_true.shape[:-1]) and y_true.size == y_pred.size:
        return y_true.reshape(y_pred.shape), y_pred
    raise ShapeError(where, "y_true", got=y_true.shape, expected=f"{y_pred.shape}, as y_pred")


def accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Where predictions equal targets, averaged over the last axis.

    Examples
    --------
    >>> accuracy([[1], [2]], [[1], [3]])
    array([1., 0.])
    """
    y_true, y_pred = _matching("accuracy", y_true, y_pred)
    return np.mean(y_true == y_pred, axis=-1)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> np.ndarray:
    """Where probabilities are on the right side of the threshold, averaged over the last axis.

    Examples
    --------
    >>> binary_accuracy([[1], [0]], [[0.6], [0.7]])
    array([1., 0.])
    """
    y_true, y_pred = _matching("binary_accuracy", y_true, y_pred)
    return np.mean(y_true == (y_pred > threshold), axis=-1)


def categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Where the most probable class is the right one, for one-hot targets.

    Examples
    --------
    >>> categorical_accuracy([[0, 1], [0, 1]], [[0.2, 0.8], [0.7, 0.3]])
    array([1., 0.])
    """
    y_true, y_pred = _matching("categorical_accuracy", y_true, y_pred)
    return (y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)).astype(np.float64)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Where the most probable class is the right one, for class numbers.

    Examples
    --------
    >>> sparse_categorical_accuracy([1, 1], [[0.2, 0.8], [0.7, 0.3]])
    array([1., 0.])
    """
    predicted = _array(y_pred).argmax(axis=-1)
    y_true = _array(y_true)
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
    y_true, y_pred = _matching("top_k_categorical_accuracy", y_true, y_pred)
    right = np.take_along_axis(y_pred, y_true.argmax(axis=-1)[..., None], axis=-1)
    return (np.sum(~(y_pred <= right), axis=-1) < k).astype(np.float64)


def mean_squared_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """The squared difference, averaged over the last axis.

    Examples
    --------
    >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]])
    array([2.])
    """
    y_true, y_pred = _matching("mean_squared_error", y_true, y_pred)
    return np.mean(np.subtract(y_pred, y_true, dtype=np.float64) ** 2, axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """The absolute difference, averaged over the last axis.

    Examples
    --------
    >>> mean_absolute_error([[1.0, 2.0]], [[1.0, 4.0]])
    array([1.])
    """
    y_true, y_pred = _matching("mean_absolute_error", y_true, y_pred)
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
        self.threshold = _check_threshold("BinaryAccuracy", "threshold", threshold)


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


class _PositiveRate(Metric):
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
        self.thresholds = _check_threshold(type(self).__name__, "thresholds", threshold)
        self.class_id = class_id
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch; see `Metric`."""
        y_true, y_pred = _matching(self.name, y_true, y_pred)
        if self.class_id is not None:
            self._check_class(y_pred.shape)
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
        weights = (
            1.0 if sample_weight is None else _weights_for(self.name, y_true.shape, sample_weight)
        )
        wanted, answered = y_true.astype(bool), y_pred > self.thresholds
        self.true_positives += float(np.sum(weights * (wanted & answered)))
        self.false_positives += float(np.sum(weights * (~wanted & answered)))
        self.false_negatives += float(np.sum(weights * (wanted & ~answered)))

    def _check_class(self, shape: Shape) -> None:
        if not 0 <= self.class_id < shape[-1]:  # type: ignore[operator]  # update_state saw a number
            raise ShapeError(
                self.name,
                "class_id",
                got=self.class_id,
                expected=f"0 to {shape[-1] - 1}",
                hint=f"y_pred is {shape}",
            )

    def reset_state(self) -> None:
        """Forget everything taken in."""
        self.true_positives = self.false_positives = self.false_negatives = 0.0


class Precision(_PositiveRate):
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
        return _ratio(self.true_positives, self.true_positives + self.false_positives)


class Recall(_PositiveRate):
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
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _check_threshold(where: str, argument: str, threshold: float) -> float:
    return check_number(where, argument, threshold, lambda t: 0 <= t <= 1, "between 0 and 1")


_registry = Registry(
    "metrics",
    "metric",
    [
        Accuracy,
        BinaryAccuracy,
        CategoricalAccuracy,
        Mean,
        MeanAbsoluteError,
        MeanSquaredError,
        Precision,
        Recall,
        SparseCategoricalAccuracy,
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
