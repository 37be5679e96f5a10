"""Data on the way into a model: checked once, then cut into batches and cast, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import ArgumentError, DataError, DTypeError, ShapeError
from tinydl.registry import check_count, check_number


class Batch(NamedTuple):
    """Some of the samples; targets and weights where there are any."""

    x: np.ndarray
    y: np.ndarray | None
    sample_weight: np.ndarray | None


class Batches:
    """Samples, their targets and weights, in batches of one size; the last one may be shorter.

    Only the rows of a batch are ever cast to the model's dtype, so a data set of bytes stays one.

    Parameters
    ----------
    where : str
        The method that was called, for messages.
    x : array_like of real numbers, shape (N, ...)
        The samples.
    y : array_like of real numbers, shape (N, ...), optional
        The targets.
    sample_weight : array_like, shape (N,), optional
        How much each sample counts.
    batch_size : int, optional
        32 if not given.
    steps : int, optional
        How many batches to take at most; all by default.
    dtype : dtype
        What samples and fractional targets are cast to.

    Raises
    ------
    DataError
        When there are no samples, or lengths differ.
    DTypeError
        When an array does not hold real numbers.
    ShapeError
        When an array has no axis of samples.
    ArgumentError
        When `batch_size` or `steps` is not a whole number above 0.

    Examples
    --------
    >>> batches = Batches("fit", np.arange(5), batch_size=2)
    >>> [batch.x.tolist() for batch in batches.cut(order=np.array([4, 3, 2, 1, 0]))]
    [[4.0, 3.0], [2.0, 1.0], [0.0]]
    """

    def __init__(
        self,
        where: str,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        dtype: Any = np.float32,
    ) -> None:
        self.batch_size = 32 if batch_size is None else check_count(where, "batch_size", batch_size)
        self.x = as_array(where, "x", x)
        self.y = None if y is None else _native(as_array(where, "y", y))
        self.sample_weight = None
        if sample_weight is not None:
            self.sample_weight = _weights(where, sample_weight)
        self.dtype = np.dtype(dtype)
        for argument, array in (("y", self.y), ("sample_weight", self.sample_weight)):
            if array is not None and len(array) != self.samples:
                raise DataError(
                    where,
                    argument,
                    got=f"of shape {array.shape}",
                    expected=f"one for each of the {self.samples} samples in x, "
                    f"which is of shape {self.x.shape}",
                )
        self._steps = None if steps is None else check_count(where, "steps", steps)

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(self.x)

    def __len__(self) -> int:
        batches = -(-self.samples // self.batch_size)
        return batches if self._steps is None else min(batches, self._steps)

    def split(self, validation_split: float) -> tuple[Batches, tuple[Any, Any, Any]]:
        """Cut off the last samples, to validate with.

        Parameters
        ----------
        validation_split : float
            Which part to cut off, above 0 and below 1.

        Returns
        -------
        Batches, (x, y, sample_weight)
            What is left to train on, and what was cut off.

        Raises
        ------
        ArgumentError
            When the number is outside (0, 1), or one of the parts would be empty.

        Examples
        --------
        >>> train, (x, y, sample_weight) = Batches("fit", np.arange(4)).split(0.25)
        >>> train.x, x
        (array([0, 1, 2]), array([3]))
        """
        part = check_number(
            "fit", "validation_split", validation_split, lambda part: 0 < part < 1, "in [0, 1)"
        )
        at = int(self.samples * (1.0 - part))
        if not 0 < at < self.samples:
            raise ArgumentError(
                "fit",
                "validation_split",
                got=validation_split,
                expected=f"one that leaves samples on both sides, of {self.samples} in x",
            )
        everything = (self.x, self.y, self.sample_weight)
        first = copy(self)
        first.x, first.y, first.sample_weight = (_rows(array, slice(at)) for array in everything)
        x, y, sample_weight = (_rows(array, slice(at, None)) for array in everything)
        return first, (x, y, sample_weight)

    def weigh(self, class_weight: dict[int, float], classes: int) -> None:
        """Let the samples of some classes count more, or less; see `class_weights`."""
        assert self.y is not None
        weights = class_weights(self.y, class_weight, classes)
        self.sample_weight = weights if self.sample_weight is None else weights * self.sample_weight

    def cut(self, order: np.ndarray | None = None) -> Iterator[Batch]:
        """The batches one by one, taking the samples in this order."""
        starts = range(0, self.samples, self.batch_size)
        for start in islice(starts, len(self)):
            rows: Any = slice(start, start + self.batch_size)
            yield self._batch(rows if order is None else order[rows])

    def _batch(self, rows: Any) -> Batch:
        x = np.ascontiguousarray(self.x[rows], dtype=self.dtype)
        y, sample_weight = self.y, self.sample_weight
        if y is not None:
            y = np.ascontiguousarray(y[rows], dtype=self.dtype if y.dtype.kind == "f" else None)
        if sample_weight is not None:
            sample_weight = sample_weight[rows].astype(self.dtype)
        return Batch(x, y, sample_weight)


def _rows(array: Any, rows: slice) -> Any:
    return None if array is None else array[rows]


def as_array(where: str, argument: str, value: Any) -> np.ndarray:
    """Real numbers, at least one, as an array with an axis of samples; not copied if it is one."""
    try:
        array = np.asarray(value.data if isinstance(value, Tensor) else value)
    except ValueError as error:
        raise ShapeError(
            where, argument, hint=f"its samples must all have the same shape ({error})"
        ) from None
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            where,
            argument,
            got=f"of dtype {array.dtype} and shape {array.shape}",
            expected="real numbers or booleans",
        )
    if array.ndim == 0:
        raise ShapeError(where, argument, got="a single number", expected="an axis of samples")
    if array.size == 0:
        raise DataError(
            where, argument, got=f"of shape {array.shape}", expected="at least one sample"
        )
    return array


def _native(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=array.dtype.newbyteorder("="))


def _weights(where: str, sample_weight: Any) -> np.ndarray:
    weights = as_array(where, "sample_weight", sample_weight)
    if weights.ndim != 1:
        raise ShapeError(
            where, "sample_weight", got=weights.shape, expected="(N,), one for each sample"
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise DataError(where, "sample_weight holds a negative or infinite number, or NaN")
    return weights


def class_weights(y: np.ndarray, class_weight: dict[int, float], classes: int) -> np.ndarray:
    """The weight of each sample, by its class; classes that are not named weigh 1.

    Parameters
    ----------
    y : ndarray, shape (N,), (N, 1) or (N, classes)
        Class numbers, or one-hot vectors.
    class_weight : dict of int to float
        The weight of each class.
    classes : int
        How many classes there are.

    Raises
    ------
    ArgumentError
        When `class_weight` is not a dict, names a class that does not exist, or a weight is not a
        number of at least 0.

    Examples
    --------
    >>> class_weights(np.array([0, 2, 1]), {0: 2.0, 2: 0.5}, classes=3)
    array([2. , 0.5, 1. ])
    """
    if not isinstance(class_weight, dict):
        raise ArgumentError(
            "fit",
            "class_weight",
            got=repr(class_weight),
            expected="a dict such as {0: 1.0, 1: 5.0}",
        )
    unknown = [key for key in class_weight if key not in range(classes)]
    if unknown:
        raise ArgumentError(
            "fit", "a class in class_weight", got=repr(unknown[0]), expected=f"0 to {classes - 1}"
        )
    if y.ndim > 1 and y.shape[-1] > 1:
        labels = y.argmax(axis=-1)
    else:
        labels = y.reshape(len(y), -1)[:, 0]
    weights = np.ones(len(y))
    for label, weight in class_weight.items():
        weights[labels == label] = check_number(
            "fit", f"class_weight[{label}]", weight, lambda w: 0 <= w < np.inf, "of at least 0"
        )
    return weights
