"""What is graded in assignment 6: two C functions, called on random arrays under sanitizers."""

import time

import numpy as np

from tinydl import kernels
from tinydl.course import Assignment, Limits, expect, expect_close
from tinydl.course.written import products
from tinydl.kernels import literal

assignment = Assignment(
    "06-kernels-in-c",
    title="The matrix product and the convolution in C",
    file="kernels.c",
    functions=("matmul(a, b)", "conv(x, w, strides, padding, dilation)"),
    limits=Limits(seconds=30.0, total_seconds=300.0),
    tutorial="09_convolution_three_ways",
)

PRODUCT = r"y_{nij} = \sum_k a_{nik} \, b_{nkj}"
CONVOLUTION = (
    r"y_{nijo} = \sum_{p, q, c} x_{n, i s_h + p d_h - top, j s_w + q d_w - left, c} \, w_{pqco}"
)
NO_PADDING = ((0, 0), (0, 0))


def draw_type(draw):
    return np.float32 if draw.case % 2 else np.float64


def rounding(one, other, terms):
    """A bound for the rounding of a sum of so many products, four times as wide as it has to be."""
    largest = np.abs(one).max(initial=1.0) * np.abs(other).max(initial=1.0)
    return 4 * (terms + 2) * terms * largest * np.finfo(one.dtype).eps


def expect_product(student, a, b):
    """Hold matmul against NumPy's product in float64."""

    def written(at):
        *_, i, j = at
        if a.ndim > 2 or b.ndim > 2:
            return ""
        return f"y_{{{i}{j}}} = {products(a[i], b[:, j])}"

    expect_close(
        student.matmul(a, b),
        a.astype(np.float64) @ b.astype(np.float64),
        name="y",
        rtol=0.0,
        atol=rounding(a, b, a.shape[-1]),
        dtype=a.dtype,
        numbers=written,
    )


@assignment.property("matmul: value", points=20, public=True, formula=PRODUCT)
def product_value(student, draw):
    rows, terms, columns = draw.shape(3, most=7)
    real = draw_type(draw)
    expect_product(
        student,
        draw.normal((rows, terms), dtype=real),
        draw.normal((terms, columns), dtype=real),
    )


@assignment.property(
    "matmul: ragged shapes",
    points=10,
    formula=PRODUCT,
    hint="Lengths that are no multiple of 4, 8 or 16, and lengths of 1.",
)
def product_ragged(student, draw):
    lengths = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 65, 130)
    rows, terms, columns = (lengths[draw.integer(0, len(lengths) - 1)] for _ in range(3))
    real = draw_type(draw)
    expect_product(
        student,
        draw.normal((rows, terms), dtype=real),
        draw.normal((terms, columns), dtype=real),
    )


@assignment.property(
    "matmul: transposed and repeated matrices",
    points=12,
    public=True,
    cases=30,
    formula=PRODUCT,
    hint="Use all six strides. A batch stride of 0 means: one matrix for the whole batch.",
)
def product_strided(student, draw):
    rows, terms, columns = draw.shape(3, most=6)
    real = draw_type(draw)
    a, b = draw.normal((rows, terms), dtype=real), draw.normal((terms, columns), dtype=real)
    kind = draw.case % 5
    if kind == 0:
        a = np.asfortranarray(a)
    if kind == 1 or draw.boolean():
        b = np.asfortranarray(b)
    batch = draw.integer(2, 3)
    if kind in (2, 4):
        a = draw.normal((batch, rows, terms), dtype=real)
    if kind in (3, 4):
        b = draw.normal((batch, terms, columns), dtype=real)
    expect_product(student, a, b)


@assignment.property(
    "matmul: a sum of nothing is 0",
    points=4,
    cases=4,
    hint="With no terms, y still has to be set to 0.",
)
def product_empty(student, draw):
    rows, columns = draw.shape(2, most=4)
    real = draw_type(draw)
    expect_product(student, np.zeros((rows, 0), real), np.zeros((0, columns), real))


def expect_convolution(student, x, w, strides, padding, dilation):
    """Hold conv against the formula read literally, in float64."""

    def written(at):
        n, i, j, o = at
        (top, _), (left, _) = padding
        terms = []
        for p, q in np.ndindex(w.shape[:2]):
            row = i * strides[0] + p * dilation[0] - top
            column = j * strides[1] + q * dilation[1] - left
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                terms += [(x[n, row, column, c], w[p, q, c, o]) for c in range(w.shape[2])]
        return f"y_{{{n}{i}{j}{o}}} = {products(*zip(*terms, strict=True))}" if terms else ""

    right = literal.conv(x.astype(np.float64), w.astype(np.float64), strides, padding, dilation)
    expect_close(
        student.conv(x, w, strides, padding, dilation),
        right,
        name="y",
        rtol=0.0,
        atol=rounding(x, w, int(np.prod(w.shape[:3]))),
        dtype=x.dtype,
        numbers=written,
    )


