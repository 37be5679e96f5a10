"""The commands of docs/teaching.md and docs/for-students.md, one after the other."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.course.toy import write_toy
from tinydl.course import load_assignment

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = sorted((ROOT / "tutorials" / "assignments").glob("[0-9]*"))
NAME = "01-forward-and-losses"
INSTALLING = ("git clone", "python -m venv", "pip install")


def commands(page):
    """The shell commands of a page, but not those that download something."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.S | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if not line.startswith(INSTALLING)]


def run(lines, folder):
    """Run the lines in one shell; each must succeed, except the check of an empty assignment."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python").chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-ec", "\n".join(lines)],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """What a teacher has after the commands: a small assignment stands for the real ones."""
    folder = tmp_path_factory.mktemp("teacher")
    toy = write_toy(folder / "course" / "tinydl" / "tutorials" / "assignments")
    for name in ("assignment.py", "properties.py"):
        text = (toy / name).read_text()
        (toy / name).write_text(text.replace("00-toy", NAME))
    toy.rename(toy.with_name(NAME))
    lines = [line.replace("mkdir course && ", "") for line in commands("teaching.md")]
    result = run(lines, folder)
    assert result.returncode == 0, result.stderr
    return folder / "course"


def test_the_teachers_commands_lead_to_feedback_for_a_class(course):
    demo = (course / "tinydl-course-demo" / "graded" / "grades.csv").read_text()
    assert demo.count("\n") == 13
    grades = (course / "graded" / "grades.csv").read_text().splitlines()
    assert len(grades) == 5
    for line in grades[1:]:
        assert line in demo
    page = course / "tinydl-course-demo/graded/carl" / NAME / "feedback.html"
    assert "Likely mistake" in page.read_text()
    for made in ("nbgrader-course/nbgrader_config.py", "otter-course", "gradescope"):
        assert (course / made).exists()


def test_the_students_commands_lead_to_a_check(course):
    result = run(commands("for-students.md"), course / "released")
    assert "mse is not written yet" in result.stdout
    assert "still open" in result.stdout


def test_the_teachers_own_assignment_can_be_released(tmp_path):
    text = (ROOT / "docs" / "teaching.md").read_text()
    task, properties = re.findall(r"^```python\n(.*?)^```$", text, re.S | re.M)
    folder = tmp_path / "09-means"
    folder.mkdir()
    (folder / "assignment.py").write_text(task)
    (folder / "properties.py").write_text(properties)
    result = run(["python -m tinydl course release 09-means released"], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "each of 1 typical mistakes" in result.stdout


@pytest.mark.parametrize("page", ["teaching.md", "for-students.md"])
def test_local_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "docs" / page).read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / "docs" / link).exists()] == []


@pytest.mark.parametrize("folder", ASSIGNMENTS, ids=lambda path: path.name)
def test_feedback_leads_to_a_tutorial_that_is_there(folder):
    tutorial = load_assignment(folder).tutorial
    assert (ROOT / "tutorials" / f"{tutorial}.py").is_file()
