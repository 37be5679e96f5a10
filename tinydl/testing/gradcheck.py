r"""Hold gradients against finite differences.

For :math:`y = f(x)` and a random cotangent g, let :math:`s(x) = \sum_j g_j y_j`. The engine's
gradient of s must agree, element by element, with the central difference

.. math:: D(h) = \frac{s(x + h e_i) - s(x - h e_i)}{2 h} = \frac{\partial s}{\partial x_i} + O(h^2)

taken at two steps: Richardson's combination :math:`(4 D(h/2) - D(h)) / 3` cancels the :math:`h^2`
term, and how far it moved, together with the rounding of s, says how far to trust it.

The cotangent is random because a constant one is blind: a softmax adds up to 1 whatever its input,
so with ``g = 1`` a gradient of zeros would pass.

Source: Press et al., *Numerical Recipes*, 3rd ed., Cambridge 2007, section 5.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinydl.engine import Tensor, enable_grad, grad, no_grad, tensor
from tinydl.errors import DTypeError, GradientError

STEP = 2.0**-9  # near the fifth root of float64's precision, and exact in binary


class GradientMismatch(GradientError, AssertionError):
    """A gradient that disagrees with the finite difference by more than the error bound."""


def gradcheck(
    f: Callable[..., Tensor],
    inputs: Sequence[Any],
    order: int = 1,
    rng: np.random.Generator | None = None,
) -> None:
    """Check the gradient of `f` with respect to every floating input, at every element.

    Parameters
    ----------
    f : callable
        Takes as many tensors as there are inputs, returns one tensor.
    inputs : sequence of array_like
        Where to check; floating inputs must be float64. Stay further than 1/512 away from kinks.
    order : int
        1 checks the gradient; 2 also checks the gradient of the gradient, and so on.
    rng : numpy.random.Generator, optional
        Where the random cotangents come from; the same ones each time by default.

    Raises
    ------
    GradientMismatch
        With the input, the element, and both numbers.
    DTypeError
        When an input is float32: its differences are too rough to judge a gradient by.

    Examples
    --------
    >>> gradcheck(lambda x: x * x, [np.array([1.0, 2.0])], order=3)

    A gradient that lost a factor of two is caught:

    >>> gradcheck(lambda x: x * x.detach(), [np.array([3.0])])
    Traceback (most recent call last):
        ...
    tinydl.testing.gradcheck.GradientMismatch: gradcheck: the gradient of input 0 at (0,) is ...
    """
    rng = np.random.default_rng(0) if rng is None else rng
    arrays = [np.array(x) for x in inputs]
    floating = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    _refuse_rough(arrays, floating)
    g = rng.normal(size=_value(f, arrays).shape)
    for i, x_bar in _gradients(f, arrays, floating, g):
        _compare(f, arrays, i, g, x_bar)
        if order > 1:
            gradcheck(_gradient_function(f, i), [*arrays, g], order - 1, rng)


def _refuse_rough(arrays: Sequence[np.ndarray], floating: Sequence[int]) -> None:
    for i in floating:
        if arrays[i].dtype != np.float64:
            raise DTypeError(
                "gradcheck",
                f"inputs[{i}]",
                got=arrays[i].dtype,
                expected="float64",
                hint="finite differences need the precision: use x.astype('float64')",
            )


def _value(f: Callable[..., Tensor], arrays: Sequence[np.ndarray]) -> np.ndarray:
    with no_grad():
        return f(*[tensor(a) for a in arrays]).data


def _gradients(
    f: Callable[..., Tensor], arrays: Sequence[np.ndarray], floating: Sequence[int], g: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """The engine's gradient for each floating input; zeros where the result ignores it."""
    xs = [tensor(a, requires_grad=i in floating) for i, a in enumerate(arrays)]
    y = f(*xs)
    wanted = [xs[i] for i in floating]
    found = grad(y, wanted, g, allow_unused=True) if y.requires_grad else [None] * len(wanted)
    for i, x_bar in zip(floating, found, strict=True):
        yield i, np.zeros(arrays[i].shape) if x_bar is None else x_bar.data


def _gradient_function(f: Callable[..., Tensor], i: int) -> Callable[..., Tensor]:
    """The gradient with respect to input i, as a function of all inputs and the cotangent."""

    def gradient(*inputs: Tensor) -> Tensor:
        *xs, g = inputs
        if not xs[i].requires_grad:
            xs[i] = tensor(xs[i], requires_grad=True)
        with enable_grad():
            y = f(*xs)
            x_bar = None
            if y.requires_grad:
                x_bar = grad(y, xs[i], g, create_graph=True, allow_unused=True)
            return xs[i] * 0.0 if x_bar is None else x_bar

    return gradient


def _compare(
    f: Callable[..., Tensor], arrays: Sequence[np.ndarray], i: int, g: np.ndarray, x_bar: np.ndarray
) -> None:
    """Raise when `x_bar` is further from the finite differences than their error bound."""
    for element in np.ndindex(arrays[i].shape):
        coarse, fine = (_difference(f, arrays, i, element, g, h) for h in (STEP, STEP / 2))
        numeric = (4 * fine - coarse) / 3
        size = 1 + abs(numeric) + np.sum(np.abs(g * _value(f, arrays)))
        bound = abs(fine - coarse) + 16 * np.finfo(np.float64).eps * size / STEP
        if not bound < 1e-2 * size:
            raise GradientError(
                "gradcheck",
                f"inconclusive: at {element} of input {i} the finite difference is uncertain by "
                f"{bound:.2g}",
                hint="choose inputs further away from kinks, jumps and infinities",
            )
        if not abs(x_bar[element] - numeric) <= bound:
            raise GradientMismatch(
                "gradcheck",
                f"the gradient of input {i} at {element}",
                got=x_bar[element],
                expected=f"{numeric} within {bound:.1e}, the finite difference",
            )


def _difference(
    f: Callable[..., Tensor],
    arrays: Sequence[np.ndarray],
    i: int,
    element: tuple[int, ...],
    g: np.ndarray,
    h: float,
) -> float:
    """The central difference of the weighted sum, in one element of input i."""

    def weighted_sum(step: float) -> float:
        moved = list(arrays)
        moved[i] = arrays[i].copy()
        moved[i][element] += step
        return float(np.sum(_value(f, moved) * g))

    return (weighted_sum(h) - weighted_sum(-h)) / (2 * h)
