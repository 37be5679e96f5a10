"""Hypothesis strategies: arrays as they come in practice, above all the awkward ones.

Everything is small, so that counter-examples can be worked through by hand, and drawn so that
Hypothesis shrinks towards few axes, short lengths and plain memory.

Examples
--------
A test of your own, run on a hundred arrays with odd shapes, memory layouts, ties and zeros::

    from hypothesis import given
    from tinydl.testing import strategies

    @given(strategies.arrays(strategies.shapes(min_dims=1)))
    def test_softmax_adds_up_to_one(x):
        ...
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tinydl.kernels.geometry import Padding, Pair
from tinydl.testing.layouts import LAYOUTS

__all__ = [
    "ConvCase",
    "PoolCase",
    "arrays",
    "axes",
    "broadcastable_pairs",
    "broadcastable_shapes",
    "conv_cases",
    "floats",
    "matmul_shapes",
    "pool_cases",
    "shapes",
]

Shape = tuple[int, ...]

KINKS = (0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 6.0)  # where one or the other function has its corner
LARGE = (1e3, -1e3)


def shapes(
    min_dims: int = 0, max_dims: int = 4, min_side: int = 0, max_side: int = 4
) -> st.SearchStrategy[Shape]:
    """Shapes; axes of length 0 and 1 come up often.

    Examples
    --------
    >>> from hypothesis import find
    >>> len(find(shapes(min_dims=2), lambda shape: 0 in shape)) >= 2
    True
    """
    sides = st.integers(min_side, max_side)
    return st.lists(sides, min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def broadcastable_shapes(draw: st.DrawFn, number: int = 2, max_dims: int = 4) -> tuple[Shape, ...]:
    """Several shapes that NumPy stretches to a common one.

    Examples
    --------
    >>> from hypothesis import find
    >>> one, other = find(broadcastable_shapes(), lambda pair: pair[0] != pair[1])
    >>> len(np.broadcast_shapes(one, other)) == max(len(one), len(other))
    True
    """
    common = draw(shapes(max_dims=max_dims))
    found = []
    for _ in range(number):
        kept = draw(st.integers(0, len(common)))
        sides = common[len(common) - kept :]
        found.append(tuple(draw(st.sampled_from(sorted({n, 1}, reverse=True))) for n in sides))
    return tuple(found)


@st.composite
def axes(draw: st.DrawFn, ndim: int) -> int | Shape | None:
    """The argument `axis` of a reduction: None, an int, or a tuple, also counted from the end.

    Examples
    --------
    >>> from hypothesis import find
    >>> axis = find(axes(3), lambda axis: isinstance(axis, tuple) and len(axis) == 2)
    >>> np.sum(np.ones((2, 2, 2)), axis).shape
    (2,)
    """
    one = st.integers(-ndim, ndim - 1)
    if not ndim:
        return None
    several = st.lists(one, unique_by=lambda axis: axis % ndim, max_size=ndim).map(tuple)
    return draw(st.one_of(st.none(), one, several))


def floats(
    low: float = -np.inf,
    high: float = np.inf,
    kinks: bool = True,
    large: bool = True,
    special: bool = False,
) -> st.SearchStrategy[float]:
    """Numbers in the open interval from `low` to `high`: ordinary ones, and those that hurt.

    Parameters
    ----------
    low, high : float
        The interval, as in the `domain` of an op.
    kinks : bool
        With whole numbers where functions have their corners: 0, +-1, +-3, 6. Only a few different
        numbers come up, so there are ties.
    large : bool
        With +-1000, where exponentials overflow.
    special : bool
        With inf, nan and denormals.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(floats(high=0.0), lambda x: x < -100)
    -1000.0
    """
    some = [st.integers(1, 31).map(lambda n: n / 8), st.integers(-31, -1).map(lambda n: n / 8)]
    if kinks:
        some.insert(0, st.sampled_from(KINKS))
    if large:
        some.append(st.sampled_from(LARGE))
    if special:
        some.append(st.sampled_from((np.inf, -np.inf, np.nan, 1e-40, -1e-310)))
    return st.one_of(some).filter(lambda x: np.isnan(x) or low < x < high)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    dtype: Any = None,
    elements: st.SearchStrategy[float] | None = None,
    layout: str | None = None,
) -> np.ndarray:
    """Arrays of floats that lie in memory row by row, column by column, with gaps, or backwards.

    Parameters
    ----------
    shape : tuple of int or strategy, optional
        `shapes` by default.
    dtype : dtype, optional
        float32 or float64 by default.
    elements : strategy, optional
        `floats` by default.
    layout : str, optional
        A key of `tinydl.testing.layouts.LAYOUTS`, or "plain"; any by default.

    Examples
    --------
    >>> from hypothesis import find
    >>> x = find(arrays((2, 3), "float64"), lambda x: x.flags.f_contiguous)
    >>> x.shape, x.strides
    ((2, 3), (8, 16))
    """
    if shape is None:
        shape = shapes()
    if not isinstance(shape, tuple):
        shape = draw(shape)
    if dtype is None:
        dtype = draw(st.sampled_from(["float32", "float64"]))
    count = int(np.prod(shape))
    elements = floats() if elements is None else elements
    numbers = draw(st.lists(elements, min_size=count, max_size=count))
    array = np.array(numbers, dtype).reshape(shape)
    if layout is None:
        layout = draw(st.sampled_from(["plain", *LAYOUTS]))
    return array if layout == "plain" else LAYOUTS[layout](array)


@st.composite
def broadcastable_pairs(draw: st.DrawFn, dtype: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays of one dtype whose shapes broadcast.

    Examples
    --------
    >>> from hypothesis import find
    >>> a, b = find(broadcastable_pairs(), lambda pair: pair[0].ndim < pair[1].ndim)
    >>> (a + b).shape == b.shape
    True
    """
    dtype = dtype or draw(st.sampled_from(["float32", "float64"]))
    one, other = draw(broadcastable_shapes())
    return draw(arrays(one, dtype)), draw(arrays(other, dtype))


