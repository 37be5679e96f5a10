r"""Normalization in networks: over the batch, a layer, or a group of channels.

All three are `Standardize` over different axes, and then a scale and a shift that are learned. So
is normalization by the root mean square, without the mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.engine import Tensor, tensor
from tinydl.errors import ArgumentError, ShapeError
from tinydl.ops.reduce import normalize_axes
from tinydl.ops.selection import Minimum
from tinydl.ops.standardize import EPSILON, RootMeanSquareNormalize, Standardize


def moments(
    x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    r"""Mean and variance.

    .. math:: m = \frac{1}{n} \sum_j x_j, \quad v = \frac{1}{n} \sum_j (x_j - m)^2

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    axes : int, sequence of int, or None
        The axes over which they are taken; None means all.
    keepdims : bool
        Keep these axes, with length 1.
    synchronized : bool
        Only False: there is one device.

    Returns
    -------
    (Tensor, Tensor)
        The mean and the variance; one too large for float16 is the largest float16, as in Keras.

    Examples
    --------
    >>> moments([1.0, 2.0, 6.0], axes=[0])
    (tensor(3.), tensor(4.6666665))
    """
    if synchronized:
        raise ArgumentError("moments", "synchronized", got=True, expected="False")
    x = _as_tensor(x)
    if x.dtype == np.float16:  # its squares overflow
        mean, variance = moments(x.astype(np.float32), axes, keepdims)
        largest = float(np.finfo(x.dtype).max)
        return mean.astype(x.dtype), Minimum()(variance, largest).astype(x.dtype)
    axes = normalize_axes("moments", axes, x.ndim)
    mean = x.mean(axis=axes, keepdims=True)
    centred = x - mean
    variance = (centred * centred).mean(axis=axes, keepdims=keepdims)
    return mean if keepdims else mean.reshape(variance.shape), variance


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Tensor:
    r"""Normalize each channel by a given mean and variance.

    .. math:: y_{nc} = s_c \, \frac{x_{nc} - m_c}{\sqrt{v_c + \epsilon}} + o_c

    In training, mean and variance are the `moments` of x over all its other axes; they then carry
    their part of the gradient. `Standardize` is both steps in one.

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    mean, variance : array_like, shape (C,)
        One for each of the C elements along `axis`.
    axis : int
        The axis of the channels.
    offset, scale : array_like, shape (C,), optional
        Left out, nothing is added or multiplied.
    epsilon : float
        Added to the variance.

    Raises
    ------
    ShapeError
        When one of the vectors is not of the length of x along `axis`.

    Source: Ioffe & Szegedy, *Batch normalization*, arXiv:1502.03167, algorithm 1.

    Examples
    --------
    >>> batch_normalization([[1.0], [3.0]], [2.0], [1.0], axis=-1, epsilon=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    x, where = _as_tensor(x), "batch_normalization"
    axes = normalize_axes(where, axis, x.ndim)
    mean, variance = (
        _beside(where, name, v, x, axes) for name, v in (("mean", mean), ("variance", variance))
    )
    factor = 1.0 / (variance + epsilon).sqrt()
    if scale is not None:
        factor = factor * _beside(where, "scale", scale, x, axes)
    y = (x - mean) * factor
    return y if offset is None else y + _beside(where, "offset", offset, x, axes)


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    r"""Bring each example to mean 0 and variance 1, then scale and shift its elements.

    .. math:: y_i = \gamma_i \frac{x_i - m}{\sqrt{v + \epsilon}} + \beta_i

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    gamma, beta : array_like, optional
        Scale and shift, of the shape that x has along `axis`.
    axis : int or sequence of int
        The axes over which mean m and variance v are taken.
    epsilon : float, optional
        Added to the variance; 1e-7 by default.

    Source: Ba, Kiros & Hinton, *Layer normalization*, arXiv:1607.06450.

    Examples
    --------
    >>> layer_normalization([[1.0, 3.0], [10.0, 30.0]], gamma=[1.0, 2.0], epsilon=0.0)
    tensor([[-1.,  2.],
            [-1.,  2.]])
    """
    x, where = _as_tensor(x), "layer_normalization"
    axes = normalize_axes(where, axis, x.ndim)
    y = Standardize(axes, EPSILON if epsilon is None else epsilon)(x)
    if gamma is not None:
        y = y * _beside(where, "gamma", gamma, x, axes)
    return y if beta is None else y + _beside(where, "beta", beta, x, axes)


def group_normalization(
    x: Any,
    groups: int = 32,
    gamma: Any = None,
    beta: Any = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    r"""Bring each group of channels of each example to mean 0 and variance 1.

    With one group this is layer normalization over all but the first axis, with a group for each
    channel it is called instance normalization.

    .. math:: y_{nc} = \gamma_c \frac{x_{nc} - m_{ng}}{\sqrt{v_{ng} + \epsilon}} + \beta_c,
        \quad g = \lfloor c / (C / G) \rfloor

    Parameters
    ----------
    x : array_like, shape (N, ..., C)
        Whole numbers become float32.
    groups : int
        Number G of groups, which divides C; -1 means C.
    gamma, beta : array_like, shape (C,), optional
        Scale and shift of each channel.
    axis : int
        The axis of the channels, not the first.
    epsilon : float
        Added to the variance.

    Raises
    ------
    ArgumentError
        When the groups do not divide the channels.

    Source: Wu & He, *Group normalization*, arXiv:1803.08494.

    Examples
    --------
    >>> group_normalization([[1.0, 3.0, 10.0, 20.0]], groups=2, epsilon=0.0)
    tensor([[-1.,  1., -1.,  1.]])
    """
    x, where = _as_tensor(x), "group_normalization"
    (axis,) = axes = normalize_axes(where, axis, x.ndim)
    if axis == 0:
        raise ShapeError(where, "axis", got=axis, expected="another axis than that of the examples")
    channels = x.shape[axis]
    groups = channels if groups == -1 else groups
    if groups < 1 or channels % groups:
        raise ArgumentError(
            where, "groups", got=groups, expected=f"a divisor of the {channels} channels"
        )
    split = (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :])
    within = tuple(i for i in range(1, len(split)) if i != axis)
    y = Standardize(within, epsilon)(x.reshape(split)).reshape(x.shape)
    if gamma is not None:
        y = y * _beside(where, "gamma", gamma, x, axes)
    return y if beta is None else y + _beside(where, "beta", beta, x, axes)


def rms_normalization(
    x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    r"""Scale so that the mean of the squares is 1, then by `scale`.

    .. math:: y_i = s_i \frac{x_i}{\sqrt{\frac{1}{n} \sum_j x_j^2 + \epsilon}}

    Parameters
    ----------
    x : array_like
        Whole numbers become float32.
    scale : array_like, optional
        A number, or an array that broadcasts with x; 1 by default.
    axis : int, sequence of int, or None
        The axes over which the mean is taken; None means all.
    epsilon : float, optional
        Added to the mean of the squares; 1e-7 by default.

    Source: Zhang & Sennrich, *Root mean square layer normalization*, arXiv:1910.07467.

    Examples
    --------
    >>> rms_normalization([3.0, -3.0, 3.0], scale=2.0)
    tensor([ 2., -2.,  2.])
    """
    y = RootMeanSquareNormalize(axis, EPSILON if epsilon is None else epsilon)(x)
    return y if scale is None else y * scale


def _as_tensor(x: Any) -> Tensor:
    x = x if isinstance(x, Tensor) else tensor(x)
    return x if x.dtype.kind == "f" else tensor(x, dtype=np.float32)


def _beside(where: str, argument: str, v: Any, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Stand numbers that go along some axes of `x` beside it, so that they broadcast."""
    v = v if isinstance(v, Tensor) else tensor(v)
    expected = tuple(x.shape[axis] for axis in axes)
    if v.shape != expected:
        raise ShapeError(
            where, argument, got=v.shape, expected=f"{expected}, the shape of x along axis {axes}"
        )
    shape = tuple(n if axis in axes else 1 for axis, n in enumerate(x.shape))
    return v.astype(x.dtype).reshape(shape)
