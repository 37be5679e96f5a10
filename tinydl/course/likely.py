"""Guessing which mistake turned the right numbers into those that were answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tinydl.course.failures import Failure
from tinydl.course.raised import meaning
from tinydl.course.relations import relation, same
from tinydl.course.student import Call

Seen = tuple[Sequence[Call], Failure]
FACTORS = {-1.0: "the sign is wrong", 2.0: "a factor 2 too many", 0.5: "a factor 2 is missing"}


def likely_mistake(known: Mapping[str, Callable[..., Any]], seen: Sequence[Seen]) -> str:
    """Name the mistake that explains all the failures seen; empty if none does.

    Parameters
    ----------
    known : mapping of str to callable
        Mistakes of this property; each computes the wrong answer from a call's arguments.
    seen : sequence of (calls, failure)
        Failing cases, the last one with the largest arrays.
    """
    answered = [(calls, failure) for calls, failure in seen if failure.got is not None and calls]
    if not answered:
        raised = [failure.message for _, failure in seen if failure.kind == "raised"]
        return meaning(raised[-1]) if raised else ""
    seen = answered
    for name, wrong in known.items():
        if all(_explains(wrong, calls[-1], failure) for calls, failure in seen):
            return name
    if any(failure.expected is None for _, failure in seen):
        return ""
    factors = [_factors(calls[-1], failure) for calls, failure in seen]
    for sentence in factors[0]:
        if all(sentence in others for others in factors):
            return sentence
    relations = [
        relation(np.asarray(failure.got), np.asarray(failure.expected)) for _, failure in seen
    ]
    if np.size(seen[-1][1].got) == 1 and len(set(relations)) > 1:
        return ""  # of one number much can be said that is true by chance
    return relations[-1]


def either(*mistakes: Callable[..., Any]) -> Callable[..., list[Any]]:
    """A mistake that has several forms: all their answers, except of those that cannot be made.

    Examples
    --------
    >>> wrong = either(lambda x: x + 1, lambda x: x.sum(), lambda x: (2 * x, 3 * x))
    >>> wrong(5)
    [6, 10, 15]
    """

    def answers(*arguments: Any, **named: Any) -> list[Any]:
        found: list[Any] = []
        for wrong in mistakes:
            with suppress(Exception):
                answer = wrong(*arguments, **named)
                found += answer if isinstance(answer, (tuple, list)) else [answer]
        return found

    return answers


def _explains(wrong: Callable[..., Any], call: Call, failure: Failure) -> bool:
    """Whether an answer is what this mistake gives for the same arguments, and that is wrong."""
    arguments, named = call.split()
    try:
        answers = wrong(*arguments, **named)
    except Exception:  # a mistake that cannot be made with these arguments explains nothing
        return False
    candidates = answers if isinstance(answers, (tuple, list)) else (answers,)
    got, right = np.asarray(failure.got), np.asarray(failure.expected)
    return any(
        same(got, answer) and (failure.expected is None or not same(right, answer))
        for answer in map(np.asarray, candidates)
    )


def _factors(call: Call, failure: Failure) -> list[str]:
    """Sentences that explain an answer as the right one times a factor."""
    factor = _factor(np.asarray(failure.got), np.asarray(failure.expected))
    if factor is None:
        return []
    sentences = [said for known, said in FACTORS.items() if np.isclose(factor, known)]
    for name, value in call.arguments.items():
        shape = np.shape(value) if isinstance(value, np.ndarray) else ()
        lengths = {f"{name} has elements": int(np.prod(shape))}
        if len(shape) > 1:
            lengths |= {f"axis {i} of {name} is long": n for i, n in enumerate(shape)}
        for as_many, n in lengths.items():
            if n > 1 and np.isclose(factor, n):
                sentences.append(f"it is as many times too large as {as_many}: a sum for a mean")
            if n > 1 and np.isclose(factor, 1 / n):
                sentences.append(f"it is as many times too small as {as_many}: a mean for a sum")
    return sentences


def _factor(got: np.ndarray, expected: np.ndarray) -> float | None:
    """The number c with got = c * expected, if there is one."""
    square = np.vdot(expected, expected) if got.shape == expected.shape else 0.0
    if not (got.dtype.kind in "fiu" and np.isfinite(square) and square > 0):
        return None
    factor = float(np.vdot(expected, got) / square)
    return factor if same(got.astype(np.float64), factor * expected) else None
