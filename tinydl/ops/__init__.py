"""The ops: every formula with its forward computation and its gradient rules, one class each.

``ops.conv(...)`` is the class ``Conv`` as a function: its inputs come first, then its settings.
Functions are made from the registry of ops, so a new class is a new function, here and in every
table and test that reads the registry.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tinydl.engine import Op, Tensor, tensor
from tinydl.ops.attention import dot_product_attention
from tinydl.ops.cross_entropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from tinydl.ops.dropout import dropout
from tinydl.ops.embedding import embedding
from tinydl.ops.functions import Function, function_of
from tinydl.ops.methods import install_methods
from tinydl.ops.normalization import (
    batch_normalization,
    group_normalization,
    layer_normalization,
    moments,
    rms_normalization,
)

for _module in (
    "arithmetic",
    "comparison",
    "conv",
    "cross_entropy",
    "elementwise",
    "indexing",
    "joining",
    "matmul",
    "pool",
    "reduce",
    "shape",
    "softmax",
    "standardize",
):
    import_module(f"{__name__}.{_module}")

_functions = {name: function_of(op) for name, op in Op.registry.items()}
install_methods(_functions)
globals().update(_functions)


def __getattr__(name: str) -> Function:
    """The function of an op that was registered after this package was imported."""
    if name not in Op.registry:
        raise AttributeError(f"module {__name__!r} has no op {name!r}")
    return function_of(Op.registry[name])


def __dir__() -> list[str]:
    return sorted({*globals(), *Op.registry})


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """The tensor itself, or a new one from an array or a number; optionally of another dtype.

    Examples
    --------
    >>> convert_to_tensor([1, 2], dtype="float32")
    tensor([1., 2.])
    """
    if not isinstance(x, Tensor):
        return tensor(x, dtype=dtype)
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The values as a fresh array that may be written to.

    Examples
    --------
    >>> convert_to_numpy(tensor([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    return np.array(x)


__all__ = [
    *_functions,
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "convert_to_numpy",
    "convert_to_tensor",
    "dot_product_attention",
    "dropout",
    "embedding",
    "group_normalization",
    "layer_normalization",
    "moments",
    "rms_normalization",
    "sparse_categorical_crossentropy",
]
