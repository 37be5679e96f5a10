"""Wrong gradients of what networks are made of, and wrong update rules."""

from __future__ import annotations

import numpy as np

from tinydl.optimizers import SGD, Adam, RMSprop
from tinydl.testing.mutant import gradient, positive, signed, update

LABELS = np.array([1, 3, 0])
TARGETS = np.eye(4)[LABELS]
TOKENS = np.array([2, 0, 2])
MASK = np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1]])
X, SQUARE, ROW = signed(3, 4), signed(3, 3), signed(4)


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _softmax_gradient(g, x, axis=-1):
    y = _softmax(x)
    return y * (g - (g * y).sum(axis, keepdims=True))


def _crossentropy(x):
    return -np.log(_softmax(x)[np.arange(3), LABELS]).mean()


def _binary_crossentropy(x, t):
    return np.mean(np.log1p(np.exp(x)) - t * x)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _standardize(x, axis=0):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-3)


def _standardize_gradient(g, x, axis=0, by_mean=True, by_variance=True):
    y = _standardize(x, axis)
    down = g
    if by_mean:
        down = down - g.mean(axis, keepdims=True)
    if by_variance:
        down = down - y * (g * y).mean(axis, keepdims=True)
    return down / np.sqrt(x.var(axis, keepdims=True) + 1e-3)


def _stale(g, x):
    running_mean, running_variance = 0.0, 1.0  # as they were before this batch
    y = (x - running_mean) / np.sqrt(running_variance + 1e-3)
    return (g - g.mean(0) - y * (g * y).mean(0)) / np.sqrt(running_variance + 1e-3)


def _in_float32(g, a, b):
    g, a, b = (z.astype(np.float32) for z in (g, a, b))
    return g @ b.T, a.T @ g


def _scores_gradient(g, q, k, scale):
    return g @ k * scale, g.T @ q * scale


def _embedding_gradient(g, table, adds):
    table_bar = np.zeros(table.shape)
    if adds:
        np.add.at(table_bar, TOKENS, g)
    else:
        table_bar[TOKENS] = g
    return table_bar


def _recurrent(w, x):
    h = x
    for _ in range(3):
        h = np.tanh(w * h)
    return h


def _recurrent_gradient(g, w, x, steps):
    h = [x]
    for _ in range(3):
        h.append(np.tanh(w * h[-1]))
    w_bar = np.zeros(w.shape)
    for t in range(3, 3 - steps, -1):
        g = g * (1 - h[t] ** 2)
        w_bar += g * h[t - 1]
        g = g * w
    return w_bar, g if steps == 3 else np.zeros(x.shape)


SCORES = (
    gradient(
        "softmax as elementwise",
        "Each probability depends on every score, so y (1 - y) is only the diagonal.",
        _softmax,
        _softmax_gradient,
        lambda g, x: g * _softmax(x) * (1 - _softmax(x)),
        X,
    ),
    gradient(
        "softmax with gradient zero",
        "Under sum() the gradient of a softmax is zero, so a test with sum() accepts this.",
        _softmax,
        _softmax_gradient,
        lambda g, x: 0 * g,
        X,
    ),
    gradient(
        "softmax over the other axis",
        "The sum in the gradient runs along the axis of the softmax.",
        _softmax,
        _softmax_gradient,
        lambda g, x: _softmax_gradient(g, x, axis=0),
        X,
    ),
    gradient(
        "log-softmax forgets the sum",
        "The softmax is multiplied by the sum of the gradients that arrive.",
        lambda x: np.log(_softmax(x)),
        lambda g, x: g - _softmax(x) * g.sum(-1, keepdims=True),
        lambda g, x: g - _softmax(x),
        X,
    ),
    gradient(
        "loss not divided by the batch",
        "The loss is the mean over the batch, so its gradient has a 1/n.",
        _crossentropy,
        lambda x: (_softmax(x) - TARGETS) / 3,
        lambda x: _softmax(x) - TARGETS,
        X,
    ),
    gradient(
        "target minus prediction",
        "The gradient of the cross-entropy is prediction minus target.",
        _crossentropy,
        lambda x: (_softmax(x) - TARGETS) / 3,
        lambda x: (TARGETS - _softmax(x)) / 3,
        X,
    ),
    gradient(
        "label off by one",
        "Classes are counted from 0.",
        _crossentropy,
        lambda x: (_softmax(x) - TARGETS) / 3,
        lambda x: (_softmax(x) - np.roll(TARGETS, 1, 1)) / 3,
        X,
    ),
    gradient(
        "sigmoid derived twice",
        "In the cross-entropy of logits the derivative of the sigmoid has already cancelled.",
        _binary_crossentropy,
        lambda x, t: ((_sigmoid(x) - t) / x.size, -x / x.size),
        lambda x, t: ((_sigmoid(x) - t) * _sigmoid(x) * (1 - _sigmoid(x)) / x.size, -x / x.size),
        X,
        positive(3, 4),
    ),
    gradient(
        "squared error without its 2",
        "The half that would cancel the 2 is not in this loss.",
        lambda y, t: np.mean((y - t) ** 2),
        lambda y, t: (2 * (y - t) / y.size, 2 * (t - y) / y.size),
        lambda y, t: ((y - t) / y.size, (t - y) / y.size),
        X,
        X,
    ),
    gradient(
        "target without gradient",
        "Only the first input of the loss was thought of.",
        lambda y, t: np.mean((y - t) ** 2),
        lambda y, t: (2 * (y - t) / y.size, 2 * (t - y) / y.size),
        lambda y, t: (2 * (y - t) / y.size, 0 * t),
        X,
        X,
    ),
)

