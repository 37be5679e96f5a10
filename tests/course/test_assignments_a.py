"""Assignments 1, 2, 4 and 7: right answers earn all points, mistakes lose what they name."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tinydl.course import grade, load_assignment
from tinydl.course.cells import format_script, read_cells
from tinydl.course.stripping import student_cells
from tinydl.explain.mathml import mathml
from tinydl.explain.unicode_math import unicode_math

HERE = Path(__file__).parent
FOLDERS = {
    path.name[:2]: path
    for path in sorted((HERE.parent.parent / "tutorials" / "assignments").iterdir())
    if path.name[:2] in ("01", "02", "04", "07")
}
FEW_CASES = 4  # for properties that a mistake does not touch


def unless(quick):
    """The mark of what only the long run does."""
    return () if quick else pytest.mark.slow


@cache
def assignment_of(number):
    return load_assignment(FOLDERS[number])


def solution_of(number):
    return (FOLDERS[number] / "assignment.py").read_text()


def graded(assignment, source, folder):
    path = folder / "assignment.py"
    path.write_text(source)
    result = grade(assignment, path)
    assert result.state == "graded", result.message
    return result


def failures(result):
    return {p.name: (p.kind, p.message) for p in result.properties if not p.passed}


@pytest.mark.parametrize("number", FOLDERS)
def test_the_solution_earns_everything(number, tmp_path):
    assignment = assignment_of(number)
    result = graded(assignment, solution_of(number), tmp_path)
    assert failures(result) == {}
    assert result.earned == assignment.points == 100


@pytest.mark.parametrize("number", FOLDERS)
def test_what_students_get_earns_nothing(number, tmp_path):
    cells = student_cells(read_cells(FOLDERS[number] / "assignment.py"))
    result = graded(assignment_of(number), format_script(cells), tmp_path)
    assert result.earned == 0
    assert {kind for kind, _ in failures(result).values()} <= {"missing", "raised"}


@pytest.mark.parametrize(
    "path",
    [path for n in FOLDERS for path in sorted((HERE / "right_answers").glob(f"{n}_*.py"))],
    ids=lambda path: path.stem,
)
def test_other_right_answers_earn_everything(path, tmp_path):
    result = graded(assignment_of(path.name[:2]), path.read_text(), tmp_path)
    assert failures(result) == {}


@pytest.mark.parametrize("answer", ["np.zeros(3)", "a[0]"])
@pytest.mark.parametrize("number", FOLDERS)
def test_answers_without_thought_earn_nothing(number, answer, tmp_path):
    assignment = assignment_of(number)
    names = [signature.partition("(")[0] for signature in assignment.functions]
    functions = [f"def {name}(*a, **named):\n    return {answer}" for name in names]
    result = graded(assignment, "\n".join(["import numpy as np", *functions]), tmp_path)
    assert result.earned == 0


def with_few_cases(assignment, others):
    """The assignment, with all its cases for `others` only."""
    made = load_assignment(FOLDERS[assignment.name[:2]])
    made.properties = [
        p if p.name in others else replace(p, cases=FEW_CASES) for p in made.properties
    ]
    return made


@pytest.mark.parametrize(
    ("number", "mistake"),
    [
        pytest.param(number, mistake, id=f"{number} {mistake.name}", marks=unless(i % 3 == 0))
        for number in FOLDERS
        for i, mistake in enumerate(assignment_of(number).mistakes)
    ],
)
def test_a_mistake_loses_what_it_names(number, mistake, tmp_path):
    assignment = with_few_cases(assignment_of(number), mistake.loses)
    result = graded(assignment, mistake.applied(solution_of(number)), tmp_path)
    assert set(failures(result)) == set(mistake.loses)
    lost = [p for p in result.properties if not p.passed]
    assert any(mistake.says in f"{p.message} {p.likely} {p.hint}" for p in lost)
    for example in (p.counter_example for p in lost):
        if example is not None and example.numbers:
            assert mathml(example.numbers) and unicode_math(example.numbers)


@pytest.mark.parametrize("number", FOLDERS)
def test_there_are_properties_and_mistakes_enough(number):
    assignment = assignment_of(number)
    hidden = [p for p in assignment.properties if not p.public]
    assert len(assignment.properties) >= 6 and 25 <= sum(p.points for p in hidden) <= 50
    assert all(p.cases >= 20 for p in assignment.properties)
    assert len(assignment.mistakes) >= 6
    for prop in assignment.properties:
        assert not prop.formula or (mathml(prop.formula) and unicode_math(prop.formula))


@pytest.mark.parametrize("number", FOLDERS)
def test_the_text_has_the_points_of_each_property(number):
    cells = read_cells(FOLDERS[number] / "assignment.py")
    rows = re.findall(r"^\| (.+) \| (\d+) \| (hidden )?\|$", cells[0].source, re.MULTILINE)
    told = {name: (float(points), not hidden) for name, points, hidden in rows}
    assert told == {p.name: (p.points, p.public) for p in assignment_of(number).properties}
    notes = [cell.metadata.get("nbgrader", {}) for cell in cells]
    assert sum(note.get("points", 0) for note in notes) == 100


@pytest.mark.parametrize("number", FOLDERS)
def test_the_tutorial_to_read_exists(number):
    stem = assignment_of(number).tutorial
    assert (FOLDERS[number].parent.parent / f"{stem}.py").is_file()


@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=unless(number == "01")) for number in FOLDERS]
)
def test_the_piece_works_in_the_framework(number, tmp_path):
    program = [sys.executable, "-W", "error", str(FOLDERS[number] / "assignment.py")]
    tree = str(HERE.parent.parent)
    environment = {**os.environ, "PYTHONPATH": tree, "TINYDL_NUM_THREADS": "1"}
    done = subprocess.run(
        program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    percentages = [float(p) for p in re.findall(r"([\d.]+)%", done.stdout)]
    assert percentages and min(percentages) > 85
