"""What nbgrader, Otter and Gradescope are given; and, where these are installed, what they say."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.course.toy import RIGHT, write_toy
from tinydl.course.cells import Cell, read_cells
from tinydl.course.exporting import export_gradescope, export_nbgrader, export_otter
from tinydl.course.exporting.otter import otter_cells

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = sorted((ROOT / "tutorials" / "assignments").glob("[0-9]*"))
PROGRAMS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": PROGRAMS}  # nbgrader runs alembic


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    toy = write_toy(tmp_path_factory.mktemp("teacher"))
    (toy / "kernels.c").write_text(
        "int f(void) {\n    // ### BEGIN SOLUTION\n    return 7;\n    // ### END SOLUTION\n}\n"
    )
    properties = toy / "properties.py"
    properties.write_text(
        properties.read_text().replace(
            'title="A toy",', 'title="A toy",\n    extras=("kernels.c",),'
        )
    )
    return toy


def test_nbgrader_gets_the_notebook_whole_and_other_files_stripped(toy, tmp_path):
    (notebook,) = export_nbgrader([toy], tmp_path)
    assert notebook == tmp_path / "source" / "00-toy" / "00-toy.ipynb"
    assert read_cells(notebook) == read_cells(toy / "assignment.py")
    kernels = (notebook.parent / "kernels.c").read_text()
    assert "return 0;" in kernels and "7" not in kernels
    config = {}
    text = (tmp_path / "nbgrader_config.py").read_text()
    exec(text.replace("get_config()", "__import__('unittest.mock').mock.MagicMock()"), config)
    assert config["c"].Autograde.exclude_overwriting == {"00-toy": ["kernels.c"]}


def test_otters_questions_are_the_graded_cells(toy, tmp_path):
    cells = read_cells(export_otter(toy, tmp_path, "tinydl"))
    raw = [cell.source for cell in cells if cell.kind == "raw"]
    assert 'requirements: ["numpy", "tinydl"]' in raw[0]
    assert [source.count("name:") for source in raw if "BEGIN QUESTION" in source] == [1, 1]
    tests = [cell.source for cell in cells if "TEST CONFIG" in cell.source]
    assert ["hidden: true" in test for test in tests] == [False, True, False]
    assert ["a_secret_number" in test for test in tests] == [False, True, False]


def test_otters_tests_hold_for_the_solution(toy, tmp_path):
    """As Otter runs them: a function that is given the names it asks for."""
    cells = read_cells(export_otter(toy, tmp_path, "tinydl"))
    names = {}
    exec(RIGHT, names)
    for cell in cells:
        if "TEST CONFIG" in cell.source:
            found = {}
            exec(cell.source, found)
            test = found["test"]
            parameters = test.__code__.co_varnames[: test.__code__.co_argcount]
            test(**{name: names[name] for name in parameters})


def test_otters_tests_have_what_earlier_ones_assigned():
    graded = {"nbgrader": {"grade": True, "grade_id": "t", "points": 1}}
    hidden = "### BEGIN HIDDEN TESTS\ntable, secret = 9, 9\n### END HIDDEN TESTS"
    cells = [
        Cell("code", f"rows = 2\ntable = [1] * rows\n{hidden}", graded),
        Cell("code", f"assert sum(table) == 2\n{hidden}\nassert table == 9", graded),
        Cell("code", "for rows in f(table): pass", graded),
    ]
    sources = [c.source for c in otter_cells(cells, "t", [], "tinydl") if c.kind == "code"]
    tests = [source.partition("def ")[2] for source in sources]
    assert len(tests) == 5
    assert tests[2].startswith("test():\n    rows = 2\n    table = [1] * rows\n    assert sum(")
    assert "9" in tests[3] and "9" not in tests[4]
    assert tests[4].startswith("test(f):\n    rows = 2\n    table = [1] * rows\n    for rows")


def test_gradescope_grades_a_submission(toy, tmp_path):
    """Its two folders are here; pip is not run, and the package is ours."""
    archive = export_gradescope(toy, tmp_path, "tinydl")
    autograder = tmp_path / "autograder"
    with zipfile.ZipFile(archive) as file:
        file.extractall(autograder / "source")
        assert file.getinfo("run_autograder").external_attr >> 16 == 0o755
    assert 'pip" install tinydl' in (autograder / "source" / "setup.sh").read_text()
    (autograder / "submission").mkdir()
    (autograder / "submission" / "assignment.py").write_text(RIGHT.replace("np.max", "np.min"))
    (autograder / "python" / "bin").mkdir(parents=True)
    (autograder / "python" / "bin" / "python").symlink_to(sys.executable)
    subprocess.run(
        ["bash", str(autograder / "source" / "run_autograder")],
        env={**ENVIRONMENT, "AUTOGRADER": str(autograder)},
        check=True,
        capture_output=True,
    )
    results = json.loads((autograder / "results" / "results.json").read_text())
    assert results["score"] == 3
    assert [test["status"] for test in results["tests"]] == ["passed", "passed", "failed"]


def test_a_wheel_can_be_packed_for_gradescope(toy, tmp_path):
    wheel = tmp_path / "tinydl-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    with zipfile.ZipFile(export_gradescope(toy, tmp_path, str(wheel))) as file:
        assert file.read(wheel.name) == b"wheel"
        assert f'pip" install ./{wheel.name}'.encode() in file.read("setup.sh")


@pytest.mark.slow
@pytest.mark.parametrize("source", ASSIGNMENTS, ids=lambda path: path.name)
def test_nbgrader_generates_and_grades_it(source, tmp_path):
    """The reference earns all points, the released notebook none."""
    api = pytest.importorskip("nbgrader.api")
    name = source.name
    export_nbgrader([source], tmp_path)

    def nbgrader(*words):
        command = [sys.executable, "-m", "nbgrader", *words]
        subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)

    nbgrader("generate_assignment", name)
    for student, folder in (("all", "source"), ("none", "release")):
        shutil.copytree(tmp_path / folder / name, tmp_path / "submitted" / student / name)
    for file in source.glob("*.c"):
        shutil.copy(file, tmp_path / "submitted" / "all" / name)
    nbgrader("autograde", name)
    with api.Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        scores = {s.student_id: s.score for s in gradebook.find_assignment(name).submissions}
        assert scores == {"all": gradebook.find_assignment(name).max_score, "none": 0}


@pytest.mark.slow
@pytest.mark.parametrize("source", ASSIGNMENTS, ids=lambda path: path.name)
def test_otter_assigns_it(source, tmp_path):
    """Otter itself runs the tests on the solution, and fails if one does not hold."""
    pytest.importorskip("otter")
    notebook = export_otter(source, tmp_path, "tinydl")
    for file in source.glob("*.c"):
        shutil.copy(file, notebook.parent)
    command = [sys.executable, "-m", "otter", "assign", notebook.name, "dist"]
    subprocess.run(command, cwd=notebook.parent, env=ENVIRONMENT, check=True, capture_output=True)
    student = (notebook.parent / "dist" / "student" / notebook.name).read_text()
    assert "raise NotImplementedError()" in student or list(source.glob("*.c"))
    assert "SOLUTION" not in student
