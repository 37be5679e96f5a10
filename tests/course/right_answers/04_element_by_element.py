"""Loops over the elements of each array, and names of one's own."""

import math

import numpy as np


def _each(rule, *arrays):
    """Apply a rule for numbers to each element; as many arrays as the rule has results."""
    results = [
        rule(*(float(v) for v in values)) for values in zip(*(a.flat for a in arrays), strict=True)
    ]
    return tuple(np.array(column).reshape(arrays[0].shape) for column in zip(*results, strict=True))


def gradient_descent(w, g, learning_rate):
    return _each(lambda w, g: (w - learning_rate * g,), w, g)[0]


def momentum(w, g, v, learning_rate, beta=0.9):
    return _each(
        lambda w, g, v: (w + beta * v - learning_rate * g, beta * v - learning_rate * g), w, g, v
    )


def nesterov(w, g, v, learning_rate, beta=0.9):
    def rule(w, g, v):
        faster = beta * v - learning_rate * g
        return w + (1 + beta) * faster - beta * v, faster

    return _each(rule, w, g, v)


def adagrad(w, g, a, learning_rate, epsilon=1e-7):
    return _each(
        lambda w, g, a: (
            w - learning_rate * g / (math.hypot(math.sqrt(a), g) + epsilon),
            a + g * g,
        ),
        w,
        g,
        a,
    )


def rmsprop(w, g, a, learning_rate, rho=0.9, epsilon=1e-7):
    def rule(w, g, a):
        a = a + (1 - rho) * (g * g - a)
        return w - learning_rate / (a**0.5 + epsilon) * g, a

    return _each(rule, w, g, a)


def adam(w, g, m, v, step, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def rule(w, g, m, v):
        m, v = m + (1 - beta_1) * (g - m), v + (1 - beta_2) * (g * g - v)
        size = math.sqrt(v / (1 - beta_2**step)) + epsilon
        return w - learning_rate * m / (1 - beta_1**step) / size, m, v

    return _each(rule, w, g, m, v)
