r"""Losses: one number that says how far predictions are from what was wanted.

Each loss comes twice, as in Keras: as a function, which gives one number a sample, and as a class,
which also weighs the samples and reduces them to a single number:

.. math:: L = \frac{1}{n} \sum_{i=1}^{n} s_i \, \ell(t_i, y_i)

with samples i, sample weights s, targets t (`y_true`) and predictions y (`y_pred`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tinydl import ops
from tinydl.engine import Tensor
from tinydl.errors import ArgumentError, DataError, ShapeError, unknown_name
from tinydl.registry import Configurable, Registry, check_number, snake_case

LossFunction = Callable[[Any, Any], Tensor]
REDUCTIONS = ("sum_over_batch_size", "sum", "none")


class Loss(Configurable):
    """A loss that weighs samples and reduces them; subclass it and define `call`.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case.
    reduction : {"sum_over_batch_size", "sum", "none", None}
        Divide the sum by the number of samples, do not divide, or do not even add up.

    Attributes
    ----------
    formula : str
        The loss of one sample in LaTeX, with scalar indices.

    Examples
    --------
    >>> class LogCosh(Loss):
    ...     def call(self, y_true, y_pred):
    ...         error = y_pred - y_true
    ...         return (ops.softplus(2.0 * error) - error - ops.log(2.0)).mean(axis=-1)
    >>> round(LogCosh()([[0.0]], [[1.0]]).item(), 4)
    0.4338
    """

    formula: ClassVar[str] = ""

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size"
    ) -> None:
        if reduction is not None and reduction not in REDUCTIONS:
            raise unknown_name(type(self).__name__, "reduction", reduction, REDUCTIONS)
        self.name = name or snake_case(type(self).__name__)
        self.reduction = reduction

    def call(self, y_true: Any, y_pred: Tensor) -> Tensor:
        """One number for each sample; what subclasses define."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The loss of a batch.

        Parameters
        ----------
        y_true : array_like
            What was wanted.
        y_pred : array_like
            What was predicted. A last axis of length 1 may be missing in one of the two.
        sample_weight : array_like, optional
            A number for each sample: how much it counts.

        Returns
        -------
        Tensor
            A single number; with reduction "none", one for each sample.

        Raises
        ------
        ShapeError
            When shapes do not match; nothing is broadcast silently.
        DataError
            When there are no samples, or a label is out of range.
        """
        y_true, y_pred = _same_rank(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred))
        if y_pred.size == 0:
            raise DataError(
                self.name, "y_pred", got=f"of shape {y_pred.shape}", expected="a sample"
            )
        values = self.call(y_true, y_pred)
        if sample_weight is not None:
            values = values * _weights_for(self.name, values, sample_weight)
        if self.reduction in (None, "none"):
            return values
        return ops.sum(values) if self.reduction == "sum" else ops.mean(values)


def _same_rank(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Add or drop a last axis of length 1 where only one of the two has it.

    The targets are changed rather than the predictions, which remember the op that made them.
    """
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return y_true.reshape((*y_true.shape, 1)), y_pred
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return y_true.reshape(y_true.shape[:-1]), y_pred
    return y_true, y_pred


def _weights_for(where: str, values: Tensor, sample_weight: Any) -> Tensor:
    """The sample weights with as many axes as `values`, ready to be multiplied."""
    weights = ops.convert_to_tensor(sample_weight, dtype=values.dtype)
    shape = weights.shape
    if shape == (*values.shape, 1):
        shape = values.shape
    if shape and (len(shape) > values.ndim or shape != values.shape[: len(shape)]):
        raise ShapeError(
            where, "sample_weight", got=weights.shape, expected=f"{values.shape}, a number a sample"
        )
    return weights.reshape(shape + (1,) * (values.ndim - len(shape)))


