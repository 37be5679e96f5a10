"""The ops: every formula with its forward computation and its gradient rules, one class each.

``ops.conv(...)`` is the class ``Conv`` as a function: its inputs come first, then its settings.
Functions are made from the registry of ops, so a new class is a new function, here and in every
table and test that reads the registry.
"""

from __future__ import annotations

from importlib import import_module

from tinydl.engine import Op
from tinydl.ops.attention import dot_product_attention
from tinydl.ops.convert import convert_to_numpy, convert_to_tensor
from tinydl.ops.creation import (
    arange,
    eye,
    full,
    full_like,
    identity,
    linspace,
    meshgrid,
    ones,
    ones_like,
    tri,
    zeros,
    zeros_like,
)
from tinydl.ops.cross_entropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from tinydl.ops.depthwise import depthwise_conv, separable_conv
from tinydl.ops.diagonal import diag, diagonal, trace
from tinydl.ops.dropout import dropout
from tinydl.ops.embedding import embedding
from tinydl.ops.functions import Function, function_of
from tinydl.ops.global_pool import global_average_pool, global_max_pool
from tinydl.ops.joining import array_split, hstack, split, unstack, vstack
from tinydl.ops.methods import install_methods
from tinydl.ops.normalization import (
    batch_normalization,
    group_normalization,
    layer_normalization,
    moments,
    rms_normalization,
)
from tinydl.ops.products import dot, inner, outer, tensordot, vdot
from tinydl.ops.scatter import scatter, scatter_update, slice, slice_update
from tinydl.ops.selection import nonzero
from tinydl.ops.shape import moveaxis, ravel, swapaxes
from tinydl.ops.sorting import argsort, sort, top_k

# Names that Keras has beside those of the classes.
ALIASES = {
    "abs": "absolute",
    "amax": "max",
    "amin": "min",
    "bitwise_invert": "bitwise_not",
    "hard_swish": "hard_silu",
    "swish": "silu",
    "true_divide": "divide",
}

for _module in (
    "activation",
    "arithmetic",
    "comparison",
    "conv",
    "conv_transpose",
    "cross_entropy",
    "cumulative",
    "einstein",
    "elementwise",
    "error_function",
    "exponential",
    "extremum",
    "hyperbolic",
    "indexing",
    "joining",
    "matmul",
    "padding",
    "pool",
    "rearrange",
    "rectifier",
    "reduce",
    "rounding",
    "selection",
    "shape",
    "shrink",
    "softmax",
    "standardize",
    "statistics",
    "trigonometric",
):
    import_module(f"{__name__}.{_module}")

install_methods()
for _name in Op.registry.keys() & globals().keys():  # modules of this package have some names
    globals()[_name] = function_of(Op.registry[_name])


def __getattr__(name: str) -> Function:
    """The function of an op, made when it is first asked for."""
    op_class = Op.registry.get(ALIASES.get(name, name))
    if op_class is None:
        raise AttributeError(f"module {__name__!r} has no op {name!r}")
    globals()[name] = function = function_of(op_class)
    return function


def __dir__() -> list[str]:
    return sorted({*globals(), *Op.registry, *ALIASES})


__all__ = [
    *Op.registry,
    *ALIASES,
    "arange",
    "argsort",
    "array_split",
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "convert_to_numpy",
    "convert_to_tensor",
    "depthwise_conv",
    "diag",
    "diagonal",
    "dot",
    "dot_product_attention",
    "dropout",
    "embedding",
    "eye",
    "full",
    "full_like",
    "global_average_pool",
    "global_max_pool",
    "group_normalization",
    "hstack",
    "identity",
    "inner",
    "layer_normalization",
    "linspace",
    "meshgrid",
    "moments",
    "moveaxis",
    "nonzero",
    "ones",
    "ones_like",
    "outer",
    "ravel",
    "rms_normalization",
    "scatter",
    "scatter_update",
    "separable_conv",
    "slice",
    "slice_update",
    "sort",
    "sparse_categorical_crossentropy",
    "split",
    "swapaxes",
    "tensordot",
    "top_k",
    "trace",
    "tri",
    "unstack",
    "vdot",
    "vstack",
    "zeros",
    "zeros_like",
]
