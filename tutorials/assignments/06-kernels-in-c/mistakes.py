"""Typical mistakes in assignment 6: what each answers, and wrong submissions with what they lose."""

from functools import partial

import numpy as np

from tinydl import kernels
from tinydl.course import Mistake, either


def as_in_memory(a):
    """The elements in the order in which they lie there; an error if that is the right one."""
    if a.flags.c_contiguous:
        raise ValueError("its rows are contiguous")
    return np.ravel(a, order="K").reshape(a.shape)


def half_as_in_memory(a):
    """The elements by one stride of a transposed matrix, and one of a matrix that is not."""
    if a.flags.c_contiguous or a.ndim != 2:
        raise ValueError("its rows are contiguous")
    i, j = np.indices(a.shape)
    flat = np.ravel(a, order="K")
    places = i + j, i * a.shape[1] + j * a.shape[0]
    return [flat[place] for place in places if place.max() < flat.size]


def first_matrix(a):
    if a.ndim < 3:
        raise ValueError("it is no batch")
    return np.broadcast_to(a[:1], a.shape)


def up_to_a_multiple(y, n):
    y[..., y.shape[-1] // n * n :] = 0
    return y


def in_whole_numbers(a, b):
    """The product if each sum is an int."""
    y = np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]))
    for k in range(a.shape[-1]):
        y = np.trunc(y + a[..., :, k, None] * b[..., None, k, :])
    return y


