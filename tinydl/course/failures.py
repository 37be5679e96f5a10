"""How a property says that it does not hold."""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """A property does not hold for a submission; raised by properties and by what they call.

    Parameters
    ----------
    message : str
        What is wrong, in words for the student.
    kind : str
        What went wrong: "value", "shape", "dtype", "type", "changed input", "raised", "missing",
        "crashed", "timed out". A counter-example is only replaced by a smaller one of its kind.
    got, expected : object
        What the submission answered and what would have been right; for feedback and for guessing
        the mistake.
    at : tuple of int or None
        The element that differs most.
    numbers : str
        The formula with the numbers of that element in it.
    share : float
        The part of the property's points that is still earned, from 0 to 1.

    Examples
    --------
    >>> Failure("the accuracy is 0.93, asked are 0.95", share=0.5).share
    0.5
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "value",
        got: Any = None,
        expected: Any = None,
        at: tuple[int, ...] | None = None,
        numbers: str = "",
        share: float = 0.0,
        line: int | None = None,
        text: str = "",
    ) -> None:
        super().__init__(message)
        self.message, self.kind = message, kind
        self.got, self.expected, self.at = got, expected, at
        self.numbers, self.share = numbers, share
        self.line, self.text = line, text
