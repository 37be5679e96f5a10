"""Pooling: the largest or the average element of each window, for each channel by itself."""

from __future__ import annotations

import numpy as np

from tinydl import kernels
from tinydl.engine import Op, Tensor, quiet, rule, tensor
from tinydl.errors import ArgumentError
from tinydl.fused import fused
from tinydl.ops.elementwise import Floating
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
from tinydl.recording import mode


class Pool(WindowOp, abstract=True):
    """An op on the windows of images, or of lines.

    Parameters
    ----------
    inputs : array_like, shape (N, H, W, C) or (N, L, C)
    pool_size : int or (int, int)
        Height and width of the window, in pixels.
    strides : int or (int, int), optional
        Step from one window to the next; `pool_size` by default.
    padding : {"valid", "same"}, ((top, bottom), (left, right)) or ((left, right),)
        Only whole windows, or windows that reach over the edge and see only real elements.
    data_format : {None, "channels_last"}
        Only images with the channels last.
    """

    input_names = ("inputs",)

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None):
        check_data_format(self.name, data_format)
        self.pool_size = pair(self.name, "pool_size", pool_size)
        self.strides = pair(self.name, "strides", pool_size if strides is None else strides)
        self.padding = check_padding(self.name, padding)
        self._for_images = names_both_axes(pool_size, strides, padding)

    def check(self, x):
        check_images(self.name, "inputs", x)
        if isinstance(self.padding, tuple):
            for sides, size in zip(self.padding, self.pool_size, strict=True):
                if max(sides) >= size:
                    raise ArgumentError(
                        self.name,
                        "padding",
                        got=self.padding,
                        expected=f"less than the pool_size {self.pool_size}",
                        hint="a window must not lie wholly on padding",
                    )
        (top, bottom), (left, right) = self.geometry(x)[2]
        image = (x.shape[1] + top + bottom, x.shape[2] + left + right)
        check_window_fits(self.name, "pool_size", self.pool_size, image)

    def geometry(self, x):
        """Window, stride and padding, as the kernels and the gradient ops take them."""
        padding = resolve_padding(self.padding, x.shape[1:3], self.pool_size, self.strides)
        return self.pool_size, self.strides, padding

    @classmethod
    def examples(cls, rng):
        """Windows that tile the image, overlap, leave gaps, and reach over the edge."""
        x = rng.normal(size=(2, 5, 6, 3))
        yield cls(2), (x,)
        yield cls((3, 2), strides=1), (x,)
        yield cls(2, strides=(3, 2), padding="same"), (x,)
        yield cls(3, strides=2, padding="same"), (x,)
        yield cls(2), (x[:0],)
        yield cls(3, padding=((1, 2), (0, 1))), (x,)


class MaxPool(Pool):
    """The largest element of each window; nan if there is one, the first of several.

    The parameters are those of `Pool`.

    Examples
    --------
    >>> from tinydl import ops
    >>> image = ops.reshape([1.0, 2.0, 4.0, 3.0], (1, 2, 2, 1))
    >>> ops.max_pool(image, 2).item()
    4.0
    """

    formula = r"y_{nijc} = \max_{p,q} x_{n, s i + p - t, s j + q - l, c}"
    kinks = "ties: the first element in reading order gets the whole gradient"
    literal = staticmethod(kernels.literal.max_pool)

    def __call__(self, inputs):
        """Apply to images or lines; where a gradient will be asked for, note where it goes."""
        x = inputs if isinstance(inputs, Tensor) else tensor(inputs)
        wants_winners = x.requires_grad and mode.recording and mode.observer is None
        if not (wants_winners and x.ndim == 4 and knows_winners(x.dtype)):
            return super().__call__(x)
        self.check(x.data)
        geometry = self.geometry(x)
        with quiet():
            data, winners = kernels.max_pool_winners(x.data, *geometry)

        def gradients(y_bar, needed):
            if id(x) in needed:
                yield x, Tensor(kernels.max_unpool(y_bar.data, winners, x.shape, *geometry))

        return fused([(self, (x,))], data, gradients)

    def forward(self, x):
        return kernels.max_pool(x, *self.geometry(x))

    @rule(r"\bar x_{nhvc} = \sum_{i,j:\, (h, v) = \operatorname{argmax}_{ij}} \bar y_{nijc}")
    def inputs(self, y_bar, y, x):
        return MaxPoolGradient(*self.geometry(x))(y_bar, x)

    @classmethod
    def conventions(cls):
        """The first of equal elements gets the gradient of its window."""
        first = np.array([1.0, 0.0, 1.0, 0.0])
        yield cls((1, 2)), (np.ones((1, 1, 4, 1)),), (first.reshape(1, 1, 4, 1),)


