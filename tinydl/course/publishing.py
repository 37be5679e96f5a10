"""The public properties on their way to the students, and as their check finds them.

Two files: ``public_properties.py`` is cut out of ``properties.py`` (`tinydl.course.public`), and
``public_answers.bin`` holds what references, and the functions that know typical mistakes, say to
the cases that a check draws. Neither holds a hidden property, a reference or a mistake's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinydl.course.assignment import Assignment, Property, load_assignment
from tinydl.course.draws import DIGITS, Draw
from tinydl.course.failures import Failure
from tinydl.course.grading import grade
from tinydl.course.inside import frames
from tinydl.course.public import public_part
from tinydl.course.references import Call, Reference
from tinydl.course.student import Student
from tinydl.errors import ArgumentError, FileFormatError

PROPERTIES, ANSWERS = "public_properties.py", "public_answers.bin"
SEED = 0  # of every check
ROUNDED = 10  # so many cases can be shown with whole numbers
WHOLE_NUMBERS = len(DIGITS) - 1

Mistakes = Mapping[str, Mapping[str, Reference]]  # of each property, by name


def publish(source: Path, solution: Path, target: Path) -> None:
    """Write the files with the public properties of an assignment.

    Parameters
    ----------
    source : Path
        The assignment's folder.
    solution : Path
        A folder with a right submission, which is run to see what the properties ask.
    target : Path
        The folder to write to.

    Raises
    ------
    ArgumentError
        If the properties cannot be told from the hidden ones.
    DataError
        If a reference takes or gives objects.
    """
    assignment = load_assignment(source)
    public = [prop for prop in assignment.properties if prop.public]
    text = public_part(
        (source / "properties.py").read_text(encoding="utf-8"),
        ["annotations", "assignment", *(prop.body.__name__ for prop in public)],
        assignment.references.keys(),
    )
    (target / PROPERTIES).write_text(text, encoding="utf-8")
    hidden = assignment.points - sum(prop.points for prop in public)
    answers = {**_answers(assignment, solution), "hidden points": hidden}
    (target / ANSWERS).write_bytes(frames.encode(answers))
    found = [prop.name for prop in load_assignment(target, PROPERTIES).properties]
    if found != [prop.name for prop in public]:
        raise ArgumentError(
            "release",
            "properties.py",
            got=f"public properties {found}",
            expected=[prop.name for prop in public],
            hint="each is a function with a name of its own, at the top level of the file",
        )


@dataclass
class Published:
    """An assignment as a student has it.

    Attributes
    ----------
    assignment : Assignment
        With the public properties only.
    hidden_points : float
        The points of the others.
    """

    assignment: Assignment
    hidden_points: float


def load_public(folder: Path) -> Published:
    """Read what `publish` wrote.

    Raises
    ------
    ArgumentError
        If the folder holds no released assignment.
    FileFormatError
        If its files do not belong together.
    """
    try:
        assignment = load_assignment(folder, PROPERTIES)
    except Exception as error:  # whatever a file raises that was changed, or is of another version
        raise _not_as_released(PROPERTIES, repr(error)) from error
    if not (folder / ANSWERS).is_file():
        raise _not_as_released(ANSWERS, "missing")
    try:
        answers = frames.decode((folder / ANSWERS).read_bytes())
        for name, reference in assignment.references.items():
            reference.answer_from(answers["references"][name])
        mistakes = answers["mistakes"]
        assignment.properties = [
            replace(prop, likely=_replaying(mistakes[prop.name])) for prop in assignment.properties
        ]
        return Published(assignment, float(answers["hidden points"]))
    except (frames.BadFrame, KeyError, TypeError) as error:
        raise _not_as_released(ANSWERS, f"damaged ({error!r})") from None


def _not_as_released(file: str, got: str) -> FileFormatError:
    other = ANSWERS if file == PROPERTIES else PROPERTIES
    return FileFormatError(
        "check",
        file,
        got=got,
        expected=f"the one released with {other}",
        hint="copy both once more from what you were given",
    )


def _answers(assignment: Assignment, solution: Path) -> dict[str, Any]:
    """What references and mistakes say to the cases of a check."""
    mistakes = {
        prop.name: {name: Reference(wrong) for name, wrong in prop.likely.items()}
        for prop in assignment.properties
        if prop.public
    }
    with ExitStack() as stack:
        references = {
            name: stack.enter_context(reference.recording())
            for name, reference in assignment.references.items()
        }
        said = {
            prop: {name: stack.enter_context(wrong.recording()) for name, wrong in known.items()}
            for prop, known in mistakes.items()
        }
        with _properties_asking(assignment, mistakes):
            grade(assignment, solution, seed=SEED, public_only=True)
    return {"references": references, "mistakes": said}


@contextmanager
def _properties_asking(assignment: Assignment, mistakes: Mistakes) -> Iterator[None]:
    """For a while, let each public property ask the mistakes, too, what they make of each case."""
    properties = assignment.properties
    assignment.properties = [
        replace(prop, body=_asking(prop, mistakes[prop.name])) if prop.public else prop
        for prop in properties
    ]
    try:
        yield
    finally:
        assignment.properties = properties


def _asking(prop: Property, mistakes: Mapping[str, Reference]) -> Callable[[Student, Draw], None]:
    def ask(student: Student, draw: Draw) -> None:
        prop.body(student, draw)
        if student.calls:
            arguments, named = student.calls[-1].split()
            for wrong in mistakes.values():
                with suppress(Exception):  # one that cannot be made here
                    wrong(*arguments, **named)

    def body(student: Student, draw: Draw) -> None:
        ask(student, draw)
        if draw.case < ROUNDED:
            simple = Draw(SEED, prop.name, draw.case, prop.cases, simplicity=WHOLE_NUMBERS)
            with suppress(Failure):  # a formula need not hold for these
                ask(student, simple)

    return body


def _replaying(known: Mapping[str, list[Call]]) -> dict[str, Callable[..., Any]]:
    mistakes: dict[str, Callable[..., Any]] = {}
    for name, calls in known.items():
        mistakes[name] = reference = Reference(lambda *arguments, **named: None)
        reference.__name__ = name
        reference.answer_from(calls)
    return mistakes
