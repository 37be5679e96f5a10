"""Weights, a bias and a relu in one go: what dense and convolutional layers are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinydl import kernels
from tinydl.engine import Op, Tensor
from tinydl.fused import Step, fused, in_turn
from tinydl.ops.arithmetic import Add
from tinydl.ops.rectifier import Relu
from tinydl.recording import quiet

ADD, RELU = Add(), Relu()


def weighted(
    op: Any,
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
    steps = layer_steps(op, x, w, b, relu)
    if not of_one_dtype(x, w, b):
        return in_turn(steps)
    op.check(x.data, w.data)
    with quiet():
        y = kernel(x.data, w.data, b.data, relu)

    def gradients(y_bar: Tensor, needed: set[int]) -> Iterator[tuple[Tensor, Tensor]]:
        g = kernels.relu_gradient(y_bar.data, y) if relu else y_bar.data
        if id(b) in needed:
            rows = g.reshape(math.prod(g.shape[:-1]), g.shape[-1])
            yield b, Tensor(kernels.sum_rows(rows))
        if id(w) in needed:
            yield w, Tensor(op.kernel_gradient(g, x.data, w.data))
        if id(x) in needed:
            yield x, Tensor(op.input_gradient(g, x.data, w.data))

    return fused(steps, y, gradients)


def layer_steps(op: Op, x: Tensor, w: Tensor, b: Tensor, relu: bool) -> list[Step]:
    """The ops of a layer: the product, the sum, and the positive part if `relu`."""
    steps: list[Step] = [(op, (x, w)), (ADD, (b,)), (RELU, ())]
    return steps if relu else steps[:2]


def of_one_dtype(*tensors: Tensor) -> bool:
    """Whether all have the same dtype, and one in which many numbers can be added up."""
    dtype = tensors[0].data.dtype
    return dtype.itemsize >= 4 and all(t.data.dtype == dtype for t in tensors)
