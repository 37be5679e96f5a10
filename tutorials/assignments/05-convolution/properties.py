"""What is graded in assignment 5: three functions against the formula read literally, and each other."""

import numpy as np

from tinydl import kernels
from tinydl.course import (
    Assignment,
    expect,
    expect_close,
    expect_dtype,
    expect_equal,
    expect_shape,
    expect_unchanged,
)
from tinydl.course.written import products
from tinydl.kernels import literal

assignment = Assignment(
    "05-convolution",
    title="Convolution and its two gradients",
    functions=(
        "padding_along(length, window, stride, padding)",
        "conv(x, w, strides, padding)",
        "conv_input_gradient(g, w, input_shape, strides, padding)",
        "conv_kernel_gradient(x, g, kernel_shape, strides, padding)",
    ),
    inputs_may_change=True,
    tutorial="09_convolution_three_ways",
)

UNIT = (1, 1)  # of dilation, which this assignment leaves out
VALUE = r"y_{nijo} = \sum_{p, q, c} x_{n, i s_h + p, j s_w + q, c} \, w_{pqco}"
FOR_INPUT = r"\bar x_{n, i s_h + p, j s_w + q, c} = \sum_{i, j, p, q, o} g_{nijo} \, w_{pqco}"
FOR_KERNEL = r"\bar w_{pqco} = \sum_{n, i, j} x_{n, i s_h + p, j s_w + q, c} \, g_{nijo}"


def right_conv(x, w, strides, padding):
    return literal.conv(x, w, strides, padding, UNIT)


def right_input_gradient(g, w, input_shape, strides, padding):
    return literal.conv_input_gradient(g, w, input_shape, strides, padding, UNIT)


def right_kernel_gradient(x, g, kernel_shape, strides, padding):
    return literal.conv_kernel_gradient(x, g, kernel_shape, strides, padding, UNIT)


def draw_convolution(draw, most_stride=2, most_padding=1, most_window=3):
    """An image, a kernel, strides, padding, and a gradient for the result."""
    strides = (draw.integer(1, most_stride), draw.integer(1, most_stride))
    padding = tuple((draw.integer(0, most_padding), draw.integer(0, most_padding)) for _ in "hw")
    window = (draw.integer(1, most_window), draw.integer(1, most_window))
    rows, columns = (
        max(1, k - sum(pair)) + draw.integer(0, 4) for k, pair in zip(window, padding, strict=True)
    )
    channels, filters = draw.integer(1, 3), draw.integer(1, 3)
    x = draw.normal((draw.integer(1, 2), rows, columns, channels))
    w = draw.normal((*window, channels, filters))
    g = draw.normal(kernels.conv.result_shape(x, w, strides, padding, UNIT))
    return x, w, strides, padding, g


def sum_for_y(x, w, strides, padding):
    """Write the products that make an element of y."""

    def written(at):
        n, i, j, o = at
        padded = np.pad(x, ((0, 0), *padding, (0, 0)))
        row, column = i * strides[0], j * strides[1]
        seen = padded[n, row : row + w.shape[0], column : column + w.shape[1]]
        return f"y_{{{n}{i}{j}{o}}} = {products(seen.ravel(), w[..., o].ravel())}"

    return written


def sum_for_gradient(name, one, other, shape, strides, padding):
    """Write the products that make an element of a gradient: of what, were it 1, y would be."""

    def written(at):
        impulse = np.zeros(shape)
        impulse[at] = 1
        pair = (impulse, other) if name == "x" else (other, impulse)
        met = right_conv(*pair, strides, padding)
        where = met != 0
        if not where.any():
            return ""
        values = one[where], met[where]
        return rf"\bar {name}_{{{''.join(map(str, at))}}} = {products(*values)}"

    return written


@assignment.property(
    "padding: how much is added",
    points=8,
    public=True,
    cases=40,
    formula=r"p = \max((m - 1) s + k - n, 0), \quad m = \lceil n / s \rceil",
)
def padding_along(student, draw):
    length, window, stride = draw.integer(1, 12), draw.integer(1, 7), draw.integer(1, 5)
    padding = ("same", "valid")[draw.case % 2]
    got = student.padding_along(length, window, stride, padding)
    expect(
        isinstance(got, (tuple, list)) and len(got) == 2, "padding_along returns (before, after)"
    )
    expect_equal(np.array(got), same(length, window, stride, padding), name="(before, after)")


