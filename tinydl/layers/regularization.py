"""Layers that make training harder on purpose, so that what is learned holds for new data."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl import random
from tinydl.engine import Tensor
from tinydl.layers.layer import Layer, Shape
from tinydl.ops.arithmetic import Multiply
from tinydl.registry import check_number


class Dropout(Layer):
    r"""In training, drop elements at random and scale up the rest; otherwise do nothing.

    The scale keeps the expected value: :math:`E[y_i] = (1 - r) \, x_i / (1 - r) = x_i`.

    Parameters
    ----------
    rate : float
        The probability r in [0, 1) that an element is dropped.
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
        self, rate: float, seed: int | np.random.Generator | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = check_number("Dropout", "rate", rate, lambda r: 0 <= r < 1, "in [0, 1)")
        self.seed = seed
        # A generator of its own goes on from call to call; the default one may be seeded anew.
        self._generator = None if seed is None else random.generator(seed)
        self._multiply = Multiply()

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """See the formula."""
        if not training or self.rate == 0:
            return inputs
        kept = random.generator(self._generator).random(inputs.shape, np.float32) >= self.rate
        return self._multiply(inputs, Tensor(kept.astype(inputs.dtype) / (1 - self.rate)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the inputs."""
        return input_shape
