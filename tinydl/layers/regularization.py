"""Layers that make training harder on purpose, so that what is learned holds for new data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinydl import random
from tinydl.engine import Tensor
from tinydl.layers.layer import Layer, Shape
from tinydl.ops.dropout import dropout
from tinydl.registry import check_number


class Dropout(Layer):
    r"""In training, drop elements at random and scale up the rest; otherwise do nothing.

    The scale keeps the expected value: :math:`E[y_i] = (1 - r) \, x_i / (1 - r) = x_i`.

    Parameters
    ----------
    rate : float
        The probability r in [0, 1) that an element is dropped.
    noise_shape : tuple of int or None, optional
        Shape of the mask, which is stretched to that of the inputs: a 1 drops a whole axis
        together, None stands for the length the inputs have there.
    seed : int, numpy.random.Generator or None
        None draws from the default generator.
    **kwargs
        See `Layer`.

    Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*,
    JMLR 15, 2014.

    Examples
    --------
    >>> layer = Dropout(0.5, seed=0)
    >>> layer([[1.0, 2.0, 3.0, 4.0]])
    tensor([[1., 2., 3., 4.]])
    >>> np.unique(layer(np.ones((1, 100)), training=True).numpy())
    array([0., 2.], dtype=float32)
    """

    formula = r"y_i = \frac{m_i}{1 - r} x_i, \quad P(m_i = 1) = 1 - r, \quad P(m_i = 0) = r"

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | np.random.Generator | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = check_number("Dropout", "rate", rate, lambda r: 0 <= r < 1, "in [0, 1)")
        self.noise_shape = noise_shape
        self.seed = seed
        # A generator of its own goes on from call to call; the default one may be seeded anew.
        self._generator = None if seed is None else random.generator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """See the formula."""
        if not training:
            return inputs
        return dropout(inputs, self.rate, self.noise_shape, self._generator)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the inputs."""
        return input_shape
