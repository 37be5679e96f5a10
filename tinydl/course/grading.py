"""Grading one submission: every property on its cases, and a grade as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinydl.course.assignment import Assignment, Property
from tinydl.course.failures import Failure
from tinydl.course.grades import Grade, PropertyResult
from tinydl.course.looks import Look, advice, read_look
from tinydl.course.process import Ended
from tinydl.course.session import KernelSession, Session, Sessions, python_start
from tinydl.course.sources import Source, Unreadable, read_extras, read_source
from tinydl.course.student import Student
from tinydl.course.texts import clean
from tinydl.course.trying import try_property


def grade(
    assignment: Assignment, path: str | Path, *, seed: int = 0, public_only: bool = False
) -> Grade:
    """Grade one submission.

    Whatever the submission does, this returns a grade.

    Parameters
    ----------
    assignment : Assignment
    path : str or Path
        The file that was handed in, or the folder it is in.
    seed : int
        Where the random inputs start.
    public_only : bool
        Leave out the hidden properties.

    Returns
    -------
    Grade
    """
    path = Path(path)
    chosen = [p for p in assignment.properties if p.public or not public_only]
    result = Grade(assignment.name, "graded", seed)
    try:
        source = read_source(path, assignment.file)
        session = _session(assignment, source, path)
    except Unreadable as problem:
        return _not_graded(result, chosen, problem.state, str(problem))
    except OSError as problem:
        return _not_graded(result, chosen, "unreadable", f"it cannot be read: {problem.strerror}")
    result.notes += source.notes
    if isinstance(session, KernelSession):
        result.notes += session.warnings
    try:
        loaded = session.load()
        look = read_look(loaded.get("look"))
        wrong = _problem(loaded, look, source.file)
        if wrong is not None or look is None:
            return _not_graded(result, chosen, *(wrong or ("garbled", "")))
        result.notes += advice(look, assignment.functions, assignment.allowed)
        result.properties = _try_all(assignment, chosen, session, look, seed)
    except Ended as ended:
        return _not_graded(
            result, chosen, ended.state, f"while the file is loaded: {ended.message}"
        )
    finally:
        session.close()
        result.output = clean(session.output, assignment.limits.output)
    return result


def _session(assignment: Assignment, source: Source, path: Path) -> Sessions:
    """What will run the submission."""
    limits = assignment.limits
    if assignment.file.endswith(".c"):
        return KernelSession(source.text, assignment.file, limits)
    start = python_start(source.text, assignment.file, assignment.allowed, limits)
    return Session(start, limits, read_extras(path, assignment.extras))


def _try_all(
    assignment: Assignment,
    chosen: list[Property],
    session: Sessions,
    look: Look,
    seed: int,
) -> list[PropertyResult]:
    parameters = look.parameters(assignment.functions)
    limits = assignment.limits
    results: list[PropertyResult] = []
    for prop in chosen:
        if session.taken > limits.total_seconds:
            late = Failure("not tried: the submission has used up its time", kind="timed out")
            results.append(_failed(prop, late.kind, late.message))
            continue

        seconds = prop.seconds or limits.seconds
        if any(result.kind == "timed out" for result in results):
            seconds /= 4  # it will probably happen again

        def student(seconds: float = seconds) -> Student:
            return Student(session, parameters, seconds, seed, assignment.inputs_may_change)

        with np.errstate(all="ignore"):
            results.append(try_property(prop, student, seed))
    return results


def _not_graded(result: Grade, chosen: list[Property], state: str, message: str) -> Grade:
    result.state, result.message = state, message
    result.properties = [_failed(prop, state, "not tried") for prop in chosen]
    return result


def _failed(prop: Property, kind: str, message: str) -> PropertyResult:
    return PropertyResult(
        prop.name,
        prop.points,
        0.0,
        prop.public,
        False,
        prop.formula,
        prop.hint,
        kind=kind,
        message=message,
    )


def _problem(loaded: Mapping[str, Any], look: Look | None, file: str) -> tuple[str, str] | None:
    """State and message if the file could not be loaded."""
    told, error = loaded.get("look"), loaded.get("error")
    syntax = told.get("syntax") if isinstance(told, dict) else None
    if isinstance(syntax, dict):
        return "syntax error", _syntax_message(syntax, file)
    if isinstance(error, dict):
        return "crashed", _error_message(error, file)
    if look is None or "result" not in loaded:
        return "garbled", "it interferes with the grader"
    return None


def _syntax_message(syntax: Mapping[str, Any], file: str) -> str:
    line, offset, text = syntax.get("line"), syntax.get("offset"), syntax.get("text")
    place = f"{file}, line {line}" if isinstance(line, int) else file
    message = f"{place}: {clean(syntax.get('message'), 300)}"
    if isinstance(text, str) and text:
        text = clean(text, 200).expandtabs(1)
        message += f"\n    {text}"
        if isinstance(offset, int) and 1 <= offset <= len(text) + 1:
            message += f"\n    {' ' * (offset - 1)}^"
    return message


def _error_message(error: Mapping[str, Any], file: str) -> str:
    line, text = error.get("line"), error.get("text")
    place = f"{file}, line {line}" if isinstance(line, int) else file
    message = f"{place}: {clean(error.get('type'), 80)}: {clean(error.get('message'))}"
    return f"{message}\n    {clean(text, 200)}" if isinstance(text, str) else message
