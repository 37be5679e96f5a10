"""The layers every network has: where data enter, matrix products, activations."""

from __future__ import annotations

from typing import Any

from tinydl import activations, initializers, regularizers
from tinydl.engine import Tensor
from tinydl.errors import ArgumentError
from tinydl.layers.layer import Layer, Shape, check_shape
from tinydl.ops.matmul import Matmul
from tinydl.registry import check_count


class InputLayer(Layer):
    """Where data enter a model: it changes nothing, but says which shape the model expects.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample, without the batch axis.
    batch_size : int, optional
        Only if it is the same for every batch.
    dtype, name
        See `Layer`.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, chapter 6.

    Examples
    --------
    >>> InputLayer((28, 28, 1)).output_shape
    (None, 28, 28, 1)
    """

    formula = r"y_i = x_i"

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if shape is None:
            raise ArgumentError("Input", "shape", expected="the shape of one sample")
        self.shape = check_shape("Input", shape)
        self.batch_size = batch_size and check_count("Input", "batch_size", batch_size)
        self.build((self.batch_size, *self.shape))

    def check(self, input_shape: Shape) -> None:
        """Refuse samples of another shape."""
        expected = (self.batch_size, *self.shape)
        if len(input_shape) != len(expected) or any(
            n not in (m, None) and m is not None for n, m in zip(input_shape, expected, strict=True)
        ):
            raise self.shape_error(input_shape, str(expected))

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs themselves."""
        return inputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            "shape": list(self.shape),
            "batch_size": self.batch_size,
            "dtype": self.dtype.name,
            "name": self.name,
        }


def Input(
    shape: Any = None, batch_size: int | None = None, dtype: Any = None, name: str | None = None
) -> InputLayer:
    """Say which shape a model expects, as the first entry of a `Sequential`.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample, without the batch axis.
    batch_size : int, optional
        Only if it is the same for every batch.
    dtype, name
        See `Layer`.

    Returns
    -------
    InputLayer

    Examples
    --------
    >>> Input((784,)).output_shape
    (None, 784)
    """
    return InputLayer(shape, batch_size, dtype, name)


class Dense(Layer):
    """A matrix product, a bias, an activation: every output sees every input.

    Parameters
    ----------
    units : int
        Number of outputs O.
    activation : str, callable or None
        Applied at the end; see `tinydl.activations`.
    use_bias : bool
        Whether b is added.
    kernel_initializer, bias_initializer : str, Initializer or callable
        First values of w (C, O) and b (O,).
    kernel_regularizer, bias_regularizer : str, Regularizer, callable or None
        What they add to the loss.
    **kwargs
        See `Layer`.

    Raises
    ------
    ShapeError
        When called on inputs other than (N, ..., C), with the C of the first call.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, chapter 6.

    Examples
    --------
    >>> layer = Dense(2, kernel_initializer="ones")
    >>> layer([[1.0, 2.0, 3.0]])
    tensor([[6., 6.]], op=add)
    """

    formula = r"y_{no} = f\Big( \sum_c x_{nc} \, w_{co} + b_o \Big)"

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_count("Dense", "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self._multiply = Matmul()

    def check(self, input_shape: Shape) -> None:
        """Refuse a missing axis, or another number of inputs than before."""
        if len(input_shape) < 2:
            raise self.shape_error(input_shape, "(N, ..., C)", "a single sample needs a batch axis")
        if input_shape[-1] is None:
            raise self.shape_error(input_shape, "(N, ..., C)", "the last axis has to be known")
        if self.built and input_shape[-1] != self.kernel.shape[0]:
            expected = f"(N, ..., {self.kernel.shape[0]})"
            raise self.shape_error(input_shape, expected, f"its kernel is {self.kernel.shape}")

    def build(self, input_shape: Shape) -> None:
        """Make kernel and bias."""
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer, name="bias"
            )

    def call(self, inputs: Tensor) -> Tensor:
        """See the formula."""
        if not self.use_bias:
            return self.activation(self._multiply(inputs, self.kernel))
        relu = self.activation is activations.relu
        y = self._multiply.with_bias(inputs, self.kernel, self.bias, relu)
        return y if relu else self.activation(y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(N, ..., O)."""
        return (*input_shape[:-1], self.units)


class Activation(Layer):
    """An activation as a layer of its own.

    Parameters
    ----------
    activation : str or callable
        See `tinydl.activations`.
    **kwargs
        See `Layer`.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 6.3.

    Examples
    --------
    >>> Activation("relu")([[-1.0, 2.0]])
    tensor([[0., 2.]])
    """

    formula = r"y_i = f(x_i)"

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        """See the formula."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the inputs."""
        return input_shape
