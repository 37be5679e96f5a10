"""The cases, as a user of NumPy writes them; what is missing here has no short way in NumPy."""

from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.work import Work


def start(threads):
    """NumPy's matrix product follows the environment."""


def version():
    return np.__version__


def matmul(a, b, transpose_a, transpose_b):
    a, b = a.T if transpose_a else a, b.T if transpose_b else b
    yield Work(lambda: a @ b)


def windows(x, span, stride, dilation):
    """The windows of images, (N, OH, OW, C, KH, KW), as a view."""
    every = sliding_window_view(x, (span, span), axis=(1, 2))
    return every[:, ::stride, ::stride, :, ::dilation, ::dilation]


def padded_windows(x, w, stride, padding, dilation):
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    return windows(np.pad(x, sides), (w.shape[0] - 1) * dilation + 1, stride, dilation)


def conv(x, w, g, stride, padding, dilation, groups):
    if groups > 1:
        return

    def run():
        patches = padded_windows(x, w, stride, padding, dilation)
        return np.tensordot(patches, w, axes=((4, 5, 3), (0, 1, 2)))

    yield Work(run)


def conv_kernel_gradient(x, w, g, stride, padding, dilation, groups):
    if groups > 1:
        return

    def run():
        patches = padded_windows(x, w, stride, padding, dilation)
        return np.tensordot(patches, g, axes=((0, 1, 2), (0, 1, 2))).transpose(1, 2, 0, 3)

    yield Work(run)


def pool(reduce, x, g, size, stride):
    yield Work(lambda: reduce(windows(x, size, stride, 1), axis=(4, 5)))


max_pool = partial(pool, np.max)
average_pool = partial(pool, np.mean)


def exp(x):
    yield Work(lambda: np.exp(x))


def tanh(x):
    yield Work(lambda: np.tanh(x))


def sigmoid(x):
    yield Work(lambda: 1 / (1 + np.exp(-x)))


def adam(w, g, rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    w, m, v, t = w.copy(), np.zeros_like(w), np.zeros_like(w), 0

    def step():
        nonlocal m, v, w, t
        t += 1
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        w = w - rate * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        return w

    yield Work(step)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def cross_entropy_of_labels(logits, labels):
    rows = np.arange(len(labels))

    def gradient():
        p = softmax(logits)
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        return p / len(p), loss

    yield Work(gradient, read=lambda result: result[0])


def cross_entropy_of_one_hot(logits, targets):
    def gradient():
        p = softmax(logits)
        loss = -(targets * np.log(p)).sum(axis=1).mean()
        return (p - targets) / len(p), loss

    yield Work(gradient, read=lambda result: result[0])