@st.composite
def matmul_shapes(draw: st.DrawFn, max_side: int = 5) -> tuple[Shape, Shape]:
    """Shapes of two factors of a matrix product, vectors and leading axes included.

    Examples
    --------
    >>> from hypothesis import find
    >>> one, other = find(matmul_shapes(), lambda pair: len(pair[0]) == 1)
    >>> (np.ones(one) @ np.ones(other)).shape == other[1:]
    True
    """
    side = st.integers(0, max_side)
    terms = draw(side)
    if draw(st.booleans()):
        one, other = draw(broadcastable_shapes(max_dims=2))
        return (*one, draw(side), terms), (*other, terms, draw(side))
    row = (terms,) if draw(st.booleans()) else (draw(side), terms)
    column = (terms, draw(side)) if len(row) == 1 and draw(st.booleans()) else (terms,)
    return (row, column)


class ConvCase(NamedTuple):
    """Shapes and settings of a convolution that fits."""

    image: Shape
    kernel: Shape
    strides: Pair
    padding: Padding
    dilation: Pair


class PoolCase(NamedTuple):
    """A shape and settings of a pooling that fits."""

    image: Shape
    pool_size: Pair
    strides: Pair
    padding: Padding


@st.composite
def conv_cases(draw: st.DrawFn, max_side: int = 6, max_channels: int = 3) -> ConvCase:
    """Convolutions: any stride, explicit padding and dilation with which the kernel fits, groups.

    Examples
    --------
    >>> from hypothesis import find
    >>> case = find(conv_cases(), lambda case: case.strides == (2, 1))
    >>> case.image[3] % max(case.kernel[2], 1)
    0
    """
    lengths, sides = [], []
    for _ in range(2):
        n, before, after = draw(_length(0, max_side)), draw(_length(0, 2)), draw(_length(0, 2))
        if n + before + after == 0:
            n = 1
        k = draw(_length(1, min(3, n + before + after)))
        most = (n + before + after - 1) // (k - 1) if k > 1 else 3
        lengths.append((n, k, draw(_length(1, 3)), draw(_length(1, min(3, most)))))
        sides.append((before, after))
    (height, kh, sh, dh), (width, kw, sw, dw) = lengths
    batch, groups = draw(_length(0, 2)), draw(_length(1, 2))
    channels, filters = draw(_length(0, max_channels)), draw(_length(0, max_channels))
    return ConvCase(
        (batch, height, width, channels * groups),
        (kh, kw, channels, filters * groups),
        (sh, sw),
        (sides[0], sides[1]),
        (dh, dw),
    )


@st.composite
def pool_cases(draw: st.DrawFn, max_side: int = 6, max_channels: int = 3) -> PoolCase:
    """Poolings: windows that tile, overlap or leave gaps, none of them wholly on padding.

    Examples
    --------
    >>> from hypothesis import find
    >>> case = find(pool_cases(), lambda case: case.padding[0][1] == 1)
    >>> case.pool_size[0] > 1
    True
    """
    lengths, sides = [], []
    for _ in range(2):
        n = draw(_length(1, max_side))
        k = draw(_length(1, 3))
        before, after = draw(_length(0, k - 1)), draw(_length(0, k - 1))
        n = max(n, k - before - after)
        lengths.append((n, k, draw(_length(1, 4))))
        sides.append((before, after))
    (height, ph, sh), (width, pw, sw) = lengths
    image = (draw(_length(0, 2)), height, width, draw(_length(0, max_channels)))
    return PoolCase(image, (ph, pw), (sh, sw), (sides[0], sides[1]))


def _length(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)
