"""Trying one property: case by case, then smaller, then the likely mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinydl.course.assignment import Property
from tinydl.course.draws import DIGITS, Draw
from tinydl.course.failures import Failure
from tinydl.course.grades import CounterExample, PropertyResult
from tinydl.course.likely import likely_mistake
from tinydl.course.references import NotRecorded
from tinydl.course.student import Call, Student

MOST_SIMPLIFICATIONS = 60
FINAL = {"timed out", "crashed", "garbled"}  # failures that are not made smaller

NewStudent = Callable[[], Student]


@dataclass
class Attempt:
    """A property on one draw: what was called, and how it failed."""

    draw: Draw
    calls: tuple[Call, ...]
    failure: Failure


def try_property(prop: Property, new_student: NewStudent, seed: int) -> PropertyResult:
    """Try a property on all its cases; stop at the first that fails and make it small.

    Parameters
    ----------
    prop : Property
    new_student : callable
        Gives the submission with all its time.
    seed : int
    """
    student = new_student()
    for case in range(prop.cases):
        attempt = _attempt(prop, student, Draw(seed, prop.name, case, prop.cases))
        if attempt is not None:
            return _failed(prop, new_student, seed, attempt)
    return PropertyResult(
        prop.name,
        prop.points,
        prop.points,
        prop.public,
        True,
        prop.formula,
        prop.hint,
        prop.cases,
    )


def _attempt(prop: Property, student: Student, draw: Draw) -> Attempt | None:
    """The failure of one case, if it fails."""
    student.calls.clear()
    try:
        prop.body(student, draw)
    except Failure as failure:
        return Attempt(draw, tuple(student.calls), failure)
    except NotRecorded:
        raise
    except Exception as error:  # an answer of an unexpected form may break the comparison
        message = f"the answer has not the form that is asked for ({type(error).__name__}: {error})"
        return Attempt(draw, tuple(student.calls), Failure(message[:500], kind="type"))
    return None


def _failed(prop: Property, new_student: NewStudent, seed: int, first: Attempt) -> PropertyResult:
    smallest = first
    likely = ""
    if first.failure.kind not in FINAL:
        student = new_student()
        smallest = _simplified(prop, student, seed, first)
        larger = _larger(prop, student, seed, first)
        seen = [(a.calls, a.failure) for a in (smallest, larger)]
        likely = likely_mistake(prop.likely, seen)
    failure = smallest.failure
    return PropertyResult(
        prop.name,
        prop.points,
        prop.points * failure.share,
        prop.public,
        False,
        prop.formula,
        prop.hint,
        cases=first.draw.case + 1,
        kind=failure.kind,
        message=failure.message,
        likely=likely,
        line=failure.line,
        text=failure.text,
        counter_example=_counter_example(smallest),
    )


def _simplified(prop: Property, student: Student, seed: int, first: Attempt) -> Attempt:
    """Replace choices by simpler ones, and numbers by rounder ones, while it fails alike."""
    best, forced = first, {i: c.value for i, c in first.draw.choices.items()}
    left = MOST_SIMPLIFICATIONS

    def fails(choices: dict[int, int], simplicity: int) -> Attempt | None:
        nonlocal left
        left -= 1
        draw = Draw(seed, prop.name, first.draw.case, prop.cases, choices, simplicity)
        try:
            attempt = _attempt(prop, student, draw)
        except NotRecorded:
            return None
        alike = attempt is not None and attempt.failure.kind == first.failure.kind
        return attempt if alike else None

    progress = True
    while progress and left > 0:
        progress = False
        for i, choice in sorted(best.draw.choices.items()):
            for simpler in _simpler(choice.value, choice.simplest):
                attempt = fails({**forced, i: simpler}, 0) if left > 0 else None
                if attempt is not None:
                    best, forced, progress = attempt, {**forced, i: simpler}, True
                    break
    for simplicity in range(len(DIGITS) - 1, 0, -1):
        attempt = fails(forced, simplicity)
        if attempt is not None:
            return attempt
    return best


def _simpler(value: int, simplest: int) -> list[int]:
    """Values to try in place of this one, the simplest first."""
    tried = [simplest, (value + simplest) // 2, value - 1]
    return sorted({v for v in tried if simplest <= v < value})


def _larger(prop: Property, student: Student, seed: int, first: Attempt) -> Attempt:
    """A larger case that fails alike: in it, mistakes differ that are the same in a small one."""
    for case in (prop.cases - 1, prop.cases - 2, prop.cases // 2):
        if case > first.draw.case:
            attempt = _attempt(prop, student, Draw(seed, prop.name, case, prop.cases))
            if attempt is not None and attempt.failure.kind == first.failure.kind:
                return attempt
    return first


def _counter_example(attempt: Attempt) -> CounterExample | None:
    if not attempt.calls:
        return None
    call, failure = attempt.calls[-1], attempt.failure
    return CounterExample(
        call=f"{call.name}({', '.join(call.arguments)})" if call.name else "",
        arguments=tuple((name, shown(value)) for name, value in call.arguments.items()),
        got="" if failure.got is None else shown(failure.got),
        expected="" if failure.expected is None else shown(failure.expected),
        numbers=failure.numbers,
        case=attempt.draw.case,
    )


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
    return f"{value:.8g}" if isinstance(value, float) else repr(value)[:400]
