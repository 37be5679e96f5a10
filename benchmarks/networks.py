"""The networks whose training steps are timed: what they are made of, and their first weights.

("conv", filters, size, padding)   stride 1, with relu; padding counts pixels on each side
("pool",)                          the greatest of 2 x 2
("flatten",)
("dense", units)                   with relu, except for the last one, which gives the logits
"""

import numpy as np

NETWORKS = {
    "MLP 784-128-10": ((784,), [("dense", 128), ("dense", 10)]),
    "MLP 784-1024-1024-10": ((784,), [("dense", 1024), ("dense", 1024), ("dense", 10)]),
    "LeNet-5": (
        (28, 28, 1),
        [
            ("conv", 6, 5, 2),
            ("pool",),
            ("conv", 16, 5, 0),
            ("pool",),
            ("flatten",),
            ("dense", 120),
            ("dense", 84),
            ("dense", 10),
        ],
    ),
    "small VGG": (
        (32, 32, 3),
        [
            ("conv", 64, 3, 1),
            ("conv", 64, 3, 1),
            ("pool",),
            ("conv", 128, 3, 1),
            ("conv", 128, 3, 1),
            ("pool",),
            ("flatten",),
            ("dense", 10),
        ],
    ),
}


def shapes_after(image, layers):
    """The shape of an image, and what each layer makes of it."""
    shapes = [image]
    for kind, *settings in layers:
        shape = shapes[-1]
        if kind == "conv":
            filters, size, padding = settings
            shape = (*(n + 2 * padding - size + 1 for n in shape[:2]), filters)
        elif kind == "pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif kind == "flatten":
            shape = (int(np.prod(shape)),)
        else:
            shape = tuple(settings)
        shapes.append(shape)
    return shapes


def weight_shapes(image, layers):
    for (kind, *settings), shape in zip(layers, shapes_after(image, layers), strict=False):
        if kind == "conv":
            filters, size, _ = settings
            yield from ((size, size, shape[-1], filters), (filters,))
        elif kind == "dense":
            yield from ((*shape, *settings), tuple(settings))


def random_network(image, layers, batch):
    """What draws a batch of images, their labels, and weights (a kernel and a bias for a layer)."""

    def draw(rng):
        return {
            "x": rng.standard_normal((batch, *image), np.float32),
            "labels": rng.integers(10, size=batch),
            "weights": [first_weights(rng, shape) for shape in weight_shapes(image, layers)],
        }

    return draw


def first_weights(rng, shape):
    """He's initialization; biases begin at 0."""
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    scale = np.float32(np.sqrt(2 / np.prod(shape[:-1])))
    return rng.standard_normal(shape, np.float32) * scale
