"""Whether ops are recorded, and whether NumPy warns: two switches, each thread with its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


class Mode(threading.local):
    """The switches; they are turned by the functions below."""

    recording = True
    quiet = False


mode = Mode()


@contextmanager
def recording_is(on: bool) -> Iterator[None]:
    """Record, or do not, until the end of the context."""
    before, mode.recording = mode.recording, on
    try:
        yield
    finally:
        mode.recording = before


@contextmanager
def quiet() -> Iterator[None]:
    """Let inf and nan be values, not NumPy warnings; every op runs so, around many it is cheaper.

    Examples
    --------
    >>> with quiet():
    ...     print(np.float32(1) / np.float32(0))
    inf
    """
    before, mode.quiet = mode.quiet, True
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        mode.quiet = before


def no_grad() -> Any:
    """Do not record: a context manager, and a decorator.

    Examples
    --------
    >>> from tinydl import tensor
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = w * 3.0
    >>> y.requires_grad
    False
    """
    return recording_is(False)


def enable_grad() -> Any:
    """Record, also inside of `no_grad`: a context manager, and a decorator.

    Examples
    --------
    >>> from tinydl import tensor
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad(), enable_grad():
    ...     y = w * 3.0
    >>> y.requires_grad
    True
    """
    return recording_is(True)


def is_grad_enabled() -> bool:
    """Whether ops are recorded here and now.

    Examples
    --------
    >>> with no_grad():
    ...     print(is_grad_enabled())
    False
    """
    return mode.recording
