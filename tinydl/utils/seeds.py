"""One seed for everything that is drawn at random."""

from __future__ import annotations

from tinydl import random


def set_random_seed(seed: int) -> None:
    """Seed the generator that weights, dropout and shuffling are drawn from.

    The same seed, program and kernels give the same weights, bit by bit. NumPy's global state is
    neither used nor changed.

    Parameters
    ----------
    seed : int
        At least 0.

    Examples
    --------
    >>> from tinydl.initializers import RandomNormal
    >>> set_random_seed(7)
    >>> first = RandomNormal()((2, 3))
    >>> set_random_seed(7)
    >>> bool((RandomNormal()((2, 3)) == first).all())
    True
    """
    random.set_seed(seed)
