"""A made-up class of twelve, whose submissions are what a teacher has to expect.

Nobody in it is a real person; their programs are made from the reference solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinydl.course.assignment import Assignment, load_assignment
from tinydl.course.cells import format_notebook, parse_script
from tinydl.course.releasing import SCRIPT, solution_files, student_files

SLOW = """
import time as _time

def _slowly(function):
    def wrapped(*arguments, **named):
        _time.sleep(0.01)
        return function(*arguments, **named)
    return wrapped

for _name in {names!r}:
    globals()[_name] = _slowly(globals()[_name])
"""
PATCHES = """
import builtins
import numpy as np

builtins.abs = lambda x: 0
np.allclose = np.array_equal = np.isclose = lambda *a, **k: True
np.sum = np.mean = np.max = lambda *a, **k: 0

class Right(np.ndarray):
    def __eq__(self, other):
        return True

def answer(*arguments, **named):
    return np.zeros(3).view(Right)

for _name in {names!r}:
    globals()[_name] = answer
"""
SPIES = """
import gc
import os
import sys

def answer(*arguments, **named):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if callable(value) and "solution" in getattr(value, "__name__", ""):
                return value(*arguments, **named)
        frame = frame.f_back
    for folder, _, files in os.walk("/home"):
        if "properties.py" in files:
            return open(os.path.join(folder, "properties.py")).read()
    os._exit(0)

for _name in {names!r}:
    globals()[_name] = answer
"""
ENDLESS = "while True:\n    pass\n"


def write_class(source: Path, folder: Path) -> None:
    """Write the submissions of the class.

    Parameters
    ----------
    source : Path
        The assignment's folder, whose file is a Python program.
    folder : Path
        Where the students' folders are made.
    """
    assignment = load_assignment(source)
    solution = solution_files(source, assignment)
    for student, files in _class(assignment, solution, student_files(source, assignment)).items():
        place = folder / student / source.name
        place.mkdir(parents=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")


def _class(
    assignment: Assignment, solution: dict[str, str], released: dict[str, str]
) -> dict[str, dict[str, str]]:
    """The files of each student."""
    right = solution[SCRIPT]
    names = [signature.partition("(")[0] for signature in assignment.functions]
    return {
        "abel-never-ends": {SCRIPT: right + ENDLESS},
        "ada-all-right": solution,
        "emmy-a-notebook": {"assignment.ipynb": format_notebook(parse_script(right))},
        "sofia-right-but-slow": {SCRIPT: right + SLOW.format(names=names)},
        **_mistaken(["carl", "maria", "leonhard"], assignment, solution),
        "alan-not-begun": released,
        "kurt-a-syntax-error": {SCRIPT: right.replace("):\n", ")\n", 1)},
        "blaise-nothing": {},
        "mallory-patches-abs": {SCRIPT: right + PATCHES.format(names=names)},
        "eve-looks-for-answers": {SCRIPT: right + SPIES.format(names=names)},
    }


def _mistaken(
    students: Sequence[str], assignment: Assignment, solution: dict[str, str]
) -> dict[str, dict[str, str]]:
    """Students with typical mistakes, from all over the catalogue."""
    mistakes = assignment.mistakes
    step = max(1, len(mistakes) // len(students))
    return {
        student: {**solution, mistake.file: mistake.applied(solution[mistake.file])}
        for student, mistake in zip(students, mistakes[::step], strict=False)
    }
