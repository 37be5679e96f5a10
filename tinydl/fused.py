"""Several ops computed at once, and recorded one by one.

A layer is f(x * w + b): three ops with three formulas and three gradient rules. Computed in turn
they write and read the largest arrays of a network three times over. `fused` records the three ops
after one kernel has computed the last result: the tensors in between know their op and their
inputs, and compute their values if somebody asks for them. The rules of these ops do not.

What was computed at once may know a shortcut back, too, past the tensors in between. The engine
takes it unless somebody wants to see what comes by: a gradient in between, a graph of the
gradients, a story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tinydl.op import Op
from tinydl.recording import mode
from tinydl.tensor import Tensor

Step = tuple[Op, tuple[Tensor, ...]]


class Shortcut(NamedTuple):
    """A way back from the last of several ops, past the tensors in between.

    Attributes
    ----------
    between : sequence of Tensor
        Those that no gradient is told of.
    gradients : callable
        Takes the gradient of the last result, and the ids of the tensors that need theirs; gives
        each of these with what arrives there, of the tensor's dtype and shape.
    """

    between: Sequence[Tensor]
    gradients: Callable[[Tensor, set[int]], Iterable[tuple[Tensor, Tensor]]]

    def passes_by(self, wanted_ids: set[int]) -> bool:
        """Whether nobody wants a gradient in between."""
        return not any(id(t) in wanted_ids for t in self.between)


def fused(
    steps: Sequence[Step], data: np.ndarray, shape_between: tuple[int, ...] | None = None
) -> list[Tensor]:
    """Record ops, the last result of which is known.

    Parameters
    ----------
    steps : sequence of (Op, tuple of Tensor)
        Each op with its inputs; all but the first op have, before these, the result of the op
        before them as an input. All results have one dtype.
    data : ndarray
        The last result.
    shape_between : tuple of int, optional
        The shape of the results before the last one; by default that of the last one.

    Returns
    -------
    list of Tensor
        The result of each step; only of the last one if nothing is recorded.

    Examples
    --------
    >>> from tinydl import tensor
    >>> from tinydl.ops.arithmetic import Add, Multiply
    >>> a, x, b = tensor(2.0), tensor(3.0, requires_grad=True), tensor(1.0)
    >>> product, y = fused([(Multiply(), (a, x)), (Add(), (b,))], a.data * x.data + b.data)
    >>> product, y
    (tensor(6., op=multiply), tensor(7., op=add))
    >>> y.inputs
    (tensor(6., op=multiply), tensor(1.))
    """
    if not (mode.recording and any(x.requires_grad for _, inputs in steps for x in inputs)):
        return [Tensor(data)]
    between = unread(data.shape if shape_between is None else shape_between, data.dtype)
    results: list[Tensor] = []
    leads_back = False
    for op, inputs in steps:
        arrays = [x.data for x in inputs]
        for x in inputs:
            leads_back = leads_back or x.requires_grad
        if results:
            inputs, arrays = (results[-1], *inputs), [between, *arrays]
        y = Tensor(data, leads_back, None, op, inputs, tuple(arrays))
        del y.data
        results.append(y)
    y.data = data
    return results


@lru_cache(maxsize=256)
def unread(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of this shape that takes no memory, for an input whose values nobody has read."""
    return np.broadcast_to(np.zeros((), dtype), shape)