PRODUCTS = (
    gradient(
        "factor not transposed",
        "The gradient of A in A B is Y B^T; for square matrices the shapes hide it.",
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b.T, a.T @ g),
        lambda g, a, b: (g @ b, a @ g),
        SQUARE,
        SQUARE,
    ),
    gradient(
        "factors in the wrong order",
        "Matrix products do not commute.",
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b.T, a.T @ g),
        lambda g, a, b: (b.T @ g, g @ a.T),
        SQUARE,
        SQUARE,
    ),
    gradient(
        "kernel's gradient transposed",
        "It has the shape of the kernel only because that is square.",
        lambda x, w: x @ w,
        lambda g, x, w: (g @ w.T, x.T @ g),
        lambda g, x, w: (g @ w.T, g.T @ x),
        SQUARE,
        SQUARE,
    ),
    gradient(
        "float32 accumulation",
        "The gradient of a float64 product is added up in float32.",
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b.T, a.T @ g),
        _in_float32,
        signed(3, 4),
        signed(4, 2),
    ),
    gradient(
        "bias gradient averaged",
        "The loss already divides by the batch; the bias gets the sum over it.",
        lambda x, w, b: x @ w + b,
        lambda g, x, w, b: (g @ w.T, x.T @ g, g.sum(0)),
        lambda g, x, w, b: (g @ w.T, x.T @ g, g.mean(0)),
        signed(3, 4),
        signed(4, 2),
        signed(2),
    ),
    gradient(
        "attention without its scale",
        "Scores are divided by the root of the width; so are their gradients.",
        lambda q, k: q @ k.T / 2,
        lambda g, q, k: _scores_gradient(g, q, k, 0.5),
        lambda g, q, k: _scores_gradient(g, q, k, 1.0),
        X,
        X,
    ),
)