def knows_winners(dtype):
    """Whether who serves the maxima can also tell where they were, by numbers of this dtype."""
    pooling = kernels.max_pool, kernels.max_pool_gradient
    together = kernels.same_server(kernels.max_pool_winners, kernels.max_unpool, *pooling)
    return together and dtype.itemsize >= 4


class MaxPoolGradient(Op):
    """Add each element of `g` to the place where the window of `x` has its largest element.

    It is linear in `g`; `x` only says where, so no gradient flows to it.
    """

    input_names = ("g", "where")
    linear_in = ("g",)
    formula = r"z_{nhvc} = \sum_{i,j:\, (h, v) = \operatorname{argmax}_{ij}} g_{nijc}"
    literal = staticmethod(kernels.literal.max_pool_gradient)

    def __init__(self, *geometry):
        self.geometry = geometry

    def forward(self, g, x):
        return kernels.max_pool_gradient(g, x, *self.geometry)

    @rule(r"\bar g_{nijc} = \bar z_{n, \operatorname{argmax}_{ij}, c}")
    def g(self, z_bar, z, g, x):
        return MaxPoolGather(*self.geometry)(z_bar, x)

    @classmethod
    def examples(cls, rng):
        """What the pool's own examples send down."""
        for pool, (x,) in MaxPool.examples(rng):
            yield cls(*pool.geometry(x)), (rng.normal(size=pool.forward(x).shape), x)


class MaxPoolGather(Op):
    """Take from `u` the element at the place where the window of `x` has its largest element."""

    input_names = ("u", "where")
    linear_in = ("u",)
    formula = r"y_{nijc} = u_{n, \operatorname{argmax}_{ij}, c}"
    literal = staticmethod(kernels.literal.max_pool_gather)

    def __init__(self, *geometry):
        self.geometry = geometry

    def forward(self, u, x):
        return kernels.max_pool_gather(u, x, *self.geometry)

    @rule(r"\bar u_{nhvc} = \sum_{i,j:\, (h, v) = \operatorname{argmax}_{ij}} \bar y_{nijc}")
    def u(self, y_bar, y, u, x):
        return MaxPoolGradient(*self.geometry)(y_bar, x)

    @classmethod
    def examples(cls, rng):
        """The places of the pool's own examples."""
        for pool, (x,) in MaxPool.examples(rng):
            yield cls(*pool.geometry(x)), (rng.normal(size=x.shape), x)


class AveragePool(Floating, Pool):
    """The average of each window's real elements; padding is not counted.

    The parameters are those of `Pool`; whole numbers become float32.

    Examples
    --------
    >>> from tinydl import ops
    >>> image = ops.reshape([1.0, 2.0, 4.0, 3.0], (1, 2, 2, 1))
    >>> ops.average_pool(image, 2).item()
    2.5
    """

    linear_in = ("inputs",)
    formula = r"y_{nijc} = \frac{1}{m_{ij}} \sum_{p,q} x_{n, s i + p - t, s j + q - l, c}"
    literal = staticmethod(kernels.literal.average_pool)

    def forward(self, x):
        return kernels.average_pool(x, *self.geometry(x))

    @rule(
        r"\bar x_{nhvc} = \sum_{i,j:\, (h, v) \in \text{window}_{ij}} \frac{\bar y_{nijc}}{m_{ij}}"
    )
    def inputs(self, y_bar, y, x):
        return AveragePoolGradient(x.shape, *self.geometry(x))(y_bar)


class AveragePoolGradient(Op):
    """Spread each element of `g` evenly over its window."""

    input_names = ("g",)
    linear_in = ("g",)
    formula = r"z_{nhvc} = \sum_{i,j:\, (h, v) \in \text{window}_{ij}} \frac{g_{nijc}}{m_{ij}}"
    literal = staticmethod(kernels.literal.average_pool_gradient)

    def __init__(self, input_shape, *geometry):
        self.input_shape, self.geometry = input_shape, geometry

    def forward(self, g):
        return kernels.average_pool_gradient(g, self.input_shape, *self.geometry)

    @rule(r"\bar g_{nijc} = \frac{1}{m_{ij}} \sum_{p,q} \bar z_{n, s i + p - t, s j + q - l, c}")
    def g(self, z_bar, z, g):
        return AveragePool(*self.geometry)(z_bar)

    @classmethod
    def examples(cls, rng):
        """What the pool's own examples send down."""
        for pool, (x,) in AveragePool.examples(rng):
            yield cls(x.shape, *pool.geometry(x)), (rng.normal(size=pool.forward(x).shape),)
