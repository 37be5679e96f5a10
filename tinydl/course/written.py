r"""Numbers and sums as LaTeX, for formulas with the numbers of a counter-example in them.

>>> products([1.0, 0.5], [-2.0, 3.0])
'1 \\cdot (-2) + 0.5 \\cdot 3'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tinydl.explain.page import number

SHOWN = 8


def written(value: float) -> str:
    """A number; in brackets where it begins with a sign.

    Examples
    --------
    >>> written(0.25), written(-3.0)
    ('0.25', '(-3)')
    """
    text = number(float(value))
    return f"({text})" if text.startswith("-") else text


def added(terms: Sequence[str]) -> str:
    r"""A sum of terms, shortened in the middle when there are many.

    Examples
    --------
    >>> added(list("abc"))
    'a + b + c'
    >>> added(list("abcdefghijk"))
    'a + b + c + d + e + f + \\dots + k'
    """
    if len(terms) > SHOWN:
        terms = [*terms[: SHOWN - 2], r"\dots", terms[-1]]
    return " + ".join(terms)


def products(a: Iterable[float], b: Iterable[float]) -> str:
    r"""A sum of products, one for each pair of numbers.

    Examples
    --------
    >>> products([0.25, -1.0], [2.0, 4.0])
    '0.25 \\cdot 2 + (-1) \\cdot 4'
    """
    return added([rf"{written(x)} \cdot {written(y)}" for x, y in zip(a, b, strict=True)])