LAYERS = (
    gradient(
        "batch statistics as constants",
        "Mean and variance depend on every input of the batch.",
        _standardize,
        _standardize_gradient,
        lambda g, x: _standardize_gradient(g, x, by_mean=False, by_variance=False),
        X,
    ),
    gradient(
        "batch variance as a constant",
        "The way through the variance is missing.",
        _standardize,
        _standardize_gradient,
        lambda g, x: _standardize_gradient(g, x, by_variance=False),
        X,
    ),
    gradient(
        "stale batch statistics",
        "The gradient takes the running averages, while the forward pass took the batch's own.",
        _standardize,
        _standardize_gradient,
        _stale,
        X,
    ),
    gradient(
        "normalized over the wrong axis",
        "Layer norm goes over the features of one example, batch norm over the batch.",
        lambda x: _standardize(x, -1),
        lambda g, x: _standardize_gradient(g, x, -1),
        lambda g, x: _standardize_gradient(g, x, 0),
        SQUARE,
    ),
    gradient(
        "dropout not scaled",
        "What is kept was multiplied by 1 / (1 - rate), so its gradient is, too.",
        lambda x: x * MASK * 2,
        lambda g, x: g * MASK * 2,
        lambda g, x: g * MASK,
        X,
    ),
    gradient(
        "another dropout mask",
        "The backward pass draws its own mask.",
        lambda x: x * MASK * 2,
        lambda g, x: g * MASK * 2,
        lambda g, x: g * MASK[::-1] * 2,
        X,
    ),
    gradient(
        "repeated token overwritten",
        "A word that occurs twice gets the sum of both gradients.",
        lambda table: table[TOKENS],
        lambda g, table: _embedding_gradient(g, table, adds=True),
        lambda g, table: _embedding_gradient(g, table, adds=False),
        signed(4, 2),
    ),
    gradient(
        "only the last time step",
        "A weight that is used at every step adds up its gradients over time.",
        _recurrent,
        lambda g, w, x: _recurrent_gradient(g, w, x, steps=3),
        lambda g, w, x: _recurrent_gradient(g, w, x, steps=1),
        ROW,
        ROW,
    ),
)


def _weighted(gradients, beta):
    """The sum of gradients, each weighted by beta to the power of its age."""
    last = len(gradients) - 1
    return sum(beta ** (last - t) * g for t, g in enumerate(gradients))


def _each_time(gradients, step):
    """Add up what a step is after 1, 2, ... gradients."""
    return sum(step(gradients[: t + 1]) for t in range(len(gradients)))


def _momentum_form(gradients):
    return _each_time(gradients, lambda gs: -0.1 * _weighted(gs, 0.9))


def _adam_form(gradients):
    def step(gs):
        n = len(gs)
        m = 0.1 * _weighted(gs, 0.9) / (1 - 0.9**n)
        v = 0.001 * _weighted([g**2 for g in gs], 0.999) / (1 - 0.999**n)
        epsilon = 1e-7 / np.sqrt(1 - 0.999**n)
        return -0.1 * m / (np.sqrt(v) + epsilon)

    return _each_time(gradients, step)


def _adam(w, g, rate, step, m, v, correct=True, power=2):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * np.abs(g) ** power
    if correct:
        rate = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return w - rate * m / (np.sqrt(v) + 1e-7), m, v


def _rmsprop_form(gradients):
    return _each_time(
        gradients,
        lambda gs: -0.1 * gs[-1] / np.sqrt(0.1 * _weighted([g**2 for g in gs], 0.9) + 1e-7),
    )


UPDATES = (
    update(
        "momentum with the wrong sign",
        "The velocity already points downhill: it is added.",
        _momentum_form,
        SGD(momentum=0.9).update,
        lambda w, g, rate, step, v: (w - (0.9 * v - rate * g), 0.9 * v - rate * g),
        slots=1,
    ),
    update(
        "momentum forgotten",
        "The velocity is kept but never carried over.",
        _momentum_form,
        SGD(momentum=0.9).update,
        lambda w, g, rate, step, v: (w - rate * g, 0.9 * v - rate * g),
        slots=1,
    ),
    update(
        "Adam without bias correction",
        "The averages start at zero, so the first ones are too small.",
        _adam_form,
        Adam().update,
        lambda w, g, rate, step, m, v: _adam(w, g, rate, step, m, v, correct=False),
        slots=2,
    ),
    update(
        "Adam's second moment not squared",
        "The second average is that of the squares.",
        _adam_form,
        Adam().update,
        lambda w, g, rate, step, m, v: _adam(w, g, rate, step, m, v, power=1),
        slots=2,
    ),
    update(
        "RMSprop with exchanged weights",
        "rho weighs the past, 1 - rho the new square.",
        _rmsprop_form,
        RMSprop().update,
        lambda w, g, rate, step, v: (
            w - rate * g / np.sqrt(0.1 * v + 0.9 * g**2 + 1e-7),
            0.1 * v + 0.9 * g**2,
        ),
        slots=1,
    ),
)

MUTANTS = (*SCORES, *PRODUCTS, *LAYERS, *UPDATES)
