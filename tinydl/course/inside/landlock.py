"""Landlock: the Linux kernel refuses files outside a list, whatever runs in the process.

It exists since Linux 5.13, needs no privilege, holds for the process and all it starts, and cannot
be undone. See https://docs.kernel.org/userspace-api/landlock.html for the numbers below.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH, ASK_VERSION = 1, 1
NO_NEW_PRIVILEGES = 38  # of prctl

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE = 1 << 14
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
# What a version handles: all its rights over files, those over TCP ports, and its scopes, which
# keep signals and abstract sockets within the sandbox.
ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP, SCOPES = 3, 3


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """The version of Landlock that the kernel has; 0 if it has none.

    Examples
    --------
    >>> version() >= 0
    True
    """
    if sys.platform != "linux":
        return 0
    return max(0, _library().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION))


def hold(
    readable: Sequence[str],
    listable: Sequence[str] = (),
    executable: Sequence[str] = (),
    writable: Sequence[str] = (),
) -> bool:
    """Refuse all files but these to this process and its children, for good.

    Parameters
    ----------
    readable : sequence of str
        Files, or folders with all that is in them, that may be read.
    listable : sequence of str
        Folders whose names may be listed.
    executable : sequence of str
        Files or folders that may be read and run.
    writable : sequence of str
        Folders whose files may be read, written, made and removed.

    Returns
    -------
    bool
        Whether the kernel could do it.
    """
    known = version()
    if not known:
        return False
    libc = _library()
    handled = ALL_RIGHTS[max(v for v in ALL_RIGHTS if v <= known)]
    rules = _Ruleset(handled, TCP if known >= 4 else 0, SCOPES if known >= 6 else 0)
    size = 8 if known < 4 else 16 if known < 6 else 24
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    grants = [(path, READ_FILE | READ_DIR) for path in readable]
    grants += [(path, READ_DIR) for path in listable]
    grants += [(path, READ_FILE | READ_DIR | EXECUTE) for path in executable]
    grants += [(path, handled & ~EXECUTE) for path in writable]
    grants.append(("/dev/null", READ_FILE | WRITE_FILE | TRUNCATE))
    for path, rights in grants:
        with suppress(OSError):  # a path that does not exist needs no rule
            _grant(libc, ruleset, path, rights & handled)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    held = libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(held)


def _grant(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= FILE_RIGHTS
        rule = _PathBeneath(rights, opened)
        libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
