"""Kernels of a student's C file, compiled beforehand, as functions of a module."""

from __future__ import annotations

import inspect
import os
import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

Loader = Callable[[types.ModuleType], dict[str, Any]]


def loader(header: str, *, guarded: bool, garbage: float) -> Loader:
    """Make ready to load compiled kernels, while all of tinydl can still be imported.

    Parameters
    ----------
    header : str
        The text of ``tinydl.h``.
    guarded : bool
        Whether every call is to work between guard pages.
    garbage : float
        What a result holds before the call, so that an element that is never set shows.

    Returns
    -------
    callable
        Called in the folder of ``kernels_float.so`` and ``kernels_double.so``, it puts a function
        on arrays into a module for each kernel that they define, and returns names and parameters,
        as `look` tells them of Python.
    """
    from cffi import FFI

    from tinydl.kernels.calling import REAL_TYPES, CKernels
    from tinydl.kernels.header import declarations, kernel_names
    from tinydl.testing.guard_pages import guarded as between_guard_pages

    ffi = FFI()
    ffi.cdef(declarations(header, REAL_TYPES.values()))

    def load(module: types.ModuleType) -> dict[str, Any]:
        functions = {}
        for dtype, real in REAL_TYPES.items():
            library = ffi.dlopen(os.path.join(os.getcwd(), f"kernels_{real}.so"))
            for name in kernel_names(header):
                if hasattr(library, f"{name}_{real}"):
                    function = getattr(library, f"{name}_{real}")
                    functions[name, dtype] = (
                        between_guard_pages(ffi, function) if guarded else function
                    )
        full = partial(_full, garbage)
        kernels = CKernels(ffi, functions, lambda: 1, full)
        defined: dict[str, Any] = {}
        for name in sorted({name for name, _ in functions}):
            setattr(module, name, getattr(kernels, name))
            names = list(inspect.signature(getattr(kernels, name)).parameters)
            defined[name] = {"positional": names, "required": names, "keyword": [], "more": False}
        return {"defines": defined, "imports": []}

    return load


def _full(garbage: float, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return np.full(shape, garbage, dtype)
