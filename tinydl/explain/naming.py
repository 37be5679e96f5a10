"""Names for everything in a story: the user's own, the layers', or the op's."""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op, Tensor
from tinydl.explain.page import number
from tinydl.explain.recorder import Key, key_of

FIRST_INPUTS = ("inputs", "x", "x1")
IMAGES = ("sample", "row", "column", "channel")
OF_WEIGHTS = {
    ("kernel", 4): ("row", "column", "channel in", "channel out"),
    ("kernel", 2): ("input", "output"),
    ("bias", 1): ("output",),
}
OF_LAYERS = {
    1: ("sample",),
    2: ("sample", "feature"),
    3: ("sample", "position", "feature"),
    4: IMAGES,
}
ELSEWHERE = {1: ("element",), 2: ("row", "column"), 3: ("block", "row", "column"), 4: IMAGES}


class Names:
    """Gives each value a name of its own.

    A tensor that gets other values, as a weight does by an update, keeps its name and is numbered:
    ``w``, then ``w (2)``. Different tensors of one name are ``h``, ``h_2``.

    Parameters
    ----------
    known : dict
        What the user calls some of the values.
    """

    def __init__(self, known: dict[Key, str]) -> None:
        self.known = known
        self.given: dict[Key, str] = {}
        self.first_name: dict[int, str] = {}
        self.taken: set[str] = set()

    def of(self, x: Tensor, array: np.ndarray | None, otherwise: str = "") -> str:
        """The name of a value."""
        return self._name(x, key_of(x, array), otherwise)

    def _name(self, x: Tensor, key: Key, otherwise: str) -> str:
        if key not in self.given:
            if id(x) in self.first_name:
                name = self.unique(self.first_name[id(x)])
            else:
                base = self.known.get(key) or x.name or otherwise or "x"
                name = base if base not in self.taken else _numbered(base, "_", self.taken)
                self.first_name[id(x)] = name
            self.taken.add(name)
            self.given[key] = name
        return self.given[key]

    def of_input(
        self, x: Tensor, array: np.ndarray, op: Op, position: int, layer: str | None
    ) -> str:
        """The name of what an op read."""
        if x.op is not None:
            return self.of(x, None, x.op.name)
        key = key_of(x, array)
        is_constant = array.size == 1 and not x.requires_grad and key not in self.given
        if is_constant and key not in self.known and not x.name:
            return self._constant(x, array)
        own = op.input_name(position)
        plain = "x" if own in FIRST_INPUTS and not x.requires_grad else own
        return self.of(x, array, "w" if x.requires_grad else plain)

    def of_result(self, y: Tensor, key: Key, op: Op, layer: str | None) -> str:
        """The name of what an op made."""
        return self._name(y, key, f"{layer}/{op.name}" if layer else op.name)

    def layer_of(self, weight: str) -> str | None:
        """The layer that a weight's name begins with."""
        layer, slash, _ = weight.rpartition("/")
        return layer if slash else None

    def unique(self, base: str) -> str:
        """The name, or the name with a number in brackets."""
        name = base
        count = 1
        while name in self.taken:
            count += 1
            name = f"{base} ({count})"
        self.taken.add(name)
        return name

    def _constant(self, x: Tensor, array: np.ndarray) -> str:
        """A number is called what it is; equal ones of one shape are one value."""
        brackets = "[" * array.ndim, "]" * array.ndim
        value = float(array.ravel()[0])
        text = number(value).replace(r" \cdot 10^{", "e").replace("10^{", "1e").replace("}", "")
        name = brackets[0] + text.replace("\\", "") + brackets[1]
        self.given[key_of(x, array)] = self.first_name[id(x)] = name
        self.taken.add(name)
        return name


def axes_of(name: str, shape: tuple[int, ...], layer: str | None) -> tuple[str, ...]:
    """What each axis counts, as far as the name and the layer tell.

    Examples
    --------
    >>> axes_of("conv2d/kernel", (3, 3, 1, 8), "conv2d")
    ('row', 'column', 'channel in', 'channel out')
    >>> axes_of("y", (2, 3), "dense")
    ('sample', 'feature')
    >>> axes_of("y", (2, 3), None)
    ('row', 'column')
    """
    last = name.rpartition("/")[2].partition(" (")[0]
    own = OF_WEIGHTS.get((last, len(shape)))
    inside = OF_LAYERS.get(len(shape)) if layer else None
    numbered = tuple(f"axis {axis}" for axis in range(len(shape)))
    return own or inside or ELSEWHERE.get(len(shape), numbered)


def _numbered(base: str, mark: str, taken: set[str]) -> str:
    count = 2
    while f"{base}{mark}{count}" in taken:
        count += 1
    return f"{base}{mark}{count}"
