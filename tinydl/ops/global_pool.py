"""Pools whose window is the whole image, or the whole line."""

from __future__ import annotations

from typing import Any

from tinydl.engine import Tensor, tensor
from tinydl.errors import ShapeError
from tinydl.ops.windows import check_data_format


def global_average_pool(
    inputs: Any, data_format: str | None = None, keepdims: bool = False
) -> Tensor:
    r"""The average of each channel.

    .. math:: y_{nc} = \frac{1}{H W} \sum_{h,v} x_{nhvc}

    Parameters
    ----------
    inputs : array_like, shape (N, H, W, C) or (N, L, C)
    data_format : {None, "channels_last"}
        Only images with the channels last.
    keepdims : bool
        Keep the reduced axes, with length 1.

    Returns
    -------
    Tensor, shape (N, C)

    Source: Lin, Chen & Yan, *Network in network*, arXiv:1312.4400, section 3.2.

    Examples
    --------
    >>> global_average_pool([[[1.0, 10.0], [3.0, 30.0]]])
    tensor([[ 2., 20.]])
    """
    x, axes = _places("global_average_pool", inputs, data_format)
    return x.mean(axis=axes, keepdims=keepdims)


def global_max_pool(inputs: Any, data_format: str | None = None, keepdims: bool = False) -> Tensor:
    r"""The largest element of each channel; elements that tie share the gradient.

    .. math:: y_{nc} = \max_{h,v} x_{nhvc}

    Parameters
    ----------
    inputs : array_like, shape (N, H, W, C) or (N, L, C)
    data_format : {None, "channels_last"}
        Only images with the channels last.
    keepdims : bool
        Keep the reduced axes, with length 1.

    Returns
    -------
    Tensor, shape (N, C)

    Examples
    --------
    >>> global_max_pool([[[1.0, 30.0], [3.0, 10.0]]])
    tensor([[ 3., 30.]])
    """
    x, axes = _places("global_max_pool", inputs, data_format)
    return x.max(axis=axes, keepdims=keepdims)


def _places(where: str, inputs: Any, data_format: str | None) -> tuple[Tensor, tuple[int, ...]]:
    """The images as a tensor, and the axes along which their places lie."""
    check_data_format(where, data_format)
    x = inputs if isinstance(inputs, Tensor) else tensor(inputs)
    if x.ndim not in (3, 4):
        raise ShapeError(where, "inputs", got=x.shape, expected="(N, H, W, C) or (N, L, C)")
    if 0 in x.shape[1:-1]:
        raise ShapeError(where, "inputs", got=x.shape, expected="at least one place")
    return x, tuple(range(1, x.ndim - 1))
