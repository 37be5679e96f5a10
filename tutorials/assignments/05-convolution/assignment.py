# %% [markdown]
# # Assignment 5: convolution and its two gradients
#
# A convolution is a sum of products over windows of an image. You write it in NumPy, without a loop
# over pixels, and both of its gradients. At the end tinydl trains a convolutional network on MNIST,
# and every convolution in it is yours.
#
# **You learn** how windows, strides and padding fit together, why the gradients of a convolution are
# two more sums over the same index pairs, and how one identity checks all three without a step size.
#
# **Time:** 5 to 7 hours. **Needed before:** tutorials 9 and 10.
#
# **Allowed:** NumPy and the standard library. tinydl is imported only in the last cells.
#
# ## What you hand in
#
# This file, with the four functions filled in. Keep their names and arguments. Replace the lines
# `raise NotImplementedError()`. You may add functions of your own.
#
# Run `python -m tinydl course check assignment.py` as often as you like. It tries your functions on
# random images, and prints the smallest one on which one is wrong.
#
# ## Points
#
# | property | points | |
# |---|---|---|
# | padding: how much is added | 8 | |
# | convolution: value | 18 | |
# | convolution: strides and padding | 8 | hidden |
# | gradient for the input: value | 16 | |
# | gradient for the kernel: value | 16 | |
# | gradients: strides and padding | 8 | hidden |
# | adjoint identities | 8 | |
# | edge cases: one pixel, pixels no window sees | 6 | hidden |
# | float32 stays float32 | 4 | hidden |
# | a batch of MNIST in a second | 4 | hidden |
# | inputs are left as they were | 4 | hidden |
#
# Together 100.
#
# ## Common mistakes
#
# - Height and width exchanged. Test with images that are not square, and strides that differ.
# - The kernel turned around. In deep learning it is not: what mathematics calls convolution is not this.
# - In the gradient for the input, `x_bar[...] = ...` where windows overlap: it has to be `+=`.
# - Padding left on the gradient for the input. It has the shape of the image without padding.
# - Padding "same" with the odd pixel at the front. It goes behind: at the bottom, at the right.
# - Pixels at the border that no window reaches (strides!): their gradient is 0, but they are there.
# - `np.zeros(shape)` is float64, and what is added to it stays float64. Give it a dtype.

# %%
import numpy as np

# %% [markdown]
# ## 1. Where a window stands
#
# Images are arrays (N, H, W, C): so many images, rows, columns, channels. A kernel is (KH, KW, C, O): O
# filters, each with a window of KH rows and KW columns. Along one axis, an image of length $n$ gets
# `before` and `after` zeros; the window has length $k$ and moves in strides of $s$. The number of its
# places is
#
# $$m = \left\lfloor \frac{n + \mathrm{before} + \mathrm{after} - k}{s} \right\rfloor + 1$$
#
# Padding `"valid"` adds nothing. Padding `"same"` adds as much as is needed for
# $m = \lceil n / s \rceil$ places, half of it before and half after; if it is odd, one more after:
#
# $$p = \max\big((m - 1)\, s + k - n,\; 0\big), \qquad
# \mathrm{before} = \lfloor p / 2 \rfloor, \quad \mathrm{after} = p - \mathrm{before}$$


