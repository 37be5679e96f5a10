"""tinydl: a small deep-learning framework to read.

``import tinydl as keras`` runs an ordinary Keras program; ``tensor``, ``grad``, ``no_grad`` and
``Tensor.backward`` are what PyTorch calls so. `tinydl.ops` holds every formula, `tinydl.kernels`
the loops below them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinydl import config, kernels, ops, random
from tinydl.engine import Op, Tensor, enable_grad, grad, is_grad_enabled, no_grad, rule, tensor

if TYPE_CHECKING:
    from tinydl import (
        activations,
        callbacks,
        datasets,
        initializers,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        regularizers,
        saving,
        utils,
    )
    from tinydl.checkpointing import checkpoint
    from tinydl.derivatives import hessian, hvp, jacobian, jvp, value_and_grad, vjp
    from tinydl.initializers import Initializer
    from tinydl.layers import Input, Layer
    from tinydl.losses import Loss
    from tinydl.metrics import Metric
    from tinydl.models import Model, Sequential
    from tinydl.optimizers import Optimizer
    from tinydl.regularizers import Regularizer

__version__ = "0.1.0"

__all__ = [
    "Initializer",
    "Input",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Op",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Tensor",
    "activations",
    "callbacks",
    "checkpoint",
    "config",
    "datasets",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "initializers",
    "is_grad_enabled",
    "jacobian",
    "jvp",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "models",
    "no_grad",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "rule",
    "saving",
    "tensor",
    "utils",
    "value_and_grad",
    "vjp",
]

# What is imported when it is first asked for, so that `import tinydl` takes half the time.
_MODULES = (
    *("activations", "callbacks", "datasets", "initializers", "layers", "losses", "metrics"),
    *("models", "optimizers", "regularizers", "saving", "utils"),
)
_HOMES = {
    "Initializer": "initializers",
    "Input": "layers",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "checkpoint": "checkpointing",
    **dict.fromkeys(("hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"), "derivatives"),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
