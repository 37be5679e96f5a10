"""How many threads the C kernels may use. (NumPy's own threads are not ours to set.)"""

from __future__ import annotations

import os
from operator import index

from tinydl.errors import ArgumentError, DTypeError

MOST_THREADS = 1024

_number = 1


def get_num_threads() -> int:
    """Tell how many threads a C kernel may use.

    Examples
    --------
    >>> get_num_threads() >= 1
    True
    """
    return _number


def set_num_threads(n: int) -> None:
    """Set how many threads a C kernel may use; results are the same bits for any number.

    Parameters
    ----------
    n : int
        From 1 to 1024.

    Raises
    ------
    DTypeError
        If `n` is not a whole number.
    ArgumentError
        If `n` is out of range.

    Examples
    --------
    >>> before = get_num_threads()
    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    >>> set_num_threads(before)
    """
    global _number
    try:
        number = index(n)
    except TypeError:
        raise DTypeError("set_num_threads", "n", got=repr(n), expected="a whole number") from None
    if not 1 <= number <= MOST_THREADS:
        raise ArgumentError(
            "set_num_threads", "n", got=number, expected=f"a number from 1 to {MOST_THREADS}"
        )
    _number = number


def choose_from_environment() -> None:
    """Follow TINYDL_NUM_THREADS, or use one thread for each processor this process may use."""
    wanted = os.environ.get("TINYDL_NUM_THREADS")
    if not wanted:
        set_num_threads(min(_processors(), MOST_THREADS))
        return
    try:
        number = int(wanted)
    except ValueError:
        raise ArgumentError(
            "tinydl", "TINYDL_NUM_THREADS", got=repr(wanted), expected="a whole number"
        ) from None
    set_num_threads(number)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


choose_from_environment()
