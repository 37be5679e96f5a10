"""Arithmetic: +, -, *, /, powers, and the larger or smaller of two."""

from __future__ import annotations

import numpy as np

from tinydl.engine import Op, Tensor, rule, tensor


class Binary(Op, abstract=True):
    """An op on pairs of elements; the shapes broadcast."""

    input_names = ("x1", "x2")
    broadcasts = True


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
        return x1 + x2

    @rule(r"\bar a_i = \bar y_i")
    def x1(self, y_bar, y, x1, x2):
        return y_bar

    @rule(r"\bar b_i = \bar y_i")
    def x2(self, y_bar, y, x1, x2):
        return y_bar


class Subtract(Binary):
    r"""Subtract element by element.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.subtract([1.0, 2.0], 10.0)
    tensor([-9., -8.])
    """

    formula = r"y_i = a_i - b_i"
    methods = ("__sub__",)

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

    def forward(self, x1, x2):
        return x1 * x2

    @rule(r"\bar a_i = \bar y_i b_i")
    def x1(self, y_bar, y, x1, x2):
        return y_bar * x2

    @rule(r"\bar b_i = \bar y_i a_i")
    def x2(self, y_bar, y, x1, x2):
        return y_bar * x1


class Divide(Binary):
    r"""Divide element by element.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.divide([1.0, 2.0], 4.0)
    tensor([0.25, 0.5 ])
    """

    formula = r"y_i = \frac{a_i}{b_i}"
    methods = ("__truediv__",)
    domain = (0.0, np.inf)

    def forward(self, x1, x2):
        return x1 / x2

    @rule(r"\bar a_i = \frac{\bar y_i}{b_i}")
    def x1(self, y_bar, y, x1, x2):
        return y_bar / x2

    @rule(r"\bar b_i = -\bar y_i \frac{y_i}{b_i}")
    def x2(self, y_bar, y, x1, x2):
        return -y_bar * y / x2


class Power(Binary):
    r"""Raise to a power element by element.

    The gradient of the exponent is 0 where the base is 0 (its limit from above for
    :math:`b_i > 0`), and so is that of the base where the exponent is 0.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.power([1.0, 2.0, 3.0], 2)
    tensor([1., 4., 9.])
    """

    formula = r"y_i = a_i^{b_i}"
    methods = ("__pow__",)
    domain = (0.0, np.inf)

    def forward(self, x1, x2):
        return x1**x2

    @rule(r"\bar a_i = \bar y_i b_i a_i^{b_i - 1}")
    def x1(self, y_bar, y, x1, x2):
        exponent = Where()(x2 == 0, 1, x2 - 1)  # 0 * 0**-1 would be nan where the slope is 0
        return y_bar * x2 * x1**exponent

    @rule(r"\bar b_i = \bar y_i y_i \ln a_i")
    def x2(self, y_bar, y, x1, x2):
        base = Where()(x1 == 0, 1, x1)
        return y_bar * y * base.log()


class Negative(Op):
    r"""Change the sign.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.negative([1.0, -2.0])
    tensor([-1.,  2.])
    """

    input_names = ("x",)
    formula = r"y_i = -x_i"
    methods = ("__neg__",)

    def forward(self, x):
        return -x

    @rule(r"\bar x_i = -\bar y_i")
    def x(self, y_bar, y, x):
        return -y_bar


class Maximum(Binary):
    r"""The larger of two, element by element; nan where either is nan.

    At a tie each input gets half of the gradient.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.maximum([1.0, -2.0], 0.0)
    tensor([1., 0.])
    """

    formula = r"y_i = \max(a_i, b_i)"
    kinks = "a_i = b_i: each input gets half of the gradient"

    def forward(self, x1, x2):
        return np.maximum(x1, x2)

    @rule(r"\bar a_i = \bar y_i \, ([a_i > b_i] + \tfrac{1}{2} [a_i = b_i])")
    def x1(self, y_bar, y, x1, x2):
        return y_bar * _share(x1, x2, y)

    @rule(r"\bar b_i = \bar y_i \, ([b_i > a_i] + \tfrac{1}{2} [a_i = b_i])")
    def x2(self, y_bar, y, x1, x2):
        return y_bar * _share(x2, x1, y)


class Minimum(Binary):
    r"""The smaller of two, element by element; nan where either is nan.

    At a tie each input gets half of the gradient.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.minimum([1.0, -2.0], 0.0)
    tensor([ 0., -2.])
    """

    formula = r"y_i = \min(a_i, b_i)"
    kinks = "a_i = b_i: each input gets half of the gradient"

    def forward(self, x1, x2):
        return np.minimum(x1, x2)

    @rule(r"\bar a_i = \bar y_i \, ([a_i < b_i] + \tfrac{1}{2} [a_i = b_i])")
    def x1(self, y_bar, y, x1, x2):
        return y_bar * _share(x1, x2, y)

    @rule(r"\bar b_i = \bar y_i \, ([b_i < a_i] + \tfrac{1}{2} [a_i = b_i])")
    def x2(self, y_bar, y, x1, x2):
        return y_bar * _share(x2, x1, y)


def _share(a: Tensor, b: Tensor, y: Tensor) -> Tensor:
    """How much of the gradient goes to `a`: 1 where it was chosen, 1/2 at ties, else 0."""
    chosen = (a.data == y.data) * 0.5 * (1 + (a.data != b.data))
    return tensor(chosen, dtype=y.dtype)


class Where(Op):
    r"""Take from `x1` where the condition holds, otherwise from `x2`.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.where([True, False], [1.0, 2.0], 0.0)
    tensor([1., 0.])
    """

    input_names = ("condition", "x1", "x2")
    formula = r"y_i = \begin{cases} a_i & \text{if } c_i \\ b_i & \text{otherwise} \end{cases}"
    broadcasts = True

    def forward(self, condition, x1, x2):
        return np.where(condition, x1, x2)

    @rule(r"\bar a_i = [c_i] \, \bar y_i")
    def x1(self, y_bar, y, condition, x1, x2):
        return Where()(condition, y_bar, 0)

    @rule(r"\bar b_i = (1 - [c_i]) \, \bar y_i")
    def x2(self, y_bar, y, condition, x1, x2):
        return Where()(condition, 0, y_bar)
