"""Limits that every POSIX system keeps: CPU time, memory, processes, files."""

from __future__ import annotations

import resource
from contextlib import suppress


def hold(seconds: int, memory: int | None, file_size: int, processes: int | None = 0) -> None:
    """Limit this process and its children for good.

    Parameters
    ----------
    seconds : int
        CPU time of the whole process.
    memory : int or None
        Bytes of address space; None where a sanitizer needs all of it.
    file_size : int
        Bytes of the largest file it may write.
    processes : int or None
        How many processes the user may have before this one may start no more; None for no limit.
        It does not bind root.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_FSIZE, file_size)
    _limit(resource.RLIMIT_NOFILE, 64)
    if processes is not None:
        _limit(resource.RLIMIT_NPROC, processes)
    if memory is not None:
        _limit(resource.RLIMIT_AS, memory)


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    with suppress(ValueError, OSError):  # macOS knows some limits by name only
        resource.setrlimit(which, (most, most))
