"""Trying one property: case by case, then smaller, then the likely mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from tinydl.course.assignment import Property
from tinydl.course.draws import DIGITS, Draw
from tinydl.course.failures import Failure
from tinydl.course.grades import CounterExample, PropertyResult
from tinydl.course.likely import likely_mistake
from tinydl.course.references import NotRecorded
from tinydl.course.student import Call, Student
from tinydl.course.texts import shown

MOST_TRIALS = 60
UNSTEADY = (
    "the same call is answered differently when it comes again: something is kept from one call to "
    "the next (a global variable, a list as a default), or drawn at random"
)
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
    smallest, likely = first, ""
    if first.failure.kind not in FINAL:
        trials = _Trials(prop, new_student(), seed, first)
        smallest = _simplified(trials)
        larger = _larger(trials)
        seen = [(a.calls, a.failure) for a in (smallest, larger)]
        likely = likely_mistake(prop.likely, seen) or trials.unsteady(smallest)
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


class _Trials:
    """Further draws of a property that has failed once, as long as there are trials left."""

    def __init__(self, prop: Property, student: Student, seed: int, first: Attempt) -> None:
        self.prop, self.first = prop, first
        self._student, self._seed = student, seed
        self._left = MOST_TRIALS

    def fails(
        self, case: int, choices: Mapping[int, int] | None = None, simplicity: int = 0
    ) -> Attempt | None:
        """The failure on this draw, if it is of the same kind as the first."""
        if self._left <= 0:
            return None
        self._left -= 1
        draw = Draw(self._seed, self.prop.name, case, self.prop.cases, choices, simplicity)
        try:
            attempt = _attempt(self.prop, self._student, draw)
        except NotRecorded:
            return None
        if attempt is None or attempt.failure.kind == self.first.failure.kind:
            return attempt
        if attempt.failure.kind in FINAL:  # each further one could take long
            self._left = 0
        return None

    def unsteady(self, attempt: Attempt) -> str:
        """What to say if the same call is answered differently when it comes again."""
        failure = attempt.failure
        if failure.got is None or failure.kind in ("raised", "missing"):
            return ""
        with suppress(NotRecorded):
            again = _attempt(self.prop, self._student, attempt.draw.again())
            if again is None or not np.array_equal(again.failure.got, failure.got, equal_nan=True):
                return UNSTEADY
        return ""


def _simplified(trials: _Trials) -> Attempt:
    """Replace choices by simpler ones, and numbers by rounder ones, while it fails alike."""
    best, case = trials.first, trials.first.draw.case
    choices = {i: choice.value for i, choice in best.draw.choices.items()}
    progress = True
    while progress:
        progress = False
        for i, choice in sorted(best.draw.choices.items()):
            for simpler in _simpler(choice.value, choice.simplest):
                attempt = trials.fails(case, {**choices, i: simpler})
                if attempt is not None:
                    best, choices, progress = attempt, {**choices, i: simpler}, True
                    break
    for simplicity in range(len(DIGITS) - 1, 0, -1):
        attempt = trials.fails(case, choices, simplicity)
        if attempt is not None:
            return attempt
    return best


def _simpler(value: int, simplest: int) -> list[int]:
    """Values to try in place of this one, the simplest first."""
    tried = [simplest, (value + simplest) // 2, value - 1]
    return sorted({v for v in tried if simplest <= v < value})


def _larger(trials: _Trials) -> Attempt:
    """A larger case that fails alike: in it, mistakes differ that are the same in a small one."""
    cases = trials.prop.cases
    for case in (cases - 1, cases - 2, cases // 2):
        if case > trials.first.draw.case:
            attempt = trials.fails(case)
            if attempt is not None:
                return attempt
    return trials.first


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
