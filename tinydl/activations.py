"""Activations: the bends between layers. Without them, any number of layers is one matrix product.

Each is a pure function of a tensor, elementwise unless it names an axis, and carries its formula
in LaTeX as ``relu.formula``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tinydl import ops
from tinydl.engine import Tensor
from tinydl.ops.softmax import LogSoftmax, Softmax
from tinydl.registry import Registry

Activation = Callable[..., Tensor]
F = TypeVar("F", bound=Activation)


def formula(latex: str) -> Callable[[F], F]:
    """Keep the formula of an activation beside its code, as data."""

    def mark(function: F) -> F:
        function.formula = latex  # type: ignore[attr-defined]  # functions take attributes
        return function

    return mark


@formula(r"y_i = x_i")
def linear(x: Tensor) -> Tensor:
    """The input itself: no activation.

    Examples
    --------
    >>> linear(ops.convert_to_tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    return x


@formula(r"y_i = \max(x_i, 0)")
def relu(x: Any) -> Tensor:
    """The rectified linear unit: positive parts pass, the rest becomes 0.

    Source: Nair & Hinton, *Rectified linear units improve restricted Boltzmann machines*,
    ICML 2010.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    tensor([0., 2.])
    """
    return ops.relu(x)


@formula(r"y_i = \begin{cases} x_i & x_i > 0 \\ a x_i & \text{otherwise} \end{cases}")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """A relu that lets a little of the negative part through, so that its gradient never dies.

    Parameters
    ----------
    x : array_like
    negative_slope : float
        The slope a for negative inputs.

    Source: Maas, Hannun & Ng, *Rectifier nonlinearities improve neural network acoustic models*,
    ICML 2013.

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0])
    tensor([-0.2,  2. ])
    """
    x = ops.convert_to_tensor(x)
    return ops.where(x > 0, x, negative_slope * x)


@formula(r"y_i = \begin{cases} x_i & x_i > 0 \\ a (e^{x_i} - 1) & \text{otherwise} \end{cases}")
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """The exponential linear unit: relu with a smooth way down to -a.

    Parameters
    ----------
    x : array_like
    alpha : float
        The value a, whose negative is approached far to the left.

    Source: Clevert, Unterthiner & Hochreiter, arXiv:1511.07289.

    Examples
    --------
    >>> elu([-1000.0, 2.0])
    tensor([-1.,  2.])
    """
    x = ops.convert_to_tensor(x)
    # Where x is taken, the exponential sees 0: of a large x it would be inf, and 0 * inf is nan.
    below = ops.where(x > 0, 0.0, x)
    return ops.where(x > 0, x, alpha * (ops.exp(below) - 1.0))


@formula(r"y_i = \frac{1}{1 + e^{-x_i}}")
def sigmoid(x: Any) -> Tensor:
    """The logistic function, an S-curve from 0 to 1.

    Examples
    --------
    >>> sigmoid([0.0, 1000.0])
    tensor([0.5, 1. ])
    """
    return ops.sigmoid(x)


@formula(r"y_i = \tanh x_i")
def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent, an S-curve from -1 to 1.

    Examples
    --------
    >>> tanh([0.0, 1000.0])
    tensor([0., 1.])
    """
    return ops.tanh(x)


@formula(r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}")
def softmax(x: Any, axis: int = -1) -> Tensor:
    """Scores become probabilities, which add up to 1 along the axis.

    Parameters
    ----------
    x : array_like
        Scores, also called logits.
    axis : int
        The axis of the classes.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 6.2.2.3.

    Examples
    --------
    >>> softmax([5.0, 5.0])
    tensor([0.5, 0.5])
    """
    return Softmax(axis)(x)


@formula(r"y_i = x_i - \ln \sum_j e^{x_j}")
def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """The logarithm of the softmax, without ever forming the probabilities.

    Parameters
    ----------
    x : array_like
        Scores, also called logits.
    axis : int
        The axis of the classes.

    Examples
    --------
    >>> log_softmax([0.0, -1000.0])
    tensor([    0., -1000.])
    """
    return LogSoftmax(axis)(x)


@formula(r"y_i = \ln(1 + e^{x_i})")
def softplus(x: Any) -> Tensor:
    """A smooth version of relu.

    Examples
    --------
    >>> softplus([-1000.0, 1000.0])
    tensor([   0., 1000.])
    """
    return ops.softplus(x)


@formula(r"y_i = \frac{x_i}{1 + |x_i|}")
def softsign(x: Any) -> Tensor:
    """An S-curve from -1 to 1 that flattens more slowly than tanh.

    Examples
    --------
    >>> softsign([-1.0, 3.0])
    tensor([-0.5 ,  0.75])
    """
    x = ops.convert_to_tensor(x)
    return x / (1.0 + ops.absolute(x))


@formula(r"y_i = \frac{x_i}{1 + e^{-x_i}}")
def silu(x: Any) -> Tensor:
    """The input times its own sigmoid; also called swish.

    Source: Ramachandran, Zoph & Le, *Searching for activation functions*, arXiv:1710.05941.

    Examples
    --------
    >>> silu([0.0, 1000.0])
    tensor([   0., 1000.])
    """
    x = ops.convert_to_tensor(x)
    return x * ops.sigmoid(x)


@formula(r"y_i = e^{x_i}")
def exponential(x: Any) -> Tensor:
    """The exponential.

    Examples
    --------
    >>> exponential([0.0, -1000.0])
    tensor([1., 0.])
    """
    return ops.exp(x)


_registry = Registry(
    "activations",
    "activation",
    [
        elu,
        exponential,
        leaky_relu,
        linear,
        log_softmax,
        relu,
        sigmoid,
        silu,
        softmax,
        softplus,
        softsign,
        tanh,
    ],
    {"swish": silu},
)


def get(identifier: Any) -> Activation:
    """The activation meant by a name, a function, or None (linear).

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.

    Examples
    --------
    >>> get("relu") is relu, get(None) is linear
    (True, True)
    """
    if identifier is None:
        return linear
    function: Activation = _registry.get(identifier)
    return function
