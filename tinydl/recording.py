"""Whether ops are recorded, and whether NumPy warns: two switches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial, wraps
from typing import Any

import numpy as np


class Mode(threading.local):
    """The switch; it is turned by the functions below.

    Attributes
    ----------
    recording : bool
        Whether ops are recorded.
    observer : object or None
        Who is told of each gradient and each change of a weight; see `tinydl.explain`.
    """

    recording = True
    observer: Any = None


mode = Mode()


def _numpys_switch() -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Two functions: one turns NumPy's warnings off and gives a token, one takes it back.

    ``np.errstate`` takes 0.9 microseconds, as long as the rest of a small op. What it does is to
    set a context variable of NumPy; to set that one directly takes a sixth of the time.
    """
    before = copy_context()
    with np.errstate(all="ignore"):
        within = copy_context()
    changed = [variable for variable in within if within[variable] is not before.get(variable)]
    if len(changed) != 1:
        return lambda: np.seterr(all="ignore"), lambda token: np.seterr(**token)
    (variable,) = changed
    return partial(variable.set, within[variable]), variable.reset


silence, unsilence = _numpys_switch()


class recording_is:
    """Record, or do not, until the end of the context, or in the function so decorated."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __enter__(self) -> None:
        self._before, mode.recording = mode.recording, self._on

    def __exit__(self, *error: object) -> None:
        mode.recording = self._before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function."""

        @wraps(function)
        def decorated(*arguments: Any, **settings: Any) -> Any:
            with recording_is(self._on):
                return function(*arguments, **settings)

        return decorated


class quiet:
    """Let inf and nan be values, not NumPy warnings; every op computes so.

    Examples
    --------
    >>> with quiet():
    ...     print(np.float32(1) / np.float32(0))
    inf
    """

    def __enter__(self) -> None:
        self._token = silence()

    def __exit__(self, *error: object) -> None:
        unsilence(self._token)


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
