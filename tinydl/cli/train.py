"""``tinydl train``, the main job: a small convolutional network learns MNIST."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinydl import kernels, optimizers
from tinydl.callbacks import LambdaCallback
from tinydl.cli.digits import DIGITS, WHITE
from tinydl.cli.output import prepare_folder
from tinydl.cli.pictures import save_page
from tinydl.cli.record import Record
from tinydl.cli.report import print_classes, print_mistakes
from tinydl.cli.results import class_scores, worst_mistakes
from tinydl.datasets import mnist
from tinydl.errors import NumericalError
from tinydl.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D, Rescaling
from tinydl.models import Sequential
from tinydl.utils import replacing, set_random_seed, to_categorical

HELP = "train a small convolutional network on MNIST, evaluate it and save what it learned"

MODEL, HISTORY, PAGE = "model.safetensors", "history.csv", "training.png"
MISTAKES = 5


class Images(NamedTuple):
    """MNIST: images (N, 28, 28) of bytes, 0 to 255, labels (N,) of int."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be set; with nothing set, the training is the one the README shows."""
    parser.add_argument("--epochs", type=_count, default=5, help="default: %(default)s")
    parser.add_argument("--batch-size", type=_count, default=32, help="default: %(default)s")
    parser.add_argument("--optimizer", default="adam", help="default: %(default)s")
    parser.add_argument("--learning-rate", type=_rate, help="default: the optimizer's own")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--kernels", help="c, c-plain, numpy, or a .py or .c file of your own")
    parser.add_argument("--threads", type=_count, help="threads of the C kernels")
    parser.add_argument(
        "--output", type=Path, default=Path("tinydl-mnist"), help="folder; default: %(default)s"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="only the first N images")


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if 0 < rate < float("inf"):
        return rate
    raise argparse.ArgumentTypeError(f"{text} is not a number above 0")


def run(arguments: argparse.Namespace) -> int:
    """Train, evaluate, report and save.

    Parameters
    ----------
    arguments : argparse.Namespace
        See `add_arguments`.

    Returns
    -------
    int
        0; or 1 if the loss diverged; or 130 if Ctrl-C stopped the training.
    """
    folder: Path = arguments.output
    prepare_folder(folder, [MODEL, HISTORY, PAGE])
    model = build_model(arguments)
    images = _load(arguments.limit)
    record = Record(len(images.x_train), arguments.batch_size)
    save = LambdaCallback(on_epoch_end=lambda epoch, logs: model.save(folder / MODEL))
    try:
        model.fit(
            images.x_train,
            to_categorical(images.y_train, DIGITS),
            batch_size=arguments.batch_size,
            epochs=arguments.epochs,
            callbacks=[record, save],
        )
    except KeyboardInterrupt:
        model.save(folder / MODEL)
        record.save(folder / HISTORY)
        print(f"{arguments.prog}: stopped; {MODEL} and {HISTORY} are in {folder}", file=sys.stderr)
        return 130
    except NumericalError as error:
        record.save(folder / HISTORY)
        print(f"tinydl: {error}; {_kept(record)}, in {folder}", file=sys.stderr)
        return 1
    record.save(folder / HISTORY)
    _report(model, images, record, folder)
    return 0


def build_model(arguments: argparse.Namespace) -> Sequential:
    """The network of the README, compiled, with the kernels, seed and optimizer asked for.

    It takes the pixels as they are stored: 60,000 images then need 47 MB, not 188.
    """
    if arguments.kernels is not None:
        kernels.use(arguments.kernels)
    if arguments.threads is not None:
        kernels.set_num_threads(arguments.threads)
    optimizer = optimizers.get(arguments.optimizer)
    if arguments.learning_rate is not None:
        optimizer.learning_rate = arguments.learning_rate
    set_random_seed(arguments.seed)
    model = Sequential(
        [
            Input((28, 28, 1)),
            Rescaling(1 / WHITE),
            Conv2D(32, (3, 3), activation="relu"),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(DIGITS, activation="softmax"),
        ]
    )
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def _load(limit: int | None) -> Images:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    x_train, y_train = x_train[:limit], y_train[:limit]
    return Images(x_train, y_train, x_test, y_test)


def _kept(record: Record) -> str:
    if record.finished == 0:
        return f"no epoch was finished, so there are no weights; {HISTORY} is"
    return f"{MODEL}, of epoch {record.finished}, and {HISTORY} are"


def _report(model: Sequential, images: Images, record: Record, folder: Path) -> None:
    probabilities = model.predict(images.x_test, verbose=0)
    predicted = probabilities.argmax(axis=1)
    accuracy = float(np.mean(predicted == images.y_test))
    mistakes = [
        (mistake, images.x_test[mistake.number] / np.float32(WHITE))
        for mistake in worst_mistakes(images.y_test, probabilities, MISTAKES)
    ]
    print(f"\nTest accuracy: {accuracy:.4f}")
    print_classes(class_scores(images.y_test, predicted, DIGITS))
    print_mistakes(mistakes)
    saved = [MODEL, HISTORY]
    try:
        with replacing(folder / PAGE) as temporary:
            save_page(temporary, record.points, accuracy, model.get_weights()[0], mistakes)
        saved.append(PAGE)
    except ImportError:
        print("No picture: drawing needs Matplotlib, pip install 'tinydl[plots]'.")
    print(f"Saved in {folder}: {', '.join(saved)}")
