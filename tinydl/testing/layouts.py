"""Ways in which the same numbers can lie in memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Layout = Callable[[np.ndarray], np.ndarray]


def every_other(a: np.ndarray) -> np.ndarray:
    """Every other element of an array twice as wide.

    Examples
    --------
    >>> every_other(np.array([1.0, 2.0])).strides
    (16,)
    """
    return np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a.copy()


def backwards(a: np.ndarray) -> np.ndarray:
    """A view of an array that lies the other way round, with negative strides.

    Examples
    --------
    >>> backwards(np.array([1.0, 2.0])).strides
    (-8,)
    """
    return np.flip(np.flip(a).copy()) if a.ndim else a.copy()


def repeated(a: np.ndarray) -> np.ndarray:
    """Where all elements along the first axis are the same, one element of which all are views.

    Examples
    --------
    >>> repeated(np.zeros((2, 3))).strides
    (0, 8)
    """
    if a.ndim and len(a) and np.array_equal(a, np.broadcast_to(a[:1], a.shape)):
        return np.broadcast_to(a[:1].copy(), a.shape)
    return a.copy()


LAYOUTS: dict[str, Layout] = {
    "in Fortran order": lambda a: np.array(a, order="F"),
    "with gaps": every_other,
    "backwards": backwards,
    "repeated": repeated,
}
