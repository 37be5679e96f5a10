"""What a class has handed in: which student, which assignment, where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tinydl.errors import ArgumentError

SUFFIXES = {".py", ".ipynb", ".c"}
LARGEST = 10_000_000  # bytes that are read of a file to see whether it has changed


@dataclass(frozen=True)
class Submission:
    """One student's answer to one assignment.

    Attributes
    ----------
    student : str
    assignment : Path
        The folder of the assignment.
    folder : Path
        Where the submission is; it may not exist.
    """

    student: str
    assignment: Path
    folder: Path

    @property
    def files(self) -> list[Path]:
        """The files that were handed in, by name; links are none."""
        if not self.folder.is_dir():
            return []
        found = (f for f in self.folder.iterdir() if f.is_file() and not f.is_symlink())
        return sorted(found)

    def digest(self, seed: int) -> str:
        """What a grade depends on: another digest, another grading."""
        state = hashlib.sha256(str(seed).encode())
        for path in [*sorted(self.assignment.iterdir()), *self.files]:
            if path.is_file():
                with path.open("rb") as file:
                    content = file.read(LARGEST)
                state.update(f"{path.name} {len(content)} ".encode() + content)
        return state.hexdigest()

    def hours_late(self, deadline: datetime) -> float:
        """By how many hours the youngest file is younger than the deadline; 0 if it is not."""
        times = [f.stat().st_mtime for f in self.files if f.suffix in SUFFIXES]
        return max(0.0, (max(times, default=0.0) - deadline.timestamp()) / 3600)


def submissions_in(
    folders: Sequence[Path], assignments: Sequence[Path], output: Path | None = None
) -> list[Submission]:
    """The submissions in some folders, missing ones among them.

    Each folder holds a folder for each student; in that is a folder for each assignment, with the
    assignment's name, or, if there is only one assignment, the files themselves. In names of
    assignments only letters and digits count, and a folder that holds but another one is that one.
    A folder may also be that of one student. The output of an earlier run may lie among them.
    An assignment that nobody has handed in is left out.

    Raises
    ------
    ArgumentError
        If there is no submission at all, or two folders of one student, or the output would be
        written into a student's folder.
    """
    students: dict[str, Path] = {}
    for folder in folders:
        for student in _students(folder, assignments):
            if output is not None and student == output.resolve():
                _refuse_students_folder(output)
                continue
            if student.name in students:
                raise ArgumentError(
                    "grade",
                    "FOLDER",
                    got=f"{students[student.name]} and {student}",
                    expected="one folder for each student",
                )
            students[student.name] = student
    found = [
        Submission(name, assignment, _place(student, assignment, len(assignments) == 1))
        for assignment in assignments
        for name, student in sorted(students.items())
    ]
    handed_in = {submission.assignment for submission in found if submission.files}
    if not handed_in:
        names = ", ".join(a.name for a in assignments)
        raise ArgumentError(
            "grade",
            "FOLDER",
            got=", ".join(map(str, folders)),
            expected=f"folders STUDENT/ASSIGNMENT with files, the assignments among {names}",
        )
    return [submission for submission in found if submission.assignment in handed_in]


def _refuse_students_folder(output: Path) -> None:
    if not (output / "grades.csv").exists():
        raise ArgumentError(
            "grade",
            "--output",
            got=f"{output}, where a student's work seems to be",
            expected="a folder of its own",
        )


def _students(folder: Path, assignments: Sequence[Path]) -> Iterator[Path]:
    if not folder.is_dir():
        raise ArgumentError("grade", "FOLDER", got=str(folder), expected="a folder")
    folder = folder.resolve()
    names = {assignment.name for assignment in assignments}
    folders = _folders(folder)
    if any(f.name in names for f in folders) or not folders:
        yield folder
    else:
        yield from folders


def _place(student: Path, assignment: Path, only: bool) -> Path:
    """Where the student's answer is, or should be."""
    place = student / assignment.name
    alike = [f for f in _folders(student) if _letters(f.name) == _letters(place.name)]
    if place not in alike and len(alike) == 1:
        place = alike[0]
    elif only and not place.exists():
        place = student
    while _wraps(place):  # as an archive that was unpacked does
        (place,) = _folders(place)
    return place


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, but no links, nor what systems add."""
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    plain = (f for f in inside if f.is_dir() and not f.is_symlink())
    return [f for f in plain if not f.name.startswith((".", "__"))]


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _wraps(folder: Path) -> bool:
    """Whether all that a folder holds is another."""
    files = [f for f in folder.iterdir() if not f.is_dir()] if folder.is_dir() else []
    return not files and len(_folders(folder)) == 1
