"""Seconds per epoch of the MNIST network: tinydl, and the peers that are installed.

All programs do the same work: 60,000 images in batches of 32, shuffled each epoch, a 3 x 3
convolution with 32 filters, ReLU, 2 x 2 max pooling, a dense layer to 10 classes, softmax and
cross-entropy, Adam, and the running mean of loss and accuracy. Each runs in a process of its own,
in turn (tinydl, PyTorch, tinydl, ...), so that a change in the machine's load meets all of them.
Importing and loading the data are not timed.

    python benchmarks/mnist_cnn.py
    python benchmarks/mnist_cnn.py --peer torch=/elsewhere/bin/python --rounds 3 --json out.json
"""

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

MNIST = Path(__file__).parent.parent / "tinydl" / "datasets" / "mnist.npz"
BATCH = 32


def mnist_arrays(images):
    """MNIST as float32 between 0 and 1, and int64; `images` of the training images."""
    import numpy as np

    with np.load(MNIST) as file:
        x_train, x_test = (file[name].astype("float32") / 255 for name in ("x_train", "x_test"))
        y_train, y_test = (file[name].astype("int64") for name in ("y_train", "y_test"))
    return x_train[:images], y_train[:images], x_test, y_test


def train_with_tinydl(images, epochs, threads):
    import tinydl as keras

    keras.kernels.set_num_threads(threads)
    return fit_as_in_keras(keras, images, epochs)


def train_with_tensorflow(images, epochs, threads):
    import tensorflow as tf
    from tensorflow import keras

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    return fit_as_in_keras(keras, images, epochs)


def fit_as_in_keras(keras, images, epochs):
    """One program for both: tinydl's names are those of Keras."""
    keras.utils.set_random_seed(0)
    x_train, y_train, x_test, y_test = mnist_arrays(images)
    y_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)
    model = keras.models.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, (3, 3), activation="relu"),
            keras.layers.MaxPooling2D((2, 2)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    clock = EpochClock()
    tick = keras.callbacks.LambdaCallback(on_epoch_end=clock.tick)
    model.fit(x_train, y_train, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[tick])
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    return clock.seconds, float(accuracy)


class EpochClock:
    """The seconds from tick to tick, the first counted from its making."""

    def __init__(self):
        self.seconds, self._before = [], time.perf_counter()

    def tick(self, *_):
        now = time.perf_counter()
        self.seconds.append(now - self._before)
        self._before = now


def train_with_torch(images, epochs, threads, channels_last=False):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, mnist_arrays(images))
    x_train, x_test = x_train.unsqueeze(1), x_test.unsqueeze(1)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 13 * 13, 10)
    )
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    loss_of = nn.CrossEntropyLoss()  # takes logits: softmax is inside
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    clock = EpochClock()
    for _ in range(epochs):
        loss_sum = correct = 0.0
        for rows in torch.randperm(len(x_train)).split(BATCH):
            x, y = x_train[rows], y_train[rows]
            optimizer.zero_grad()
            logits = model(x)
            loss = loss_of(logits, y)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(rows)
            correct += (logits.argmax(1) == y).sum().item()
        clock.tick()
    with torch.no_grad():
        correct = sum(
            (model(x).argmax(1) == y).sum().item()
            for x, y in zip(x_test.split(BATCH), y_test.split(BATCH), strict=True)
        )
    return clock.seconds, correct / len(x_test)


