"""A function together with its gradient, wherever the gradient comes from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from tinydl.engine import Tensor, enable_grad, grad, no_grad, tensor
from tinydl.errors import ArgumentError, GradientError
from tinydl.testing.differences import Derivative, derivative

Arrays = Sequence[np.ndarray]
PullBack = Callable[[np.ndarray], list[np.ndarray]]


class Pair(Protocol):
    """What can be checked: values, flattened to one vector, and the gradient that goes down."""

    def values(self, arrays: Arrays) -> np.ndarray:
        """All results of the function, one after the other in one float64 vector."""

    def pull_back(self, arrays: Arrays, wanted: Sequence[int]) -> PullBack:
        """A function from such a vector of gradients of the results to those of `wanted` inputs."""


class Recorded:
    """A function on tensors; the engine knows its gradient."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f

    def values(self, arrays: Arrays) -> np.ndarray:
        """All results of the function, one after the other in one float64 vector."""
        with no_grad():
            return _flat([y.data for y in _as_list(self.f(*[Tensor(a.view()) for a in arrays]))])

    def pull_back(self, arrays: Arrays, wanted: Sequence[int]) -> PullBack:
        """Record the function once, and walk back for each gradient that arrives."""
        xs = [Tensor(a.copy(), requires_grad=i in wanted) for i, a in enumerate(arrays)]
        leaves = [xs[i] for i in wanted]
        ys = _as_list(self.f(*xs))

        def walk_back(y_bar: np.ndarray) -> list[np.ndarray]:
            dependent, y_bars = [], []
            for y, piece in zip(ys, _pieces(y_bar, [y.shape for y in ys]), strict=True):
                if y.requires_grad:
                    dependent.append(y)
                    y_bars.append(piece.astype(y.dtype))
            found: list[Tensor | None] = [None] * len(leaves)
            if dependent:
                found = grad(dependent, leaves, y_bars, allow_unused=True)
            return [
                np.zeros(x.shape) if x_bar is None else x_bar.data
                for x, x_bar in zip(leaves, found, strict=True)
            ]

        return walk_back


class HandWritten:
    """A function on arrays, and the gradient that somebody wrote for it."""

    def __init__(self, f: Callable[..., Any], gradient: Callable[..., Any]) -> None:
        self.f, self.gradient = f, gradient

    def values(self, arrays: Arrays) -> np.ndarray:
        """All results of the function, one after the other in one float64 vector."""
        return _flat(_as_list(self.f(*[a.copy() for a in arrays])))

    def pull_back(self, arrays: Arrays, wanted: Sequence[int]) -> PullBack:
        """Call the gradient function, which gets copies: it may spoil them."""
        shapes = [np.shape(y) for y in _as_list(self.f(*[a.copy() for a in arrays]))]
        takes_y_bar = _count_arguments(self.gradient) != len(arrays)
        if not takes_y_bar and shapes != [()]:
            raise ArgumentError(
                "gradcheck",
                "gradient",
                got=f"a function of {len(arrays)} arguments",
                expected="one that takes y_bar, the gradient that arrives from above, before them",
                hint=f"f returns an array of shape {shapes[0]}, not a single number",
            )

        def call(y_bar: np.ndarray) -> list[np.ndarray]:
            copies = [a.copy() for a in arrays]
            if takes_y_bar:
                pieces = _pieces(y_bar, shapes)
                found = self.gradient(pieces[0] if len(pieces) == 1 else pieces, *copies)
                scale: Any = 1.0
            else:
                found, scale = self.gradient(*copies), y_bar[0]
            gradients = list(found) if isinstance(found, (tuple, list)) else [found]
            if len(gradients) not in (len(arrays), len(wanted)):
                raise GradientError(
                    "gradcheck",
                    "the gradient function returned",
                    got=f"{len(gradients)} arrays",
                    expected=f"{len(arrays)}, one for each input",
                )
            if len(gradients) == len(arrays):
                gradients = [gradients[i] for i in wanted]
            return [np.asarray(g, np.float64) * scale for g in gradients]

        return call


def gradient_of(f: Callable[..., Any], i: int) -> Callable[..., Tensor]:
    """The gradient of f with respect to input i, as a function of all inputs and the cotangents.

    Examples
    --------
    >>> double = gradient_of(lambda x: x * x, 0)
    >>> double(tensor([1.0, 3.0]), tensor([1.0, 1.0])).numpy()
    array([2., 6.], dtype=float32)
    """

    def gradient(*inputs: Tensor) -> Tensor:
        *xs, y_bar = inputs
        if not xs[i].requires_grad:
            xs[i] = tensor(xs[i], requires_grad=True)
        with enable_grad():
            ys = _as_list(f(*xs))
            dependent = [
                (y, piece)
                for y, piece in zip(ys, _shares(y_bar, ys), strict=True)
                if y.requires_grad
            ]
            if dependent:
                outputs, y_bars = zip(*dependent, strict=True)
                settings = {"create_graph": True, "allow_unused": True}
                x_bar = grad(outputs, xs[i], y_bars, **settings)
                if x_bar is not None:
                    return x_bar
            return xs[i] * 0.0

    return gradient


def _shares(y_bar: Tensor, ys: Sequence[Tensor]) -> list[Tensor]:
    """What of the vector of cotangents arrives at each result, in tensor operations."""
    if len(ys) == 1:
        return [y_bar.reshape(ys[0].shape)]
    ends = np.cumsum([y.size for y in ys])
    return [y_bar[end - y.size : end].reshape(y.shape) for y, end in zip(ys, ends, strict=True)]


def slope_along(pair: Pair, arrays: Arrays, i: int, direction: np.ndarray) -> Derivative:
    """The derivative of all results when input i moves along a direction."""
    moved = list(arrays)

    def curve(t: float) -> np.ndarray:
        moved[i] = arrays[i] + t * direction
        return pair.values(moved)

    return derivative(curve)


def _as_list(y: Any) -> list[Any]:
    return list(y) if isinstance(y, (tuple, list)) else [y]


def _flat(arrays: Sequence[Any]) -> np.ndarray:
    if len(arrays) == 1:
        return np.array(arrays[0], np.float64).reshape(-1)
    return np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in arrays])


def _pieces(vector: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Cut a vector into arrays of these shapes."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [
        part.reshape(shape).copy()
        for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)
    ]


def _count_arguments(function: Callable[..., Any]) -> int:
    """How many positional arguments a function asks for; -1 if any number, or nobody knows."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return -1
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return -1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)
