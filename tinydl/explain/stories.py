"""Ready-made stories: small enough to be redone by hand, and one that is not.

Each function is an ordinary program that records itself, as one's own would.
"""

# mypy: disable-error-code="operator"
# (ops.conv and ops.softmax are modules, too)

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np

from tinydl import datasets, ops
from tinydl.engine import tensor
from tinydl.errors import unknown_name
from tinydl.explain.landscapes import landscape
from tinydl.explain.story import Story
from tinydl.explain.watching import record
from tinydl.initializers import GlorotUniform
from tinydl.layers import Conv2D, Dense, Flatten, MaxPooling2D, Rescaling
from tinydl.losses import SparseCategoricalCrossentropy
from tinydl.models import Sequential
from tinydl.optimizers import SGD, Adam


def ready_made(name: str = "mnist") -> Story:
    """One of the stories that come with the package.

    Parameters
    ----------
    name : str
        A key of `tinydl.explain.STORIES`: ``"mnist"``, ``"mse"``, ``"backprop"``, ...

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.

    Examples
    --------
    >>> story = ready_made("backprop")
    >>> [step.kind for step in story]
    ['forward', 'forward', 'backward', 'backward']
    >>> story[4].gradient("a").total
    4.0
    """
    if name not in STORIES:
        raise unknown_name("explain", "the story", name, STORIES)
    return STORIES[name]()


def mnist() -> Story:
    """One training step of the network of the README, on the first two digits of MNIST."""
    (images, digits), _ = datasets.mnist.load_data()
    x, y = images[:2, ..., None], digits[:2]
    model = Sequential(
        [
            Rescaling(1 / 255, name="rescaling"),
            Conv2D(
                32, 3, activation="relu", kernel_initializer=GlorotUniform(seed=1), name="conv2d"
            ),
            MaxPooling2D(2, name="max_pooling2d"),
            Flatten(name="flatten"),
            Dense(10, activation="softmax", kernel_initializer=GlorotUniform(seed=2), name="dense"),
        ],
        name="network",
    )
    model(x)
    loss_function = SparseCategoricalCrossentropy(name="cross_entropy")
    optimizer = Adam(learning_rate=0.001)
    optimizer.build(model.trainable_weights)
    note = (
        "The untrained network gives every digit a probability near 1/10, and what goes back to the"
        " logits is p - t, by two: large only at the digit that should have been."
    )
    with record("One step of the MNIST network, on two digits", note) as story:
        p = model(x)
        loss = loss_function(y, p)
        loss.backward()
        optimizer.step()
    return story


def mse() -> Story:
    """The mean squared error of a straight line through two points."""
    x, target = tensor([1.0, 3.0]), tensor([2.0, 8.0])
    w = tensor(2.0, requires_grad=True, name="w")
    b = tensor(0.0, requires_grad=True, name="b")
    note = (
        "The first point is met exactly, so only the second one pulls: an error of -2, times its x"
        " of 3, makes the gradient of w."
    )
    with record("The mean squared error of a line", note) as story:
        prediction = w * x + b
        error = prediction - target
        loss = ops.mean(ops.square(error))
        loss.backward()
    return story


def cross_entropy() -> Story:
    """The cross-entropy of one sample with three classes."""
    z = tensor([log(2.0), 0.0, 0.0], requires_grad=True, name="z")
    t = tensor([1.0, 0.0, 0.0])
    note = (
        "The probabilities are 1/2, 1/4 and 1/4; what goes back to the logits is p - t, and adds up"
        " to 0."
    )
    with record("Cross-entropy of a softmax", note) as story:
        p = ops.softmax(z)
        loss = ops.categorical_crossentropy(t, p)
        loss.backward()
    return story


def gradient_descent() -> Story:
    """Three steps down a parabola."""
    w = tensor(9.0, requires_grad=True, name="w")
    optimizer = SGD(learning_rate=0.25)
    note = (
        "The slope shrinks with the distance to the bottom at 1, so each step halves what is left."
    )
    with record("Gradient descent on a parabola", note) as story:
        for _ in range(3):
            w.grad = None
            loss = ops.square(w - 1.0)
            loss.backward()
            optimizer.apply([w.grad], [w])
    return story


