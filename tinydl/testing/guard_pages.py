"""Memory that ends where an array ends: a C kernel that strays from its arrays is stopped at once.

Before and after the pages of each array lies one that nobody may touch. So reading or writing a
single byte too far, which would mostly go unnoticed, ends the process with a segmentation fault,
and Python's fault handler (pytest has it on) tells which call did it. It works on POSIX systems.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from typing import Any

PAGE = mmap.PAGESIZE
NO_ACCESS = 0
_mprotect = ctypes.CDLL(None).mprotect


class GuardedBytes:
    """A copy of some bytes between two guard pages, next to the one after or the one before it.

    Parameters
    ----------
    content : bytes-like
        What to copy.
    at_end : bool
        Whether the copy ends where the page after it begins; otherwise it begins where the page
        before it ends.

    Attributes
    ----------
    address : int
        Where the copy begins.

    Examples
    --------
    >>> GuardedBytes(b"between", at_end=True).content()
    b'between'
    """

    def __init__(self, content: Any, *, at_end: bool) -> None:
        self._size = len(content)
        inside = -(-self._size // PAGE) * PAGE
        self._room = mmap.mmap(-1, inside + 2 * PAGE)
        room = ctypes.addressof(ctypes.c_char.from_buffer(self._room))
        self.address = room + PAGE + (inside - self._size if at_end else 0)
        ctypes.memmove(self.address, bytes(content), self._size)
        for guard in (room, room + PAGE + inside):
            if _mprotect(ctypes.c_void_p(guard), PAGE, NO_ACCESS) != 0:
                raise OSError("mprotect: no guard pages here")

    def content(self) -> bytes:
        """What is there now."""
        return ctypes.string_at(self.address, self._size)


def guarded(ffi: Any, function: Callable[..., int]) -> Callable[..., int]:
    """Wrap a C function so that it works on guarded copies of its arrays.

    It is called twice, with every array next to the page after it and next to the one before it.
    What it changed is copied back; that must be the same, bit for bit, wherever arrays lie.

    Parameters
    ----------
    ffi : cffi.FFI
        It made the arrays that the function will be called with.
    function : callable
        A function of C, as `tinydl.kernels.calling.CKernels` calls them.

    Returns
    -------
    callable
        A function of the same arguments and result.
    """

    def call(*arguments: Any) -> int:
        arrays = [
            a for a in arguments if isinstance(a, ffi.CData) and ffi.typeof(a).kind == "array"
        ]
        outcomes: list[list[Any]] = []
        for at_end in (True, False):
            copies = {a: GuardedBytes(ffi.buffer(a), at_end=at_end) for a in arrays}
            places = [
                ffi.cast(ffi.typeof(a).item.cname + " *", copies[a].address) if a in copies else a
                for a in arguments
            ]
            outcome = function(*places)
            outcomes.append([outcome, *(copy.content() for copy in copies.values())])
        if outcomes[0] != outcomes[1]:
            raise AssertionError("the result depends on where the arrays lie in memory")
        for array, content in zip(copies, outcomes[0][1:], strict=True):
            if ffi.buffer(array)[:] != content:
                ffi.memmove(array, content, len(content))
        return int(outcome)

    return call
