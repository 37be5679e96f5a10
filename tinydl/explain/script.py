"""The story of somebody's program: run it, and watch its first training step."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinydl.engine import Tensor
from tinydl.errors import ArgumentError
from tinydl.explain.recorder import Applying, Event, PassingBack, Recorder
from tinydl.explain.story import Story
from tinydl.explain.watching import record

MANY = 100_000  # forward steps before the first gradient, of which only its own are told


class _Enough(BaseException):
    """The first step is done; no handler of the program should take it for an error."""


class _FirstStep(Recorder):
    """Takes in one walk back and the update after it, then ends the program."""

    def saw_op(self, *what: Any) -> None:
        """An op has been applied; after a walk back, it belongs to the next step."""
        if self._has_passed_back:
            raise _Enough
        super().saw_op(*what)

    def saw_gradients(self, *what: Any) -> None:
        """Gradients have been passed back."""
        if self._has_passed_back:
            raise _Enough
        super().saw_gradients(*what)
        last = self.events[-1] if self.events else None
        if not isinstance(last, PassingBack):
            return
        self.events = _leading_to(last.walked, self.events)

    def after_update(self, optimizer: Any) -> None:
        """Weights have been changed."""
        super().after_update(optimizer)
        if self._has_passed_back:
            raise _Enough

    @property
    def _has_passed_back(self) -> bool:
        return any(isinstance(event, PassingBack) for event in self.events[-2:])


def _leading_to(results: Sequence[Tensor], events: Sequence[Event]) -> list[Event]:
    """The events without ops that none of these results used."""
    needed = {id(y) for y in results}
    kept: list[Event] = []
    for event in reversed(events):
        if isinstance(event, Applying):
            if id(event.y) not in needed:
                continue
            needed.update(id(x) for x in event.inputs)
        kept.append(event)
    return kept[::-1]


def run_script(path: str | Path, arguments: Sequence[str] = ()) -> Story:
    """Run a program until its first training step is done, and tell that.

    The program is run as by ``python path``, and ended after its first walk back and the update
    that follows it.

    Parameters
    ----------
    path : str or Path
    arguments : sequence of str
        What the program finds in ``sys.argv`` after its own name.

    Returns
    -------
    Story

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ArgumentError
        When the program never passes gradients back.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    watched = record(f"The first training step of {path.name}", limit=MANY)
    watched.recorder = _FirstStep(MANY)
    argv, folder = sys.argv, str(path.parent.resolve())
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, folder)
    try:
        with watched as story:
            runpy.run_path(str(path), run_name="__main__")
    except (_Enough, SystemExit):
        pass
    finally:
        sys.argv = argv
        sys.path.remove(folder)
    if not any(step.kind == "backward" for step in story):
        raise ArgumentError(
            "explain",
            str(path),
            got="a program that passes no gradients back",
            expected="one that calls backward(), grad() or fit()",
        )
    return story
