"""The cases that a kernel has to get right: shapes, settings, memory, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinydl.kernels import literal
from tinydl.kernels.geometry import place_pool, place_window
from tinydl.testing.layouts import LAYOUTS

# What to look at when just the cases with one trait fail. Order matters: the first that fits.
LESSONS = {
    "plain": "even the smallest plain case fails: compute it by hand and print both",
    "padding": "look at the places where the window hangs over the edge: there is no image there",
    "dilation": "window element (p, q) meets the image at p * dilation, not at p",
    "stride": "output place (i, j) stands at i * stride on the image",
    "overlap": "windows overlap: gradients of an element in several windows add up (+=, not =)",
    "gaps": "with a stride longer than the window some elements are in no window: they get 0",
    "empty": "an axis of length 0 is allowed: loops run zero times, and an empty sum is 0",
    "single": "an axis of length 1 is an axis like any other: nothing may be squeezed away",
    "broadcast": "leading axes of length 1 are stretched, and missing ones are added",
    "groups": "with groups, filter o sees the channels of its own group only",
    "ragged": "lengths that are no multiple of a block or vector leave a rest: it needs its loop",
    "ties": "of equal maxima the first in reading order wins, and it alone",
    "nan": "nan compares false with everything, and must win all the same",
    "memory": "inputs may lie in memory in any way: use their strides, or copy them first",
    "float32": "results have the inputs' dtype; sums may be kept in a wider one",
    "adjoint": "the values are right but not the sum <g, f(x)> = <x, gradient(g)>: compare both",
}


FUNCTIONS = ("exp_each", "tanh_each", "sigmoid_each")
SOFTMAXES = (
    "softmax",
    "log_softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_gradient",
)
ROWS = ("relu", "relu_gradient", "add_row", "sum_rows", *FUNCTIONS, *SOFTMAXES)
STEPS = ("sgd_step", "momentum_step", "adam_step")


class Case(NamedTuple):
    """Arguments of a kernel, and the traits they have (keys of `LESSONS`)."""

    arrays: tuple[np.ndarray, ...]
    settings: tuple[Any, ...]
    traits: frozenset[str]

    def __str__(self) -> str:
        shapes = ", ".join(f"{a.dtype}{a.shape}" for a in self.arrays)
        settings = "".join(f", {s}" for s in self.settings)
        return f"({shapes}{settings})"


def cases(name: str, rng: np.random.Generator) -> Iterator[Case]:
    """Cases for one kernel: plain ones in float64, then the same in float32 and other layouts."""
    if name in ROWS:
        make = _rows
    elif name in STEPS:
        make = _steps
    else:
        make = {"matmul": _matmul, "dense_layer": _dense_layer}.get(
            name, _conv if name.startswith("conv") else _pool
        )
    plain = list(make(name, rng))
    yield from plain
    for case in plain:
        narrow = tuple(a.astype(np.float32) for a in case.arrays)
        yield Case(narrow, case.settings, (case.traits - {"plain"}) | {"float32"})
    for case in plain[::3]:
        for layout in LAYOUTS.values():
            arrays = tuple(layout(a) for a in case.arrays)
            yield Case(arrays, case.settings, (case.traits - {"plain"}) | {"memory"})


# How many of the arrays of a kernel are numbers to compute with: the last one only says where.
_NUMBERS = {"max_pool_gradient": 1, "max_unpool": 1, "conv_max_pool_layer_gradient": 2}


def rounding_bound(name: str, case: Case) -> np.ndarray:
    r"""How far rounding can carry a kernel: :math:`(k + 2) u \sum |a| |b|`, for sums of k terms.

    Source: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM 2002, chapter 3.
    """
    x = case.arrays[0]
    if name in ("max_pool", "max_pool_gather", "max_pool_winners", "relu", "relu_gradient"):
        return np.zeros(())  # nothing is computed, only chosen
    places = slice(_NUMBERS.get(name))
    sizes = [np.abs(np.nan_to_num(a)).astype(np.float64) for a in case.arrays[places]]
    others = case.arrays[len(sizes) :]
    unit = np.finfo(x.dtype).eps / 2
    if name in FUNCTIONS:
        return 4 * np.spacing(np.abs(getattr(literal, name)(np.nan_to_num(x))))
    if name in SOFTMAXES:
        return unit * _softmax_size(name, *sizes[:-1], np.nan_to_num(case.arrays[-1]))
    if name in STEPS:  # against the gradient all terms add up; some ten roundings are in each
        uphill = -case.settings[0], *case.settings[1:]
        return 12 * unit * getattr(literal, name)(*sizes, *uphill)
    total = getattr(literal, name)(*sizes, *others, *case.settings)
    terms = getattr(literal, name)(*[np.ones(a.shape) for a in sizes], *others, *case.settings)
    if name.startswith("average"):
        terms = terms * np.prod(case.settings[-3])  # each window is a sum, too
    return (terms + 2) * unit * total


def _softmax_size(name: str, *arrays: np.ndarray) -> np.ndarray:
    """What the roundings of a softmax add up to; those in the exponents count as much as these."""
    z = arrays[-1].astype(np.float64)
    roundings = z.shape[-1] + 12 + 2 * np.max(np.abs(z), initial=0)
    p, log_p = literal.softmax(z), literal.log_softmax(z)
    if name == "softmax":
        return roundings * p
    if name == "log_softmax":
        return roundings * (1 + np.abs(log_p))
    *g, t = arrays[:-1]
    if name == "softmax_cross_entropy":
        return roundings * np.sum(t * (1 + np.abs(log_p)), axis=-1)
    return roundings * g[0][..., None] * (p * np.sum(t, axis=-1, keepdims=True) + t)


def _traits(condition: dict[str, bool]) -> frozenset[str]:
    found = frozenset(name for name, holds in condition.items() if holds)
    return found or frozenset({"plain"})


def _matmul(name: str, rng: np.random.Generator) -> Iterator[Case]:
    n, m, k = rng.integers(5, 12, 3)
    for a, b, trait in (
        ((4, 4), (4, 4), "plain"),
        ((8, 4), (4, 8), "plain"),
        ((2, 3), (3, 2), "ragged"),
        ((n, k), (k, m), "ragged"),
        ((1, k), (k, 1), "single"),
        ((n, 1), (1, m), "single"),
        ((n, 0), (0, m), "empty"),
        ((0, k), (k, m), "empty"),
        ((2, 3, 4), (4, 5), "broadcast"),
        ((2, 1, 3, 4), (3, 4, 2), "broadcast"),
        ((3, 4), (2, 4, 2), "broadcast"),
    ):
        yield Case((rng.normal(size=a), rng.normal(size=b)), (), frozenset({trait}))


def _dense_layer(name: str, rng: np.random.Generator) -> Iterator[Case]:
    n, m, k = rng.integers(5, 12, 3)
    for a, columns, trait in (
        ((4, 4), 4, "plain"),
        ((8, 4), 8, "plain"),
        ((2, 3), 2, "ragged"),
        ((n, k), m, "ragged"),
        ((1, k), 1, "single"),
        ((n, 0), m, "empty"),
        ((0, k), m, "empty"),
        ((2, 3, 4), 5, "ragged"),
        ((4, 4), 4, "nan"),
    ):
        x = rng.normal(size=a)
        if trait == "nan":
            x[1, 2] = np.nan
        for relu in (False, True):
            arrays = (x, rng.normal(size=(a[-1], columns)), rng.normal(size=columns))
            yield Case(arrays, (relu,), frozenset({trait}))


def _rows(name: str, rng: np.random.Generator) -> Iterator[Case]:
    n, m = rng.integers(5, 40, 2)
    for shape, trait in (
        ((4, 4), "plain"),
        ((3, 8), "plain"),
        ((2, 3), "ragged"),
        ((n, m), "ragged"),
        ((600, 3), "ragged"),
        ((1, m), "single"),
        ((n, 1), "single"),
        ((0, 4), "empty"),
        ((4, 0), "empty"),
        ((4, 4), "nan"),
    ):
        x = rng.normal(size=shape)
        if trait == "nan":
            x[1:3, 2] = np.nan
        arrays = {
            "relu_gradient": (rng.normal(size=shape), x),
            "add_row": (x, rng.normal(size=shape[-1:])),
            "softmax_cross_entropy": (rng.random(shape), x),
            "softmax_cross_entropy_gradient": (rng.normal(size=shape[:1]), rng.random(shape), x),
        }.get(name, (x,))
        yield Case(arrays, (), frozenset({trait}))


def _steps(name: str, rng: np.random.Generator) -> Iterator[Case]:
    n, m = rng.integers(5, 40, 2)
    for shape, trait in (
        ((4,), "plain"),
        ((2, 4), "plain"),
        ((n, m), "ragged"),
        ((3, 1, n), "ragged"),
        ((1000 + m,), "ragged"),
        ((1,), "single"),
        ((), "single"),
        ((0, 4), "empty"),
        ((4, 0), "empty"),
    ):
        w, g, m_or_v = rng.normal(size=(3, *shape))
        calls: dict[str, Any] = {
            "sgd_step": [((w, g), (rate,)) for rate in (0.1, 3.0)],
            "momentum_step": [((w, g, m_or_v), (0.1, 0.9, nesterov)) for nesterov in (False, True)],
            "adam_step": [
                ((w, g, m_or_v, rng.random(shape)), (0.1, *settings))
                for settings in ((0.9, 0.99, 1e-3), (0.0, 0.5, 2.0))
            ],
        }
        for arrays, settings in calls[name]:
            yield Case(tuple(map(np.asarray, arrays)), settings, frozenset({trait}))


def _conv(name: str, rng: np.random.Generator) -> Iterator[Case]:
    none = ((0, 0), (0, 0))
    height, width = rng.integers(5, 8, 2)
    for x, w, strides, padding, dilation in (
        ((1, 3, 3, 1), (2, 2, 1, 1), (1, 1), none, (1, 1)),
        ((2, 5, 4, 2), (3, 2, 2, 3), (1, 1), none, (1, 1)),
        ((1, height, width, 3), (2, 3, 3, 5), (1, 1), none, (1, 1)),
        ((1, 5, 5, 1), (2, 2, 1, 1), (2, 2), none, (1, 1)),
        ((2, height, width, 2), (2, 2, 2, 1), (3, 1), none, (1, 1)),
        ((1, 6, 6, 2), (1, 1, 2, 2), (2, 3), none, (1, 1)),
        ((1, 3, 4, 2), (2, 2, 2, 2), (1, 1), ((1, 1), (1, 1)), (1, 1)),
        ((1, 4, 4, 2), (3, 2, 2, 1), (1, 1), ((2, 0), (0, 1)), (1, 1)),
        ((1, 2, 2, 1), (3, 3, 1, 2), (2, 1), ((1, 2), (2, 3)), (1, 1)),
        ((1, 6, 7, 1), (2, 2, 1, 2), (1, 1), none, (2, 3)),
        ((1, 5, height, 2), (2, 2, 2, 2), (2, 1), ((1, 0), (1, 1)), (3, 2)),
        ((1, 3, 3, 4), (2, 2, 2, 6), (1, 1), none, (1, 1)),
        ((2, 3, 4, 3), (2, 2, 1, 3), (1, 1), none, (1, 1)),
        ((1, 4, 3, 6), (2, 1, 2, 3), (2, 1), ((1, 0), (0, 0)), (1, 1)),
        ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), none, (1, 1)),
        ((0, 4, 4, 2), (2, 2, 2, 3), (1, 1), none, (1, 1)),
        ((2, 3, 3, 0), (2, 2, 0, 3), (1, 1), none, (1, 1)),
        ((2, 3, 3, 2), (2, 2, 2, 0), (1, 1), none, (1, 1)),
    ):
        window = place_window(x, w, strides, padding, dilation)
        y = (window.batch, window.output_height, window.output_width, window.filters)
        traits = _traits(
            {
                "padding": padding != none,
                "dilation": dilation != (1, 1),
                "groups": x[3] != w[2],
                "stride": strides != (1, 1),
                "overlap": x[1] > 3 and strides < w[:2],
                "gaps": strides > w[:2],
                "empty": 0 in x + w,
                "single": max(x) == 1,
                "ragged": x[1] == height,
            }
        )
        layer, where = (x, w, w[3:]), (strides, padding, dilation)
        size = min(2, window.output_height), min(2, window.output_width)
        pools = (size, size, none), (size, (1, 1), ((size[0] - 1, 0), (0, size[1] - 1)))
        possible: dict[str, tuple[tuple[tuple[int, ...], ...], list[tuple[Any, ...]]]] = {
            "conv": ((x, w), [where]),
            "conv_layer": (layer, [(relu, *where) for relu in (False, True)]),
            "conv_max_pool_layer": (layer, [(True, *where, *pool) for pool in pools]),
            "conv_max_pool_layer_gradient": (
                (x, *2 * (place_pool(y, *pools[0]).output_shape,)),
                [(w, *where, *pools[0])],
            ),
            "conv_input_gradient": ((y, w), [(x, *where)]),
            "conv_kernel_gradient": ((x, y), [(w, *where)]),
        }
        shapes, calls = possible[name]
        for settings in calls:
            arrays = tuple(rng.normal(size=shape) for shape in shapes)
            if name == "conv_max_pool_layer_gradient":
                arrays = (*arrays[:2], rng.integers(-1, prod(size), arrays[2].shape).astype(float))
            yield Case(arrays, settings, traits)


def _pool(name: str, rng: np.random.Generator) -> Iterator[Case]:
    none = ((0, 0), (0, 0))
    height, width = rng.integers(5, 8, 2)
    for x, size, strides, padding, values in (
        ((1, 2, 2, 1), (2, 2), (2, 2), none, ""),
        ((2, 4, 6, 2), (2, 3), (2, 3), none, ""),
        ((1, height, width, 3), (2, 2), (2, 2), none, ""),
        ((1, 4, 5, 2), (3, 2), (1, 1), none, ""),
        ((1, 6, 6, 2), (2, 1), (3, 2), none, ""),
        ((1, 5, 5, 2), (2, 2), (2, 2), ((0, 1), (0, 1)), ""),
        ((1, 4, height, 1), (3, 3), (2, 1), ((1, 2), (2, 0)), ""),
        ((1, 4, 4, 2), (2, 2), (2, 2), none, "ties"),
        ((1, 4, 4, 2), (3, 2), (1, 1), ((1, 1), (0, 0)), "ties"),
        ((1, 4, 4, 1), (2, 2), (1, 2), none, "nan"),
        ((1, 1, 1, 1), (1, 1), (1, 1), none, ""),
        ((0, 4, 4, 2), (2, 2), (2, 2), none, ""),
        ((2, 3, 3, 0), (2, 2), (1, 1), none, ""),
    ):
        image = rng.normal(size=x)
        if values == "ties":
            image = rng.integers(0, 2, x).astype(np.float64)
        elif values == "nan":
            image[0, 1, 1:3] = np.nan
        window = place_window(x, (*size, x[3], x[3]), strides, padding, (1, 1))
        y = (window.batch, window.output_height, window.output_width, window.filters)
        traits = _traits(
            {
                "padding": padding != none,
                "overlap": strides < size,
                "gaps": strides > size,
                "empty": 0 in x,
                "single": max(x) == 1,
                "ragged": x[1] == height,
                "ties": values == "ties",
                "nan": values == "nan",
            }
        )
        arrays, extra = {
            "max_pool": ((image,), ()),
            "max_pool_gather": ((rng.normal(size=x), image), ()),
            "max_pool_gradient": ((rng.normal(size=y), image), ()),
            "max_pool_winners": ((image,), ()),
            "max_unpool": ((rng.normal(size=y), _winners(image, size, strides, padding)), (x,)),
            "average_pool": ((image,), ()),
            "average_pool_gradient": ((rng.normal(size=y),), (x,)),
        }[name]
        yield Case(arrays, (*extra, size, strides, padding), traits)


def _winners(image: np.ndarray, *settings: Any) -> np.ndarray:
    return literal.max_pool_winners(image, *settings)[1]
