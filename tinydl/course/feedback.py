"""What a student is told about a grade: the parts that every medium shows, and Markdown.

`tinydl.course.feedback_html` makes a page of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinydl.course.assignment import Assignment
from tinydl.course.grades import CounterExample, Grade, PropertyResult
from tinydl.errors import ArgumentError
from tinydl.explain.mathml import mathml
from tinydl.explain.unicode_math import unicode_math

STATES = {
    "missing": "Nothing was handed in.",
    "unreadable": "What was handed in cannot be read.",
    "syntax error": "Python cannot read the file.",
    "crashed": "The program ended before it could be tried.",
    "timed out": "The program took too long.",
    "garbled": "The program disturbed the grader.",
    "grader failed": "The grader failed; ask your teacher to run it again.",
}


@dataclass(frozen=True)
class Feedback:
    """A grade, and for whom.

    Parameters
    ----------
    grade : Grade
    title : str
        Of the assignment.
    student : str
        "" where everybody knows.
    tutorial : str
        The stem of the tutorial to read, such as "03_the_chain_rule_and_the_graph".
    tutorials : str
        The address of the folder where students find the tutorials; "" if there is none.
    """

    grade: Grade
    title: str
    student: str = ""
    tutorial: str = ""
    tutorials: str = ""

    @classmethod
    def on(
        cls, grade: Grade, assignment: Assignment, student: str = "", tutorials: str = ""
    ) -> Feedback:
        """The feedback on a submission to an assignment."""
        return cls(grade, assignment.title, student, assignment.tutorial, tutorials)

    @property
    def heading(self) -> str:
        """The assignment's title, and for whom this is."""
        return f"{self.title}: {self.student}" if self.student else self.title

    @property
    def points(self) -> str:
        """Such as "86 of 100 points"."""
        return points(self.grade.earned, self.grade.points)

    @property
    def verdict(self) -> str:
        """What happened to the whole, if it could not be graded; "" otherwise."""
        state = self.grade.state
        return "" if state == "graded" else STATES.get(state, f"It could not be graded: {state}.")

    @property
    def failed(self) -> list[PropertyResult]:
        """The properties that do not hold; none where nothing was tried."""
        tried = self.grade.state == "graded"
        return [result for result in self.grade.properties if tried and not result.passed]

    @property
    def lesson(self) -> tuple[str, str]:
        """The tutorial to read and its address; each "" if there is none."""
        number, _, name = self.tutorial.partition("_")
        title = f"Tutorial {int(number)}: {name.replace('_', ' ')}" if number.isdigit() else ""
        return title, f"{self.tutorials}{self.tutorial}" if self.tutorials and title else ""


def points(earned: float, possible: float) -> str:
    """Such as "3.5 of 4 points".

    Examples
    --------
    >>> points(3.5, 4.0), points(0.0, 1.0)
    ('3.5 of 4 points', '0 of 1 point')
    """
    return f"{round(earned, 2):g} of {possible:g} point{'' if possible == 1 else 's'}"


def kind_of(result: PropertyResult) -> str:
    """Whether students can try a property themselves."""
    return "" if result.public else "hidden"


def as_text(latex: str) -> str:
    r"""A formula as a line of text; what is none stays as it is.

    Examples
    --------
    >>> as_text(r"y_i = \max(x_i, 0)")
    'y_i = max(x_i, 0)'
    """
    try:
        return unicode_math(latex)
    except ArgumentError:
        return latex


def is_formula(latex: str) -> bool:
    """Whether it can be shown as a formula."""
    try:
        mathml(latex)
    except ArgumentError:
        return False
    return bool(latex)


def details(result: PropertyResult) -> list[str]:
    """Sentences on a property that does not hold, beside the numbers."""
    sentences = [result.message]
    if result.line is not None:
        place = "your file" if result.cell is None else f"code cell {result.cell}"
        sentences.append(f"Line {result.line} of {place}: {result.text}".rstrip(": "))
    if result.likely:
        sentences.append(f"Likely mistake: {result.likely}.")
    if result.hint:
        sentences.append(f"Hint: {result.hint}")
    return [s if s.endswith((".", "?", "!")) else f"{s}." for s in sentences if s]


def example_of(result: PropertyResult) -> CounterExample | None:
    """The counter-example, unless it would be the same for any input."""
    return None if result.kind == "missing" else result.counter_example


def where(example: CounterExample, seed: int) -> str:
    """Where the counter-example came from."""
    return f"Found by seed {seed}, in case {example.case + 1}."


def assigned(name: str, value: str) -> str:
    r"""`name = value`, the further rows of a matrix below its first.

    Examples
    --------
    >>> print(assigned("x", "[[1.],\n [2.]]"))
    x = [[1.],
         [2.]]
    """
    start = f"{name} = "
    return start + value.replace("\n", "\n" + " " * len(start))


def markdown(feedback: Feedback) -> str:
    """The feedback as Markdown; formulas between dollar signs."""
    grade = feedback.grade
    parts = [f"# {_inline(feedback.heading)}", f"**{feedback.points}**"]
    if feedback.verdict:
        parts.append(feedback.verdict)
    if grade.message:
        parts.append(_fenced(grade.message))
    parts += [f"- {_inline(note)}" for note in grade.notes]
    parts.append(_table(grade))
    for result in feedback.failed:
        parts.append(section(result, grade.seed))
    title, address = feedback.lesson
    if title and grade.earned < grade.points:
        parts.append(f"To read: [{title}]({address})" if address else f"To read: {title}")
    if grade.output.strip():
        parts += ["## What your program printed", _fenced(grade.output.strip())]
    return "\n\n".join(parts) + "\n"


def _table(grade: Grade) -> str:
    rows = ["| property | points | |", "|---|---|---|"]
    for result in grade.properties:
        earned = f"{round(result.earned, 2):g} of {result.points:g}"
        rows.append(f"| {result.name} | {earned} | {kind_of(result)} |")
    return "\n".join(rows)


def section(result: PropertyResult, seed: int) -> str:
    """What there is to say about one property that does not hold, as Markdown."""
    parts = [f"## {result.name}", _inline(" ".join(details(result)))]
    if result.formula:
        parts.append(f"$${result.formula}$$")
    example = example_of(result)
    if example is not None:
        parts += _example(example)
        parts.append(where(example, seed))
    return "\n\n".join(parts)


def _example(example: CounterExample) -> list[str]:
    call = f"`{example.call}` with" if example.call else "With"
    values = [assigned(name, value) for name, value in example.arguments]
    parts = [f"{call}\n\n{_fenced(chr(10).join(values))}"] if values else []
    if example.expected:
        answers = [assigned("your answer", example.got), assigned("right", example.expected)]
        parts.append(_fenced("\n".join(answers)))
    if example.numbers:
        formula = is_formula(example.numbers)
        parts.append(f"$${example.numbers}$$" if formula else _fenced(example.numbers))
    return parts


def _fenced(text: str) -> str:
    """Text in a block that it cannot end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _inline(text: str) -> str:
    """Text that comes from a submission: neither HTML nor a link."""
    return text.replace("<", "&lt;").replace("](", "]\\(")
