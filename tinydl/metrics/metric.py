"""What a metric is, the mean of numbers, and how targets, predictions and weights are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import DTypeError, ShapeError
from tinydl.registry import Configurable, snake_case

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
        values = as_array(values)
        if sample_weight is None:
            self._total += float(values.sum(dtype=np.float64))
            self._weight += values.size
        elif values.ndim == 0 and isinstance(sample_weight, (int, float)):  # the loss of a batch
            self._total += float(values) * sample_weight
            self._weight += sample_weight
        else:
            weights = weights_for(self.name, values.shape, sample_weight)
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


def as_array(x: Any) -> np.ndarray:
    """The numbers of an array or a tensor."""
    array = x.data if isinstance(x, Tensor) else np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise DTypeError("metrics", "an array", got=f"of dtype {array.dtype}", expected="numbers")
    return array


def weights_for(where: str, shape: Shape, sample_weight: Any) -> np.ndarray:
    """The sample weights, stretched to `shape`, in float64."""
    weights = np.asarray(as_array(sample_weight), np.float64)
    if weights.shape == shape:
        return weights
    given = weights.shape[:-1] if weights.shape == (*shape, 1) else weights.shape
    if given != shape[: len(given)]:
        raise ShapeError(
            where, "sample_weight", got=weights.shape, expected=f"{shape}, a number a sample"
        )
    return np.broadcast_to(weights.reshape(given + (1,) * (len(shape) - len(given))), shape)


def matching(where: str, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of the shape of the predictions."""
    y_true, y_pred = as_array(y_true), as_array(y_pred)
    if y_true.shape == y_pred.shape:
        return y_true, y_pred
    if y_pred.shape in ((*y_true.shape, 1), y_true.shape[:-1]) and y_true.size == y_pred.size:
        return y_true.reshape(y_pred.shape), y_pred
    raise ShapeError(where, "y_true", got=y_true.shape, expected=f"{y_pred.shape}, as y_pred")
