"""Every kernel as its formula, read literally: nested loops over scalars, summed in float64.

Nothing here is fast. It is what the other tellings of the same loops are judged by.
Shapes and settings are those of `tinydl.kernels`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import isnan, prod, sqrt, tanh

import numpy as np

from tinydl.kernels.geometry import (
    Array,
    Padding,
    Pair,
    Shape,
    Window,
    dense_shape,
    logits_shape,
    place_pool,
    place_window,
    product_shape,
    row_shape,
    same_shape,
    step_shape,
)

Place = tuple[int, int]


def matmul(a: Array, b: Array) -> Array:
    """y[..., i, j] = sum over k of a[..., i, k] * b[..., k, j]."""
    *leading, rows, columns = product_shape(a.shape, b.shape)
    terms = a.shape[-1]
    y = np.zeros((*leading, rows, columns))
    a64 = np.broadcast_to(a, (*leading, rows, terms)).astype(np.float64)
    b64 = np.broadcast_to(b, (*leading, terms, columns)).astype(np.float64)
    for at in np.ndindex(*leading):
        for i, j, k in product(range(rows), range(columns), range(terms)):
            y[*at, i, j] += a64[*at, i, k] * b64[*at, k, j]
    return y.astype(np.result_type(a, b))


def dense_layer(a: Array, w: Array, b: Array, relu: bool) -> Array:
    """y[..., i, j] = sum over k of a[..., i, k] * w[k, j], plus b[j]; 0 if relu and below 0."""
    y = np.zeros(dense_shape(a.shape, w.shape, b.shape))
    product64 = matmul(a.astype(np.float64), w.astype(np.float64))
    for *i, j in np.ndindex(y.shape):
        total = product64[*i, j] + b[j]
        y[*i, j] = 0 if relu and total <= 0 else total
    return y.astype(np.result_type(a, w, b))


def conv(x: Array, w: Array, strides: Pair, padding: Padding, dilation: Pair) -> Array:
    """y[n, i, j, o] = sum over p, q, c of x[n, row, column, c] * w[p, q, c, o].

    With groups, c counts the channels of the group of o; so does it in the gradients.
    """
    window = place_window(x.shape, w.shape, strides, padding, dilation)
    x64, w64 = x.astype(np.float64), w.astype(np.float64)
    first = _first_channels(window)
    y = np.zeros(window.output_shape)
    for n, c, o in np.ndindex(x.shape[0], *w.shape[2:]):
        for (i, j), (p, q), (row, column) in _meetings(window):
            y[n, i, j, o] += x64[n, row, column, first[o] + c] * w64[p, q, c, o]
    return y.astype(np.result_type(x, w))


def conv_layer(
    x: Array, w: Array, b: Array, relu: bool, strides: Pair, padding: Padding, dilation: Pair
) -> Array:
    """y[n, i, j, o] = conv(x, w)[n, i, j, o] + b[o]; 0 if relu and below 0."""
    conv64 = conv(x.astype(np.float64), w.astype(np.float64), strides, padding, dilation)
    y = np.zeros(row_shape(conv64.shape, b.shape))
    for *nij, o in np.ndindex(y.shape):
        total = conv64[*nij, o] + b[o]
        y[*nij, o] = 0 if relu and total <= 0 else total
    return y.astype(np.result_type(x, w, b))


def conv_input_gradient(
    g: Array,
    w: Array,
    input_shape: Shape,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> Array:
    """In conv, x[n, row, column, c] met w[p, q, c, o] at y[n, i, j, o]: it gets w times g there."""
    window = place_window(input_shape, w.shape, strides, padding, dilation, g.shape)
    g64, w64 = g.astype(np.float64), w.astype(np.float64)
    first = _first_channels(window)
    x_bar = np.zeros(input_shape)
    for n, c, o in np.ndindex(g.shape[0], *w.shape[2:]):
        for (i, j), (p, q), (row, column) in _meetings(window):
            x_bar[n, row, column, first[o] + c] += g64[n, i, j, o] * w64[p, q, c, o]
    return x_bar.astype(np.result_type(g, w))


def conv_kernel_gradient(
    x: Array,
    g: Array,
    kernel_shape: Shape,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> Array:
    """In conv, w[p, q, c, o] met x[n, row, column, c] at y[n, i, j, o]: it gets x times g there."""
    window = place_window(x.shape, kernel_shape, strides, padding, dilation, g.shape)
    x64, g64 = x.astype(np.float64), g.astype(np.float64)
    first = _first_channels(window)
    w_bar = np.zeros(kernel_shape)
    for n, c, o in np.ndindex(x.shape[0], *kernel_shape[2:]):
        for (i, j), (p, q), (row, column) in _meetings(window):
            w_bar[p, q, c, o] += x64[n, row, column, first[o] + c] * g64[n, i, j, o]
    return w_bar.astype(np.result_type(x, g))


def max_pool(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """y[n, i, j, c] = the greatest x[n, row, column, c] of the window at (i, j)."""
    return max_pool_gather(x, x, pool_size, strides, padding)


def max_pool_gather(u: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """y[n, i, j, c] = u at the place where the window at (i, j) of x has its maximum."""
    window = place_pool(x.shape, pool_size, strides, padding, other_image_shape=u.shape)
    y = np.zeros(window.output_shape, np.result_type(u))
    for n, c in np.ndindex(window.batch, window.channels):
        for (i, j), places in _places(window).items():
            row, column = _winner(x[n, :, :, c], places)
            y[n, i, j, c] = u[n, row, column, c]
    return y


def max_pool_gradient(
    g: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding
) -> Array:
    """x_bar[n, row, column, c] = the sum of g over the windows that have their maximum there."""
    window = place_pool(x.shape, pool_size, strides, padding, output_shape=g.shape)
    x_bar = np.zeros(x.shape)
    for n, c in np.ndindex(window.batch, window.channels):
        for (i, j), places in _places(window).items():
            row, column = _winner(x[n, :, :, c], places)
            x_bar[n, row, column, c] += g[n, i, j, c]
    return x_bar.astype(np.result_type(g))


def max_pool_winners(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """The maximum of the window at (i, j), and as p * (width of the window) + q its place."""
    window = place_pool(x.shape, pool_size, strides, padding, numbered_in=x.dtype)
    y = np.zeros((2, *window.output_shape), np.result_type(x))
    for n, c in np.ndindex(window.batch, window.channels):
        for (i, j), places in _places(window).items():
            row, column = _winner(x[n, :, :, c], places)
            p = row + window.padding_top - i * window.stride_height
            q = column + window.padding_left - j * window.stride_width
            y[:, n, i, j, c] = x[n, row, column, c], p * window.window_width + q
    return y


def conv_max_pool_layer(
    x: Array,
    w: Array,
    b: Array,
    relu: bool,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    pool_size: Pair,
    pool_strides: Pair,
    pool_padding: Padding,
) -> Array:
    """The maxima and winners of relu(conv(x, w) + b), or of conv(x, w) + b; -1 where relu cuts."""
    x64, w64, b64 = x.astype(np.float64), w.astype(np.float64), b.astype(np.float64)
    z = conv_layer(x64, w64, b64, relu, strides, padding, dilation).astype(np.result_type(x, w, b))
    y = max_pool_winners(z, pool_size, pool_strides, pool_padding)
    for place in np.ndindex(y[0].shape):
        if relu and y[0][place] <= 0:
            y[1][place] = -1
    return y


def conv_max_pool_layer_gradient(
    x: Array,
    g: Array,
    winners: Array,
    kernel_shape: Shape,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    pool_size: Pair,
    pool_strides: Pair,
    pool_padding: Padding,
) -> Array:
    """In conv_max_pool_layer, w and b were in z, and the winners of z are y: g goes back there."""
    window = place_window(x.shape, kernel_shape, strides, padding, dilation)
    pool = pool_size, pool_strides, pool_padding
    z_bar = max_unpool(g.astype(np.float64), winners, window.output_shape, *pool)
    w_bar = conv_kernel_gradient(x, z_bar, kernel_shape, strides, padding, dilation)
    b_bar = np.zeros(kernel_shape[3])
    for n, i, j, o in np.ndindex(g.shape):
        if winners[n, i, j, o] >= 0:
            b_bar[o] += g[n, i, j, o]
    both = np.concatenate([w_bar.reshape(prod(kernel_shape[:3]), kernel_shape[3]), [b_bar]])
    return both.astype(np.result_type(x, g, winners))


def max_unpool(
    g: Array,
    winners: Array,
    input_shape: Shape,
    pool_size: Pair,
    strides: Pair,
    padding: Padding,
) -> Array:
    """x_bar[n, row, column, c] = the sum of g over the windows whose winner's place that is."""
    window = place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
    same_shape(winners.shape, g.shape, ("winners", "g"))
    x_bar = np.zeros(input_shape)
    for n, c in np.ndindex(window.batch, window.channels):
        for (i, j), (p, q), (row, column) in _meetings(window):
            if winners[n, i, j, c] == p * window.window_width + q:
                x_bar[n, row, column, c] += g[n, i, j, c]
    return x_bar.astype(np.result_type(g))


