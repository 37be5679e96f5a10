"""Arithmetic: +, -, *, /, remainders, powers, signs."""

from __future__ import annotations

import numpy as np

from tinydl import kernels
from tinydl.engine import rule
from tinydl.errors import ArgumentError
from tinydl.ops.elementwise import (
    Bent,
    Binary,
    Floating,
    Function,
    Unary,
    number_dtype,
    refuse_booleans,
    zeros_like,
)
from tinydl.ops.selection import Where


class Add(Binary):
    r"""Add element by element.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.add([1.0, 2.0], 10.0)
    tensor([11., 12.])
    """

    formula = r"y_i = a_i + b_i"
    methods = ("__add__",)

    def forward(self, x1, x2):
        if x1.size > 10_000 and _is_bias(x2, x1):
            return kernels.add_row(x1, x2)  # three times as fast as NumPy
        return x1 + x2

    @rule(r"\bar a_i = \bar y_i")
    def x1(self, y_bar, y, x1, x2):
        return y_bar

    @rule(r"\bar b_i = \bar y_i")
    def x2(self, y_bar, y, x1, x2):
        return y_bar


def _is_bias(b, x):
    """Whether b is one number for each channel of x."""
    fits = x.ndim > 1 == b.ndim and x.shape[-1:] == b.shape
    return fits and x.dtype == b.dtype and x.flags.c_contiguous


class Subtract(Binary):
    r"""Subtract element by element.

    Raises
    ------
    DTypeError
        When both are booleans.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.subtract([1.0, 2.0], 10.0)
    tensor([-9., -8.])
    """

    formula = r"y_i = a_i - b_i"
    methods = ("__sub__",)

    def check(self, x1, x2):
        if x1.dtype.kind == x2.dtype.kind == "b":
            refuse_booleans(self, x1, x2)

    def forward(self, x1, x2):
        return x1 - x2

    @rule(r"\bar a_i = \bar y_i")
    def x1(self, y_bar, y, x1, x2):
        return y_bar

    @rule(r"\bar b_i = -\bar y_i")
    def x2(self, y_bar, y, x1, x2):
        return -y_bar


class Multiply(Binary):
    r"""Multiply element by element.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.multiply([1.0, 2.0], 10.0)
    tensor([10., 20.])
    """

    formula = r"y_i = a_i b_i"
    methods = ("__mul__",)
    linear_in = ("x1", "x2")

    def forward(self, x1, x2):
        return x1 * x2

    @rule(r"\bar a_i = \bar y_i b_i")
    def x1(self, y_bar, y, x1, x2):
        return y_bar * x2

    @rule(r"\bar b_i = \bar y_i a_i")
    def x2(self, y_bar, y, x1, x2):
        return y_bar * x1


class Divide(Floating, Binary):
    r"""Divide element by element; whole numbers give a float32.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.divide([1, 2], 4)
    tensor([0.25, 0.5 ])
    """

    formula = r"y_i = \frac{a_i}{b_i}"
    methods = ("__truediv__",)
    domain = (0.0, np.inf)
    linear_in = ("x1",)

    def forward(self, x1, x2):
        return x1 / x2

    @rule(r"\bar a_i = \frac{\bar y_i}{b_i}")
    def x1(self, y_bar, y, x1, x2):
        return y_bar / x2

    @rule(r"\bar b_i = -\bar y_i \frac{y_i}{b_i}")
    def x2(self, y_bar, y, x1, x2):
        return -y_bar * y / x2


class FloorDivide(Binary):
    r"""Divide and round down; the gradient is zero everywhere, also at the jumps.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.floor_divide([7.0, -7.0], 2.0)
    tensor([ 3., -4.])
    """

    formula = r"y_i = \lfloor a_i / b_i \rfloor"
    kinks = "a_i / b_i whole: the gradients are 0 there"
    methods = ("__floordiv__",)

    def forward(self, x1, x2):
        return np.floor_divide(x1, x2, dtype=number_dtype(x1, x2))

    @rule(r"\bar a_i = 0")
    def x1(self, y_bar, y, x1, x2):
        return zeros_like(y_bar)

    @rule(r"\bar b_i = 0")
    def x2(self, y_bar, y, x1, x2):
        return zeros_like(y_bar)

    @classmethod
    def examples(cls, rng):
        """Quotients that are not whole."""
        yield from _quotients(cls, rng)

    @classmethod
    def conventions(cls):
        """A whole quotient."""
        yield cls(), (np.array([6.0]), np.array([2.0])), (np.array([0.0]), np.array([0.0]))


class Mod(Binary):
    r"""What is left over by `floor_divide`; it has the sign of the divisor.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.mod([7.0, -7.0], 3.0)
    tensor([1., 2.])
    """

    formula = r"y_i = a_i - b_i \lfloor a_i / b_i \rfloor"
    kinks = "a_i / b_i whole: the gradients are those of the formula with the quotient held fixed"
    methods = ("__mod__",)

    def forward(self, x1, x2):
        return np.mod(x1, x2, dtype=number_dtype(x1, x2))

    @rule(r"\bar a_i = \bar y_i")
    def x1(self, y_bar, y, x1, x2):
        return y_bar

    @rule(r"\bar b_i = -\bar y_i \lfloor a_i / b_i \rfloor")
    def x2(self, y_bar, y, x1, x2):
        return -y_bar * FloorDivide()(x1, x2)

    @classmethod
    def examples(cls, rng):
        """Quotients that are not whole."""
        yield from _quotients(cls, rng)

    @classmethod
    def conventions(cls):
        """A whole quotient."""
        yield cls(), (np.array([6.0]), np.array([2.0])), (np.array([1.0]), np.array([-3.0]))


