# %% [markdown]
# # A convolution, three ways
#
# A `Dense` layer on an image has a weight for each pair of a pixel and a neuron, and learns about
# the upper left corner nothing that it could use in the lower right. A *convolution* looks at small
# windows, and all windows share one set of weights, the *kernel*. For images $x$ with $C$ channels
# and kernels $w$ of $P$ by $Q$ taps, one for each output channel $o$:
#
# $$y_{nijo} = \sum_{p,q,c} x_{n, i + p, j + q, c} \, w_{pqco}$$
#
# The kernel below has -1 in its left column and 1 in its right one: it measures by how much an
# image gets brighter from left to right. Over the border between 0 and 2 it answers 4, and where
# nothing changes 0.

# %%
import numpy as np

image = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 1, 2, 3], [0, 1, 2, 3]], dtype="float32")
kernel = np.array([[-1, 1], [-1, 1]], dtype="float32")
x, w = image.reshape(1, 4, 4, 1), kernel.reshape(2, 2, 1, 1)


def conv_by_sums(x, w):
    """The formula, read literally: seven loops."""
    n, height, width, channels = x.shape
    taps_down, taps_right, _, filters = w.shape
    y = np.zeros((n, height - taps_down + 1, width - taps_right + 1, filters), x.dtype)
    for b, i, j, o in np.ndindex(y.shape):
        for p, q, c in np.ndindex(taps_down, taps_right, channels):
            y[b, i, j, o] += x[b, i + p, j + q, c] * w[p, q, c, o]
    return y


print(conv_by_sums(x, w)[0, :, :, 0])
assert conv_by_sums(x, w)[0, 0].ravel().tolist() == [0, 4, 0]

# %% [markdown]
# There are 9 windows of 2 by 2 in an image of 4 by 4, and 4 weights do for all of them. A dense
# layer from 16 pixels to 9 neurons would have 144.

# %%
y = conv_by_sums(x, w)
print(f"{y.size} windows, {w.size} weights; dense: {x.size} x {y.size} = {x.size * y.size} weights")

# %% [markdown]
# ## As a matrix product
#
# Each result is the sum of products of a window and the kernel. Write each window into a row of a
# matrix and each kernel into a column of another, and all sums are one matrix product,
# $Y = X_\text{windows} W$:
#
# $$(N H W, \; P Q C) \text{ times } (P Q C, \; O) \text{ is } (N H W, \; O)$$
#
# A fast matrix product is thus a fast convolution. The price is memory: with windows of 3 by 3 each
# pixel is written nine times.

# %%
from numpy.lib.stride_tricks import sliding_window_view


def conv_by_matmul(x, w):
    taps_down, taps_right, _, filters = w.shape
    windows = sliding_window_view(x, (taps_down, taps_right), axis=(1, 2))  # (N, H, W, C, P, Q)
    n, height, width = windows.shape[:3]
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * height * width, -1)
    return (rows @ w.reshape(-1, filters)).reshape(n, height, width, filters)


windows = sliding_window_view(image, (2, 2)).reshape(-1, 4)
print("the windows:\n", windows)
print("times the kernel:", windows @ kernel.ravel())
assert np.array_equal(conv_by_matmul(x, w), conv_by_sums(x, w))

# %% [markdown]
# ## In C
#
# `csrc/conv.c` has the seven loops, too (`plain_conv`), and then a fast version (`conv`). The fast
# one is the matrix product without the matrix: the product's inner loop finds the windows in the
# image itself, through a table of where they begin. [docs/the-c-core.md](../docs/the-c-core.md)
# tells how.
#
# All of them compute `tinydl.ops.conv`, and `kernels.use` chooses who does. They are timed here on
# the first layer of the network of lesson 10: 64 digits of 28 by 28, 32 kernels of 3 by 3. The
# loops in Python get a single digit, as nobody wants to wait for more.

# %%
from time import perf_counter

from tinydl import kernels, ops
from tinydl.datasets import mnist

(digits, labels), _ = mnist.load_data()
batch = (digits[:64, :, :, None] / 255).astype("float32")
weights = np.random.default_rng(0).normal(size=(3, 3, 1, 32)).astype("float32")
print("images", batch.shape, " kernels", weights.shape)


def by_tinydl(backend):
    def conv(x, w):
        with kernels.use(backend):
            return ops.conv(x, w).numpy()

    return conv


def milliseconds_per_digit(conv, x, repetitions):
    times = []
    for _ in range(repetitions):
        start = perf_counter()
        conv(x, weights)
        times.append(perf_counter() - start)
    return 1000 * min(times) / len(x)


expected = conv_by_matmul(batch, weights)
took = {"sums in Python": milliseconds_per_digit(conv_by_sums, batch[:1], 1)}
took["matrix of windows"] = milliseconds_per_digit(conv_by_matmul, batch, 10)
built = kernels.active()["conv"].startswith("c")  # without a C compiler there is NumPy alone
for backend in ("numpy", "c-plain", "c") if built else ("numpy",):
    conv = by_tinydl(backend)
    assert np.allclose(conv(batch, weights), expected, atol=1e-4)
    took[f"tinydl, {backend}"] = milliseconds_per_digit(conv, batch, 10)
