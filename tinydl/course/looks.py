"""What the first look at a submission tells: read with care, and turned into advice."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinydl.course.texts import clean

SIGNATURE = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*")
# Packages that have the answers ready; importing others is said to be refused when it happens.
FOREIGN = ("tinydl", "torch", "tensorflow", "jax", "keras", "scipy", "sklearn", "autograd", "cffi")


@dataclass(frozen=True)
class Function:
    """The parameters of a function: those by position, how many of these it needs, any others."""

    positional: tuple[str, ...]
    required: int
    takes_more: bool


@dataclass(frozen=True)
class Look:
    """What a file defines and imports.

    Attributes
    ----------
    defines : dict of str to Function or None
        None for what is no function.
    imports : tuple of (str, int)
        Modules, and the lines that import them.
    """

    defines: Mapping[str, Function | None]
    imports: tuple[tuple[str, int], ...]

    def parameters(self, asked: Sequence[str]) -> dict[str, list[str]]:
        """The names of parameters, as the student calls them, else as they are asked for."""
        names = {name: wanted or [] for name, wanted in map(signature, asked)}
        for name, found in self.defines.items():
            if found is not None:
                names[name] = list(found.positional)
        return names


def read_look(told: Any) -> Look | None:
    """Read the answer of a process, which may be anything; None if it is no look.

    Examples
    --------
    >>> read_look({"defines": {"x": None}, "imports": [["math", 3]]})
    Look(defines={'x': None}, imports=(('math', 3),))
    >>> read_look({"defines": 7}) is None
    True
    """
    try:
        defines = {clean(name, 80): _function(found) for name, found in told["defines"].items()}
        imports = tuple((clean(module, 80), int(line)) for module, line in told["imports"])
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError):
        return None
    return Look(defines, imports)


def _function(told: Any) -> Function | None:
    if told is None:
        return None
    positional = tuple(clean(name, 80) for name in told["positional"])
    return Function(positional, len(told["required"]), bool(told["more"]))


def signature(text: str) -> tuple[str, list[str] | None]:
    """Name and parameters; None in place of the parameters if none are given.

    Examples
    --------
    >>> signature("dense(x, w, b=None)"), signature("Tensor")
    (('dense', ['x', 'w', 'b']), ('Tensor', None))
    """
    match = SIGNATURE.fullmatch(text)
    assert match is not None, f"{text!r} is no signature"
    name, parameters = match.groups()
    if parameters is None:
        return name, None
    return name, [p.split("=")[0].strip() for p in parameters.split(",") if p.strip()]


def advice(look: Look, asked: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """What can be said before anything runs: missing functions, other signatures, imports.

    Examples
    --------
    >>> advice(Look({"sofmax": None}, ()), ["softmax(z)"], ["numpy"])
    ['Your file does not define softmax. Is it sofmax?']
    """
    said = []
    for name, wanted in map(signature, asked):
        if name not in look.defines:
            near = difflib.get_close_matches(name, look.defines, n=1)
            meant = f" Is it {near[0]}?" if near else ""
            said.append(f"Your file does not define {name}.{meant}")
            continue
        found = look.defines[name]
        if wanted is not None and found is not None and not _fits(found, len(wanted)):
            has = ", ".join(found.positional)
            said.append(f"{name}({has}) is asked to be {name}({', '.join(wanted)}).")
    for module, line in look.imports:
        top = module.partition(".")[0]
        if top in FOREIGN and top not in allowed:
            said.append(f"Line {line} imports {top}, which this assignment does not allow.")
    return said


def _fits(found: Function, count: int) -> bool:
    return found.takes_more or found.required <= count <= len(found.positional)
