"""References whose text stays with the teacher: a student's package has their answers instead.

A public property compares with the right answer, and a student may read it. A function that gives
the solution away is therefore declared as a reference. What it answers to the cases that a
student's check draws is recorded when the assignment is released; in the student's package its
body is gone, and the record answers.

>>> square = Reference(lambda x: x * x)
>>> with square.recording() as calls:
...     nine = square(3.0)
>>> from_record = Reference(lambda x: ...)
>>> from_record.answer_from(calls)
>>> from_record(3.0)
9.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import update_wrapper
from typing import Any

import numpy as np

from tinydl.course.inside import frames
from tinydl.errors import DataError

Call = list[Any]  # the arguments, the named ones, and the answer
SAME = 1e-6  # relative: mathematical functions may differ in the last bit between machines


class NotRecorded(DataError):
    """A reference is asked something that was not asked when the assignment was released."""


class Reference:
    """A function that gives right answers, or repeats the ones it once gave.

    Parameters
    ----------
    function : callable
        Of arrays, numbers, strings, and tuples, lists or dictionaries of these, as is its result.
    """

    __name__: str

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._calls: list[Call] | None = None
        self._record: Sequence[Call] | None = None
        update_wrapper(self, function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The answer, computed or from the record.

        Raises
        ------
        NotRecorded
            If it answers from a record that has no such question.
        """
        if self._record is not None:
            return self._recorded([list(arguments), named])
        if self._calls is None:
            return self._function(*arguments, **named)
        question = _copied([list(arguments), named])  # now: the function may change its arguments
        answer = self._function(*arguments, **named)
        self._calls.append([*question, _copied(answer)])
        return answer

    @contextmanager
    def recording(self) -> Iterator[list[Call]]:
        """Within the ``with`` statement, write down each question and its answer.

        Yields
        ------
        list of calls
            Of values that `tinydl.course.inside.frames` can write.

        Raises
        ------
        DataError
            From a call with a value that cannot be written.
        """
        calls: list[Call] = []
        self._calls = calls
        try:
            yield calls
        finally:
            self._calls = None

    def answer_from(self, record: Sequence[Call]) -> None:
        """From now on repeat these answers."""
        self._record = record

    def _recorded(self, question: list[Any]) -> Any:
        assert self._record is not None
        for tolerance in (0.0, SAME):
            for *asked, answer in self._record:
                if _alike(asked, question, tolerance):
                    return _copied(answer)
        raise NotRecorded(
            self.__name__,
            got="a case that was not recorded",
            hint=f"this is NumPy {np.__version__}; ask for a package made with it",
        )


def _copied(value: Any) -> Any:
    copy = frames.decode(frames.encode(value))
    if unknown := _unknown(copy):
        raise DataError("reference", unknown, expected="arrays, numbers, strings, lists of these")
    return copy


def _unknown(value: Any) -> str:
    """What in a value cannot be written, in words; "" if all can."""
    if isinstance(value, frames.Other):
        return value.described
    if isinstance(value, (dict, list, tuple)):
        parts = value.values() if isinstance(value, dict) else value
        return next(filter(None, map(_unknown, parts)), "")
    return ""


def _alike(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values are the same, floats up to a tolerance."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and _alike(
            list(one.values()), [other[key] for key in one], tolerance
        )
    if isinstance(one, (list, tuple)):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_alike(*pair, tolerance) for pair in pairs)
    if isinstance(one, (np.ndarray, np.generic, float)):
        first, second = np.asarray(one), np.asarray(other)
        if first.dtype != second.dtype or first.shape != second.shape:
            return False
        return bool(np.allclose(first, second, rtol=tolerance, atol=0.0, equal_nan=True))
    return bool(one == other)