PRODUCT = {
    "the strides of a are ignored: it is read as if its rows were contiguous": lambda a, b: (
        as_in_memory(a) @ b
    ),
    "the strides of b are ignored: it is read as if its rows were contiguous": lambda a, b: (
        a @ as_in_memory(b)
    ),
    "the strides of a and b are ignored: they are read as if their rows were contiguous": (
        lambda a, b: as_in_memory(a) @ as_in_memory(b)
    ),
    "one of the two strides of a matrix is ignored": either(
        lambda a, b: [half @ b for half in half_as_in_memory(a)],
        lambda a, b: [a @ half for half in half_as_in_memory(b)],
    ),
    "every matrix of the batch is the first one": either(
        lambda a, b: first_matrix(a) @ b,
        lambda a, b: a @ first_matrix(b),
        lambda a, b: first_matrix(a) @ first_matrix(b),
    ),
    "the last term of the sum is missing": lambda a, b: a[..., :-1] @ b[..., :-1, :],
    "the first term of the sum is missing": lambda a, b: a[..., 1:] @ b[..., 1:, :],
    "the terms after the last multiple of 4, 8 or 16 are left out": either(
        *(
            lambda a, b, n=n: a[..., : a.shape[-1] // n * n] @ b[..., : b.shape[-2] // n * n, :]
            for n in (2, 4, 8, 16)
        )
    ),
    "the columns after the last multiple of 4, 8 or 16 are left out": either(
        *(lambda a, b, n=n: up_to_a_multiple(a @ b, n) for n in (2, 4, 8, 16))
    ),
    "only the last term counts: it replaces the sum": lambda a, b: a[..., -1:] @ b[..., -1:, :],
    "the sum is not set to 0 for each element": lambda a, b: np.cumsum(a @ b).reshape(
        (a @ b).shape
    ),
    "rows and columns are exchanged where y is written": lambda a, b: (
        (a @ b).swapaxes(-1, -2).reshape((a @ b).shape)
    ),
    "rows and columns are exchanged where a or b is read": either(
        lambda a, b: a @ b.swapaxes(-1, -2),
        lambda a, b: a.swapaxes(-1, -2) @ b,
        lambda a, b: a.swapaxes(-1, -2) @ b.swapaxes(-1, -2),
    ),
    "the sum is an int": in_whole_numbers,
    "a product of matrices has no relu: what is negative stays": lambda a, b: np.maximum(a @ b, 0),
}


def as_asked(i, p, s, d, before, *_):
    return i * s + p * d - before


def inside(row, column, height, width):
    return 0 <= row < height and 0 <= column < width


def by(row=as_asked, column=as_asked, counts=inside, stops=False):
    """A wrong answer: other rows or columns, or other ones that count, or none after one outside.

    What does not count as outside is read where it would lie in memory.
    """

    def wrong(x, w, strides, padding, dilation):
        y = np.zeros(kernels.conv.result_shape(x, w, strides, padding, dilation))
        n, height, width, channels = x.shape
        pixels = x.reshape(n * height * width, channels)
        settings = tuple(zip(strides, dilation, (padding[0][0], padding[1][0]), strict=True))
        for i, j in np.ndindex(y.shape[1:3]):
            for p in range(w.shape[0]):
                r = row(i, p, *settings[0], *settings[1])
                if stops and not 0 <= r < height:
                    break
                for q in range(w.shape[1]):
                    c = column(j, q, *settings[1], *settings[0])
                    if counts(r, c, height, width):
                        for m in range(n):
                            place = (m * height + r) * width + c
                            if not 0 <= place < len(pixels):
                                raise IndexError("outside of the array")
                            y[m, i, j] += pixels[place] @ w[p, q]
                    elif stops:
                        break
        return y

    return wrong


def along(place):
    """Other rows and columns, by one formula for both: of i, p, the settings, and the other ones."""
    return by(place, place)


def conv(x, w, s, p, d):
    return kernels.conv(x.astype(np.float64), w.astype(np.float64), s, p, d)


def read_as(order, axes):
    """x, as if its axes lay in memory in another order."""

    def wrong(x, w, s, p, d):
        lengths = [x.shape[axis] for axis in order]
        return conv(x.reshape(lengths).transpose(axes), w, s, p, d)

    return wrong


def kernel_read_as(order, axes):
    def wrong(x, w, s, p, d):
        lengths = [w.shape[axis] for axis in order]
        return conv(x, w.reshape(lengths).transpose(axes), s, p, d)

    return wrong


def without_rim(x, edges):
    x = x.copy()
    for edge in edges:
        x[:, edge] = 0
        x[:, :, edge] = 0
    return x


def whole_windows_only(x, w, s, p, d):
    """0 where a window stands out of the image."""
    met = conv(np.ones_like(x), np.ones_like(w), s, p, d)
    return np.where(met == w[..., 0].size, conv(x, w, s, p, d), 0.0)


def nearest_pixel(x, w, s, p, d):
    padded = np.pad(x, ((0, 0), *p, (0, 0)), mode="edge")
    return conv(padded, w, s, ((0, 0), (0, 0)), d)


CONVOLUTION = {
    "the kernel is turned around": lambda x, w, *settings: [
        conv(x, turned, *settings) for turned in (w[::-1, ::-1], w[::-1], w[:, ::-1])
    ],
    "the dilation is left out": along(lambda i, p, s, d, before, *_: i * s + p - before),
    "the strides are left out": along(lambda i, p, s, d, before, *_: i + p * d - before),
    "height and width of the strides are exchanged": along(
        lambda i, p, s, d, before, other, *_: as_asked(i, p, other, d, before)
    ),
    "height and width of the dilation are exchanged": along(
        lambda i, p, s, d, before, _, other, *__: as_asked(i, p, s, other, before)
    ),
    "top and left are exchanged": along(
        lambda i, p, s, d, before, _, __, other: as_asked(i, p, s, d, other)
    ),
    "the padding is not subtracted": along(lambda i, p, s, d, before, *_: i * s + p * d),
    "the padding is added, not subtracted": along(
        lambda i, p, s, d, before, *_: i * s + p * d + before
    ),
    "the dilation has nothing to do with the strides": along(
        lambda i, p, s, d, before, *_: (i + p * d) * s - before
    ),
    "channels and filters are exchanged where w is read": kernel_read_as(
        (0, 1, 3, 2), (0, 1, 3, 2)
    ),
    "w lies in memory as (window_height, window_width, channels, filters)": either(
        kernel_read_as((3, 2, 0, 1), (2, 3, 1, 0)),
        kernel_read_as((2, 3, 0, 1), (2, 3, 0, 1)),
        kernel_read_as((1, 0, 2, 3), (1, 0, 2, 3)),
        kernel_read_as((2, 0, 1, 3), (1, 2, 0, 3)),
        kernel_read_as((3, 0, 1, 2), (1, 2, 3, 0)),
    ),
    "x lies in memory as (batch, height, width, channels)": either(
        read_as((0, 3, 1, 2), (0, 2, 3, 1)),
        read_as((0, 2, 1, 3), (0, 2, 1, 3)),
        read_as((0, 3, 2, 1), (0, 3, 2, 1)),
    ),
    "rows and columns are exchanged where y is written": lambda *case: (
        conv(*case).swapaxes(1, 2).reshape(conv(*case).shape)
    ),
    "columns outside of the image are read: they are pixels of another row": either(
        by(counts=lambda r, c, h, w: 0 <= r < h), by(counts=lambda r, c, h, w: True)
    ),
    "rows outside of the image are read: they are pixels of another image": by(
        counts=lambda r, c, h, w: 0 <= c < w
    ),
    "of the two tests of a row or column, one is missing": either(
        by(counts=lambda r, c, h, w: r < h and c < w),
        by(counts=lambda r, c, h, w: r >= 0 and c >= 0),
    ),
    "row `height` and column `width` are outside: the test is >=, not >": by(
        counts=lambda r, c, h, w: 0 <= r <= h and 0 <= c <= w
    ),
    "row and column 0 are inside": lambda x, *rest: conv(without_rim(x, (0,)), *rest),
    "the last row and column are inside": lambda x, *rest: conv(without_rim(x, (-1,)), *rest),
    "after a pixel outside of the image the rest of the window counts, too: continue, not break": (
        by(stops=True)
    ),
    "where a window stands out of the image, its pixels inside count": whole_windows_only,
    "padding is zeros, not the pixels at the border": nearest_pixel,
    "only the first channel counts": lambda x, w, *settings: conv(
        x[..., :1], w[:, :, :1], *settings
    ),
    "only the first image counts": lambda x, *rest: np.repeat(conv(x[:1], *rest), len(x), axis=0),
}

MistakeInC = partial(Mistake, file="kernels.c")

ZEROED = "            for (int64_t j = 0; j < s->columns; j++) row[j] = 0;\n"
ALONG_ROWS = """            for (int64_t j = 0; j < s->columns; j++) row[j] = 0;
            for (int64_t k = 0; k < s->terms; k++) {
                real factor = a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride];
                const real *terms = b + n * s->b_batch_stride + k * s->b_term_stride;
                if (s->b_column_stride == 1) /* neighbours: the compiler makes vectors of them */
                    for (int64_t j = 0; j < s->columns; j++) row[j] += factor * terms[j];
                else
                    for (int64_t j = 0; j < s->columns; j++)
                        row[j] += factor * terms[j * s->b_column_stride];
            }
"""
SUM_IN_FLOAT = """            for (int64_t j = 0; j < s->columns; j++) {
                float sum = 0;
                for (int64_t k = 0; k < s->terms; k++)
                    sum += a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride]
                         * b[n * s->b_batch_stride + k * s->b_term_stride + j * s->b_column_stride];
                row[j] = sum;
            }
"""
VECTORS_OF_ROWS = "for (int64_t j = 0; j < s->columns; j++) row[j] += factor * terms[j];"
INSIDE = "if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;"

LIKELY = {
    "matmul: value": PRODUCT,
    "matmul: ragged shapes": PRODUCT,
    "matmul: transposed and repeated matrices": PRODUCT,
    "conv: value": CONVOLUTION,
    "conv: strides and padding": CONVOLUTION,
    "conv: dilation and ragged shapes": CONVOLUTION,
}

MISTAKES = [
    MistakeInC(
        "y not set to zero",
        replace=ZEROED,
        by="",
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "matmul: a sum of nothing is 0",
            "nan and infinity are not lost",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="added to before it was 0",
    ),
    MistakeInC(
        "strides of b ignored",
        replace="const real *terms = b + n * s->b_batch_stride + k * s->b_term_stride;",
        by="const real *terms = b + n * s->b_batch_stride + k * s->columns;",
        loses=("matmul: transposed and repeated matrices",),
        says="Use all six strides",
    ),
    MistakeInC(
        "strides of a ignored",
        replace="factor = a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride]",
        by="factor = a[n * s->a_batch_stride + i * s->terms + k]",
        loses=("matmul: transposed and repeated matrices",),
        says="the strides of a are ignored",
    ),
    MistakeInC(
        "one column too many",
        replace=VECTORS_OF_ROWS,
        by=VECTORS_OF_ROWS.replace("j < s->columns", "j <= s->columns"),
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "nan and infinity are not lost",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="outside",
    ),
    MistakeInC(
        "steps of four, and no rest",
        replace=VECTORS_OF_ROWS,
        by=VECTORS_OF_ROWS.replace("j < s->columns", "j + 3 < s->columns"),
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "nan and infinity are not lost",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="expected",
    ),
    MistakeInC(
        "the row computed anew for each column",
        replace=ALONG_ROWS,
        by=f"            for (int64_t again = 0; again < s->columns; again++) {{\n{ALONG_ROWS}            }}\n",
        loses=("matmul: not much slower than the plain loops",),
        says="Each product a(i, k) b(k, j) is needed once",
    ),
    MistakeInC(
        "a sum in float",
        replace=ALONG_ROWS,
        by=SUM_IN_FLOAT,
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
        ),
        says="something is computed in float32",
    ),
    MistakeInC(
        "zeros skipped",
        replace="                if (s->b_column_stride == 1)",
        by="                if (factor == 0) continue;\n                if (s->b_column_stride == 1)",
        loses=("nan and infinity are not lost",),
        says="Zero times infinity is nan",
    ),
    MistakeInC(
        "a static array that remembers",
        replace="return 0;\n    // ### END SOLUTION\n}\n\n/* y(n, i, j, o)",
        by="static real calls;\n    y[0] += calls++;\n    return 0;\n"
        "    // ### END SOLUTION\n}\n\n/* y(n, i, j, o)",
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "matmul: a sum of nothing is 0",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="A kernel keeps nothing between two calls",
    ),
    MistakeInC(
        "padding that is read",
        replace=INSIDE,
        by="",
        loses=("conv: strides and padding", "conv: dilation and ragged shapes"),
        says="outside",
    ),
    MistakeInC(
        "the last row and column left out",
        replace=INSIDE,
        by=INSIDE.replace(">= s->height", ">= s->height - 1"),
        loses=(
            "conv: value",
            "conv: strides and padding",
            "conv: dilation and ragged shapes",
            "nan and infinity are not lost",
            "twice the same call, twice the same bits",
        ),
        says="expected",
    ),
    MistakeInC(
        "strides of the window exchanged",
        replace="row = i * s->stride_height + p * s->dilation_height - s->padding_top;",
        by="row = i * s->stride_width + p * s->dilation_height - s->padding_top;",
        loses=("conv: strides and padding", "conv: dilation and ragged shapes"),
        says="expected",
    ),
    MistakeInC(
        "the dilation left out",
        replace="row = i * s->stride_height + p * s->dilation_height - s->padding_top;",
        by="row = i * s->stride_height + p - s->padding_top;",
        loses=("conv: dilation and ragged shapes",),
        says="expected",
    ),
    MistakeInC(
        "channels and filters exchanged",
        replace="tap[c * s->filters + o]",
        by="tap[o * s->channels + c]",
        loses=(
            "conv: value",
            "conv: strides and padding",
            "conv: dilation and ragged shapes",
            "twice the same call, twice the same bits",
        ),
        says="channels and filters are exchanged",
    ),
    MistakeInC(
        "the batch of b left out",
        replace="const real *terms = b + n * s->b_batch_stride + k * s->b_term_stride;",
        by="const real *terms = b + k * s->b_term_stride;",
        loses=("matmul: transposed and repeated matrices",),
        says="every matrix of the batch is the first one",
    ),
]