for name, milliseconds in took.items():
    times_faster = took["sums in Python"] / milliseconds
    print(f"{name:18} {milliseconds:9.4f} ms a digit, {times_faster:8,.0f} times the Python loops")
assert took["sums in Python"] > 10 * took["matrix of windows"]

# %% [markdown]
# ## What it sees
#
# On a digit, the kernel for vertical edges answers where ink begins, and negatively where it ends.
# Turned by a quarter it finds horizontal edges. In a network nobody writes the kernels: they begin
# as random numbers, and training turns them into what helps to tell the digits apart.
#
# ![A five, its vertical edges and its horizontal
# edges](../docs/images/tutorials/09_convolution_three_ways.png)

# %%
five = batch[:1]
edges = np.stack([kernel, kernel.T], axis=-1).reshape(2, 2, 1, 2)
seen = ops.conv(five, edges).numpy()[0]
print("the digit is a", labels[0], " what is seen of it:", seen.shape)
print(f"from {seen.min():.2f} to {seen.max():.2f}, on paper 0")

import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 3, figsize=(6.6, 2.4), layout="constrained")
    panels[0].imshow(five[0, :, :, 0], cmap="gray_r")
    panels[0].set_title("digit")
    for channel, title in enumerate(("vertical edges", "horizontal edges")):
        panels[channel + 1].imshow(seen[:, :, channel], cmap="RdBu_r", vmin=-2, vmax=2)
        panels[channel + 1].set_title(title)
    for axes in panels:
        axes.set_axis_off()
    if "TINYDL_PICTURES" in os.environ:
        name = "09_convolution_three_ways.png"
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / name, dpi=90)

# %% [markdown]
# ## Its gradients are the same sum
#
# Let $g$ be what arrives from above, one number for each result. Each result times its number,
# added up, is
#
# $$T = \sum_{n,i,j,o} g_{nijo} \sum_{p,q,c} x_{n, i + p, j + q, c} \, w_{pqco}$$
#
# which is linear in each of $g$, $x$ and $w$. What stands beside $g$ is the convolution. What
# stands beside $x$ is the gradient for the image, and what stands beside $w$ the one for the
# kernel: collect the terms, and nothing else is to be done.
#
# $$\bar x_{nhvc} = \sum_{p,q,o} g_{n, h - p, v - q, o} \, w_{pqco} \qquad
# \bar w_{pqco} = \sum_{n,i,j} g_{nijo} \, x_{n, i + p, j + q, c}$$
#
# So three numbers must agree,
# $\langle g, \text{conv}(x, w) \rangle = \langle \bar x, x \rangle = \langle \bar w, w \rangle$,
# and this tests both gradients without any step. Here all three are 15 for the image at the top and
# $g = 1$.

# %%
from tinydl import tensor

x_tensor = tensor(x, requires_grad=True)
w_tensor = tensor(w, requires_grad=True)
y = ops.conv(x_tensor, w_tensor)
g = np.ones_like(y.numpy())
y.backward(g)

print("gradient for the kernel:\n", w_tensor.grad.numpy()[:, :, 0, 0])
print("gradient for the image:\n", x_tensor.grad.numpy()[0, :, :, 0])
products = (g * y.numpy(), x_tensor.grad.numpy() * x, w_tensor.grad.numpy() * w)
three = [float(product.sum()) for product in products]
print("the three numbers:", three)
assert three[0] == three[1] == three[2]


def kernel_gradient_by_sums(g, x, shape):
    """Collect what stands beside each weight: every window, times what arrived for it."""
    w_bar = np.zeros(shape, x.dtype)
    for n, i, j, o in np.ndindex(g.shape):
        for p, q, c in np.ndindex(shape[:3]):
            w_bar[p, q, c, o] += g[n, i, j, o] * x[n, i + p, j + q, c]
    return w_bar


assert np.array_equal(kernel_gradient_by_sums(g, x, w.shape), w_tensor.grad.numpy())

# %% [markdown]
# ## Your loop in the framework
#
# A kernel of yours takes the place of tinydl's, for layers and training too. It gets the strides,
# the padding and the dilation besides; this one does the plain case and leaves the others to NumPy.


# %%
class Mine:
    def conv(x, w, strides, padding, dilation):
        if strides != (1, 1) or dilation != (1, 1) or np.any(padding):
            return NotImplemented
        return conv_by_matmul(x, w)


from tinydl.layers import Conv2D

layer = Conv2D(32, 3)
with kernels.use(Mine):
    kernels.reset_report()
    by_mine = layer(batch).numpy()
    print(kernels.report())
assert np.allclose(by_mine, layer(batch).numpy(), atol=1e-5)

# %% [markdown]
# ## Exercises
#
# 1. Write both gradients in NumPy, without a loop over pixels, with strides and padding, and train
#    MNIST with them: [assignment 5](assignments/05-convolution/).
# 2. Write the seven loops in C and plug them in. In which order are they fastest, and why?
#    ([assignment 6](assignments/06-kernels-in-c/))
# 3. How many bytes has the matrix of windows of 64 digits, and how many the digits? With 32
#    channels instead of 1, as in a second layer, how many? Does it fit into your processor's cache?
#    (Lesson 13, and [assignment 6](assignments/06-kernels-in-c/))
#
# To see the convolution of the first cell page by page: `python -m tinydl explain conv`.
