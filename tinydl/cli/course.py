"""``tinydl course``: release assignments, check one's own work, grade a class."""

from __future__ import annotations

import argparse
import os
import signal
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from tinydl.errors import ArgumentError

if TYPE_CHECKING:
    from tinydl.course.publishing import Published
    from tinydl.course.submissions import Submission

HELP = "release assignments, check your own work, grade a class"
ASSIGNMENTS = Path("tutorials/assignments")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The five things to do, with their arguments."""
    actions = parser.add_subparsers(title="what to do", required=True, metavar="ACTION")

    release = actions.add_parser("release", help="write the students' version of assignments")
    release.add_argument("source", type=Path, metavar="SOURCE", help="an assignment, or several")
    release.add_argument("target", type=Path, metavar="DEST", help="the folder for the students")
    release.set_defaults(action=run_release)

    check = actions.add_parser("check", help="try the public properties on your own work")
    check.add_argument("file", type=Path, metavar="FILE", help="assignment.py or assignment.ipynb")
    check.set_defaults(action=run_check)

    grade = actions.add_parser("grade", help="grade submissions, and write feedback on each")
    grade.add_argument(
        "folders", type=Path, nargs="+", metavar="FOLDER", help="folders of students' folders"
    )
    grade.add_argument("--output", type=Path, default=Path("graded"), help="by default graded")
    grade.add_argument("--seed", type=int, default=0, help="of the random inputs (0)")
    grade.add_argument(
        "--deadline", type=_time, metavar="TIME", help="such as 2027-01-31T23:59; marks later ones"
    )
    grade.add_argument("--tutorials", default="", metavar="URL", help="for links in the feedback")
    grade.add_argument(
        "--results", type=Path, metavar="FILE", help="one submission: write only results.json"
    )
    grade.set_defaults(action=run_grade)

    export = actions.add_parser("export", help="write what nbgrader, Otter or Gradescope need")
    export.add_argument("source", type=Path, metavar="SOURCE", help="an assignment, or several")
    export.add_argument("target", type=Path, metavar="DEST", help="the folder to write to")
    formats = export.add_mutually_exclusive_group(required=True)
    for name in ("nbgrader", "otter", "gradescope"):
        formats.add_argument(f"--{name}", dest="format", action="store_const", const=name)
    export.add_argument(
        "--tinydl", default="tinydl", metavar="PACKAGE", help="what pip installs: a name or a wheel"
    )
    export.set_defaults(action=run_export)

    demo = actions.add_parser("demo", help="grade a made-up class of twelve, in a minute")
    demo.add_argument("--output", type=Path, default=Path("tinydl-course-demo"))
    demo.set_defaults(action=run_demo)

    for action in (grade, demo):
        action.add_argument(
            "--assignments",
            type=Path,
            default=ASSIGNMENTS,
            metavar="FOLDER",
            help=f"an assignment, or several; by default {ASSIGNMENTS}",
        )
    for action in (release, grade, demo):
        action.add_argument(
            "--workers", type=_positive, default=os.cpu_count() or 1, help="processes at a time"
        )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for; a request to end is as good as Ctrl-C, which ends graders, too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status: int = arguments.action(arguments)
    finally:
        signal.signal(signal.SIGTERM, before)
    return status


def run_release(arguments: argparse.Namespace) -> int:
    """Write the students' version of each assignment, or say what is wrong with it."""
    from tinydl.cli.course_output import progress
    from tinydl.course.releasing import assignments_in, release

    refused = 0
    for source in assignments_in(arguments.source):
        target = arguments.target / source.name
        try:
            with progress(None) as seen:
                trials = release(source, target, arguments.workers, lambda t: seen(t.name))
        except ArgumentError as error:
            print(error)
            refused += 1
        else:
            print(
                f"{target}: the solution earns all points, the released file none, and"
                f" each of {len(trials) - 2} typical mistakes loses what it has to"
            )
    return 1 if refused else 0


def run_check(arguments: argparse.Namespace) -> int:
    """Try the public properties; the status is 0 if all of them hold."""
    from tinydl.cli.course_output import print_check
    from tinydl.course import grade

    if not arguments.file.exists():
        raise ArgumentError("check", "FILE", got=str(arguments.file), expected="an existing file")
    known = _published(arguments.file)
    _refuse_other_files(arguments.file, known.assignment.file)
    result = grade(known.assignment, arguments.file, public_only=True)
    print_check(result, known)
    return 0 if all(p.passed for p in result.properties) else 1


def _refuse_other_files(file: Path, wanted: str) -> None:
    """A C assignment is no Python file, for instance, and a README no assignment."""
    suffixes = {".py": (".py", ".ipynb")}.get(Path(wanted).suffix, (Path(wanted).suffix,))
    if file.is_file() and file.suffix.lower() not in suffixes:
        raise ArgumentError(
            "check",
            "FILE",
            got=str(file),
            expected=wanted,
            hint="that is the file that you write your answers into",
        )


