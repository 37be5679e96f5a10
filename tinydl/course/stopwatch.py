"""Time as a submission has to answer for it: a busy machine costs nobody a point."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

LONGEST_LOOK = 1.0  # seconds


class Stopwatch:
    """The time that a process takes, without the time it waits for a processor.

    It has to be looked at often: of a longer while between two looks only a second counts. Then the
    grader itself was stopped, by Ctrl-Z or a laptop's lid, and the process probably as well.

    Parameters
    ----------
    process : callable
        Gives the number of the process.

    Examples
    --------
    >>> import os
    >>> watch = Stopwatch(os.getpid)
    >>> 0 <= watch.taken() < 5 and 0 <= watch.cpu() < 5
    True
    """

    def __init__(self, process: Callable[[], int]) -> None:
        self._process = process
        self._looked, self._passed = time.monotonic(), 0.0
        self._waited, self._cpu = self._waits(), _cpu(process())

    def passed(self) -> float:
        """Seconds by the clock, except those in which nobody looked."""
        now = time.monotonic()
        self._passed += min(now - self._looked, LONGEST_LOOK)
        self._looked = now
        return self._passed

    def taken(self) -> float:
        """Seconds by the clock, except those in which it could not run as others did."""
        passed = self.passed()
        waited = max(0.0, self._waits() - self._waited)
        return max(passed - waited, min(self.cpu(), passed))  # many threads wait more than one

    def _waits(self) -> float:
        """How long the process has waited, and whoever looks, when an answer was there already."""
        return _waited(self._process()) + _waited_by("/proc/thread-self")

    def cpu(self) -> float:
        """Seconds of processor time."""
        return _cpu(self._process()) - self._cpu


def wait(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Wait for the end of a process, as long as it takes no more than some seconds of its own.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes longer.

    Examples
    --------
    >>> wait(subprocess.Popen([sys.executable, "-c", "exit(3)"]), seconds=30)
    3
    """
    watch = Stopwatch(lambda: process.pid)
    while (code := process.poll()) is None:
        if watch.taken() >= seconds:
            raise subprocess.TimeoutExpired(process.args, seconds)
        time.sleep(0.005)
    return code


def _waited(process: int) -> float:
    """How long the threads of a process have waited for a processor so far.

    One may hold what another needs, Python's lock for instance, so each counts. It is 0 where the
    system does not tell.
    """
    waited, tasks = 0.0, f"/proc/{process}/task"
    with suppress(OSError):
        for task in os.listdir(tasks):
            waited += _waited_by(f"{tasks}/{task}")
    return waited


def _waited_by(thread: str) -> float:
    try:
        with open(f"{thread}/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):  # it may have ended just now
        return 0.0


def _cpu(process: int) -> float:
    """Processor time that a process has taken; where the system does not tell, the clock's time."""
    if sys.platform == "linux":
        try:
            return time.clock_gettime((~process << 3) | 2)  # the clock of another process
        except OSError:
            return 0.0
    return time.monotonic()
