"""RMSprop: gradients in units of their recent size."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.optimizers.optimizer import Arrays, Optimizer

SQUARE = r"v_i \leftarrow \rho v_i + (1 - \rho) g_i^2, \quad "
AVERAGE = r"a_i \leftarrow \rho a_i + (1 - \rho) g_i, \quad "
PLAIN_STEP = r"w_i \leftarrow w_i - \eta \frac{g_i}{%s}"
MOMENTUM_STEP = r"u_i \leftarrow \mu u_i + \eta \frac{g_i}{%s}, \quad w_i \leftarrow w_i - u_i"
ROOT = r"\sqrt{v_i + \epsilon}"
CENTERED_ROOT = r"\sqrt{v_i - a_i^2 + \epsilon}"


class RMSprop(Optimizer):
    r"""Divide the gradient by the root of the mean of its recent squares.

    .. math::
        v_i \leftarrow \rho v_i + (1 - \rho) g_i^2, \qquad
        w_i \leftarrow w_i - \eta \frac{g_i}{\sqrt{v_i + \epsilon}}

    ``centered=True`` divides by the standard deviation instead: with a the mean of recent
    gradients, :math:`v_i - a_i^2` takes the place of :math:`v_i`. With momentum, the fraction times
    :math:`\eta` is added to a fading sum u, and u is subtracted from the weight.

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    rho : float
        :math:`\rho` in [0, 1): how slowly old gradients fade.
    momentum : float
        :math:`\mu` in [0, 1); 0 means none.
    epsilon : float
        :math:`\epsilon`, keeps the denominator away from 0.
    centered : bool
        Whether to divide by the standard deviation.
    **kwargs
        See `Optimizer`.

    Sources: Tieleman & Hinton, *Lecture 6.5: RMSProp*, Coursera 2012; centered: Graves, *Generating
    sequences with recurrent neural networks*, arXiv:1308.0850, section 4.2.

    Examples
    --------
    >>> from tinydl import tensor
    >>> w = tensor([1.0, 1.0], requires_grad=True)
    >>> RMSprop(learning_rate=0.1, rho=0.75).apply([np.array([4.0, -0.5])], [w])
    >>> w.numpy().round(4)
    array([0.8, 1.2], dtype=float32)
    """

    formula = SQUARE + PLAIN_STEP % ROOT

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = self._check("rho", rho, below=1.0)
        self.momentum = self._check("momentum", momentum, below=1.0)
        self.epsilon = self._check("epsilon", epsilon)
        self.centered = centered
        self.slots = ("square", *["average"] * centered, *["momentum"] * bool(momentum))
        self.formula = (
            SQUARE
            + AVERAGE * centered
            + (MOMENTUM_STEP if momentum else PLAIN_STEP) % (CENTERED_ROOT if centered else ROOT)
        )

    def update(
        self, w: np.ndarray, g: np.ndarray, learning_rate: float, step: int, *slots: np.ndarray
    ) -> Arrays:
        """See the formula."""
        slot = dict(zip(self.slots, slots, strict=True))
        v = slot["square"] = self.rho * slot["square"] + (1 - self.rho) * (g * g)
        if self.centered:
            a = slot["average"] = self.rho * slot["average"] + (1 - self.rho) * g
            v = np.maximum(v - a * a, 0)  # a variance, which rounding may take below 0
        u = learning_rate * g / np.sqrt(v + self.epsilon)
        if self.momentum:
            u = slot["momentum"] = self.momentum * slot["momentum"] + u
        return w - u, *slot.values()
