"""Grading one submission: every property on its cases, and a grade as plain data."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinydl.course.assignment import Assignment, Property
from tinydl.course.failures import Failure
from tinydl.course.grades import Grade, PropertyResult
from tinydl.course.process import Ended
from tinydl.course.session import KernelSession, Session, Sessions, python_start
from tinydl.course.sources import Source, Unreadable, read_extras, read_source
from tinydl.course.student import Student
from tinydl.course.trying import try_property

SIGNATURE = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*")


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
        problem_of_file = _problem(loaded, source)
        if problem_of_file:
            return _not_graded(result, chosen, *problem_of_file)
        result.notes += _advice(assignment, loaded["look"])
        result.properties = _try_all(assignment, chosen, session, loaded["look"], seed)
    except Ended as ended:
        return _not_graded(
            result, chosen, ended.state, f"while the file is loaded: {ended.message}"
        )
    finally:
        session.close()
        result.output = session.output
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
    look: Mapping[str, Any],
    seed: int,
) -> list[PropertyResult]:
    parameters = _parameters(assignment, look)
    stop = time.monotonic() + assignment.limits.total_seconds
    results = []
    for prop in chosen:
        if time.monotonic() > stop:
            late = Failure("not tried: the submission has used up its time", kind="timed out")
            results.append(_failed(prop, late.kind, late.message))
            continue

        def student(prop: Property = prop) -> Student:
            seconds = prop.seconds or assignment.limits.seconds
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


def _problem(loaded: Mapping[str, Any], source: Source) -> tuple[str, str] | None:
    """State and message if the file could not be loaded."""
    look, error = loaded.get("look"), loaded.get("error")
    syntax = look.get("syntax") if isinstance(look, dict) else None
    if isinstance(syntax, dict):
        return "syntax error", _syntax_message(syntax, source.file)
    if isinstance(error, dict):
        return "crashed", _error_message(error, source.file)
    if not isinstance(look, dict):
        return "garbled", "it interferes with the grader"
    return None


def _syntax_message(syntax: Mapping[str, Any], file: str) -> str:
    line, offset, text = syntax.get("line"), syntax.get("offset"), str(syntax.get("text") or "")
    place = f"{file}, line {line}: " if line else f"{file}: "
    message = f"{place}{syntax.get('message')}"
    if text:
        message += f"\n    {text}"
        if isinstance(offset, int) and 1 <= offset <= len(text) + 1:
            message += f"\n    {' ' * (offset - 1)}^"
    return message


def _error_message(error: Mapping[str, Any], file: str) -> str:
    place = f"{file}, line {error['line']}: " if error.get("line") else f"{file}: "
    message = f"{place}{error.get('type')}: {error.get('message')}"
    return f"{message}\n    {error['text']}" if error.get("text") else message


def _parameters(assignment: Assignment, look: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parameter names of each function, as the student calls them, else as asked for."""
    names = {}
    for name, asked in map(_signature, assignment.functions):
        names[name] = asked or []
    for name, found in look.get("defines", {}).items():
        if isinstance(found, dict):
            names[name] = [str(p) for p in found["positional"]]
    return names


def _signature(text: str) -> tuple[str, list[str] | None]:
    """Name and parameters; None in place of the parameters if none are given."""
    match = SIGNATURE.fullmatch(text)
    assert match is not None, f"{text!r} is no signature"
    name, parameters = match.groups()
    if parameters is None:
        return name, None
    return name, [p.split("=")[0].strip() for p in parameters.split(",") if p.strip()]


def _advice(assignment: Assignment, look: Mapping[str, Any]) -> list[str]:
    """What can be said before anything runs: missing functions, other signatures, imports."""
    defined, advice = look["defines"], []
    for name, asked in map(_signature, assignment.functions):
        if name not in defined:
            near = difflib.get_close_matches(name, defined, n=1)
            meant = f" Is it {near[0]}?" if near else ""
            advice.append(f"Your file does not define {name}.{meant}")
        elif asked is not None and isinstance(defined[name], dict):
            advice += _advice_on_signature(name, asked, defined[name])
    for module, line in look["imports"]:
        top = module.partition(".")[0]
        if top in FOREIGN and top not in assignment.allowed:
            advice.append(f"Line {line} imports {top}, which this assignment does not allow.")
    return advice


FOREIGN = ("tinydl", "torch", "tensorflow", "jax", "keras", "scipy", "sklearn", "autograd", "cffi")


def _advice_on_signature(name: str, asked: list[str], found: Mapping[str, Any]) -> list[str]:
    fits = len(found["required"]) <= len(asked) <= len(found["positional"]) or found["more"]
    if fits:
        return []
    wanted, has = ", ".join(asked), ", ".join(found["positional"])
    return [f"{name}({has}) is asked to be {name}({wanted})."]
