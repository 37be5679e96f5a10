"""Grading a class: all submissions, resumed, interrupted, and what is written about them."""

import csv
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from tests.course.toy import RIGHT, write_toy
from tinydl.course.batch import Batch
from tinydl.course.submissions import submissions_in
from tinydl.course.workers import GRADER_FAILED, Job, grade_all
from tinydl.errors import ArgumentError

CLASS = {
    "ada": RIGHT,
    "carl": RIGHT.replace("np.mean", "np.sum"),
    "eve": "import os\nos._exit(0)\n",
    "kurt": "def mse(y, t)\n    return 0\n",
}


def hand_in(folder, student, text, name="assignment.py"):
    place = folder / student / "00-toy"
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return write_toy(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="module")
def school(tmp_path_factory, toy):
    """The folder of a class that was graded, and what came out."""
    folder = tmp_path_factory.mktemp("school")
    for student, text in CLASS.items():
        hand_in(folder / "submissions", student, text)
    (folder / "submissions" / "blaise").mkdir()
    seen = []
    batch = Batch(submissions_in([folder / "submissions"], [toy]), folder / "graded")
    graded = batch.run(2, seen.append)
    assert {g.submission.student for g in seen} == {"blaise", *CLASS}
    return folder, graded


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_submission_has_a_grade(school):
    _, graded = school
    assert {g.submission.student: (g.grade.state, g.grade.earned) for g in graded} == {
        "ada": ("graded", 4),
        "blaise": ("missing", 0),
        "carl": ("graded", 1),
        "eve": ("crashed", 0),
        "kurt": ("syntax error", 0),
    }


def test_the_tables_have_a_line_for_each(school):
    folder, _ = school
    grades = rows(folder / "graded" / "grades.csv")
    assert [(row["student"], row["percent"]) for row in grades][:3] == [
        ("ada", "100.0"),
        ("blaise", "0.0"),
        ("carl", "25.0"),
    ]
    properties = rows(folder / "graded" / "properties.csv")
    assert len(properties) == 15
    ((first, *_),) = [[r for r in properties if r["student"] == "carl"]]
    assert (first["property"], first["likely mistake"]) == ("mse: value", "a sum for the mean")


def test_gradescope_gets_points_and_feedback_for_each_property(school):
    folder, _ = school
    results = json.loads((folder / "graded/carl/00-toy/results.json").read_text())
    assert results["score"] == sum(test["score"] for test in results["tests"]) == 1
    value, _, relu = results["tests"]
    assert (value["max_score"], value["status"]) == (2, "failed")
    assert "a sum for the mean" in value["output"]
    assert (relu["score"], relu["status"], relu["output"]) == (1, "passed", "")
    assert (
        "nothing was handed in"
        in str(json.loads((folder / "graded/blaise/00-toy/results.json").read_text())).lower()
    )


def test_no_feedback_tells_the_text_of_a_hidden_property(school):
    folder, _ = school
    for path in (folder / "graded").rglob("feedback.*"):
        assert "secret" not in path.read_text()


def regraded(folder, toy, seed=0, **settings):
    seen = []
    batch = Batch(
        submissions_in([folder / "submissions"], [toy]), folder / "graded", seed, **settings
    )
    graded = batch.run(2, seen.append)
    return graded, sorted(g.submission.student for g in seen)


@pytest.fixture
def small(tmp_path, toy):
    hand_in(tmp_path / "submissions", "ada", RIGHT)
    hand_in(tmp_path / "submissions", "carl", CLASS["carl"])
    regraded(tmp_path, toy)
    return tmp_path


def test_only_what_has_changed_is_graded_again(small, toy):
    assert regraded(small, toy)[1] == []
    hand_in(small / "submissions", "carl", RIGHT)
    graded, again = regraded(small, toy)
    assert again == ["carl"]
    assert [g.grade.earned for g in graded] == [4, 4]
    assert regraded(small, toy, seed=1)[1] == ["ada", "carl"]


def test_a_damaged_record_is_graded_again(small, toy):
    (small / "graded/ada/00-toy/grade.json").write_text("{}")
    assert regraded(small, toy)[1] == ["ada"]


