"""What an assignment is: a name, functions to write, and properties that give points."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tinydl.course.draws import Draw
from tinydl.course.process import Limits
from tinydl.course.references import Reference
from tinydl.errors import ArgumentError

if TYPE_CHECKING:
    from tinydl.course.student import Student

Body = Callable[["Student", Draw], None]
Likely = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Property:
    r"""Something that has to hold for all inputs, and gives points.

    Parameters
    ----------
    name : str
        Such as "mean squared error: value".
    body : callable
        Called with the student and a `Draw`; raises a `Failure` where it does not hold.
    points : float
    public : bool
        Whether students can run it themselves.
    formula : str
        What is to be computed, in LaTeX.
    cases : int
        For how many random inputs it has to hold.
    likely : mapping of str to callable
        Typical mistakes by name: each computes, from the arguments of the last call, what an
        answer with this mistake would be.
    hint : str
        A sentence for the feedback.
    seconds : float or None
        A time limit of its own.
    """

    name: str
    body: Body
    points: float
    public: bool = False
    formula: str = ""
    cases: int = 20
    likely: Likely = field(default_factory=dict)
    hint: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Mistake:
    """A typical wrong submission: the solution with one piece of text replaced.

    Parameters
    ----------
    name : str
    replace, by : str
        A text that occurs once in the solution, and what stands there instead.
    loses : sequence of str
        The names of all properties that fail.
    says : str
        What the feedback must contain.
    file : str
        The file of the solution that is changed.
    """

    name: str
    replace: str
    by: str
    loses: Sequence[str] = ()
    says: str = ""
    file: str = "assignment.py"

    def applied(self, solution: str) -> str:
        """The wrong submission.

        Raises
        ------
        ArgumentError
            If the text does not occur exactly once.

        Examples
        --------
        >>> Mistake("sum for mean", replace="mean", by="sum").applied("np.mean(x)")
        'np.sum(x)'
        """
        count = solution.count(self.replace)
        if count != 1:
            raise ArgumentError(
                f"mistake {self.name!r}",
                "replace",
                got=f"found {count} times in the solution",
                expected="a text that occurs once",
            )
        return solution.replace(self.replace, self.by)


class Assignment:
    r"""A task, and the properties of a right answer.

    Parameters
    ----------
    name : str
        As its folder, such as "01-forward-and-losses".
    title : str
    functions : sequence of str
        What the student writes: signatures such as "dense(x, w, b)", or names such as "Tensor".
    allowed : sequence of str
        Packages that may be imported besides the standard library.
    file : str
        The name of the file that is handed in.
    extras : sequence of str
        Names of other files that may be handed in; they lie in the working folder.
    inputs_may_change : bool
        Whether a call may change its arguments without failing. Then a property of its own can
        ask by `expect_unchanged`.
    limits : Limits
        Time and memory.
    tutorial : str
        Where the feedback sends a student to read.

    Examples
    --------
    >>> from tinydl.course import expect_close
    >>> assignment = Assignment("00-double", title="Twice", functions=["double(x)"])
    >>> @assignment.property("double: value", points=1, public=True, formula="y_i = 2 x_i")
    ... def value(student, draw):
    ...     x = draw.normal(draw.integer(1, 5))
    ...     expect_close(student.double(x), 2 * x)
    >>> assignment.points
    1
    """

    def __init__(
        self,
        name: str,
        *,
        title: str,
        functions: Sequence[str] = (),
        allowed: Sequence[str] = ("numpy",),
        file: str = "assignment.py",
        extras: Sequence[str] = (),
        inputs_may_change: bool = False,
        limits: Limits | None = None,
        tutorial: str = "",
    ) -> None:
        self.name, self.title = name, title
        self.functions, self.allowed = tuple(functions), tuple(allowed)
        self.file, self.extras = file, tuple(extras)
        self.inputs_may_change = inputs_may_change
        self.limits = limits or Limits()
        self.tutorial = tutorial
        self.properties: list[Property] = []
        self.mistakes: list[Mistake] = []
        self.references: dict[str, Reference] = {}

    def reference(self, function: Callable[..., Any]) -> Reference:
        """Mark a function of the properties' file whose text would give a solution away.

        It takes arrays and numbers and returns the right answer; properties may call it. Students
        get its answers only: see `tinydl.course.references`.
        """
        reference = self.references[function.__name__] = Reference(function)
        return reference

    @property
    def points(self) -> float:
        """The points of all properties together."""
        return sum(prop.points for prop in self.properties)

    def property(
        self,
        name: str,
        *,
        points: float,
        public: bool = False,
        formula: str = "",
        cases: int = 20,
        likely: Likely | None = None,
        hint: str = "",
        seconds: float | None = None,
    ) -> Callable[[Body], Body]:
        """Decorate the body of a property; the arguments are those of `Property`."""
        if any(known.name == name for known in self.properties):
            raise ArgumentError(self.name, "property", got=f"{name!r} twice", expected="new names")

        def add(body: Body) -> Body:
            self.properties.append(
                Property(name, body, points, public, formula, cases, likely or {}, hint, seconds)
            )
            return body

        return add


def load_assignment(folder: str | Path, file: str = "properties.py") -> Assignment:
    """Read the properties in an assignment's folder, and its typical mistakes if it has some.

    The mistakes are a list ``MISTAKES``, in ``mistakes.py`` or beside the properties. What they
    answer may stand there, too, a dict ``LIKELY`` from the names of properties to their `likely`.
    ``mistakes.py`` may use what the properties define, by ``from .properties import ...``.

    Parameters
    ----------
    folder : str or Path
    file : str
        The file with the properties.

    Returns
    -------
    Assignment

    Raises
    ------
    ArgumentError
        If there is no such file, or it defines no `assignment`.
    """
    path = Path(folder) / file
    if not path.is_file():
        raise ArgumentError("course", "assignment", got=repr(str(path)), expected="a file")
    module = _module(path)
    assignment = getattr(module, "assignment", None)
    if not isinstance(assignment, Assignment):
        raise ArgumentError(
            "course", "assignment", got=repr(assignment), expected="an Assignment", hint=str(path)
        )
    catalogue = path.with_name("mistakes.py")
    holder = _module(catalogue) if catalogue.is_file() else module
    assignment.mistakes = list(getattr(holder, "MISTAKES", []))
    _add_likely(assignment, getattr(holder, "LIKELY", {}))
    return assignment


def _add_likely(assignment: Assignment, likely: Mapping[str, Likely]) -> None:
    unknown = likely.keys() - {prop.name for prop in assignment.properties}
    if unknown:
        raise ArgumentError(
            assignment.name, "LIKELY", got=sorted(unknown), expected="names of properties"
        )
    assignment.properties = [
        replace(prop, likely={**prop.likely, **likely.get(prop.name, {})})
        for prop in assignment.properties
    ]


def _module(path: Path) -> ModuleType:
    """The file as a module, in a package made of its folder."""
    folder = path.resolve().parent
    package = ModuleType(f"tinydl_course_{folder.name.replace('-', '_')}")
    package.__path__ = [str(folder)]
    sys.modules[package.__name__] = package
    name = f"{package.__name__}.{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module
