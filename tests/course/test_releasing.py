"""A release is what a student may have, and it has been proved that it can be graded."""

import ast

import pytest

from tests.course.toy import write_toy
from tinydl.course.cells import read_cells
from tinydl.course.releasing import assignments_in, release
from tinydl.errors import ArgumentError


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    toy = write_toy(folder / "teacher")
    names = []
    trials = release(toy, folder / "student", seen=lambda trial: names.append(trial.name))
    assert sorted(names) == sorted(trial.name for trial in trials)
    return folder / "student"


def test_it_has_what_a_student_needs_and_nothing_else(released):
    assert sorted(path.name for path in released.iterdir()) == [
        "README.md",
        "assignment.ipynb",
        "assignment.py",
        "public_answers.bin",
        "public_properties.py",
    ]
    for path in released.iterdir():
        for secret in (
            b"secret",
            b"np.mean(",
            b"HIDDEN",
            b"SOLUTION",
            b"only rows",
            b"literal_mse(",
        ):
            if (path.suffix, secret) != (".py", b"literal_mse("):
                assert secret not in path.read_bytes(), (path.name, secret)


def test_script_and_notebook_are_the_same(released):
    script = read_cells(released / "assignment.py")
    assert script == read_cells(released / "assignment.ipynb")
    assert [cell.metadata["nbgrader"]["points"] for cell in script if "assert" in cell.source] == [
        3,
        1,
    ]
    ast.parse((released / "assignment.py").read_text())


def test_the_readme_says_what_to_run_and_how_many_points_are_hidden(released):
    text = (released / "README.md").read_text()
    assert "course check assignment.py" in text
    assert "There are 4 points. The check tries what gives 3 of them" in text


def changed(path, *changes):
    text = path.read_text()
    for was, now in changes:
        assert was in text
        text = text.replace(was, now)
    path.write_text(text)


def test_what_is_wrong_with_an_assignment_is_said_all_at_once(tmp_path):
    toy = write_toy(tmp_path)
    changed(
        toy / "assignment.py",
        ("    ### BEGIN SOLUTION\n    return np.max", "    return np.max"),
        ("np.maximum(x, 0)\n    ### END SOLUTION", "np.maximum(x, 0)"),
    )
    changed(
        toy / "properties.py",
        ('says="a sum', 'says="a product'),
        ("((y - t) ** 2).mean(-1)", "np.mean((t - y) ** 2)"),
    )
    with pytest.raises(ArgumentError) as refusal:
        release(toy, tmp_path / "student")
    assert not (tmp_path / "student").exists()
    assert str(refusal.value).splitlines()[1:] == [
        "the released version: earns points for relu: value",
        "mistake 'a sum for the mean': the feedback does not say 'a product for the mean'",
        "mistake 'only rows': is not noticed by mse: matrices",
    ]


def test_a_solution_must_earn_all_points_and_a_released_file_be_imported(tmp_path):
    toy = write_toy(tmp_path)
    changed(toy / "assignment.py", ("np.maximum(x, 0)", "np.minimum(x, 0)"))
    changed(toy / "properties.py", ("MISTAKES = [", "MISTAKES = []\nOTHERS = ["))
    with pytest.raises(ArgumentError, match=r"solution: earns 3 of 4 points: relu: value \(y"):
        release(toy, tmp_path / "student")
    changed(toy / "assignment.py", ("import numpy as np", "import numpie as np"))
    with pytest.raises(ArgumentError, match="released version: cannot be imported"):
        release(toy, tmp_path / "student")


def test_a_mistake_must_be_possible(tmp_path):
    toy = write_toy(tmp_path)
    changed(toy / "properties.py", ('replace="np.mean("', 'replace="np.max("'))
    with pytest.raises(ArgumentError, match="found 0 times in the solution"):
        release(toy, tmp_path / "student")


def test_a_folder_of_assignments_or_one_of_them(tmp_path):
    toy = write_toy(tmp_path)
    assert assignments_in(toy) == assignments_in(tmp_path) == [toy]
    for nothing in (tmp_path / "nowhere", toy.parent.parent / "nothing"):
        with pytest.raises(ArgumentError, match=r"properties\.py"):
            assignments_in(nothing)
