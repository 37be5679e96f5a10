"""Named tuples for results, one class for two rules, and Adam in another order of operations."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Moved(NamedTuple):
    w: np.ndarray
    memory: np.ndarray


class Scaled:
    """Steps divided by the root of some sum of squares."""

    def __init__(self, remember):
        self.remember = remember

    def __call__(self, w, g, a, learning_rate, *settings, epsilon=1e-7, **named):
        a = self.remember(a, np.square(g), *settings, **named)
        return Moved(w=w - learning_rate * g / (a**0.5 + epsilon), memory=a)


adagrad = Scaled(lambda a, squares: a + squares)
rmsprop = Scaled(lambda a, squares, rho=0.9: a - (1 - rho) * (a - squares))
gradient_descent = lambda w, g, learning_rate: -(learning_rate * g) + w  # noqa: E731


def momentum(w, g, v, learning_rate, beta=0.9):
    w, v = w.copy(), v.copy()
    v *= beta
    v -= learning_rate * g
    w += v
    return [w, v]


def nesterov(w, g, v, learning_rate, beta=0.9):
    ahead, v = momentum(w, g, v, learning_rate, beta)
    return Moved(momentum(w, g, v, learning_rate, beta)[0], ahead - w)


def adam(w, g, m, v, step, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = np.average([m, g], axis=0, weights=[beta_1, 1 - beta_1])
    v = np.average([v, g * g], axis=0, weights=[beta_2, 1 - beta_2])
    root = math.sqrt(1 - math.pow(beta_2, step))
    rate = learning_rate * root / (1 - math.pow(beta_1, step))
    return np.stack([w - rate * m / (np.sqrt(v) + epsilon * root), m, v])
