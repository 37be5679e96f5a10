"""Who serves a kernel: choosing, falling back, and counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import update_wrapper
from types import ModuleType, TracebackType
from typing import Any, NamedTuple

from tinydl.errors import unknown_name
from tinydl.kernels import literal, reference

Function = Callable[..., Any]


class Server(NamedTuple):
    """A function that computes a kernel, and the name it goes by in reports."""

    label: str
    function: Function


KERNELS: dict[str, Kernel] = {}
_calls: Counter[tuple[str, str]] = Counter()


class Kernel:
    """A hot loop that is computed by whoever was chosen.

    Its servers are asked in turn; one that returns NotImplemented declines the call (C declines
    every dtype but float32 and float64), and the last one, the NumPy reference, never does.
    """

    def __init__(self, result_shape: Callable[..., tuple[int, ...]]) -> None:
        update_wrapper(self, result_shape)
        self.name = result_shape.__name__
        self.result_shape = result_shape
        self.servers: tuple[Server, ...] = ()

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        for label, function in self.servers:
            result = function(*inputs, **settings)
            if result is not NotImplemented:
                _calls[self.name, label] += 1
                return result
        raise AssertionError("the reference serves every call")

    def __repr__(self) -> str:
        return f"<kernel {self.name}, served by {self.servers[0].label}>"


def kernel(result_shape: Callable[..., tuple[int, ...]]) -> Kernel:
    """Declare a kernel: a function's name, arguments and docstring; it computes the result's shape."""
    declared = KERNELS[result_shape.__name__] = Kernel(result_shape)
    return declared


class Choice:
    """What `use` returns; as a context manager it restores the former choice at the end."""

    def __init__(self, former: dict[str, tuple[Server, ...]]) -> None:
        self._former = former

    def __enter__(self) -> Choice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name, servers in self._former.items():
            KERNELS[name].servers = servers


def use(backend: str | ModuleType | object) -> Choice:
    """Choose who serves the kernels; those that `backend` lacks are served by the reference.

    Parameters
    ----------
    backend : str, module or object
        ``"numpy"`` or ``"literal"``, or anything with functions named like the kernels.

    Returns
    -------
    Choice
        A context manager that restores the former choice at its end.

    Examples
    --------
    >>> with use("literal"):
    ...     active()["conv"]
    'literal'
    """
    former = {name: kernel.servers for name, kernel in KERNELS.items()}
    label, functions = _functions(backend)
    fallback = {name: Server("numpy", getattr(reference, name)) for name in KERNELS}
    for name, declared in KERNELS.items():
        chosen = (Server(label, functions[name]),) if name in functions else ()
        declared.servers = (*chosen, fallback[name]) if label != "numpy" else (fallback[name],)
    return Choice(former)


def _functions(backend: Any) -> tuple[str, dict[str, Function]]:
    built_in = {"numpy": reference, "literal": literal}
    if isinstance(backend, str):
        if backend not in built_in:
            raise unknown_name("use", "backend", backend, built_in)
        label, backend = backend, built_in[backend]
    else:
        label = getattr(backend, "__name__", type(backend).__name__)
    return label, {name: getattr(backend, name) for name in KERNELS if hasattr(backend, name)}


def active() -> dict[str, str]:
    """Tell who is asked first for each kernel, as ``{"conv": "numpy", ...}``."""
    return {name: kernel.servers[0].label for name, kernel in KERNELS.items()}


class Served(NamedTuple):
    """One row of a report."""

    kernel: str
    served_by: str
    calls: int


class Report(list[Served]):
    """Rows of (kernel, served_by, calls), which print as a table."""

    def __str__(self) -> str:
        rows = [("kernel", "served by", "calls"), *self]
        widths = [max(len(str(row[column])) for row in rows) for column in range(3)]
        return "\n".join(
            f"{kernel:{widths[0]}}  {server:{widths[1]}}  {calls:>{widths[2]}}"
            for kernel, server, calls in rows
        )


def report() -> Report:
    """Tell which function served which kernel, and how many calls, since the last reset.

    Examples
    --------
    >>> import numpy as np
    >>> from tinydl import kernels
    >>> kernels.reset_report()
    >>> with kernels.use("numpy"):
    ...     product = kernels.matmul(np.eye(2), np.eye(2))
    >>> print(kernels.report())
    kernel  served by  calls
    matmul  numpy          1
    """
    return Report(Served(*who, calls) for who, calls in sorted(_calls.items()))


def reset_report() -> None:
    """Forget the calls counted so far."""
    _calls.clear()