@assignment.reference
def same(length, window, stride, padding):
    """(before, after): as few zeros as give length / stride places, rounded up."""
    total, places = 0, -(-length // stride)
    while padding == "same" and (length + total - window) // stride + 1 < places:
        total += 1
    return total // 2, total - total // 2


@assignment.property(
    "convolution: value",
    points=18,
    public=True,
    cases=30,
    formula=VALUE,
    hint="If only some images fail: is height exchanged with width somewhere?",
)
def conv_value(student, draw):
    x, w, strides, padding, _ = draw_convolution(draw)
    expect_close(
        student.conv(x, w, strides, padding),
        right_conv(x, w, strides, padding),
        name="y",
        numbers=sum_for_y(x, w, strides, padding),
    )


@assignment.property(
    "convolution: strides and padding",
    points=8,
    cases=30,
    formula=VALUE,
)
def conv_ragged(student, draw):
    x, w, strides, padding, _ = draw_convolution(draw, 4, 3, 5)
    expect_close(
        student.conv(x, w, strides, padding),
        right_conv(x, w, strides, padding),
        name="y",
        numbers=sum_for_y(x, w, strides, padding),
    )


@assignment.property(
    "gradient for the input: value",
    points=16,
    public=True,
    cases=30,
    formula=FOR_INPUT,
    hint="It has the shape of the images without padding.",
)
def input_gradient_value(student, draw):
    _expect_input_gradient(student, *draw_convolution(draw))


@assignment.property(
    "gradient for the kernel: value",
    points=16,
    public=True,
    cases=30,
    formula=FOR_KERNEL,
)
def kernel_gradient_value(student, draw):
    _expect_kernel_gradient(student, *draw_convolution(draw))


def _expect_input_gradient(student, x, w, strides, padding, g):
    expect_close(
        student.conv_input_gradient(g, w, x.shape, strides, padding),
        right_input_gradient(g, w, x.shape, strides, padding),
        name="x_bar",
        numbers=sum_for_gradient("x", g, w, x.shape, strides, padding),
    )


def _expect_kernel_gradient(student, x, w, strides, padding, g):
    expect_close(
        student.conv_kernel_gradient(x, g, w.shape, strides, padding),
        right_kernel_gradient(x, g, w.shape, strides, padding),
        name="w_bar",
        numbers=sum_for_gradient("w", g, x, w.shape, strides, padding),
    )


@assignment.property(
    "gradients: strides and padding",
    points=8,
    cases=30,
    hint="Try strides that differ, and more padding on one side than on the other.",
)
def gradients_ragged(student, draw):
    case = draw_convolution(draw, 4, 3, 5)
    _expect_input_gradient(student, *case)
    _expect_kernel_gradient(student, *case)


@assignment.property(
    "adjoint identities",
    points=8,
    public=True,
    formula=r"\langle g, \mathrm{conv}(x, w) \rangle = \langle x, \bar x \rangle"
    r" = \langle w, \bar w \rangle",
    hint="The function is wrong whose number it is: conv, conv_input_gradient, conv_kernel_gradient.",
)
def adjoint(student, draw):
    x, w, strides, padding, g = draw_convolution(draw, 3, 2, 3)
    y = student.conv(x, w, strides, padding)
    x_bar = student.conv_input_gradient(g, w, x.shape, strides, padding)
    w_bar = student.conv_kernel_gradient(x, g, w.shape, strides, padding)
    right = right_conv(x, w, strides, padding)
    size = np.sqrt(np.vdot(g, g) * np.vdot(right, right))
    for name, one, other in (("<g, y>", g, y), ("<x, x_bar>", x, x_bar), ("<w, w_bar>", w, w_bar)):
        expect_shape(other, one.shape, name=name.split()[1].rstrip(">"))
        expect_close(np.vdot(one, other), np.vdot(g, right), name=name, atol=1e-5 * (size + 1))


@assignment.property(
    "edge cases: one pixel, pixels no window sees",
    points=6,
    hint="Pixels that no window reaches have the gradient 0.",
)
def edges(student, draw):
    window = draw.shape(2, most=3)
    strides = (window[0] + draw.integer(0, 3), window[1] + draw.integer(0, 3))
    rows, columns = (k + draw.integer(0, 2 * s) for k, s in zip(window, strides, strict=True))
    x = draw.normal((1, rows, columns, 1))
    w, padding = draw.normal((*window, 1, draw.integer(1, 2))), ((0, 0), (0, 0))
    y = right_conv(x, w, strides, padding)
    expect_close(student.conv(x, w, strides, padding), y, name="y")
    case = x, w, strides, padding, draw.normal(y.shape)
    _expect_input_gradient(student, *case)
    _expect_kernel_gradient(student, *case)


@assignment.property(
    "float32 stays float32",
    points=4,
    hint="Make arrays by np.zeros(shape, x.dtype).",
)
def single_precision(student, draw):
    x, w, strides, padding, g = draw_convolution(draw)
    right = right_conv(x, w, strides, padding)
    for dtype in (np.float32, np.float64):  # and no less than it came with
        x, w, g = (array.astype(dtype) for array in (x, w, g))
        expect_close(student.conv(x, w, strides, padding), right, name="y", rtol=1e-4, dtype=dtype)
        x_bar = student.conv_input_gradient(g, w, x.shape, strides, padding)
        expect_dtype(x_bar, dtype, name="x_bar")
        w_bar = student.conv_kernel_gradient(x, g, w.shape, strides, padding)
        expect_dtype(w_bar, dtype, name="w_bar")


@assignment.property(
    "a batch of MNIST in a second",
    points=4,
    cases=1,
    seconds=2.0,
    hint="Loop over the window only; slices and a matrix product do the rest.",
)
def fast_enough(student, draw):
    x, w = draw.normal((32, 28, 28, 4)), draw.normal((3, 3, 4, 16))
    settings = (1, 1), ((1, 1), (1, 1))
    g = draw.normal((32, 28, 28, 16))
    for function, arguments in (
        ("conv", (x, w)),
        ("conv_input_gradient", (g, w, x.shape)),
        ("conv_kernel_gradient", (x, g, w.shape)),
    ):
        right = getattr(kernels, function)(*arguments, *settings, UNIT)
        expect_close(student.call(function, *arguments, *settings), right)


@assignment.property("inputs are left as they were", points=4)
def inputs_are_kept(student, draw):
    x, w, strides, padding, g = draw_convolution(draw)
    y = student.conv(x, w, strides, padding)
    expect_unchanged(student)
    expect_close(y, right_conv(x, w, strides, padding), name="y")
    student.conv_input_gradient(g, w, x.shape, strides, padding)
    expect_unchanged(student)
    student.conv_kernel_gradient(x, g, w.shape, strides, padding)
    expect_unchanged(student)
