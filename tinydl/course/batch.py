"""Grading a class: every submission, in parallel, and what is written about each.

For each submission there is a folder ``STUDENT/ASSIGNMENT`` in the output folder, with

- ``feedback.html`` and ``feedback.md``, for the student;
- ``results.json``, for Gradescope;
- ``grade.json``, from which a later run knows that this is done.

Beside these are ``grades.csv``, a line for each submission, and ``properties.csv``, a line for each
property of each submission.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tinydl.course.assignment import Assignment, load_assignment
from tinydl.course.feedback import Feedback, markdown
from tinydl.course.feedback_html import html
from tinydl.course.grades import Grade
from tinydl.course.gradescope import results_json
from tinydl.course.submissions import Submission
from tinydl.course.workers import GRADER_FAILED, Job, grade_all
from tinydl.utils.files import replacing

GRADE = "grade.json"


@dataclass(frozen=True)
class Graded:
    """A submission and its grade.

    Attributes
    ----------
    submission : Submission
    grade : Grade
    late : float
        By how many hours; 0 for none.
    """

    submission: Submission
    grade: Grade
    late: float = 0.0


class Batch:
    """A class to grade.

    Parameters
    ----------
    submissions : sequence of Submission
    output : Path
        The folder for what is written; it may be that of an earlier run.
    seed : int
    deadline : datetime, optional
        Later submissions are graded all the same, and marked.
    tutorials : str
        The address of the tutorials, for links in the feedback.
    """

    def __init__(
        self,
        submissions: Sequence[Submission],
        output: Path,
        seed: int = 0,
        deadline: datetime | None = None,
        tutorials: str = "",
    ) -> None:
        self.submissions, self.output, self.seed = list(submissions), output, seed
        self._deadline, self._tutorials = deadline, tutorials
        self._assignments: dict[Path, Assignment] = {}
        for submission in self.submissions:
            if submission.assignment not in self._assignments:
                loaded = load_assignment(submission.assignment)
                self._assignments[submission.assignment] = loaded

    def done(self) -> list[Graded]:
        """What an earlier run has graded, where neither files nor seed have changed since."""
        found = ((s, self._kept(s)) for s in self.submissions)
        return [self._graded(s, grade) for s, grade in found if grade is not None]

    def run(self, workers: int, seen: Callable[[Graded], None]) -> list[Graded]:
        """Grade what is not done; `seen` is told of each as soon as its feedback is written.

        Returns
        -------
        list of Graded
            All of them, in the order of the submissions.
        """
        graded = {g.submission: g for g in self.done()}
        for one in graded.values():  # deadline and links may be others than in that run
            self._write(one, one.submission.digest(self.seed))
        jobs = {
            Job(s.assignment, s.folder, self.seed): s for s in self.submissions if s not in graded
        }
        digests = {s: s.digest(self.seed) for s in jobs.values()}
        try:
            with closing(grade_all(list(jobs), workers)) as grades:
                for job, grade in grades:
                    submission = jobs[job]
                    graded[submission] = self._graded(submission, grade)
                    self._write(graded[submission], digests[submission])
                    seen(graded[submission])
        finally:
            self._write_tables([graded[s] for s in self.submissions if s in graded])
        return [graded[s] for s in self.submissions]

    def folder_of(self, submission: Submission) -> Path:
        """Where the feedback on a submission is."""
        return self.output / submission.student / submission.assignment.name

    def _kept(self, submission: Submission) -> Grade | None:
        try:
            kept = json.loads((self.folder_of(submission) / GRADE).read_text(encoding="utf-8"))
            if kept["digest"] == submission.digest(self.seed):
                return Grade.from_dict(kept["grade"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # there is none, or an older version of tinydl wrote it
        return None

    def _graded(self, submission: Submission, grade: Grade) -> Graded:
        late = submission.hours_late(self._deadline) if self._deadline else 0.0
        return Graded(submission, grade, late)

    def _write(self, graded: Graded, digest: str) -> None:
        submission, grade = graded.submission, graded.grade
        folder = self.folder_of(submission)
        folder.mkdir(parents=True, exist_ok=True)
        assignment = self._assignments[submission.assignment]
        told = replace(grade, notes=[*grade.notes, *_lateness(graded.late)])
        feedback = Feedback.on(told, assignment, submission.student, self._tutorials)
        files = {
            "feedback.html": html(feedback),
            "feedback.md": markdown(feedback),
            "results.json": results_json(feedback),
        }
        if grade.state != GRADER_FAILED:  # it is to be tried again
            files[GRADE] = json.dumps({"digest": digest, "grade": grade.to_dict()})
        for name, text in files.items():
            with replacing(folder / name) as path:
                path.write_text(text, encoding="utf-8")

    def _write_tables(self, graded: Sequence[Graded]) -> None:
        self.output.mkdir(parents=True, exist_ok=True)
        self._write_table("grades.csv", [GRADES, *map(_grades_row, graded)])
        rows = [row for one in graded for row in _property_rows(one)]
        self._write_table("properties.csv", [PROPERTIES, *rows])

    def _write_table(self, name: str, rows: Sequence[Sequence[object]]) -> None:
        with (
            replacing(self.output / name) as path,
            path.open("w", encoding="utf-8", newline="") as file,
        ):
            csv.writer(file).writerows([[_harmless(value) for value in row] for row in rows])


def _lateness(hours: float) -> list[str]:
    return [f"Handed in {hours:.1f} hours after the deadline."] if hours else []


GRADES = ("student", "assignment", "earned", "points", "percent", "state", "hours late", "seed")
PROPERTIES = ("student", "assignment", "property", "public", "earned", "points", "likely mistake")


def _grades_row(graded: Graded) -> tuple[object, ...]:
    grade, submission = graded.grade, graded.submission
    percent = round(100 * grade.earned / grade.points, 2) if grade.points else ""
    return (
        submission.student,
        submission.assignment.name,
        round(grade.earned, 4),
        grade.points,
        percent,
        grade.state,
        round(graded.late, 1),
        grade.seed,
    )


def _property_rows(graded: Graded) -> list[tuple[object, ...]]:
    student, assignment = graded.submission.student, graded.submission.assignment.name
    return [
        (student, assignment, p.name, p.public, round(p.earned, 4), p.points, p.likely)
        for p in graded.grade.properties
    ]


def _harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value