# %% nbgrader={"grade": false, "grade_id": "padding", "locked": false, "schema_version": 3, "solution": true, "task": false}
def padding_along(length, window, stride, padding):
    """How many zeros to add before and after an axis.

    length, window, stride: whole numbers, 1 or more
    padding: "valid" or "same"

    Returns (before, after).
    """
    ### BEGIN SOLUTION
    if padding == "valid":
        return 0, 0
    places = -(-length // stride)
    total = max((places - 1) * stride + window - length, 0)
    return total // 2, total - total // 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_padding", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# The cells with tests run in a notebook, and when you run this file, but not when it is imported.
if __name__ == "__main__":
    assert padding_along(28, 3, 1, "valid") == (0, 0)
    assert padding_along(28, 3, 1, "same") == (1, 1)
    assert padding_along(28, 3, 2, "same") == (0, 1)
    ### BEGIN HIDDEN TESTS
    assert padding_along(5, 4, 1, "same") == (1, 2)
    assert padding_along(5, 1, 3, "same") == (0, 0)
    assert padding_along(2, 7, 1, "same") == (3, 3)
    ### END HIDDEN TESTS
    print("padding_along: the examples agree")

# %% [markdown]
# ## 2. The convolution
#
# Place $(i, j)$ of a window and element $(p, q)$ of the kernel meet the padded image $x$ at row
# $i s_h + p$ and column $j s_w + q$:
#
# $$y_{nijo} = \sum_{p, q, c} x_{n,\; i s_h + p,\; j s_w + q,\; c} \; w_{pqco}$$
#
# Read literally that is seven loops. Keep only those over $p$ and $q$, which are short. For a fixed
# $(p, q)$ the pixels that all windows see there are one slice of the padded image, of the shape
# (N, OH, OW, C): rows $p, p + s_h, p + 2 s_h, \ldots$ and columns likewise. A matrix product with
# $w_{pq}$, which is (C, O), does the sum over $c$.
#
# From here on padding comes as numbers: `((top, bottom), (left, right))`.


# %% nbgrader={"grade": false, "grade_id": "conv", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv(x, w, strides, padding):
    """Convolve images with a kernel.

    x: images, (N, H, W, C)
    w: kernel, (KH, KW, C, O)
    strides: (down, right)
    padding: ((top, bottom), (left, right)), numbers of zeros

    Returns (N, OH, OW, O), in the dtype of x.
    """
    ### BEGIN SOLUTION
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    height, width = output_size(x.shape, w.shape, strides, padding)
    y = np.zeros((x.shape[0], height, width, w.shape[3]), x.dtype)
    for p in range(w.shape[0]):
        for q in range(w.shape[1]):
            y += seen(padded, p, q, height, width, strides) @ w[p, q]
    return y


def output_size(x_shape, w_shape, strides, padding):
    """The number of places of the window, down and right."""
    return [
        (x_shape[1 + axis] + sum(padding[axis]) - w_shape[axis]) // strides[axis] + 1
        for axis in (0, 1)
    ]


def seen(padded, p, q, height, width, strides):
    """What all windows see at (p, q): a view (N, OH, OW, C)."""
    down, right = strides
    return padded[:, p : p + height * down : down, q : q + width * right : right][
        :, :height, :width
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_conv", "locked": true, "points": 36, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    no_padding = ((0, 0), (0, 0))
    image = np.arange(9.0).reshape(1, 3, 3, 1)
    y = conv(image, np.ones((2, 2, 1, 1)), (1, 1), no_padding)
    assert y.shape == (1, 2, 2, 1)
    assert np.array_equal(y[0, :, :, 0], [[8, 12], [20, 24]])  # 0 + 1 + 3 + 4 = 8
    corner = np.zeros((2, 2, 1, 1))
    corner[0, 1] = 1  # sees the upper right pixel of each window
    assert np.array_equal(conv(image, corner, (1, 1), no_padding)[0, :, :, 0], [[1, 2], [4, 5]])
    y = conv(image, corner, (2, 1), ((1, 0), (0, 1)))
    assert np.array_equal(y[0, :, :, 0], [[0, 0, 0], [4, 5, 0]])
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 5, 7, 3)), rng.normal(size=(2, 3, 3, 4))
    y = conv(x, w, (2, 3), ((1, 0), (2, 1)))
    assert y.shape == (2, 3, 3, 4)
    padded = np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 0)))
    assert np.allclose(y[1, 2, 1], np.einsum("pqc,pqco->o", padded[1, 4:6, 3:6], w))
    ### END HIDDEN TESTS
    print("conv: the examples agree")

