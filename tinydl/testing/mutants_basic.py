"""Wrong gradients of elementwise functions, broadcasting and reductions."""

from __future__ import annotations

import numpy as np

from tinydl.testing.mutant import gradient, positive, signed


def _relu_in_place(g, x):
    g *= x > 0
    return g + g  # the second use of the upstream gradient finds it spoilt


def _gelu(x):
    return 0.5 * x * (1 + np.tanh(0.8 * (x + 0.044715 * x**3)))


def _gelu_gradient(g, x, inner):
    t = np.tanh(0.8 * (x + 0.044715 * x**3))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * 0.8 * inner)


def _one_wrong_in_a_thousand(g, x):
    wrong = 2 * g * x
    wrong[417] *= 1.001
    return wrong


def _maximum_share(g, x, share):
    winners = x == x.max(1, keepdims=True)
    return g[:, None] * (winners if share is None else winners * share)


A, B = signed(3, 4), signed(4)
SQUARE = signed(3, 3)

ELEMENTWISE = (
    gradient(
        "sign lost",
        "The second operand of a difference gets the gradient with a minus.",
        lambda a, b: a - b,
        lambda g, a, b: (g, -g),
        lambda g, a, b: (g, g),
        A,
        A,
    ),
    gradient(
        "factor 2 lost",
        "The derivative of x^2 is 2 x.",
        lambda x: x**2,
        lambda g, x: 2 * g * x,
        lambda g, x: g * x,
        A,
    ),
    gradient(
        "exponent not lowered",
        "The derivative of x^3 is 3 x^2, not 3 x^3.",
        lambda x: x**3,
        lambda g, x: 3 * g * x**2,
        lambda g, x: 3 * g * x**3,
        A,
    ),
    gradient(
        "power rule for an exponential",
        "The derivative of e^x is e^x; the exponent is no constant here.",
        np.exp,
        lambda g, x: g * np.exp(x),
        lambda g, x: g * x * np.exp(x - 1),
        A,
    ),
    gradient(
        "input for output",
        "The derivative of tanh is 1 - y^2 with the output y.",
        np.tanh,
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        lambda g, x: g * (1 - x**2),
        A,
    ),
    gradient(
        "half of a product",
        "The derivative of the sigmoid is y (1 - y); the second factor got lost.",
        lambda x: 1 / (1 + np.exp(-x)),
        lambda g, x: g * np.exp(-x) / (1 + np.exp(-x)) ** 2,
        lambda g, x: g / (1 + np.exp(-x)),
        A,
    ),
    gradient(
        "zero gradient",
        "A detached input: the rule exists and returns zeros.",
        np.sin,
        lambda g, x: g * np.cos(x),
        lambda g, x: 0 * g,
        A,
    ),
    gradient(
        "upstream gradient ignored",
        "The local derivative alone is right only where ones arrive, as under sum().",
        np.sin,
        lambda g, x: g * np.cos(x),
        lambda g, x: np.cos(x),
        A,
    ),
    gradient(
        "upstream gradient changed in place",
        "A first branch of the graph spoils the array that the second one still needs.",
        lambda x: np.maximum(x, 0) + x,
        lambda g, x: g * (x > 0) + g,
        _relu_in_place,
        A,
    ),
    gradient(
        "gate on the gradient",
        "relu lets the gradient through where the input is positive, not the gradient.",
        lambda x: np.maximum(x, 0),
        lambda g, x: g * (x > 0),
        lambda g, x: np.maximum(g, 0),
        A,
    ),
    gradient(
        "slope of the leak lost",
        "Left of zero leaky relu has its small slope, not 0.",
        lambda x: np.where(x > 0, x, 0.1 * x),
        lambda g, x: g * np.where(x > 0, 1, 0.1),
        lambda g, x: g * (x > 0),
        A,
    ),
    gradient(
        "absolute value without sign",
        "Left of zero |x| falls.",
        np.abs,
        lambda g, x: g * np.sign(x),
        lambda g, x: g,
        A,
    ),
    gradient(
        "logarithm divided by its output",
        "The derivative of ln x is 1 / x, not 1 / y.",
        np.log,
        lambda g, x: g / x,
        lambda g, x: g / np.log(x),
        positive(3, 4),
    ),
    gradient(
        "denominator not squared",
        "The derivative of a / b by b is -a / b^2.",
        lambda a, b: a / b,
        lambda g, a, b: (g / b, -g * a / b**2),
        lambda g, a, b: (g / b, -g * a / b),
        A,
        A,
    ),
    gradient(
        "clip lets everything through",
        "Outside of the interval the result does not move, so the gradient is 0.",
        lambda x: np.clip(x, -1, 1),
        lambda g, x: g * (np.abs(x) < 1),
        lambda g, x: g,
        A,
    ),
    gradient(
        "inner derivative forgotten",
        "Inside of the tanh of gelu stands x + c x^3, whose derivative is 1 + 3 c x^2.",
        _gelu,
        lambda g, x: _gelu_gradient(g, x, 1 + 3 * 0.044715 * x**2),
        lambda g, x: _gelu_gradient(g, x, 1),
        A,
    ),
    gradient(
        "epsilon in the gradient only",
        "A small number against division by zero, which the forward pass does not have.",
        np.sqrt,
        lambda g, x: g / (2 * np.sqrt(x)),
        lambda g, x: g / (2 * np.sqrt(x) + 1e-6),
        positive(3, 4),
    ),
    gradient(
        "one element in a thousand",
        "A single place off by a part in a thousand, as from a race between two threads.",
        lambda x: x**2,
        lambda g, x: 2 * g * x,
        _one_wrong_in_a_thousand,
        signed(1000),
    ),
)

