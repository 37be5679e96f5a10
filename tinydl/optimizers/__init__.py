"""Optimizers: rules that change weights by their gradients."""

from __future__ import annotations

from typing import Any

from tinydl.optimizers.adagrad import Adagrad
from tinydl.optimizers.adam import Adam, AdamW
from tinydl.optimizers.optimizer import Optimizer
from tinydl.optimizers.rmsprop import RMSprop
from tinydl.optimizers.sgd import SGD
from tinydl.registry import Registry

_registry = Registry(
    "optimizers", "optimizer", [SGD, Adagrad, Adam], {"adamw": AdamW, "rmsprop": RMSprop}
)


def get(identifier: Any, custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """The optimizer meant by a name, a description, or an object.

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.

    Examples
    --------
    >>> get("adam").learning_rate
    0.001
    """
    optimizer: Optimizer = _registry.get(identifier, custom_objects)
    return optimizer


__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "get"]
