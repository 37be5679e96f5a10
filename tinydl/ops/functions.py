"""Turn op classes into functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache, update_wrapper
from typing import Any

from tinydl.engine import Op, Tensor
from tinydl.errors import DTypeError

Function = Callable[..., Tensor]


def function_of(op_class: type[Op]) -> Function:
    """The op as a function: its inputs, then its settings.

    An op whose arguments come in another order brings its own, as a static method `function`.

    Examples
    --------
    >>> from tinydl.ops.softmax import Softmax
    >>> inspect.signature(function_of(Softmax))
    <Signature (x, axis=-1)>
    """
    function = getattr(op_class, "function", None) or _inputs_then_settings(op_class)
    function.__name__ = function.__qualname__ = op_class.name
    function.__module__ = op_class.__module__
    function.__doc__ = _documentation(op_class)
    return function


def _inputs_then_settings(op_class: type[Op]) -> Function:
    count = len(op_class.input_names)
    starred = op_class.input_names[0].startswith("*")
    signature = _signature(op_class)
    settings_of_op = list(signature.parameters.values())[count:]
    # Ops do not change, so one with its settings left out serves every call.
    has_defaults = all(p.default is not p.empty for p in settings_of_op)
    shared = op_class() if has_defaults else None

    def function(*arguments: Any, **settings: Any) -> Tensor:
        if shared is not None and len(arguments) == count and not settings and not starred:
            return shared(*arguments)
        if not settings_of_op or len(arguments) < count:  # inputs by name, or a wrong call
            bound = signature.bind(*arguments, **settings)
            bound.apply_defaults()
            arguments, settings = bound.args, {}
        op = op_class(*arguments[count:], **settings)
        if starred and not isinstance(arguments[0], Iterable):
            raise DTypeError(
                op_class.name,
                op_class.input_names[0].lstrip("*"),
                got=arguments[0],
                expected="a sequence of tensors",
            )
        return op(*(arguments[0] if starred else arguments[:count]))

    function.__signature__ = signature  # type: ignore[attr-defined]  # what help() shows
    return function


def method_of(op_class: type[Op]) -> Function:
    """The op as a method or an operator of `Tensor`: those called most take the shortest way.

    Examples
    --------
    >>> from tinydl.ops.arithmetic import Add
    >>> method_of(Add)(1.0, 2.0)
    tensor(3.)
    """
    function = function_of(op_class)
    if _signature(op_class).parameters.keys() != set(op_class.input_names):
        return function
    apply = op_class().__call__
    if len(op_class.input_names) == 1:
        return update_wrapper(lambda self: apply(self), function)
    if len(op_class.input_names) == 2:
        return update_wrapper(lambda self, other: apply(self, other), function)
    return function


def _signature(op_class: type[Op]) -> inspect.Signature:
    inputs = [
        inspect.Parameter(name.lstrip("*"), inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for name in op_class.input_names
    ]
    return inspect.Signature([*inputs, *_settings(op_class.__init__)])


@cache
def _settings(init: Callable[..., None]) -> tuple[inspect.Parameter, ...]:
    """The parameters of an ``__init__`` but for self; many ops share one, and most have none."""
    if init is object.__init__:
        return ()
    settings = list(inspect.signature(init).parameters.values())[1:]
    return tuple(setting.replace(annotation=inspect.Parameter.empty) for setting in settings)


def _documentation(op_class: type[Op]) -> str:
    """The docstring of the class, followed by what the class knows of its mathematics."""
    gradients = [f".. math:: {r.formula}" for r in op_class.rules if r is not None]  # type: ignore[attr-defined]
    parts = [
        inspect.getdoc(op_class) or "",
        f"Notes\n-----\n.. math:: {op_class.formula}",
        *(["Gradients (a bar marks the gradient of the loss):", *gradients] if gradients else []),
        f"Not differentiable at {op_class.kinks}." if op_class.kinks else "",
    ]
    return "\n\n".join(part for part in parts if part)
