"""What convolution and pooling share: arguments in Keras's form become plain numbers."""

from __future__ import annotations

from copy import copy
from typing import Any

from tinydl.engine import Op, Tensor, tensor
from tinydl.errors import ArgumentError, ShapeError

Pair = tuple[int, int]
HEIGHT_1 = {"padding": (0, 0), "output_padding": 0}  # where it does not mean a 1


class WindowOp(Op, abstract=True):
    """An op that slides a window over images (N, H, W, C), or over lines (N, L, C).

    Lines are images of height 1. Only here does anyone know of them.
    """

    _for_images = False  # whether a setting was given for height and width

    def __call__(self, *inputs: Any) -> Tensor:
        """Apply the op, to lines as to images of height 1."""
        tensors = [x if isinstance(x, Tensor) else tensor(x) for x in inputs]
        if self._for_images or any(x.ndim != 3 for x in tensors):
            return super().__call__(*tensors)
        images = [as_image(tensors[0]), *(as_kernel(w) for w in tensors[1:])]
        return as_line(self.with_height_1()(*images))

    def with_height_1(self) -> WindowOp:
        """A copy of the op whose window has height 1, for images of height 1."""
        op = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, tuple):
                setattr(op, name, (HEIGHT_1.get(name, 1), value[1]))
        return op


def as_image(x: Tensor) -> Tensor:
    """Lines (N, L, C) as images (N, 1, L, C)."""
    return x.reshape((x.shape[0], 1, *x.shape[1:]))


def as_kernel(w: Tensor) -> Tensor:
    """A kernel for lines, (K, C, O), as one for images, (1, K, C, O)."""
    return w.reshape((1, *w.shape))


def as_line(y: Tensor) -> Tensor:
    """Images (N, 1, L, C) as lines (N, L, C)."""
    return y.reshape((y.shape[0], *y.shape[2:]))


def names_both_axes(*settings: Any) -> bool:
    """Whether a setting gives one number for the height and another for the width.

    Examples
    --------
    >>> names_both_axes(2, "same", (1, 3)), names_both_axes(2, "same", (1,))
    (True, False)
    """
    return any(isinstance(s, (tuple, list)) and len(s) == 2 for s in settings)


def pair(where: str, argument: str, value) -> Pair:
    """Two whole numbers, at least 1, from one or two.

    Examples
    --------
    >>> pair("conv", "strides", 2)
    (2, 2)
    """
    numbers = both(value)
    whole = all(hasattr(n, "__index__") and not isinstance(n, bool) for n in numbers)
    if len(numbers) != 2 or not whole or min(numbers) < 1:
        raise ArgumentError(
            where,
            argument,
            got=repr(value),
            expected="a positive whole number, or two (height, width)",
        )
    return int(numbers[0]), int(numbers[1])


def both(value: Any) -> tuple[Any, ...]:
    """One setting for two axes.

    Examples
    --------
    >>> both(2), both((2,)), both((2, 3))
    ((2, 2), (2, 2), (2, 3))
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * 2 if len(values) == 1 else values


def resolve_padding(padding, image: Pair, window: Pair, strides: Pair, dilation: Pair = (1, 1)):
    r"""How much to pad: ((top, bottom), (left, right)).

    ``"valid"`` pads nothing, ``"same"`` until the output has length :math:`\lceil H/s \rceil`;
    the odd element goes to the bottom or the right, as in Keras.

    Examples
    --------
    >>> resolve_padding("same", (5, 5), (3, 2), (1, 1))
    ((1, 1), (0, 1))
    """
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        sides = []
        for n, k, s, d in zip(image, window, strides, dilation, strict=True):
            span = (k - 1) * d + 1
            total = max((-(-n // s) - 1) * s + span - n, 0)
            sides.append((total // 2, total - total // 2))
        return tuple(sides)
    return padding


def check_padding(where: str, padding) -> Any:
    """Return ``"valid"``, ``"same"`` or ((top, bottom), (left, right)), whichever was meant."""
    if isinstance(padding, str):
        if padding.lower() in ("valid", "same"):
            return padding.lower()
    elif isinstance(padding, (tuple, list)):
        sides = tuple(both(side) for side in both(padding))
        if [len(side) for side in sides] == [2, 2] and all(
            hasattr(n, "__index__") and n >= 0 for side in sides for n in side
        ):
            return tuple((int(before), int(after)) for before, after in sides)
    raise ArgumentError(
        where,
        "padding",
        got=repr(padding),
        expected="'valid', 'same' or ((top, bottom), (left, right))",
    )


def check_data_format(where: str, data_format) -> None:
    """Refuse channels first."""
    if data_format not in (None, "channels_last"):
        raise ArgumentError(
            where,
            "data_format",
            got=repr(data_format),
            expected="'channels_last': (N, H, W, C)",
            hint="move the channel axis to the end with transpose((0, 2, 3, 1))",
        )


def check_images(where: str, argument: str, x) -> None:
    """Refuse what is not a batch of images."""
    if x.ndim != 4:
        raise ShapeError(
            where,
            argument,
            got=x.shape,
            expected="4 axes (N, H, W, C)",
            hint="a single image needs a batch axis, grey images a channel axis: x[..., None]"
            if x.ndim == 3
            else "",
        )


def check_window_fits(where: str, argument: str, span: Pair, image: Pair) -> None:
    """Refuse a window that is larger than the padded image."""
    if span[0] > image[0] or span[1] > image[1]:
        raise ShapeError(
            where,
            argument,
            got=f"{span[0]} x {span[1]} pixels with its dilation",
            expected=f"at most the padded image, {image[0]} x {image[1]}",
            hint="use a smaller window, or padding='same'",
        )
