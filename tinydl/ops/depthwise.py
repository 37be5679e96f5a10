"""Convolutions that do not mix the channels, or only at each place by itself."""

from __future__ import annotations

from typing import Any

from tinydl.engine import Tensor, tensor
from tinydl.errors import ShapeError
from tinydl.ops.conv import Conv
from tinydl.ops.windows import check_data_format


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    r"""Convolve each channel by itself, with M kernels of its own.

    It is the convolution with as many groups as there are channels.

    .. math:: y_{nij(cM + m)} = \sum_{p,q} x_{n, s i + d p - t, s j + d q - l, c} \, w_{pqcm}

    Parameters
    ----------
    inputs : array_like, shape (N, H, W, C) or (N, L, C)
    kernel : array_like, shape (KH, KW, C, M) or (K, C, M)
    strides, padding, data_format, dilation_rate
        As those of `Conv`.

    Returns
    -------
    Tensor, shape (N, OH, OW, C * M) or (N, OL, C * M)

    Raises
    ------
    ShapeError
        When the channels differ, or the kernel is larger than the padded image.

    Source: Howard et al., *MobileNets*, arXiv:1704.04861, section 3.1.

    Examples
    --------
    >>> line = [[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]]
    >>> depthwise_conv(line, [[[1.0], [1.0]], [[1.0], [-1.0]]])
    tensor([[[  3., -10.],
             [  5., -10.]]])
    """
    check_data_format("depthwise_conv", data_format)
    x, w = _tensors(inputs, kernel)
    _check("depthwise_conv", "kernel", x, w)
    *window, channels, multiplier = w.shape
    grouped = w.reshape((*window, 1, channels * multiplier))
    return Conv(strides, padding, data_format, dilation_rate)(x, grouped)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    r"""Convolve each channel by itself, then mix the channels at each place.

    .. math:: y_{nijo} = \sum_{k} u_{nijk} \, w_{ko}, \quad u = \operatorname{depthwise\_conv}(x)

    Parameters
    ----------
    inputs : array_like, shape (N, H, W, C) or (N, L, C)
    depthwise_kernel : array_like, shape (KH, KW, C, M) or (K, C, M)
    pointwise_kernel : array_like, shape (1, 1, C * M, O) or (1, C * M, O)
    strides, padding, data_format, dilation_rate
        As those of `Conv`; they hold for the first step.

    Returns
    -------
    Tensor, shape (N, OH, OW, O) or (N, OL, O)

    Source: Chollet, *Xception*, arXiv:1610.02357, section 1.

    Examples
    --------
    >>> line = [[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]]
    >>> separable_conv(line, [[[1.0], [1.0]]], [[[1.0], [1.0]]])
    tensor([[[11.],
             [22.],
             [33.]]])
    """
    check_data_format("separable_conv", data_format)
    x, w = _tensors(inputs, depthwise_kernel)
    _check("separable_conv", "depthwise_kernel", x, w)
    y = depthwise_conv(x, w, strides, padding, data_format, dilation_rate)
    _, pointwise = _tensors(y, pointwise_kernel)
    expected = (1,) * (x.ndim - 2) + y.shape[-1:]
    if pointwise.ndim != x.ndim or pointwise.shape[:-1] != expected:
        raise ShapeError(
            "separable_conv",
            "pointwise_kernel",
            got=pointwise.shape,
            expected=f"({', '.join(map(str, expected))}, O)",
        )
    return Conv()(y, pointwise)


def _tensors(*inputs: Any) -> tuple[Tensor, ...]:
    return tuple(x if isinstance(x, Tensor) else tensor(x) for x in inputs)


def _check(where: str, argument: str, x: Tensor, w: Tensor) -> None:
    if x.ndim not in (3, 4):
        raise ShapeError(where, "inputs", got=x.shape, expected="(N, H, W, C) or (N, L, C)")
    if w.ndim != x.ndim or w.shape[-2] != x.shape[-1]:
        window = "KH, KW" if x.ndim == 4 else "K"
        raise ShapeError(
            where,
            argument,
            got=w.shape,
            expected=f"({window}, {x.shape[-1]}, M), for inputs of {x.shape[-1]} channels",
        )
