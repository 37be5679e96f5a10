"""Digits as pictures: from a picture file to what MNIST would have made of it, and to the terminal.

MNIST's digits are light on dark; each was scaled into a box of 20 x 20 pixels and put into a field
of 28 x 28 with its centre of mass in the middle. A model that learned from those knows nothing
else, so a photograph of a digit has to be treated the same way first.

Source: LeCun, Bottou, Bengio & Haffner, *Gradient-based learning applied to document recognition*,
Proceedings of the IEEE 86(11), 1998.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from tinydl.errors import FileFormatError, TinydlError

DIGITS = 10
FIELD = 28
BOX = 20
WHITE = 255  # of a pixel in MNIST

# What is not clearly brighter than the background is paper grain, not ink.
INK_THRESHOLD = 0.2


def read_digit(path: Path) -> np.ndarray:
    """Read a picture file of one digit, and make it look as in MNIST.

    A picture that already has 28 x 28 pixels keeps its scale and its place.

    Parameters
    ----------
    path : Path
        A picture of any size, mode and format that Pillow reads.

    Returns
    -------
    ndarray of float32, shape (28, 28)
        Between 0 (background) and 1 (ink).

    Raises
    ------
    FileFormatError
        If the file is not a whole picture, or all its pixels are alike.
    TinydlError
        If Pillow is not installed.
    OSError
        If there is no such file, or it may not be read.
    """
    ink = _light_on_dark(_read_brightness(path), path)
    if ink.shape == (FIELD, FIELD):
        return ink
    return center(_scale_to_box(_crop(ink)))


def _read_brightness(path: Path) -> np.ndarray:
    """The brightness of each pixel, in the file's own units."""
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise TinydlError(
            "predict", hint="reading pictures needs Pillow: pip install 'tinydl[plots]'"
        ) from error
    content = path.read_bytes()
    try:
        image = ImageOps.exif_transpose(Image.open(BytesIO(content)))
        if image.mode in ("F", "I") or image.mode.startswith("I;16"):
            return np.asarray(image, np.float32)
        grey, opacity = np.moveaxis(np.asarray(image.convert("RGBA").convert("LA")), -1, 0)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FileFormatError(
            "predict", str(path), hint="this is not a picture that Pillow can read whole"
        ) from error
    return _on_paper(grey / np.float32(255), opacity / np.float32(255))


def _on_paper(grey: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Lay a partly transparent picture on the paper that shows it: white ink on black paper."""
    ink = float((grey * opacity).sum() / max(opacity.sum(), 1e-6))
    paper = 0.0 if ink > 0.5 else 1.0
    return grey * opacity + paper * (1 - opacity)


def _light_on_dark(brightness: np.ndarray, path: Path) -> np.ndarray:
    """Stretch to 0 (the background, which the border shows) .. 1 (the ink farthest from it)."""
    low, high = float(brightness.min()), float(brightness.max())
    if not 0 < high - low < np.inf:
        raise FileFormatError(
            "predict", str(path), hint="there is nothing to see: all its pixels are alike"
        )
    grey = (brightness - low) / np.float32(high - low)
    border = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    if border > 0.5:
        grey, border = 1 - grey, 1 - border
    return np.asarray(np.clip((grey - border) / (1 - border), 0, 1), np.float32)


def _crop(ink: np.ndarray) -> np.ndarray:
    """Cut away the empty rows and columns around the ink."""
    rows, columns = np.nonzero(ink > INK_THRESHOLD)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _scale_to_box(ink: np.ndarray) -> np.ndarray:
    """Scale to 20 pixels along the longer side, smoothly, keeping the proportions."""
    from PIL import Image

    height, width = (max(1, round(BOX * side / max(ink.shape))) for side in ink.shape)
    scaled = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC))
    return np.clip(scaled / scaled.max(), 0, 1)


def center(digit: np.ndarray) -> np.ndarray:
    """Put a digit into a field of 28 x 28, its centre of mass at pixel (14, 14).

    Parameters
    ----------
    digit : ndarray of float, shape (H, W)
        With H and W at most 28. A digit whose mass is so uneven that it would stick out of the
        field is moved just inside.

    Returns
    -------
    ndarray of float32, shape (28, 28)
        Zero outside the digit.

    Examples
    --------
    >>> [int(axis[0]) for axis in np.nonzero(center(np.ones((1, 1))))]
    [14, 14]
    """
    field = np.zeros((FIELD, FIELD), np.float32)
    corner = []
    for axis, side in enumerate(digit.shape):
        mass = digit.sum(axis=1 - axis)
        middle = float(np.arange(side) @ mass / mass.sum())
        corner.append(min(max(round(FIELD / 2 - middle), 0), FIELD - side))
    top, left = corner
    field[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return field


def draw(digit: np.ndarray) -> list[str]:
    """Draw a digit in Braille characters, each a block of 4 x 2 dots.

    Parameters
    ----------
    digit : ndarray of float, shape (H, W)
        Between 0 and 1, with H a multiple of 4 and W of 2. What is above 0.4 becomes a dot.

    Returns
    -------
    list of str
        H / 4 lines of W / 2 characters.

    Examples
    --------
    >>> draw(np.array([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]]))
    ['⣇⣀']
    """
    # Unicode numbers the dots of a cell in this order, from U+2800 on.
    bit = np.array([[0, 3], [1, 4], [2, 5], [6, 7]])
    height, width = digit.shape
    cells = (digit > 0.4).reshape(height // 4, 4, width // 2, 2).swapaxes(1, 2)
    codes = 0x2800 + (cells << bit).sum(axis=(2, 3))
    return ["".join(map(chr, line)) for line in codes]
