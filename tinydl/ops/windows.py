"""What convolution and pooling share: arguments in Keras's form become plain numbers."""

from __future__ import annotations

from tinydl.errors import ArgumentError, ShapeError

Pair = tuple[int, int]


def pair(where: str, argument: str, value) -> Pair:
    """Two whole numbers, at least 1, from one or two.

    Examples
    --------
    >>> pair("conv", "strides", 2)
    (2, 2)
    """
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    whole = all(hasattr(n, "__index__") and not isinstance(n, bool) for n in numbers)
    if len(numbers) != 2 or not whole or min(numbers) < 1:
        raise ArgumentError(
            where,
            argument,
            got=repr(value),
            expected="a positive whole number, or two (height, width)",
        )
    return int(numbers[0]), int(numbers[1])


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


def check_padding(where: str, padding) -> object:
    """Return ``"valid"``, ``"same"`` or ((top, bottom), (left, right)), whichever was meant."""
    if isinstance(padding, str):
        if padding.lower() in ("valid", "same"):
            return padding.lower()
    elif isinstance(padding, (tuple, list)) and len(padding) == 2:
        sides = tuple(
            tuple(side) if isinstance(side, (tuple, list)) else (side, side) for side in padding
        )
        if all(
            len(side) == 2 and all(isinstance(n, int) and n >= 0 for n in side) for side in sides
        ):
            return sides
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
