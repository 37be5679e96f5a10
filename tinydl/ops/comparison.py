"""True or false: comparisons, tests of single numbers, and logic. None of them has a gradient."""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op
from tinydl.errors import DTypeError
from tinydl.ops.elementwise import Binary, Unary


class Comparison(Binary, abstract=True):
    """True or false for each pair of elements; the shapes broadcast, no gradient flows."""

    @classmethod
    def examples(cls, rng):
        """Whole numbers, so that some are equal."""
        for shape, other in (((3, 4), (3, 4)), ((), ()), ((0, 2), (2,)), ((2, 3, 1), (4,))):
            yield cls(), (rng.integers(-1, 2, shape) * 1.0, rng.integers(-1, 2, other) * 1.0)


class Less(Comparison):
    """Where the first is smaller.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.less([1, 2, 3], 2)
    tensor([ True, False, False])
    """

    formula = r"y_i = [a_i < b_i]"
    methods = ("__lt__",)

    def forward(self, x1, x2):
        return x1 < x2


class LessEqual(Comparison):
    """Where the first is smaller or equal.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.less_equal([1, 2, 3], 2)
    tensor([ True,  True, False])
    """

    formula = r"y_i = [a_i \le b_i]"
    methods = ("__le__",)

    def forward(self, x1, x2):
        return x1 <= x2


class Greater(Comparison):
    """Where the first is larger.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.greater([1, 2, 3], 2)
    tensor([False, False,  True])
    """

    formula = r"y_i = [a_i > b_i]"
    methods = ("__gt__",)

    def forward(self, x1, x2):
        return x1 > x2


class GreaterEqual(Comparison):
    """Where the first is larger or equal.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.greater_equal([1, 2, 3], 2)
    tensor([False,  True,  True])
    """

    formula = r"y_i = [a_i \ge b_i]"
    methods = ("__ge__",)

    def forward(self, x1, x2):
        return x1 >= x2


class Equal(Comparison):
    """Where both are equal; nan equals nothing.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.equal([1.0, np.nan], [1.0, np.nan])
    tensor([ True, False])
    """

    formula = r"y_i = [a_i = b_i]"
    methods = ("__eq__",)

    def forward(self, x1, x2):
        return x1 == x2


class NotEqual(Comparison):
    """Where the two differ; nan differs from everything.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.not_equal([1.0, np.nan], [1.0, np.nan])
    tensor([False,  True])
    """

    formula = r"y_i = [a_i \ne b_i]"
    methods = ("__ne__",)

    def forward(self, x1, x2):
        return x1 != x2


class Test(Unary, abstract=True):
    """True or false for each number."""

    @classmethod
    def examples(cls, rng):
        """Ordinary numbers, infinities and nan."""
        for shape in ((3, 4), (), (0, 2)):
            yield cls(), (rng.choice([-np.inf, -1.0, 0.0, 2.5, np.inf, np.nan], shape),)


class Isnan(Test):
    """Where there is no number at all: 0/0 and what came of it.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.isnan([1.0, np.inf, np.nan])
    tensor([False, False,  True])
    """

    formula = r"y_i = [x_i \ne x_i]"

    def forward(self, x):
        return np.isnan(x)


class Isinf(Test):
    """Where the number is infinite, of either sign.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.isinf([1.0, -np.inf, np.nan])
    tensor([False,  True, False])
    """

    formula = r"y_i = [|x_i| = \infty]"

    def forward(self, x):
        return np.isinf(x)


class Isfinite(Test):
    """Where the number is neither infinite nor nan.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.isfinite([1.0, -np.inf, np.nan])
    tensor([ True, False, False])
    """

    formula = r"y_i = [|x_i| < \infty]"

    def forward(self, x):
        return np.isfinite(x)


class LogicalAnd(Comparison):
    """Where both are true; numbers count as true unless they are 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.logical_and([True, True, False], [True, False, False])
    tensor([ True, False, False])
    """

    formula = r"y_i = a_i \wedge b_i"

    def forward(self, x1, x2):
        return np.logical_and(x1, x2)


