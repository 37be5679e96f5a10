"""Small stories that several tests show."""

import numpy as np

import tinydl as keras
from tinydl import explain, ops, tensor


def convolutional(title="A small network", name="conv2d"):
    """One step of a convolutional network on two tiny images."""
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(0).random((2, 6, 6, 1), dtype=np.float32)
    labels = np.eye(3, dtype=np.float32)[[0, 2]]
    model = keras.Sequential(
        [
            keras.layers.Conv2D(2, (3, 3), activation="relu", name=name, input_shape=(6, 6, 1)),
            keras.layers.MaxPooling2D((2, 2)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    loss_of = keras.losses.CategoricalCrossentropy()
    optimizer = keras.optimizers.Adam(learning_rate=0.1)
    optimizer.build(model.trainable_weights)
    with explain.record(title, note="What feeds an element lights up.") as story:
        loss = loss_of(labels, model(images))
        loss.backward()
        optimizer.step()
    return story


def fan_out():
    """A value used twice: its gradient comes by two paths."""
    a = tensor(3.0, requires_grad=True)
    with explain.record("Twice") as story:
        b = a + a
        c = b * b
        c.backward()
    return story


def cut_short():
    """A story of which two ops are missing."""
    a = tensor(3.0, requires_grad=True)
    with explain.record("Cut short", limit=1) as story:
        a * a * a + a
    return story


def of_ops():
    """One forward step of each kind that a law has to find or to refuse."""
    rng = np.random.default_rng(0)
    x = tensor(rng.normal(size=(2, 6, 6, 3)), requires_grad=True)
    w = tensor(rng.normal(size=(3, 3, 3, 2)), requires_grad=True)
    m = tensor(rng.normal(size=(4, 5)), requires_grad=True)
    b = tensor(np.zeros(5), requires_grad=True)
    with explain.record() as story:
        ops.conv(x, w, strides=2, padding="same")
        ops.conv(x, w, dilation_rate=2)
        ops.max_pool(x, 2)
        ops.average_pool(x, 3, padding="same")
        ops.transpose(m)
        ops.reshape(x, (2, -1))
        m + b
        m * m
        ops.softmax(m)
        m @ ops.transpose(m)
        ops.flip(m, axis=1)
        ops.relu(m)
        ops.sum(m, axis=0)
        ops.concatenate([m, m], axis=1)
        ops.cumsum(m, axis=1)
    return story
