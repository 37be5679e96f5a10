r"""Transposed convolution: what a convolution sends down to its image, read forwards.

A convolution that steps by s makes images smaller; its gradient with respect to the image has the
shape of the larger one. So kernel and rules are already there (`tinydl.ops.conv`: the trilinear
form once more, with the roles of image and output exchanged), and all that is left is to say which
convolution is meant, that is, how large the larger image is and how it was padded.

Source: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285,
chapter 4.
"""

from __future__ import annotations

from typing import Any

from tinydl import kernels
from tinydl.engine import rule
from tinydl.errors import ArgumentError, ShapeError
from tinydl.ops.conv import Conv, ConvKernelGradient
from tinydl.ops.windows import (
    Pair,
    WindowOp,
    both,
    check_data_format,
    check_images,
    check_padding,
    names_both_axes,
    pair,
)


class ConvTranspose(WindowOp):
    """Paint the kernel at each place, as strongly as the input is there, and add up.

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
    >>> from tinydl import ops
    >>> line, kernel = [[[1.0], [10.0]]], [[[1.0]], [[2.0]], [[3.0]]]
    >>> ops.conv_transpose(line, kernel, strides=2).reshape(5)
    tensor([ 1.,  2., 13., 20., 30.])
    """

    input_names = ("inputs", "kernel")
    linear_in = ("inputs", "kernel")
    formula = (
        r"y_{nhvo} = \sum_{p,q,c} \sum_{i,j:\, s i + d p - t = h,\, s j + d q - l = v}"
        r" x_{nijc} \, w_{pqoc}"
    )
    literal = staticmethod(kernels.literal.conv_input_gradient)

    def __init__(
        self, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1
    ):
        check_data_format(self.name, data_format)
        self.strides = pair(self.name, "strides", strides)
        self.padding = check_padding(self.name, padding)
        self.output_padding = check_output_padding(output_padding, self.strides)
        self.dilation_rate = pair(self.name, "dilation_rate", dilation_rate)
        self._for_images = names_both_axes(strides, padding, output_padding, dilation_rate)

    def check(self, x, w):
        check_images(self.name, "inputs", x)
        if w.ndim != 4 or w.shape[3] != x.shape[3]:
            expected = f"(KH, KW, O, {x.shape[3]}), for inputs of {x.shape[3]} channels"
            raise ShapeError(self.name, "kernel", got=w.shape, expected=expected)
        if min(self.geometry(x, w)[0][1:3]) < 1:
            raise ShapeError(
                self.name, "inputs", got=x.shape, expected="more than the padding cuts off"
            )

    def geometry(self, x, w):
        """Shape of the larger image, and stride, padding and dilation of its convolution."""
        lengths, cuts = [], []
        for axis in range(2):
            step, span = self.strides[axis], (w.shape[axis] - 1) * self.dilation_rate[axis] + 1
            before, after = cut(
                self.padding if isinstance(self.padding, str) else self.padding[axis],
                None if self.output_padding is None else self.output_padding[axis],
                span,
                step,
            )
            lengths.append((x.shape[1 + axis] - 1) * step + span - before - after)
            cuts.append((before, max(after, 0)))
        shape = (x.shape[0], *lengths, w.shape[2])
        return shape, self.strides, tuple(cuts), self.dilation_rate

    def forward(self, x, w):
        return kernels.conv_input_gradient(x, w, *self.geometry(x, w))

    @rule(r"\bar x_{nijc} = \sum_{p,q,o} \bar y_{n, s i + d p - t, s j + d q - l, o} \, w_{pqoc}")
    def inputs(self, y_bar, y, x, w):
        _, strides, cuts, dilation = self.geometry(x, w)
        return Conv(strides, cuts, dilation_rate=dilation)(y_bar, w)

    @rule(r"\bar w_{pqoc} = \sum_{n,i,j} \bar y_{n, s i + d p - t, s j + d q - l, o} \, x_{nijc}")
    def kernel(self, y_bar, y, x, w):
        return ConvKernelGradient(w.shape, *self.geometry(x, w)[1:])(y_bar, x)

    @classmethod
    def examples(cls, rng):
        """Strides, paddings and dilations, of images and lines."""
        x, w = rng.normal(size=(2, 3, 2, 2)), rng.normal(size=(3, 2, 1, 2))
        yield cls(), (x, w)
        yield cls(strides=2, padding="same"), (x, w)
        yield cls(strides=(2, 3), output_padding=(1, 0)), (x, w)
        yield cls(padding=((1, 2), (0, 1)), dilation_rate=(1, 2)), (x, w)
        yield cls(strides=3, padding="same", output_padding=1), (x, w)
        yield cls(), (x[:0], w)


def cut(padding: Any, extra: int | None, span: int, stride: int) -> Pair:
    """How much of the painting is cut off before and after; less than 0 adds zeros after it.

    Examples
    --------
    >>> cut("valid", None, 3, 2), cut("valid", None, 2, 3), cut("same", None, 3, 2)
    ((0, 0), (0, -1), (0, 1))
    """
    if padding == "same":
        kept = stride if extra is None else span % 2 + extra
        # In Keras span - 2 + kept rows lie around the inputs, half of them and the odd one above.
        above = min((span - 2 + kept + 1) // 2, span - 1)
        return span - 1 - above, above + 1 - kept
    before, after = (0, 0) if padding == "valid" else padding
    if extra is None:
        extra = max(stride - span, 0) if padding == "valid" else 0
    return before, after - extra


def check_output_padding(output_padding: Any, strides: Pair) -> Pair | None:
    """Return None, or two whole numbers from 0 to less than the strides."""
    if output_padding is None:
        return None
    extra = both(output_padding)
    whole = all(hasattr(n, "__index__") and not isinstance(n, bool) for n in extra)
    if len(extra) != 2 or not whole or not all(map(_is_within, extra, strides)):
        raise ArgumentError(
            "conv_transpose",
            "output_padding",
            got=repr(output_padding),
            expected=f"from 0 to less than the strides {strides}",
        )
    return int(extra[0]), int(extra[1])


def _is_within(extra: int, stride: int) -> bool:
    return 0 <= extra < stride
