"""A loop over the outputs of the layer, masks in place of np.where, helpers of one's own."""

import warnings

import numpy


def dense(x, w, b):
    columns = [(x * w[:, o]).sum(axis=1) + b[o] for o in range(w.shape[1])]
    return numpy.stack(columns, axis=1)


def relu(x):
    return x * (x > 0)


def sigmoid(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return 1.0 / (1.0 + numpy.exp(-x))


def tanh(x):
    x = numpy.clip(x, -300, 300)
    up, down = numpy.exp(x), numpy.exp(-x)
    return (up - down) / (up + down)


def _mean(values):
    return values.sum() / values.size


def mean_squared_error(t, y):
    return _mean(numpy.square(t - y))


def mean_absolute_error(t, y):
    return _mean(numpy.maximum(t - y, y - t))


def binary_cross_entropy(t, y):
    y = numpy.minimum(numpy.maximum(y, 1e-7), 1 - 1e-7)
    probability_of_what_happened = t * y + (1 - t) * (1 - y)
    return _mean(-numpy.log(probability_of_what_happened))