def _quotients(op_class, rng):
    for shape, other in (((3, 4), (3, 4)), ((), ()), ((0, 2), (2,)), ((2, 3, 1), (4,))):
        divisor = rng.uniform(0.5, 2.0, other) * rng.choice([-1, 1], other)
        quotient = rng.integers(-3, 3, np.broadcast_shapes(shape, other))
        part = rng.uniform(0.1, 0.9, quotient.shape)
        yield op_class(), ((quotient + part) * divisor, divisor)


class Power(Binary):
    r"""Raise to a power element by element.

    The slope in the base is 0 where the exponent is 0. The slope in the exponent is 0 where the
    base is 0 and the exponent is not negative: its limit from above.

    Raises
    ------
    ArgumentError
        For whole numbers with a negative exponent: the result would not be whole.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.power([1.0, 2.0, 3.0], 2)
    tensor([1., 4., 9.])
    """

    formula = r"y_i = a_i^{b_i}"
    methods = ("__pow__",)
    domain = (0.0, np.inf)

    def check(self, x1, x2):
        if x1.dtype.kind in "iub" and x2.dtype.kind == "i" and np.any(x2 < 0):
            raise ArgumentError(
                "power",
                "x2",
                got="negative",
                expected="exponents of at least 0 for whole numbers",
                hint="make the base a float",
            )

    def forward(self, x1, x2):
        return np.power(x1, x2, dtype=number_dtype(x1, x2))

    @rule(r"\bar a_i = \bar y_i b_i a_i^{b_i - 1}")
    def x1(self, y_bar, y, x1, x2):
        is_constant = x2 == 0
        exponent = Where()(is_constant, 1, x2 - 1)  # 0 * 0**-1 would be nan
        return Where()(is_constant, 0, y_bar * x2 * x1**exponent)

    @rule(r"\bar b_i = \bar y_i y_i \ln a_i")
    def x2(self, y_bar, y, x1, x2):
        is_constant = np.logical_and(x1.data == 0, x2.data >= 0)
        return y_bar * y * Where()(is_constant, 1, x1).log()

    @classmethod
    def examples(cls, rng):
        """Positive bases, and negative ones with whole exponents."""
        yield from super().examples(rng)
        exponents = rng.integers(-2, 4, (3, 1))
        yield cls(), (rng.uniform(0.5, 2.0, (3, 4)) * rng.choice([-1, 1], (3, 4)), exponents)


class Negative(Unary):
    r"""Change the sign.

    Raises
    ------
    DTypeError
        For booleans.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.negative([1.0, -2.0])
    tensor([-1.,  2.])
    """

    formula = r"y_i = -x_i"
    methods = ("__neg__",)
    linear_in = ("x",)

    def check(self, x):
        refuse_booleans(self, x)

    def forward(self, x):
        return -x

    @rule(r"\bar x_i = -\bar y_i")
    def x(self, y_bar, y, x):
        return -y_bar


class Absolute(Bent):
    r"""The distance from zero.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.absolute([-2.0, 3.0])
    tensor([2., 3.])
    """

    formula = r"y_i = |x_i|"
    kinks = "x_i = 0: the gradient is 0 there"
    methods = ("__abs__",)

    def forward(self, x):
        return np.abs(x)

    @rule(r"\bar x_i = \bar y_i \operatorname{sign}(x_i)")
    def x(self, y_bar, y, x):
        return y_bar * Sign()(x)


class Sign(Bent):
    r"""-1, 0 or 1, and nan for nan; the gradient is zero everywhere, also at the jump.

    Raises
    ------
    DTypeError
        For booleans.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sign([-2.0, 0.0, 3.0])
    tensor([-1.,  0.,  1.])
    """

    formula = r"y_i = [x_i > 0] - [x_i < 0]"
    kinks = "x_i = 0: the gradient is 0 there"

    def check(self, x):
        refuse_booleans(self, x)

    def forward(self, x):
        return np.sign(x)

    @rule(r"\bar x_i = 0")
    def x(self, y_bar, y, x):
        return zeros_like(y_bar)


class Square(Unary):
    r"""The square.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.square([2.0, 3.0])
    tensor([4., 9.])
    """

    formula = r"y_i = x_i^2"

    def forward(self, x):
        return np.square(x, dtype=number_dtype(x))

    @rule(r"\bar x_i = 2 \bar y_i x_i")
    def x(self, y_bar, y, x):
        return 2.0 * y_bar * x


class Reciprocal(Function):
    r"""One divided by the number; whole numbers give a float32.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.reciprocal([1, 2])
    tensor([1. , 0.5])
    """

    formula = r"y_i = \frac{1}{x_i}"
    domain = (0.0, np.inf)

    def forward(self, x):
        return 1 / x

    @rule(r"\bar x_i = -\bar y_i y_i^2")
    def x(self, y_bar, y, x):
        return -y_bar * y * y
