r"""The loss as a landscape, and the paths that update rules take down it.

A picture has two axes, weights have thousands. So the loss is drawn over a plane,

.. math:: L(w_0 + a d_1 + b d_2)

and the paths are projected onto it, each point to the nearest one of the plane. With two weights
the plane holds everything, and the axes are the weights themselves. With more of them, what is
drawn is true of the plane and only of the plane.

A random direction is scaled filter by filter to the length of the weights: a network with a relu
does not change when one layer is doubled and the next one halved, so lengths mean nothing by
themselves. Random directions, however, see almost nothing of a path, since nearly all directions
are at right angles to it: ``directions="paths"`` takes the two along which the paths move most.

Source: Li, Xu, Taylor, Studer & Goldstein, *Visualizing the loss landscape of neural nets*,
NeurIPS 2018, arXiv:1712.09913, sections 4 and 7.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tinydl import random
from tinydl.engine import Tensor, grad, no_grad, quiet, tensor
from tinydl.errors import ArgumentError, ShapeError
from tinydl.models import Model
from tinydl.optimizers import SGD, Adam, Optimizer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.figure import Figure

WHOLE = "gradient descent"  # the path of this name sees all samples in each step
LINES = ("-", "--", "-.", ":")
MARKS = "osD^v"
DIVERGED = 10.0  # a path ends where its loss is so many times that of the start


@dataclass(frozen=True)
class Descent:
    """The path of one optimizer: its points in the plane, and the loss at the true weights."""

    points: np.ndarray
    losses: np.ndarray


@dataclass(frozen=True)
class Landscape:
    """Losses over a plane, and paths in it.

    Attributes
    ----------
    a, b : ndarray, shape (P,)
        The coordinates along the two directions.
    loss : ndarray, shape (P, P)
        ``loss[i, j]`` is the loss at ``a[j], b[i]``.
    paths : dict of str to Descent
    exact : bool
        Whether there are two weights only, so that the axes are the weights.
    """

    a: np.ndarray
    b: np.ndarray
    loss: np.ndarray
    paths: dict[str, Descent]
    exact: bool

    def save(self, path: str | Path) -> None:
        """Draw it into a file; the suffix (png, svg, pdf) tells the format; needs Matplotlib."""
        self._figure().savefig(path, dpi=120)

    def to_html(self, path: str | Path, title: str = "The loss around the weights") -> None:
        """Write a page for the browser, on which one walks the paths; it needs no network.

        It is part of the page of a story, too: ``story.landscape = explain.landscape(...)``.
        """
        from tinydl.explain.html import write_html
        from tinydl.explain.story import Story

        story = Story(title)
        story.landscape = self
        write_html(story, path)

    def svg(self) -> str:
        """The picture as an ``<svg>`` element for a page; needs Matplotlib."""
        file = io.StringIO()
        self._figure().savefig(file, format="svg", metadata={"Date": None})
        text = file.getvalue()
        return text[text.index("<svg") :]

    def _repr_html_(self) -> str:
        return self.svg()

    def _figure(self) -> Figure:
        # A figure of its own, not pyplot's, needs no screen and leaves no state behind.
        from matplotlib.colors import BoundaryNorm
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 5.6), layout="constrained")
        axes = figure.subplots()
        height = np.ma.masked_invalid(self.loss)
        # As many points between each level and the next: narrow valleys show as well as cliffs.
        seen = height.compressed()
        levels = np.unique(np.quantile(seen, np.linspace(0, 1, 25))) if seen.size else seen
        if len(levels) > 1:
            tone = BoundaryNorm(levels, 256)
            filled = axes.contourf(
                self.a, self.b, height, levels, cmap="Greys_r", norm=tone, alpha=0.5
            )
            axes.contour(self.a, self.b, height, levels, colors="0.4", linewidths=0.4)
            figure.colorbar(filled, label="loss", format="%.3g")
        for number, (name, path) in enumerate(self.paths.items()):
            label = name.replace("$", r"\$")  # a name is no formula
            axes.plot(
                *path.points.T,
                LINES[number % len(LINES)],
                marker=MARKS[number % len(MARKS)],
                markersize=3,
                color=f"C{number}",
                label=f"{label}: {path.losses[-1]:.3g} after {len(path.losses) - 1} steps",
            )
        names = (r"$w_1$", r"$w_2$") if self.exact else ("along $d_1$", "along $d_2$")
        axes.set(xlabel=names[0], ylabel=names[1], xlim=self.a[[0, -1]], ylim=self.b[[0, -1]])
        if self.paths:
            axes.plot(*next(iter(self.paths.values())).points[0], "k*", markersize=10)
            figure.legend(fontsize="small", loc="outside lower center", ncols=2)
        return figure


def landscape(
    problem: Any,
    *data: Any,
    start: Any = None,
    directions: Any = "random",
    optimizers: Mapping[str, Optimizer] | None = None,
    learning_rate: float = 0.1,
    steps: int = 30,
    batch_size: int = 32,
    points: int = 41,
    reach: float | None = None,
    seed: random.Seed = 0,
) -> Landscape:
    """Compute the loss around the weights, and the paths of some optimizers from there.

    Parameters
    ----------
    problem : Model or callable
        A compiled model; or a function of one tensor of weights (and a batch of each of `data`)
        that returns the loss.
    *data : array_like
        For a model, x and y. Samples are counted by the first axis.
    start : array_like
        For a function, where to begin. A model begins with the weights it has, and keeps them.
    directions : {"random", "paths"} or pair of lists of ndarray
        Scaled filter by filter; those of the largest movement; or one's own: an array for each
        weight. With two weights there is no choice: the axes are the weights.
    optimizers : dict of str to Optimizer, optional
        Whose paths to draw. By default gradient descent, SGD, momentum and Adam; without data the
        second would be the first. The one named "gradient descent" sees all samples in each step,
        the others a batch.
    learning_rate : float
        Of the default optimizers.
    steps, batch_size : int
        How long the paths are, and how many samples a step sees.
    points : int
        How many losses to compute along each axis.
    reach : float, optional
        How far to look on each side of the start; by default as far as the paths go, and in random
        directions, or one's own, at least 1: as far as the weights are long.
    seed : int, numpy.random.Generator or None
        For the directions and the batches.

    Returns
    -------
    Landscape

    Raises
    ------
    ArgumentError
        For a function without `start`, a model that is not compiled, unknown directions.
    ShapeError
        When directions do not have the shapes of the weights.

    Examples
    --------
    >>> valley = landscape(lambda w: w[0] ** 2 + 5.0 * w[1] ** 2, start=[2.0, 1.0],
    ...                    learning_rate=0.05, steps=20)
    >>> sorted(valley.paths)
    ['Adam', 'gradient descent', 'momentum']
    >>> valley.paths["gradient descent"].points[:2].round(2)
    array([[2. , 1. ],
           [1.8, 0.5]])
    """
    rng = random.generator(seed)
    loss, weights = _read(problem, data, start)
    count = len(np.asarray(data[0])) if data else 0
    if optimizers is None:
        optimizers = _usual(learning_rate, with_batches=count > 0)
    with _kept(weights):
        first = _flat(weights)
        walks = {}
        for name, optimizer in optimizers.items():
            size = batch_size if count and name != WHOLE else 0
            order = [rng.permutation(count)[:size] if size else None for _ in range(steps)]
            walks[name] = _walk(loss, weights, optimizer, order)
            _put(weights, first)
        exact = first.size == 2
        origin = np.zeros(2) if exact else first
        plane = np.eye(2) if exact else _plane(directions, weights, walks, first, rng)
        paths = {
            name: Descent(_project(walk - origin, plane), losses)
            for name, (walk, losses) in walks.items()
        }
        least = 0.0 if exact or (isinstance(directions, str) and directions == "paths") else 1.0
        seen = np.concatenate(
            [_project(first[None] - origin, plane), *(p.points for p in paths.values())]
        )
        a, b = _axes(seen, points, reach, least)
        heights = np.array(
            [[_loss_at(loss, weights, origin + plane @ [p, q]) for p in a] for q in b]
        )
    return Landscape(a, b, heights, paths, exact)


Loss = Callable[[np.ndarray | None], Tensor]


def _read(problem: Any, data: Sequence[Any], start: Any) -> tuple[Loss, list[Tensor]]:
    """The loss as a function of which samples to look at (None: all), and its weights."""
    arrays = [np.asarray(d) for d in data]

    def batch(which: np.ndarray | None) -> list[np.ndarray]:
        return arrays if which is None else [array[which] for array in arrays]

    if isinstance(problem, Model):
        if problem.loss is None or len(arrays) != 2:
            raise ArgumentError(
                "landscape", "problem", expected="a compiled model, and x and y for it"
            )
        problem(arrays[0][:1])  # makes the weights, if they are not there yet

        def loss_of_model(which: np.ndarray | None) -> Tensor:
            x, y = batch(which)
            loss: Tensor = problem.loss(y, problem(x))
            for penalty in problem.losses:
                loss = loss + penalty
            return loss

        return loss_of_model, [w for w in problem.trainable_weights if w.requires_grad]
    if start is None:
        raise ArgumentError("landscape", "start", expected="the weights to begin with")
    w = tensor(np.asarray(start, np.float64), requires_grad=True)
    return lambda which: problem(w, *batch(which)), [w]


def _usual(learning_rate: float, with_batches: bool) -> dict[str, Optimizer]:
    stochastic: dict[str, Optimizer] = {"SGD": SGD(learning_rate)} if with_batches else {}
    return {
        WHOLE: SGD(learning_rate),
        **stochastic,
        "momentum": SGD(learning_rate, momentum=0.9),
        "Adam": Adam(learning_rate),
    }


@contextmanager
def _kept(weights: Sequence[Tensor]) -> Iterator[None]:
    """Give the weights their values back in the end."""
    before = [w.data for w in weights]
    try:
        with quiet():
            yield
    finally:
        for w, array in zip(weights, before, strict=True):
            w.assign(array)


def _flat(weights: Sequence[Tensor]) -> np.ndarray:
    return np.concatenate([w.data.ravel() for w in weights]).astype(np.float64)


def _put(weights: Sequence[Tensor], flat: np.ndarray) -> None:
    at = 0
    for w in weights:
        w.assign(flat[at : at + w.size].reshape(w.shape).astype(w.dtype))
        at += w.size


def _loss_at(loss: Loss, weights: Sequence[Tensor], flat: np.ndarray) -> float:
    _put(weights, flat)
    with no_grad():
        return loss(None).item()


def _walk(
    loss: Loss, weights: Sequence[Tensor], optimizer: Optimizer, order: Sequence[np.ndarray | None]
) -> tuple[np.ndarray, np.ndarray]:
    """The weights before the first step and after each, and the loss over all samples there."""
    points = [_flat(weights)]
    losses = [_loss_at(loss, weights, points[0])]
    for which in order:
        optimizer.apply(grad(loss(which), weights, allow_unused=True), weights)
        value = _loss_at(loss, weights, _flat(weights))
        if not math.isfinite(value) or value > DIVERGED * max(abs(losses[0]), 1e-12):
            break
        points.append(_flat(weights))
        losses.append(value)
    return np.array(points), np.array(losses)


def _plane(
    directions: Any,
    weights: Sequence[Tensor],
    walks: Mapping[str, tuple[np.ndarray, np.ndarray]],
    first: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """The two directions as columns."""
    if isinstance(directions, str) and directions == "random":
        return np.stack([_random_direction(weights, rng) for _ in range(2)], axis=1)
    if isinstance(directions, str) and directions == "paths":
        moves = np.concatenate([walk - first for walk, _ in walks.values()])
        return np.linalg.svd(moves, full_matrices=False)[2][:2].T
    if isinstance(directions, str) or len(directions) != 2:
        raise ArgumentError(
            "landscape", "directions", got=repr(directions), expected="'random', 'paths' or a pair"
        )
    for arrays in directions:
        got, expected = [np.shape(d) for d in arrays], [w.shape for w in weights]
        if got != expected:
            raise ShapeError("landscape", "a direction", got=got, expected=expected)
    return np.stack([np.concatenate([np.ravel(d) for d in one]) for one in directions], axis=1)


def _random_direction(weights: Sequence[Tensor], rng: np.random.Generator) -> np.ndarray:
    """Normal numbers, each filter as long as that of the weights; biases stay as they are."""
    parts = []
    for w in weights:
        d = rng.normal(size=w.shape)
        if w.ndim < 2 and len(weights) > 1:
            d = np.zeros(w.shape)
        across = tuple(range(w.ndim - 1)) if w.ndim > 1 else None
        lengths = np.sqrt(np.sum(d**2, axis=across, keepdims=True))
        wanted = np.sqrt(np.sum(w.data.astype(np.float64) ** 2, axis=across, keepdims=True))
        parts.append(np.ravel(d * np.divide(wanted, lengths, where=lengths > 0, out=lengths * 0)))
    return np.concatenate(parts)


def _project(moves: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """The coordinates of the nearest points of the plane."""
    return np.linalg.lstsq(plane, moves.T, rcond=None)[0].T


def _axes(
    seen: np.ndarray, points: int, reach: float | None, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates to look at: `reach` around the start, or all that was seen and a margin."""
    start = seen[0]
    if reach is not None:
        low, high = start - reach, start + reach
    else:
        low, high = seen.min(axis=0), seen.max(axis=0)
        margin = 0.15 * (np.max(high - low) or 1.0)
        low, high = (
            np.minimum(low - margin, start - least),
            np.maximum(high + margin, start + least),
        )
    return np.linspace(low[0], high[0], points), np.linspace(low[1], high[1], points)
