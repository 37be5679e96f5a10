"""Where random numbers come from: one generator for the whole program, or one of your own.

Everything random draws from a `numpy.random.Generator`; NumPy's global state is never touched.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from tinydl.errors import ArgumentError

Seed: TypeAlias = "int | np.random.Generator | None"

_default: np.random.Generator | None = None


def default_generator() -> np.random.Generator:
    """The generator that serves everyone who was not given a seed."""
    global _default
    if _default is None:  # only now, since NumPy imports what it needs for it only when asked
        _default = np.random.default_rng()
    return _default


def set_seed(seed: int) -> None:
    """Start the default generator anew, so that a program draws the same numbers each time.

    Parameters
    ----------
    seed : int
        A whole number, at least 0.

    Raises
    ------
    ArgumentError
        For anything else.

    Examples
    --------
    >>> set_seed(7)
    >>> first = default_generator().random()
    >>> set_seed(7)
    >>> default_generator().random() == first
    True
    """
    global _default
    _default = _seeded("set_seed", seed)


def generator(seed: Seed = None) -> np.random.Generator:
    """The generator meant by a `seed` argument.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        None means the default one, a whole number a new one, a generator itself.

    Examples
    --------
    >>> generator(7).random() == generator(7).random()
    True
    >>> generator() is default_generator()
    True
    """
    if seed is None:
        return default_generator()
    return seed if isinstance(seed, np.random.Generator) else _seeded("generator", seed)


def _seeded(where: str, seed: int) -> np.random.Generator:
    if not hasattr(seed, "__index__") or isinstance(seed, bool) or seed < 0:
        raise ArgumentError(where, "seed", got=repr(seed), expected="a whole number, at least 0")
    return np.random.default_rng(seed)
