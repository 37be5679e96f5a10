"""`python -m tinydl course`."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.course.toy import RIGHT, write_toy
from tinydl.__main__ import main
from tinydl.cli.course import _time


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A folder with a toy assignment, and its release."""
    folder = tmp_path_factory.mktemp("course")
    write_toy(folder / "assignments")
    assert main(["course", "release", str(folder / "assignments"), str(folder / "released")]) == 0
    return folder


@pytest.fixture
def student(course, tmp_path):
    return shutil.copytree(course / "released" / "00-toy", tmp_path / "00-toy")


def test_a_check_of_the_released_file_says_what_is_to_be_written(student, capsys):
    assert main(["course", "check", str(student / "assignment.py")]) == 1
    text = capsys.readouterr().out
    assert "✗ mse: value  0 of 2 points" in text
    assert "mse is not written yet" in text
    assert "1 of all 4 points are still open" in " ".join(text.split())


def test_a_check_shows_the_formula_the_numbers_and_the_mistake(student, capsys):
    (student / "assignment.py").write_text(RIGHT.replace("np.mean", "np.sum"))
    assert main(["course", "check", str(student / "assignment.py")]) == 1
    text = capsys.readouterr().out
    for part in (
        "Likely mistake: a sum for the mean",
        "L = (1/n)·Σ_i",
        "✓ relu",
        "  y = [",
        "L = (1/2)",
    ):
        assert part in text


def test_a_check_never_says_that_all_is_well_while_points_are_hidden(student, capsys):
    (student / "assignment.py").write_text(RIGHT)
    assert main(["course", "check", str(student / "assignment.py")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "You have 3 of 3 points that can be tried here." in text
    assert "1 of all 4 points are still open: hidden properties" in text
    assert "passed" not in text


def test_a_teacher_can_check_in_the_assignments_folder(course, capsys):
    path = course / "assignments" / "00-toy" / "assignment.py"
    assert main(["course", "check", str(path)]) == 0
    assert "hidden" in capsys.readouterr().out


def test_a_syntax_error_is_shown_with_its_line(student, capsys):
    (student / "assignment.py").write_text("x = (\n")
    assert main(["course", "check", str(student / "assignment.py")]) == 1
    assert "assignment.py, line 1" in capsys.readouterr().out


def test_a_refused_release_says_why(course, tmp_path, capsys):
    toy = shutil.copytree(course / "assignments" / "00-toy", tmp_path / "00-toy")
    path = toy / "assignment.py"
    path.write_text(path.read_text().replace("np.maximum(x, 0)", "x"))
    properties = toy / "properties.py"
    properties.write_text(properties.read_text().partition("MISTAKES")[0])
    assert main(["course", "release", str(toy), str(tmp_path / "released")]) == 1
    assert "the reference solution: earns 3 of 4 points" in capsys.readouterr().out


def grade(course, tmp_path, *more):
    folder = tmp_path / "submissions" / "ada" / "00-toy"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assignment.py").write_text(RIGHT.replace("np.mean", "np.sum"))
    words = [str(tmp_path / "submissions"), "--assignments", str(course / "assignments")]
    return main(["course", "grade", *words, "--output", str(tmp_path / "graded"), *more])


def test_a_class_is_graded_once(course, tmp_path, capsys):
    assert grade(course, tmp_path) == 0
    text = capsys.readouterr().out
    assert "1 of 4" in text and "a sum for the mean" in text and "1 of 1" in text
    with (tmp_path / "graded" / "grades.csv").open(newline="") as file:
        assert [row["student"] for row in csv.DictReader(file)] == ["ada"]
    assert grade(course, tmp_path, "--workers=1") == 0
    assert "1 of 1 submissions were graded before" in capsys.readouterr().out
    assert grade(course, tmp_path, "--deadline=2020-01-01") == 0
    assert "hours late" in capsys.readouterr().out


def test_one_submission_to_results_json(course, tmp_path, capsys):
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "assignment.py").write_text(RIGHT)
    results = tmp_path / "results.json"
    words = [str(folder), "--assignments", str(course / "assignments"), "--results", str(results)]
    assert main(["course", "grade", *words]) == 0
    assert '"score": 4' in results.read_text()


def children_of(number):
    """The processes that a process has started, by any of its threads."""
    lists = Path(f"/proc/{number}/task").glob("*/children")
    return [pid for children in lists for pid in children.read_text().split()]


def test_a_deadline_without_a_time_is_the_end_of_the_day():
    assert _time("2027-01-31") > _time("2027-01-31T23:59") > _time("2027-01-31 12:00")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_batch_that_is_ended_leaves_no_graders(course, tmp_path, number):
    folder = tmp_path / "submissions" / "oscar" / "00-toy"
    folder.mkdir(parents=True)
    (folder / "assignment.py").write_text("while True:\n    pass\n")
    words = ["course", "grade", "submissions", "--assignments", str(course / "assignments")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tinydl", *words],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # even if we ignore it
    )
    while not (graders := children_of(process.pid)) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    _, complaint = process.communicate()
    assert (process.returncode, complaint) == (130, b"tinydl course: interrupted\n")
    assert not [pid for pid in graders if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("tool", ["nbgrader", "otter", "gradescope"])
def test_exports_say_what_to_do_with_them(course, tmp_path, tool, capsys):
    assert main(["course", "export", str(course / "assignments"), str(tmp_path), f"--{tool}"]) == 0
    assert str(tmp_path) in capsys.readouterr().out
    assert list(tmp_path.rglob("*00-toy*"))


@pytest.mark.parametrize(
    "words",
    [
        ["check", "nowhere.py"],
        ["check", __file__],
        ["grade", "nowhere", "--assignments", "assignments"],
        ["grade", ".", "--assignments", "nowhere"],
        ["grade", ".", ".", "--results", "r.json", "--assignments", "assignments"],
        ["release", "nowhere", "released"],
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(course, words, monkeypatch, capsys):
    monkeypatch.chdir(course)
    assert main(["course", *words]) == 2
    assert capsys.readouterr().err.count("\n") <= 3


@pytest.mark.parametrize("words", [["--workers=0"], ["--deadline=soon"]])
def test_impossible_settings_are_refused(words):
    with pytest.raises(SystemExit):
        main(["course", "grade", ".", *words])
