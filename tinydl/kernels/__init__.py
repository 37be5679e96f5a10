"""The hot loops: arrays in, a fresh array out, and a choice of who computes it.

Three tellings of each loop come with tinydl, as ordinary modules with the same functions:

=============  ==========================================================================
``"literal"``  the formula read literally, in nested Python loops: what the rest is judged by
``"numpy"``    `tinydl.kernels.reference`, which runs everywhere
``"c"``        `tinydl.kernels.compiled`, the C code of ``csrc/``
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

from tinydl.kernels.choice import Choice, Report, active, report, reset_report, use
from tinydl.kernels.declared import (
    average_pool,
    average_pool_gradient,
    conv,
    conv_input_gradient,
    conv_kernel_gradient,
    matmul,
    max_pool,
    max_pool_gather,
    max_pool_gradient,
)
from tinydl.kernels.geometry import output_length

__all__ = [
    "Choice",
    "Report",
    "active",
    "average_pool",
    "average_pool_gradient",
    "conv",
    "conv_input_gradient",
    "conv_kernel_gradient",
    "matmul",
    "max_pool",
    "max_pool_gather",
    "max_pool_gradient",
    "output_length",
    "report",
    "reset_report",
    "use",
]

use("numpy")