def _published(file: Path) -> Published:
    """The assignment in the folder of a file: a student's, or a teacher's."""
    from tinydl.course import load_assignment
    from tinydl.course.publishing import PROPERTIES, Published, load_public

    folder = file if file.is_dir() else file.parent
    if (folder / PROPERTIES).is_file():
        return load_public(folder)
    if (folder / "properties.py").is_file():
        assignment = load_assignment(folder)
        return Published(assignment, sum(p.points for p in assignment.properties if not p.public))
    raise ArgumentError(
        "check",
        "FILE",
        got=str(file),
        expected=f"a file in the folder of an assignment, beside {PROPERTIES}",
        hint="copy it there, or work in the folder you were given",
    )


def run_grade(arguments: argparse.Namespace) -> int:
    """Grade what is not graded yet; the status is 1 if a grader failed."""
    from tinydl.course.releasing import assignments_in
    from tinydl.course.submissions import submissions_in

    assignments = assignments_in(arguments.assignments)
    if arguments.results is not None:
        return _grade_one(arguments, assignments)
    submissions = submissions_in(arguments.folders, assignments, arguments.output)
    return _grade_batch(arguments, submissions)


def _grade_one(arguments: argparse.Namespace, assignments: list[Path]) -> int:
    """Grade a single submission for Gradescope."""
    from tinydl.course import grade, load_assignment
    from tinydl.course.feedback import Feedback
    from tinydl.course.gradescope import results_json

    if len(assignments) != 1 or len(arguments.folders) != 1:
        raise ArgumentError(
            "grade", "--results", expected="one submission, and one assignment in --assignments"
        )
    assignment = load_assignment(assignments[0])
    result = grade(assignment, arguments.folders[0], seed=arguments.seed)
    feedback = Feedback.on(result, assignment, tutorials=arguments.tutorials)
    arguments.results.write_text(results_json(feedback), encoding="utf-8")
    print(f"{assignment.title}: {feedback.points}; see {arguments.results}")
    return 0


def _grade_batch(arguments: argparse.Namespace, submissions: list[Submission]) -> int:
    from tinydl.cli.course_output import print_class, progress
    from tinydl.course.batch import Batch
    from tinydl.course.workers import GRADER_FAILED

    batch = Batch(
        submissions, arguments.output, arguments.seed, arguments.deadline, arguments.tutorials
    )
    done = len(batch.done())
    if done:
        print(f"{done} of {len(submissions)} submissions were graded before, and have not changed.")
    with progress(len(submissions) - done) as seen:
        graded = batch.run(arguments.workers, lambda g: seen(g.submission.student))
    print_class(graded)
    print(f"\nGrades are in {arguments.output / 'grades.csv'}, the feedback on each submission in")
    print(f"{arguments.output}/STUDENT/ASSIGNMENT/feedback.html (and .md).")
    return 1 if any(g.grade.state == GRADER_FAILED for g in graded) else 0


def run_export(arguments: argparse.Namespace) -> int:
    """Write the files for one of the three tools."""
    from tinydl.course.exporting import export_gradescope, export_nbgrader, export_otter
    from tinydl.course.releasing import assignments_in

    sources = assignments_in(arguments.source)
    target: Path = arguments.target
    if arguments.format == "nbgrader":
        export_nbgrader(sources, target)
        print(f"{target} is an nbgrader course; in it run: nbgrader generate_assignment NAME")
        return 0
    for source in sources:
        if arguments.format == "otter":
            notebook = export_otter(source, target, arguments.tinydl)
            print(f"otter assign {notebook} {notebook.parent / 'dist'}")
        else:
            print(f"{export_gradescope(source, target, arguments.tinydl)}: upload it")
    return 0


def run_demo(arguments: argparse.Namespace) -> int:
    """Make up a class, and grade it."""
    from tinydl.course.demo import write_class
    from tinydl.course.releasing import assignments_in
    from tinydl.course.submissions import submissions_in

    source = assignments_in(arguments.assignments)[0]
    folder = arguments.output / "submissions"
    write_class(source, folder)
    print(f"{folder} has the work of a made-up class on {source}.")
    arguments.output = arguments.output / "graded"
    arguments.seed, arguments.deadline, arguments.tutorials = 0, None, ""
    return _grade_batch(arguments, submissions_in([folder], [source]))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _time(text: str) -> datetime:
    """A time; a day alone means its end."""
    try:
        with suppress(ValueError):
            return datetime.combine(date.fromisoformat(text), time.max)
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time; write 2027-01-31T23:59") from None
