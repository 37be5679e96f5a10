"""Choices between numbers: the larger, the smaller, within bounds, by a condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinydl.engine import Op, Tensor, rule, tensor
from tinydl.errors import ArgumentError
from tinydl.ops.elementwise import Binary


class Maximum(Binary):
    r"""The larger of two, element by element; nan where either is nan.

    At a tie each input gets half of the gradient; where there is a nan, each gets all of it.

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
        return y_bar * _share(x1.data < x2.data, x1.data == x2.data, y)

    @rule(r"\bar b_i = \bar y_i \, ([b_i > a_i] + \tfrac{1}{2} [a_i = b_i])")
    def x2(self, y_bar, y, x1, x2):
        return y_bar * _share(x2.data < x1.data, x1.data == x2.data, y)

    @classmethod
    def conventions(cls):
        """A tie."""
        yield cls(), (np.array([2.0]), np.array([2.0])), (np.array([0.5]), np.array([0.5]))


class Minimum(Binary):
    r"""The smaller of two, element by element; nan where either is nan.

    At a tie each input gets half of the gradient; where there is a nan, each gets all of it.

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
        return y_bar * _share(x1.data > x2.data, x1.data == x2.data, y)

    @rule(r"\bar b_i = \bar y_i \, ([b_i < a_i] + \tfrac{1}{2} [a_i = b_i])")
    def x2(self, y_bar, y, x1, x2):
        return y_bar * _share(x2.data > x1.data, x1.data == x2.data, y)

    @classmethod
    def conventions(cls):
        """A tie."""
        yield cls(), (np.array([2.0]), np.array([2.0])), (np.array([0.5]), np.array([0.5]))


def _share(loses: np.ndarray, ties: np.ndarray, y: Tensor) -> Tensor:
    """How much of the gradient an input gets: 0 where it loses, 1/2 at ties, else 1."""
    return tensor(1 - loses - 0.5 * ties, dtype=y.dtype)


class Where(Op):
    r"""Take from `x1` where the condition holds, otherwise from `x2`.

    Parameters
    ----------
    condition : array_like
        Booleans; numbers count as true unless they are 0.
    x1, x2 : array_like
        All three broadcast. Without these two the result is that of `nonzero`.

    Raises
    ------
    ArgumentError
        When only one of `x1` and `x2` is given.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.where([True, False], [1.0, 2.0], 0.0)
    tensor([1., 0.])
    """

    input_names = ("condition", "x1", "x2")
    formula = r"y_i = \begin{cases} a_i & \text{if } c_i \\ b_i & \text{otherwise} \end{cases}"
    broadcasts = True

    @staticmethod
    def function(condition, x1=None, x2=None):
        """Choose, or without choices say where the condition holds."""
        if x1 is None and x2 is None:
            return nonzero(condition)
        if x1 is None or x2 is None:
            missing = "x1" if x1 is None else "x2"
            raise ArgumentError("where", missing, got="missing", expected="both choices or none")
        return Where()(condition, x1, x2)

    def __call__(self, condition, x1, x2):
        if not isinstance(condition, Tensor) or condition.dtype.kind != "b":
            condition = tensor(condition, dtype=bool)
        return super().__call__(condition, x1, x2)

    def forward(self, condition, x1, x2):
        return np.where(condition, x1, x2)

    @rule(r"\bar a_i = [c_i] \, \bar y_i")
    def x1(self, y_bar, y, condition, x1, x2):
        return Where()(condition, y_bar, 0)

    @rule(r"\bar b_i = (1 - [c_i]) \, \bar y_i")
    def x2(self, y_bar, y, condition, x1, x2):
        return Where()(condition, 0, y_bar)

    @classmethod
    def examples(cls, rng):
        """Every input stretched over the others."""
        for shapes in (((3, 4),) * 3, ((),) * 3, ((3, 1), (4,), ()), ((), (0, 2), (2,))):
            c, a, b = (rng.normal(size=shape) for shape in shapes)
            yield cls(), (c > 0, a, b)


class Clip(Op):
    r"""Numbers moved into the interval from `x_min` to `x_max`; where these cross, `x_max` counts.

    On a bound the gradient goes to `x`, none to the bound. The result has the dtype of `x`, even
    where the bounds are of a wider one.

    Parameters
    ----------
    x : array_like
    x_min, x_max : array_like or None
        Bounds, which broadcast; None for no bound.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.clip([-2.0, 0.5, 2.0], 0.0, 1.0)
    tensor([0. , 0.5, 1. ])
    """

    input_names = ("x", "x_min", "x_max")
    formula = r"y_i = \min(\max(x_i, a_i), b_i)"
    kinks = "x_i = a_i and x_i = b_i: x gets all of the gradient; x_i < a_i = b_i: no bound gets it"
    broadcasts = True
    methods = ("clip",)

    def __call__(self, x, x_min, x_max):
        x = x if isinstance(x, Tensor) else tensor(x)
        if x.dtype.kind == "b":
            x = x.astype(np.int32)
        lowest, highest = _limits(x.dtype)
        x_min = lowest if x_min is None else x_min
        x_max = highest if x_max is None else x_max
        return super().__call__(x, x_min, x_max).astype(x.dtype)

    def forward(self, x, x_min, x_max):
        return np.clip(x, x_min, x_max)

    @rule(r"\bar x_i = \bar y_i \, [a_i \le x_i \le b_i]")
    def x(self, y_bar, y, x, x_min, x_max):
        return y_bar * ((x >= x_min) & (x <= x_max))

    @rule(r"\bar a_i = \bar y_i \, [x_i < a_i < b_i]")
    def x_min(self, y_bar, y, x, x_min, x_max):
        return y_bar * ((x < x_min) & (x_min < x_max))

    @rule(r"\bar b_i = \bar y_i \, [x_i > b_i \text{ or } a_i > b_i]")
    def x_max(self, y_bar, y, x, x_min, x_max):
        return y_bar * ((x > x_max) | (x_min > x_max))

    @classmethod
    def examples(cls, rng):
        """Bounds that are numbers or arrays, and some that cross; no element near a bound."""
        x = rng.integers(-2, 3, (3, 4)) + rng.uniform(0.1, 0.9, (3, 4))
        yield cls(), (x, np.array(-1.0), np.array(1.0))
        yield cls(), (x, rng.integers(-2, 0, (3, 1)) + 0.05, rng.integers(0, 3, 4) - 0.05)
        yield cls(), (x, np.array(1.0), np.array(-1.0))
        yield cls(), (x[:0], np.array(-1.0), np.array(1.0))

    @classmethod
    def conventions(cls):
        """On the lower and on the upper bound."""
        bounds = np.full(2, -1.0), np.full(2, 1.0)
        yield cls(), (np.array([-1.0, 1.0]), *bounds), (np.ones(2), np.zeros(2), np.zeros(2))


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """Where the elements are that are not 0: one int32 tensor of indices for each axis.

    Examples
    --------
    >>> [indices.numpy().tolist() for indices in nonzero([[0.0, 3.0], [4.0, 0.0]])]
    [[0, 1], [1, 0]]
    """
    x = x if isinstance(x, Tensor) else tensor(x)
    return tuple(Tensor(indices.astype(np.int32)) for indices in np.nonzero(x.data))


def _limits(dtype: np.dtype) -> tuple[Tensor, Tensor]:
    """The smallest and the largest number of a dtype."""
    if dtype.kind == "f":
        return tensor(-np.inf, dtype=dtype), tensor(np.inf, dtype=dtype)
    return tensor(np.iinfo(dtype).min, dtype=dtype), tensor(np.iinfo(dtype).max, dtype=dtype)
