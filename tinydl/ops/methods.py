"""The methods and operators of `Tensor`: most are ops as they are, a few take other arguments."""

from __future__ import annotations

from typing import Any

from tinydl.engine import Op, Tensor
from tinydl.ops.diagonal import diagonal, trace
from tinydl.ops.elementwise import Cast
from tinydl.ops.functions import Function, method_of
from tinydl.ops.products import dot
from tinydl.ops.shape import Reshape, Transpose, ravel, swapaxes

REFLECTED = (
    *("__add__", "__sub__", "__mul__", "__matmul__", "__truediv__", "__floordiv__", "__mod__"),
    *("__pow__", "__and__", "__or__", "__xor__"),
)


def install_methods() -> None:
    """Give `Tensor` the methods that the ops declare, and those below."""
    for op_class in Op.registry.values():
        for method in op_class.methods:
            unswapped = method_of(op_class)
            setattr(Tensor, method, unswapped)
            if method in REFLECTED:
                setattr(Tensor, method.replace("__", "__r", 1), _swapped(unswapped))
    others = {
        "reshape": reshape,
        "transpose": transpose,
        "astype": astype,
        "diagonal": diagonal,
        "dot": dot,
        "flatten": ravel,
        "ravel": ravel,
        "swapaxes": swapaxes,
        "trace": trace,
        "T": property(reverse_axes),
        "mT": property(swap_last_axes),
    }
    for name, method_or_property in others.items():
        setattr(Tensor, name, method_or_property)


def _swapped(function: Function) -> Function:
    def reflected(self: Tensor, other: Any) -> Tensor:
        return function(other, self)

    return reflected


def _one_or_many(numbers: tuple[Any, ...]) -> Any:
    return numbers[0] if len(numbers) == 1 and not isinstance(numbers[0], int) else numbers


def reshape(self: Tensor, *newshape: Any) -> Tensor:
    """The same elements under another shape: ``x.reshape(2, 3)`` or ``x.reshape((2, 3))``."""
    return Reshape(_one_or_many(newshape))(self)


def transpose(self: Tensor, *axes: Any) -> Tensor:
    """Another order of the axes: ``x.transpose(1, 0)``, ``x.transpose((1, 0))``, or reversed."""
    return Transpose(_one_or_many(axes) if axes else None)(self)


def astype(self: Tensor, dtype: Any) -> Tensor:
    """The same numbers as another dtype."""
    return self if self.dtype == dtype else Cast(dtype)(self)


def reverse_axes(self: Tensor) -> Tensor:
    """The tensor with its axes in reverse order."""
    return Transpose()(self)


def swap_last_axes(self: Tensor) -> Tensor:
    """The tensor with its last two axes exchanged: the transpose of each matrix in it."""
    if self.ndim == 2:
        return Transpose()(self)
    return Transpose((*range(self.ndim - 2), self.ndim - 1, self.ndim - 2))(self)
