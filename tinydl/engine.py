r"""The engine: tensors that remember how they were made, and the chain rule that walks back.

A `Tensor` is a NumPy array together with the op that made it and that op's inputs. Following the
inputs from a result leads through everything it was computed from: that is the graph, there is no
other. An `Op` is a formula with two readings: `forward` (arrays in, an array out) and one gradient
rule for each input (tensors in, a tensor out).

Let :math:`L` be a scalar, and write :math:`\bar t = \partial L / \partial t`. For :math:`y = f(x)`
a rule turns :math:`\bar y` into :math:`\bar x`, and a tensor that was used several times adds up
what arrives by each use:

.. math:: \bar x_i = \sum_{y \text{ made from } x} \sum_j \bar y_j \frac{\partial y_j}{\partial x_i}

`backpropagate` does just that, last tensor first. Rules are written in tensor operations, so with
``create_graph=True`` the gradient is itself recorded and can be differentiated again, to any order.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from tinydl.errors import GradientError, ShapeError
from tinydl.op import Op, floats_among_whole_numbers, rule, sum_to
from tinydl.recording import enable_grad, is_grad_enabled, mode, no_grad, quiet, recording_is
from tinydl.tensor import DEFAULT_DTYPE, Tensor, tensor

if TYPE_CHECKING:
    from tinydl.fused import Shortcut

__all__ = [
    "DEFAULT_DTYPE",
    "Op",
    "Tensor",
    "backpropagate",
    "backward",
    "enable_grad",
    "floats_among_whole_numbers",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "quiet",
    "rule",
    "sum_to",
    "tensor",
    "topological_order",
]


def topological_order(outputs: Iterable[Tensor], op_by_op: bool = False) -> list[Tensor]:
    """Every tensor that requires a gradient and leads to `outputs`, inputs before results.

    Without those that shortcuts pass by, unless it has to be op by op.
    """
    found = {id(y): y for y in outputs}
    to_visit = list(found.values())
    while to_visit:
        y = to_visit.pop()
        shortcut = None if op_by_op else y.shortcut
        for x in y.inputs if shortcut is None else shortcut.inputs:
            if x.requires_grad and id(x) not in found:
                found[id(x)] = x
                to_visit.append(x)
    return sorted(found.values(), key=attrgetter("serial_number"))


def backpropagate(
    outputs: Sequence[Tensor],
    output_gradients: Sequence[Any],
    order: list[Tensor],
    wanted: Iterable[Tensor],
    create_graph: bool,
) -> dict[int, Tensor]:
    """Walk `order` back from `outputs`; return the complete gradients of `wanted`, by id.

    The chain rule is this one loop. It changes nothing of the caller's but `order`, which it eats
    up, so that what nobody else holds is freed on the way. Gradients live in a table of its own,
    and an entry goes as soon as it has been passed on.
    """
    wanted_ids = {id(x) for x in wanted}
    needed = _leading_to(wanted_ids, order)
    shortcuts = {id(y): y.shortcut for y in order if y.shortcut is not None}  # a rule may open one
    observer = mode.observer
    if observer is not None:  # it is shown all gradients, also those in between
        wanted_ids, walked = needed, list(order)
    gradient_of: dict[int, Tensor] = {}
    found: dict[int, Tensor] = {}

    def arrive(x: Tensor, x_bar: Tensor) -> None:
        so_far = gradient_of.get(id(x))
        gradient_of[id(x)] = x_bar if so_far is None else so_far + x_bar

    with recording_is(create_graph), quiet():
        for y, seed in zip(outputs, _seeds(outputs, output_gradients), strict=True):
            arrive(y, seed)
        while order:
            y = order.pop()
            shortcut = shortcuts.pop(id(y), None)
            y_bar = gradient_of.pop(id(y), None)
            if y_bar is None:
                continue
            if id(y) in wanted_ids:
                found[id(y)] = y_bar
            if y.op is None:
                continue
            _refuse_changed_inputs(y, shortcut or y)
            if shortcut is not None:
                for x, passed_on in shortcut.gradients(y_bar, needed):
                    arrive(x, passed_on)
                continue
            for position, x in enumerate(y.inputs):
                if x.requires_grad and id(x) in needed:
                    x_bar = y.op.gradient(position, y_bar, y)
                    if x_bar is not None:
                        arrive(x, x_bar)
    if observer is not None:
        observer.saw_gradients(outputs, output_gradients, walked, found)
    return found


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """The gradients of `outputs` with respect to `inputs`; nothing is stored anywhere.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
        What to differentiate; several outputs are added up.
    inputs : Tensor or sequence of Tensor
        With respect to what.
    grad_outputs : array_like or sequence, optional
        What arrives from above, one for each output; ones for single numbers by default.
    create_graph : bool
        Record the computation of the gradient, so that it can be differentiated again.
    allow_unused : bool
        Return None for inputs the outputs do not depend on, instead of raising.

    Returns
    -------
    Tensor or list of Tensor
        One for each input; a single one if `inputs` is a single tensor.

    Raises
    ------
    GradientError
        When an input does not require a gradient or does not lead to the outputs.

    Examples
    --------
    The third derivative of x**3:

    >>> x = tensor(2.0, requires_grad=True)
    >>> first = grad(x**3, x, create_graph=True)
    >>> second = grad(first, x, create_graph=True)
    >>> first.item(), second.item(), grad(second, x).item()
    (12.0, 12.0, 6.0)
    """
    ys = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    y_bars = [grad_outputs] if isinstance(outputs, Tensor) else grad_outputs or [None] * len(ys)
    for position, x in enumerate(xs):
        if not x.requires_grad:
            raise GradientError(
                "grad",
                f"inputs[{position}] does not require a gradient",
                hint="make it with tinydl.tensor(..., requires_grad=True)",
            )
    order = topological_order(ys, op_by_op=create_graph or mode.observer is not None)
    found = backpropagate(ys, y_bars, order, xs, create_graph)
    gradients = [found.get(id(x)) for x in xs]
    unused = [position for position, x_bar in enumerate(gradients) if x_bar is None]
    if unused and not allow_unused:
        raise GradientError(
            "grad",
            f"the outputs do not depend on inputs {unused}",
            hint="pass allow_unused=True to get None for those",
        )
    return gradients[0] if isinstance(inputs, Tensor) else gradients


def backward(self: Tensor, gradient: Any = None, create_graph: bool = False) -> None:
    """Add the gradient of this tensor to ``.grad`` of every leaf it was computed from.

    Parameters
    ----------
    gradient : array_like, optional
        What arrives from above, of this tensor's shape; may be left out for a single number.
    create_graph : bool
        Record the backward computation, so that it can be differentiated again.

    Examples
    --------
    >>> w = tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4., 6.])
    """
    order = topological_order([self], op_by_op=create_graph or mode.observer is not None)
    wanted = [x for x in order if x.is_leaf or x.retains_grad]
    found = backpropagate([self], [gradient], order, wanted, create_graph)
    with recording_is(create_graph):
        for x in wanted:
            x_bar = found.get(id(x))
            if x_bar is not None:
                x_bar = x_bar if create_graph else x_bar.detach()
                x.grad = x_bar if x.grad is None else x.grad + x_bar


Tensor.backward = backward  # a tensor itself knows nothing of the walk


def _leading_to(wanted_ids: set[int], order: Sequence[Tensor]) -> set[int]:
    """The ids of the tensors in `order` through which a gradient reaches one of those wanted."""
    needed = set(wanted_ids)
    for y in order:
        for x in y.inputs if y.shortcut is None else y.shortcut.inputs:
            if id(x) in needed:
                needed.add(id(y))
                break
    return needed


def _seeds(outputs: Sequence[Tensor], output_gradients: Sequence[Any]) -> Iterator[Tensor]:
    """The gradients to start from: those given, or 1 for outputs that are a single number."""
    if len(output_gradients) != len(outputs):
        raise GradientError(
            "grad", "the number of grad_outputs", got=len(output_gradients), expected=len(outputs)
        )
    for y, y_bar in zip(outputs, output_gradients, strict=True):
        if not y.requires_grad:
            raise GradientError(
                "backward",
                "the tensor does not depend on anything that requires a gradient",
                hint="make the inputs with requires_grad=True, and do not compute under no_grad()",
            )
        if y_bar is None and y.size != 1:
            raise GradientError(
                "backward",
                "the tensor",
                got=f"of shape {y.shape}",
                expected="a single number",
                hint="reduce it with sum() or mean(), or pass the gradient that arrives from above",
            )
        if y_bar is None:
            y_bar = Tensor(np.ones(y.shape, y.dtype))
        if not isinstance(y_bar, Tensor):
            y_bar = tensor(y_bar, dtype=y.dtype)
        if y_bar.shape != y.shape:
            raise ShapeError("backward", "gradient", got=y_bar.shape, expected=y.shape)
        yield y_bar


def _refuse_changed_inputs(y: Tensor, reader: Tensor | Shortcut) -> None:
    """Raise if an input was assigned another array after y's op, or one passed by, had read it."""
    for x, array in zip(reader.inputs, reader.arrays_read, strict=True):
        if x.op is None and x.data is not array:
            raise _changed_input(y)


def _changed_input(y: Tensor) -> GradientError:
    """The error, in the name of the op that had read the input."""
    while True:
        assert y.op is not None
        for position, (x, array) in enumerate(zip(y.inputs, y.arrays_read, strict=True)):
            if x.op is None and x.data is not array:
                name = y.op.input_name(position)
                called = f"{name} ({x.name})" if x.name else name
                return GradientError(
                    y.op.name,
                    f"its input {called} was assigned other values after the op had read it",
                    hint="call backward() before assign(), or compute the result again",
                )
        y = y.inputs[0]  # which a shortcut would have passed by
