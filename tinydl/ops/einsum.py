r"""Einstein's summation: any sum of products, written as the names of the axes.

The gradient is again such a sum. For :math:`y_{ij} = \sum_k a_{ik} b_{kj}`, "ik,kj->ij",

.. math:: \bar a_{ik} = \sum_j \bar y_{ij} b_{kj}

is "ij,kj->ik": the names of `a` and of `y` have changed places. Two cases need one factor more. An
axis that only `a` has was summed up alone, so its gradient is the same all along: a factor of ones.
A name that `a` has twice reads its diagonal, so the gradient lies on that diagonal: the second of
the two gets a name of its own, and a factor that is the identity matrix.

Source: Laue, Mitterreiter & Giesen, *A Simple and Efficient Tensor Calculus*, AAAI 2020, section 3.
"""

from __future__ import annotations

import re
from collections import Counter
from string import ascii_letters

import numpy as np

from tinydl.engine import Op, floats_among_whole_numbers, rule, tensor
from tinydl.errors import ArgumentError, DTypeError, ShapeError


class Einsum(Op):
    """Multiply tensors, and sum over the axes that the result does not name.

    Parameters
    ----------
    subscripts : str
        A letter for each axis of each operand, with commas between operands, and after ``->`` the
        axes of the result; without ``->`` these are the letters that occur once, in the order of
        the alphabet. A letter twice in one operand is its diagonal. ``...`` stands for any number
        of axes, which broadcast; they come first when there is no ``->``.
    *operands : array_like

    Raises
    ------
    ArgumentError
        When the subscripts cannot be read, or do not fit the number of operands.
    ShapeError
        When an operand has another number of axes, or a letter two lengths.

    Examples
    --------
    >>> from tinydl import ops
    >>> a, b = [[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]]
    >>> ops.einsum("ij,jk->ik", a, b)
    tensor([[3., 2.],
            [7., 4.]])
    >>> ops.einsum("ii", a)
    tensor(5.)
    """

    input_names = ("*operands",)
    formula = r"y_{J} = \sum_{I \setminus J} \prod_m x^{(m)}_{I_m}"

    def __init__(self, subscripts):
        if not isinstance(subscripts, str):
            raise DTypeError("einsum", "subscripts", got=subscripts, expected="a string")
        self.subscripts = subscripts

    @staticmethod
    def function(subscripts, *operands):
        return Einsum(subscripts)(*operands)

    def check(self, *operands):
        names, _ = self.names([x.shape for x in operands])
        lengths: dict[str, int] = {}
        for position, (x, name_of_axes) in enumerate(zip(operands, names, strict=True)):
            here = _lengths([name_of_axes], [x.shape])
            for name, n in zip(name_of_axes, x.shape, strict=True):
                if n != here[name] or not (n == 1 or lengths.get(name, 1) in (1, n)):
                    expected = here[name] if n != here[name] else lengths[name]
                    raise ShapeError(
                        "einsum",
                        f"operands[{position}]",
                        got=f"{x.shape}, so {name!r} is {n} long",
                        expected=f"{expected}, as elsewhere in {self.subscripts!r}",
                    )
            lengths |= {name: n for name, n in here.items() if n != 1}

    def names(self, shapes):
        """One letter for each axis of each operand, and for each axis of the result."""
        before, arrow, after = self.subscripts.replace(" ", "").partition("->")
        terms = before.split(",")
        readable = re.compile(r"[a-zA-Z]*(\.\.\.)?[a-zA-Z]*")
        for term in (*terms, after):
            if not readable.fullmatch(term):
                raise ArgumentError(
                    "einsum",
                    "subscripts",
                    got=repr(self.subscripts),
                    expected="letters, commas, at most one ... in each term, and at most one ->",
                )
        if len(terms) != len(shapes):
            raise ArgumentError(
                "einsum",
                "subscripts",
                got=f"{self.subscripts!r}, for {len(terms)} operands",
                expected=f"terms for {len(shapes)}",
            )
        named = [len(term.replace("...", "")) for term in terms]
        for position, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
            if len(shape) < named[position] or ("..." not in term and len(shape) > named[position]):
                raise ShapeError(
                    "einsum",
                    f"operands[{position}]",
                    got=shape,
                    expected=f"{named[position]} axes, as its subscripts are {term!r}",
                )
        unnamed = [
            len(shape) - n if "..." in term else 0
            for term, shape, n in zip(terms, shapes, named, strict=True)
        ]
        dots = _unused(self.subscripts)[: max(unnamed)]
        names = [
            term.replace("...", dots[len(dots) - n :])
            for term, n in zip(terms, unnamed, strict=True)
        ]
        if not arrow:
            times = Counter(before)
            after = "..." + "".join(c for c in sorted(times) if c.isalpha() and times[c] == 1)
        missing = set(after) - {"."} - set(before)
        if missing or max(Counter(after.replace(".", "")).values(), default=1) > 1:
            raise ArgumentError(
                "einsum",
                "subscripts",
                got=repr(self.subscripts),
                expected="after -> each letter once, and only letters that an operand has",
            )
        return names, after.replace("...", dots)

    def forward(self, *operands):
        names, output = self.names([x.shape for x in operands])
        subscripts = f"{','.join(names)}->{output}"
        return np.einsum(subscripts, *floats_among_whole_numbers(operands), optimize=True)

    @rule(r"\bar x^{(m)}_{I_m} = \sum_{I \setminus I_m} \bar y_J \prod_{l \ne m} x^{(l)}_{I_l}")
    def operands(self, y_bar, y, *operands, position):
        names, output = self.names([x.shape for x in operands])
        x, names_of_x = operands[position], names.pop(position)
        factors = [y_bar, *operands[:position], *operands[position + 1 :]]
        terms, result = [output, *names], ""
        lengths = _lengths(terms, [factor.shape for factor in factors])
        for name, n in zip(names_of_x, x.shape, strict=True):
            if n == 1:  # may have been stretched; summed up here, and back by the reshape below
                continue
            if name in result:
                twin = _unused(self.subscripts + "".join(terms))[0]
                terms.append(name + twin)
                factors.append(tensor(np.eye(n, dtype=y.dtype)))
                name = twin
            elif lengths.get(name, 1) != n:
                terms.append(name)
                factors.append(tensor(np.ones(n, dtype=y.dtype)))
            result += name
        return Einsum(f"{','.join(terms)}->{result}")(*factors).reshape(x.shape)

    @classmethod
    def examples(cls, rng):
        """Products, sums, diagonals, stretched axes, dots, implicit results, empty sums."""
        for subscripts, *shapes in (
            ("ij,jk->ik", (2, 3), (3, 4)),
            ("ij,jk", (2, 3), (3, 2)),
            ("ba", (2, 3)),
            ("ij->", (2, 3)),
            ("i,j", (2,), (3,)),
            ("ii", (3, 3)),
            ("ii->i", (3, 3)),
            ("iij,i->ji", (2, 2, 3), (2,)),
            ("iii->", (2, 2, 2)),
            ("ij,k->k", (2, 3), (2,)),
            ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 1)),
            ("i...,...j", (2, 3), (3, 2)),
            ("...,...->", (2, 1), (3,)),
            ("ij,ij->ij", (2, 1), (1, 3)),
            ("ij,ij->i", (2, 1), (1, 3)),
            ("bi,ijk,bj,b->bk", (2, 2), (2, 3, 2), (2, 3), (2,)),
            (",i->i", (), (2,)),
            ("->", ()),
            ("ij,jk->ik", (2, 0), (0, 2)),
        ):
            yield cls(subscripts), tuple(rng.normal(size=shape) for shape in shapes)


def _unused(subscripts: str) -> str:
    return "".join(letter for letter in ascii_letters if letter not in subscripts)


def _lengths(terms, shapes) -> dict[str, int]:
    """How long the axis of each name is; 1 only if it is nowhere longer."""
    lengths: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for name, n in zip(term, shape, strict=True):
            if n != 1 or name not in lengths:
                lengths[name] = n
    return lengths
