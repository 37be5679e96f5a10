"""Adam: momentum and RMSprop together, both corrected for their start at zero."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinydl import kernels
from tinydl.optimizers.optimizer import DECAY, Arrays, Optimizer

MOMENTS = (
    r"m_i \leftarrow \beta_1 m_i + (1 - \beta_1) g_i, \quad"
    r" v_i \leftarrow \beta_2 v_i + (1 - \beta_2) g_i^2, \quad"
)
LARGEST = r" \hat v_i \leftarrow \max(\hat v_i, v_i), \quad"
STEP = (
    r" w_i \leftarrow w_i - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}"
    r" \frac{m_i}{\sqrt{%s} + \epsilon}"
)


class Adam(Optimizer):
    r"""Follow the mean of recent gradients, in units of the root of the mean of their squares.

    .. math::
        m_i \leftarrow \beta_1 m_i + (1 - \beta_1) g_i, \qquad
        v_i \leftarrow \beta_2 v_i + (1 - \beta_2) g_i^2

        w_i \leftarrow w_i
        - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \frac{m_i}{\sqrt{v_i} + \epsilon}

    Both means start at 0, so after t steps their weights add up to only :math:`1 - \beta^t`: hence
    the corrections. As in Keras this is the form at the end of section 2 of the paper, in which
    :math:`\epsilon` is added to the uncorrected root.

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    beta_1, beta_2 : float
        :math:`\beta_1, \beta_2` in [0, 1): how slowly old gradients and old squares fade.
    epsilon : float
        :math:`\epsilon`, keeps the denominator away from 0.
    amsgrad : bool
        Divide by the largest v so far, so that step sizes cannot grow again.
    **kwargs
        See `Optimizer`.

    Sources: Kingma & Ba, *Adam: a method for stochastic optimization*, arXiv:1412.6980;
    amsgrad: Reddi, Kale & Kumar, *On the convergence of Adam and beyond*, ICLR 2018.

    Examples
    --------
    The first step has the length of the learning rate, however large the gradient:

    >>> from tinydl import tensor
    >>> w = tensor([1.0, 1.0], requires_grad=True)
    >>> Adam(learning_rate=0.1).apply([np.array([100.0, -0.01])], [w])
    >>> w.numpy().round(4)
    array([0.9, 1.1], dtype=float32)
    """

    formula = MOMENTS + STEP % "v_i"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = self._check("beta_1", beta_1, below=1.0)
        self.beta_2 = self._check("beta_2", beta_2, below=1.0)
        self.epsilon = self._check("epsilon", epsilon)
        self.amsgrad = amsgrad
        self.slots = ("m", "v", "v_max") if amsgrad else ("m", "v")
        if amsgrad:
            self.formula = MOMENTS + LARGEST + STEP % r"\hat v_i"

    def update(
        self, w: np.ndarray, g: np.ndarray, learning_rate: float, step: int, *slots: np.ndarray
    ) -> Arrays:
        """See the formula; `tinydl.kernels.adam_step` computes it in one pass."""
        rate = learning_rate * math.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        if not self.amsgrad:
            settings = self.beta_1, self.beta_2, self.epsilon
            return tuple(kernels.adam_step(w, g, *slots, rate, *settings))
        m, v, largest = slots
        m = self.beta_1 * m + (1 - self.beta_1) * g
        v = self.beta_2 * v + (1 - self.beta_2) * g**2
        largest = np.maximum(largest, v)
        return w - rate * m / (np.sqrt(largest) + self.epsilon), m, v, largest


class AdamW(Adam):
    r"""Adam with weight decay beside it: :math:`w \leftarrow w - \eta \lambda w` before each step.

    Added to the loss instead, the penalty would pass through Adam's division, and weights with
    large gradients would hardly decay.

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    weight_decay : float
        :math:`\lambda`.
    **kwargs
        See `Adam`.

    Source: Loshchilov & Hutter, *Decoupled weight decay regularization*, arXiv:1711.05101.

    Examples
    --------
    >>> from tinydl import tensor
    >>> w = tensor([1.0], requires_grad=True)
    >>> AdamW(learning_rate=0.1, weight_decay=0.5).apply([np.array([0.0])], [w])
    >>> w.numpy().round(4)
    array([0.95], dtype=float32)
    """

    formula = DECAY + Adam.formula

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float = 0.004, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
