"""Releasing an assignment: what students get, and the proof that it can be graded.

Nothing is released before the grader has seen the reference solution earn all points, the
released file none, and every typical mistake lose what it has to.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tinydl.course.assignment import Assignment, Mistake, load_assignment
from tinydl.course.cells import format_notebook, format_script, read_cells
from tinydl.course.grades import Grade
from tinydl.course.publishing import publish
from tinydl.course.stripping import student_cells, without_c_solutions
from tinydl.course.workers import Job, grade_all
from tinydl.errors import ArgumentError

SCRIPT = "assignment.py"


@dataclass
class Trial:
    """A submission whose grade is known beforehand.

    Attributes
    ----------
    name : str
        Such as "the reference solution".
    files : dict of str to str
    problem : callable
        What is wrong with its grade; "" if nothing is.
    grade : Grade or None
        Once it was graded.
    """

    name: str
    files: dict[str, str]
    problem: Callable[[Grade], str]
    grade: Grade | None = field(default=None)

    @property
    def complaint(self) -> str:
        """What is wrong, in a sentence; "" if nothing is."""
        assert self.grade is not None
        problem = self.problem(self.grade)
        return f"{self.name}: {problem}" if problem else ""


def is_assignment(folder: Path) -> bool:
    """Whether a folder holds an assignment as a teacher has it."""
    return (folder / SCRIPT).is_file() and (folder / "properties.py").is_file()


def assignments_in(folder: Path) -> list[Path]:
    """The folder itself if it is an assignment, else the assignments in it.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    if is_assignment(folder):
        return [folder]
    found = sorted(f for f in folder.iterdir() if is_assignment(f)) if folder.is_dir() else []
    if not found:
        raise ArgumentError(
            "course",
            "assignment",
            got=str(folder),
            expected=f"a folder with {SCRIPT} and properties.py, or a folder of such folders",
        )
    return found


def release(
    source: Path, target: Path, workers: int = 2, seen: Callable[[Trial], None] | None = None
) -> list[Trial]:
    """Write the student's version of an assignment, once it has proved to be gradable.

    Parameters
    ----------
    source : Path
        The assignment's folder.
    target : Path
        The folder for the students; what `check` needs is in it.
    workers : int
        How many trials run at a time.
    seen : callable, optional
        Told of each trial when it is done.

    Returns
    -------
    list of Trial
        What was tried.

    Raises
    ------
    ArgumentError
        If a trial came out wrong; it says which. Nothing is written then.
    """
    assignment = load_assignment(source)
    solution = solution_files(source, assignment)
    student = student_files(source, assignment)
    trials = list(_trials(assignment, solution, student))
    _try_out(source, trials, workers, seen)
    complaints = [trial.complaint for trial in trials if trial.complaint]
    if complaints:
        raise ArgumentError("release", source.name, hint="not released.\n" + "\n".join(complaints))
    with _whole_folder(target) as folder:
        _write(folder, student)
        cells = student_cells(read_cells(source / SCRIPT))
        (folder / "assignment.ipynb").write_text(format_notebook(cells), encoding="utf-8")
        (folder / "README.md").write_text(_readme(assignment), encoding="utf-8")
        with tempfile.TemporaryDirectory() as solved:
            _write(Path(solved), solution)
            publish(source, Path(solved), folder)
    return trials


def student_files(source: Path, assignment: Assignment) -> dict[str, str]:
    """The files of a submission as students begin with them, by name."""
    files = solution_files(source, assignment)
    stripped = {
        name: without_c_solutions(text) for name, text in files.items() if name.endswith(".c")
    }
    return {**files, SCRIPT: format_script(student_cells(read_cells(source / SCRIPT))), **stripped}


def solution_files(source: Path, assignment: Assignment) -> dict[str, str]:
    """The files of a right submission, by name."""
    names = dict.fromkeys([SCRIPT, assignment.file, *assignment.extras])
    return {n: (source / n).read_text(encoding="utf-8") for n in names if (source / n).is_file()}


