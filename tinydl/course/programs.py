"""Programs of the compiler's, run as held as a submission is: C can read files while compiled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

from tinydl.course.process import INSIDE, library_paths
from tinydl.course.stopwatch import wait

SYSTEM = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives"]
SECONDS = 60  # of processor time
PATIENCE = 10  # times as long by the clock, for a busy machine
MOST_OUTPUT = 1_000_000  # bytes
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": "."}


@cache
def compiler() -> str | None:
    """The path of the C compiler, if there is one."""
    return shutil.which(os.environ.get("CC", "cc"))


def run_held(command: Sequence[str], folder: str) -> tuple[int, str]:
    """Run a program that may read the system's files and write into a folder, and no more.

    Parameters
    ----------
    command : sequence of str
        The path of the program, and its arguments.
    folder : str
        Where it runs.

    Returns
    -------
    code, output : int, str
        Its exit code, and the beginning of what it printed.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes far longer than a minute.
    """
    installed = str(Path(command[0]).resolve().parent.parent)
    settings = {
        "readable": ["/dev/urandom"],
        "executable": [*SYSTEM, *([installed] if installed != "/" else [])],
        "cpu_seconds": SECONDS,
        "memory": 4 << 30,
        "file_size": 64 << 20,
    }
    python = [sys.executable, "-I", "-B", str(INSIDE / "confined.py")]
    with tempfile.TemporaryFile() as output:
        code = _run([*python, json.dumps(settings), *command], folder, output)
        output.seek(0)
        return code, output.read(MOST_OUTPUT).decode("utf-8", "replace")


def _run(command: Sequence[str], folder: str, output: IO[bytes]) -> int:
    """Run it to its end, or kill it with all that it started."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**ENVIRONMENT, **library_paths()},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        return wait(process, PATIENCE * SECONDS)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
