"""Every kernel in C: the functions of ``csrc/``, as plain loops and in the fast version.

The C files were compiled for float and double and for several instruction sets; importing this
module picks the functions by name (``conv_float_avx2``): `fast` has those of the best variant for
this CPU, `plain` those of the plain loops. It raises ImportError where tinydl was installed
without a C compiler.
"""

from __future__ import annotations

import os

from tinydl.errors import ArgumentError, unknown_name
from tinydl.kernels._compiled import ffi, lib
from tinydl.kernels.calling import REAL_TYPES, CKernels
from tinydl.kernels.choice import KERNELS
from tinydl.kernels.threads import get_num_threads

INSTRUCTION_SETS = ("baseline", "avx2", "avx512")


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
    return _kernels("", name)


def _kernels(prefix: str, name: str) -> CKernels:
    functions = {
        (kernel, dtype): getattr(lib, f"{prefix}{kernel}_{real}_{name}")
        for kernel in KERNELS
        for dtype, real in REAL_TYPES.items()
    }
    return CKernels(ffi, functions, get_num_threads)


lib.keep_freed_memory()
instruction_set = os.environ.get("TINYDL_INSTRUCTION_SET") or available_instruction_sets()[-1]
fast = for_instruction_set(instruction_set)
plain = _kernels("plain_", "baseline")
