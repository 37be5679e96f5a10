"""What is graded in assignment 5: three functions against the formula read literally, and each other."""

import numpy as np

from tinydl import kernels
from tinydl.course import (
    Assignment,
    expect,
    expect_close,
    expect_dtype,
    expect_equal,
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
    likely={
        "the odd zero belongs after, not before": lambda *a: np.array(same(*a)[::-1]),
        "strides are left out: only k - 1 zeros": lambda n, k, s, p: np.array(
            [(k - 1) // 2, k - 1 - (k - 1) // 2]
        ),
    },
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


CONV_MISTAKES = {
    "the kernel is turned around": lambda x, w, s, p: right_conv(x, w[::-1, ::-1], s, p),
    "height and width of the strides are exchanged": lambda x, w, s, p: at_places(
        x, w, s, p, s[::-1]
    ),
    "height and width of the padding are exchanged": lambda x, w, s, p: right_conv(
        x, w, s, p[::-1]
    ),
    "padding is put on the other side": lambda x, w, s, p: right_conv(
        x, w, s, tuple(pair[::-1] for pair in p)
    ),
    "the strides are left out": lambda x, w, s, p: at_places(x, w, s, p, (1, 1)),
    "rows and columns of the kernel are exchanged": lambda x, w, s, p: right_conv(
        x, w.swapaxes(0, 1), s, p
    ),
}


def at_places(x, w, strides, padding, wrong):
    """As many places as asked for, but found by other strides; behind the image are zeros."""
    _, rows, columns, _ = kernels.conv.result_shape(x, w, strides, padding, UNIT)
    far = tuple(
        (before, max(after, (places - 1) * stride + k - n - before))
        for (before, after), places, stride, k, n in zip(
            padding, (rows, columns), wrong, w.shape, x.shape[1:], strict=False
        )
    )
    return right_conv(x, w, wrong, far)[:, :rows, :columns]


@assignment.property(
    "convolution: value",
    points=18,
    public=True,
    cases=30,
    formula=VALUE,
    likely=CONV_MISTAKES,
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
    likely=CONV_MISTAKES,
)
def conv_ragged(student, draw):
    x, w, strides, padding, _ = draw_convolution(draw, 4, 3, 5)
    expect_close(
        student.conv(x, w, strides, padding),
        right_conv(x, w, strides, padding),
        name="y",
        numbers=sum_for_y(x, w, strides, padding),
    )


def replaced_where_windows_overlap(g, w, input_shape, strides, padding):
    """x_bar if each window replaces what others left, in the order of p and q."""
    x_bar = np.zeros(input_shape)
    for p, q in np.ndindex(w.shape[:2]):
        alone = np.zeros_like(w)
        alone[p, q] = w[p, q]
        touched = right_input_gradient(
            np.ones_like(g), np.where(alone != 0, 1.0, 0.0), input_shape, strides, padding
        )
        share = right_input_gradient(g, alone, input_shape, strides, padding)
        x_bar = np.where(touched != 0, share, x_bar)
    return x_bar


INPUT_MISTAKES = {
    "what windows add where they overlap is replaced, not added": replaced_where_windows_overlap,
    "the kernel is turned around": lambda g, w, n, s, p: right_input_gradient(
        g, w[::-1, ::-1], n, s, p
    ),
    "height and width of the strides are exchanged": lambda g, w, n, s, p: right_input_gradient(
        g, w, n, s[::-1], p
    ),
    "the padding is cut off at the wrong side": lambda g, w, n, s, p: right_input_gradient(
        g, w, n, s, tuple(pair[::-1] for pair in p)
    ),
    "channels and filters are exchanged": lambda g, w, n, s, p: right_input_gradient(
        g, w.swapaxes(2, 3), n, s, p
    ),
}
KERNEL_MISTAKES = {
    "the kernel is turned around": lambda x, g, n, s, p: right_kernel_gradient(x, g, n, s, p)[
        ::-1, ::-1
    ],
    "a mean over the images, not their sum": lambda x, g, n, s, p: (
        right_kernel_gradient(x, g, n, s, p) / len(x)
    ),
    "only the first image counts": lambda x, g, n, s, p: right_kernel_gradient(
        x[:1], g[:1], n, s, p
    ),
    "only the last image counts": lambda x, g, n, s, p: right_kernel_gradient(
        x[-1:], g[-1:], n, s, p
    ),
    "height and width of the strides are exchanged": lambda x, g, n, s, p: right_kernel_gradient(
        x, g, n, s[::-1], p
    ),
    "padding is put on the other side": lambda x, g, n, s, p: right_kernel_gradient(
        x, g, n, s, tuple(pair[::-1] for pair in p)
    ),
}


@assignment.property(
    "gradient for the input: value",
    points=16,
    public=True,
    cases=30,
    formula=FOR_INPUT,
    likely=INPUT_MISTAKES,
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
    likely=KERNEL_MISTAKES,
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
    hint="If two of the three numbers agree, the third function is the wrong one.",
)
def adjoint(student, draw):
    x, w, strides, padding, g = draw_convolution(draw, 3, 2, 3)
    y = student.conv(x, w, strides, padding)
    x_bar = student.conv_input_gradient(g, w, x.shape, strides, padding)
    w_bar = student.conv_kernel_gradient(x, g, w.shape, strides, padding)
    three = np.array([np.vdot(g, y), np.vdot(x, x_bar), np.vdot(w, w_bar)])
    right = right_conv(x, w, strides, padding)
    expect_close(
        three,
        np.full(3, np.vdot(g, right)),
        name="(<g, y>, <x, x_bar>, <w, w_bar>)",
        atol=1e-5 * np.sqrt(np.vdot(g, g) * np.vdot(right, right)),
    )


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
    x, w, g = (array.astype(np.float32) for array in (x, w, g))
    y = student.conv(x, w, strides, padding)
    expect_close(y, right_conv(x, w, strides, padding), name="y", dtype=np.float32)
    expect_dtype(
        student.conv_input_gradient(g, w, x.shape, strides, padding), np.float32, name="x_bar"
    )
    expect_dtype(
        student.conv_kernel_gradient(x, g, w.shape, strides, padding), np.float32, name="w_bar"
    )


@assignment.property(
    "a batch of MNIST in a second",
    points=4,
    cases=1,
    seconds=2.0,
    hint="Loop over the window only; slices and a matrix product do the rest.",
)
def fast_enough(student, draw):
    x, w = draw.normal((32, 28, 28, 4)), draw.normal((3, 3, 4, 16))
    settings = {"strides": (1, 1), "padding": ((1, 1), (1, 1))}
    g = draw.normal((32, 28, 28, 16))
    for function, arguments in (
        ("conv", (x, w)),
        ("conv_input_gradient", (g, w, x.shape)),
        ("conv_kernel_gradient", (x, g, w.shape)),
    ):
        right = getattr(kernels, function)(*arguments, **settings, dilation=UNIT)
        expect_close(student.call(function, *arguments, **settings), right)


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
