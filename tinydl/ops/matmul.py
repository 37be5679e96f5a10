"""The matrix product, the work horse of every dense layer."""

from __future__ import annotations

import math

from tinydl import kernels
from tinydl.engine import Op, rule
from tinydl.errors import ShapeError
from tinydl.ops.weighted import weighted


class Matmul(Op):
    """The matrix product of the last two axes; leading axes broadcast.

    Parameters
    ----------
    x1 : array_like, shape (..., M, K)
        A single axis (K,) counts as a row; the axis M is then missing from the result.
    x2 : array_like, shape (..., K, N)
        A single axis (K,) counts as a column; the axis N is then missing from the result.

    Returns
    -------
    Tensor, shape (..., M, N)

    Raises
    ------
    ShapeError
        When the lengths K differ, or the leading axes do not broadcast.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.matmul([[1.0, 2.0], [3.0, 4.0]], [[1.0], [10.0]])
    tensor([[21.],
            [43.]])
    """

    input_names = ("x1", "x2")
    formula = r"y_{ij} = \sum_k a_{ik} b_{kj}"
    broadcasts = True
    linear_in = ("x1", "x2")
    methods = ("__matmul__",)
    literal = staticmethod(kernels.literal.matmul)

    def __call__(self, x1, x2):
        """Apply to matrices; a single axis is first made a row or a column."""
        x1, x2 = self._as_tensors((x1, x2))
        _check_lengths(x1, x2)
        if x1.ndim > 1 and x2.ndim > 1:
            return super().__call__(x1, x2)
        row = x1.reshape((1, -1)) if x1.ndim == 1 else x1
        column = x2.reshape((-1, 1)) if x2.ndim == 1 else x2
        y = super().__call__(row, column)
        if x1.ndim == 1:
            y = y.squeeze(-2)
        return y.squeeze(-1) if x2.ndim == 1 else y

    def forward(self, x1, x2):
        return kernels.matmul(x1, x2)

    def with_bias(self, x1, x2, bias, relu):
        """x1 @ x2 + bias, or the positive part of it, in one go; x2 is a single matrix."""
        return weighted(self, kernels.dense_layer, x1, x2, bias, relu)

    @rule(r"\bar a_{ik} = \sum_j \bar y_{ij} b_{kj}")
    def x1(self, y_bar, y, x1, x2):
        return y_bar @ x2.mT

    @rule(r"\bar b_{kj} = \sum_i a_{ik} \bar y_{ij}")
    def x2(self, y_bar, y, x1, x2):
        return x1.mT @ y_bar

    def input_gradient(self, g, x, w):
        """The first rule for a layer's arrays."""
        return kernels.matmul(g, w.T)

    def kernel_gradient(self, g, x, w):
        """The second rule for a layer's arrays; what leading axes count are rows, too."""
        rows = math.prod(x.shape[:-1])
        return kernels.matmul(x.reshape(rows, x.shape[-1]).T, g.reshape(rows, g.shape[-1]))

    @classmethod
    def examples(cls, rng):
        """Plain, broadcast over leading axes, a single number wide, and an empty sum."""
        shapes = [
            ((3, 4), (4, 2)),
            ((2, 3, 4), (4, 5)),
            ((2, 1, 3, 2), (3, 2, 2)),
            ((1, 1), (1, 1)),
        ]
        for a, b in (*shapes, ((2, 0), (0, 3))):
            yield cls(), (rng.normal(size=a), rng.normal(size=b))


def _check_lengths(x1, x2):
    for name, x in (("x1", x1), ("x2", x2)):
        if x.ndim == 0:
            raise ShapeError(
                "matmul", name, got="a single number", expected="at least one axis", hint="use *"
            )
    k = x1.shape[-1]
    if x2.shape[-2:][0] != k:
        raise ShapeError(
            "matmul",
            "x2",
            got=x2.shape,
            expected=f"({k},)" if x2.ndim == 1 else f"(..., {k}, any)",
            hint=f"x1 is {x1.shape}, and its last length must be the "
            f"{'only one' if x2.ndim == 1 else 'last but one'} of x2",
        )