BROADCASTING = (
    gradient(
        "sum over a broadcast axis missing",
        "What was stretched over the rows gets the sum of their gradients.",
        lambda a, b: a + b,
        lambda g, a, b: (g, g.sum(0)),
        lambda g, a, b: (g, g),
        A,
        B,
    ),
    gradient(
        "mean for sum",
        "A bias that serves every row gets the sum of their gradients, not the mean.",
        lambda a, b: a + b,
        lambda g, a, b: (g, g.sum(0)),
        lambda g, a, b: (g, g.mean(0)),
        A,
        B,
    ),
    gradient(
        "sum over the wrong axis",
        "With as many rows as columns the shapes agree, whichever axis is added up.",
        lambda a, b: a * b,
        lambda g, a, b: (g * b, (g * a).sum(0)),
        lambda g, a, b: (g * b, (g * a).sum(1)),
        SQUARE,
        signed(3),
    ),
    gradient(
        "one row for all",
        "Only the first row of the gradients reaches what was stretched over them.",
        lambda a, b: a + b,
        lambda g, a, b: (g, g.sum(0)),
        lambda g, a, b: (g, g[0]),
        A,
        B,
    ),
    gradient(
        "gradient of the wrong operand",
        "The derivative of a b by a is b.",
        lambda a, b: a * b,
        lambda g, a, b: (g * b, g * a),
        lambda g, a, b: (g * a, g * b),
        A,
        A,
    ),
    gradient(
        "second use not added",
        "x is used twice in x sin x; the second gradient replaces the first.",
        lambda x: x * np.sin(x),
        lambda g, x: g * np.sin(x) + g * x * np.cos(x),
        lambda g, x: g * x * np.cos(x),
        A,
    ),
    gradient(
        "branches exchanged",
        "Where the condition holds, the first of two values gets the gradient.",
        lambda a, b: np.where(np.eye(3, 4) > 0, a, b),
        lambda g, a, b: (g * np.eye(3, 4), g * (1 - np.eye(3, 4))),
        lambda g, a, b: (g * (1 - np.eye(3, 4)), g * np.eye(3, 4)),
        A,
        A,
    ),
)

REDUCTIONS = (
    gradient(
        "mean without 1/n",
        "The gradient of a mean is spread over n elements.",
        lambda x: x.mean(1),
        lambda g, x: np.repeat(g[:, None], 4, 1) / 4,
        lambda g, x: np.repeat(g[:, None], 4, 1),
        A,
    ),
    gradient(
        "mean over the wrong count",
        "n counts the elements along the axis, not all of them.",
        lambda x: x.mean(1),
        lambda g, x: np.repeat(g[:, None], 4, 1) / 4,
        lambda g, x: np.repeat(g[:, None], 4, 1) / 12,
        A,
    ),
    gradient(
        "maximum to everyone",
        "Only the largest element gets the gradient.",
        lambda x: x.max(1),
        lambda g, x: _maximum_share(g, x, None),
        lambda g, x: np.repeat(g[:, None], 4, 1),
        A,
    ),
    gradient(
        "variance by n for n - 1",
        "The sample variance divides by n - 1.",
        lambda x: x.var(1, ddof=1),
        lambda g, x: g[:, None] * 2 * (x - x.mean(1, keepdims=True)) / 3,
        lambda g, x: g[:, None] * 2 * (x - x.mean(1, keepdims=True)) / 4,
        A,
    ),
    gradient(
        "variance around zero",
        "The mean is subtracted before squaring, in the gradient too.",
        lambda x: x.var(1),
        lambda g, x: g[:, None] * 2 * (x - x.mean(1, keepdims=True)) / 4,
        lambda g, x: g[:, None] * 2 * x / 4,
        A,
    ),
    gradient(
        "outer derivative of a root forgotten",
        "The standard deviation is a root: its gradient is divided by it.",
        lambda x: x.std(1),
        lambda g, x: (g / x.std(1))[:, None] * (x - x.mean(1, keepdims=True)) / 4,
        lambda g, x: g[:, None] * (x - x.mean(1, keepdims=True)) / 4,
        A,
    ),
    gradient(
        "norm not divided",
        "The gradient of a norm is a unit vector.",
        lambda x: np.sqrt(np.sum(x**2)),
        lambda x: x / np.sqrt(np.sum(x**2)),
        lambda x: x,
        A,
    ),
    gradient(
        "running sum forwards again",
        "The gradient of a running sum runs backwards.",
        lambda x: np.cumsum(x, 1),
        lambda g, x: np.cumsum(g[:, ::-1], 1)[:, ::-1],
        lambda g, x: np.cumsum(g, 1),
        A,
    ),
    gradient(
        "product with itself",
        "The derivative of a product by one factor is the product of the others.",
        np.prod,
        lambda x: np.prod(x) / x,
        lambda x: np.full(x.shape, np.prod(x)),
        positive(5),
    ),
    gradient(
        "logsumexp as a mean",
        "Its gradient is the softmax, not equal shares.",
        lambda x: np.log(np.exp(x).sum()),
        lambda x: np.exp(x) / np.exp(x).sum(),
        lambda x: np.full(x.shape, 1 / x.size),
        signed(4),
    ),
)

MUTANTS = (*ELEMENTWISE, *BROADCASTING, *REDUCTIONS)
