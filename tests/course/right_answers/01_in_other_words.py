"""Matrices, logarithms of sums, complex numbers, variances: the same values by other means."""

import numpy as np


def dense(x, w, b):
    ones = np.ones((len(x), 1))
    return np.asarray(np.asmatrix(np.hstack([x, ones])) * np.vstack([w, b]))


def relu(x):
    return (x + np.abs(x)) / 2


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def tanh(x):
    small = np.exp(-2 * np.abs(x))
    return np.copysign((1 - small) / (1 + small), x)


def mean_squared_error(t, y):
    return np.var(t - y) + np.mean(t - y) ** 2


def mean_absolute_error(t, y):
    return np.array(np.linalg.norm((t - y).ravel(), 1) / t.size)


def binary_cross_entropy(t, y):
    y = np.clip(y, 1e-7, 1 - 1e-7)
    return float(-(np.log(y[t == 1]).sum() + np.log1p(-y[t == 0]).sum()) / y.size)