def _matching(where: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of the same shape and dtype."""
    y_true, y_pred = _same_rank(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred))
    if y_pred.dtype.kind != "f":
        y_pred = y_pred.astype(np.float32)
    if y_true.shape != y_pred.shape:
        raise ShapeError(where, "y_true", got=y_true.shape, expected=f"{y_pred.shape}, as y_pred")
    if y_true.ndim == 0:
        raise ShapeError(where, "y_true", got="a single number", expected="at least one axis")
    return y_true.astype(y_pred.dtype), y_pred


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    r"""The mean squared difference over the last axis.

    .. math:: \ell_i = \frac{1}{K} \sum_k (y_{ik} - t_{ik})^2

    Parameters
    ----------
    y_true, y_pred : array_like, shape (..., K)

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        When the shapes differ.

    Examples
    --------
    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]])
    tensor([2.])
    """
    y_true, y_pred = _matching("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    r"""The mean absolute difference over the last axis.

    .. math:: \ell_i = \frac{1}{K} \sum_k |y_{ik} - t_{ik}|

    Parameters
    ----------
    y_true, y_pred : array_like, shape (..., K)

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        When the shapes differ.

    Examples
    --------
    >>> mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]])
    tensor([1.])
    """
    y_true, y_pred = _matching("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.absolute(y_pred - y_true), axis=-1)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    r"""The surprise at yes-or-no answers, averaged over the last axis.

    .. math:: \ell_i = -\frac{1}{K} \sum_k
              \Big( t_{ik} \ln y_{ik} + (1 - t_{ik}) \ln (1 - y_{ik}) \Big)

    Predictions that come from a sigmoid, or logits, are treated together with it: the gradient with
    respect to a logit is (y - t) / K exactly. Other predictions are kept 1e-7 away from 0 and 1.

    Parameters
    ----------
    y_true : array_like, shape (..., K)
        0 or 1, or probabilities in between.
    y_pred : array_like, shape (..., K)
        Probabilities, or logits.
    from_logits : bool
        Whether `y_pred` are scores before the sigmoid.
    label_smoothing : float
        s in [0, 1]: targets are drawn towards 1/2, to t (1 - s) + s / 2.
    axis : int
        The axis to average over.

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        When the shapes differ.
    DataError
        When a target is not between 0 and 1.

    Examples
    --------
    >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])
    tensor([0.6931472])
    """
    where = "binary_crossentropy"
    y_true, y_pred = _matching(where, y_true, y_pred)
    outside = (y_true.data < 0) | (y_true.data > 1)
    if outside.any():
        raise DataError(
            where, "a target", got=y_true.data[outside].flat[0], expected="between 0 and 1"
        )
    if label_smoothing:
        y_true = y_true * (1.0 - _check_smoothing(where, label_smoothing)) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    r"""The surprise of predicted class probabilities at what happened.

    .. math:: \ell_i = -\sum_k t_{ik} \ln y_{ik}

    Predictions that come from a softmax, or logits, are treated together with it: the gradient with
    respect to a logit is y - t exactly, for one-hot targets. Other predictions are scaled to add up
    to 1 and kept 1e-7 away from 0 and 1.

    Parameters
    ----------
    y_true : array_like, shape (..., K)
        Probabilities, often with a single 1 ("one-hot").
    y_pred : array_like, shape (..., K)
        Probabilities, or logits.
    from_logits : bool
        Whether `y_pred` are scores before the softmax.
    label_smoothing : float
        s in [0, 1]: targets are drawn towards 1/K, to t (1 - s) + s / K.
    axis : int
        The axis of the classes.

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        When the shapes differ.

    Examples
    --------
    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    tensor([0.6931472])
    """
    where = "categorical_crossentropy"
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if label_smoothing:
        keep = 1.0 - _check_smoothing(where, label_smoothing)
        y_true = y_true * keep + label_smoothing / y_true.shape[axis]
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    r"""The cross-entropy for targets given as class numbers.

    .. math:: \ell_i = -\ln y_{i t_i}

    Parameters
    ----------
    y_true : array_like of int, shape (...) or (..., 1)
        Class numbers, from 0 to K - 1.
    y_pred : array_like, shape (..., K)
        Probabilities, or logits.
    from_logits : bool
        Whether `y_pred` are scores before the softmax.
    axis : int
        The axis of the classes: the last one.

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        When the shapes do not match.
    DataError
        When a label is out of range.

    Examples
    --------
    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    tensor([0.6931472])
    """
    return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)


def _check_smoothing(where: str, label_smoothing: float) -> float:
    return check_number(
        where, "label_smoothing", label_smoothing, lambda s: 0 <= s <= 1, "between 0 and 1"
    )


class MeanSquaredError(Loss):
    """The mean squared difference; see `mean_squared_error` and `Loss`.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 5.1.4.

    Examples
    --------
    >>> MeanSquaredError()([[0.0, 1.0], [0.0, 0.0]], [[2.0, 1.0], [0.0, 0.0]])
    tensor(1.)
    """

    formula = r"\ell_i = \frac{1}{K} \sum_k (y_{ik} - t_{ik})^2"

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error"
    ) -> None:
        super().__init__(name, reduction)

    def call(self, y_true: Any, y_pred: Tensor) -> Tensor:
        """See `mean_squared_error`."""
        return mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(Loss):
    """The mean absolute difference; see `mean_absolute_error` and `Loss`.

    Source: Willmott & Matsuura, *Advantages of the mean absolute error (MAE) over the root mean
    square error (RMSE) in assessing average model performance*, Climate Research 30, 2005.

    Examples
    --------
    >>> MeanAbsoluteError()([[0.0, 1.0], [0.0, 0.0]], [[2.0, 1.0], [0.0, 0.0]])
    tensor(0.5)
    """

    formula = r"\ell_i = \frac{1}{K} \sum_k |y_{ik} - t_{ik}|"

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_error"
    ) -> None:
        super().__init__(name, reduction)

    def call(self, y_true: Any, y_pred: Tensor) -> Tensor:
        """See `mean_absolute_error`."""
        return mean_absolute_error(y_true, y_pred)


class BinaryCrossentropy(Loss):
    """The cross-entropy of yes-or-no answers; see `binary_crossentropy` and `Loss`.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 6.2.2.2.

    Examples
    --------
    >>> BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])
    tensor(0.6931472)
    """

    formula = (
        r"\ell_i = -\frac{1}{K} \sum_k"
        r" \Big( t_{ik} \ln y_{ik} + (1 - t_{ik}) \ln (1 - y_{ik}) \Big)"
    )

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(name, label_smoothing)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Tensor) -> Tensor:
        """See `binary_crossentropy`."""
        return binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class CategoricalCrossentropy(Loss):
    """The cross-entropy for one-hot targets; see `categorical_crossentropy` and `Loss`.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 6.2.2.3.

    Examples
    --------
    >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
    tensor(0.6931472)
    """

    formula = r"\ell_i = -\sum_k t_{ik} \ln y_{ik}"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(name, label_smoothing)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Tensor) -> Tensor:
        """See `categorical_crossentropy`."""
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class SparseCategoricalCrossentropy(Loss):
    """The cross-entropy for class numbers; see `sparse_categorical_crossentropy` and `Loss`.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 6.2.2.3.

    Examples
    --------
    >>> SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])
    tensor(0.6931472)
    """

    formula = r"\ell_i = -\ln y_{i t_i}"

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(name, reduction)
        self.from_logits, self.axis = from_logits, axis

    def call(self, y_true: Any, y_pred: Tensor) -> Tensor:
        """See `sparse_categorical_crossentropy`."""
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits, self.axis)


class LossFunctionWrapper(Loss):
    """A loss made from a function of (y_true, y_pred) with one number a sample.

    Examples
    --------
    >>> LossFunctionWrapper(mean_squared_error)([[0.0]], [[3.0]])
    tensor(9.)
    """

    formula = r"\ell_i = f(t_i, y_i)"

    def __init__(
        self,
        fn: LossFunction,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        if not callable(fn):
            raise ArgumentError("LossFunctionWrapper", "fn", got=repr(fn), expected="a function")
        super().__init__(name or getattr(fn, "__name__", None), reduction)
        self.fn = fn

    def call(self, y_true: Any, y_pred: Tensor) -> Tensor:
        """The function's value."""
        return self.fn(y_true, y_pred)


_registry = Registry(
    "losses",
    "loss",
    [
        BinaryCrossentropy,
        CategoricalCrossentropy,
        MeanAbsoluteError,
        MeanSquaredError,
        SparseCategoricalCrossentropy,
    ],
    {"bce": BinaryCrossentropy, "mae": MeanAbsoluteError, "mse": MeanSquaredError},
)


def get(identifier: Any, custom_objects: dict[str, Any] | None = None) -> Loss:
    """The loss meant by a name, an object, or a function of (y_true, y_pred).

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.

    Examples
    --------
    >>> get("mse").name
    'mean_squared_error'
    """
    loss = _registry.get(identifier, custom_objects)
    return loss if isinstance(loss, Loss) else LossFunctionWrapper(loss)
