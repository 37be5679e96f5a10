"""Typical wrong submissions to assignment 5, and what each of them loses."""

from tinydl.course import Mistake

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
]
