"""Kernels from outside: a student's own function, module, Python file or C file."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from cffi import FFI

from tinydl.errors import ArgumentError, DTypeError, ShapeError
from tinydl.kernels.calling import REAL_TYPES, CKernels
from tinydl.kernels.choice import KERNELS, Kernel
from tinydl.kernels.header import declarations, kernel_names, renames
from tinydl.kernels.threads import get_num_threads

Function = Callable[..., Any]

HEADER = Path(__file__).with_name("tinydl.h")
C_FLAGS = ["-std=c11", "-O3", "-Wall", "-fPIC", "-shared"]


def load_file(path: Path) -> dict[str, Function]:
    """Load the kernels that a .py or .c file defines."""
    if not path.is_file():
        raise ArgumentError("use", "backend", got=repr(str(path)), expected="a file that exists")
    if path.suffix == ".c":
        return _load_c(path)
    return functions_of(_import_file(path))


def functions_of(backend: object) -> dict[str, Function]:
    """Take the kernels that an object has, each watched so that a mistake in it is reported."""
    found = {}
    for name, kernel in KERNELS.items():
        function = getattr(backend, name, None)
        if function is None:
            continue
        if not callable(function):
            raise ArgumentError("use", name, got=repr(function), expected="a function")
        found[name] = _watched(kernel, function)
    return found


def _watched(kernel: Kernel, function: Function) -> Function:
    """Call the function on arrays it cannot change, and check what it returns."""

    def watched(*inputs: Any, **settings: Any) -> Any:
        inputs = tuple(_read_only(value) for value in inputs)
        settings = {name: _read_only(value) for name, value in settings.items()}
        result = function(*inputs, **settings)
        if result is NotImplemented:
            return result
        if not isinstance(result, np.ndarray):
            raise DTypeError(
                kernel.name, "result", got=type(result).__name__, expected="a NumPy array"
            )
        shape = kernel.result_shape(*inputs, **settings)
        if result.shape != shape:
            raise ShapeError(kernel.name, "result", got=result.shape, expected=shape)
        arrays = [value for value in (*inputs, *settings.values()) if isinstance(value, np.ndarray)]
        dtypes = {array.dtype for array in arrays}
        if dtypes <= REAL_TYPES.keys() and len(dtypes) == 1 and result.dtype not in dtypes:
            raise DTypeError(
                kernel.name,
                "result",
                got=result.dtype,
                expected=f"{arrays[0].dtype}, as the inputs",
                hint=f"make it by np.zeros(shape, {arrays[0].dtype})",
            )
        return np.ascontiguousarray(result)

    return watched


def _read_only(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def _import_file(path: Path) -> object:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise ArgumentError("use", "backend", got=repr(str(path)), expected="a .py or .c file")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _load_c(path: Path) -> dict[str, Function]:
    """Compile a C file for each element type, and take the functions it defines."""
    header = HEADER.read_text()
    ffi = FFI()
    ffi.cdef(declarations(header, REAL_TYPES.values()))
    functions = {}
    with tempfile.TemporaryDirectory() as folder, _idle_threads_sleep():
        for dtype, real in REAL_TYPES.items():
            library = ffi.dlopen(str(_compile(path, real, renames(header, real), Path(folder))))
            for name in kernel_names(header):
                if hasattr(library, f"{name}_{real}"):
                    functions[name, dtype] = getattr(library, f"{name}_{real}")
    kernels = CKernels(ffi, functions, get_num_threads)
    return {name: getattr(kernels, name) for name, _ in functions}


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


def _compile(path: Path, real: str, names: dict[str, str], folder: Path) -> Path:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise ArgumentError(
            "use",
            "backend",
            got=repr(str(path)),
            expected="a C compiler called cc to compile it with",
            hint="install gcc or clang, or name yours in the environment variable CC",
        )
    library = folder / f"{path.stem}_{real}.so"
    definitions = [f"-Dreal={real}", *(f"-D{name}={renamed}" for name, renamed in names.items())]
    for openmp in (["-fopenmp"], []):
        command = [compiler, *C_FLAGS, *openmp, *definitions, f"-I{HEADER.parent}"]
        command += [str(path), "-o", str(library), "-lm"]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode == 0:
            return library
    raise ArgumentError(
        "use",
        "backend",
        got=repr(str(path)),
        expected="a C file that compiles",
        hint=f"the compiler says\n{outcome.stderr.strip()}",
    )
