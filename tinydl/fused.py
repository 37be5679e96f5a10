"""Several ops computed at once, and recorded one by one.

A layer is f(x * w + b): three ops with three formulas and three gradient rules. Computed in turn
they write and read the largest arrays of a network three times over. `fused` leaves the computing
to one kernel, and records the three ops all the same: the tensors in between know their op and
their inputs, and compute their values if somebody asks for them. The rules of these ops do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from tinydl.op import Op
from tinydl.recording import mode, quiet
from tinydl.tensor import Tensor

Step = tuple[Op, tuple[Tensor, ...]]


def fused(steps: Sequence[Step], compute: Callable[[], np.ndarray]) -> Tensor:
    """Apply ops one after the other, by a function that computes the last result at once.

    Parameters
    ----------
    steps : sequence of (Op, tuple of Tensor)
        Each op with its inputs; all but the first op have, before these, the result of the op
        before them as an input. All results have the shape and dtype of the last one.
    compute : callable
        Returns the last result.

    Returns
    -------
    Tensor

    Examples
    --------
    >>> from tinydl import tensor
    >>> from tinydl.ops.arithmetic import Add, Multiply
    >>> a, x, b = tensor(2.0), tensor(3.0, requires_grad=True), tensor(1.0)
    >>> y = fused([(Multiply(), (a, x)), (Add(), (b,))], lambda: a.data * x.data + b.data)
    >>> y
    tensor(7., op=add)
    >>> y.inputs
    (tensor(6., op=multiply), tensor(1.))
    """
    first, inputs = steps[0]
    first.check(*[x.data for x in inputs])
    with quiet():
        data = np.asarray(compute())
    if not (mode.recording and any(x.requires_grad for _, inputs in steps for x in inputs)):
        return Tensor(data)
    unread = _unread(data.shape, data.dtype)
    y: Tensor | None = None
    for op, others in steps:
        inputs = others if y is None else (y, *others)
        arrays = tuple([unread if x is y else x.data for x in inputs])
        y = Tensor(data, any(x.requires_grad for x in inputs), None, op, inputs, arrays)
        del y.data
    assert y is not None
    y.data = data
    return y


@lru_cache(maxsize=256)
def _unread(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of this shape that takes no memory, for an input whose values nobody has read."""
    return np.broadcast_to(np.zeros((), dtype), shape)
