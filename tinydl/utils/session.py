"""Beginning anew within one program."""

from __future__ import annotations

from tinydl.layers import reset_names


def clear_session() -> None:
    """Count the default names of layers from the beginning again.

    Nothing else has to be cleared: a model that nobody refers to any more is gone by itself.

    Examples
    --------
    >>> from tinydl.layers import Dense
    >>> clear_session()
    >>> Dense(1).name, Dense(1).name
    ('dense', 'dense_1')
    >>> clear_session()
    >>> Dense(1).name
    'dense'
    """
    reset_names()