def test_what_is_done_is_kept_when_it_is_interrupted(tmp_path, toy):
    for student in ("ada", "bea", "cid", "dan"):
        hand_in(tmp_path / "submissions", student, RIGHT)
    batch = Batch(submissions_in([tmp_path / "submissions"], [toy]), tmp_path / "graded")
    done = []

    def interrupt(graded):
        done.append(graded.submission.student)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.run(1, interrupt)
    assert [row["student"] for row in rows(tmp_path / "graded" / "grades.csv")] == done
    _, again = regraded(tmp_path, toy)
    assert sorted([*done, *again]) == ["ada", "bea", "cid", "dan"]


def test_a_late_submission_is_graded_and_marked(small, toy):
    path = small / "submissions/carl/00-toy/assignment.py"
    deadline = datetime(2026, 1, 31, 12)
    for file, hours in ((path, 3), (small / "submissions/ada/00-toy/assignment.py", -1)):
        os.utime(file, (deadline.timestamp() + 3600 * hours,) * 2)
    (ada, carl), again = regraded(small, toy, deadline=deadline)
    assert again == []
    assert (ada.late, carl.late) == (0.0, 3.0)
    assert "3.0 hours after" in (small / "graded/carl/00-toy/feedback.md").read_text()


def test_a_grader_that_fails_is_no_grade_and_is_tried_again(tmp_path, toy):
    ((job, result),) = grade_all([Job(tmp_path / "no-assignment", tmp_path)], 1)
    assert result.state == GRADER_FAILED and "properties.py" in result.message
    assert job.submission == tmp_path
    broken = write_toy(tmp_path)
    hand_in(tmp_path / "submissions", "ada", RIGHT)
    batch = Batch(submissions_in([tmp_path / "submissions"], [broken]), tmp_path / "graded")
    (broken / "properties.py").write_text("1 / 0")
    (graded,) = batch.run(1, lambda graded: None)
    assert graded.grade.state == GRADER_FAILED
    assert batch.done() == []


def test_submissions_are_found_in_three_layouts(tmp_path, toy):
    hand_in(tmp_path / "class", "ada", RIGHT)
    flat = tmp_path / "flat" / "carl"
    flat.mkdir(parents=True)
    (flat / "assignment.py").write_text(RIGHT)

    def found(*folders):
        return [(s.student, s.folder.name) for s in submissions_in(folders, [toy])]

    assert found(tmp_path / "class") == [("ada", "00-toy")]
    assert found(tmp_path / "class" / "ada") == [("ada", "00-toy")]
    assert found(tmp_path / "flat") == [("carl", "carl")]
    assert found(tmp_path / "class", tmp_path / "flat") == [("ada", "00-toy"), ("carl", "carl")]


def test_a_folder_by_another_spelling_or_in_another_one_is_found(tmp_path, toy):
    for place in ("ada/00 TOY", "bea/00-toy/00-toy", "cid/download/00_Toy", "dan/download"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "assignment.py").write_text(RIGHT)
    (tmp_path / "__MACOSX").mkdir()
    found = submissions_in([tmp_path], [toy])
    assert [s.student for s in found] == ["ada", "bea", "cid", "dan"]
    assert all(s.files for s in found)


def test_the_output_of_an_earlier_run_is_no_student(tmp_path, toy):
    for student in ("ada", "graded"):
        hand_in(tmp_path, student, RIGHT)
    with pytest.raises(ArgumentError, match="--output"):
        submissions_in([tmp_path], [toy], tmp_path / "graded")
    (tmp_path / "graded" / "grades.csv").touch()
    assert [s.student for s in submissions_in([tmp_path], [toy], tmp_path / "graded")] == ["ada"]


def test_links_are_no_submissions(tmp_path, toy):
    hand_in(tmp_path, "ada", RIGHT)
    (tmp_path / "eve" / "00-toy").mkdir(parents=True)
    (tmp_path / "eve" / "00-toy" / "assignment.py").symlink_to(toy / "assignment.py")
    _, eve = submissions_in([tmp_path], [toy])
    assert eve.files == []


@pytest.mark.parametrize("folders", [["nowhere"], ["empty"], ["one", "two"]])
def test_what_cannot_be_graded_is_said_in_a_sentence(tmp_path, toy, folders):
    (tmp_path / "empty" / "ada").mkdir(parents=True)
    hand_in(tmp_path / "one", "ada", RIGHT)
    hand_in(tmp_path / "two", "ada", RIGHT)
    with pytest.raises(ArgumentError, match="FOLDER"):
        submissions_in([Path(tmp_path, folder) for folder in folders], [toy])
