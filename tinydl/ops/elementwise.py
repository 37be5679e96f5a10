"""What the elementwise families share, and the change of dtype."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from tinydl.engine import DEFAULT_DTYPE, Op, Tensor, rule
from tinydl.errors import DTypeError

# With fewer elements NumPy's exp is faster than the kernel, as to call it costs less.
MANY = 4096


class Unary(Op, abstract=True):
    """An op on single elements."""

    input_names = ("x",)


class Binary(Op, abstract=True):
    """An op on pairs of elements; the shapes broadcast."""

    input_names = ("x1", "x2")
    broadcasts = True


class Floating(Op, abstract=True):
    """An op whose results are not whole: whole numbers become float32 before it, as in Keras."""

    def __call__(self, *inputs):
        for x in inputs:
            if type(x) is Tensor and x.data.dtype.kind == "f":
                return super().__call__(*inputs)
        inputs = self._as_tensors(inputs)
        if not any(x.dtype.kind == "f" for x in inputs):
            inputs = tuple(Tensor(x.data.astype(DEFAULT_DTYPE)) for x in inputs)
        return super().__call__(*inputs)


class Function(Floating, Unary, abstract=True):
    """A smooth function of one real number."""


class Bent(Unary, abstract=True):
    """A function whose formula changes at a few points.

    Attributes
    ----------
    slopes_at_kinks : tuple of (float, float)
        These points, each with the slope that the gradient rule takes there.
    """

    slopes_at_kinks: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[tuple[Op, tuple[np.ndarray, ...]]]:
        """Numbers on all sides of the kinks, none closer to one than 1/20."""
        kinks = np.array(cls.slopes_at_kinks)[:, 0]
        for shape in ((3, 4), (), (1,), (0, 2), (2, 1, 5)):
            x = rng.uniform(kinks.min() - 2, kinks.max() + 2, shape)
            near = np.min(np.abs(x[..., None] - kinks), axis=-1) < 0.05
            yield cls(), (np.where(near, x + 0.1, x),)

    @classmethod
    def conventions(cls):
        """The slope at each kink."""
        points, slopes = np.array(cls.slopes_at_kinks).T
        yield cls(), (points,), (slopes,)


def number_dtype(*arrays: np.ndarray) -> np.dtype | None:
    """What booleans become in arithmetic, int32 as in Keras; None, NumPy's choice, for numbers."""
    return np.dtype(np.int32) if all(x.dtype.kind == "b" for x in arrays) else None


def refuse_booleans(op: Op, *arrays: np.ndarray) -> None:
    """Raise `DTypeError` for true and false where a sign or a difference is asked for."""
    for name, x in zip(op.input_names, arrays, strict=True):
        if x.dtype.kind == "b":
            raise DTypeError(
                op.name,
                name,
                got="of dtype bool",
                expected="numbers",
                hint="cast it first",
            )


def zeros_like(x: Tensor) -> Tensor:
    """Zeros of the shape and the dtype of `x`: the gradient of what is constant between jumps."""
    return Tensor(np.zeros_like(x.data))


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

    def __init__(self, dtype):
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
