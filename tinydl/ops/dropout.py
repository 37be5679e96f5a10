"""Dropout: leave elements out at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinydl import random
from tinydl.engine import Tensor, tensor
from tinydl.errors import ArgumentError, ShapeError
from tinydl.ops.selection import Where


def dropout(
    inputs: Any,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: int | np.random.Generator | None = None,
) -> Tensor:
    r"""Set elements to 0 at random, and scale up the others so that the expected value stays.

    .. math:: y_i = \begin{cases} x_i / (1 - r) & \text{if } u_i \ge r \\ 0 & \text{otherwise}
        \end{cases}, \quad u_i \text{ uniform in } [0, 1)

    Parameters
    ----------
    inputs : array_like
        Of any shape.
    rate : float
        The probability r, from 0 to 1, that an element is left out.
    noise_shape : sequence of int or None, optional
        The shape of u, which is stretched to that of the inputs: a 1 drops a whole axis together.
        None stands for the length the inputs have there.
    seed : int, numpy.random.Generator or None
        Where u is drawn from; None is the default generator. A generator goes on, while the same
        whole number always gives the same u.

    Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*,
    JMLR 15, 2014.

    Examples
    --------
    >>> dropout([1.0, 2.0, 3.0, 4.0], rate=0.5, seed=0)
    tensor([2., 0., 0., 0.])
    """
    x = inputs if isinstance(inputs, Tensor) else tensor(inputs)
    if not 0 <= rate <= 1:
        raise ArgumentError("dropout", "rate", got=rate, expected="from 0 to 1")
    shape = x.shape if noise_shape is None else _noise_shape(noise_shape, x.shape)
    if rate == 0:
        return x
    kept = random.generator(seed).random(shape) >= rate
    scale = 0.0 if rate == 1 else 1.0 / (1.0 - rate)
    return Where()(kept, x * scale, 0)


def _noise_shape(noise_shape: Sequence[int | None], shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(noise_shape) == len(shape):
        found = tuple(n if m is None else m for m, n in zip(noise_shape, shape, strict=True))
        if all(m in (1, n) for m, n in zip(found, shape, strict=True)):
            return found
    raise ShapeError(
        "dropout",
        "noise_shape",
        got=tuple(noise_shape),
        expected=f"for each axis of {shape} its length, 1, or None",
    )
