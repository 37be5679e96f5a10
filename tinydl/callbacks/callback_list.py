"""Several callbacks that act as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

from tinydl.callbacks.callback import HOOKS, Callback
from tinydl.errors import ArgumentError


class CallbackList(Callback):
    """Calls each hook of several callbacks, in order; where logs are left out, they get ``{}``.

    Parameters
    ----------
    callbacks : iterable of Callback
        Called in this order.

    Raises
    ------
    ArgumentError
        When one of them is not a `Callback`.

    Examples
    --------
    >>> from tinydl.callbacks import LambdaCallback
    >>> say = lambda epoch, logs: print("epoch", epoch)
    >>> callbacks = CallbackList([LambdaCallback(on_epoch_begin=say)])
    >>> callbacks.on_epoch_begin(0)
    epoch 0
    """

    def __init__(self, callbacks: Iterable[Callback]) -> None:
        super().__init__()
        self.callbacks = list(callbacks)
        for position, callback in enumerate(self.callbacks):
            if not isinstance(callback, Callback):
                raise ArgumentError(
                    "fit",
                    f"callbacks[{position}]",
                    got=repr(callback),
                    expected="a Callback",
                    hint="make an instance: EarlyStopping(), not EarlyStopping"
                    if isinstance(callback, type)
                    else "",
                )

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell all of them how long the work is going to be."""
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tell all of them which model is at work."""
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)


def _calls_each(hook: str) -> Callable[..., None]:
    expected = len(signature(getattr(Callback, hook)).parameters) - 1  # self is not passed

    def call(self: CallbackList, *arguments: Any) -> None:
        if len(arguments) < expected:
            arguments = (*arguments, {})
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)

    call.__doc__ = getattr(Callback, hook).__doc__
    return call


for _hook in HOOKS:
    setattr(CallbackList, _hook, _calls_each(_hook))
