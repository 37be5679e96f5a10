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
        self.subscripts = subscripts
        self._terms, self._result = _read(subscripts)

    @staticmethod
    def function(subscripts, *operands):
        return Einsum(subscripts)(*operands)

    def check(self, *operands):
        terms, _ = self.names([x.shape for x in operands])
        lengths = _lengths(terms, [x.shape for x in operands])
        for position, (x, term) in enumerate(zip(operands, terms, strict=True)):
            here = _lengths([term], [x.shape])
            for name, n in zip(term, x.shape, strict=True):
                if n != here[name] or n not in (1, lengths[name]):
                    raise ShapeError(
                        "einsum",
                        f"operands[{position}]",
                        got=f"{x.shape}, so {name!r} is {n} long",
                        expected=f"{lengths[name]}, as elsewhere in {self.subscripts!r}",
                    )

    def names(self, shapes):
        """One letter for each axis of each operand, and for each axis of the result."""
        if len(shapes) != len(self._terms):
            raise ArgumentError(
                "einsum",
                "the number of operands",
                got=len(shapes),
                expected=f"{len(self._terms)}, as subscripts is {self.subscripts!r}",
            )
        unnamed = [
            len(shape) - _count(term) for term, shape in zip(self._terms, shapes, strict=True)
        ]
        for position, (term, n) in enumerate(zip(self._terms, unnamed, strict=True)):
            if n < 0 or (n > 0 and "..." not in term):
                raise ShapeError(
                    "einsum",
                    f"operands[{position}]",
                    got=shapes[position],
                    expected=f"{_count(term)} axes, as its subscripts are {term!r}",
                )
        dots = _unused(self.subscripts)[: max(unnamed)]
        aligned_at_the_right = (dots[len(dots) - n :] for n in unnamed)
        terms = [
            term.replace("...", here)
            for term, here in zip(self._terms, aligned_at_the_right, strict=True)
        ]
        return terms, self._result.replace("...", dots)

    def forward(self, *operands):
        terms, result = self.names([x.shape for x in operands])
        subscripts = f"{','.join(terms)}->{result}"
        return np.einsum(subscripts, *floats_among_whole_numbers(operands), optimize=True)

    @rule(r"\bar x^{(m)}_{I_m} = \sum_{I \setminus I_m} \bar y_J \prod_{l \ne m} x^{(l)}_{I_l}")
    def operands(self, y_bar, y, *operands, position):
        terms, y_names = self.names([x.shape for x in operands])
        x, x_names = operands[position], terms.pop(position)
        factors = [y_bar, *operands[:position], *operands[position + 1 :]]
        terms.insert(0, y_names)
        lengths = _lengths(terms, [factor.shape for factor in factors])
        result = ""
        for name, n in zip(x_names, x.shape, strict=True):
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
            ("ii,i->i", (1, 1), (3,)),
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


def _read(subscripts) -> tuple[list[str], str]:
    """The subscripts of each operand and those of the result; dots may be left in them."""
    if not isinstance(subscripts, str):
        raise DTypeError("einsum", "subscripts", got=subscripts, expected="a string")
    before, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = before.split(",")
    if not all(re.fullmatch(r"[a-zA-Z]*(\.\.\.)?[a-zA-Z]*", term) for term in (*terms, result)):
        raise ArgumentError(
            "einsum",
            "subscripts",
            got=repr(subscripts),
            expected="letters, commas, at most one ... in each term, and at most one ->",
        )
    times = Counter(filter(str.isalpha, before))
    if not arrow:
        result = "..." + "".join(name for name in sorted(times) if times[name] == 1)
    if any(name not in times or result.count(name) > 1 for name in filter(str.isalpha, result)):
        raise ArgumentError(
            "einsum",
            "subscripts",
            got=repr(subscripts),
            expected="after -> each letter once, and only letters that an operand has",
        )
    return terms, result


def _count(term: str) -> int:
    """How many axes have a letter."""
    return len(term.replace("...", ""))


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
