"""Several ops computed at once, and recorded one by one for whoever looks.

A layer is f(x * w + b): three ops with three formulas and three gradient rules. Computed in turn
they write and read the largest arrays of a network three times over. `fused` notes that one kernel
has computed the last result, of which ops it is the result, and a shortcut back to their inputs.
The tensors in between are made when somebody asks for them: for `y.inputs`, for a graph of the
gradients, for a story. They know their op and their inputs, compute their values if these are asked
for, too, and the walk back then goes op by op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np

from tinydl.op import Op
from tinydl.recording import mode
from tinydl.tensor import Tensor, next_serial_number

Step = tuple[Op, tuple[Tensor, ...]]
Gradients = Callable[[Tensor, set[int]], Iterable[tuple[Tensor, Tensor]]]


class Shortcut:
    """A way back from the last result of several ops, past the tensors in between.

    Attributes
    ----------
    inputs : list of Tensor
        Where it leads: what the ops were applied to, except for each other's results.
    arrays_read : list of numpy.ndarray
        Their arrays at that time.
    gradients : callable
        See `fused`.
    """

    __slots__ = (
        "_numbers_between",
        "_shape_between",
        "_steps",
        "arrays_read",
        "gradients",
        "inputs",
    )

    def __init__(
        self,
        steps: Sequence[Step],
        inputs: list[Tensor],
        gradients: Gradients,
        shape_between: tuple[int, ...],
    ) -> None:
        self.inputs = inputs
        self.arrays_read = [x.data for x in inputs]
        self.gradients = gradients
        self._steps = steps
        self._shape_between = shape_between
        self._numbers_between = [next_serial_number() for _ in steps[1:]]

    def give_way(self, y: Tensor) -> None:
        """Make the tensors in between: y gets its inputs, and loses this shortcut."""
        between = unread(self._shape_between, y.data.dtype)
        arrays = iter(self.arrays_read)
        former: tuple[Tensor, ...] = ()
        for (op, others), number in zip(self._steps, [*self._numbers_between, None], strict=True):
            inputs = (*former, *others)
            read = (*(between for _ in former), *islice(arrays, len(others)))
            if number is None:
                y.inputs, y.arrays_read, y.shortcut = inputs, read, None
            else:
                former = (_without_values(op, inputs, read, between, number),)


def fused(
    steps: Sequence[Step],
    data: np.ndarray,
    gradients: Gradients,
    shape_between: tuple[int, ...] | None = None,
) -> Tensor:
    """Record ops, the last result of which is known.

    Parameters
    ----------
    steps : sequence of (Op, tuple of Tensor)
        Each op with its inputs; all but the first op have, before these, the result of the op
        before them as an input. All results have one dtype.
    data : ndarray
        The last result.
    gradients : callable
        Takes the gradient of the last result, and the ids of the tensors that need theirs; gives
        each of these with what arrives there, of the tensor's dtype and shape.
    shape_between : tuple of int, optional
        The shape of the results before the last one; by default that of the last one.

    Returns
    -------
    Tensor
        The last result.

    Examples
    --------
    >>> from tinydl import tensor
    >>> from tinydl.ops.arithmetic import Add, Multiply
    >>> a, x, b = tensor(2.0), tensor(3.0, requires_grad=True), tensor(1.0)
    >>> def gradients(y_bar, needed):
    ...     yield x, y_bar * a
    >>> y = fused([(Multiply(), (a, x)), (Add(), (b,))], a.data * x.data + b.data, gradients)
    >>> y
    tensor(7., op=add)
    >>> y.inputs
    (tensor(6., op=multiply), tensor(1.))
    """
    if mode.observer is not None:  # who wants to see each of them
        return in_turn(steps)
    inputs = [x for _, others in steps for x in others]
    if not (mode.recording and any(x.requires_grad for x in inputs)):
        return Tensor(data)
    shortcut = Shortcut(steps, inputs, gradients, shape_between or data.shape)
    y = Tensor(data, True, None, steps[-1][0])
    del y.inputs, y.arrays_read
    y.shortcut = shortcut
    return y


def in_turn(steps: Sequence[Step]) -> Tensor:
    """Apply the ops one after the other."""
    (first, inputs), *others = steps
    y = first(*inputs)
    for op, inputs in others:
        y = op(y, *inputs)
    return y


def _without_values(
    op: Op,
    inputs: tuple[Tensor, ...],
    arrays_read: tuple[np.ndarray, ...],
    unread: np.ndarray,
    serial_number: int,
) -> Tensor:
    leads_back = any(x.requires_grad for x in inputs)
    result = Tensor(unread, leads_back, None, op, inputs, arrays_read)
    del result.data
    result.serial_number = serial_number
    return result


@lru_cache(maxsize=256)
def unread(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of this shape that takes no memory, for an input whose values nobody has read."""
    return np.broadcast_to(np.zeros((), dtype), shape)
