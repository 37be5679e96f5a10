"""A network as a whole: its layers, its weights, its file, its table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinydl.engine import no_grad
from tinydl.errors import ArgumentError, unknown_name
from tinydl.layers import Layer
from tinydl.models.summary import print_summary
from tinydl.models.trainer import Trainer
from tinydl.tensor import Tensor


class Model(Trainer):
    """A network; subclass it, make layers in ``__init__`` and use them in `call`.

    For layers that follow one another there is `Sequential`.

    Parameters
    ----------
    name : str, optional
        By default the name of the class in snake case, numbered.
    trainable : bool
        Whether training changes the weights.
    dtype : dtype, optional
        The dtype to compute in; by default `tinydl.config.floatx`.

    Examples
    --------
    >>> from tinydl.layers import Dense
    >>> class Residual(Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = Dense(8, activation="tanh")
    ...         self.out = Dense(2)
    ...     def call(self, inputs):
    ...         return inputs + self.out(self.hidden(inputs))
    >>> model = Residual()
    >>> model.predict(np.zeros((5, 2)), verbose=0).shape
    (5, 2)
    >>> model.count_params()
    42
    """

    def build(self, input_shape: Any) -> None:
        """Make the weights, by using the model once on zeros.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the inputs with the batch axis, which may be None.
        """
        zeros = Tensor(np.zeros((1, *input_shape[1:]), self.dtype))
        with no_grad():
            self.call(zeros, False) if self._call_takes_training else self.call(zeros)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal model, without its weights, as JSON can hold them."""
        config = super().get_config()
        config.pop("input_shape", None)  # a model learns it from `build` or from data
        return config

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order in which they were made part of the model."""
        return self.sublayers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """One layer, by its name or its position.

        Raises
        ------
        ArgumentError
            When there is no such layer, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ArgumentError("get_layer", "name and index", hint="give exactly one of the two")
        if name is not None:
            found = {layer.name: layer for layer in self.layers}
            if name not in found:
                raise unknown_name("get_layer", "name", name, found)
            return found[name]
        assert index is not None
        if not -len(self.layers) <= index < len(self.layers):
            raise ArgumentError(
                "get_layer", "index", got=index, expected=f"below {len(self.layers)}"
            )
        return self.layers[index]

    def summary(
        self, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None
    ) -> None:
        """Print a table of the layers, their output shapes and how many weights they have.

        Parameters
        ----------
        line_length : int, optional
            The width of the table; by default as wide as the terminal allows.
        print_fn : callable, optional
            Gets the table as text, instead of the terminal.
        """
        print_summary(self, line_length, print_fn)

    def save(self, filepath: str | Path, overwrite: bool = True) -> None:
        """Write architecture, weights and the settings of `compile` to a file.

        `tinydl.saving.load_model` reads it. The file appears whole or not at all.

        Parameters
        ----------
        filepath : str or Path
            Ends in ``.safetensors``.
        overwrite : bool
            Whether an existing file may be replaced.

        Raises
        ------
        ArgumentError
            When the suffix is another, the file exists and must not be replaced, or the model has
            no weights yet because its input shape is not known.
        OSError
            When the file cannot be written.
        """
        from tinydl import saving  # which makes models, and so imports this module

        saving.save_model(self, filepath, overwrite)

    def save_weights(self, filepath: str | Path, overwrite: bool = True) -> None:
        """Write the weights to a file that ends in ``.weights.safetensors``; see `save`."""
        from tinydl import saving

        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | Path) -> None:
        """Take the weights from a file that `save` or `save_weights` wrote.

        They are matched in order, as in `set_weights`; names may differ. When something does not
        fit, no weight is changed.

        Raises
        ------
        FileFormatError
            When the file is damaged, or was not written by tinydl.
        ShapeError
            When its weights do not fit those of the model.
        """
        from tinydl import saving

        saving.load_weights(self, filepath)
