"""Convolution as one matrix product of all patches, whose pixels are found by number."""

import numpy as np


def padding_along(length, window, stride, padding):
    if padding == "same":
        rest = length % stride or stride
        total = max(window - rest, 0)
        return [total // 2, total - total // 2]
    return [0, 0]


def pixel_numbers(shape, window, strides, padding):
    """For each image, place and tap the number of the pixel in the padded image."""
    n, rows, columns, channels = shape
    rows, columns = rows + sum(padding[0]), columns + sum(padding[1])
    i = np.arange(0, rows - window[0] + 1, strides[0])
    j = np.arange(0, columns - window[1] + 1, strides[1])
    p, q = np.arange(window[0]), np.arange(window[1])
    places = (i[:, None] * columns + j)[:, :, None, None] + p[:, None] * columns + q
    images = np.arange(n)[:, None, None, None, None] * rows * columns
    return (images + places)[..., None] * channels + np.arange(channels)


def conv(x, w, strides, padding):
    numbers = pixel_numbers(x.shape, w.shape[:2], strides, padding)
    patches = np.pad(x, ((0, 0), *padding, (0, 0))).ravel()[numbers]
    return np.einsum("nijpqc,pqco->nijo", patches, w, optimize=True)


def conv_kernel_gradient(x, g, kernel_shape, strides, padding):
    numbers = pixel_numbers(x.shape, kernel_shape[:2], strides, padding)
    patches = np.pad(x, ((0, 0), *padding, (0, 0))).ravel()[numbers]
    return np.einsum("nijpqc,nijo->pqco", patches, g, optimize=True)


def conv_input_gradient(g, w, input_shape, strides, padding):
    n, rows, columns, channels = input_shape
    (top, bottom), (left, right) = padding
    numbers = pixel_numbers(input_shape, w.shape[:2], strides, padding)
    shares = np.einsum("nijo,pqco->nijpqc", g, w, optimize=True)
    total = np.bincount(
        numbers.ravel(),
        shares.ravel(),
        n * (top + rows + bottom) * (left + columns + right) * channels,
    )
    padded = total.reshape(n, top + rows + bottom, left + columns + right, channels)
    return padded[:, top : top + rows, left : left + columns].astype(g.dtype)
