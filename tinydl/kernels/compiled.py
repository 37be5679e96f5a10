"""Every kernel in C: the functions of ``csrc/``, in the best variant for this CPU.

The C files were compiled for float and double and for several instruction sets; importing this
module picks the functions by name (``conv_float_avx2``). It raises ImportError where tinydl was
installed without a C compiler.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tinydl.errors import ArgumentError, unknown_name
from tinydl.kernels.calling import REAL_TYPES, CKernels
from tinydl.kernels.choice import KERNELS
from tinydl.kernels.threads import get_num_threads

INSTRUCTION_SETS = ("baseline", "avx2", "avx512")


@contextmanager
def _idle_threads_sleep() -> Iterator[None]:
    """Have OpenMP, which reads these variables when it is loaded, let idle threads sleep.

    By default they would spin for milliseconds after each kernel, and take the CPU from NumPy. A
    few microseconds are kept, as the next kernel often follows at once, and waking takes longer.
    """
    settings = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "10000"}
    added = settings.keys() - os.environ.keys()
    os.environ.update({name: settings[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


with _idle_threads_sleep():
    from tinydl.kernels._compiled import ffi, lib


def available_instruction_sets() -> tuple[str, ...]:
    """List the instruction sets that this CPU understands, the best one last."""
    best = ffi.string(lib.best_instruction_set()).decode()
    return INSTRUCTION_SETS[: INSTRUCTION_SETS.index(best) + 1]


def for_instruction_set(name: str) -> CKernels:
    """Give the kernels as compiled for one instruction set.

    Raises
    ------
    ArgumentError
        If the name is unknown, or the CPU does not understand that instruction set.
    """
    if name not in INSTRUCTION_SETS:
        raise unknown_name("tinydl", "TINYDL_INSTRUCTION_SET", name, INSTRUCTION_SETS)
    if name not in available_instruction_sets():
        raise ArgumentError(
            "tinydl",
            "TINYDL_INSTRUCTION_SET",
            got=repr(name),
            expected="one that this CPU has: " + ", ".join(available_instruction_sets()),
        )
    functions = {
        (kernel, dtype): getattr(lib, f"{kernel}_{real}_{name}")
        for kernel in KERNELS
        for dtype, real in REAL_TYPES.items()
    }
    return CKernels(ffi, functions, get_num_threads)


instruction_set = os.environ.get("TINYDL_INSTRUCTION_SET") or available_instruction_sets()[-1]
_kernels = for_instruction_set(instruction_set)

matmul = _kernels.matmul
dense_layer = _kernels.dense_layer
conv = _kernels.conv
conv_layer = _kernels.conv_layer
conv_input_gradient = _kernels.conv_input_gradient
conv_kernel_gradient = _kernels.conv_kernel_gradient
max_pool = _kernels.max_pool
max_pool_gather = _kernels.max_pool_gather
max_pool_gradient = _kernels.max_pool_gradient
average_pool = _kernels.average_pool
average_pool_gradient = _kernels.average_pool_gradient
relu = _kernels.relu
relu_gradient = _kernels.relu_gradient
add_row = _kernels.add_row
sum_rows = _kernels.sum_rows
