"""Who serves a kernel: choosing, falling back, and counting."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tinydl.errors import ArgumentError, unknown_name
from tinydl.kernels import reference

Function = Callable[..., Any]

BUILT_IN = {
    "c": "tinydl.kernels.compiled:fast",
    "c-plain": "tinydl.kernels.compiled:plain",
    "numpy": "tinydl.kernels.reference",
    "literal": "tinydl.kernels.literal",
}


class Server(NamedTuple):
    """A function that computes a kernel, the name it goes by in reports, and what it has served."""

    label: str
    function: Function
    tally: list[int]  # of one number, the calls, to count them without looking anything up


KERNELS: dict[str, Kernel] = {}
_tallies: dict[tuple[str, str], list[int]] = {}


class Kernel:
    """A hot loop that is computed by whoever was chosen.

    Its servers are asked in turn; one that returns NotImplemented declines the call (C declines
    every dtype but float32 and float64), and the last one, the NumPy reference, never does.
    """

    def __init__(self, result_shape: Callable[..., tuple[int, ...]]) -> None:
        update_wrapper(self, result_shape)
        self.name = result_shape.__name__
        self.result_shape = result_shape
        self.signature = signature(result_shape)
        self.servers: tuple[Server, ...] = ()

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Compute the kernel."""
        if settings:
            inputs = self.signature.bind(*inputs, **settings).args
        for _, function, tally in self.servers:
            result = function(*inputs)
            if result is not NotImplemented:
                tally[0] += 1
                return result
        raise AssertionError("the reference serves every call")

    def __repr__(self) -> str:
        return f"<kernel {self.name}, served by {self.servers[0].label}>"


def kernel(result_shape: Callable[..., tuple[int, ...]]) -> Kernel:
    """Declare a kernel by a function with its name and arguments that gives the result's shape."""
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


def use(backend: str | Path | object) -> Choice:
    """Choose who serves the kernels; those that `backend` lacks are served by the reference.

    Parameters
    ----------
    backend : str, path, module or object
        ``"c"``, ``"c-plain"``, ``"numpy"`` or ``"literal"``; or your own: a module or any object
        with functions named like the kernels, or the path of a ``.py`` or ``.c`` file that
        defines some. A C file is compiled at once by the machine's ``cc``; the functions it may
        define are declared in ``tinydl.h``.

    Returns
    -------
    Choice
        A context manager that restores the former choice at its end.

    Raises
    ------
    ArgumentError
        If there is no such backend or file, it has no kernel, or it does not compile.

    Notes
    -----
    Functions of your own in Python get read-only views of the arrays, and what they return is
    checked: its shape, and that float32 stays float32. One may return NotImplemented to leave
    a call to the reference.

    Examples
    --------
    >>> with use("literal"):
    ...     active()["conv"]
    'literal'
    """
    former = {name: kernel.servers for name, kernel in KERNELS.items()}
    label, functions = _find(backend)
    if not functions:
        raise ArgumentError(
            "use",
            "backend",
            got=label,
            expected="something with at least one kernel",
            hint="the kernels are " + ", ".join(KERNELS),
        )
    for name, kernel in KERNELS.items():
        fallback = _server(name, "numpy", getattr(reference, name))
        chosen = _server(name, label, functions[name]) if name in functions else fallback
        kernel.servers = (fallback,) if chosen == fallback else (chosen, fallback)
    return Choice(former)


def _server(kernel: str, label: str, function: Function) -> Server:
    return Server(label, function, _tallies.setdefault((kernel, label), [0]))


def _find(backend: Any) -> tuple[str, dict[str, Function]]:
    """Give the label and the functions of a backend."""
    if isinstance(backend, str) and backend in BUILT_IN:
        label, kernels = _built_in(backend)
        return label, {name: getattr(kernels, name) for name in KERNELS}
    from tinydl.kernels import plugin  # which needs this module's table of kernels

    if isinstance(backend, str | Path):
        path = Path(backend)
        if path.suffix not in (".py", ".c"):
            raise unknown_name("use", "backend", str(backend), BUILT_IN)
        return path.name, plugin.load_file(path)
    label = getattr(backend, "__name__", type(backend).__name__)
    return label, plugin.functions_of(backend)


def _built_in(name: str) -> tuple[str, Any]:
    """Give the label and the kernels of a backend that comes with tinydl."""
    path, _, attribute = BUILT_IN[name].partition(":")
    try:
        module = import_module(path)
    except ImportError as error:
        raise ArgumentError(
            "use",
            "backend",
            got=repr(name),
            expected="kernels that are installed",
            hint=f"install tinydl where there is a C compiler ({error})",
        ) from error
    label = f"c ({module.instruction_set})" if name == "c" else name
    return label, getattr(module, attribute) if attribute else module


def active() -> dict[str, str]:
    """Tell who is asked first for each kernel, as ``{"conv": "numpy", ...}``."""
    return {name: kernel.servers[0].label for name, kernel in KERNELS.items()}


def same_server(*kernels: Kernel) -> bool:
    """Tell whether all of these are asked of the same server first.

    Only then may one of them stand for others, which could be somebody's own.

    Examples
    --------
    >>> same_server(KERNELS["conv"], KERNELS["matmul"])
    True
    """
    return len({kernel.servers[0].label for kernel in kernels}) == 1


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
    return Report(Served(*who, calls) for who, (calls,) in sorted(_tallies.items()) if calls)


def reset_report() -> None:
    """Forget the calls counted so far."""
    for tally in _tallies.values():
        tally[0] = 0
