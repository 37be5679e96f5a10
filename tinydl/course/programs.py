"""Programs of the compiler's, run as held as a submission is: C can read files while compiled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tinydl.course.process import INSIDE

SYSTEM = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives"]
SECONDS = 60
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": "."}


@cache
def compiler() -> str | None:
    """The path of the C compiler, if there is one."""
    return shutil.which(os.environ.get("CC", "cc"))


def run_held(command: Sequence[str], folder: str) -> subprocess.CompletedProcess[str]:
    """Run a program that may read the system's files and write into a folder, and no more.

    Parameters
    ----------
    command : sequence of str
        The path of the program, and its arguments.
    folder : str
        Where it runs.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes longer than a minute.
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
    return subprocess.run(
        [*python, json.dumps(settings), *command],
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        start_new_session=True,
        check=False,
    )
