"""Gradient descent, with or without momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl import kernels
from tinydl.optimizers.optimizer import Arrays, Optimizer

PLAIN = r"w_i \leftarrow w_i - \eta g_i"
MOMENTUM = r"v_i \leftarrow \mu v_i - \eta g_i, \quad w_i \leftarrow w_i + v_i"
NESTEROV = r"v_i \leftarrow \mu v_i - \eta g_i, \quad w_i \leftarrow w_i + \mu v_i - \eta g_i"


class SGD(Optimizer):
    r"""Gradient descent, and stochastic gradient descent: one rule, fed with different gradients.

    .. math:: w_i \leftarrow w_i - \eta g_i

    The rule does not know where its gradient comes from. With g the gradient of the mean loss over
    all samples, it is gradient descent; over a random batch, it is stochastic gradient descent. If
    the batches are equally long, the mean of the gradients of all of them is the gradient over all
    samples: a batch gives the right direction on average. So ``fit(..., batch_size=len(x))`` is
    gradient descent, and any smaller batch size the stochastic kind.

    With momentum, the step is an average of the gradients so far, in which old ones fade:

    .. math:: v_i \leftarrow \mu v_i - \eta g_i, \qquad w_i \leftarrow w_i + v_i

    Nesterov's variant takes the gradient where the momentum will carry the weight. Written for the
    point looked ahead to, which is then the weight one keeps:

    .. math:: v_i \leftarrow \mu v_i - \eta g_i, \qquad w_i \leftarrow w_i + \mu v_i - \eta g_i

    Parameters
    ----------
    learning_rate : float or callable
        :math:`\eta`.
    momentum : float
        :math:`\mu`, in [0, 1); 0 means none.
    nesterov : bool
        Whether to look ahead.
    **kwargs
        See `Optimizer`.

    Sources: Robbins & Monro, *A stochastic approximation method*, Ann. Math. Stat. 22, 1951;
    Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964;
    Sutskever et al., *On the importance of initialization and momentum in deep learning*,
    ICML 2013.

    Examples
    --------
    >>> from tinydl import tensor
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> SGD(learning_rate=0.5).apply([np.array([2.0, 2.0])], [w])
    >>> w.numpy()
    array([0., 1.], dtype=float32)
    """

    formula = PLAIN

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = self._check("momentum", momentum, below=1.0)
        self.nesterov = nesterov
        if momentum:
            self.formula = NESTEROV if nesterov else MOMENTUM
            self.slots = ("velocity",)

    def update(
        self, w: np.ndarray, g: np.ndarray, learning_rate: float, step: int, *slots: np.ndarray
    ) -> Arrays:
        """See the formula; `tinydl.kernels` computes it in one pass."""
        if not slots:
            return (kernels.sgd_step(w, g, learning_rate),)
        settings = learning_rate, self.momentum, self.nesterov
        return tuple(kernels.momentum_step(w, g, *slots, *settings))
