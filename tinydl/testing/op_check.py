"""One call that attacks an op with everything that can be known from its declaration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tinydl.engine import Op
from tinydl.errors import unknown_name
from tinydl.testing.properties import PROPERTIES, Property, Subject


class PropertyResult(NamedTuple):
    """How one property fared.

    Attributes
    ----------
    name : str
        A key of `tinydl.testing.properties.PROPERTIES`.
    examples : int
        How many cases were tried.
    worst : float
        The largest error, in units of what is allowed.
    passed : bool
    message : str
        The smallest example that fails, and how; empty if none does.
    """

    name: str
    examples: int
    worst: float
    passed: bool
    message: str

    def __str__(self) -> str:
        if self.passed:
            return (
                f"  {self.name:<12} {self.examples:>4} tried, worst {self.worst:.2f} of its bound"
            )
        return f"  {self.name:<12} FAILED after {self.examples} tried: {self.message}"


class OpReport(NamedTuple):
    """What `check_op` found out about an op."""

    name: str
    order: int
    properties: tuple[PropertyResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every property holds."""
        return all(result.passed for result in self.properties)

    @property
    def examples(self) -> int:
        """How many cases were tried in all."""
        return sum(result.examples for result in self.properties)

    @property
    def worst(self) -> float:
        """The largest error of all properties that hold, in units of what is allowed."""
        return max(result.worst for result in self.properties)

    def __str__(self) -> str:
        outcome = "passed" if self.passed else "FAILED"
        return "\n".join(
            [f"{self.name}: {outcome}, to order {self.order}", *map(str, self.properties)]
        )


def check_op(
    op: str | type[Op] | Op,
    order: int = 2,
    seeds: int = 1,
    properties: Iterable[str] = tuple(PROPERTIES),
) -> OpReport:
    """Check everything that must be true of an op, from its declaration alone.

    Parameters
    ----------
    op : str, Op class or Op
        The op, by its name or itself. (The settings of an instance do not matter: those of the
        class's `examples` are used.)
    order : int
        The highest derivative to check.
    seeds : int
        How many times to draw the examples anew.
    properties : iterable of str
        Which properties to try, keys of `tinydl.testing.properties.PROPERTIES`; all by default.

    Returns
    -------
    OpReport
        With a result for each property. An op that raises fails; nothing is raised from here.

    Raises
    ------
    ArgumentError
        If there is no op, or no property, of this name.

    Examples
    --------
    >>> report = check_op("tanh", order=3)
    >>> report.passed
    True
    >>> [result.name for result in report.properties][:4]
    ['documented', 'literal', 'layouts', 'gradients']
    """
    if isinstance(op, str):
        if op not in Op.registry:
            raise unknown_name("check_op", "op", op, Op.registry)
        op = Op.registry[op]
    op_class = op if isinstance(op, type) else type(op)
    wanted = list(properties)
    for name in wanted:
        if name not in PROPERTIES:
            raise unknown_name("check_op", "properties", name, PROPERTIES)
    try:
        subjects = [_subject(op_class, order, seed) for seed in range(seeds)]
    except Exception as error:  # whatever an op under test does, the report must be written
        failure = PropertyResult("examples", 0, 0.0, False, f"{type(error).__name__}: {error}")
        return OpReport(op_class.name, order, (failure,))
    results = tuple(_try(name, PROPERTIES[name], subjects) for name in wanted)
    return OpReport(op_class.name, order, results)


def _subject(op_class: type[Op], order: int, seed: int) -> Subject:
    """The op with its examples, small ones first, so that the first that fails is the smallest."""
    examples = [
        (op, tuple(np.asarray(a) for a in arrays))
        for op, arrays in op_class.examples(np.random.default_rng(seed))
    ]
    examples.sort(key=lambda example: sum(a.size for a in example[1]))
    return Subject(op_class, examples, order, seed)


def _try(name: str, holds: Property, subjects: list[Subject]) -> PropertyResult:
    tried, worst = 0, 0.0
    try:
        for subject in subjects:
            for error in holds(subject):
                tried, worst = tried + 1, max(worst, error)
    except Exception as error:  # as above
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        return PropertyResult(name, tried, worst, False, f"{kind}{error}")
    return PropertyResult(name, tried, worst, True, "")
