r"""Convolution and its two gradients: one trilinear form, three ways to read it.

.. math::
    T(x, w, g) = \langle g, \operatorname{conv}(x, w) \rangle
      = \sum_{n,i,j,o} g_{nijo} \sum_{p,q,c} x_{n, s i + d p - t, s j + d q - l, c} \; w_{pqco}

T is linear in each of its three arguments. Its derivative with respect to `g` is the convolution,
with respect to `x` the gradient of the image, with respect to `w` the gradient of the kernel. So
each of the three ops below has the other two as its gradient rules, and derivatives of any order
never need a fourth.

Symbols: image x (N, H, W, C), kernel w (KH, KW, C, O), output y (N, OH, OW, O); stride s,
dilation d, padding t at the top and l at the left. As in every framework the kernel is not flipped:
mathematicians call this the cross-correlation.

A kernel with only C / G input channels makes G groups: the first O / G filters see the first C / G
channels of the image, the next the next. The sums over c and o then stay within a group.

Source: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285.
"""

from __future__ import annotations

from functools import lru_cache

from tinydl import kernels
from tinydl.engine import Op, Tensor, rule
from tinydl.errors import ShapeError
from tinydl.fused import fused, unread
from tinydl.kernels.geometry import count_groups
from tinydl.ops.pool import knows_winners
from tinydl.ops.weighted import layer_steps, of_one_dtype, weighted
from tinydl.ops.windows import (
    WindowOp,
    check_data_format,
    check_images,
    check_padding,
    check_window_fits,
    names_both_axes,
    pair,
    resolve_padding,
)
from tinydl.recording import quiet


