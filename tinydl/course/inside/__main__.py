"""The program beside a submission: runs it, calls it, and sends back what it returns.

``python inside REQUESTS ANSWERS`` with the numbers of two pipes. The first request says how to
hold the process and what to run; each later one is a call.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import linecache
import os
import sys
import traceback
import types
from collections.abc import Callable
from contextlib import suppress
from random import seed as restart_python
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import seed as restart_numpy

# The functions below look names up in this copy; a submission may only patch the module.
globals()["__builtins__"] = dict(vars(builtins))

if TYPE_CHECKING:
    from tinydl.course.inside import (
        c_kernels,
        frames,
        landlock,
        limits,
        look,
        places,
        refusals,
        seccomp,
    )
else:  # run as a folder, which the package tinydl is no part of
    import c_kernels
    import frames
    import landlock
    import limits
    import look
    import places
    import refusals
    import seccomp

_read, _write, _ndarray = os.read, os.write, np.ndarray
_extract, _exec, _compile = traceback.extract_tb, exec, compile
LONGEST_TEXT = 2000
DRIVER = "<the grader>"


def serve(requests: int, answers: int) -> None:
    """Read requests until the pipe is closed, and answer each."""
    start = _receive(requests)
    module = types.ModuleType("assignment")
    module.__file__ = start["file"]
    sys.modules["assignment"] = module
    load = _prepare(start)
    held = _hold(start)
    answer = {"held": held} | load(module, start)
    _send(answers, answer)
    while "result" in answer:
        request = _receive(requests)
        restart_numpy(request["seed"])  # noqa: NPY002  (a submission may use these)
        restart_python(request["seed"])
        _send(answers, _answer(module, request, start["file"]))


def _prepare(start: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Import what the submission may use, and return what will load it."""
    sys.path[:0] = start["paths"]
    for package in start["allowed"]:
        importlib.import_module(package)
    load: Callable[..., dict[str, Any]] = _load_python
    if start["header"]:
        load_kernels = c_kernels.loader(
            start["header"], guarded=start["guarded"], garbage=start["garbage"]
        )
        load = functools.partial(_load_c, load_kernels)
    del sys.path[: len(start["paths"])]
    return load


def _hold(start: dict[str, Any]) -> dict[str, bool]:
    """Give up all that the submission does not need, for good; tell what the kernel could do."""
    folder = os.getcwd()
    sys.path.append(folder)
    own = [os.path.splitext(name)[0] for name in os.listdir(folder)]
    readable, listable = [*places.readable(), folder], places.listable()
    limits.hold(start["cpu_seconds"], start["memory"], file_size=0)
    limits.drop_privileges()
    held = {"landlock": landlock.hold(readable, listable), "seccomp": seccomp.hold()}
    if not held["seccomp"]:
        limits.forbid_processes()
    if not start["header"]:  # C does not ask Python
        refusals.install([*start["allowed"], *own], readable, listable)
    return held


def _load_python(module: types.ModuleType, start: dict[str, Any]) -> dict[str, Any]:
    """Look at a file, and run it."""
    source, file = start["source"], start["file"]
    answer: dict[str, Any] = {"look": look.look(source, file)}
    if "syntax" in answer["look"]:
        return answer
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)

    def run() -> None:
        _exec(_compile(source, file, "exec", dont_inherit=True), vars(module))

    return answer | _guarded(run, file)


def _load_c(
    load_kernels: c_kernels.Loader, module: types.ModuleType, start: dict[str, Any]
) -> dict[str, Any]:
    """Load compiled kernels."""
    answer = _guarded(lambda: load_kernels(module), start["file"])
    if "result" in answer:
        answer["look"] = answer.pop("result")
        answer["result"] = None
    return answer


def _answer(module: types.ModuleType, request: dict[str, Any], file: str) -> dict[str, Any]:
    before = [_bytes(value) for value in request["arguments"]]
    names = dict(zip(request["names"], request["arguments"], strict=True))
    if request["do"] == "call":
        positional = [value for name, value in names.items() if name.isdigit()]
        keywords = {name: value for name, value in names.items() if not name.isdigit()}

        def work() -> Any:
            return getattr(module, request["function"])(*positional, **keywords)
    else:

        def work() -> Any:
            space = {**vars(module), **names}
            _exec(_compile(request["source"], DRIVER, "exec", dont_inherit=True), space)
            return space.get("result")

    answer = _guarded(work, file)
    after = [_bytes(value) for value in request["arguments"]]
    answer["changed"] = [
        i for i, pair in enumerate(zip(before, after, strict=True)) if _differ(pair)
    ]
    return answer


def _bytes(value: Any) -> Any:
    """What an argument holds now: arrays by their bytes, within lists and tuples as well."""
    if type(value) is _ndarray:
        return value.shape, value.tobytes()
    if type(value) in (list, tuple):
        return [_bytes(v) for v in value]
    if type(value) is dict:
        return {key: _bytes(v) for key, v in value.items()}
    return value


def _differ(pair: tuple[Any, Any]) -> bool:
    try:
        return bool(pair[0] is not pair[1] and pair[0] != pair[1])  # NaN differs from itself
    except Exception:
        return True


def _guarded(work: Any, file: str) -> dict[str, Any]:
    """The result of some work, or what it raised, whatever that is."""
    try:
        return {"result": work()}
    except BaseException as error:
        return {"error": _told(error, file)}


def _told(error: BaseException, file: str) -> dict[str, Any]:
    """What an exception says, and where in the student's file it was."""
    told: dict[str, Any] = {"type": type(error).__name__[:80], "message": "", "line": None}
    told["refused"] = isinstance(error, refusals.Refused)
    with suppress(BaseException):
        told["message"] = str(error)[:LONGEST_TEXT]
    with suppress(BaseException):
        for frame in _extract(error.__traceback__):
            if frame.filename == file:
                told["line"], told["text"] = frame.lineno, (frame.line or "")[:200]
                told["function"] = frame.name[:80]
    return told


def _receive(pipe: int) -> dict[str, Any]:
    header, payload = frames.LENGTHS.unpack(_read_exactly(pipe, frames.LENGTHS.size))
    head = _read_exactly(pipe, header)
    request: dict[str, Any] = frames.decode_parts(head, _read_exactly(pipe, payload))
    return request


def _read_exactly(pipe: int, count: int) -> bytes:
    content = bytearray()
    while len(content) < count:
        piece = _read(pipe, min(count - len(content), 1 << 20))
        if not piece:
            raise SystemExit  # the grader has closed the pipe: all is done
        content += piece
    return bytes(content)


def _send(pipe: int, answer: dict[str, Any]) -> None:
    with suppress(BaseException):
        sys.stdout.flush()
    try:
        frame = frames.encode(answer)
    except BaseException as error:
        told = {"type": type(error).__name__, "message": "the result cannot be sent", "line": None}
        frame = frames.encode({"error": told})
    left = memoryview(frame)
    while left:
        left = left[_write(pipe, left) :]


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
