"""Every kernel in NumPy: the reference path, which runs everywhere and serves every dtype.

Shapes and settings are those of `tinydl.kernels`. Convolution is a matrix product with patches
of the image; the gradients and the pools go through the window element by element ("taps"): for
one (p, q), the image elements that all windows see there are one strided view.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

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


def matmul(a: Array, b: Array) -> Array:
    """y[..., i, j] = sum over k of a[..., i, k] * b[..., k, j]."""
    product_shape(a.shape, b.shape)
    return np.ascontiguousarray(np.matmul(a, b))


def dense_layer(a: Array, w: Array, b: Array, relu: bool) -> Array:
    """relu(a @ w + b), by the three kernels in use: a matmul of your own serves here, too."""
    from tinydl.kernels import declared  # which is built on this module

    dense_shape(a.shape, w.shape, b.shape)
    y = declared.add_row(declared.matmul(a, w), b)
    return declared.relu(y) if relu else y


def conv(x: Array, w: Array, strides: Pair, padding: Padding, dilation: Pair) -> Array:
    """y[n, i, j, o] = sum over p, q, c of patches[n, i, j, p, q, c] * w[p, q, c, o]."""
    window = place_window(x.shape, w.shape, strides, padding, dilation)
    patches = _patches(x, window, padding)
    y = np.empty(window.output_shape, np.result_type(x, w))
    for channels, filters in _groups(window):
        y[..., filters] = np.tensordot(patches[..., channels], w[..., filters], 3)
    return y


def conv_layer(
    x: Array, w: Array, b: Array, relu: bool, strides: Pair, padding: Padding, dilation: Pair
) -> Array:
    """relu(conv(x, w) + b), by the three kernels in use: a conv of your own serves here, too."""
    from tinydl.kernels import declared  # which is built on this module

    place = place_window(x.shape, w.shape, strides, padding, dilation)
    row_shape(place.output_shape, b.shape)
    y = declared.add_row(declared.conv(x, w, strides, padding, dilation), b)
    return declared.relu(y) if relu else y


def conv_input_gradient(
    g: Array,
    w: Array,
    input_shape: Shape,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> Array:
    """In conv, what w[p, q] saw was one tap of x; so that tap gets g @ w[p, q] transposed."""
    window = place_window(input_shape, w.shape, strides, padding, dilation, g.shape)
    x_bar = _padded_zeros(input_shape, padding, np.result_type(g, w))
    for (p, q), tap in _taps(x_bar, window):
        for channels, filters in _groups(window):
            tap[..., channels] += g[..., filters] @ w[p, q, :, filters].T
    return _crop(x_bar, window)


def conv_kernel_gradient(
    x: Array,
    g: Array,
    kernel_shape: Shape,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
) -> Array:
    """w_bar[p, q, c, o] = sum over n, i, j of patches[n, i, j, p, q, c] * g[n, i, j, o]."""
    window = place_window(x.shape, kernel_shape, strides, padding, dilation, g.shape)
    patches, every_place = _patches(x, window, padding), (0, 1, 2)
    w_bar = np.empty(kernel_shape, np.result_type(x, g))
    for channels, filters in _groups(window):
        w_bar[..., filters] = np.tensordot(
            patches[..., channels], g[..., filters], (every_place, every_place)
        )
    return w_bar


def max_pool(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """y[n, i, j, c] = the greatest element of the window at (i, j); NaN wins."""
    window = place_pool(x.shape, pool_size, strides, padding)
    taps = [tap for _, tap in _taps(_pad(x, padding, "edge"), window)]
    return np.ascontiguousarray(reduce(np.maximum, taps[1:], taps[0].astype(np.result_type(x))))


def max_pool_gather(u: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """y[n, i, j, c] = u at the place where the window at (i, j) of x has its maximum."""
    window = place_pool(x.shape, pool_size, strides, padding, other_image_shape=u.shape)
    winner = _winner(x, window, padding)
    y = np.zeros(winner.shape, np.result_type(u))
    for (p, q), tap in _taps(_pad(u, padding, "constant"), window):
        np.copyto(y, tap, where=winner == p * window.window_width + q)
    return y


def max_pool_gradient(
    g: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding
) -> Array:
    """In gather, y came from the winning place of the window; so that place gets g."""
    window = place_pool(x.shape, pool_size, strides, padding, output_shape=g.shape)
    winner = _winner(x, window, padding)
    x_bar = _padded_zeros(x.shape, padding, np.result_type(g))
    for (p, q), tap in _taps(x_bar, window):
        np.add(tap, g, out=tap, where=winner == p * window.window_width + q)
    return _crop(x_bar, window)


def max_pool_winners(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """The maxima, by the kernel in use (which may be your own), and the numbers of the winners."""
    from tinydl.kernels import declared  # which is built on this module

    window = place_pool(x.shape, pool_size, strides, padding, numbered_in=x.dtype)
    y = np.empty((2, *window.output_shape), np.result_type(x))
    y[0] = declared.max_pool(x, pool_size, strides, padding)
    y[1] = _winner(x, window, padding)
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
    """The maxima and winners of relu(conv(x, w) + b), by the kernels in use; -1 where relu cuts."""
    from tinydl.kernels import declared  # which is built on this module

    z = declared.conv_layer(x, w, b, relu, strides, padding, dilation)
    y = declared.max_pool_winners(z, pool_size, pool_strides, pool_padding)
    return np.stack([y[0], np.where(y[0] <= 0, -1, y[1]).astype(y.dtype)]) if relu else y


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
    """The gradients of w and b, from that of the maxima, by the kernels in use."""
    from tinydl.kernels import declared  # which is built on this module

    image = place_window(x.shape, kernel_shape, strides, padding, dilation).output_shape
    z_bar = declared.max_unpool(g, winners, image, pool_size, pool_strides, pool_padding)
    w_bar = declared.conv_kernel_gradient(x, z_bar, kernel_shape, strides, padding, dilation)
    taps, filters = prod(kernel_shape[:3]), kernel_shape[3]
    won = np.where(winners >= 0, g, 0).astype(g.dtype)
    b_bar = declared.sum_rows(won.reshape(prod(g.shape[:3]), filters))
    return np.concatenate([w_bar.reshape(taps, filters), b_bar[None]])


def max_unpool(
    g: Array,
    winners: Array,
    input_shape: Shape,
    pool_size: Pair,
    strides: Pair,
    padding: Padding,
) -> Array:
    """Where a winner has the number of a tap, g is added to that tap."""
    window = place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
    same_shape(winners.shape, g.shape, ("winners", "g"))
    x_bar = _padded_zeros(input_shape, padding, np.result_type(g))
    for (p, q), tap in _taps(x_bar, window):
        np.add(tap, g, out=tap, where=winners == p * window.window_width + q)
    return _crop(x_bar, window)


def average_pool(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
    """y[n, i, j, c] = the mean of the window's real (unpadded) elements."""
    window = place_pool(x.shape, pool_size, strides, padding)
    taps = [tap for _, tap in _taps(_pad(x, padding, "constant"), window)]
    total = np.sum(taps, axis=0)
    return np.ascontiguousarray(total / _real_elements(window, np.result_type(x, 1.0)))


