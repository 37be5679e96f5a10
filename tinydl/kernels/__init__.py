"""The hot loops: arrays in, a fresh array out, and a choice of who computes it.

Four tellings of each loop come with tinydl, as ordinary backends with the same functions:

=============  ==========================================================================
``"literal"``  the formula read literally, in nested Python loops: what the rest is judged by
``"numpy"``    `tinydl.kernels.reference`, which runs everywhere
``"c-plain"``  `tinydl.kernels.compiled`, the plain loops that each file of ``csrc/`` begins with
``"c"``        the fast versions that follow there
=============  ==========================================================================

`use` chooses between them, or plugs in a function of your own; `report` tells who served.
The kernels themselves are declared in `tinydl.kernels.declared`.

Environment variables, read once at import:

- ``TINYDL_KERNELS``: what to `use`; by default ``c`` where it is built, else ``numpy``.
- ``TINYDL_REQUIRE_C=1``: refuse to run without the C core.
- ``TINYDL_NUM_THREADS``: threads of the C core; by default one for each processor.
- ``TINYDL_INSTRUCTION_SET``: ``baseline``, ``avx2`` or ``avx512`` in place of the CPU's best.
"""

from __future__ import annotations

import os
import warnings

from tinydl.kernels import literal, reference, threads
from tinydl.kernels.choice import Choice, Report, active, report, reset_report, same_server, use
from tinydl.kernels.declared import (
    adam_step,
    add_row,
    average_pool,
    average_pool_gradient,
    conv,
    conv_input_gradient,
    conv_kernel_gradient,
    conv_layer,
    conv_max_pool_layer,
    conv_max_pool_layer_gradient,
    dense_layer,
    exp_each,
    log_softmax,
    matmul,
    max_pool,
    max_pool_gather,
    max_pool_gradient,
    max_pool_winners,
    max_unpool,
    momentum_step,
    relu,
    relu_gradient,
    sgd_step,
    sigmoid_each,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
    sum_rows,
    tanh_each,
)
from tinydl.kernels.geometry import output_length
from tinydl.kernels.threads import get_num_threads, set_num_threads

try:
    from tinydl.kernels import compiled
except ImportError as error:
    if os.environ.get("TINYDL_REQUIRE_C") == "1":
        raise ImportError(
            f"TINYDL_REQUIRE_C=1, but the C core of tinydl is not here ({error}); "
            "install tinydl where there is a C compiler"
        ) from error
    _c_core = None
else:
    _c_core = compiled

__all__ = [
    "Choice",
    "Report",
    "active",
    "adam_step",
    "add_row",
    "average_pool",
    "average_pool_gradient",
    "conv",
    "conv_input_gradient",
    "conv_kernel_gradient",
    "conv_layer",
    "conv_max_pool_layer",
    "conv_max_pool_layer_gradient",
    "dense_layer",
    "exp_each",
    "get_num_threads",
    "instruction_set",
    "literal",
    "log_softmax",
    "matmul",
    "max_pool",
    "max_pool_gather",
    "max_pool_gradient",
    "max_pool_winners",
    "max_unpool",
    "momentum_step",
    "output_length",
    "reference",
    "relu",
    "relu_gradient",
    "report",
    "reset_report",
    "same_server",
    "set_num_threads",
    "sgd_step",
    "sigmoid_each",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_gradient",
    "sum_rows",
    "tanh_each",
    "threads",
    "use",
]


def instruction_set() -> str:
    """Tell for which instruction set the C kernels in use were compiled; "none" without C.

    Examples
    --------
    >>> instruction_set() in ("none", "baseline", "avx2", "avx512")
    True
    """
    return _c_core.instruction_set if _c_core else "none"


def _choose_from_environment() -> None:
    wanted = os.environ.get("TINYDL_KERNELS") or "c"
    if wanted == "c" and _c_core is None:
        warnings.warn(
            "tinydl was installed without its C core and computes with NumPy, which is slower; "
            "TINYDL_KERNELS=numpy chooses that silently.",
            stacklevel=2,
        )
        wanted = "numpy"
    use(wanted)


_choose_from_environment()
