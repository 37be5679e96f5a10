"""Layers: functions of tensors that hold weights."""

from __future__ import annotations

from typing import Any

from tinydl.layers.core import Activation, Dense, Input, InputLayer
from tinydl.layers.layer import Layer, reset_names
from tinydl.layers.preprocessing import Rescaling
from tinydl.layers.regularization import Dropout
from tinydl.layers.reshaping import Flatten
from tinydl.layers.windows import AveragePooling2D, Conv2D, MaxPooling2D
from tinydl.registry import Registry, serialize

AveragePool2D = AveragePooling2D
MaxPool2D = MaxPooling2D

_registry = Registry(
    "layers",
    "layer",
    [
        Activation,
        AveragePooling2D,
        Conv2D,
        Dense,
        Dropout,
        Flatten,
        InputLayer,
        MaxPooling2D,
        Rescaling,
    ],
    {},
)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """Make a layer from what `serialize` returned; its weights are new.

    Parameters
    ----------
    config : dict
        ``{"class_name": ..., "config": ...}``.
    custom_objects : dict, optional
        The caller's own classes, by name.

    Raises
    ------
    ArgumentError
        For the name of an unknown class.

    Examples
    --------
    >>> deserialize(serialize(Dense(3))).units
    3
    """
    layer: Layer = _registry.get(config, custom_objects)
    return layer


__all__ = [
    "Activation",
    "AveragePool2D",
    "AveragePooling2D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "MaxPool2D",
    "MaxPooling2D",
    "Rescaling",
    "deserialize",
    "reset_names",
    "serialize",
]
