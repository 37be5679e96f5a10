"""Layers one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from tinydl.engine import Tensor
from tinydl.errors import ArgumentError, TinydlError
from tinydl.layers import Input, InputLayer, Layer, deserialize
from tinydl.models.model import Model
from tinydl.recording import mode
from tinydl.registry import serialize


class Sequential(Model):
    """A stack of layers: each gets what the one before it returns.

    Weights are made as soon as the input shape is known: from `Input` as the first entry, from
    ``input_shape=`` of the first layer, or else from the first data.

    Parameters
    ----------
    layers : iterable of Layer, optional
        May begin with an `Input`.
    trainable : bool
        Whether training changes the weights.
    name : str, optional
        By default "sequential", numbered.

    Raises
    ------
    ArgumentError
        When an entry is not a layer, or two have the same name.

    Examples
    --------
    >>> from tinydl.layers import Dense, Flatten, Input
    >>> model = Sequential([Input((28, 28)), Flatten(), Dense(10, activation="softmax")])
    >>> model.output_shape
    (None, 10)
    >>> model.count_params()
    7850
    """

    def __init__(
        self, layers: Iterable[Layer] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self._stack: list[Layer] = []
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the `Input`."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def add(self, layer: Layer) -> None:
        """Put a layer on top.

        Raises
        ------
        ArgumentError
            When it is not a layer, its name is taken, or it is an `Input` and not the first.
        ShapeError
            When it cannot follow the layer below it.
        """
        where = f"Sequential {self.name}"
        if not isinstance(layer, Layer):
            raise ArgumentError(
                where,
                "layer",
                got=repr(layer),
                expected="a Layer",
                hint="make an instance: Flatten(), not Flatten" if isinstance(layer, type) else "",
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ArgumentError(where, "Input", hint="it can only be the first entry")
        if any(layer.name == other.name for other in self._stack):
            raise ArgumentError(
                where,
                "a layer's name",
                got=repr(layer.name),
                expected="a name that no other layer has",
                hint="a layer cannot be used twice; give another one a name=",
            )
        if not self._stack and layer.declared_shape is not None:
            self._stack = [Input(layer.declared_shape)]
        former = self._stack
        self._stack = [*former, layer]
        shape = self.input_shape if self.built else self._stack[0].input_shape
        if shape is not None and self.layers:
            try:
                self.build(shape)
            except TinydlError:  # a layer that does not fit is not kept
                self._stack = former
                raise

    def pop(self) -> Layer:
        """Take the topmost layer off, and return it."""
        if not self.layers:
            raise ArgumentError(f"Sequential {self.name}", "pop", hint="there is no layer")
        *self._stack, layer = self._stack
        return layer

    def build(self, input_shape: Any) -> None:
        """Make the weights of all layers; each learns its input shape from the one before it."""
        if not self.layers:
            raise ArgumentError(
                f"Sequential {self.name}", "layers", got="empty", expected="a layer"
            )
        shape = tuple(input_shape)
        for layer in self.layers:
            if not layer.built:
                layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape after the last layer."""
        shape = tuple(input_shape)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Apply the layers in order."""
        outputs = self._with_last_axis(inputs)
        for function in self._functions():
            outputs = function(outputs, training=training)
        return outputs

    def _functions(self) -> Iterator[Callable[..., Tensor]]:
        """The layers in order; two of them as one where they can be computed at once."""
        remaining = deque(self._stack)
        watched = mode.observer is not None  # by somebody who wants to see them one by one
        while remaining:
            layer = remaining.popleft()
            both = layer.followed_by(remaining[0]) if remaining and not watched else None
            if both:
                remaining.popleft()
            yield both or layer

    def _with_last_axis(self, inputs: Tensor) -> Tensor:
        """Add or drop a last axis of length 1, where that gives the shape the model expects."""
        expected, shape = self.input_shape, inputs.shape
        assert expected is not None
        if len(shape) == len(expected):
            return inputs
        shorter = shape[:-1] if shape[-1] == 1 else shape
        for other in ((*shape, 1), shorter):
            if len(other) == len(expected) and all(
                m in (None, n) for n, m in zip(other, expected, strict=True)
            ):
                return inputs.reshape(other)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal model, without its weights, as JSON can hold them."""
        return {"name": self.name, "layers": serialize(self._stack)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """Make a model from what `get_config` returned."""
        known = {"Sequential": Sequential, **(custom_objects or {})}
        layers = [deserialize(layer, known) for layer in config["layers"]]
        return cls(layers, name=config["name"])
