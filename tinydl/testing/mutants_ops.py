"""Mistakes that need more than a first derivative to be seen: in ops, their promises, and loops."""

from __future__ import annotations

from itertools import product

import numpy as np

from tinydl.engine import Op, Tensor, rule
from tinydl.kernels import reference
from tinydl.testing.mutant import kernel, op, second_order, signed

RIGHT = r"\bar x_i"  # the mutants' own formulas do not matter


def _function(forward, *rules):
    """A function of tensors with these gradient rules."""
    names = ("x", "z")[: len(rules)]
    body: dict[str, object] = dict(zip(names, map(rule(RIGHT), rules), strict=True))
    body |= {"name": "mutant", "input_names": names}
    body["forward"] = lambda self, *arrays: forward(*arrays)
    return type("Mutant", (Op,), body, abstract=True)()


X, SQUARE = signed(2, 3), signed(3, 3)
NAMES = "relu", "multiply", "average_pool", "tanh", "softmax"
RELU, MULTIPLY, POOL, TANH, SOFTMAX = (Op.registry[name] for name in NAMES)

SECOND_ORDER = (
    second_order(
        "detached rule",
        "The gradient is computed from a detached input, so its own gradient is missing.",
        lambda x: x**3,
        _function(lambda x: x**3, lambda op, g, y, x: g * 3.0 * (x * x).detach()),
        X,
    ),
    second_order(
        "constant at second order",
        "The rule keeps the output as an array: the second derivative takes it for a constant.",
        TANH(),
        _function(np.tanh, lambda op, g, y, x: g * Tensor(1 - y.data**2)),
        X,
    ),
    second_order(
        "upstream gradient detached",
        "The rule is linear in the gradient from above, and must stay connected to it.",
        lambda x: x**2,
        _function(lambda x: x**2, lambda op, g, y, x: 2.0 * g.detach() * x),
        X,
    ),
    second_order(
        "other operand detached",
        "The gradient by the first factor depends on the second one.",
        lambda x, z: x @ z,
        _function(
            lambda x, z: x @ z,
            lambda op, g, y, x, z: g @ z.mT.detach(),
            lambda op, g, y, x, z: x.mT @ g,
        ),
        SQUARE,
        SQUARE,
    ),
    second_order(
        "saved probabilities",
        "The softmax kept for the backward pass has lost its history.",
        SOFTMAX(),
        _function(
            lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
            lambda op, g, y, x: (g - (g * y.detach()).sum(-1, keepdims=True)) * y.detach(),
        ),
        X,
    ),
)


class _Double(Op, abstract=True):
    """Twice the input."""

    name = "double"
    input_names = ("x",)
    formula = r"y_i = 2 x_i"
    linear_in = ("x",)

    def forward(self, x):
        return 2 * x

    @rule(r"\bar x_i = 2 \bar y_i")
    def x(self, y_bar, y, x):
        return y_bar * 2.0


def _changes_its_input(self, x):
    x *= 2
    return x


def _refuses_infinity(self, x):
    if not np.isfinite(x).all():
        raise FloatingPointError("not finite")
    return 2 * x


