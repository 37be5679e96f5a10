"""From arrays and numbers to tensors, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.engine import Tensor, tensor


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """The tensor itself, or a new one from an array or a number; optionally of another dtype.

    Examples
    --------
    >>> convert_to_tensor([1, 2], dtype="float32")
    tensor([1., 2.])
    """
    if not isinstance(x, Tensor):
        return tensor(x, dtype=dtype)
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The values as a fresh array that may be written to.

    Examples
    --------
    >>> convert_to_numpy(tensor([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    return np.array(x)
