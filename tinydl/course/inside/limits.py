"""Limits that every POSIX system keeps: CPU time, memory, processes, files; and no privileges."""

from __future__ import annotations

import ctypes
import resource
import signal
import struct
import sys
from contextlib import suppress

DIE_WITH_PARENT = 1  # of prctl
CAPABILITIES_VERSION = 0x20080522


def hold(seconds: int, memory: int | None, file_size: int) -> None:
    """Limit this process and its children for good.

    Parameters
    ----------
    seconds : int
        CPU time of the whole process.
    memory : int or None
        Bytes of address space; None where a sanitizer needs all of it.
    file_size : int
        Bytes of the largest file it may write.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, seconds, more=5)  # a signal that can be told, then the end
    _limit(resource.RLIMIT_FSIZE, file_size)
    _limit(resource.RLIMIT_NOFILE, 64)
    if memory is not None:
        _limit(resource.RLIMIT_AS, memory)


def forbid_processes() -> None:
    """Start no more processes, and on Linux no threads; for where there is no seccomp.

    It does not bind root.
    """
    _limit(resource.RLIMIT_NPROC, 0)


def _limit(which: int, most: int, more: int = 0) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard - more)
    with suppress(ValueError, OSError):  # macOS knows some limits by name only
        resource.setrlimit(which, (most, most + more))


def drop_privileges() -> None:
    """Give up what root may do beyond its own files, and end when the grader ends (Linux)."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    libc.capset(struct.pack("=Ii", CAPABILITIES_VERSION, 0), bytes(24))
