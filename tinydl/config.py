"""Settings of the whole program: the dtype of new weights, and the threads of the kernels."""

from __future__ import annotations

from tinydl import kernels
from tinydl.engine import DEFAULT_DTYPE
from tinydl.errors import unknown_name
from tinydl.ops.cross_entropy import EPSILON

_floatx = DEFAULT_DTYPE.name


def floatx() -> str:
    """The dtype of layers and weights that were not given one.

    Examples
    --------
    >>> floatx()
    'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Choose the dtype of layers and weights made from now on.

    Parameters
    ----------
    value : {"float32", "float64"}

    Raises
    ------
    ArgumentError
        For any other dtype.
    """
    global _floatx
    if value not in ("float32", "float64"):
        raise unknown_name("set_floatx", "value", value, ["float32", "float64"])
    _floatx = value


def epsilon() -> float:
    """The distance that clipped probabilities keep from 0 and 1.

    Examples
    --------
    >>> epsilon()
    1e-07
    """
    return EPSILON


def set_num_threads(count: int) -> None:
    """Let the C kernels use this many threads; the results do not depend on it.

    Parameters
    ----------
    count : int
        At least 1.
    """
    kernels.set_num_threads(count)


def get_num_threads() -> int:
    """The number of threads the C kernels may use."""
    return kernels.get_num_threads()