class Conv(WindowOp):
    """Slide a kernel over images, or over lines, and sum the products at each place.

    Parameters
    ----------
    inputs : array_like, shape (N, H, W, C) or (N, L, C)
    kernel : array_like, shape (KH, KW, C / G, O) or (K, C / G, O)
        With fewer channels than the inputs it works in groups: each of the G groups of filters sees
        its own C / G of the channels.
    strides : int or (int, int)
        Step from one place to the next, in pixels.
    padding : {"valid", "same"}, ((top, bottom), (left, right)) or ((left, right),)
        Zeros around the image: none, so many that the output has ceil(H / stride) rows, or counted.
    data_format : {None, "channels_last"}
        Only images with the channels last.
    dilation_rate : int or (int, int)
        Distance of neighbouring kernel elements, in pixels.

    Returns
    -------
    Tensor, shape (N, OH, OW, O) or (N, OL, O)

    Raises
    ------
    ShapeError
        When the channels do not fit, or the kernel is larger than the padded image.

    Examples
    --------
    >>> from tinydl import ops
    >>> image = ops.reshape([1.0, 2.0, 3.0, 4.0], (1, 2, 2, 1))
    >>> kernel = ops.reshape([1.0, 1.0], (1, 2, 1, 1))
    >>> ops.conv(image, kernel).reshape(2)
    tensor([3., 7.])
    """

    input_names = ("inputs", "kernel")
    linear_in = ("inputs", "kernel")
    formula = r"y_{nijo} = \sum_{p,q,c} x_{n, s i + d p - t, s j + d q - l, c} \, w_{pqco}"
    literal = staticmethod(kernels.literal.conv)

    def __init__(self, strides=1, padding="valid", data_format=None, dilation_rate=1):
        check_data_format("conv", data_format)
        self.strides = pair("conv", "strides", strides)
        self.padding = check_padding("conv", padding)
        self.dilation_rate = pair("conv", "dilation_rate", dilation_rate)
        self._for_images = names_both_axes(strides, padding, dilation_rate)

    def check(self, x, w):
        check_images("conv", "inputs", x)
        if w.ndim != 4:
            raise ShapeError("conv", "kernel", got=w.shape, expected="4 axes (KH, KW, C_in, C_out)")
        groups = count_groups(x.shape[3], w.shape[2], filters=0)
        if groups == 0:
            raise ShapeError(
                "conv",
                "inputs",
                got=f"{x.shape}, with {x.shape[3]} channels",
                expected=f"{w.shape[2]} channels, as the kernel {w.shape} has, or a multiple of it",
            )
        if w.shape[3] % groups:
            raise ShapeError(
                "conv",
                "kernel",
                got=f"{w.shape}, with {w.shape[3]} filters",
                expected=f"a multiple of the {groups} groups it makes of the inputs {x.shape}",
            )
        (top, bottom), (left, right) = self.sides(x.shape, w.shape)
        span = tuple((k - 1) * d + 1 for k, d in zip(w.shape, self.dilation_rate, strict=False))
        image = (x.shape[1] + top + bottom, x.shape[2] + left + right)
        check_window_fits("conv", "kernel", span, image)

    def sides(self, x_shape, w_shape):
        """The padding as numbers, for this image and kernel."""
        return resolve_padding(
            self.padding, x_shape[1:3], w_shape[:2], self.strides, self.dilation_rate
        )

    def geometry(self, x, w):
        """Stride, padding and dilation, as the kernels and the gradient ops take them."""
        return self.strides, self.sides(x.shape, w.shape), self.dilation_rate

    def forward(self, x, w):
        return kernels.conv(x, w, *self.geometry(x, w))

    def with_bias(self, inputs, kernel, bias, relu):
        """The convolution plus the bias, or the positive part of that, in one go."""

        def compute(x, w, b, relu):
            return kernels.conv_layer(x, w, b, relu, *self.geometry(x, w))

        return weighted(self, compute, inputs, kernel, bias, relu)

    def with_bias_and_max_pool(self, inputs, kernel, bias, relu, pool):
        """What `with_bias` gives, and of that the largest element of each window, in one go.

        The values in between, by far the largest array, are not even written to memory.
        """
        if not (of_one_dtype(inputs, kernel, bias) and knows_winners(inputs.dtype)):
            return pool(self.with_bias(inputs, kernel, bias, relu))
        x, w = inputs.data, kernel.data
        geometry, windows, between = _places(self, pool, x.shape, w.shape, x.dtype)
        with quiet():
            y, winners = kernels.conv_max_pool_layer(x, w, bias.data, relu, *geometry, *windows)

        def gradients(y_bar, needed):
            g = y_bar.data
            if id(kernel) in needed or id(bias) in needed:
                places = w.shape, *geometry, *windows
                both = kernels.conv_max_pool_layer_gradient(x, g, winners, *places)
                if id(kernel) in needed:
                    yield kernel, Tensor(both[:-1].reshape(w.shape))
                if id(bias) in needed:
                    yield bias, Tensor(both[-1])
            if id(inputs) in needed:
                z_bar = kernels.max_unpool(g, winners, between.shape, *windows)
                yield inputs, Tensor(self.input_gradient(z_bar, x, w))

        steps = [*layer_steps(self, inputs, kernel, bias, relu), (pool, ())]
        return fused(steps, y, gradients, between.shape)

    @rule(
        r"\bar x_{nhvc} = \sum_{p,q,o} \sum_{i,j:\, s i + d p - t = h,\, s j + d q - l = v}"
        r" \bar y_{nijo} \, w_{pqco}"
    )
    def inputs(self, y_bar, y, x, w):
        return ConvInputGradient(x.shape, *self.geometry(x, w))(y_bar, w)

    @rule(r"\bar w_{pqco} = \sum_{n,i,j} x_{n, s i + d p - t, s j + d q - l, c} \, \bar y_{nijo}")
    def kernel(self, y_bar, y, x, w):
        return ConvKernelGradient(w.shape, *self.geometry(x, w))(x, y_bar)

    def input_gradient(self, g, x, w):
        """The first rule for a layer's arrays."""
        return kernels.conv_input_gradient(g, w, x.shape, *self.geometry(x, w))

    def kernel_gradient(self, g, x, w):
        """The second rule for a layer's arrays."""
        return kernels.conv_kernel_gradient(x, g, w.shape, *self.geometry(x, w))

    @classmethod
    def examples(cls, rng):
        """Strides, paddings, dilations and groups, square and not."""
        x, w = rng.normal(size=(2, 5, 6, 2)), rng.normal(size=(3, 2, 2, 3))
        yield cls(), (x, w)
        yield cls(strides=2, padding="same"), (x, w)
        yield cls(strides=(1, 3), padding=((2, 0), (1, 2))), (x, w)
        yield cls(dilation_rate=(2, 3)), (x, w)
        yield cls(), (x[:0], w)
        yield cls(padding="same"), (rng.normal(size=(1, 3, 4, 4)), rng.normal(size=(2, 2, 2, 6)))
        yield cls(), (rng.normal(size=(1, 2, 3, 3)), rng.normal(size=(1, 2, 1, 3)))