OPS = (
    op(
        "another gradient at the kink",
        "At 0 the gradient of relu is declared to be 0; >= makes it 1.",
        RELU,
        "conventions",
        x=rule(RIGHT)(lambda self, y_bar, y, x: y_bar * (x >= 0)),
    ),
    op(
        "outside of the one-sided derivatives",
        "At 0 every gradient from 0 to 1 would do for relu, but not 2.",
        RELU,
        "conventions",
        x=rule(RIGHT)(lambda self, y_bar, y, x: y_bar * ((x > 0) + 2.0 * (x == 0))),
        conventions=classmethod(lambda cls: iter([(cls(), (np.zeros(1),), (np.full(1, 2.0),))])),
    ),
    op(
        "kink without a convention",
        "A kink is mentioned, but nobody says what the gradient is there.",
        RELU,
        "conventions",
        conventions=classmethod(lambda cls: iter(())),
    ),
    op(
        "rule forgotten",
        "The second factor has no gradient rule, so nothing ever reaches it.",
        MULTIPLY,
        "gradients",
        x2=None,
    ),
    op(
        "broadcasting not declared",
        "Without the declaration nobody adds up over stretched axes.",
        MULTIPLY,
        "gradients",
        broadcasts=False,
        examples=classmethod(lambda cls, rng: iter([(cls(), (SQUARE(rng), signed(3)(rng)))])),
    ),
    op(
        "second derivative lost",
        "First derivatives of products are right with a detached factor.",
        MULTIPLY,
        "gradients",
        x1=rule(RIGHT)(lambda self, y_bar, y, x1, x2: y_bar * x2.detach()),
    ),
    op(
        "affine, not linear",
        "An added constant leaves every derivative right.",
        _Double,
        "linear",
        forward=lambda self, x: 2 * x + 1,
    ),
    op(
        "input changed in place",
        "The forward pass saves an allocation, and spoils what others still read.",
        _Double,
        "layouts",
        forward=_changes_its_input,
    ),
    op(
        "strides ignored",
        "Elements are read as they lie in memory, which is row by row only most of the time.",
        _Double,
        "layouts",
        forward=lambda self, x: 2 * x.ravel(order="K").reshape(x.shape),
    ),
    op(
        "float32 becomes float64",
        "A float64 constant in the forward pass makes everything after it twice as wide.",
        _Double,
        "float32",
        forward=lambda self, x: np.array([2.0]) * x,
    ),
    op(
        "float16 inside",
        "Results have the right dtype, but lost half of their digits on the way.",
        TANH,
        "gradients",
        forward=lambda self, x: np.tanh(x).astype(np.float16).astype(x.dtype),
    ),
    op(
        "infinity refused",
        "inf and nan are values; an op must pass them on.",
        _Double,
        "extremes",
        forward=_refuses_infinity,
    ),
    op(
        "formula cut off",
        "A closing brace is missing in the formula.",
        _Double,
        "documented",
        formula=r"y_{i = 2 x_i",
    ),
    op(
        "not what the formula says",
        "Forward and gradient agree with each other, but with no formula.",
        POOL,
        "literal",
        forward=lambda self, x: 2 * reference.average_pool(x, *self.geometry(x)),
    ),
)


