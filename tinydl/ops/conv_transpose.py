r"""Transposed convolution: what a convolution sends down to its image, read forwards.

A convolution that steps by s makes images smaller; its gradient with respect to the image has the
shape of the larger one. So the formula is already there (`ConvInputGradient`), and all that is left
is to say which convolution is meant, that is, how large the larger image is and how it was padded.

Source: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285,
chapter 4.
"""

from __future__ import annotations

from typing import Any

from tinydl.engine import Tensor, tensor
from tinydl.errors import ArgumentError, ShapeError
from tinydl.ops.conv import ConvInputGradient
from tinydl.ops.windows import (
    Pair,
    as_image,
    as_kernel,
    as_line,
    both,
    check_data_format,
    check_padding,
    names_both_axes,
    pair,
)


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    r"""Paint the kernel at each place, as strongly as the input is there, and add up.

    .. math:: y_{nhvo} = \sum_{p,q,c} \sum_{i,j:\, s i + d p - t = h,\, s j + d q - l = v}
        x_{nijc} \, w_{pqoc}

    Parameters
    ----------
    inputs : array_like, shape (N, H, W, C) or (N, L, C)
    kernel : array_like, shape (KH, KW, O, C) or (K, O, C)
        The output channels come first: it is the kernel of the convolution that goes the other way.
    strides : int or (int, int)
        Step s from the place of one input to that of the next, in pixels of the output.
    padding : {"valid", "same"}, ((top, bottom), (left, right)) or ((left, right),)
        How much is cut off around the painting. With span k = (K - 1) d + 1 of the kernel,
        ``"valid"`` cuts nothing and gives (H - 1) s + max(k, s) rows, ``"same"`` gives H s.
    output_padding : int or (int, int), optional
        Rows added at the bottom, fewer than s. The output then has (H - 1) s + k + `output_padding`
        rows for ``"valid"``, less what is cut off for a counted padding, and (H - 1) s + k mod 2 +
        `output_padding` for ``"same"``.
    data_format : {None, "channels_last"}
        Only images with the channels last.
    dilation_rate : int or (int, int)
        Distance d of neighbouring kernel elements, in pixels.

    Returns
    -------
    Tensor, shape (N, OH, OW, O) or (N, OL, O)

    Raises
    ------
    ShapeError
        When the channels differ, or nothing is left of the output.
    ArgumentError
        When `output_padding` is not less than the stride.

    Examples
    --------
    >>> line, kernel = [[[1.0], [10.0]]], [[[1.0]], [[2.0]], [[3.0]]]
    >>> conv_transpose(line, kernel, strides=2).reshape(5)
    tensor([ 1.,  2., 13., 20., 30.])
    """
    where = "conv_transpose"
    check_data_format(where, data_format)
    x, w = (t if isinstance(t, Tensor) else tensor(t) for t in (inputs, kernel))
    given_for_images = names_both_axes(strides, padding, output_padding, dilation_rate)
    _check_shapes(x, w, given_for_images)
    steps = pair(where, "strides", strides)
    distances = pair(where, "dilation_rate", dilation_rate)
    sides = check_padding(where, padding)
    extra = _check_output_padding(output_padding, steps)
    if x.ndim == 3:
        y = conv_transpose(
            as_image(x),
            as_kernel(w),
            (1, steps[1]),
            sides if isinstance(sides, str) else ((0, 0), sides[1]),
            None if extra is None else (0, extra[1]),
            dilation_rate=(1, distances[1]),
        )
        return as_line(y)
    lengths, cuts = [], []
    for axis in range(2):
        span = (w.shape[axis] - 1) * distances[axis] + 1
        painted = (x.shape[1 + axis] - 1) * steps[axis] + span
        side = sides if isinstance(sides, str) else sides[axis]
        before, after = _cut(side, span, steps[axis], None if extra is None else extra[axis])
        lengths.append(painted - before - after)
        cuts.append((before, max(after, 0)))
    if min(lengths) < 1:
        raise ShapeError(
            where, "padding", got=repr(padding), expected=f"less; nothing is left of {x.shape}"
        )
    shape = (x.shape[0], *lengths, w.shape[2])
    return ConvInputGradient(shape, steps, tuple(cuts), distances)(x, w)


def _cut(padding: Any, span: int, stride: int, extra: int | None) -> Pair:
    """How much of the painting is cut off before and after; less than 0 adds zeros after it.

    Examples
    --------
    >>> _cut("valid", 3, 2, None), _cut("valid", 2, 3, None), _cut("same", 3, 2, None)
    ((0, 0), (0, -1), (0, 1))
    """
    if padding == "same":
        kept = span % 2 + extra if extra is not None else stride
        # The rows kept above those of the first input: half of them, the odd one on top.
        above = min((span - 2 + kept + 1) // 2, span - 1)
        return span - 1 - above, above + 1 - kept
    before, after = (0, 0) if padding == "valid" else padding
    if extra is None:
        extra = max(stride - span, 0) if padding == "valid" else 0
    return before, after - extra


def _check_output_padding(output_padding: Any, strides: Pair) -> Pair | None:
    if output_padding is None:
        return None
    extra = both(output_padding)
    whole = all(hasattr(n, "__index__") and not isinstance(n, bool) for n in extra)
    if (
        len(extra) != 2
        or not whole
        or any(not 0 <= n < s for n, s in zip(extra, strides, strict=True))
    ):
        raise ArgumentError(
            "conv_transpose",
            "output_padding",
            got=repr(output_padding),
            expected=f"from 0 to less than the strides {strides}",
        )
    return int(extra[0]), int(extra[1])


def _check_shapes(x: Tensor, w: Tensor, given_for_images: bool) -> None:
    if x.ndim not in (3, 4) or (x.ndim == 3 and (given_for_images or w.ndim == 4)):
        raise ShapeError(
            "conv_transpose",
            "inputs",
            got=x.shape,
            expected="(N, H, W, C)" if x.ndim == 3 else "(N, H, W, C) or (N, L, C)",
            hint="a single image needs a batch axis, grey images a channel axis: x[..., None]",
        )
    if w.ndim != x.ndim or w.shape[-1] != x.shape[-1]:
        window = "KH, KW" if x.ndim == 4 else "K"
        raise ShapeError(
            "conv_transpose",
            "kernel",
            got=w.shape,
            expected=f"({window}, O, {x.shape[-1]}), for inputs of {x.shape[-1]} channels",
        )