@lru_cache(maxsize=256)
def _places(conv, pool, x_shape, w_shape, dtype):
    """Geometry of the convolution, of the pool, and an array like the results in between."""
    x, w = unread(x_shape, dtype), unread(w_shape, dtype)
    conv.check(x, w)
    geometry = conv.geometry(x, w)
    between = unread(kernels.conv.result_shape(x, w, *geometry), dtype)
    pool.check(between)
    return geometry, pool.geometry(between), between


class ConvInputGradient(Op):
    """The derivative of T with respect to the image: what goes down from a convolution to it."""

    input_names = ("g", "w")
    linear_in = ("g", "w")
    formula = (
        r"z_{nhvc} = \sum_{p,q,o} \sum_{i,j:\, s i + d p - t = h,\, s j + d q - l = v}"
        r" g_{nijo} \, w_{pqco}"
    )
    literal = staticmethod(kernels.literal.conv_input_gradient)

    def __init__(self, input_shape, strides, padding, dilation):
        self.input_shape, self.geometry = input_shape, (strides, padding, dilation)

    def forward(self, g, w):
        return kernels.conv_input_gradient(g, w, self.input_shape, *self.geometry)

    @rule(r"\bar g_{nijo} = \sum_{p,q,c} \bar z_{n, s i + d p - t, s j + d q - l, c} \, w_{pqco}")
    def g(self, z_bar, z, g, w):
        return Conv(*self.geometry[:2], dilation_rate=self.geometry[2])(z_bar, w)

    @rule(r"\bar w_{pqco} = \sum_{n,i,j} \bar z_{n, s i + d p - t, s j + d q - l, c} \, g_{nijo}")
    def w(self, z_bar, z, g, w):
        return ConvKernelGradient(w.shape, *self.geometry)(z_bar, g)

    @classmethod
    def examples(cls, rng):
        """What the convolution's own examples send down to the image."""
        for conv, (x, w) in Conv.examples(rng):
            g = rng.normal(size=conv.forward(x, w).shape)
            yield cls(x.shape, *conv.geometry(x, w)), (g, w)


class ConvKernelGradient(Op):
    """The derivative of T with respect to the kernel: what goes down from a convolution to it."""

    input_names = ("x", "g")
    linear_in = ("x", "g")
    formula = r"v_{pqco} = \sum_{n,i,j} x_{n, s i + d p - t, s j + d q - l, c} \, g_{nijo}"
    literal = staticmethod(kernels.literal.conv_kernel_gradient)

    def __init__(self, kernel_shape, strides, padding, dilation):
        self.kernel_shape, self.geometry = kernel_shape, (strides, padding, dilation)

    def forward(self, x, g):
        return kernels.conv_kernel_gradient(x, g, self.kernel_shape, *self.geometry)

    @rule(
        r"\bar x_{nhvc} = \sum_{p,q,o} \sum_{i,j:\, s i + d p - t = h,\, s j + d q - l = v}"
        r" g_{nijo} \, \bar v_{pqco}"
    )
    def x(self, v_bar, v, x, g):
        return ConvInputGradient(x.shape, *self.geometry)(g, v_bar)

    @rule(r"\bar g_{nijo} = \sum_{p,q,c} x_{n, s i + d p - t, s j + d q - l, c} \, \bar v_{pqco}")
    def g(self, v_bar, v, x, g):
        return Conv(*self.geometry[:2], dilation_rate=self.geometry[2])(x, v_bar)

    @classmethod
    def examples(cls, rng):
        """What the convolution's own examples send down to the kernel."""
        for conv, (x, w) in Conv.examples(rng):
            g = rng.normal(size=conv.forward(x, w).shape)
            yield cls(w.shape, *conv.geometry(x, w)), (x, g)
