"""Both gradients are convolutions, too: of turned kernels, with the gradient spread out."""

import numpy as np


def padding_along(length, window, stride, padding):
    if padding == "valid":
        return 0, 0
    m = -(-length // stride)
    p = max((m - 1) * stride + window - length, 0)
    return p // 2, p - p // 2


def conv(x, w, strides, padding):
    x = np.pad(x, ((0, 0), padding[0], padding[1], (0, 0)))
    n, h, ww, _ = x.shape
    kh, kw, _, o = w.shape
    sh, sw = strides
    oh = (h - kh) // sh + 1
    ow = (ww - kw) // sw + 1
    y = np.zeros((n, oh, ow, o), dtype=x.dtype)
    for p in range(kh):
        for q in range(kw):
            y += x[:, p : p + (oh - 1) * sh + 1 : sh, q : q + (ow - 1) * sw + 1 : sw, :] @ w[p, q]
    return y


def conv_kernel_gradient(x, g, kernel_shape, strides, padding):
    # swap the roles: batch is what we sum over, g is a (dilated) kernel
    sh, sw = strides
    n, oh, ow, o = g.shape
    holes = np.zeros((n, (oh - 1) * sh + 1, (ow - 1) * sw + 1, o), g.dtype)
    holes[:, ::sh, ::sw] = g
    big = conv(x.transpose(3, 1, 2, 0), holes.transpose(1, 2, 0, 3), (1, 1), padding)
    return big[:, : kernel_shape[0], : kernel_shape[1]].transpose(1, 2, 0, 3)


def conv_input_gradient(g, w, input_shape, strides, padding):
    n, h, ww, _ = input_shape
    (top, bottom), (left, right) = padding
    kh, kw = w.shape[:2]
    sh, sw = strides
    holes = np.zeros(
        (n, h + top + bottom - kh + 1, ww + left + right - kw + 1, g.shape[3]), g.dtype
    )
    holes[:, ::sh, ::sw] = g
    full = conv(holes, w[::-1, ::-1].swapaxes(2, 3), (1, 1), ((kh - 1, kh - 1), (kw - 1, kw - 1)))
    return full[:, top : top + h, left : left + ww]
