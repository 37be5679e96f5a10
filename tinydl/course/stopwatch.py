"""Time as a submission has to answer for it: a busy machine costs nobody a point."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

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
        self._waited, self._cpu = _waited(process()), _cpu(process())

    def passed(self) -> float:
        """Seconds by the clock, except those in which nobody looked."""
        now = time.monotonic()
        self._passed += min(now - self._looked, LONGEST_LOOK)
        self._looked = now
        return self._passed

    def taken(self) -> float:
        """Seconds by the clock, except those in which it could not run as others did."""
        return self.passed() - (_waited(self._process()) - self._waited)

    def cpu(self) -> float:
        """Seconds of processor time."""
        return _cpu(self._process()) - self._cpu


def _waited(process: int) -> float:
    """How long a process has waited for a processor so far; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _cpu(process: int) -> float:
    """Processor time that a process has taken; where the system does not tell, the clock's time."""
    if sys.platform == "linux":
        try:
            return time.clock_gettime((~process << 3) | 2)  # the clock of another process
        except OSError:
            return 0.0
    return time.monotonic()