def average_pool(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """y[n, i, j, c] = the mean of those x[n, row, column, c] of the window that are real."""
    window = place_pool(x.shape, pool_size, strides, padding)
    x64 = x.astype(np.float64)
    y = np.zeros(window.output_shape)
    for n, c in np.ndindex(window.batch, window.channels):
        for (i, j), places in _places(window).items():
            y[n, i, j, c] = sum(x64[n, row, column, c] for row, column in places) / len(places)
    return y.astype(np.result_type(x, 1.0))


def average_pool_gradient(
    g: Array,
    input_shape: Shape,
    pool_size: Pair,
    strides: Pair,
    padding: Padding,
) -> Array:
    """Each window's g is shared equally among the real elements the mean was taken over."""
    window = place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
    g64 = g.astype(np.float64)
    x_bar = np.zeros(input_shape)
    for n, c in np.ndindex(window.batch, window.channels):
        for (i, j), places in _places(window).items():
            for row, column in places:
                x_bar[n, row, column, c] += g64[n, i, j, c] / len(places)
    return x_bar.astype(np.result_type(g, 1.0))


def relu(x: Array) -> Array:
    """y[i] = x[i] if it is not below 0."""
    y = np.zeros(x.shape, x.dtype)
    for i in np.ndindex(x.shape):
        y[i] = 0 if x[i] <= 0 else x[i]
    return y


def relu_gradient(g: Array, x: Array) -> Array:
    """x_bar[i] = g[i] if x[i] is not below 0."""
    x_bar = np.zeros(same_shape(g.shape, x.shape), np.result_type(g, x))
    for i in np.ndindex(x.shape):
        x_bar[i] = 0 if x[i] <= 0 else g[i]
    return x_bar


def add_row(x: Array, b: Array) -> Array:
    """y[i, j] = x[i, j] + b[j]."""
    y = np.zeros(row_shape(x.shape, b.shape), np.result_type(x, b))
    for *i, j in np.ndindex(x.shape):
        y[*i, j] = x[*i, j] + b[j]
    return y


def sum_rows(x: Array) -> Array:
    """y[j] = sum over i of x[i, j]."""
    y = np.zeros(row_shape(x.shape, x.shape[-1:])[-1:])
    for *i, j in np.ndindex(x.shape):
        y[j] += x[*i, j]
    return y.astype(x.dtype)


def exp_each(x: Array) -> Array:
    """y[i] = e^x[i]."""
    y = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        y[i] = np.exp(np.float64(x[i]))
    return y.astype(np.result_type(x, 1.0))


def tanh_each(x: Array) -> Array:
    """y[i] = (e^x[i] - e^-x[i]) / (e^x[i] + e^-x[i])."""
    y = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        y[i] = tanh(x[i])
    return y.astype(np.result_type(x, 1.0))


def sigmoid_each(x: Array) -> Array:
    """y[i] = 1 / (1 + e^-x[i])."""
    y = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        y[i] = 1 / (1 + np.exp(-np.float64(x[i])))
    return y.astype(np.result_type(x, 1.0))


def softmax(x: Array) -> Array:
    """y[..., k] = e^x[..., k], divided by the sum of these over k."""
    y = np.zeros(logits_shape(x.shape, x.shape))
    for *row, k in np.ndindex(x.shape):
        y[*row, k] = 1 / sum(np.exp(np.float64(other) - x[*row, k]) for other in x[*row])
    return y.astype(np.result_type(x, 1.0))


def log_softmax(x: Array) -> Array:
    """y[..., k] = x[..., k], minus the logarithm of the sum of the exponentials over k."""
    y = np.zeros(logits_shape(x.shape, x.shape))
    for *row, k in np.ndindex(x.shape):
        y[*row, k] = -np.log(sum(np.exp(np.float64(other) - x[*row, k]) for other in x[*row]))
    return y.astype(np.result_type(x, 1.0))


def softmax_cross_entropy(t: Array, z: Array) -> Array:
    """y[...] = minus the sum over k of t[..., k] times the logarithm of the softmax of z."""
    y = np.zeros(logits_shape(t.shape, z.shape)[:-1])
    log_p = log_softmax(z.astype(np.float64))
    for *row, k in np.ndindex(z.shape):
        if t[*row, k] != 0 or log_p[*row, k] != -np.inf:
            y[*row] -= t[*row, k] * log_p[*row, k]
    return y.astype(np.result_type(t, z, 1.0))


def softmax_cross_entropy_gradient(g: Array, t: Array, z: Array) -> Array:
    """z_bar[..., k] = g[...] times (the softmax of z times the sum of t - t)."""
    z_bar = np.zeros(logits_shape(t.shape, z.shape, g.shape))
    p = softmax(z.astype(np.float64))
    for *row, k in np.ndindex(z.shape):
        z_bar[*row, k] = g[*row] * (p[*row, k] * sum(t[*row].astype(np.float64)) - t[*row, k])
    return z_bar.astype(np.result_type(g, t, z, 1.0))


def sgd_step(w: Array, g: Array, rate: float) -> Array:
    """w'[i] = w[i] - rate * g[i]."""
    new = np.zeros(step_shape(w.shape, g.shape))
    for i in np.ndindex(w.shape):
        new[i] = w[i] - rate * g[i]
    return new.astype(np.result_type(w, 1.0))


def momentum_step(
    w: Array, g: Array, v: Array, rate: float, momentum: float, nesterov: bool
) -> Array:
    """v'[i] = momentum * v[i] - rate * g[i], and w'[i] from it; w' first, then v'."""
    new = np.zeros((2, *step_shape(w.shape, g.shape, v.shape)))
    for i in np.ndindex(w.shape):
        new[1, *i] = momentum * v[i] - rate * g[i]
        new[0, *i] = w[i] + (momentum * new[1, *i] - rate * g[i] if nesterov else new[1, *i])
    return new.astype(np.result_type(w, 1.0))


def adam_step(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Array:
    """m'[i] and v'[i], faded means, and w'[i] from them; w' first, then m' and v'."""
    new = np.zeros((3, *step_shape(w.shape, g.shape, m.shape, v.shape)))
    for i in np.ndindex(w.shape):
        new[1, *i] = beta_1 * m[i] + (1 - beta_1) * g[i]
        new[2, *i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2
        new[0, *i] = w[i] - rate * new[1, *i] / (sqrt(new[2, *i]) + epsilon)
    return new.astype(np.result_type(w, 1.0))


def _first_channels(window: Window) -> list[int]:
    """List for each filter the first channel that it sees, which is 0 unless there are groups."""
    return [
        o // (window.filters // window.groups) * (window.channels // window.groups)
        for o in range(window.filters)
    ]


def _meetings(window: Window) -> Iterator[tuple[Place, Place, Place]]:
    """Yield (i, j), (p, q) and the (row, column) of the image where they meet, padding apart."""
    for i, j in np.ndindex(window.output_height, window.output_width):
        for p, q in np.ndindex(window.window_height, window.window_width):
            row = i * window.stride_height + p * window.dilation_height - window.padding_top
            column = j * window.stride_width + q * window.dilation_width - window.padding_left
            if 0 <= row < window.height and 0 <= column < window.width:
                yield (i, j), (p, q), (row, column)


def _places(window: Window) -> dict[Place, list[Place]]:
    """List the image places (row, column) under each window (i, j), in row-major order."""
    places: dict[Place, list[Place]] = {}
    for at, _, place in _meetings(window):
        places.setdefault(at, []).append(place)
    return places


def _winner(image: Array, places: list[Place]) -> Place:
    """Find the first place of the maximum; the first NaN, if there is one, is the maximum."""
    winner = places[0]
    for place in places[1:]:
        if isnan(image[winner]):
            break
        if isnan(image[place]) or image[place] > image[winner]:
            winner = place
    return winner
