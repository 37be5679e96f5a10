"""Where a window stands on an image: the one place for the arithmetic of convolution and pooling.

Output place (i, j) and window place (p, q) meet the image at

    row    = i * stride_height + p * dilation_height - padding_top
    column = j * stride_width  + q * dilation_width  - padding_left

and every kernel, in Python and in C, is a loop over these meetings.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from tinydl.errors import ArgumentError, ShapeError

Array = np.ndarray
Pair = tuple[int, int]
Shape = tuple[int, ...]
Padding = tuple[Pair, Pair]

# Settings below BEYOND, and shapes below BEYOND_MEMORY, keep the 64-bit integers of C exact.
BEYOND = 2**31
BEYOND_MEMORY = 2**60  # numbers, of 8 bytes each


class Window(NamedTuple):
    """A window that slides over a batch of images; the fields are those of the C struct."""

    batch: int
    height: int
    width: int
    channels: int
    window_height: int
    window_width: int
    filters: int
    groups: int
    output_height: int
    output_width: int
    stride_height: int
    stride_width: int
    padding_top: int
    padding_left: int
    dilation_height: int
    dilation_width: int

    @property
    def output_shape(self) -> Shape:
        """(N, OH, OW, O)."""
        return self.batch, self.output_height, self.output_width, self.filters


def output_length(
    length: int, window: int, stride: int = 1, padding: Pair = (0, 0), dilation: int = 1
) -> int:
    r"""Count the places of a window along one axis.

    .. math:: \lfloor (H + before + after - ((K - 1) d + 1)) / s \rfloor + 1

    Parameters
    ----------
    length, window : int
        Length H of the image and number K of window elements along this axis.
    stride, dilation : int
        Step s from one place to the next, and distance d between window elements.
    padding : (int, int)
        Elements added before and after the image.

    Raises
    ------
    ArgumentError
        If a setting is out of range.
    ShapeError
        If the window is longer than the padded image.

    Examples
    --------
    >>> output_length(28, 3)
    26
    >>> output_length(28, 3, stride=2, padding=(0, 1))
    14
    """
    for name, least, values in (
        ("window", 1, (window,)),
        ("strides", 1, (stride,)),
        ("dilation", 1, (dilation,)),
        ("padding", 0, padding),
    ):
        for value in values:
            if not least <= value < BEYOND:
                raise ArgumentError(
                    "output_length", name, got=value, expected=f"from {least} to {BEYOND - 1}"
                )
    room = length + sum(padding)
    span = (window - 1) * dilation + 1
    if span > room:
        raise ShapeError(
            "output_length",
            "window",
            got=f"{span} long",
            expected=f"at most {room}, the length of the padded image",
            hint="pad more, or use a smaller window or dilation",
        )
    return (room - span) // stride + 1


def refuse_overflow(kernel: str, *sizes: int) -> None:
    """Refuse sizes whose product no memory could hold, or no time could loop over.

    A size of 0 counts as 1, since C may multiply the others first.

    Raises
    ------
    ShapeError
        If the product is 2**60 or more.

    Examples
    --------
    >>> refuse_overflow("matmul", 2**30, 2**29, 0)
    """
    if prod(max(size, 1) for size in sizes) >= BEYOND_MEMORY:
        raise ShapeError(kernel, "sizes", got=sizes, expected="a product of less than 2**60")


@lru_cache(maxsize=1024)
def same_shape(g: Shape, x: Shape, names: tuple[str, str] = ("g", "x")) -> Shape:
    """The shape of both, or a `ShapeError`."""
    if g != x:
        raise ShapeError("kernel", names[0], got=g, expected=f"{x}, as {names[1]}")
    return x


def logits_shape(t: Shape, z: Shape, g: Shape | None = None) -> Shape:
    """The shape (..., K) of targets and logits, where g has (...); or a `ShapeError`."""
    if len(z) < 1:
        raise ShapeError("kernel", "z", got=z, expected="at least one axis, (..., K)")
    if t != z:
        raise ShapeError("kernel", "t", got=t, expected=f"{z}, as z")
    if g not in (None, z[:-1]):
        raise ShapeError("kernel", "g", got=g, expected=f"{z[:-1]}, one for each row of z")
    return z


@lru_cache(maxsize=1024)
def step_shape(w: Shape, g: Shape, *slots: Shape) -> Shape:
    """The shape of weights, and of their gradients and slots; or a `ShapeError`."""
    for name, shape in zip(("g", *("a slot" for _ in slots)), (g, *slots), strict=True):
        if shape != w:
            raise ShapeError("kernel", name, got=shape, expected=f"{w}, as w")
    return w


def row_shape(x: Shape, b: Shape) -> Shape:
    """The shape of x (..., C), to whose rows a b (C,) fits; or a `ShapeError`."""
    if len(x) < 2:
        raise ShapeError("kernel", "x", got=x, expected="at least two axes, (..., C)")
    if b != x[-1:]:
        raise ShapeError("kernel", "b", got=b, expected=f"{x[-1:]}, the length of a row of x")
    return x


@lru_cache(maxsize=1024)
def product_shape(a_shape: Shape, b_shape: Shape) -> Shape:
    """Give the shape of the matrix product of a (..., M, K) and b (..., K, N): (..., M, N).

    Raises
    ------
    ShapeError
        If a shape has fewer than two axes, the two do not fit, or there would be 2**60
        multiplications.

    Examples
    --------
    >>> product_shape((5, 2, 3), (3, 4))
    (5, 2, 4)
    """
    for name, shape in (("a", a_shape), ("b", b_shape)):
        if len(shape) < 2:
            raise ShapeError("matmul", name, got=shape, expected="at least two axes")
    if a_shape[-1] != b_shape[-2]:
        raise ShapeError("matmul", "b", got=b_shape, expected=f"(..., {a_shape[-1]}, any)")
    try:
        leading = np.broadcast_shapes(a_shape[:-2], b_shape[:-2])
    except ValueError:
        expected = f"leading axes that broadcast with those of a, {a_shape}"
        raise ShapeError("matmul", "b", got=b_shape, expected=expected) from None
    refuse_overflow("matmul", *leading, *a_shape[-2:], b_shape[-1])
    return (*leading, a_shape[-2], b_shape[-1])


def dense_shape(a_shape: Shape, w_shape: Shape, b_shape: Shape) -> Shape:
    """Give the shape of a (..., M, K) times w (K, N) with b (N,) added to each row: (..., M, N).

    Raises
    ------
    ShapeError
        If w is not one matrix, or the three do not fit.

    Examples
    --------
    >>> dense_shape((5, 2, 3), (3, 4), (4,))
    (5, 2, 4)
    """
    if len(w_shape) != 2:
        raise ShapeError("kernel", "w", got=w_shape, expected="two axes, (K, N)")
    return row_shape(product_shape(a_shape, w_shape), b_shape)


def count_groups(channels: int, kernel_channels: int, filters: int) -> int:
    """Count the groups that a kernel (KH, KW, C / G, O) makes of C channels; 0 if it does not fit.

    Examples
    --------
    >>> count_groups(6, 6, 4), count_groups(6, 3, 4), count_groups(6, 4, 4), count_groups(6, 2, 4)
    (1, 2, 0, 0)
    """
    groups = max(channels // max(kernel_channels, 1), 1)
    fits = groups * kernel_channels == channels and filters % groups == 0
    return groups if fits else 0


@lru_cache(maxsize=1024)
def place_window(
    image_shape: Shape,
    kernel_shape: Shape,
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    output_shape: Shape | None = None,
) -> Window:
    """Lay a kernel of shape (KH, KW, C / G, O) over images of shape (N, H, W, C), in G groups.

    Raises
    ------
    ShapeError
        If a shape does not have four axes, the channels or the kernel do not fit, there would be
        2**60 pixels or multiplications, or `output_shape`, that of an array like the output, is
        given and is another one.

    Examples
    --------
    >>> no_padding = ((0, 0), (0, 0))
    >>> place_window((32, 28, 28, 1), (3, 3, 1, 8), (1, 1), no_padding, (1, 1)).output_shape
    (32, 26, 26, 8)
    """
    for name, shape, axes in (
        ("image", image_shape, "(N, H, W, C)"),
        ("kernel", kernel_shape, "(KH, KW, C / G, O)"),
    ):
        if len(shape) != 4:
            raise ShapeError("place_window", name, got=shape, expected=axes)
    batch, height, width, channels = image_shape
    groups = count_groups(channels, *kernel_shape[2:])
    if groups == 0:
        expected = f"(KH, KW, {channels}, O), or {channels} / G and O a multiple of G"
        raise ShapeError("place_window", "kernel", got=kernel_shape, expected=expected)
    window = Window(
        batch,
        height,
        width,
        channels,
        kernel_shape[0],
        kernel_shape[1],
        kernel_shape[3],
        groups,
        output_length(height, kernel_shape[0], strides[0], padding[0], dilation[0]),
        output_length(width, kernel_shape[1], strides[1], padding[1], dilation[1]),
        *strides,
        padding[0][0],
        padding[1][0],
        *dilation,
    )
    refuse_overflow("place_window", *image_shape)
    refuse_overflow("place_window", *window.output_shape, *kernel_shape[:3])
    if output_shape not in (None, window.output_shape):
        raise ShapeError("place_window", "g", got=output_shape, expected=window.output_shape)
    return window


@lru_cache(maxsize=1024)
def place_pool(
    image_shape: Shape,
    pool_size: Pair,
    strides: Pair,
    padding: Padding,
    *,
    output_shape: Shape | None = None,
    other_image_shape: Shape | None = None,
    numbered_in: np.dtype | None = None,
) -> Window:
    """Lay a pool over images, every place of which holds at least one element of the image.

    If the elements of a window are to be numbered, `numbered_in` is the dtype of the numbers.

    Raises
    ------
    ArgumentError
        If a pool could lie wholly on padding, where neither a maximum nor a mean exists; or has
        more elements than the dtype has whole numbers.
    ShapeError
        As `place_window`, and if `other_image_shape` is given and is not `image_shape`.

    Examples
    --------
    >>> place_pool((1, 28, 28, 8), (2, 2), (2, 2), ((0, 0), (0, 0))).output_shape
    (1, 14, 14, 8)
    """
    if other_image_shape not in (None, image_shape):
        raise ShapeError("place_pool", "u", got=other_image_shape, expected=image_shape)
    channels = image_shape[-1]
    kernel_shape = (*pool_size, channels, channels)
    window = place_window(image_shape, kernel_shape, strides, padding, (1, 1), output_shape)
    for length, size, sides in zip(image_shape[1:3], pool_size, padding, strict=True):
        if length == 0 or max(sides) >= size:
            raise ArgumentError(
                "place_pool",
                "padding",
                got=padding,
                expected=f"less than pool_size {pool_size}, around images of at least one pixel",
                hint="a pool must not lie wholly on padding",
            )
    if pool_size[0] * pool_size[1] >= BEYOND:
        raise ArgumentError(
            "place_pool", "pool_size", got=pool_size, expected=f"fewer than {BEYOND} elements"
        )
    if numbered_in is not None and pool_size[0] * pool_size[1] > _whole_numbers(numbered_in):
        raise ArgumentError(
            "place_pool",
            "pool_size",
            got=pool_size,
            expected=f"at most {_whole_numbers(numbered_in)} elements",
            hint=f"{numbered_in} has no more whole numbers to tell them apart by",
        )
    return window


def _whole_numbers(dtype: np.dtype) -> int:
    """Count the whole numbers from 0 on that a dtype has up to its first gap, or its end."""
    if dtype.kind == "f":
        return 2 ** (int(np.finfo(dtype).nmant) + 1)
    return 2 if dtype.kind == "b" else int(np.iinfo(dtype).max) + 1
