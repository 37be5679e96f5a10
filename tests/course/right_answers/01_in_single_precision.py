"""Everything cast to float32, other names, einsum."""

import numpy as np

SMALLEST = np.float32(1e-7)


def dense(inputs, kernel, bias):
    inputs, kernel = inputs.astype(np.float32), kernel.astype(np.float32)
    return np.einsum("nc,co->no", inputs, kernel) + bias.astype(np.float32)


def relu(values):
    out = values.astype(np.float32)
    out[out < 0] = 0
    return out


def sigmoid(values):
    v = values.astype(np.float32)
    out = np.empty_like(v)
    positive = v > 0
    out[positive] = 1 / (1 + np.exp(-v[positive]))
    grown = np.exp(v[~positive])
    out[~positive] = grown / (1 + grown)
    return out


def tanh(values):
    return np.tanh(values.astype(np.float32))


def mean_squared_error(targets, predictions):
    error = (targets - predictions).astype(np.float32).ravel()
    return error @ error / error.size


def mean_absolute_error(targets, predictions):
    return np.abs(targets - predictions).astype(np.float32).sum() / targets.size


def binary_cross_entropy(targets, predictions):
    p = predictions.astype(np.float32)
    yes = np.log(np.maximum(p, SMALLEST))
    no = np.log(np.maximum(1 - p, SMALLEST))
    return float(np.average(-np.where(targets == 1, yes, no)))
