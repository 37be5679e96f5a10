"""The story of a training step: its pages in order."""

from __future__ import annotations

from collections.abc import Iterator

from tinydl.errors import ArgumentError
from tinydl.explain.page import Step


class Story:
    """Steps in the order in which they happened; `tinydl.explain.record` makes one.

    Attributes
    ----------
    title : str
    note : str or None
        One sentence: what to notice.
    steps : tuple of Step
    """

    def __init__(self, title: str, note: str | None = None, steps: tuple[Step, ...] = ()) -> None:
        self.title, self.note, self.steps = title, note, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, number: int) -> Step:
        """The step of this number, counted from 1 as on the pages."""
        if not isinstance(number, int) or not 1 <= number <= len(self.steps):
            raise ArgumentError(
                "story", "the step", got=repr(number), expected=f"1 to {len(self.steps)}"
            )
        return self.steps[number - 1]

    @property
    def edges(self) -> dict[int, tuple[int, ...]]:
        """For each step, the steps whose results it uses."""
        return {step.number: step.after for step in self.steps}

    def __repr__(self) -> str:
        return f"Story({self.title!r}, {len(self)} steps)"
