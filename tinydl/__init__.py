"""tinydl: a small deep-learning framework to read.

``import tinydl as keras`` runs an ordinary Keras program; ``tensor``, ``grad``, ``no_grad`` and
``Tensor.backward`` are what PyTorch calls so. `tinydl.ops` holds every formula, `tinydl.kernels`
the loops below them.
"""

from tinydl import (
    activations,
    callbacks,
    config,
    datasets,
    initializers,
    kernels,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)
from tinydl.checkpointing import checkpoint
from tinydl.derivatives import hessian, hvp, jacobian, jvp, value_and_grad, vjp
from tinydl.engine import Op, Tensor, enable_grad, grad, is_grad_enabled, no_grad, rule, tensor
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
