"""Bubblewrap (``bwrap``), where it is installed: namespaces around the process of a submission.

In them there is no network, no other process, and nothing of the file system can be written. It is
the outermost layer; what `tinydl.course.inside` asks of the kernel holds with it and without.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

SECONDS = 300  # if bwrap hangs; a busy machine must not cost a layer


@cache
def available() -> bool:
    """Whether bwrap is there and can start Python: in some containers it may not."""
    program = shutil.which("bwrap")
    if program is None:
        return False
    trial = wrapped([sys.executable, "-I", "-c", "import numpy"], "/", {}, program)
    try:
        outcome = subprocess.run(trial, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return outcome.returncode == 0


def wrapped(
    command: Sequence[str], folder: str, environment: Mapping[str, str], program: str = "bwrap"
) -> list[str]:
    """The command line that runs a command in namespaces of its own.

    Parameters
    ----------
    command : sequence of str
    folder : str
        The working folder.
    environment : mapping of str to str
        All variables that the command sees.
    program : str
        The path of bwrap.

    Examples
    --------
    >>> line = wrapped(["python"], "/tmp/empty", {"LANG": "C"})
    >>> line[0], line[-4:]
    ('bwrap', ['--chdir', '/tmp/empty', '--', 'python'])
    """
    options = ["--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--clearenv"]
    options += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for name, value in environment.items():
        options += ["--setenv", name, value]
    return [program, *options, "--chdir", folder, "--", *command]


def innermost(process: int) -> int:
    """The process that bwrap has started in the end: the last of its only children.

    Examples
    --------
    >>> import os
    >>> innermost(os.getpid()) >= 1
    True
    """
    while True:
        try:
            children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        except OSError:
            return process
        if len(children) != 1:
            return process
        process = int(children[0])
