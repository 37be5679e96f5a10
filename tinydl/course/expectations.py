"""What a property may expect of an answer; each raises a `Failure` that teaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinydl.course.failures import Failure
from tinydl.course.inside.frames import Other

# Relative tolerances by the element type of the answer.
TOLERANCES = {2: 1e-2, 4: 1e-4, 8: 1e-6}

Numbers = Callable[[tuple[int, ...]], str]


def expect(condition: object, message: str, **details: Any) -> None:
    """Fail with this message unless the condition holds; `details` as for `Failure`.

    Examples
    --------
    >>> expect(1 < 2, "one is less than two")
    """
    if not condition:
        raise Failure(message, **details)


def expect_close(
    got: Any,
    expected: Any,
    *,
    name: str = "the result",
    rtol: float | None = None,
    atol: float | None = None,
    numbers: Numbers | None = None,
    dtype: Any = None,
) -> None:
    r"""Hold an answer against the right one, element by element.

    An element :math:`g` is right if :math:`|g - e| \le a + r\,|e|`.

    Parameters
    ----------
    got : object
        What the submission answered.
    expected : array_like
        What is right.
    name : str
        What to call the answer.
    rtol : float, optional
        The tolerance r; by default 1e-6, or 1e-4 for an answer in float32.
    atol : float, optional
        The tolerance a; by default r times the largest expected magnitude, or r if all are 0.
    numbers : callable, optional
        Called with the index of the worst element, it writes the formula with its numbers.
    dtype : dtype_like, optional
        The element type that the answer must have; by default any real one.

    Raises
    ------
    Failure
        If it is not an array or number, of another shape or element type, not finite, or wrong.

    Examples
    --------
    >>> expect_close(2.0, 2.0 + 1e-9)
    >>> expect_close(np.array([1.0, 2.0]), [1.0, 3.0], name="y")
    Traceback (most recent call last):
        ...
    tinydl.course.failures.Failure: y[1] is 2, expected 3
    """
    right = np.asarray(expected)
    answer = as_array(got, name)
    _expect_shape(answer, right, name)
    if dtype is not None:
        expect_dtype(got, dtype, name=name)
    with np.errstate(all="ignore"):
        wrong = _errors(answer, right, rtol, atol)
    if not wrong.any():
        return
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    place = f"{name}[{', '.join(map(str, at))}]" if at else name
    message = f"{place} is {answer[at]:.8g}, expected {right[at]:.8g}"
    if not np.isfinite(answer[at]) and np.isfinite(right[at]):
        message += ": every element has to be finite here"
    if wrong.size > 1:
        message += f" ({np.count_nonzero(wrong)} of {wrong.size} elements are wrong)"
        message = message.replace(" (1 of 2 elements are wrong)", "")
    filled = numbers(at) if numbers else ""
    raise Failure(message, got=answer, expected=right, at=at, numbers=filled)


def is_close(got: Any, expected: Any) -> bool:
    """Whether an answer is right; for properties that only count where there is a right answer.

    Examples
    --------
    >>> is_close(np.array([1.0, 2.0]), [1.0, 2.0]), is_close(None, 1.0)
    (True, False)
    """
    try:
        expect_close(got, expected, rtol=1e-4, atol=1e-4)
    except Failure:
        return False
    return True


def _errors(
    answer: np.ndarray, right: np.ndarray, rtol: float | None, atol: float | None
) -> np.ndarray:
    """How far each element is off; 0 where it is right, infinite where it is not a number."""
    if answer.dtype.kind == "f" and rtol is None:
        rtol = TOLERANCES[min(answer.dtype.itemsize, 8)]
    rtol = 1e-6 if rtol is None else rtol
    a, e = answer.astype(np.float64), right.astype(np.float64)
    finite = np.abs(e[np.isfinite(e)])
    if atol is None:
        atol = rtol * (float(finite.max(initial=0.0)) or 1.0)
    same = (a == e) | (np.isnan(a) & np.isnan(e)) | (np.abs(a - e) <= atol + rtol * np.abs(e))
    off = np.abs(a - e)
    return np.where(same, 0.0, np.where(np.isnan(off), np.inf, np.maximum(off, 1e-300)))


def expect_equal(got: Any, expected: Any, *, name: str = "the result") -> None:
    """Hold an answer against the right one without any tolerance: labels, counts, truth values.

    Examples
    --------
    >>> expect_equal(np.array([1, 2]), [1, 2])
    """
    expect_close(got, expected, name=name, rtol=0.0, atol=0.0)


def expect_shape(got: Any, shape: tuple[int, ...], *, name: str = "the result") -> None:
    """Expect an array of this shape."""
    _expect_shape(as_array(got, name), np.empty(shape), name)


def _expect_shape(answer: np.ndarray, right: np.ndarray, name: str) -> None:
    if answer.shape == right.shape:
        return
    message = f"{name} has the shape {answer.shape}, expected {right.shape}"
    if right.shape == ():
        message = f"{name} has the shape {answer.shape}, expected a single number"
    raise Failure(message, kind="shape", got=answer, expected=right)


def expect_dtype(got: Any, dtype: Any, *, name: str = "the result") -> None:
    """Expect elements of this type.

    Examples
    --------
    >>> expect_dtype(np.ones(2), np.float64)
    """
    answer = as_array(got, name)
    if answer.dtype != np.dtype(dtype):
        message = f"{name} has the dtype {answer.dtype}, expected {np.dtype(dtype)}"
        raise Failure(message, kind="dtype", got=answer)


def expect_array(got: Any, *, name: str = "the result") -> None:
    """Expect an array, not a number or a list."""
    as_array(got, name)
    if not isinstance(got, np.ndarray):
        message = f"{name} is {_described(got)}, expected a NumPy array"
        raise Failure(message, kind="type")


def as_array(got: Any, name: str = "the result") -> np.ndarray:
    """An answer as a plain array; a list, None or a foreign object is a failure.

    Examples
    --------
    >>> as_array(2.5)
    array(2.5)
    """
    if isinstance(got, np.ndarray):
        return got
    if isinstance(got, (bool, int, float, np.generic)):
        with np.errstate(all="ignore"):
            answer = np.asarray(got)
        if answer.dtype.kind in "biuf":
            return answer
    hint = "; did you forget `return`?" if got is None else ""
    if isinstance(got, (list, tuple)):
        hint = "; make it an array, by np.array(...)" if isinstance(got, list) else ""
        if isinstance(got, tuple) and len(got) == 1:
            hint = "; a comma after a value makes a tuple of it"
    elif isinstance(got, Other) and "subclass" in got.described:
        hint = "; make it a plain one, by np.asarray(...)"
    elif isinstance(got, Other) and got.described.endswith(" generator"):
        hint = "; `return` answers, `yield` makes a generator"
    message = f"{name} is {_described(got)}, expected a NumPy array or a number{hint}"
    raise Failure(message, kind="type")


def _described(got: Any) -> str:
    if isinstance(got, Other):
        return got.described
    if got is None:
        return "None"
    if isinstance(got, (tuple, list, dict)):
        return f"a {type(got).__name__} of {len(got)}"
    return f"a {type(got).__name__}"