# %% [markdown]
# ## 3. The gradients
#
# A gradient $g$ arrives, in the shape of $y$. In the sum above, $x$ at some place met $w_{pqco}$ and went
# into $y_{nijo}$. So each of the two gets the other one times $g_{nijo}$, from all the terms it was in:
#
# $$\bar w_{pqco} = \sum_{n, i, j} x_{n,\; i s_h + p,\; j s_w + q,\; c} \; g_{nijo}$$
#
# $$\bar x_{n,\; i s_h + p,\; j s_w + q,\; c} \mathrel{+}= \sum_{o} g_{nijo} \, w_{pqco}
# \qquad \text{for all } i, j, p, q$$
#
# The loops over $p$ and $q$ are those of `conv`, and so are the slices. The first gradient reads a
# slice; the second one *adds to* a slice of an array of zeros as large as the padded image, from which
# the padding is cut off in the end.


# %% nbgrader={"grade": false, "grade_id": "kernel_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_kernel_gradient(x, g, kernel_shape, strides, padding):
    """The gradient of <g, conv(x, w)> with respect to w.

    x: images, (N, H, W, C)
    g: what arrived from above, (N, OH, OW, O)
    kernel_shape: (KH, KW, C, O)
    strides, padding: as in conv

    Returns an array of that shape, in the dtype of x.
    """
    ### BEGIN SOLUTION
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    height, width = g.shape[1:3]
    w_bar = np.zeros(kernel_shape, x.dtype)
    for p in range(kernel_shape[0]):
        for q in range(kernel_shape[1]):
            pixels = seen(padded, p, q, height, width, strides)
            w_bar[p, q] = np.tensordot(pixels, g, axes=((0, 1, 2), (0, 1, 2)))
    return w_bar
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_kernel_gradient", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    g = np.ones((1, 2, 2, 1))
    w_bar = conv_kernel_gradient(image, g, (2, 2, 1, 1), (1, 1), no_padding)
    assert np.array_equal(w_bar[:, :, 0, 0], [[8, 12], [20, 24]])
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(2, 5, 7, 3)), rng.normal(size=(2, 3, 3, 4))
    g = rng.normal(size=(2, 3, 3, 4))
    padding = ((1, 0), (2, 1))
    w_bar = conv_kernel_gradient(x, g, w.shape, (2, 3), padding)
    assert np.isclose(np.vdot(g, conv(x, w, (2, 3), padding)), np.vdot(w, w_bar))
    ### END HIDDEN TESTS
    print("conv_kernel_gradient: the examples agree")


