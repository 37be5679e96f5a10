r"""Checkpointing: keep less for the backward pass, and compute it again when it is needed.

A chain of n ops keeps its n results until the gradient has come by. Cut into k pieces that each
forget their inside and compute it again, it keeps k results, and n / k more while one piece is on
its way back: for :math:`k = \sqrt n` that is :math:`2 \sqrt n` results instead of n, for the price
of one more forward pass.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 12; Chen et al.,
*Training Deep Nets with Sublinear Memory Cost*, arXiv:1604.06174.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import attrgetter
from typing import Any

import numpy as np

from tinydl.engine import Op, Tensor, backpropagate, enable_grad, is_grad_enabled, tensor
from tinydl.errors import DTypeError, GradientError
from tinydl.ops.elementwise import Cast

__all__ = ["checkpoint"]


def checkpoint(f: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that does what `f` does, but keeps only its result for the backward pass.

    What `f` computes on the way is forgotten, and computed again when a gradient arrives. The
    gradients are the same, to any order, also those of parameters that `f` uses without having them
    as arguments.

    Parameters
    ----------
    f : callable
        Returns one tensor, and the same one each time: random numbers must come from outside.

    Returns
    -------
    callable
        Takes what `f` takes.

    Raises
    ------
    GradientError
        In the backward pass, when `f` returns something else than before.

    Examples
    --------
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> y = checkpoint(lambda x: (w * x).tanh().sum())([0.0, 0.0])
    >>> y.backward()
    >>> y.item(), w.grad
    (0.0, tensor([0., 0.]))
    """

    @wraps(f)
    def forgetful(*arguments: Any, **settings: Any) -> Tensor:
        if not is_grad_enabled():
            return f(*arguments, **settings)

        def again() -> tuple[Tensor, list[Tensor], list[Tensor]]:
            return _watched(f, arguments, settings)

        y, _, used = again()
        if not used:
            return y
        arrays = tuple([x.data for x in used])
        hand_out = Tensor(y.data, True, None, _HandOut(), tuple(used), arrays)
        return Tensor(y.data, True, None, _ComputeAgain(again), (hand_out,), (y.data,))

    return forgetful


def _watched(
    f: Callable[..., Tensor], arguments: Any, settings: Any
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """The result of `f`, what it computed on the way, and what it computed that from, in order.

    What has a smaller serial number than a tensor made just before was there already; a leaf made
    on the way is a parameter that is there from now on.
    """
    start = tensor(0.0).serial_number

    def is_computed(x: Tensor) -> bool:
        return x.serial_number > start and not x.is_leaf

    y = f(*arguments, **settings)
    if not isinstance(y, Tensor):
        raise DTypeError("checkpoint", "the result of f", got=type(y).__name__, expected="a Tensor")
    if not is_computed(y):
        return y, [], []
    found, to_visit = {id(y): y}, [y]
    while to_visit:
        for x in to_visit.pop().inputs:
            if x.requires_grad and id(x) not in found:
                found[id(x)] = x
                if is_computed(x):
                    to_visit.append(x)
    in_order = sorted(found.values(), key=attrgetter("serial_number"))
    made = [x for x in in_order if is_computed(x)]
    return y, made, [x for x in in_order if not is_computed(x)]


class _Parcel(Tensor):
    """What arrives at the result, and with it what goes down to each tensor that `f` used."""

    __slots__ = ("gradients",)

    def __init__(self, y_bar: Tensor, gradients: list[Tensor | None]) -> None:
        super().__init__(y_bar.data)
        self.gradients = gradients


class _ComputeAgain(Op, abstract=True):
    """Compute `f` once more, and the gradients of all that it used in one go.

    The engine asks for the gradient of one input at a time. So that `f` is not computed once for
    each, this op has a single input, made by `_HandOut`, to which the gradients go in one parcel.
    """

    name = "checkpoint"
    input_names = ("x",)
    formula = r"y = x"

    def __init__(self, again: Callable[[], tuple[Tensor, list[Tensor], list[Tensor]]]) -> None:
        self._again = again

    def gradient(self, position: int, y_bar: Tensor, y: Tensor) -> Tensor:
        """The parcel of gradients."""
        create_graph, used_before = is_grad_enabled(), y.inputs[0].inputs
        with enable_grad():
            ends = [_end(x, create_graph) for x in used_before]
            y_again, made, used = self._again()
        if len(used) != len(ends) or not _same(y.data, y_again.data):
            raise GradientError(
                "checkpoint",
                "the function returned something else when it was computed again",
                hint="draw random numbers outside of it and pass them in, and call backward() "
                "before assign()",
            )
        end_of = {id(x): end for x, end in zip(used, ends, strict=True)}
        for x in made:
            x.inputs = tuple([end_of.get(id(one), one) for one in x.inputs])
        found = backpropagate([y_again], [y_bar], [*ends, *made], ends, create_graph)
        return _Parcel(y_bar, [found.get(id(end)) for end in ends])


class _HandOut(Op, abstract=True):
    """Give each tensor that `f` used its gradient out of the parcel."""

    name = "checkpoint"
    input_names = ("*used",)
    formula = r"y = f(x^{(1)}, x^{(2)}, \dots)"

    def gradient(self, position: int, y_bar: Tensor, y: Tensor) -> Tensor | None:
        """The gradient of the tensor at this position."""
        assert isinstance(y_bar, _Parcel)
        return y_bar.gradients[position]


def _end(x: Tensor, create_graph: bool) -> Tensor:
    """A node to stand for `x` at which the walk back through `f` ends; further on it is the same.

    The walk must not go on to where `x` came from: the engine will, with what arrives from here.
    """
    return Cast(x.dtype)(x) if create_graph else Tensor(x.data, requires_grad=True)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