class LogicalOr(Comparison):
    """Where at least one is true; numbers count as true unless they are 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.logical_or([True, True, False], [True, False, False])
    tensor([ True,  True, False])
    """

    formula = r"y_i = a_i \vee b_i"

    def forward(self, x1, x2):
        return np.logical_or(x1, x2)


class LogicalXor(Comparison):
    """Where exactly one is true; numbers count as true unless they are 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.logical_xor([True, True, False], [True, False, False])
    tensor([False,  True, False])
    """

    formula = r"y_i = a_i \oplus b_i"

    def forward(self, x1, x2):
        return np.logical_xor(x1, x2)


class LogicalNot(Test):
    """True becomes false and false true; numbers count as true unless they are 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.logical_not([True, False])
    tensor([False,  True])
    """

    formula = r"y_i = \neg x_i"

    def forward(self, x):
        return np.logical_not(x)


class Bitwise(Binary, abstract=True):
    """Logic on each bit of two whole numbers, or on two booleans; for the operators of masks.

    Raises
    ------
    DTypeError
        For floats.
    """

    def check(self, x1, x2):
        for name, x in zip(self.input_names, (x1, x2), strict=True):
            _refuse_floats(self, name, x)

    @classmethod
    def examples(cls, rng):
        """Booleans, and whole numbers that are stretched."""
        yield cls(), (rng.normal(size=(3, 4)) > 0, rng.normal(size=(3, 4)) > 0)
        yield cls(), (rng.integers(-9, 9, (3, 1)), rng.integers(-9, 9, 4))


class BitwiseAnd(Bitwise):
    """The bits that both have; for booleans, where both are true.

    Raises
    ------
    DTypeError
        For floats.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.bitwise_and(6, 3)
    tensor(2)
    """

    formula = r"y_i = a_i \wedge b_i \text{ in each bit}"
    input_names = ("x", "y")
    methods = ("__and__",)

    def forward(self, x, y):
        return np.bitwise_and(x, y)


class BitwiseOr(Bitwise):
    """The bits that at least one has; for booleans, where at least one is true.

    Raises
    ------
    DTypeError
        For floats.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.bitwise_or(6, 3)
    tensor(7)
    """

    formula = r"y_i = a_i \vee b_i \text{ in each bit}"
    input_names = ("x", "y")
    methods = ("__or__",)

    def forward(self, x, y):
        return np.bitwise_or(x, y)


class BitwiseXor(Bitwise):
    """The bits that exactly one has; for booleans, where exactly one is true.

    Raises
    ------
    DTypeError
        For floats.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.bitwise_xor(6, 3)
    tensor(5)
    """

    formula = r"y_i = a_i \oplus b_i \text{ in each bit}"
    input_names = ("x", "y")
    methods = ("__xor__",)

    def forward(self, x, y):
        return np.bitwise_xor(x, y)


class BitwiseNot(Unary):
    """The bits that are missing; for booleans, true becomes false and false true.

    Raises
    ------
    DTypeError
        For floats.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.bitwise_not([True, False])
    tensor([False,  True])
    """

    formula = r"y_i = \neg x_i \text{ in each bit}"
    methods = ("__invert__",)

    def check(self, x):
        _refuse_floats(self, "x", x)

    def forward(self, x):
        return np.bitwise_not(x)

    @classmethod
    def examples(cls, rng):
        """Booleans and whole numbers."""
        yield cls(), (rng.normal(size=(3, 4)) > 0,)
        yield cls(), (rng.integers(-9, 9, (3, 1)),)


def _refuse_floats(op: Op, name: str, x: np.ndarray) -> None:
    if x.dtype.kind == "f":
        raise DTypeError(
            op.name,
            name,
            got=f"of dtype {x.dtype}",
            expected="booleans or whole numbers",
            hint="compare first: (x > 0) & (x < 1)",
        )