def draw_images(draw, strides, padding, dilation, most_window=3):
    """Images and a kernel that fits on them."""
    window = draw.shape(2, most=most_window)
    spans = ((k - 1) * d + 1 for k, d in zip(window, dilation, strict=True))
    rows, columns = (
        max(1, span - sum(pair)) + draw.integer(0, 4)
        for span, pair in zip(spans, padding, strict=True)
    )
    channels, filters = draw.integer(1, 3), draw.integer(1, 3)
    real = draw_type(draw)
    x = draw.normal((draw.integer(1, 2), rows, columns, channels), dtype=real)
    return x, draw.normal((*window, channels, filters), dtype=real)


@assignment.property("conv: value", points=20, public=True, formula=CONVOLUTION)
def conv_value(student, draw):
    settings = (1, 1), NO_PADDING, (1, 1)
    expect_convolution(student, *draw_images(draw, *settings), *settings)


def draw_settings(draw, most_stride, most_padding, most_dilation):
    strides, dilation = draw.shape(2, most_stride), draw.shape(2, most_dilation)
    padding = tuple((draw.integer(0, most_padding), draw.integer(0, most_padding)) for _ in "hw")
    return strides, padding, dilation


@assignment.property(
    "conv: strides and padding",
    points=12,
    public=True,
    cases=30,
    formula=CONVOLUTION,
    hint="Rows and columns outside of the image are not in memory.",
)
def conv_padded(student, draw):
    settings = draw_settings(draw, 2, 2, 1)
    expect_convolution(student, *draw_images(draw, *settings), *settings)


@assignment.property(
    "conv: dilation and ragged shapes",
    points=8,
    cases=30,
    formula=CONVOLUTION,
)
def conv_ragged(student, draw):
    settings = draw_settings(draw, 4, 3, 3)
    expect_convolution(student, *draw_images(draw, *settings, most_window=5), *settings)


@assignment.property(
    "nan and infinity are not lost",
    points=4,
    cases=6,
    hint="Zero times infinity is nan: no term may be skipped because a factor is 0.",
)
def not_finite(student, draw):
    n = draw.integer(2, 4)
    a, b = draw.normal((n, n)), draw.normal((n, n))
    a[0, 0], b[0, 0] = 0.0, draw.choice((np.inf, np.nan))
    for one, other in ((a, b), (b, a)):  # the 0 on either side
        expect_close(student.matmul(one, other), one @ other, name="y")
    settings = (1, 1), NO_PADDING, (1, 1)
    for x, w in (
        (b.reshape(1, n, n, 1), np.zeros((1, 1, 1, 1))),
        (np.zeros((1, n, n, 1)), b[:1, :1].reshape(1, 1, 1, 1)),
    ):
        expect_close(student.conv(x, w, *settings), x * w, name="y")


@assignment.property(
    "twice the same call, twice the same bits",
    points=4,
    cases=6,
    hint="A kernel keeps nothing between two calls.",
)
def same_bits(student, draw):
    a, b = draw.normal((3, 4)), draw.normal((4, draw.integer(1, 5)))
    x, w = draw.normal((1, 4, 4, 2)), draw.normal((2, 2, 2, draw.integer(1, 3)))
    settings = (1, 1), NO_PADDING, (1, 1)
    for call, right in (
        (lambda: student.matmul(a, b), a @ b),
        (lambda: student.conv(x, w, *settings), literal.conv(x, w, *settings)),
    ):
        first, second = call(), call()
        expect_close(first, right, name="y")
        expect(np.array_equal(first, second), "the second call gives another result than the first")


@assignment.property(
    "matmul: not much slower than the plain loops",
    points=6,
    cases=1,
    seconds=10.0,
    hint="Each product a(i, k) b(k, j) is needed once: three loops, and one over the batch.",
)
def speed(student, draw):
    n = 256
    a, b = (draw.normal((n, n), dtype=np.float32) for _ in "ab")
    seconds = []
    for _ in range(3):
        y = student.matmul(a, b)
        seconds.append(student.seconds)
    expect_close(y, a @ b, name="y")
    slower = min(seconds) / seconds_of_plain_loops(a, b)
    expect(
        slower <= 4,
        "on matrices of 256 x 256 it takes over four times as long as the loops i, j, k",
    )


def seconds_of_plain_loops(a, b):
    """The best time of tinydl's own plain loops; without its C core, what they take on slow ones."""
    if kernels.instruction_set() == "none":
        return 0.1
    times = []
    with kernels.use("c-plain"):
        for _ in range(3):
            start = time.process_time()
            kernels.matmul(a, b)
            times.append(time.process_time() - start)
    return min(times)
