"""The story of a training step: its pages in order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tinydl.errors import ArgumentError
from tinydl.explain.page import Step

if TYPE_CHECKING:
    from tinydl.explain.landscapes import Landscape


class Story:
    """Steps in the order in which they happened; `tinydl.explain.record` makes one.

    Attributes
    ----------
    title : str
    note : str or None
        One sentence: what to notice.
    steps : tuple of Step
    left_out : int
        How many more ops, walks back and updates there were when recording had ended.
    landscape : Landscape or None
        The loss around the weights, if one wants it beside the pages: assign what
        `tinydl.explain.landscape` returns.
    """

    def __init__(self, title: str, note: str | None = None, steps: tuple[Step, ...] = ()) -> None:
        self.title, self.note, self.steps = title, note, steps
        self.left_out = 0
        self.landscape: Landscape | None = None

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
    def missing(self) -> str:
        """What the story does not tell because recording had ended; "" where it tells all.

        Examples
        --------
        >>> from tinydl import explain, tensor
        >>> w = tensor(2.0, requires_grad=True)
        >>> with explain.record(limit=1) as story:
        ...     y = w * w * w
        >>> story.missing
        'This is not all: recording ended here, and 1 more op, walk back or update followed.'
        """
        if not self.left_out:
            return ""
        return (
            f"This is not all: recording ended here, and {self.left_out:,} more"
            f" {'op, walk back or update' if self.left_out == 1 else 'ops, walks back or updates'}"
            " followed."
        )

    @property
    def edges(self) -> dict[int, tuple[int, ...]]:
        """For each step, the steps whose results it uses."""
        return {step.number: step.after for step in self.steps}

    def __repr__(self) -> str:
        return f"Story({self.title!r}, {len(self)} steps)"

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the story as one HTML file, to click through in a browser; it needs no network.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> from tinydl import explain, tensor
        >>> with explain.record() as story:
        ...     b = tensor(2.0, requires_grad=True) * 3.0
        >>> story.to_html(getfixture("tmp_path") / "story.html")
        """
        from tinydl.explain.html import write_html

        write_html(self, path)

    def print(self, step: int | None = None, element: Any = None) -> None:
        """Print the pages in the terminal.

        Parameters
        ----------
        step : int, optional
            Only this one, counted from 1.
        element : int or tuple of int, optional
            Which element of the step's output to show with numbers; by default the largest.

        Examples
        --------
        >>> from tinydl import explain, tensor
        >>> with explain.record() as story:
        ...     b = tensor(2.0, requires_grad=True) * 3.0
        >>> story.print(step=1)  # doctest: +SKIP
        """
        from tinydl.explain.terminal import print_story

        print_story(self, step, element)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from tinydl.explain.notebook import html_of_story

        return html_of_story(self)