# %% nbgrader={"grade": false, "grade_id": "input_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_input_gradient(g, w, input_shape, strides, padding):
    """The gradient of <g, conv(x, w)> with respect to x.

    g: what arrived from above, (N, OH, OW, O)
    w: kernel, (KH, KW, C, O)
    input_shape: (N, H, W, C), without padding
    strides, padding: as in conv

    Returns an array of that shape, in the dtype of g.
    """
    ### BEGIN SOLUTION
    (top, bottom), (left, right) = padding
    n, rows, columns, channels = input_shape
    height, width = g.shape[1:3]
    x_bar = np.zeros((n, top + rows + bottom, left + columns + right, channels), g.dtype)
    for p in range(w.shape[0]):
        for q in range(w.shape[1]):
            pixels = seen(x_bar, p, q, height, width, strides)
            pixels += g @ w[p, q].T
    return x_bar[:, top : top + rows, left : left + columns].copy()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_input_gradient", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    g, w = np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1))
    x_bar = conv_input_gradient(g, w, (1, 3, 3, 1), (1, 1), no_padding)
    assert np.array_equal(x_bar[0, :, :, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(2, 5, 7, 3)), rng.normal(size=(2, 3, 3, 4))
    g = rng.normal(size=(2, 3, 3, 4))
    padding = ((1, 0), (2, 1))
    x_bar = conv_input_gradient(g, w, x.shape, (2, 3), padding)
    assert np.isclose(np.vdot(g, conv(x, w, (2, 3), padding)), np.vdot(x, x_bar))
    ### END HIDDEN TESTS
    print("conv_input_gradient: the examples agree")

# %% [markdown]
# ## 4. One identity for all three
#
# The number $\langle g, \mathrm{conv}(x, w) \rangle$, all products of elements added up, is linear in
# $g$, in $x$ and in $w$. So your three functions, which are its three derivatives, have to agree:
#
# $$\langle g, \mathrm{conv}(x, w) \rangle = \langle x, \bar x \rangle = \langle w, \bar w \rangle$$
#
# No difference quotient, no step size: the three numbers are equal up to rounding. Nothing is left to
# write; if the assertion below fails, one of the three is wrong, and the two that agree are right.

# %% nbgrader={"grade": true, "grade_id": "test_adjoint", "locked": true, "points": 16, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(3, 2, 3, 4))
    strides, padding = (2, 1), ((1, 1), (0, 1))
    y = conv(x, w, strides, padding)
    g = rng.normal(size=y.shape)
    three = [
        np.vdot(g, y),
        np.vdot(x, conv_input_gradient(g, w, x.shape, strides, padding)),
        np.vdot(w, conv_kernel_gradient(x, g, w.shape, strides, padding)),
    ]
    assert np.allclose(three, three[0]), three
    ### BEGIN HIDDEN TESTS
    x32, w32, g32 = (array.astype(np.float32) for array in (x, w, g))
    assert conv(x32, w32, strides, padding).dtype == np.float32
    assert conv_input_gradient(g32, w32, x.shape, strides, padding).dtype == np.float32
    assert conv_kernel_gradient(x32, g32, w.shape, strides, padding).dtype == np.float32
    ### END HIDDEN TESTS
    print("one identity: the three numbers agree")

# %% [markdown]
# ## 5. Your convolution trains a network
#
# tinydl asks a table of kernels for each hot loop. `kernels.use` puts yours into it; whatever the class
# below does not have is computed as before. Nothing below is graded.

# %%
if __name__ == "__main__":
    from tinydl import kernels
    from tinydl.datasets import mnist
    from tinydl.layers import Conv2D, Dense, Flatten, MaxPooling2D
    from tinydl.models import Sequential
    from tinydl.utils import set_random_seed, to_categorical

    class Yours:
        """Your three functions, under the names and arguments of tinydl's kernels."""

        @staticmethod
        def conv(x, w, strides, padding, dilation):
            return conv(x, w, strides, padding)

        @staticmethod
        def conv_input_gradient(g, w, input_shape, strides, padding, dilation):
            return conv_input_gradient(g, w, input_shape, strides, padding)

        @staticmethod
        def conv_kernel_gradient(x, g, kernel_shape, strides, padding, dilation):
            return conv_kernel_gradient(x, g, kernel_shape, strides, padding)

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    x_train, x_test = x_train[..., None] / 255.0, x_test[..., None] / 255.0

    set_random_seed(0)
    model = Sequential(
        [
            Conv2D(8, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Conv2D(16, (3, 3), activation="relu"),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    with kernels.use(Yours):
        kernels.reset_report()
        model.fit(x_train[:12000], to_categorical(digits_train[:12000]), epochs=2, verbose=0)
        served = [row for row in kernels.report() if row.served_by == "Yours"]
    for row in served:
        print(f"{row.kernel} was computed by you {row.calls} times")
    loss, accuracy = model.evaluate(x_test, to_categorical(digits_test), verbose=0)
    print(f"accuracy on the test images: {accuracy:.1%}")

# %% [markdown]
# tinydl's NumPy path (`tinydl/kernels/reference.py`) is about as long as yours, and assignment 6 goes on
# in C.
