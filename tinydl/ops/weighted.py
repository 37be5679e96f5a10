"""Weights, a bias and a relu in one go: what dense and convolutional layers are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinydl.engine import Op, Tensor
from tinydl.fused import fused
from tinydl.ops.arithmetic import Add
from tinydl.ops.rectifier import Relu

ADD, RELU = Add(), Relu()


def weighted(
    op: Op,
    kernel: Callable[[np.ndarray, np.ndarray, np.ndarray, bool], np.ndarray],
    x: Tensor,
    w: Tensor,
    b: Tensor,
    relu: bool,
) -> Tensor:
    """The op on x and w, plus b, and the positive part of that if `relu`: one kernel, all recorded.

    Examples
    --------
    >>> from tinydl import kernels, tensor
    >>> from tinydl.ops.matmul import Matmul
    >>> x, w, b = tensor([[1.0, 2.0]]), tensor([[1.0], [1.0]]), tensor([-9.0])
    >>> weighted(Matmul(), kernels.dense_layer, x, w, b, relu=True)
    tensor([[0.]])
    """
    if not x.dtype == w.dtype == b.dtype:
        y = ADD(op(x, w), b)
        return RELU(y) if relu else y
    steps = [(op, (x, w)), (ADD, (b,)), (RELU, ())]
    return fused(steps if relu else steps[:2], lambda: kernel(x.data, w.data, b.data, relu))
