"""What every layer is: a function of a tensor, with weights that are made when it is first used."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from tinydl import config, initializers, regularizers
from tinydl.engine import Tensor, no_grad, tensor
from tinydl.errors import ArgumentError, DTypeError, ShapeError
from tinydl.registry import Configurable, snake_case

Shape = tuple[int | None, ...]

_names_given: Counter[str] = Counter()


def reset_names() -> None:
    """Count default names ("dense", "dense_1", ...) from the beginning again."""
    _names_given.clear()


def _next_name(prefix: str) -> str:
    count = _names_given[prefix]
    _names_given[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


class Layer(Configurable):
    """A function of a tensor with weights of its own; subclass it to add one.

    A subclass defines `call`, and if it has weights, `build`, which makes them with `add_weight`
    once the shape of the inputs is known::

        class Scale(Layer):
            def build(self, input_shape):
                self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

            def call(self, inputs):
                return inputs * self.factor

    Layers kept in attributes (also in lists, tuples and dicts) belong to the layer: their weights
    are its weights.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered from the second on.
    trainable : bool
        Whether gradients flow to the weights.
    dtype : {"float32", "float64"}, optional
        Of weights and computations; ``config.floatx()`` by default.
    input_shape : tuple of int, optional
        Shape of one sample, without the batch axis; only the first layer of a model needs it.

    Attributes
    ----------
    built : bool
        Whether the weights have been made.
    input_shape : tuple or None
        Shape of the inputs with the batch axis (None: any length), as far as it is known.
    formula : str
        LaTeX, with scalar indices.
    """

    formula: ClassVar[str] = ""
    _call_takes_training: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        if "build" in vars(cls):
            cls.build = _noting_the_shape(cls.build)  # type: ignore[method-assign]
        cls._call_takes_training = "training" in inspect.signature(cls.call).parameters

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        input_shape: Any = None,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise ArgumentError(type(self).__name__, "name", got=repr(name), expected="a string")
        self.name = name or _next_name(snake_case(type(self).__name__))
        self.dtype = _float_dtype(type(self).__name__, dtype)
        self.built = False
        self.declared_shape = None if input_shape is None else check_shape(self.name, input_shape)
        self.input_shape: Shape | None = None
        if self.declared_shape is not None:
            self.input_shape = (None, *self.declared_shape)
        self._trainable = bool(trainable)
        self._own_weights: list[Tensor] = []
        self._own_fixed_weights: list[Tensor] = []
        self._penalties: list[tuple[Tensor, Callable[[Tensor], Tensor]]] = []

    # What subclasses define.

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape; the batch axis is None.

        It is called once, at the first use. Called by hand, it makes the weights before that.
        """

    def call(self, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the outputs; ``call(inputs)`` or ``call(inputs, training=False)``."""
        raise NotImplementedError(f"{type(self).__name__} does not define call(self, inputs)")

    def check(self, input_shape: Shape) -> None:
        """Raise `ShapeError` when inputs of this shape cannot be used."""

    def followed_by(self, layer: Layer) -> Callable[..., Tensor] | None:
        """Both layers as one function, if they can be computed at once; used by `Sequential`."""
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the outputs for inputs of this shape; an unknown length is None.

        Unless a subclass knows better, by trying the layer on a batch of one sample of zeros.
        """
        sample = Tensor(np.zeros((1, *(n or 1 for n in input_shape[1:])), self.dtype))
        with no_grad():
            return (input_shape[0], *self(sample).shape[1:])

    # What users call.

    def __call__(self, inputs: Any, training: bool = False) -> Tensor:
        """Apply the layer to a batch; the first time, make its weights.

        Parameters
        ----------
        inputs : array_like
            The first axis counts the samples. Numbers are cast to the dtype of the layer.
        training : bool
            Whether this is a training step: `Dropout`, for one, then behaves differently.

        Raises
        ------
        ShapeError
            When the layer cannot use inputs of this shape; the layer is named.
        DTypeError
            When the inputs are not real numbers.
        """
        inputs = self.receive(inputs)
        outputs = self.call(inputs, training) if self._call_takes_training else self.call(inputs)
        if isinstance(outputs, np.ndarray):
            raise DTypeError(
                self._description,
                "what call returned",
                got="a NumPy array",
                expected="a Tensor",
                hint="arrays carry no gradient: compute with tensors and tinydl.ops, not .numpy()",
            )
        return outputs

    def receive(self, inputs: Any) -> Tensor:
        """Check and cast what the layer is called on; the first time, make the weights."""
        if "built" not in vars(self):
            raise ArgumentError(
                type(self).__name__, "__init__", hint="let it begin with super().__init__()"
            )
        if not isinstance(inputs, Tensor):
            inputs = tensor(inputs)
        if inputs.dtype != self.dtype:
            inputs = inputs.astype(self.dtype)
        shape = inputs.data.shape
        self.check(shape)
        if not self.built:
            self.build((None, *shape[1:]))
        return inputs

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = "glorot_uniform",
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        name: str | None = None,
    ) -> Tensor:
        """Make a weight of this layer; meant for `build`.

        Parameters
        ----------
        shape : tuple of int
        initializer : str, Initializer or callable
            Its first values.
        dtype : dtype, optional
            That of the layer by default.
        trainable : bool
            Whether gradients flow to it.
        regularizer : str, Regularizer, callable or None
            What it adds to the loss.
        name : str, optional
            The tensor's name becomes ``"layer/name"``.

        Returns
        -------
        Tensor
        """
        values = initializers.get(initializer)(tuple(shape), dtype=dtype or self.dtype)
        full_name = f"{self.name}/{name or 'weight'}"
        weight = tensor(values, requires_grad=trainable and self._trainable, name=full_name)
        (self._own_weights if trainable else self._own_fixed_weights).append(weight)
        if regularizer is not None:
            self._penalties.append((weight, regularizers.get(regularizer)))
        return weight

    @property
    def output_shape(self) -> Shape | None:
        """Shape of the outputs with the batch axis, once the layer is built."""
        if not self.built or self.input_shape is None:
            return None
        return self.compute_output_shape(self.input_shape)

    @property
    def sublayers(self) -> list[Layer]:
        """The layers kept in attributes, in the order they came, each once."""
        return list({id(layer): layer for layer in _layers_in(vars(self).values())}.values())

    @property
    def weights(self) -> list[Tensor]:
        """All weights, those of sublayers too, each once: first the layer's own, learned first."""
        return weights_of(self._family())

    @property
    def trainable_weights(self) -> list[Tensor]:
        """The weights that training changes."""
        return [w for w in self.weights if w.requires_grad]

    @property
    def non_trainable_weights(self) -> list[Tensor]:
        """The weights that training leaves alone."""
        return [w for w in self.weights if not w.requires_grad]

    @property
    def trainable(self) -> bool:
        """Whether gradients flow to the weights; setting it also sets all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._family():
            layer._trainable = bool(value)
            for weight in layer._own_weights:
                weight.requires_grad = bool(value)

    @property
    def losses(self) -> list[Tensor]:
        """What the weights add to the loss: one number for each regularizer of a trained weight."""
        return penalties_of(self._family())

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in the order of `weights`."""
        return [np.array(w.data) for w in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Give all weights other values, in the order of `weights`.

        Raises
        ------
        ShapeError
            When the number of arrays or one of their shapes is wrong; then nothing is changed.
        """
        own, arrays = self.weights, [np.asarray(w) for w in weights]
        if len(arrays) != len(own):
            raise ShapeError(
                f"set_weights of {self.name}",
                "weights",
                got=f"a list of {len(arrays)}",
                expected=f"{len(own)} arrays",
                hint="" if self.built else "the layer is not built yet",
            )
        for weight, array in zip(own, arrays, strict=True):
            if weight.shape != array.shape:
                raise ShapeError(
                    f"set_weights of {self.name}",
                    str(weight.name),
                    got=array.shape,
                    expected=weight.shape,
                )
        for weight, array in zip(own, arrays, strict=True):
            weight.assign(array)

    def count_params(self) -> int:
        """The number of numbers in all weights.

        Raises
        ------
        ArgumentError
            Before the layer is built.
        """
        if not self.built:
            raise ArgumentError(
                f"count_params of {self.name}",
                hint="it has no weights yet; call build(input_shape), or apply it to a batch",
            )
        return sum(w.size for w in self.weights)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer, without its weights, as JSON can hold them."""
        arguments = super().get_config()
        if "input_shape" in arguments:
            arguments["input_shape"] = self.declared_shape and list(self.declared_shape)
        return arguments

    def shape_error(self, got: Shape, expected: str, hint: str = "") -> ShapeError:
        """The error for inputs of a shape the layer cannot use; it names the layer."""
        return ShapeError(self._description, "inputs", got=got, expected=expected, hint=hint)

    @property
    def _description(self) -> str:
        return f"layer {self.name!r} ({type(self).__name__})"

    def _family(self) -> list[Layer]:
        """The layer itself and all below it, each once."""
        found: dict[int, Layer] = {}
        waiting: list[Layer] = [self]
        while waiting:
            layer = waiting.pop(0)
            if id(layer) not in found:
                found[id(layer)] = layer
                waiting[:0] = layer.sublayers
        return list(found.values())


def weights_of(family: Iterable[Layer]) -> list[Tensor]:
    """The weights that these layers made, each once: of each layer, the learned ones first."""
    return list(
        {
            id(w): w
            for layer in family
            for own in (layer._own_weights, layer._own_fixed_weights)
            for w in own
        }.values()
    )


def penalties_of(family: Iterable[Layer]) -> list[Tensor]:
    """What the weights that these layers made add to the loss, where they are trained."""
    penalties = [pair for layer in family for pair in layer._penalties]
    return [penalty(weight) for weight, penalty in penalties if weight.requires_grad]


def _layers_in(values: Iterable[Any]) -> list[Layer]:
    """The layers among these values, and in the lists, tuples and dicts among them."""
    found: list[Layer] = []
    for value in values:
        if isinstance(value, Layer):
            found.append(value)
        elif isinstance(value, (list, tuple, dict)):
            found += _layers_in(value.values() if isinstance(value, dict) else value)
    return found


def _noting_the_shape(build: Callable[[Any, Shape], None]) -> Any:
    """Let a subclass's `build` check the shape first, and remember it afterwards."""

    @functools.wraps(build)
    def build_and_note(self: Layer, input_shape: Any) -> None:
        self.check(tuple(input_shape))
        build(self, tuple(input_shape))
        self.built, self.input_shape = True, tuple(input_shape)

    return build_and_note


# The base class is no subclass, so its own `build` (for layers without weights) is wrapped here.
Layer.build = _noting_the_shape(Layer.build)  # type: ignore[method-assign]


def check_shape(where: str, shape: Any) -> Shape:
    """Return the shape of a sample as a tuple, or refuse what is none.

    Examples
    --------
    >>> check_shape("Input", [28, 28, 1])
    (28, 28, 1)
    """
    lengths = tuple(shape) if isinstance(shape, (tuple, list)) else (-1,)
    if not all(n is None or (hasattr(n, "__index__") and n >= 0) for n in lengths):
        raise ArgumentError(
            where,
            "shape",
            got=repr(shape),
            expected="a tuple of whole numbers, such as (28, 28, 1)",
            hint="leave the batch axis out",
        )
    return lengths


def _float_dtype(where: str, dtype: Any) -> np.dtype:
    try:
        found = np.dtype(dtype or config.floatx())
    except TypeError:
        found = np.dtype(object)
    if found not in (np.float32, np.float64):
        raise DTypeError(where, "dtype", got=repr(dtype), expected="'float32' or 'float64'")
    return found
