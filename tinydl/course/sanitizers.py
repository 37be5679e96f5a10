"""The compiler's sanitizers: what a process needs to load sanitized code, and what they report."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tinydl.course.programs import compiler, run_held

FLAGS = [
    *("-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
]
MEANINGS = {
    "heap-buffer-overflow": "outside an array",
    "stack-buffer-overflow": "outside an array on the stack",
    "global-buffer-overflow": "outside a global array",
    "heap-use-after-free": "of memory that was freed",
    "stack-use-after-return": "of a function that has returned",
    "stack-overflow": "too many calls within calls",
}
FRAME = re.compile(r"#(\d+) 0x[0-9a-f]+ .*?/(kernels_\w+\.so)\+(0x[0-9a-f]+)\)")


@cache
def sanitizer() -> str | None:
    """The path of the library that has to be loaded before a sanitized one, if there is any."""
    program = compiler()
    if sys.platform != "linux" or program is None:
        return None
    # clang knows gcc's libraries, too, but its own have to be used; gcc does not know clang's.
    for name in (f"libclang_rt.asan-{os.uname().machine}.so", "libasan.so"):
        command = [program, f"-print-file-name={name}"]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        path = outcome.stdout.strip()
        if os.path.isabs(path) and os.path.exists(path):
            return os.path.realpath(path)
    return None


def environment() -> Mapping[str, str]:
    """The variables with which a process can load sanitized libraries."""
    return {
        "LD_PRELOAD": sanitizer() or "",
        "PYTHONMALLOC": "malloc",  # so that each array has its own guarded piece of memory
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:hard_rss_limit_mb=4096",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=0",
    }


def read_report(output: str, file: str, libraries: Mapping[str, bytes]) -> tuple[str, int | None]:
    """What a sanitizer found, in words, and the line; ("", None) if it says nothing.

    Parameters
    ----------
    output : str
        What the process printed.
    file : str
        The name of the C file.
    libraries : mapping of str to bytes
        The sanitized libraries, by the names they had.

    Examples
    --------
    >>> read_report("kernels.c:7:3: runtime error: division by zero", "kernels.c", {})
    ('division by zero', 7)
    """
    undefined = re.search(rf"\b{re.escape(file)}:(\d+):\d+: runtime error: (.*)", output)
    if undefined:
        return undefined[2].strip()[:300], int(undefined[1])
    found = re.search(r"ERROR: AddressSanitizer: ([\w-]+)", output)
    if found is None:
        return "", None
    access = re.search(r"\b(READ|WRITE) of size (\d+)", output)
    kind = MEANINGS.get(found[1], found[1].replace("-", " "))
    if access:
        verb = "it reads" if access[1] == "READ" else "it writes"
        kind = f"{verb} {access[2]} bytes {kind}"
    elif found[1] == "SEGV":
        verb = "writes to" if "WRITE memory access" in output else "reads from"
        kind = f"it {verb} an address that is no memory: a wrong pointer or index"
    return kind, _line(output[found.start() :], file, libraries)


def _line(report: str, file: str, libraries: Mapping[str, bytes]) -> int | None:
    """The line of the first place in the report that is in the student's file."""
    frame = FRAME.search(report)
    tool = shutil.which("addr2line") or shutil.which("llvm-addr2line")
    if frame is None or tool is None or frame[2] not in libraries:
        return None
    address = int(frame[3], 16) - (int(frame[1]) > 0)  # callers stand after the call
    with tempfile.TemporaryDirectory(prefix="tinydl-") as folder:
        Path(folder, frame[2]).write_bytes(libraries[frame[2]])
        try:
            _, said = run_held([tool, "-e", frame[2], hex(address)], folder)
        except subprocess.TimeoutExpired:
            return None
    place = re.search(rf"{re.escape(file)}:(\d+)", said)
    return int(place[1]) if place else None
