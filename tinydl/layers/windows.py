"""Layers that slide a window over images: convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinydl import activations, initializers, regularizers
from tinydl.engine import Tensor
from tinydl.errors import ShapeError, unknown_name
from tinydl.kernels import output_length
from tinydl.layers.layer import Layer, Shape
from tinydl.ops.conv import Conv
from tinydl.ops.pool import AveragePool, MaxPool
from tinydl.ops.windows import Pair, pair, resolve_padding
from tinydl.registry import check_count


class ImageLayer(Layer):
    """A layer whose inputs are images (N, H, W, C), looked at through a window.

    Subclasses set `window`, `strides`, `padding` and `dilation_rate`.
    """

    window: Pair
    strides: Pair
    padding: str
    dilation_rate: Pair = (1, 1)

    def check(self, input_shape: Shape) -> None:
        """Refuse what is no batch of images, and images smaller than the window."""
        if len(input_shape) != 4:
            raise self.shape_error(
                input_shape,
                "4 axes (N, H, W, C)",
                "grey images need a channel axis: x[..., None]" if len(input_shape) == 3 else "",
            )
        for n, k, d in zip(input_shape[1:3], self.window, self.dilation_rate, strict=True):
            if n is not None and self.padding == "valid" and (k - 1) * d + 1 > n:
                raise self.shape_error(
                    input_shape,
                    f"images of at least {self._span(0)} x {self._span(1)} pixels, its window",
                    "use a smaller window, or padding='same'",
                )

    def _span(self, axis: int) -> int:
        return (self.window[axis] - 1) * self.dilation_rate[axis] + 1

    def _output_lengths(self, input_shape: Shape) -> tuple[int | None, int | None]:
        """Height and width of the outputs."""
        return self._output_length(input_shape[1], 0), self._output_length(input_shape[2], 1)

    def _output_length(self, n: int | None, axis: int) -> int | None:
        if n is None:
            return None
        k, s, d = self.window[axis], self.strides[axis], self.dilation_rate[axis]
        sides = resolve_padding(self.padding, (n, n), (k, k), (s, s), (d, d))[0]
        return output_length(n, k, s, sides, d)


def _check_padding(where: str, padding: Any) -> str:
    if not isinstance(padding, str) or padding.lower() not in ("same", "valid"):
        raise unknown_name(where, "padding", padding, ["same", "valid"])
    return padding.lower()


class Conv2D(ImageLayer):
    """Slide kernels over images: every output sees a window of the inputs, with the same weights.

    Parameters
    ----------
    filters : int
        Number O of kernels, and of output channels.
    kernel_size : int or (int, int)
        Height and width of the window, in pixels.
    strides : int or (int, int)
        Step s from one place to the next, in pixels.
    padding : {"valid", "same"}
        No padding, or zeros around the image so that the output has ceil(H / s) rows.
    data_format : {None, "channels_last"}
        Only channels last.
    dilation_rate : int or (int, int)
        Distance d of neighbouring kernel elements, in pixels.
    activation : str, callable or None
        Applied at the end; see `tinydl.activations`.
    use_bias : bool
        Whether b is added.
    kernel_initializer, bias_initializer : str, Initializer or callable
        First values of w (KH, KW, C, O) and b (O,).
    kernel_regularizer, bias_regularizer : str, Regularizer, callable or None
        What they add to the loss.
    **kwargs
        See `Layer`.

    Raises
    ------
    ShapeError
        When called on inputs other than (N, H, W, C), with the C of the first call, or on images
        smaller than the window.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, chapter 9.

    Examples
    --------
    >>> Conv2D(32, (3, 3)).compute_output_shape((None, 28, 28, 1))
    (None, 26, 26, 32)
    """

    formula = (
        r"y_{nijo} = f\Big( \sum_{p,q,c} x_{n, s i + d p - t, s j + d q - l, c}"
        r" \, w_{pqco} + b_o \Big)"
    )

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Pair = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = check_count("Conv2D", "filters", filters)
        self.kernel_size = self.window = pair("Conv2D", "kernel_size", kernel_size)
        self.padding = _check_padding("Conv2D", padding)
        self._convolve = Conv(strides, self.padding, data_format, dilation_rate)
        self.strides, self.dilation_rate = self._convolve.strides, self._convolve.dilation_rate
        self.data_format = data_format
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def check(self, input_shape: Shape) -> None:
        """Refuse what is no batch of images that fit, or another number of channels than before."""
        super().check(input_shape)
        if input_shape[3] is None:
            raise self.shape_error(input_shape, "(N, H, W, C)", "the last axis has to be known")
        if self.built and input_shape[3] != self.kernel.shape[2]:
            expected = f"(N, H, W, {self.kernel.shape[2]})"
            raise self.shape_error(input_shape, expected, f"its kernel is {self.kernel.shape}")

    def build(self, input_shape: Shape) -> None:
        """Make kernel and bias."""
        self.kernel = self.add_weight(
            (*self.kernel_size, input_shape[3], self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                name="bias",
            )

    def call(self, inputs: Tensor) -> Tensor:
        """See the formula."""
        if not self.use_bias:
            return self.activation(self._convolve(inputs, self.kernel))
        relu = self.activation is activations.relu
        y = self._convolve.with_bias(inputs, self.kernel, self.bias, relu)
        return y if relu else self.activation(y)

    def followed_by(self, layer: Layer) -> Callable[..., Tensor] | None:
        """With a bias and a max pooling after it, one kernel does it all."""
        relu = self.activation is activations.relu
        if not (self.use_bias and (relu or self.activation is activations.linear)):
            return None
        if type(self) is not Conv2D or type(layer) is not MaxPooling2D:  # a subclass may do more
            return None
        pool = layer._pool

        def convolve_and_pool(inputs: Any, training: bool = False) -> Tensor:
            x = self.receive(inputs)
            try:
                return self._convolve.with_bias_and_max_pool(x, self.kernel, self.bias, relu, pool)
            except ShapeError:
                layer.check(self.compute_output_shape(x.data.shape))  # which names the layer
                raise

        return convolve_and_pool

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(N, OH, OW, O)."""
        self.check(input_shape)
        return (input_shape[0], *self._output_lengths(input_shape), self.filters)