def _windows(shape, pool_size, strides, padding):
    """Image, channel, place of the window, and the part of the image in it."""
    batch, height, width, channels = shape
    (ph, pw), (sh, sw), ((top, bottom), (left, right)) = pool_size, strides, padding
    rows = range((height + top + bottom - ph) // sh + 1)
    columns = range((width + left + right - pw) // sw + 1)
    for n, c, i, j in product(range(batch), range(channels), rows, columns):
        row, column = i * sh - top, j * sw - left
        yield (
            (n, i, j, c),
            (n, slice(max(row, 0), row + ph), slice(max(column, 0), column + pw), c),
        )


def _gradient_to_every_tie(g, x, *settings):
    x_bar = np.zeros_like(x)
    for place, window in _windows(x.shape, *settings):
        x_bar[window] += g[place] * (x[window] == x[window].max())
    return x_bar


def _gradient_overwritten(g, x, *settings):
    x_bar = np.zeros_like(x)
    for place, window in _windows(x.shape, *settings):
        first = np.unravel_index(np.argmax(x[window]), x[window].shape)
        x_bar[window][first] = g[place]
    return x_bar


def _average_with_padding(x, pool_size, *settings):
    y = np.zeros_like(reference.average_pool(x, pool_size, *settings))
    for place, window in _windows(x.shape, pool_size, *settings):
        y[place] = x[window].sum() / np.prod(pool_size)
    return y


def _padding_not_cropped(g, w, input_shape, strides, padding, dilation):
    n, height, width, c = input_shape
    padded = (n, height + sum(padding[0]), width + sum(padding[1]), c)
    x_bar = reference.conv_input_gradient(g, w, padded, strides, ((0, 0), (0, 0)), dilation)
    return x_bar[:, :height, :width]


def _without_the_rest(a, b):
    whole = a.shape[-1] // 4 * 4
    return reference.matmul(a[..., :whole], b[..., :whole, :])


def _as_in_memory(a, b):
    return reference.matmul(a.ravel(order="K").reshape(a.shape), b)


def _groups_exchanged(x, w, *settings):
    groups = x.shape[3] // w.shape[2] if w.shape[2] else 1
    y = reference.conv(x, w, *settings)
    return y.reshape(*y.shape[:3], groups, -1)[..., ::-1, :].reshape(y.shape) if y.size else y


KERNELS = (
    kernel(
        "groups exchanged",
        "The filters of each group write where those of another belong.",
        "conv",
        reference.conv,
        _groups_exchanged,
    ),
    kernel(
        "kernel flipped",
        "Mathematicians flip the kernel, deep learning does not.",
        "conv",
        reference.conv,
        lambda x, w, *settings: reference.conv(x, w[::-1, ::-1], *settings),
    ),
    kernel(
        "kernel not flipped on the way back",
        "The image's gradient is a convolution with the flipped kernel.",
        "conv_input_gradient",
        reference.conv_input_gradient,
        lambda g, w, *settings: reference.conv_input_gradient(g, w[::-1, ::-1], *settings),
    ),
    kernel(
        "padding cropped at the wrong end",
        "The image starts behind the padding at the top and left.",
        "conv_input_gradient",
        reference.conv_input_gradient,
        _padding_not_cropped,
    ),
    kernel(
        "channels exchanged",
        "The channels of the kernel's gradient are counted backwards.",
        "conv_kernel_gradient",
        reference.conv_kernel_gradient,
        lambda *a: reference.conv_kernel_gradient(*a)[:, :, ::-1],
    ),
    kernel(
        "window off by one",
        "Every window stands one row too low.",
        "max_pool",
        reference.max_pool,
        lambda x, *settings: reference.max_pool(np.roll(x, -1, 1), *settings),
    ),
    kernel(
        "nan lost",
        "nan compares false with everything, so a plain > never chooses it.",
        "max_pool",
        reference.max_pool,
        lambda x, *settings: reference.max_pool(np.nan_to_num(x, nan=-np.inf), *settings),
    ),
    kernel(
        "pool gradient to every tie",
        "The first of equal maxima gets the gradient, not each of them.",
        "max_pool_gradient",
        reference.max_pool_gradient,
        _gradient_to_every_tie,
    ),
    kernel(
        "overlapping windows overwritten",
        "An element that wins in two windows gets the sum of both gradients.",
        "max_pool_gradient",
        reference.max_pool_gradient,
        _gradient_overwritten,
    ),
    kernel(
        "padding counted in the mean",
        "A window over the edge is divided by the number of its real elements.",
        "average_pool",
        reference.average_pool,
        _average_with_padding,
    ),
    kernel(
        "mean's gradient not divided",
        "Each element gets its share of the gradient, not all of it.",
        "average_pool_gradient",
        reference.average_pool_gradient,
        lambda g, shape, size, *s: reference.average_pool_gradient(g, shape, size, *s) * size[0],
    ),
    kernel(
        "rest of the loop forgotten",
        "The loop over blocks of four leaves up to three terms over.",
        "matmul",
        reference.matmul,
        _without_the_rest,
    ),
    kernel(
        "strides of a matrix ignored",
        "A transposed matrix is read as if it lay row by row.",
        "matmul",
        reference.matmul,
        _as_in_memory,
    ),
    kernel(
        "sum in float16",
        "The products are added up in too few digits.",
        "matmul",
        reference.matmul,
        lambda a, b: reference.matmul(a.astype(np.float16), b.astype(np.float16)).astype(a.dtype),
    ),
)

MUTANTS = (*SECOND_ORDER, *OPS, *KERNELS)
