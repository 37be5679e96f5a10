"""The cases, as a user of JAX writes them: compiled by jit, waiting for each result."""

from functools import partial

import jax
from jax import lax
from jax import numpy as jnp

from benchmarks.work import Work


def start(threads):
    """JAX uses as many threads as the process may use processors."""


def version():
    return jax.__version__


def compiled(function, *arrays, variant=""):
    function = jax.jit(function)
    arrays = [jnp.asarray(x) for x in arrays]
    return Work(lambda: function(*arrays).block_until_ready(), variant=variant)


def matmul(a, b, transpose_a, transpose_b):
    def run(a, b):
        return (a.T if transpose_a else a) @ (b.T if transpose_b else b)

    yield compiled(run, a, b)


def convolve(stride, padding, dilation, groups, x, w):
    return lax.conv_general_dilated(
        x,
        w,
        (stride, stride),
        ((padding, padding), (padding, padding)),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def conv(x, w, g, stride, padding, dilation, groups):
    yield compiled(partial(convolve, stride, padding, dilation, groups), x, w)


def conv_input_gradient(x, w, g, stride, padding, dilation, groups):
    def gradient(x, w, g):
        def of_x(x):
            return convolve(stride, padding, dilation, groups, x, w)

        return jax.vjp(of_x, x)[1](g)[0]

    yield compiled(gradient, x, w, g)


def conv_kernel_gradient(x, w, g, stride, padding, dilation, groups):
    def gradient(x, w, g):
        def of_w(w):
            return convolve(stride, padding, dilation, groups, x, w)

        return jax.vjp(of_w, w)[1](g)[0]

    yield compiled(gradient, x, w, g)


def reduce_windows(first, combine, size, stride, x):
    return lax.reduce_window(x, first, combine, (1, size, size, 1), (1, stride, stride, 1), "VALID")


def windows_by_hand(reduce, size, x):
    """Windows that do not overlap are two more axes."""
    n, h, w, c = x.shape
    h, w = h // size, w // size
    tiles = x[:, : h * size, : w * size].reshape(n, h, size, w, size, c)
    return reduce(tiles, axis=(2, 4))


def max_pools(size, stride):
    yield "reduce_window", partial(reduce_windows, -jnp.inf, lax.max, size, stride)
    if size == stride:
        yield "by hand", partial(windows_by_hand, jnp.max, size)


def average_pools(size, stride):
    def average(x):
        return reduce_windows(0.0, lax.add, size, stride, x) / size**2

    yield "reduce_window", average
    if size == stride:
        yield "by hand", partial(windows_by_hand, jnp.mean, size)


def pool(kind, x, g, size, stride):
    for variant, function in kind(size, stride):
        yield compiled(function, x, variant=variant)


def pool_gradient(kind, x, g, size, stride):
    for variant, function in kind(size, stride):
        yield compiled(partial(pull_back, function), x, g, variant=variant)


def pull_back(function, x, g):
    return jax.vjp(function, x)[1](g)[0]


max_pool = partial(pool, max_pools)
average_pool = partial(pool, average_pools)
max_pool_gradient = partial(pool_gradient, max_pools)
average_pool_gradient = partial(pool_gradient, average_pools)


def exp(x):
    yield compiled(jnp.exp, x)


def tanh(x):
    yield compiled(jnp.tanh, x)


def sigmoid(x):
    yield compiled(jax.nn.sigmoid, x)


def adam_update(w, g, m, v, t, rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    w = w - rate * (m / (1 - beta_1**t)) / (jnp.sqrt(v / (1 - beta_2**t)) + epsilon)
    return w, m, v


def adam(w, g):
    w, g = jnp.array(w), jnp.asarray(g)
    m, v, t = jnp.zeros_like(w), jnp.zeros_like(w), 0
    update = jax.jit(adam_update, donate_argnums=(0, 2, 3))

    def step():
        nonlocal w, m, v, t
        t += 1
        w, m, v = jax.block_until_ready(update(w, g, m, v, float(t)))
        return w

    yield Work(step)


def log_likelihood(logits, targets):
    """The mean of what the softmax gives the right class, as a logarithm."""
    scores = jax.nn.log_softmax(logits)
    if targets.ndim == 1:
        return jnp.take_along_axis(scores, targets[:, None], axis=1).mean()
    return (scores * targets).sum(axis=1).mean()


def cross_entropy(logits, targets):
    return -log_likelihood(logits, targets)


def cross_entropy_of_labels(logits, labels):
    yield compiled(jax.grad(cross_entropy), logits, labels)


def cross_entropy_of_one_hot(logits, targets):
    yield compiled(jax.grad(cross_entropy), logits, targets)


def logits_of(pooling, layers, weights, x):
    weights = iter(weights)
    for place, (kind, *settings) in enumerate(layers):
        if kind == "conv":
            x = jax.nn.relu(convolve(1, settings[-1], 1, 1, x, next(weights)) + next(weights))
        elif kind == "pool":
            x = pooling(x)
        elif kind == "flatten":
            x = x.reshape(len(x), -1)
        else:
            x = x @ next(weights) + next(weights)
            x = x if place == len(layers) - 1 else jax.nn.relu(x)
    return x


def training_step(x, labels, weights, image, layers):
    has_pools = ("pool",) in layers
    for variant, pooling in max_pools(2, 2) if has_pools else [("", None)]:
        yield Work(
            model_step(partial(logits_of, pooling, layers), x, labels, weights), variant=variant
        )


def model_step(logits, x, labels, weights):
    def loss_of(weights, x, labels):
        return cross_entropy(logits(weights, x), labels)

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def update(w, m, v, t, x, labels):
        loss, g = jax.value_and_grad(loss_of)(w, x, labels)
        steps = [adam_update(*arrays, t) for arrays in zip(w, g, m, v, strict=True)]
        return loss, *zip(*steps, strict=True)

    x, labels = jnp.asarray(x), jnp.asarray(labels)
    w = tuple(jnp.array(weight) for weight in weights)
    m, v = (tuple(jnp.zeros_like(weight) for weight in w) for _ in range(2))
    t = 0

    def step():
        nonlocal w, m, v, t
        t += 1
        loss, w, m, v = update(w, m, v, float(t), x, labels)
        return float(loss)

    return step


def chain_from(length, b, a):
    for _ in range(length):
        a = a + b
    return a


def chain(length):
    a, b = jnp.float32(1.0), jnp.float32(2.0)
    yield Work(lambda: jax.vjp(partial(chain_from, length, b), a)[0].block_until_ready())


def chain_and_gradient(length):
    a, b = jnp.float32(1.0), jnp.float32(2.0)
    yield Work(lambda: jax.grad(partial(chain_from, length, b))(a).block_until_ready())