def adam() -> Story:
    """Two steps of Adam on a slope that is steep in one direction and gentle in the other."""
    w = tensor([1.0, 1.0], requires_grad=True, name="w")
    slope = tensor([100.0, 1.0])
    optimizer = Adam(learning_rate=0.25)
    note = (
        "One gradient is a hundred times the other, and both weights move by the learning rate:"
        " Adam divides each gradient by its own size."
    )
    with record("Two steps of Adam", note) as story:
        for _ in range(2):
            w.grad = None
            loss = ops.sum(slope * w)
            loss.backward()
            optimizer.apply([w.grad], [w])
    return story


def backprop() -> Story:
    """Why gradients are passed back in the order of the graph."""
    a = tensor(1.0, requires_grad=True, name="a")
    note = (
        "b is used twice. Its gradient is complete only when both uses have been passed back, and"
        " only then may it go on to a: hence the topological order."
    )
    with record("Backpropagation: b = a + a, c = b + b", note) as story:
        b = a + a
        c = b + b
        c.backward()
    return story


def four_ways_down() -> Story:
    """One step of gradient descent with two weights, and where it leads, by four update rules."""
    x = tensor([[1.0, 1.0], [2.0, -1.0], [3.0, 1.0], [1.0, -1.0], [2.0, 1.0], [3.0, -1.0]])
    y = tensor([[4.0], [-1.0], [5.0], [0.0], [3.0], [1.0]])
    w = tensor([[-2.0], [-2.0]], requires_grad=True, name="w")
    optimizer = SGD(learning_rate=0.05)

    def loss_of(w: Any, x: Any, y: Any) -> Any:
        return ops.mean(ops.square(x @ w - y))

    note = (
        "The valley is steep across and flat along: gradient descent falls to its floor first and"
        " then creeps, SGD trembles, momentum overshoots, and Adam goes nearly straight."
    )
    with record("Four ways down a valley", note) as story:
        loss = loss_of(w, x, y)
        loss.backward()
        optimizer.apply([w.grad], [w])
    rules = {
        "gradient descent": SGD(0.05),
        "SGD": SGD(0.05),
        "momentum": SGD(0.05, momentum=0.9),
        "Adam": Adam(0.2),
    }
    story.landscape = landscape(
        loss_of, x.data, y.data, start=[[-2.0], [-2.0]], optimizers=rules, batch_size=2, steps=40
    )
    return story


def conv() -> Story:
    """A convolution that finds a vertical edge."""
    image = tensor(
        np.array(
            [[0, 0, 2, 2], [0, 0, 2, 2], [0, 1, 2, 3], [0, 1, 2, 3]], dtype=np.float32
        ).reshape(1, 4, 4, 1),
        name="image",
    )
    kernel = tensor(
        np.array([[-1, 1], [-1, 1]], dtype=np.float32).reshape(2, 2, 1, 1),
        requires_grad=True,
        name="kernel",
    )
    note = (
        "All places share one kernel, so its gradient adds up what each weight saw at every place."
    )
    with record("A convolution that finds edges", note) as story:
        y = ops.conv(image, kernel)
        loss = ops.sum(y)
        loss.backward()
    return story


def maxpool() -> Story:
    """The largest of each window, and where its gradient goes."""
    x = tensor(
        np.array(
            [[1, 5, 2, 0], [3, 4, 7, 6], [8, 2, 1, 3], [0, 6, 9, 4]], dtype=np.float32
        ).reshape(1, 4, 4, 1),
        requires_grad=True,
        name="x",
    )
    weight = tensor(np.array([[1, 2], [3, 4]], dtype=np.float32).reshape(1, 2, 2, 1))
    note = "Only the largest element of each window gets the gradient; all others get 0."
    with record("Max pooling", note) as story:
        y = ops.max_pool(x, 2)
        loss = ops.sum(weight * y)
        loss.backward()
    return story


def softmax() -> Story:
    """Probabilities from scores, and how the first depends on all of them."""
    x = tensor([0.0, log(2.0), log(7.0)], requires_grad=True, name="x")
    note = (
        "The exponentials are 1, 2 and 7, so the probabilities are 0.1, 0.2 and 0.7; to raise one"
        " score lowers the probabilities of all others, and the gradients add up to 0."
    )
    with record("Softmax", note) as story:
        p = ops.softmax(x)
        first = p[0]
        first.backward()
    return story


STORIES: dict[str, Callable[[], Story]] = {
    "mnist": mnist,
    "mse": mse,
    "cross-entropy": cross_entropy,
    "gradient-descent": gradient_descent,
    "adam": adam,
    "landscape": four_ways_down,
    "backprop": backprop,
    "conv": conv,
    "maxpool": maxpool,
    "softmax": softmax,
}
