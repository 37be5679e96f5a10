"""Cut the LaTeX of a formula into its smallest pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinydl.explain.symbols import SIZES, SPACES


@dataclass(frozen=True)
class Token:
    """A piece of source, of the kind "command", "environment", "number", "text" or "character".

    `spaced` says whether there was a distance before it.
    """

    kind: str
    text: str
    place: int
    spaced: bool


_PIECES = re.compile(
    r"(?P<text>\\(?:text|textrm|mbox)\{(?P<words>[^{}]*)\})"
    r"|(?P<environment>\\(?:begin|end)\{[a-z]+\*?\}(?:\{[lrc]+\})?)"
    r"|\\(?P<command>[a-zA-Z]+|.)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<character>\S)",
    re.DOTALL,
)


def tokens(latex: str) -> list[Token]:
    """The pieces of the source, without those that only change sizes and distances."""
    found = []
    end = 0
    spaced = after_size = False
    for match in _PIECES.finditer(latex):
        spaced = spaced or (match.start() > end and not after_size)
        end = match.end()
        after_size = match["command"] in SIZES
        if after_size or match["command"] in SPACES:
            spaced = spaced or not after_size
            continue
        kind = match.lastgroup or ""
        text = match["words"] if kind == "text" else match[kind]
        found.append(Token(kind, text, match.start(), spaced))
        spaced = False
    return found
