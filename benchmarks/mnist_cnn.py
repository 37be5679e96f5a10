"""Seconds per epoch of the MNIST network: tinydl, and PyTorch where it is installed.

Both programs do the same work: 60,000 images in batches of 32, shuffled each epoch, a 3 x 3
convolution with 32 filters, ReLU, 2 x 2 max pooling, a dense layer to 10 classes, softmax and
cross-entropy, Adam, and the running mean of loss and accuracy. Each runs in a process of its own,
in turn (tinydl, PyTorch, tinydl, ...), so that a change in the machine's load meets both.
Importing and loading the data are not timed.

    python benchmarks/mnist_cnn.py
    python benchmarks/mnist_cnn.py --torch-python /elsewhere/bin/python --rounds 3 --json out.json
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

MNIST = Path(__file__).parent.parent / "tinydl" / "datasets" / "mnist.npz"
BATCH = 32


def train_with_tinydl(epochs, threads):
    import tinydl as keras

    keras.kernels.set_num_threads(threads)
    keras.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    x_train, x_test = x_train.astype("float32") / 255, x_test.astype("float32") / 255
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
    model.fit(
        x_train,
        y_train,
        batch_size=BATCH,
        epochs=epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=clock.tick)],
    )
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


def train_with_torch(epochs, threads):
    import numpy as np
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    with np.load(MNIST) as file:
        x_train, x_test = (
            torch.from_numpy(file[name].astype("float32") / 255).unsqueeze(1)
            for name in ("x_train", "x_test")
        )
        y_train, y_test = (
            torch.from_numpy(file[name].astype("int64")) for name in ("y_train", "y_test")
        )
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 13 * 13, 10)
    )
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
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    return clock.seconds, accuracy


PROGRAMS = {"tinydl": train_with_tinydl, "PyTorch": train_with_torch}


def measure(name, python, epochs, threads):
    """Run one program in a process of its own: (seconds of each epoch, test accuracy)."""
    command = [python, __file__, "--only", name, f"--epochs={epochs}", f"--threads={threads}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def has_torch(python):
    return subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: %(default)s")
    parser.add_argument("--torch-python", default=sys.executable, help="interpreter with PyTorch")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--only", choices=PROGRAMS, help="run one program here and print JSON")
    arguments = parser.parse_args()

    if arguments.only:
        print(json.dumps(PROGRAMS[arguments.only](arguments.epochs, arguments.threads)))
        return

    pythons = {"tinydl": sys.executable}
    if has_torch(arguments.torch_python):
        pythons["PyTorch"] = arguments.torch_python
    seconds = {name: [] for name in pythons}
    accuracies = {name: [] for name in pythons}
    for _ in range(arguments.rounds):
        for name, python in pythons.items():
            epochs, accuracy = measure(name, python, arguments.epochs, arguments.threads)
            seconds[name] += epochs
            accuracies[name].append(accuracy)

    print(f"{arguments.threads} threads, {arguments.rounds} rounds of {arguments.epochs} epochs")
    print(f"{'':10}{'seconds per epoch':>20}{'fastest':>10}{'slowest':>10}{'accuracy':>10}")
    for name, times in seconds.items():
        print(
            f"{name:10}{median(times):20.2f}{min(times):10.2f}{max(times):10.2f}"
            f"{median(accuracies[name]):10.4f}"
        )
    if "PyTorch" in seconds:
        ratio = median(seconds["PyTorch"]) / median(seconds["tinydl"])
        print(f"PyTorch's median is {ratio:.2f} times tinydl's")
    else:
        print(
            f"PyTorch is not installed for {arguments.torch_python}: --torch-python names another"
        )
    if arguments.json:
        figures = {"seconds": seconds, "accuracy": accuracies, "threads": arguments.threads}
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
