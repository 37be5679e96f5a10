r"""What the test set says, class by class, and where the model was most wrong.

With :math:`C_{tp}` the number of examples of class :math:`t` that were taken for :math:`p`,

.. math::
    \text{precision}_k = \frac{C_{kk}}{\sum_t C_{tk}}, \quad
    \text{recall}_k = \frac{C_{kk}}{\sum_p C_{kp}}, \quad
    F_{1,k} = \frac{2 C_{kk}}{\sum_t C_{tk} + \sum_p C_{kp}}

Source: van Rijsbergen, *Information Retrieval*, 2nd ed., Butterworths 1979, chapter 7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ClassScore(NamedTuple):
    """How well one class was recognised; 0/0 counts as 0."""

    precision: float
    recall: float
    f1: float
    support: int


def class_scores(labels: np.ndarray, predicted: np.ndarray, classes: int) -> list[ClassScore]:
    """Precision, recall, F1 and support of each class.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (N,)
        The true class and the predicted class of each example.
    classes : int
        How many classes there are.

    Returns
    -------
    list of ClassScore
        One for each class.

    Examples
    --------
    >>> for score in class_scores(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), classes=2):
    ...     print(*(round(float(number), 3) for number in score))
    1.0 0.667 0.8 3.0
    0.5 1.0 0.667 1.0
    """
    scores = []
    for k in range(classes):
        right = int(np.sum((labels == k) & (predicted == k)))
        support, taken = int(np.sum(labels == k)), int(np.sum(predicted == k))
        precision, recall = right / max(taken, 1), right / max(support, 1)
        scores.append(ClassScore(precision, recall, 2 * right / max(taken + support, 1), support))
    return scores


class Mistake(NamedTuple):
    """An example that the model took for something else."""

    number: int
    label: int
    predicted: int
    probability: float


def worst_mistakes(labels: np.ndarray, probabilities: np.ndarray, count: int) -> list[Mistake]:
    """The mistakes the model was surest of, the surest first.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        The true classes.
    probabilities : ndarray of float, shape (N, classes)
        What the model says.
    count : int
        How many mistakes to return at most.

    Returns
    -------
    list of Mistake
        At most `count`; empty if there is no mistake.

    Examples
    --------
    >>> for mistake in worst_mistakes(np.array([0, 1, 1]), np.eye(2)[[1, 1, 0]] * 0.75, count=5):
    ...     print(*mistake)
    0 0 1 0.75
    2 1 0 0.75
    """
    predicted = probabilities.argmax(axis=1)
    certainty = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    surest = wrong[np.argsort(-certainty[wrong], kind="stable")][:count]
    return [Mistake(int(i), int(labels[i]), int(predicted[i]), float(certainty[i])) for i in surest]
