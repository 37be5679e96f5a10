"""Assignments 3, 5, 6 and 8: what is right earns all points, each mistake loses what it names."""

import shutil
from copy import copy
from pathlib import Path

import pytest

from tinydl.course import grade, load_assignment
from tinydl.course.cells import format_script, read_cells
from tinydl.course.stripping import student_cells, without_c_solutions

ROOT = Path(__file__).parents[2]
NUMBERS = ("03", "05", "06", "08")
FOLDERS = {number: next((ROOT / "tutorials/assignments").glob(f"{number}-*")) for number in NUMBERS}
ASSIGNMENTS = {number: load_assignment(folder) for number, folder in FOLDERS.items()}
TRAINING = "training: accuracy on unseen images"  # takes half a minute
QUICK = {"03": 4, "05": 4, "06": 2, "08": 1}  # so many mistakes are tried in every run
MISTAKES = [
    pytest.param(
        number,
        mistake,
        id=f"{number}-{mistake.name}",
        marks=[] if position < QUICK[number] else [pytest.mark.slow],
    )
    for number, assignment in ASSIGNMENTS.items()
    for position, mistake in enumerate(assignment.mistakes)
]
RIGHT_ANSWERS = [
    path
    for path in sorted((Path(__file__).parent / "right_answers").iterdir())
    if path.name[:2] in ASSIGNMENTS
]


@pytest.fixture(autouse=True)
def skip_without_a_compiler(request):
    """Leave out what needs to be compiled where nothing can be."""
    named = str(request.node.callspec.params) if hasattr(request.node, "callspec") else ""
    if "06" in named and shutil.which("cc") is None:
        pytest.skip("there is no C compiler")


def graded(number, folder, *, training=False, **files):
    """The grade of the solution, with some of its files replaced."""
    for path in FOLDERS[number].iterdir():
        if path.name == "assignment.py" or path.suffix == ".c":
            shutil.copy(path, folder)
    for name, text in files.items():
        (folder / name).write_text(text)
    assignment = copy(ASSIGNMENTS[number])
    if not training:
        assignment.properties = [p for p in assignment.properties if p.name != TRAINING]
    return grade(assignment, folder)


def told(result):
    """All that the feedback says about what is wrong."""
    failed = [p for p in result.properties if not p.passed]
    said = [result.message, *result.notes]
    return " ".join([*said, *(f"{p.message} {p.likely} {p.hint}" for p in failed)])


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_the_solution_earns_all_points(number, tmp_path):
    result = graded(number, tmp_path)
    assert result.earned == result.points, told(result)
    assert result.notes == []


@pytest.mark.slow
def test_the_solution_learns_to_read(tmp_path):
    result = graded("08", tmp_path, training=True)
    assert result.earned == 100, told(result)


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_there_are_100_points(number):
    assert ASSIGNMENTS[number].points == 100


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_what_students_get_earns_nothing(number, tmp_path):
    script = FOLDERS[number] / "assignment.py"
    files = {"assignment.py": format_script(student_cells(read_cells(script)))}
    for path in FOLDERS[number].glob("*.c"):
        files[path.name] = without_c_solutions(path.read_text())
    result = graded(number, tmp_path, **files)
    assert result.state == "graded", result.message
    assert result.earned == 0


@pytest.mark.parametrize("number, mistake", MISTAKES)
def test_a_mistake_is_caught_and_named(number, mistake, tmp_path):
    solution = (FOLDERS[number] / mistake.file).read_text()
    result = graded(number, tmp_path, **{mistake.file: mistake.applied(solution)})
    assert {p.name for p in result.properties if not p.passed} == set(mistake.loses) - {TRAINING}
    assert mistake.says and mistake.says in told(result)


@pytest.mark.parametrize("path", RIGHT_ANSWERS, ids=lambda path: path.stem)
def test_a_right_answer_of_another_kind_earns_all_points(path, tmp_path):
    number = path.name[:2]
    result = graded(number, tmp_path, **{ASSIGNMENTS[number].file: path.read_text()})
    assert result.earned == result.points, told(result)


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_the_table_of_points_is_that_of_the_properties(number):
    text = (FOLDERS[number] / "assignment.py").read_text()
    for prop in ASSIGNMENTS[number].properties:
        hidden = "" if prop.public else "hidden"
        row = f"# | {prop.name} | {prop.points:g} | {hidden}".rstrip() + " |"
        assert row in text


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_some_properties_are_hidden_and_mistakes_are_many(number):
    properties = ASSIGNMENTS[number].properties
    assert any(p.public for p in properties) and any(not p.public for p in properties)
    assert len(ASSIGNMENTS[number].mistakes) >= (3 if number == "08" else 6)
