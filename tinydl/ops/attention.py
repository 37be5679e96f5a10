"""Attention: each query takes an average of the values, weighted by how well their keys fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.engine import Tensor, tensor
from tinydl.errors import ArgumentError, DTypeError, ShapeError
from tinydl.ops.selection import Where
from tinydl.ops.shape import BroadcastTo
from tinydl.ops.softmax import Softmax


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    r"""Average the values, with the softmax of the scaled products of queries and keys as weights.

    .. math:: y_{btnh} = \sum_s p_{bnts} v_{bsnh}, \quad p_{bnts} = \operatorname{softmax}_s \Big(
        \frac{1}{\sqrt H} \sum_h q_{btnh} k_{bsnh} + \beta_{bnts} \Big)

    A place that the mask excludes has weight 0. A query that may look at nothing at all gets the
    plain average of all values, as in Keras.

    Parameters
    ----------
    query : array_like, shape (B, T, N, H)
        For each of B examples and N heads, T vectors of length H.
    key : array_like, shape (B, S, K, H)
        S vectors each. K divides N; with fewer heads, N / K neighbouring heads of the query share
        one ("grouped query attention").
    value : array_like, shape (B, S, K, H)
        One for each key.
    bias : array_like, optional
        Added to the products; broadcasts to (B, N, T, S).
    mask : array_like of bool, optional
        True where a query may look at a key; broadcasts to (B, N, T, S).
    scale : float, optional
        Instead of :math:`1 / \sqrt H`.
    is_causal : bool
        Let query t look only at keys s up to t.
    flash_attention : bool, optional
        Not True: there is one way to compute it.
    attn_logits_soft_cap : float, optional
        A number c that no score may exceed: each scaled product s becomes
        :math:`c \tanh(s / c)`, before the bias is added.

    Returns
    -------
    Tensor, shape (B, T, N, H)

    Source: Vaswani et al., *Attention is all you need*, arXiv:1706.03762, section 3.2.1; for groups
    Ainslie et al., *GQA*, arXiv:2305.13245.

    Examples
    --------
    Two keys that fit equally well:

    >>> query, key = np.ones((1, 1, 1, 2)), np.ones((1, 2, 1, 2))
    >>> value = np.array([[0.0, 10.0], [1.0, 30.0]]).reshape(1, 2, 1, 2)
    >>> dot_product_attention(query, key, value).numpy().ravel()
    array([ 0.5, 20. ])
    """
    if flash_attention:
        raise ArgumentError("dot_product_attention", "flash_attention", got=True, expected="None")
    cap = attn_logits_soft_cap
    if cap is not None and not cap > 0:
        raise ArgumentError(
            "dot_product_attention", "attn_logits_soft_cap", got=cap, expected="above 0, or None"
        )
    q, k, v = (x if isinstance(x, Tensor) else tensor(x) for x in (query, key, value))
    _check_shapes(q, k, v)
    (batch, queries, heads, length), keys = q.shape, k.shape[1]
    shape = batch, heads, queries, keys

    # Heads become a leading axis: (B, N, T, H), and (B, N, H, S) for the keys.
    q = q.transpose(0, 2, 1, 3)
    k = _share_heads(k, heads).transpose(0, 2, 3, 1)
    v = _share_heads(v, heads).transpose(0, 2, 1, 3)
    scores = (q * (1 / np.sqrt(max(length, 1)) if scale is None else scale)) @ k
    if cap is not None:
        scores = (scores / cap).tanh() * cap
    if bias is not None:
        scores = scores + _broadcastable("bias", bias, shape)
    allowed = _allowed(mask, is_causal, shape)
    if allowed is not None:
        # The most negative number, not -inf: a row of those alone would have no softmax.
        scores = Where()(allowed, scores, tensor(np.finfo(scores.dtype).min, dtype=scores.dtype))
    return (Softmax()(scores) @ v).transpose(0, 2, 1, 3)


def _share_heads(x: Tensor, heads: int) -> Tensor:
    """Repeat each head of (B, S, K, H) until there are `heads`; neighbours share one."""
    batch, length, own, size = x.shape
    if own == heads:
        return x
    x = BroadcastTo((batch, length, own, heads // own, size))(
        x.reshape(batch, length, own, 1, size)
    )
    return x.reshape(batch, length, heads, size)


def _allowed(mask: Any, is_causal: bool, shape: tuple[int, ...]) -> np.ndarray | None:
    """Where a query may look at a key, or None for everywhere."""
    allowed = np.tril(np.ones(shape[-2:], bool)) if is_causal else None
    if mask is None:
        return allowed
    mask = np.asarray(mask)
    if mask.dtype != np.bool_:
        raise DTypeError(
            "dot_product_attention",
            "mask",
            got=f"of dtype {mask.dtype}",
            expected="booleans",
            hint="pass what is to be added to the scores as bias",
        )
    mask = _broadcastable("mask", mask, shape)
    return mask if allowed is None else mask & allowed


def _broadcastable(argument: str, x: Any, shape: tuple[int, ...]) -> Any:
    try:
        fits = np.broadcast_shapes(np.shape(x), shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            "dot_product_attention",
            argument,
            got=np.shape(x),
            expected=f"what broadcasts to (B, N, T, S) = {shape}",
        )
    return x


def _check_shapes(q: Tensor, k: Tensor, v: Tensor) -> None:
    for name, x, axes in (("query", q, "T, N"), ("key", k, "S, K"), ("value", v, "S, K")):
        if x.ndim != 4:
            raise ShapeError(
                "dot_product_attention", name, got=x.shape, expected=f"4 axes (B, {axes}, H)"
            )
    (batch, _, heads, length), own = q.shape, k.shape[2]
    if (k.shape[0], k.shape[3]) != (batch, length):
        expected = f"({batch}, S, K, {length}), to go with the query {q.shape}"
        raise ShapeError("dot_product_attention", "key", got=k.shape, expected=expected)
    if v.shape[:3] != k.shape[:3]:
        expected = f"{k.shape}, the shape of key"
        raise ShapeError("dot_product_attention", "value", got=v.shape, expected=expected)
    if own != heads and (own == 0 or heads % own):
        expected = f"a number of heads that divides the {heads} of the query"
        raise ShapeError("dot_product_attention", "key", got=f"{k.shape}", expected=expected)
