"""``tinydl predict``: which digit is on these pictures, and how sure is the model?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from tinydl.cli.digits import DIGITS, WHITE, read_digit
from tinydl.errors import FileFormatError, ShapeError
from tinydl.layers import Rescaling
from tinydl.models import Model
from tinydl.saving import load_model

HELP = "print which digits picture files show, with probabilities"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A model and the pictures."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="as saved by tinydl train")
    parser.add_argument(
        "pictures",
        type=Path,
        nargs="+",
        metavar="PICTURE",
        help="one digit each: PNG, JPEG, ..., of any size, dark on light or light on dark",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each picture; say what is wrong with those that cannot be read.

    Parameters
    ----------
    arguments : argparse.Namespace
        See `add_arguments`.

    Returns
    -------
    int
        0, or 1 if a picture could not be read.

    Raises
    ------
    ShapeError
        If the model does not take images of 28 x 28, or does not answer with ten numbers.
    """
    model = load_model(arguments.model)
    status = 0
    for path in arguments.pictures:
        try:
            digit = read_digit(path)
        except FileFormatError as error:
            print(f"tinydl: {error}", file=sys.stderr)
            status = 1
        except OSError as error:
            print(f"{arguments.prog}: {path}: {error.strerror}", file=sys.stderr)
            status = 1
        else:
            print(f"{path}: {_in_words(_probabilities(model, digit))}")
    return status


def _probabilities(model: Model, digit: np.ndarray) -> np.ndarray:
    takes_pixels = any(isinstance(layer, Rescaling) for layer in model.layers)
    answer = model.predict(digit[np.newaxis] * (WHITE if takes_pixels else 1), verbose=0)
    if answer.shape != (1, DIGITS):
        raise ShapeError(
            "predict",
            "the model's answer to one picture",
            got=answer.shape,
            expected=(1, DIGITS),
            hint="use a model made by tinydl train",
        )
    return np.asarray(answer[0])


def _in_words(probabilities: np.ndarray) -> str:
    """The digit, and its rivals: those with at least a thousandth."""
    order = np.argsort(-probabilities)
    likely = [k for k in order[1:4] if probabilities[k] >= 0.001]
    rivals = ", ".join(f"{k} {probabilities[k]:.1%}" for k in likely)
    answer = f"{order[0]} {probabilities[order[0]]:.1%}"
    return f"{answer}  (then {rivals})" if rivals else answer
