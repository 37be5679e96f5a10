"""Typical mistakes in assignment 5: what each answers, and wrong submissions with what they lose."""

import numpy as np

from tinydl import kernels
from tinydl.course import Mistake, either

from .properties import UNIT, same

NONE = ((0, 0), (0, 0))


def conv(x, w, strides, padding):
    return kernels.conv(x, w, strides, padding, UNIT)


def input_gradient(g, w, input_shape, strides, padding):
    return kernels.conv_input_gradient(g, w, input_shape, strides, padding, UNIT)


def kernel_gradient(x, g, kernel_shape, strides, padding):
    return kernels.conv_kernel_gradient(x, g, kernel_shape, strides, padding, UNIT)


def padded(x, padding, **how):
    return np.pad(x, ((0, 0), *padding, (0, 0)), **how)


def turned(w):
    """The kernel turned around: along both axes, or one of them."""
    return w[::-1, ::-1], w[::-1], w[:, ::-1]


def all_before(padding):
    return tuple((sum(pair), 0) for pair in padding)


def all_after(padding):
    return tuple((0, sum(pair)) for pair in padding)


def swapped_sides(padding):
    return tuple(pair[::-1] for pair in padding)


def tap(w, p, q):
    """The kernel with one of its places only."""
    alone = np.zeros_like(w)
    alone[p, q] = w[p, q]
    return alone


def at_places(x, w, strides, padding, wrong):
    """As many places as asked for, but found by other strides; behind the image are zeros."""
    _, rows, columns, _ = kernels.conv.result_shape(x, w, strides, padding, UNIT)
    far = tuple(
        (before, max(after, (places - 1) * stride + k - n - before))
        for (before, after), places, stride, k, n in zip(
            padding, (rows, columns), wrong, w.shape, x.shape[1:], strict=False
        )
    )
    return conv(x, w, wrong, far)[:, :rows, :columns]


def rounded_up(x, w, strides, padding):
    """A place more where the last window stands out of the image: it sees zeros there."""
    rest = (
        (n + sum(p) - k) % s
        for n, p, k, s in zip(x.shape[1:], padding, w.shape, strides, strict=False)
    )
    more = (stride - r if r else 0 for stride, r in zip(strides, rest, strict=False))
    return conv(x, w, strides, tuple((b, a + m) for (b, a), m in zip(padding, more, strict=False)))


def replaced_where_windows_overlap(g, w, input_shape, strides, padding):
    """x_bar if each window replaces what others left, in the order of p and q."""
    x_bar = np.zeros(input_shape)
    for p, q in np.ndindex(w.shape[:2]):
        reached = np.where(tap(w, p, q) != 0, 1.0, 0.0)
        touched = input_gradient(np.ones_like(g), reached, input_shape, strides, padding)
        share = input_gradient(g, tap(w, p, q), input_shape, strides, padding)
        x_bar = np.where(touched != 0, share, x_bar)
    return x_bar


def without_holes(g, w, input_shape, strides, padding):
    """x_bar if neighbours in g went to neighbours in x whatever the strides."""
    n, rows, columns, channels = input_shape
    (top, bottom), (left, right) = padding
    whole = np.zeros((n, top + rows + bottom, left + columns + right, channels))
    small = tuple(m + k - 1 for m, k in zip(g.shape[1:3], w.shape, strict=False))
    whole[:, : small[0], : small[1]] = input_gradient(g, w, (n, *small, channels), UNIT, NONE)
    return whole[:, top : top + rows, left : left + columns]


def seen_only(g, w, input_shape, strides, padding):
    """x_bar of the padded image, up to the last pixel that a window reaches; then cut."""
    n, rows, columns, channels = input_shape
    (top, _), (left, _) = padding
    seen = tuple((m - 1) * s + k for m, s, k in zip(g.shape[1:3], strides, w.shape, strict=False))
    whole = input_gradient(g, w, (n, *seen, channels), strides, NONE)
    return whole[:, top : top + rows, left : left + columns], whole


def padding_left_on(g, w, input_shape, strides, padding):
    n, rows, columns, channels = input_shape
    sums = (rows + sum(padding[0]), columns + sum(padding[1]))
    return input_gradient(g, w, (n, *sums, channels), strides, NONE)


def cut_to_minus(g, w, input_shape, strides, padding):
    """x_bar[:, top:-bottom, left:-right], which is empty where bottom or right is 0."""
    (top, bottom), (left, right) = padding
    if bottom and right:
        raise ValueError("right in this case")
    return padding_left_on(g, w, input_shape, strides, padding)[:, top:-bottom, left:-right]