def average_pool_gradient(
    g: Array,
    input_shape: Shape,
    pool_size: Pair,
    strides: Pair,
    padding: Padding,
) -> Array:
    """The mean shared its window equally; so each real element gets g / their number."""
    window = place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
    share = g / _real_elements(window, np.result_type(g, 1.0))
    x_bar = _padded_zeros(input_shape, padding, share.dtype)
    for _, tap in _taps(x_bar, window):
        tap += share
    return _crop(x_bar, window)


def relu(x: Array) -> Array:
    """y[i] = x[i] if it is positive, otherwise 0."""
    return np.asarray(np.maximum(x, x.dtype.type(0), order="C"))


def relu_gradient(g: Array, x: Array) -> Array:
    """In relu, y was x where x is positive; so x_bar is g there."""
    same_shape(g.shape, x.shape)
    x_bar = np.array(g, dtype=np.result_type(g, x), order="C")
    x_bar[x <= 0] = 0
    return x_bar


def add_row(x: Array, b: Array) -> Array:
    """y[i, j] = x[i, j] + b[j]."""
    row_shape(x.shape, b.shape)
    return np.add(x, b, order="C")


def sum_rows(x: Array) -> Array:
    """y[j] = sum over i of x[i, j]; several rows lie side by side, six times as fast for NumPy."""
    rows, columns = row_shape(x.shape, x.shape[-1:])
    x = x.astype(x.dtype.newbyteorder("="), copy=False)
    fold = max(1, 1024 // max(columns, 1))
    whole = rows // fold * fold
    folded = x[:whole].reshape(whole // fold, fold * columns)
    total = folded.sum(axis=0, dtype=x.dtype).reshape(fold, columns).sum(axis=0, dtype=x.dtype)
    return total + x[whole:].sum(axis=0, dtype=x.dtype)


def exp_each(x: Array) -> Array:
    """y[i] = e^x[i]."""
    return np.asarray(np.exp(x, order="C"))


def tanh_each(x: Array) -> Array:
    """y[i] = (e^x[i] - e^-x[i]) / (e^x[i] + e^-x[i])."""
    return np.asarray(np.tanh(x, order="C"))


def sigmoid_each(x: Array) -> Array:
    """1 / (1 + e^-x) = e^x / (1 + e^x): of the two, take the one whose exponential is below 1."""
    return np.divide(np.exp(np.minimum(x, 0)), 1 + np.exp(-np.abs(x)), order="C")


def softmax(x: Array) -> Array:
    """y[..., k] = e^x[..., k], divided by the sum of these over k."""
    e = np.exp(_below_maximum(x))
    return np.divide(e, e.sum(axis=-1, keepdims=True), order="C")


def log_softmax(x: Array) -> Array:
    """y[..., k] = x[..., k], minus the logarithm of the sum of the exponentials over k."""
    x = _below_maximum(x)
    with np.errstate(divide="ignore"):  # the sum of an empty row is 0
        log_sum = np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return np.subtract(x, log_sum, order="C")


def softmax_cross_entropy(t: Array, z: Array) -> Array:
    """y[...] = minus the sum over k of t[..., k] times the logarithm of the softmax of z."""
    logits_shape(t.shape, z.shape)
    surprise = -log_softmax(z)
    costs = np.where((t == 0) & (surprise == np.inf), 0, t * surprise)
    return np.asarray(costs.sum(axis=-1))


def softmax_cross_entropy_gradient(g: Array, t: Array, z: Array) -> Array:
    """z_bar[..., k] = g[...] times (the softmax of z times the sum of t - t)."""
    logits_shape(t.shape, z.shape, g.shape)
    difference = softmax(z) * t.sum(axis=-1, keepdims=True) - t
    return np.multiply(g[..., None], difference, order="C")


def sgd_step(w: Array, g: Array, rate: float) -> Array:
    """w'[i] = w[i] - rate * g[i]."""
    step_shape(w.shape, g.shape)
    return np.subtract(w, rate * g, order="C")


def momentum_step(
    w: Array, g: Array, v: Array, rate: float, momentum: float, nesterov: bool
) -> Array:
    """v'[i] = momentum * v[i] - rate * g[i], and w'[i] from it; w' first, then v'."""
    step_shape(w.shape, g.shape, v.shape)
    v = momentum * v - rate * g
    w = w + momentum * v - rate * g if nesterov else w + v
    return np.ascontiguousarray(np.stack([w, v]))


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
    step_shape(w.shape, g.shape, m.shape, v.shape)
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * (g * g)
    return np.ascontiguousarray(np.stack([w - rate * m / (np.sqrt(v) + epsilon), m, v]))


def _below_maximum(x: Array) -> Array:
    """The distance of each element from the largest of its row: 0 or less."""
    logits_shape(x.shape, x.shape)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    return x - x.max(axis=-1, keepdims=True, initial=-np.inf)


def _groups(window: Window) -> Iterator[tuple[slice, slice]]:
    """Yield the channels and the filters of each group; mostly all of both, in one group."""
    channels, filters = window.channels // window.groups, window.filters // window.groups
    for i in range(window.groups):
        yield slice(i * channels, (i + 1) * channels), slice(i * filters, (i + 1) * filters)


def _pad(x: Array, padding: Padding, mode: str) -> Array:
    if not any(map(any, padding)):
        return x
    return np.pad(x, ((0, 0), *padding, (0, 0)), mode=mode)  # type: ignore[call-overload]


def _padded_zeros(shape: tuple[int, ...], padding: Padding, dtype: np.dtype) -> Array:
    batch, height, width, channels = shape
    return np.zeros((batch, height + sum(padding[0]), width + sum(padding[1]), channels), dtype)


def _crop(padded: Array, window: Window) -> Array:
    top, left = window.padding_top, window.padding_left
    image = padded[:, top : top + window.height, left : left + window.width]
    return np.ascontiguousarray(image)


def _patches(x: Array, window: Window, padding: Padding) -> Array:
    """View what each window sees, as (N, OH, OW, KH, KW, C); only padding copies the image."""
    dh, dw = window.dilation_height, window.dilation_width
    span = (window.window_height - 1) * dh + 1, (window.window_width - 1) * dw + 1
    every_place = sliding_window_view(_pad(x, padding, "constant"), span, axis=(1, 2))
    places = every_place[:, :: window.stride_height, :: window.stride_width, :, ::dh, ::dw]
    return np.moveaxis(places, 3, 5)


def _taps(padded: Array, window: Window) -> Iterator[tuple[Pair, Array]]:
    """Yield each (p, q) and the view (N, OH, OW, C) of the elements that all windows see there."""
    row_span = (window.output_height - 1) * window.stride_height + 1
    column_span = (window.output_width - 1) * window.stride_width + 1
    for p, q in np.ndindex(window.window_height, window.window_width):
        row, column = p * window.dilation_height, q * window.dilation_width
        rows = slice(row, row + row_span, window.stride_height)
        columns = slice(column, column + column_span, window.stride_width)
        yield (p, q), padded[:, rows, columns]


def _winner(x: Array, window: Window, padding: Padding) -> Array:
    """Find p * PW + q of each window's maximum: the first one in row-major order; NaN wins.

    Padding repeats the edge of the image, so that a padded element is never greater than all
    real ones. It may come first, though: then the real element that it repeats is the first.
    """
    (_, best), *others = _taps(_pad(x, padding, "edge"), window)
    winner = np.zeros(best.shape, np.intp)
    for (p, q), tap in others:
        wins = ~((tap <= best) | (best != best))
        best = np.where(wins, tap, best)
        winner[wins] = p * window.window_width + q
    first_row = window.padding_top - np.arange(window.output_height) * window.stride_height
    first_column = window.padding_left - np.arange(window.output_width) * window.stride_width
    rows, columns = np.divmod(winner, window.window_width)
    rows = np.maximum(rows, first_row[:, None, None])
    columns = np.maximum(columns, first_column[:, None])
    return rows * window.window_width + columns


def _real_elements(window: Window, dtype: np.dtype) -> Array:
    """Count the real (unpadded) elements of each window, as (OH, OW, 1)."""
    top = np.arange(window.output_height) * window.stride_height - window.padding_top
    left = np.arange(window.output_width) * window.stride_width - window.padding_left
    rows = np.minimum(top + window.window_height, window.height) - np.maximum(top, 0)
    columns = np.minimum(left + window.window_width, window.width) - np.maximum(left, 0)
    return (rows[:, None, None] * columns[:, None]).astype(dtype)
