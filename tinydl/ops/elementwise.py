"""Functions of one element: exponentials, roots, and the activations built from them."""

from __future__ import annotations

import numpy as np

from tinydl.engine import DEFAULT_DTYPE, Op, rule
from tinydl.errors import DTypeError


class Unary(Op, abstract=True):
    """An op on single elements."""

    input_names = ("x",)


class Absolute(Unary):
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

    @classmethod
    def conventions(cls):
        """The gradient at the kink."""
        yield cls(), (np.array([0.0]),), (np.array([0.0]),)


class Sign(Unary):
    r"""-1, 0 or 1; the gradient is zero everywhere, also at the jump.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sign([-2.0, 0.0, 3.0])
    tensor([-1.,  0.,  1.])
    """

    formula = r"y_i = [x_i > 0] - [x_i < 0]"
    kinks = "x_i = 0: the gradient is 0 there"

    def forward(self, x):
        return np.sign(x)

    @rule(r"\bar x_i = 0")
    def x(self, y_bar, y, x):
        return y_bar * 0.0


class Exp(Unary):
    r"""The exponential.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.exp([0.0, 1.0])
    tensor([1.      , 2.718282])
    """

    formula = r"y_i = e^{x_i}"
    methods = ("exp",)

    def forward(self, x):
        return np.exp(x)

    @rule(r"\bar x_i = \bar y_i y_i")
    def x(self, y_bar, y, x):
        return y_bar * y


class Log(Unary):
    r"""The natural logarithm; -inf at 0, nan below.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log([1.0, 2.0])
    tensor([0.       , 0.6931472])
    """

    formula = r"y_i = \ln x_i"
    domain = (0.0, np.inf)
    methods = ("log",)

    def forward(self, x):
        return np.log(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{x_i}")
    def x(self, y_bar, y, x):
        return y_bar / x


class Log1p(Unary):
    r"""The logarithm of 1 + x, exact for small x.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.log1p([0.0, 1e-10])
    tensor([0.e+00, 1.e-10])
    """

    formula = r"y_i = \ln(1 + x_i)"
    domain = (-1.0, np.inf)

    def forward(self, x):
        return np.log1p(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{1 + x_i}")
    def x(self, y_bar, y, x):
        return y_bar / (1.0 + x)


class Sqrt(Unary):
    r"""The square root; nan below 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sqrt([4.0, 9.0])
    tensor([2., 3.])
    """

    formula = r"y_i = \sqrt{x_i}"
    domain = (0.0, np.inf)
    kinks = "x_i = 0: the gradient is infinite there"
    methods = ("sqrt",)

    def forward(self, x):
        return np.sqrt(x)

    @rule(r"\bar x_i = \frac{\bar y_i}{2 y_i}")
    def x(self, y_bar, y, x):
        return y_bar / (2.0 * y)


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
        return x * x

    @rule(r"\bar x_i = 2 \bar y_i x_i")
    def x(self, y_bar, y, x):
        return 2.0 * y_bar * x


class Tanh(Unary):
    r"""The hyperbolic tangent, an S-curve from -1 to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.tanh([0.0, 100.0])
    tensor([0., 1.])
    """

    formula = r"y_i = \tanh x_i"
    methods = ("tanh",)

    def forward(self, x):
        return np.tanh(x)

    @rule(r"\bar x_i = \bar y_i (1 - y_i^2)")
    def x(self, y_bar, y, x):
        return y_bar * (1.0 - y * y)


class Sigmoid(Unary):
    r"""The logistic function, an S-curve from 0 to 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.sigmoid([-1000.0, 0.0, 1000.0])
    tensor([0. , 0.5, 1. ])
    """

    formula = r"y_i = \frac{1}{1 + e^{-x_i}}"

    def forward(self, x):
        small = np.exp(-np.abs(x))  # at most 1, where exp(-x) would overflow for large negative x
        return np.where(x >= 0, 1, small).astype(small.dtype) / (1 + small)

    @rule(r"\bar x_i = \bar y_i y_i (1 - y_i)")
    def x(self, y_bar, y, x):
        return y_bar * y * (1.0 - y)


class Softplus(Unary):
    r"""A smooth version of relu, and the integral of the sigmoid.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.softplus([-1000.0, 0.0, 1000.0])
    tensor([0.000000e+00, 6.931472e-01, 1.000000e+03])
    """

    formula = r"y_i = \ln(1 + e^{x_i})"

    def forward(self, x):
        # ln(1 + e^x) = x + ln(1 + e^-x): of the two, take the one whose exponential is at most 1.
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    @rule(r"\bar x_i = \bar y_i \, \sigma(x_i)")
    def x(self, y_bar, y, x):
        return y_bar * Sigmoid()(x)


class Relu(Unary):
    r"""The rectified linear unit: x where it is positive, otherwise 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.relu([-1.0, 0.0, 2.0])
    tensor([0., 0., 2.])
    """

    formula = r"y_i = \max(x_i, 0)"
    kinks = "x_i = 0: the gradient is 0 there"

    def forward(self, x):
        return np.maximum(x, 0)

    @rule(r"\bar x_i = \bar y_i [x_i > 0]")
    def x(self, y_bar, y, x):
        return y_bar * (x > 0)

    @classmethod
    def conventions(cls):
        """The gradient at the kink."""
        yield cls(), (np.array([0.0]),), (np.array([0.0]),)


class Cast(Op):
    r"""Convert to another dtype.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.cast([1.0, 2.0], "float64").dtype
    dtype('float64')
    """

    input_names = ("x",)
    formula = r"y_i = x_i"

    def __init__(self, dtype=DEFAULT_DTYPE):
        try:
            self.dtype = np.dtype(dtype)
        except TypeError:
            raise DTypeError("cast", "dtype", got=repr(dtype), expected="a NumPy dtype") from None
        if self.dtype.kind != "f":
            self.rules = (None,)  # no gradient flows through whole numbers

    def forward(self, x):
        return x.astype(self.dtype, copy=False)

    @rule(r"\bar x_i = \bar y_i")
    def x(self, y_bar, y, x):
        return Cast(x.dtype)(y_bar)

    @classmethod
    def examples(cls, rng):
        """To the precision it has, and to whole numbers."""
        yield cls("float64"), (rng.normal(size=(3, 4)),)
        yield cls("int64"), (rng.normal(size=(3, 4)),)


class OneHot(Op):
    r"""Turn class numbers into rows with a single 1; a number out of range gives a row of zeros.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.one_hot([2, 0], 3)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """

    input_names = ("x",)
    formula = r"y_{ik} = [x_i = k]"

    def __init__(self, num_classes=2, dtype=DEFAULT_DTYPE):
        self.num_classes, self.dtype = num_classes, np.dtype(dtype)

    def check(self, x):
        if x.dtype.kind not in "iu":
            raise DTypeError("one_hot", "x", got=f"of dtype {x.dtype}", expected="whole numbers")

    def forward(self, x):
        return (x[..., None] == np.arange(self.num_classes)).astype(self.dtype)

    @classmethod
    def examples(cls, rng):
        """Class numbers."""
        yield cls(4), (rng.integers(0, 4, (3, 2)),)
