"""Encoding labels and scaling vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.errors import ArgumentError, DataError, DTypeError
from tinydl.registry import check_count


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    r"""One-hot vectors of class numbers.

    .. math:: y_{ik} = 1 \text{ if } x_i = k, \text{ else } 0

    Parameters
    ----------
    x : array_like of int, shape (...) or (..., 1)
        Class numbers, from 0 to `num_classes` - 1. Floats will do if they are whole.
    num_classes : int, optional
        How many classes there are; by default the largest class number plus one.

    Returns
    -------
    numpy.ndarray of float64, shape (..., num_classes)

    Raises
    ------
    DTypeError
        When `x` does not consist of whole numbers.
    DataError
        When a class number is negative or too large, or `x` is empty and `num_classes` not given.
    ArgumentError
        When `num_classes` is not a whole number above 0.

    Examples
    --------
    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    labels = _whole_numbers(np.asarray(x))
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        if labels.size == 0:
            raise DataError("to_categorical", "x is empty", hint="then pass num_classes")
        num_classes = int(labels.max()) + 1
    else:
        num_classes = check_count("to_categorical", "num_classes", num_classes)
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise DataError(
            "to_categorical",
            "a label in x",
            got=wrong[0],
            expected=f"0 to {num_classes - 1}" if num_classes > 0 else "0 or more",
            hint="class numbers start at 0",
        )
    categorical = np.zeros((*labels.shape, num_classes))
    np.put_along_axis(categorical, labels[..., np.newaxis], 1.0, axis=-1)
    return categorical


def _whole_numbers(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind not in "biuf":
        raise DTypeError(
            "to_categorical",
            "x",
            got=f"of dtype {x.dtype}",
            expected="whole numbers",
            hint="np.unique(x, return_inverse=True)[1] numbers the classes"
            * (x.dtype.kind in "OUS"),
        )
    # NaN and infinities have no whole number; the comparison below finds them out.
    with np.errstate(invalid="ignore"):
        labels = x.astype(np.int64)
    if not np.array_equal(labels, x):
        raise DTypeError(
            "to_categorical",
            "a label in x",
            got=x[labels != x].flat[0],
            expected="a whole number",
        )
    return labels


def normalize(x: Any, axis: int = -1, order: int | float = 2) -> np.ndarray:
    r"""Vectors scaled to length 1; zero vectors stay as they are.

    .. math:: y_i = x_i \Big/ \Big( \sum_j |x_j|^p \Big)^{1/p}

    Parameters
    ----------
    x : array_like of real numbers
        The vectors lie along `axis`.
    axis : int
        The axis to sum over.
    order : int or float
        The p of the norm, above 0; 2 for the Euclidean length.

    Returns
    -------
    numpy.ndarray, of the shape of `x`

    Raises
    ------
    ArgumentError
        When `order` is not above 0.

    Examples
    --------
    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    if not order > 0:
        raise ArgumentError("normalize", "order", got=order, expected="a number above 0")
    vectors = np.atleast_1d(x)
    lengths = np.linalg.norm(vectors, ord=order, axis=axis, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths))