def _trials(
    assignment: Assignment, solution: dict[str, str], student: dict[str, str]
) -> Iterator[Trial]:
    yield Trial("the reference solution", solution, _not_full)
    yield Trial("the released version", student, _not_zero)
    for mistake in assignment.mistakes:
        wrong = {**solution, mistake.file: mistake.applied(solution[mistake.file])}
        yield Trial(f"mistake {mistake.name!r}", wrong, _unnoticed(mistake))


def _not_full(grade: Grade) -> str:
    failed = [f"{p.name} ({p.message})" for p in grade.properties if not p.passed]
    reasons = "; ".join([grade.message, *failed] if grade.message else failed)
    if grade.state == "graded" and not failed:
        return ""
    return f"earns {grade.earned:g} of {grade.points:g} points: {reasons}"


def _not_zero(grade: Grade) -> str:
    if grade.state != "graded":
        return f"cannot be imported ({grade.state}): {grade.message}"
    passed = [p.name for p in grade.properties if p.earned]
    return f"earns points for {', '.join(passed)}" if passed else ""


def _unnoticed(mistake: Mistake) -> Callable[[Grade], str]:
    def problem(grade: Grade) -> str:
        failed = [p for p in grade.properties if not p.passed]
        unnoticed = sorted(set(mistake.loses) - {p.name for p in failed})
        if unnoticed:
            return f"is not noticed by {', '.join(unnoticed)}"
        if grade.earned >= grade.points:
            return "loses no points"
        said = " ".join(f"{p.message} {p.likely} {p.hint}" for p in failed)
        return "" if mistake.says in said else f"the feedback does not say {mistake.says!r}"

    return problem


def _try_out(
    source: Path,
    trials: Sequence[Trial],
    workers: int,
    seen: Callable[[Trial], None] | None,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        jobs = {}
        for number, trial in enumerate(trials):
            place = Path(folder, str(number))
            place.mkdir()
            _write(place, trial.files)
            jobs[Job(source, place)] = trial
        with closing(grade_all(list(jobs), workers)) as grades:
            for job, grade in grades:
                jobs[job].grade = grade
                if seen is not None:
                    seen(jobs[job])


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, whose files are put into the target once all are there."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for file in Path(folder).iterdir():
            shutil.copy(file, target)


def _readme(assignment: Assignment) -> str:
    public = sum(p.points for p in assignment.properties if p.public)
    names = list(dict.fromkeys([assignment.file, *assignment.extras]))
    files = ", ".join(f"`{name}`" for name in names)
    if assignment.file == SCRIPT:
        files += " (or `assignment.ipynb` in place of `assignment.py`)"
    others = [f"| `{name}` | the places for your code in C |\n" for name in names if name != SCRIPT]
    places = " and ".join(f"`{name}`" for name in names)
    return README.format(
        title=assignment.title,
        name=assignment.name,
        file=assignment.file,
        files=files,
        others="".join(others),
        places=places,
        points=assignment.points,
        public=public,
    )


README = """# {title}

| file | what it is |
|---|---|
| `assignment.py` | the task |
{others}| `assignment.ipynb` | the same as a notebook; work in whichever you like |
| `public_properties.py`, `public_answers.bin` | what `check` needs; leave them as they are |

1. Install Python 3.11 or later, then `pip install tinydl`.
2. Open `assignment.py` in an editor, or `assignment.ipynb` in Jupyter, and read. Write your code
   where {places} says `YOUR CODE HERE`.
3. Check it as often as you like: `python -m tinydl course check {file}`. It tries your
   functions on random inputs, and shows the smallest one on which they are wrong.
4. Hand in {files}, in a folder `{name}`.

There are {points:g} points. The check tries what gives {public:g} of them; the others are for
inputs of the same kind that are not shown here: other shapes, extreme numbers. A table of right
answers earns nothing.
"""