def train_with_jax(images, epochs, threads, pooling_by_hand=False):
    import jax
    import numpy as np
    from jax import lax
    from jax import numpy as jnp

    def pool(x):
        if pooling_by_hand:
            return x.reshape(len(x), 13, 2, 13, 2, 32).max(axis=(2, 4))
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def logits_of(weights, x):
        w, b, v, c = weights
        layout = ("NHWC", "HWIO", "NHWC")
        x = lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=layout)
        return pool(jax.nn.relu(x + b)).reshape(len(x), -1) @ v + c

    def loss_of(weights, x, y):
        logits = logits_of(weights, x)
        losses = -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
        return losses.mean(), (logits.argmax(axis=1) == y).sum()

    @jax.jit
    def step(weights, m, v, t, totals, x, y):
        (loss, correct), g = jax.value_and_grad(loss_of, has_aux=True)(weights, x, y)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, m, v)
        return weights, m, v, t + 1, (totals[0] + loss * len(x), totals[1] + correct)

    x_train, y_train, x_test, y_test = mnist_arrays(images)
    rng, glorot = np.random.default_rng(0), jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(jax.random.key(0))
    weights = (glorot(keys[0], (3, 3, 1, 32)), jnp.zeros(32))
    weights += (glorot(keys[1], (32 * 13 * 13, 10)), jnp.zeros(10))
    m = v = jax.tree.map(jnp.zeros_like, weights)
    t, clock = 1.0, EpochClock()
    x_train, x_test = x_train[..., None], x_test[..., None]
    for _ in range(epochs):
        order, totals = rng.permutation(len(x_train)), (0.0, 0)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            weights, m, v, t, totals = step(weights, m, v, t, totals, x_train[rows], y_train[rows])
        jax.block_until_ready(totals)
        clock.tick()
    classes_of = jax.jit(lambda weights, x: logits_of(weights, x).argmax(axis=1))
    correct = 0
    for start in range(0, len(x_test), BATCH):
        rows = slice(start, start + BATCH)
        correct += (classes_of(weights, x_test[rows]) == y_test[rows]).sum()
    return clock.seconds, float(correct) / len(x_test)


PROGRAMS = {  # the module each needs, and its function
    "tinydl": ("tinydl", train_with_tinydl),
    "PyTorch": ("torch", train_with_torch),
    "PyTorch, channels last": ("torch", partial(train_with_torch, channels_last=True)),
    "TensorFlow": ("tensorflow", train_with_tensorflow),
    "JAX": ("jax", train_with_jax),
    "JAX, pooling by hand": ("jax", partial(train_with_jax, pooling_by_hand=True)),
}


def command(name, python, images, epochs, threads):
    """What runs one program in a process of its own; it prints JSON."""
    settings = [f"--images={images}", f"--epochs={epochs}", f"--threads={threads}"]
    return [python, __file__, "--only", name, *settings]


def installed(pythons):
    """{program: interpreter} of those whose module is installed for the interpreter it gets."""
    found = {}
    for name, (module, _) in PROGRAMS.items():
        python = pythons.get(module, sys.executable)
        if subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0:
            found[name] = python
    return found


def print_table(seconds, accuracies):
    print(f"{'':24}{'seconds per epoch':>20}{'fastest':>10}{'slowest':>10}{'accuracy':>10}")
    for name, times in seconds.items():
        print(
            f"{name:24}{median(times):20.2f}{min(times):10.2f}{max(times):10.2f}"
            f"{median(accuracies[name]):10.4f}"
        )
    for name in seconds:
        if name != "tinydl":
            ratio = median(seconds[name]) / median(seconds["tinydl"])
            print(f"{name}: the median is {ratio:.2f} times tinydl's")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: %(default)s")
    parser.add_argument("--images", type=int, default=60_000, help="default: all %(default)s")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=PYTHON",
        help="the interpreter that has torch, tensorflow or jax, where it is not this one",
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--only", choices=PROGRAMS, help="run one program here and print JSON")
    arguments = parser.parse_args()
    size = arguments.images, arguments.epochs, arguments.threads

    if arguments.only:
        _, train = PROGRAMS[arguments.only]
        print(json.dumps(train(*size)))
        return

    pythons = installed(dict(peer.split("=", 1) for peer in arguments.peer))
    seconds = {name: [] for name in pythons}
    accuracies = {name: [] for name in pythons}
    for _ in range(arguments.rounds):
        for name, python in pythons.items():
            done = subprocess.run(
                command(name, python, *size), check=True, stdout=subprocess.PIPE, text=True
            )
            epochs, accuracy = json.loads(done.stdout)
            seconds[name] += epochs
            accuracies[name].append(accuracy)

    print(f"{arguments.threads} threads, {arguments.rounds} rounds of {arguments.epochs} epochs")
    print_table(seconds, accuracies)
    if arguments.json:
        figures = {"seconds": seconds, "accuracy": accuracies, "threads": arguments.threads}
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
