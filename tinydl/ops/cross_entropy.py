r"""Cross-entropy: how surprised the predicted probabilities are by what happened.

The textbook formula :math:`-\sum_k t_k \ln p_k` fails in two places when p is a softmax: p rounds
to 0 and its logarithm is infinite, and the gradient :math:`-t_k / p_k` is a huge number that
the softmax then multiplies by a tiny one. Taken together with the softmax, both cancel:

.. math:: L = \ln \sum_j e^{z_j} - z_t, \qquad \frac{\partial L}{\partial z_k} = p_k - t_k

So the functions below look at where a probability came from. If it is the result of a softmax (or
of a sigmoid) they go back to its logits; otherwise they clip it away from 0 and 1.

Source: Bishop, *Pattern Recognition and Machine Learning*, Springer 2006, sections 4.3.2 and 4.3.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl import kernels
from tinydl.engine import DEFAULT_DTYPE, Op, Tensor, rule, tensor
from tinydl.errors import DataError, DTypeError, ShapeError
from tinydl.ops.activation import Sigmoid
from tinydl.ops.elementwise import Floating
from tinydl.ops.indexing import OneHot
from tinydl.ops.reduce import normalize_axes
from tinydl.ops.selection import Maximum, Minimum
from tinydl.ops.shape import ExpandDims
from tinydl.ops.softmax import LogSoftmax, Softmax

EPSILON = 1e-7  # Keras's distance of a clipped probability from 0 and 1


class SoftmaxCrossEntropy(Floating):
    """The cross-entropy of the softmax of logits, one number for each row.

    Parameters
    ----------
    target : array_like
        Probabilities, often a single 1; of the shape of `logits`.
    logits : array_like
        Scores before the softmax; -inf for a class that is impossible, which costs nothing as
        long as its probability is 0.
    axis : int
        The axis of the classes.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.softmax_cross_entropy([[0.0, 1.0]], [[0.0, -1000.0]])
    tensor([1000.])
    """

    input_names = ("target", "logits")
    linear_in = ("target",)
    formula = r"y = -\sum_k t_k \Big( z_k - \ln \sum_j e^{z_j} \Big)"

    def __init__(self, axis=-1):
        self.axis = axis

    def check(self, t, z):
        _check_same_shape(t, z)
        if z.shape[normalize_axes("categorical_crossentropy", self.axis, z.ndim)[0]] == 0:
            raise ShapeError("categorical_crossentropy", "logits", got=z.shape, expected="a class")

    def forward(self, t, z):
        return kernels.softmax_cross_entropy(*[_moved(a, self.axis, -1) for a in (t, z)])

    @rule(r"\bar t_k = -\bar y \Big( z_k - \ln \sum_j e^{z_j} \Big)")
    def target(self, y_bar, y, t, z):
        axis = self.axis % z.ndim
        return -LogSoftmax(axis)(z) * y_bar.reshape((*z.shape[:axis], 1, *z.shape[axis + 1 :]))

    @rule(
        r"\bar z_k = \bar y \Big( p_k \sum_j t_j - t_k \Big), \quad p = \operatorname{softmax}(z)"
    )
    def logits(self, y_bar, y, t, z):
        return SoftmaxCrossEntropyGradient(self.axis)(y_bar, t, z)

    @classmethod
    def examples(cls, rng):
        """Targets that are probabilities, and some that are not."""
        z = rng.normal(size=(3, 4))
        yield cls(), (np.eye(4)[[0, 2, 2]], z)
        yield cls(), (rng.uniform(size=(3, 4)), z)
        yield cls(axis=0), (rng.uniform(size=(3, 4)), z)


class SoftmaxCrossEntropyGradient(Floating):
    """What goes down from a softmax cross-entropy to its logits.

    Parameters
    ----------
    g : array_like
        What came from above: one number for each row.
    target, logits : array_like
        As for `SoftmaxCrossEntropy`.
    axis : int
        The axis of the classes.
    """

    input_names = ("g", "target", "logits")
    linear_in = ("g", "target")
    formula = r"y_k = g \Big( p_k \sum_j t_j - t_k \Big), \quad p = \operatorname{softmax}(z)"

    def __init__(self, axis=-1):
        self.axis = axis

    def check(self, g, t, z):
        SoftmaxCrossEntropy(self.axis).check(t, z)
        axis = self.axis % z.ndim
        rows = (*z.shape[:axis], *z.shape[axis + 1 :])
        if g.shape != rows:
            raise ShapeError(self.name, "g", got=g.shape, expected=rows)

    def forward(self, g, t, z):
        t, z = (_moved(a, self.axis, -1) for a in (t, z))
        return _moved(kernels.softmax_cross_entropy_gradient(g, t, z), -1, self.axis)

    @rule(r"\bar g = \sum_k \bar y_k \Big( p_k \sum_j t_j - t_k \Big)")
    def g(self, y_bar, y, g, t, z):
        total = t.sum(axis=self.axis, keepdims=True)
        return (y_bar * (Softmax(self.axis)(z) * total - t)).sum(axis=self.axis)

    @rule(r"\bar t_k = \sum_j u_j p_j - u_k, \quad u_k = g \bar y_k")
    def target(self, y_bar, y, g, t, z):
        u = ExpandDims(self.axis)(g) * y_bar
        return (u * Softmax(self.axis)(z)).sum(axis=self.axis, keepdims=True) - u

    @rule(r"\bar z_k = p_k \Big( u_k - \sum_j u_j p_j \Big), \quad u_k = g \bar y_k \sum_i t_i")
    def logits(self, y_bar, y, g, t, z):
        u = ExpandDims(self.axis)(g) * y_bar * t.sum(axis=self.axis, keepdims=True)
        p = Softmax(self.axis)(z)
        return p * (u - (u * p).sum(axis=self.axis, keepdims=True))

    @classmethod
    def examples(cls, rng):
        """Targets that are probabilities, and some that are not."""
        t, z = rng.uniform(size=(3, 4)), rng.normal(size=(3, 4))
        yield cls(), (rng.normal(size=3), np.eye(4)[[0, 2, 2]], z)
        yield cls(), (rng.normal(size=3), t, z)
        yield cls(axis=0), (rng.normal(size=4), t, z)


class SigmoidCrossEntropy(Floating):
    """The cross-entropy of the sigmoid of logits, element by element.

    Parameters
    ----------
    target : array_like
        Probabilities, often 0 or 1; of the shape of `logits`.
    logits : array_like
        Scores before the sigmoid.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sigmoid_cross_entropy([1.0, 0.0], [-1000.0, -1000.0])
    tensor([1000.,    0.])
    """

    input_names = ("target", "logits")
    formula = r"y_i = \ln(1 + e^{z_i}) - t_i z_i"

    def check(self, t, z):
        if t.shape != z.shape:
            raise ShapeError("binary_crossentropy", "target", got=t.shape, expected=z.shape)

    def forward(self, t, z):
        # ln(1 + e^z) - z = ln(1 + e^-z): for each sign of z, the form where nothing cancels.
        factor = np.where(z > 0, 1 - t, -t)
        linear = np.where(factor == 0, 0, factor * z)  # also for an infinite z
        return linear + np.log1p(np.exp(-np.abs(z)))

    @rule(r"\bar t_i = -\bar y_i z_i")
    def target(self, y_bar, y, t, z):
        return -y_bar * z

    @rule(r"\bar z_i = \bar y_i (p_i - t_i), \quad p_i = \sigma(z_i)")
    def logits(self, y_bar, y, t, z):
        return y_bar * (Sigmoid()(z) - t)

    @classmethod
    def examples(cls, rng):
        """Targets that are probabilities, and some that are not."""
        shape = tuple(rng.integers(1, 4, 2))
        yield cls(), (rng.integers(0, 2, shape).astype(float), rng.normal(size=shape))
        yield cls(), (rng.uniform(-1, 2, shape), rng.normal(size=shape))
        yield cls(), (rng.uniform(size=(0, 2)), rng.normal(size=(0, 2)))


def _moved(a: np.ndarray, source: int, destination: int) -> np.ndarray:
    """As `numpy.moveaxis`, which takes its time even where nothing is to be moved."""
    return a if (source - destination) % a.ndim == 0 else np.moveaxis(a, source, destination)


def _as_tensors(target: Any, output: Any) -> tuple[Tensor, Tensor]:
    output = output if isinstance(output, Tensor) else tensor(output)
    target = target if isinstance(target, Tensor) else tensor(target)
    return target, output if output.dtype.kind == "f" else tensor(output, dtype=DEFAULT_DTYPE)


def _check_same_shape(target: Any, output: Any) -> None:
    if target.shape != output.shape:
        labels = target.ndim < output.ndim or target.shape[-1] == 1
        raise ShapeError(
            "categorical_crossentropy",
            "target",
            got=target.shape,
            expected=f"{output.shape}, the shape of the output",
            hint="whole-number labels need sparse_categorical_crossentropy or to_categorical"
            if labels
            else "",
        )


def _came_from(output: Tensor, op: type[Op]) -> bool:
    return isinstance(output.op, op)


def _clip(p: Tensor) -> Tensor:
    return Minimum()(Maximum()(p, EPSILON), 1.0 - EPSILON)


def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    r"""Cross-entropy between target probabilities and predicted ones.

    .. math:: y = -\sum_k t_k \ln p_k

    Parameters
    ----------
    target : array_like, shape (..., K)
        Probabilities, often with a single 1 ("one-hot").
    output : array_like, shape (..., K)
        Predicted probabilities, or logits.
    from_logits : bool
        Whether `output` are scores before the softmax.
    axis : int
        The axis of the classes.

    Returns
    -------
    Tensor, shape (...)

    Raises
    ------
    ShapeError
        When the shapes differ.

    Examples
    --------
    >>> categorical_crossentropy([[0.0, 1.0]], [[0.75, 0.25]])
    tensor([1.3862944])
    """
    target, output = _as_tensors(target, output)
    _check_same_shape(target, output)
    target = target.astype(output.dtype)
    axes = normalize_axes("categorical_crossentropy", axis, output.ndim)
    if from_logits:
        return SoftmaxCrossEntropy(axis)(target, output)
    if _came_from(output, Softmax) and output.op.axes(output) == axes:
        return SoftmaxCrossEntropy(axis)(target, output.inputs[0])
    p = output / output.sum(axis=axis, keepdims=True)
    return -(target * _clip(p).log()).sum(axis=axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    r"""Cross-entropy between class numbers and predicted probabilities.

    .. math:: y = -\ln p_t

    Parameters
    ----------
    target : array_like of int, shape (...) or (..., 1)
        Class numbers, from 0 to K - 1.
    output : array_like, shape (..., K), or with the K at `axis`
        Predicted probabilities, or logits.
    from_logits : bool
        Whether `output` are scores before the softmax.
    axis : int
        The axis of the classes.

    Raises
    ------
    DataError
        When a label is out of range.

    Examples
    --------
    >>> sparse_categorical_crossentropy([1], [[0.75, 0.25]])
    tensor([1.3862944])
    """
    target, output = _as_tensors(target, output)
    labels, where = target.data, "sparse_categorical_crossentropy"
    (axis,) = normalize_axes(where, axis, output.ndim)
    expected = output.shape[:axis] + output.shape[axis + 1 :]
    if labels.shape != expected and labels.ndim == output.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != expected:
        raise ShapeError(
            where,
            "target",
            got=target.shape,
            expected=expected,
            hint="one-hot labels need categorical_crossentropy"
            if target.shape == output.shape
            else "one label for each row of the output",
        )
    if labels.dtype.kind == "f" and np.array_equal(labels, np.round(labels)):
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iu":
        raise DTypeError(where, "target", got=f"of dtype {labels.dtype}", expected="whole numbers")
    classes = output.shape[axis]
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        wrong = labels[(labels < 0) | (labels >= classes)].flat[0]
        raise DataError(
            where,
            "a label",
            got=wrong,
            expected=f"0 to {classes - 1}",
            hint=f"the output has {classes} classes",
        )
    one_hot = OneHot(classes, axis, output.dtype)(labels)
    return categorical_crossentropy(one_hot, output, from_logits, axis)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    r"""Cross-entropy of yes-or-no answers, element by element.

    .. math:: y_i = -t_i \ln p_i - (1 - t_i) \ln (1 - p_i)

    For :math:`p = \sigma(z)` this is :math:`\ln(1 + e^z) - t z`, whose gradient with respect to z
    is p - t.

    Parameters
    ----------
    target : array_like
        Probabilities, often 0 or 1.
    output : array_like
        Predicted probabilities, or logits, of the same shape.
    from_logits : bool
        Whether `output` are scores before the sigmoid.

    Examples
    --------
    >>> binary_crossentropy([1.0, 0.0], [0.25, 0.25])
    tensor([1.3862944, 0.2876821])
    """
    target, output = _as_tensors(target, output)
    if target.shape != output.shape:
        raise ShapeError("binary_crossentropy", "target", got=target.shape, expected=output.shape)
    target = target.astype(output.dtype)
    if from_logits or _came_from(output, Sigmoid):
        return SigmoidCrossEntropy()(target, output if from_logits else output.inputs[0])
    p = _clip(output)
    return -(target * p.log() + (1.0 - target) * (1.0 - p).log())