class Pooling2D(ImageLayer):
    """What the pooling layers share.

    Parameters
    ----------
    pool_size : int or (int, int)
        Height and width of the window, in pixels.
    strides : int or (int, int), optional
        Step s from one window to the next; `pool_size` by default.
    padding : {"valid", "same"}
        Only whole windows, or windows that reach over the edge and see only real elements.
    data_format : {None, "channels_last"}
        Only channels last.
    **kwargs
        See `Layer`.
    """

    pool: type[MaxPool] | type[AveragePool]

    def __init__(
        self,
        pool_size: int | Pair = (2, 2),
        strides: int | Pair | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.padding = _check_padding(type(self).__name__, padding)
        self._pool = self.pool(pool_size, strides, self.padding, data_format)
        self.pool_size = self.window = self._pool.pool_size
        self.strides = self._pool.strides
        self.data_format = data_format

    def call(self, inputs: Tensor) -> Tensor:
        """See the formula."""
        return self._pool(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(N, OH, OW, C)."""
        self.check(input_shape)
        return (input_shape[0], *self._output_lengths(input_shape), input_shape[3])


class MaxPooling2D(Pooling2D):
    """The largest element of each window, for each channel by itself; see `Pooling2D`.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 9.3.

    Examples
    --------
    >>> MaxPooling2D((2, 2)).compute_output_shape((None, 26, 26, 32))
    (None, 13, 13, 32)
    """

    formula = r"y_{nijc} = \max_{p,q} x_{n, s i + p - t, s j + q - l, c}"
    pool = MaxPool


class AveragePooling2D(Pooling2D):
    """The average of each window's m elements, for each channel by itself; see `Pooling2D`.

    Source: LeCun, Bottou, Bengio & Haffner, *Gradient-based learning applied to document
    recognition*, Proc. IEEE 86, 1998, section II.B.

    Examples
    --------
    >>> AveragePooling2D((2, 2)).compute_output_shape((None, 26, 26, 32))
    (None, 13, 13, 32)
    """

    formula = r"y_{nijc} = \frac{1}{m_{ij}} \sum_{p,q} x_{n, s i + p - t, s j + q - l, c}"
    pool = AveragePool
