"""How many threads the C kernels may use. (NumPy's own threads are not ours to set.)"""

from __future__ import annotations

import os
from operator import index

from tinydl.errors import ArgumentError, DTypeError

MOST_THREADS = 1024

_number = 1
_forked = False


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
        If `n` is out of range, or more than 1 in a forked process, where the threads of the
        parent are gone and those of the C library cannot be started anew.

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
    if _forked and number > 1:
        raise ArgumentError(
            "set_num_threads",
            "n",
            got=number,
            expected="1 in a forked process",
            hint="start processes by multiprocessing's 'spawn' to use threads in them",
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


def _use_one_thread_in_the_child() -> None:
    global _number, _forked
    _number, _forked = 1, True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_use_one_thread_in_the_child)

choose_from_environment()
