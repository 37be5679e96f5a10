"""Texts for people: what came from a submission made harmless, and values in a few lines."""

from __future__ import annotations

from typing import Any

import numpy as np


def clean(text: object, most: int = 2000) -> str:
    r"""A text that a submission chose, safe to print and to write into a file.

    Control characters, which terminals obey, and halves of characters, which no file can hold,
    are replaced; what is too long is cut.

    Examples
    --------
    >>> print(clean("plain \x1b[31mred\x07"))
    plain �[31mred�
    """
    whole = text if isinstance(text, str) else repr(text)
    kept = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in whole[:most])
    return kept + (" ..." if len(whole) > most else "")


def shown(value: Any) -> str:
    """A value in a few lines of text.

    Examples
    --------
    >>> shown(np.array([1.0, 2.5]))
    '[1. , 2.5]'
    """
    if isinstance(value, np.ndarray):
        with np.printoptions(precision=6, threshold=60, edgeitems=3, suppress=True):
            text = np.array2string(value, separator=", ")
        return text if value.size else f"no elements, shape {value.shape}"
    if isinstance(value, np.generic):
        value = value.item()
    return f"{value:.8g}" if isinstance(value, float) else clean(repr(value), 400)
