"""The submission as properties see it: an object whose functions run in the other process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinydl.course.failures import Failure
from tinydl.course.process import Ended
from tinydl.course.session import Sessions
from tinydl.course.texts import clean


@dataclass
class Call:
    """A call of a student's function, or a run of a driver.

    Attributes
    ----------
    name : str
        The function; empty for a driver.
    arguments : dict of str to object
        By parameter name.
    positional : int
        How many of them, from the first, were passed by position.
    """

    name: str
    arguments: dict[str, Any]
    positional: int = 0

    def split(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as they were passed: by position, and by name."""
        items = list(self.arguments.items())
        by_position, named = items[: self.positional], items[self.positional :]
        return [value for _, value in by_position], dict(named)


class Student:
    """The functions of a submission, for the length of one property.

    ``student.NAME(...)`` calls the function NAME in the submission's process. Arguments and
    results are arrays, numbers, truth values, texts, None, and tuples, lists and dicts of these.

    Parameters
    ----------
    session : Session or KernelSession
    parameters : mapping of str to sequence of str
        The names of the parameters of each function.
    seconds : float
        Time for the whole property.
    inputs_may_change : bool
        Whether a function may change its arguments without failing at once.

    Attributes
    ----------
    calls : list of Call
        What was called in this case.
    changed : list of str
        The arguments that the last call changed.
    seconds : float
        The CPU time that the last call took.
    """

    def __init__(
        self,
        session: Sessions,
        parameters: Mapping[str, list[str]],
        seconds: float,
        inputs_may_change: bool,
    ) -> None:
        self._session, self._parameters = session, parameters
        self._left, self._asked = seconds, 0
        self._inputs_may_change = inputs_may_change
        self.calls: list[Call] = []
        self.changed: list[str] = []
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: Any, **named: Any) -> Any:
            return self.call(name, *arguments, **named)

        return call

    def call(self, function: str, /, *arguments: Any, **named: Any) -> Any:
        """Call a function by its name; ``student.NAME(...)`` in other words."""
        names = self._parameters.get(function, [])
        names = [*names, *(f"argument {i + 1}" for i in range(len(names), len(arguments)))]
        known = dict(zip(names, arguments, strict=False))
        self.calls.append(Call(function, {**known, **named}, len(arguments)))
        request = {
            "do": "call",
            "function": function,
            "names": [*map(str, range(len(arguments))), *named],
            "arguments": [*arguments, *named.values()],
        }
        return self._ask(request)

    def run(self, source: str, **arguments: Any) -> Any:
        """Run a few lines after the submission, with its names visible; return their `result`.

        The lines are known to the submission's process. So they may hold no reference and no
        expected values.
        """
        self.calls.append(Call("", dict(arguments)))
        request = {
            "do": "run",
            "source": source,
            "names": [*arguments],
            "arguments": [*arguments.values()],
        }
        return self._ask(request)

    def _ask(self, request: dict[str, Any]) -> Any:
        call = self.calls[-1]
        request["arguments"] = [_plain(value) for value in request["arguments"]]
        self._asked += 1
        request["seed"] = self._asked  # not the grader's seed, which would tell the next inputs
        before = self._session.taken
        try:
            answer = self._session.ask(request, self._left)
        except Ended as ended:
            what = f"{call.name}: " if call.name else ""
            raise Failure(f"{what}{ended.message}", kind=ended.state, line=ended.line) from None
        self.seconds = self._session.cpu
        self._left = max(self._left - (self._session.taken - before), 0.05)
        names = list(call.arguments)
        self.changed = [names[i] for i in _positions(answer.get("changed"), len(names))]
        if "error" in answer:
            raise _raised(call, answer["error"])
        if self.changed and not self._inputs_may_change:
            raise changed_inputs(call.name, self.changed)
        return answer.get("result")


def expect_unchanged(student: Student, function: str = "") -> None:
    """Expect that the last call, or the function that a driver called, left its arguments alone."""
    if student.changed:
        raise changed_inputs(function or student.calls[-1].name, student.changed)


def changed_inputs(function: str, names: list[str]) -> Failure:
    """The failure of a function that wrote into its arguments."""
    message = f"{function or 'the code'} changes its input {', '.join(names)}; work on a copy"
    return Failure(message, kind="changed input")


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.ndarray) else value


def _positions(found: Any, count: int) -> list[int]:
    """Positions of arguments, as far as an answer holds any."""
    if not isinstance(found, list):
        return []
    return [i for i in found if type(i) is int and 0 <= i < count]


def _raised(call: Call, told: Any) -> Failure:
    """The failure of a call that raised."""
    told = told if isinstance(told, dict) else {}
    kind, message = clean(told.get("type"), 80), clean(told.get("message"))
    line = told.get("line")
    line = line if type(line) is int else None
    if kind == "AttributeError" and f"'assignment' has no attribute '{call.name}'" in message:
        return Failure(f"there is no function {call.name} in your file", kind="missing")
    if kind == "NotImplementedError":
        return Failure(f"{call.name or 'it'} is not written yet", kind="missing", line=line)
    what = f"{call.name} raises" if call.name else "it raises"
    state = "refused" if told.get("refused") is True else "raised"
    return Failure(
        f"{what} {kind}: {message}",
        kind=state,
        line=line,
        text=clean(told.get("text") or "", 200).strip(),
    )
