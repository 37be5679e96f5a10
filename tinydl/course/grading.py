"""Grading one submission: every property on its cases, and a grade as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinydl.course.assignment import Assignment, Property
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
    result = Grade(assignment.name, "graded", seed)
    chosen = [p for p in assignment.properties if p.public or not public_only]
    try:
        _grade(assignment, Path(path), chosen, result)
    except Unreadable as problem:
        result.state, result.message = problem.state, str(problem)
        result.properties = [_failed(prop, problem.state, "not tried") for prop in chosen]
    return result


def _grade(assignment: Assignment, path: Path, chosen: list[Property], result: Grade) -> None:
    """Fill in the result; raise Unreadable if nothing can be graded."""
    source = read_source(path, assignment.file)
    session = _session(assignment, source, path)
    result.notes += [*source.notes, *session.warnings]
    try:
        look = _load(session, source)
        result.notes += advice(look, assignment.functions, assignment.allowed)
        tried = _try_all(assignment, chosen, session, look, result.seed)
        result.properties = [_placed(prop, source) for prop in tried]
    finally:
        session.close()
        result.output = clean(session.output, assignment.limits.output)


def _session(assignment: Assignment, source: Source, path: Path) -> Sessions:
    """What will run the submission."""
    limits = assignment.limits
    if assignment.file.endswith(".c"):
        return KernelSession(source.text, assignment.file, limits)
    start = python_start(source.text, assignment.file, assignment.allowed, limits)
    return Session(start, limits, read_extras(path, assignment.extras))


def _load(session: Sessions, source: Source) -> Look:
    """Run the file; raise Unreadable if that fails."""
    try:
        loaded = session.load()
    except Ended as ended:
        message = f"while the file is loaded: {ended.message}"
        raise Unreadable(ended.state, message) from None
    told, error = loaded.get("look"), loaded.get("error")
    syntax = told.get("syntax") if isinstance(told, dict) else None
    if isinstance(syntax, dict):
        raise Unreadable("syntax error", _syntax_message(syntax, source))
    if isinstance(error, dict):
        raise Unreadable("crashed", _error_message(error, source))
    look = read_look(told)
    if look is None or "result" not in loaded:
        raise Unreadable("garbled", "it interferes with the grader")
    return look


def _try_all(
    assignment: Assignment, chosen: list[Property], session: Sessions, look: Look, seed: int
) -> list[PropertyResult]:
    parameters = look.parameters(assignment.functions)
    limits = assignment.limits
    results: list[PropertyResult] = []
    for prop in chosen:
        if session.taken > limits.total_seconds:
            message = "not tried: the submission has used up its time"
            results.append(_failed(prop, "timed out", message))
            continue
        seconds = prop.seconds or limits.seconds
        if any(result.kind == "timed out" for result in results):
            seconds /= 4  # it will probably happen again

        def student(seconds: float = seconds) -> Student:
            return Student(session, parameters, seconds, assignment.inputs_may_change)

        with np.errstate(all="ignore"):
            results.append(try_property(prop, student, seed))
    return results


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


def _placed(result: PropertyResult, source: Source) -> PropertyResult:
    """The result, the line in it counted as the student sees it."""
    if result.line is None:
        return result
    cell, line = source.place(result.line)
    return replace(result, cell=cell, line=line)


def _place(line: Any, source: Source) -> str:
    """Such as "assignment.py, line 7"."""
    if not isinstance(line, int):
        return source.file
    cell, line = source.place(line)
    return f"{source.file}, {f'code cell {cell}, ' if cell else ''}line {line}"


def _syntax_message(syntax: Mapping[str, Any], source: Source) -> str:
    offset, text = syntax.get("offset"), syntax.get("text")
    message = f"{_place(syntax.get('line'), source)}: {clean(syntax.get('message'), 300)}"
    if isinstance(text, str) and text:
        text = clean(text, 200).expandtabs(1)
        message += f"\n    {text}"
        if isinstance(offset, int) and 1 <= offset <= len(text) + 1:
            message += f"\n    {' ' * (offset - 1)}^"
    return message


def _error_message(error: Mapping[str, Any], source: Source) -> str:
    text, place = error.get("text"), _place(error.get("line"), source)
    message = f"{place}: {clean(error.get('type'), 80)}: {clean(error.get('message'))}"
    return f"{message}\n    {clean(text, 200)}" if isinstance(text, str) else message