def cut_at_the_wrong_side(g, w, input_shape, strides, padding):
    whole = padding_left_on(g, w, input_shape, strides, padding)
    _, rows, columns, _ = input_shape
    (_, bottom), (_, right) = padding
    return [
        whole[:, first : first + rows, second : second + columns]
        for first, second in ((0, 0), (bottom, right))
    ]


def at_the_last_place(g):
    last = np.zeros_like(g)
    last[:, -1, -1] = g[:, -1, -1]
    return last


def halves(total):
    return np.array([total // 2, total - total // 2])


PADDING = {
    "the odd zero belongs after, not before": lambda *a: np.array(same(*a)[::-1]),
    "strides are left out: only k - 1 zeros": lambda n, k, s, p: np.array(
        [(k - 1) // 2, k - 1 - (k - 1) // 2]
    ),
    "half of it on both sides: if it is odd, a zero is missing": lambda *a: np.array(
        [sum(same(*a)) // 2] * 2
    ),
    "all of it on both sides: each gets one half": lambda *a: np.array([sum(same(*a))] * 2),
    "it may not be negative: max(..., 0) is missing": lambda n, k, s, p: halves(
        (-(-n // s) - 1) * s + k - n
    ),
    "n / s has to be rounded up": lambda n, k, s, p: halves(max((n // s - 1) * s + k - n, 0)),
}


def with_strides(choose):
    """The answer with other strides, at as many places as asked for or as they give."""
    return either(
        lambda x, w, s, p: at_places(x, w, s, p, choose(s)),
        lambda x, w, s, p: conv(x, w, choose(s), p),
    )


def with_padding(*changes):
    return either(*(lambda x, w, s, p, f=f: conv(x, w, s, f(p)) for f in changes))


def square(y):
    return y[:, :, : y.shape[1]]


CONV = {
    "the kernel is turned around": lambda x, w, s, p: [conv(x, v, s, p) for v in turned(w)],
    "height and width of the strides are exchanged": with_strides(lambda s: s[::-1]),
    "the strides are left out": with_strides(lambda s: UNIT),
    "one stride is used along both axes": either(
        with_strides(lambda s: (s[0], s[0])), with_strides(lambda s: (s[1], s[1]))
    ),
    "height and width of the padding are exchanged": with_padding(lambda p: p[::-1]),
    "padding is put on the other side": with_padding(swapped_sides),
    "all of the padding is put on one side": with_padding(all_before, all_after),
    "both sides get the padding of one of them": with_padding(
        lambda p: tuple((before,) * 2 for before, _ in p),
        lambda p: tuple((after,) * 2 for _, after in p),
    ),
    "the padding is left out": with_padding(lambda p: NONE),
    "the number of columns is not that of rows": lambda x, w, s, p: square(conv(x, w, s, p)),
    "padding is zeros, not the pixels at the border": either(
        lambda x, w, s, p: conv(padded(x, p, mode="edge"), w, s, NONE),
        lambda x, w, s, p: conv(padded(x, p, mode="reflect"), w, s, NONE),
    ),
    "the + 1 is missing in the number of places": lambda x, w, s, p: conv(x, w, s, p)[:, :-1, :-1],
    "the number of places is rounded up": rounded_up,
    "rows and columns of the kernel are exchanged": lambda x, w, s, p: conv(
        x, w.swapaxes(0, 1), s, p
    ),
    "channels and filters of the kernel are exchanged": either(
        lambda x, w, s, p: conv(
            x, w.reshape(*w.shape[:2], w.shape[3], w.shape[2]).swapaxes(2, 3), s, p
        ),
        lambda x, w, s, p: conv(x, w.swapaxes(2, 3), s, p),
    ),
    "only the first channel counts": lambda x, w, s, p: conv(x[..., :1], w[:, :, :1], s, p),
    "each channel has to meet its own part of the kernel before they are summed": (
        lambda x, w, s, p: conv(x.sum(-1, keepdims=True), w.sum(2, keepdims=True), s, p)
    ),
    "not summed over p and q: each replaces what the last one gave": lambda x, w, s, p: conv(
        x, tap(w, -1, -1), s, p
    ),
    "only p = q = 0 counts": lambda x, w, s, p: conv(x, tap(w, 0, 0), s, p),
    "each image has a result of its own": lambda x, w, s, p: [
        np.repeat(conv(one, w, s, p), len(x), axis=0)
        for one in (x[:1], x[-1:], x.sum(0, keepdims=True))
    ],
    "a convolution has no relu: what is negative stays": lambda x, w, s, p: np.maximum(
        conv(x, w, s, p), 0
    ),
}
FOR_INPUT = {
    "what windows add where they overlap is replaced, not added": replaced_where_windows_overlap,
    "the kernel is turned around": lambda g, w, n, s, p: [
        input_gradient(g, v, n, s, p) for v in turned(w)
    ],
    "the strides are left out: between the elements of g there are holes": without_holes,
    "height and width of the strides are exchanged": lambda g, w, n, s, p: input_gradient(
        g, w, n, s[::-1], p
    ),
    "the padding is left on: it has to be cut off": padding_left_on,
    "the padding is cut off at the wrong side": cut_at_the_wrong_side,
    "a slice that ends at -0 is empty: where a padding is 0, nothing is left": cut_to_minus,
    "pixels that no window reaches are left out": seen_only,
    "channels and filters are exchanged": lambda g, w, n, s, p: input_gradient(
        g, w.swapaxes(2, 3), n, s, p
    ),
    "a mean over the images: each image has a gradient of its own": lambda g, w, n, s, p: (
        input_gradient(g, w, n, s, p) / len(g)
    ),
    "only the first filter counts": lambda g, w, n, s, p: input_gradient(
        g[..., :1], w[..., :1], n, s, p
    ),
}
FOR_KERNEL = {
    "the kernel is turned around": lambda x, g, n, s, p: turned(kernel_gradient(x, g, n, s, p)),
    "a mean over the images, not their sum": lambda x, g, n, s, p: (
        kernel_gradient(x, g, n, s, p) / len(x)
    ),
    "a mean over the places, not their sum": lambda x, g, n, s, p: [
        kernel_gradient(x, g, n, s, p) / count for count in (g[0, ..., 0].size, g[..., 0].size)
    ],
    "not summed over the images": lambda x, g, n, s, p: np.stack(
        [kernel_gradient(x[i : i + 1], g[i : i + 1], n, s, p) for i in range(len(x))]
    ),
    "only the first image counts": lambda x, g, n, s, p: kernel_gradient(x[:1], g[:1], n, s, p),
    "only the last image counts": lambda x, g, n, s, p: kernel_gradient(x[-1:], g[-1:], n, s, p),
    "not summed over the places: each replaces what the last one gave": lambda x, g, n, s, p: (
        kernel_gradient(x, at_the_last_place(g), n, s, p)
    ),
    "height and width of the strides are exchanged": lambda x, g, n, s, p: kernel_gradient(
        x, g, n, s[::-1], p
    ),
    "the strides are left out": lambda x, g, n, s, p: kernel_gradient(
        padded(x, p)[:, : g.shape[1] + n[0] - 1, : g.shape[2] + n[1] - 1], g, n, UNIT, NONE
    ),
    "padding is put on the other side": either(
        lambda x, g, n, s, p: kernel_gradient(x, g, n, s, swapped_sides(p)),
        lambda x, g, n, s, p: kernel_gradient(x, g, n, s, all_before(p)),
        lambda x, g, n, s, p: kernel_gradient(x, g, n, s, all_after(p)),
    ),
    "channels and filters are exchanged": lambda x, g, n, s, p: kernel_gradient(
        x, g, n, s, p
    ).swapaxes(2, 3),
}


def merged(*catalogues):
    """One catalogue for properties that call several functions: a name stands for all its forms."""
    names = [name for known in catalogues for name in known]
    return {name: either(*(known[name] for known in catalogues if name in known)) for name in names}


LIKELY = {
    "padding: how much is added": PADDING,
    "convolution: value": CONV,
    "convolution: strides and padding": CONV,
    "gradient for the input: value": FOR_INPUT,
    "gradient for the kernel: value": FOR_KERNEL,
    "gradients: strides and padding": merged(FOR_INPUT, FOR_KERNEL),
    "edge cases: one pixel, pixels no window sees": merged(CONV, FOR_INPUT, FOR_KERNEL),
}

VECTORISED = """    y = np.zeros((x.shape[0], height, width, w.shape[3]), x.dtype)
    for p in range(w.shape[0]):
        for q in range(w.shape[1]):
            y += seen(padded, p, q, height, width, strides) @ w[p, q]
    return y
"""
PIXEL_BY_PIXEL = """    y = np.zeros((x.shape[0], height, width, w.shape[3]), x.dtype)
    for n, i, j, o in np.ndindex(y.shape):
        for p, q, c in np.ndindex(w.shape[:3]):
            y[n, i, j, o] += padded[n, i * strides[0] + p, j * strides[1] + q, c] * w[p, q, c, o]
    return y
"""

MISTAKES = [
    Mistake(
        "the kernel turned around",
        replace="y += seen(padded, p, q, height, width, strides) @ w[p, q]",
        by="y += seen(padded, p, q, height, width, strides) @ w[-1 - p, -1 - q]",
        loses=(
            "convolution: value",
            "convolution: strides and padding",
            "adjoint identities",
            "edge cases: one pixel, pixels no window sees",
            "float32 stays float32",
            "a batch of MNIST in a second",
            "inputs are left as they were",
        ),
        says="the kernel is turned around",
    ),
    Mistake(
        "strides exchanged",
        replace="down, right = strides",
        by="right, down = strides",
        loses=(
            "convolution: value",
            "convolution: strides and padding",
            "gradient for the input: value",
            "gradient for the kernel: value",
            "gradients: strides and padding",
            "adjoint identities",
            "edge cases: one pixel, pixels no window sees",
            "float32 stays float32",
            "inputs are left as they were",
        ),
        says="height exchanged with width",
    ),
    Mistake(
        "overlapping windows replace each other",
        replace="pixels += g @ w[p, q].T",
        by="pixels[...] = g @ w[p, q].T",
        loses=(
            "gradient for the input: value",
            "gradients: strides and padding",
            "adjoint identities",
            "a batch of MNIST in a second",
        ),
        says="is replaced, not added",
    ),
    Mistake(
        "padding left on the gradient",
        replace="return x_bar[:, top : top + rows, left : left + columns].copy()",
        by="return x_bar",
        loses=(
            "gradient for the input: value",
            "gradients: strides and padding",
            "adjoint identities",
            "a batch of MNIST in a second",
        ),
        says="the shape of the images without padding",
    ),
    Mistake(
        "padding cut off at the wrong side",
        replace="return x_bar[:, top : top + rows, left : left + columns].copy()",
        by="return x_bar[:, bottom : bottom + rows, right : right + columns].copy()",
        loses=(
            "gradient for the input: value",
            "gradients: strides and padding",
            "adjoint identities",
        ),
        says="the padding is cut off at the wrong side",
    ),
    Mistake(
        "the odd zero before",
        replace="return total // 2, total - total // 2",
        by="return total - total // 2, total // 2",
        loses=("padding: how much is added",),
        says="the odd zero belongs after",
    ),
    Mistake(
        "padding as if the stride were 1",
        replace="total = max((places - 1) * stride + window - length, 0)",
        by="total = window - 1",
        loses=("padding: how much is added",),
        says="strides are left out",
    ),
    Mistake(
        "a sum in float64",
        replace="y = np.zeros((x.shape[0], height, width, w.shape[3]), x.dtype)",
        by="y = np.zeros((x.shape[0], height, width, w.shape[3]))",
        loses=("float32 stays float32",),
        says="y has the dtype float64, expected float32",
    ),
    Mistake(
        "a mean over the batch",
        replace="w_bar[p, q] = np.tensordot(pixels, g, axes=((0, 1, 2), (0, 1, 2)))",
        by="w_bar[p, q] = np.tensordot(pixels, g, axes=((0, 1, 2), (0, 1, 2))) / len(x)",
        loses=(
            "gradient for the kernel: value",
            "gradients: strides and padding",
            "adjoint identities",
            "a batch of MNIST in a second",
        ),
        says="a mean over the images",
    ),
    Mistake(
        "the gradient scaled in place",
        replace="    n, rows, columns, channels = input_shape",
        by="    n, rows, columns, channels = input_shape\n    g /= 2.0\n    w = 2.0 * w",
        loses=("inputs are left as they were",),
        says="conv_input_gradient changes its input g",
    ),
    Mistake(
        "a loop over pixels",
        replace=VECTORISED,
        by=PIXEL_BY_PIXEL,
        loses=("a batch of MNIST in a second",),
        says="Loop over the window only",
    ),
    Mistake(
        "no holes for the strides",
        replace="pixels = seen(x_bar, p, q, height, width, strides)",
        by="pixels = seen(x_bar, p, q, height, width, (1, 1))",
        loses=(
            "gradient for the input: value",
            "gradients: strides and padding",
            "adjoint identities",
            "edge cases: one pixel, pixels no window sees",
        ),
        says="the strides are left out",
    ),
    Mistake(
        "everything in float32",
        replace="y = np.zeros((x.shape[0], height, width, w.shape[3]), x.dtype)",
        by="y = np.zeros((x.shape[0], height, width, w.shape[3]), np.float32)\n"
        "    padded, w = padded.astype(np.float32), w.astype(np.float32)",
        loses=("float32 stays float32",),
        says="y has the dtype float32, expected float64",
    ),
]
