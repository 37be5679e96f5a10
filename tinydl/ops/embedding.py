"""Embedding: a learned row of numbers for each word, class or thing."""

from __future__ import annotations

from typing import Any

from tinydl.engine import Tensor, tensor
from tinydl.errors import DataError, DTypeError, ShapeError


def embedding(inputs: Any, embeddings: Any) -> Tensor:
    r"""Look up rows of a table by their number.

    It is the product of one-hot vectors with the table, without the multiplications by 0. In the
    gradient, a row gets the sum of what arrives at all the places where it was looked up.

    .. math:: y_{ik} = E_{x_i k}, \qquad \bar E_{jk} = \sum_i [x_i = j] \, \bar y_{ik}

    Parameters
    ----------
    inputs : array_like of int, of any shape
        Row numbers, from 0 to V - 1.
    embeddings : array_like, shape (V, K)
        The table E.

    Returns
    -------
    Tensor, shape (..., K)
        The shape of `inputs`, followed by K.

    Raises
    ------
    DataError
        When a row number is out of range.
    DTypeError
        When the row numbers are not whole numbers.

    Source: Bengio et al., *A neural probabilistic language model*, JMLR 3, 2003.

    Examples
    --------
    >>> embedding([2, 0, 2], [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    tensor([[ 3., 30.],
            [ 1., 10.],
            [ 3., 30.]])
    """
    table = embeddings if isinstance(embeddings, Tensor) else tensor(embeddings)
    rows = (inputs if isinstance(inputs, Tensor) else tensor(inputs)).data
    if table.ndim != 2:
        raise ShapeError("embedding", "embeddings", got=table.shape, expected="2 axes (V, K)")
    if rows.size == 0:
        rows = rows.astype(int)
    if rows.dtype.kind not in "iu":
        raise DTypeError(
            "embedding", "inputs", got=f"of dtype {rows.dtype}", expected="whole numbers"
        )
    count = len(table)
    if rows.size and not (rows.min() >= 0 and rows.max() < count):
        wrong = rows[(rows < 0) | (rows >= count)].flat[0]
        raise DataError(
            "embedding",
            "a row number",
            got=wrong,
            expected=f"0 to {count - 1}",
            hint=f"the table has {count} rows",
        )
    return table[rows]
