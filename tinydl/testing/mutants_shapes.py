"""Wrong gradients of changes of shape and of order."""

from __future__ import annotations

import numpy as np

from tinydl.testing.mutant import gradient, signed


def _scatter_add(g, places, shape):
    x_bar = np.zeros(shape)
    np.add.at(x_bar, places, g)
    return x_bar


def _scatter(g, places, shape):
    x_bar = np.zeros(shape)
    x_bar[places] = g
    return x_bar


PLACES = np.array([2, 0, 2, 1])
A, B = signed(3, 4), signed(4)

MUTANTS = (
    gradient(
        "permutation not inverted",
        "Going back takes the inverse order of axes, which differs from three axes on.",
        lambda x: x.transpose(1, 2, 0),
        lambda g, x: g.transpose(2, 0, 1),
        lambda g, x: g.transpose(1, 2, 0),
        signed(2, 2, 2),
    ),
    gradient(
        "reshape in another order",
        "Elements are laid out row by row, on the way back too.",
        lambda x: x.reshape(2, 6),
        lambda g, x: g.reshape(3, 4),
        lambda g, x: g.reshape(3, 4, order="F"),
        A,
    ),
    gradient(
        "rolled on instead of back",
        "The gradient of a shift is the shift back.",
        lambda x: np.roll(x, 1, 1),
        lambda g, x: np.roll(g, -1, 1),
        lambda g, x: np.roll(g, 1, 1),
        A,
    ),
    gradient(
        "not flipped back",
        "The gradient of a flip is the flip.",
        lambda x: x[::-1],
        lambda g, x: g[::-1],
        lambda g, x: g,
        A,
    ),
    gradient(
        "padding not cropped",
        "The gradient of the padding is dropped: the window starts behind it.",
        lambda x: np.pad(x, ((1, 1), (2, 0))),
        lambda g, x: g[1:-1, 2:],
        lambda g, x: g[:-2, :-2],
        A,
    ),
    gradient(
        "pieces exchanged",
        "Each joined array gets back the piece where it stood.",
        lambda a, b: np.concatenate([a, b]),
        lambda g, a, b: (g[:3], g[3:]),
        lambda g, a, b: (g[3:], g[:3]),
        A,
        A,
    ),
    gradient(
        "repeated index overwritten",
        "An element that was taken twice gets the sum of both gradients.",
        lambda x: x[PLACES],
        lambda g, x: _scatter_add(g, PLACES, x.shape),
        lambda g, x: _scatter(g, PLACES, x.shape),
        A,
    ),
    gradient(
        "first copy only",
        "All copies of a tiled array send their gradient back.",
        lambda x: np.tile(x, 3),
        lambda g, x: g.reshape(3, 4).sum(0),
        lambda g, x: g[:4],
        B,
    ),
    gradient(
        "slice put back one off",
        "The gradient of x[1:] belongs to the places from 1 on.",
        lambda x: x[1:],
        lambda g, x: np.concatenate([np.zeros((1, 4)), g]),
        lambda g, x: np.concatenate([g, np.zeros((1, 4))]),
        A,
    ),
)
