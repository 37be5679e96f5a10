"""Adagrad: a step size for each weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.optimizers.optimizer import Arrays, Optimizer


class Adagrad(Optimizer):
    r"""Weights that were moved much so far take smaller steps.

    .. math::
        a_i \leftarrow a_i + g_i^2, \qquad
        w_i \leftarrow w_i - \eta \frac{g_i}{\sqrt{a_i + \epsilon}}

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    initial_accumulator_value : float
        What a begins with, at least 0.
    epsilon : float
        :math:`\epsilon`, keeps the denominator away from 0.
    **kwargs
        See `Optimizer`.

    Source: Duchi, Hazan & Singer, *Adaptive subgradient methods for online learning and stochastic
    optimization*, JMLR 12, 2011.

    Examples
    --------
    >>> from tinydl import tensor
    >>> w = tensor([1.0, 1.0], requires_grad=True)
    >>> rule = Adagrad(learning_rate=0.5, initial_accumulator_value=0.0)
    >>> rule.apply([np.array([100.0, 0.01])], [w])
    >>> w.numpy().round(2)
    array([0.5, 0.5], dtype=float32)
    """

    formula = (
        r"a_i \leftarrow a_i + g_i^2, \quad"
        r" w_i \leftarrow w_i - \eta \frac{g_i}{\sqrt{a_i + \epsilon}}"
    )
    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = self._check(
            "initial_accumulator_value", initial_accumulator_value
        )
        self.epsilon = self._check("epsilon", epsilon)

    def first_slots(self, w: np.ndarray) -> Arrays:
        """The accumulator's first value."""
        return (np.full_like(w, self.initial_accumulator_value),)

    def update(
        self, w: np.ndarray, g: np.ndarray, learning_rate: float, step: int, *slots: np.ndarray
    ) -> Arrays:
        """See the formula."""
        (a,) = slots
        a = a + g * g
        return w - learning_rate * g / np.sqrt(a + self.epsilon), a
