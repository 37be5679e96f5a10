"""Activations: the bends between layers. Without them, any number of layers is one matrix product.

Each is an op under the name Keras has for it; formula, gradient and source stand with the op, and
``help(relu)`` shows them.

Examples
--------
>>> relu([-1.0, 2.0])
tensor([0., 2.])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinydl import ops
from tinydl.engine import Tensor
from tinydl.ops.functions import function_of
from tinydl.ops.softmax import Softmax
from tinydl.registry import Registry

Activation = Callable[..., Tensor]

celu = ops.celu
elu = ops.elu
exponential = ops.exp
hard_shrink = ops.hard_shrink
hard_sigmoid = ops.hard_sigmoid
hard_silu = ops.hard_silu
hard_tanh = ops.hard_tanh
leaky_relu = ops.leaky_relu
log_sigmoid = ops.log_sigmoid
log_softmax = ops.log_softmax
mish = ops.mish
relu = ops.relu
relu6 = ops.relu6
selu = ops.selu
sigmoid = ops.sigmoid
silu = ops.silu
soft_shrink = ops.soft_shrink
softmax = function_of(Softmax)  # ops.softmax, which type checkers take for the module of that name
softplus = ops.softplus
softsign = ops.softsign
squareplus = ops.squareplus
tanh = ops.tanh
tanh_shrink = ops.tanh_shrink


def linear(x: Any) -> Tensor:
    r"""The input itself: no activation.

    .. math:: y_i = x_i

    Examples
    --------
    >>> linear([1.0, -2.0])
    tensor([ 1., -2.])
    """
    return ops.convert_to_tensor(x)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    r"""The op `gelu`, but exact by default; ``ops.gelu`` approximates by default, both as in Keras.

    .. math:: y_i = x_i \, P(X \le x_i), \quad X \sim \mathcal{N}(0, 1)

    Examples
    --------
    >>> gelu([0.0, 1000.0])
    tensor([   0., 1000.])
    """
    return ops.gelu(x, approximate)


_registry = Registry(
    "activations",
    "activation",
    [
        celu,
        elu,
        gelu,
        hard_shrink,
        hard_sigmoid,
        hard_silu,
        hard_tanh,
        leaky_relu,
        linear,
        log_sigmoid,
        log_softmax,
        mish,
        relu,
        relu6,
        selu,
        sigmoid,
        silu,
        soft_shrink,
        softmax,
        softplus,
        softsign,
        squareplus,
        tanh,
        tanh_shrink,
    ],
    {"exponential": exponential, "exp": exponential, "hard_swish": hard_silu, "swish": silu},
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
