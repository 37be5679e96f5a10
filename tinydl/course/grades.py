"""What comes out of grading one submission: plain data, which JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class CounterExample:
    """The smallest case that was found in which a property does not hold.

    Attributes
    ----------
    call : str
        What was called, such as "mean_squared_error(y, y_hat)".
    arguments : tuple of (str, str)
        Names and values of what it was called with.
    got, expected : str
        The answer, and the right one; empty where there is none.
    numbers : str
        The formula with the numbers of the element that differs most.
    case : int
        Which of the property's cases it came from.
    """

    call: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    got: str = ""
    expected: str = ""
    numbers: str = ""
    case: int = 0


@dataclass(frozen=True)
class PropertyResult:
    """How one property came out.

    Attributes
    ----------
    name, formula, hint : str
        As the property says.
    points, earned : float
    public, passed : bool
    cases : int
        How many random inputs it was tried on.
    kind, message : str
        What is wrong; empty if it passed.
    likely : str
        The mistake that explains the wrong numbers; empty if none is known to.
    line, text : int or None, str
        Where in the file an exception came from.
    counter_example : CounterExample or None
    cell : int or None
        Which code cell of a notebook the line is in.
    """

    name: str
    points: float
    earned: float
    public: bool
    passed: bool
    formula: str = ""
    hint: str = ""
    cases: int = 0
    kind: str = ""
    message: str = ""
    likely: str = ""
    line: int | None = None
    text: str = ""
    counter_example: CounterExample | None = None
    cell: int | None = None


@dataclass
class Grade:
    """The grade of one submission.

    Attributes
    ----------
    assignment : str
    state : str
        "graded"; or why nothing could be graded: "missing", "unreadable", "syntax error",
        "crashed", "timed out", "garbled".
    seed : int
        With it, and the same submission, the grade comes out the same.
    properties : list of PropertyResult
        One for each property of the assignment, also where nothing could be graded.
    message : str
        What is wrong with the whole, for the student.
    notes : list of str
        Advice that costs no points.
    output : str
        What the submission printed, cut off.
    """

    assignment: str
    state: str
    seed: int
    properties: list[PropertyResult] = field(default_factory=list)
    message: str = ""
    notes: list[str] = field(default_factory=list)
    output: str = ""

    @property
    def earned(self) -> float:
        """The points of all properties together."""
        return sum(result.earned for result in self.properties)

    @property
    def points(self) -> float:
        """The points there were to earn."""
        return sum(result.points for result in self.properties)

    @property
    def hidden_points(self) -> float:
        """The points of properties that students cannot run themselves."""
        return sum(result.points for result in self.properties if not result.public)

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, texts and numbers."""
        return {**asdict(self), "earned": self.earned, "points": self.points}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Grade:
        """The grade that `to_dict` wrote, also after it was JSON.

        Examples
        --------
        >>> result = PropertyResult("sum", 2.0, 0.0, True, False, counter_example=CounterExample())
        >>> grade = Grade("00-toy", "graded", seed=1, properties=[result])
        >>> Grade.from_dict(grade.to_dict()) == grade
        True
        """
        known = {key: data[key] for key in data if key not in ("earned", "points")}
        return cls(**{**known, "properties": [_result(entry) for entry in data["properties"]]})


def _result(data: Mapping[str, Any]) -> PropertyResult:
    example = data["counter_example"]
    if example is not None:
        arguments = tuple((name, value) for name, value in example["arguments"])
        example = CounterExample(**{**example, "arguments": arguments})
    return PropertyResult(**{**data, "counter_example": example})
