"""Callbacks for one-liners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinydl.callbacks.callback import HOOKS, Callback
from tinydl.errors import unknown_name


class LambdaCallback(Callback):
    """A callback made of functions.

    Parameters
    ----------
    **hooks : callable
        Functions by the name of the hook they fill, with that hook's arguments, such as
        ``on_epoch_end=lambda epoch, logs: print(logs["loss"])``.

    Raises
    ------
    ArgumentError
        When there is no hook of that name.

    Examples
    --------
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> callback.on_epoch_end(3, {"loss": 0.25})
    3 0.25
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        super().__init__()
        for name, function in hooks.items():
            if name not in HOOKS:
                raise unknown_name("LambdaCallback", "the hook", name, HOOKS)
            if function is not None:
                setattr(self, name, function)
