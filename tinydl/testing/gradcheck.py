r"""Hold gradients against finite differences.

For :math:`y = f(x)` and a cotangent g, the gradient rule's :math:`\bar x` must satisfy, along every
direction v in which x can move,

.. math:: \sum_i \bar x_i v_i = \sum_j g_j \frac{d}{dt} y_j(x + t v) \Big|_{t = 0}

The right side comes from `tinydl.testing.differences`, with a bound on its error; the two sides
must agree within that bound, which is usually about :math:`10^{-10}`.

- The cotangent is random, because a constant one is blind: a softmax adds up to 1 whatever its
  input, so with ``g = 1`` a gradient of zeros would pass. No element of it is near zero. If there
  are few results, each is also checked by itself: that is the full Jacobian.
- Small inputs are moved one element at a time. Large ones are moved as a whole, each element by +t
  or -t at random: one wrong element always shows, as it is never multiplied by zero. Several wrong
  ones could cancel in one direction with a probability of at most 1/2 (as changing the sign of a
  single one would then break the balance), in k directions of at most :math:`2^{-k}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinydl.engine import Op
from tinydl.errors import ArgumentError, DTypeError, GradientError
from tinydl.testing.differences import Derivative
from tinydl.testing.mismatch import Mismatch, explain
from tinydl.testing.pairs import Arrays, HandWritten, Pair, Recorded, gradient_of, slope_along

FEW_ELEMENTS = 24  # inputs up to here are moved one element at a time
FEW_DERIVATIVES = 256  # Jacobians up to here are checked in full
TINY = np.finfo(np.float64).tiny
RESOLUTION = 1e-6  # no verdict on a gradient by a difference that is less certain than this


class GradientMismatch(GradientError, AssertionError):
    """A gradient that disagrees with the finite difference by more than the error bound."""


class Inconclusive(GradientError):
    """Finite differences are too uncertain here to judge the gradient by."""


class Verdict(NamedTuple):
    """What `gradcheck` found.

    Attributes
    ----------
    outcome : {"pass", "fail", "inconclusive"}
    reason : str
        Why not "pass": the counter-example, or what makes the differences uncertain.
    worst : float
        The largest error, in units of its bound.
    derivatives : int
        How many derivatives were compared.
    missed : float
        At most how likely it is that wrong elements went unseen because they cancelled. A single
        wrong element is always seen.
    """

    outcome: str
    reason: str = ""
    worst: float = 0.0
    derivatives: int = 0
    missed: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the outcome is "pass"."""
        return self.outcome == "pass"

    def __str__(self) -> str:
        if not self.passed:
            return f"{self.outcome}: {self.reason}"
        missed = f", several wrong elements cancel with probability {self.missed:.1g}"
        return (
            f"pass: {self.derivatives} derivatives, worst error {self.worst:.2f} of its bound"
            f"{missed if self.missed else ''}"
        )


def gradcheck(
    f: Callable[..., Any],
    inputs: Sequence[Any],
    order: int = 1,
    rng: np.random.Generator | None = None,
    *,
    gradient: Callable[..., Any] | None = None,
    kinks: bool = False,
    directions: int = 16,
    raises: bool = True,
) -> Verdict:
    """Check the gradient of `f` with respect to every floating input.

    Parameters
    ----------
    f : callable or Op
        Takes as many tensors as there are inputs, returns one tensor or several. With `gradient`
        given, it takes and returns plain arrays or numbers, and need not know of tinydl.
    inputs : sequence of array_like
        Where to check; floating inputs must be float64. Others are passed on as they are.
    order : int
        1 checks the gradient; 2 also checks the gradient of the gradient, and so on.
    rng : numpy.random.Generator, optional
        Where cotangents and directions come from; the same ones each time by default.
    gradient : callable, optional
        The hand-written gradient to be checked: ``gradient(y_bar, *inputs)`` takes the gradient
        that arrives from above and returns one for each input (or for each floating input). If f
        returns a single number, it may be a function of the inputs alone.
    kinks : bool
        Where f has a kink, accept every gradient between the derivatives from the left and from
        the right. Otherwise a kink makes the verdict inconclusive.
    directions : int
        How many random directions to move an input of more than 24 elements along.
    raises : bool
        Raise unless the gradient passes; otherwise only return the verdict.

    Returns
    -------
    Verdict

    Raises
    ------
    GradientMismatch
        With the smallest counter-example found, and a likely cause.
    Inconclusive
        When the differences are too uncertain: at kinks, jumps, infinities.
    DTypeError
        When an input is float32: its differences are too rough to judge a gradient by.

    Examples
    --------
    >>> verdict = gradcheck(lambda x: x * x, [np.array([1.0, 2.0])], order=3)
    >>> verdict.outcome
    'pass'

    Your own gradient of your own function, here with a lost factor:

    >>> square, wrong = lambda x: np.sum(x * x), lambda x: x
    >>> gradcheck(square, [np.array([3.0])], gradient=wrong)
    Traceback (most recent call last):
        ...
    tinydl.testing.gradcheck.GradientMismatch: gradcheck: the gradient of input 0 at (0,) is ...
      likely cause: a factor 2 is missing
      ...
    """
    rng = np.random.default_rng(0) if rng is None else rng
    arrays = [np.array(x) for x in inputs]
    _refuse(f, arrays, order, gradient)
    pair: Pair = Recorded(f) if gradient is None else HandWritten(f, gradient)
    names = [_name_of(f, i) for i in range(len(arrays))]
    check = _Check(f, names, kinks, directions, rng)
    with np.errstate(all="ignore"):  # beside a kink or an edge f may well be infinite
        verdict = check.to_order(pair, arrays, order)
        if check.counterexamples:
            check.look_for_simpler(pair, arrays, order)
            verdict = verdict._replace(reason=explain(*check.counterexamples[-1]))
    if raises and not verdict.passed:
        kind = GradientMismatch if verdict.outcome == "fail" else Inconclusive
        raise kind("gradcheck", verdict.reason if kind is GradientMismatch else str(verdict))
    return verdict


def _refuse(f: Any, arrays: Arrays, order: int, gradient: Any) -> None:
    for i, a in enumerate(arrays):
        if a.dtype.kind == "f" and a.dtype != np.float64:
            raise DTypeError(
                "gradcheck",
                f"inputs[{i}]",
                got=a.dtype,
                expected="float64",
                hint="finite differences need the precision: use x.astype('float64')",
            )
    if order < 1 or (gradient is not None and order > 1):
        raise ArgumentError(
            "gradcheck",
            "order",
            got=order,
            expected="1" if gradient is not None else "at least 1",
            hint="a hand-written gradient has no gradient of its own" if order > 1 else "",
        )


def _name_of(f: Any, i: int) -> str:
    return f.input_name(i) if isinstance(f, Op) else f"input {i}"


class _Check:
    """One call of `gradcheck`: its settings, and the steps it takes."""

    def __init__(
        self,
        f: Any,
        names: list[str],
        kinks: bool,
        directions: int,
        rng: np.random.Generator,
    ) -> None:
        self.f, self.names, self.kinks, self.directions, self.rng = f, names, kinks, directions, rng
        self.counterexamples: list[tuple[Mismatch, np.ndarray]] = []

    def to_order(self, pair: Pair, arrays: Arrays, order: int, of: str = "") -> Verdict:
        """Check the gradients, then the gradients of the gradients, until one does not pass."""
        verdict = self.first_order(pair, arrays, of)
        if order == 1 or not verdict.passed:
            return verdict
        assert isinstance(pair, Recorded)
        y_bar = self.cotangent(pair.values(arrays).size)
        former = self.names
        for i in _floating(arrays):
            self.names = [*former, "y_bar"]
            above = Recorded(gradient_of(pair.f, i))
            within = f"{of}the gradient of {former[i]}: "
            found = self.to_order(above, [*arrays, y_bar], order - 1, within)
            self.names = former
            if not found.passed:
                return found
            verdict = _both(verdict, found)
        return verdict

    def first_order(self, pair: Pair, arrays: Arrays, of: str) -> Verdict:
        """Check the gradient of each floating input, along several directions."""
        wanted = _floating(arrays)
        y = pair.values(arrays)
        if not np.array_equal(y, pair.values(arrays), equal_nan=True):
            return Verdict("inconclusive", "the function's result is random: fix its seed")
        cotangents = self.cotangents(y.size, sum(arrays[i].size for i in wanted))
        try:
            pull_back = pair.pull_back(arrays, wanted)
            gradients = [pull_back(g) for g in cotangents]
        except GradientError as error:
            return Verdict("fail", f"{of}{error}")
        verdict = Verdict("pass")
        for position, i in enumerate(wanted):
            x_bars = [found[position] for found in gradients]
            mismatch = Mismatch(self.f, pair, arrays, i, self.names, cotangents[0], x_bars[0], of)
            if x_bars[0].shape != arrays[i].shape:
                self.counterexamples.append((mismatch, np.ones(arrays[i].shape)))
                return Verdict("fail")
            matrix = np.array(x_bars).reshape(len(cotangents), -1)
            for direction in self.moves(arrays[i]):
                slope = slope_along(pair, arrays, i, direction)
                found = self.compare(matrix @ direction.ravel(), cotangents, slope)
                if found.outcome == "fail":
                    self.counterexamples.append((mismatch, direction))
                    return found
                if found.outcome == "inconclusive":
                    place = _place(direction)
                    return found._replace(reason=f"{of}{self.names[i]}{place}: {found.reason}")
                verdict = _both(verdict, found)
            if not self.one_by_one(arrays[i]):
                verdict = verdict._replace(missed=max(verdict.missed, 0.5**self.directions))
        return verdict

    def compare(self, analytic: np.ndarray, cotangents: np.ndarray, slope: Derivative) -> Verdict:
        """One derivative for each cotangent: is the analytic one within the bound?"""
        weights = np.abs(cotangents)
        if np.any(slope.has_kink) and not self.kinks:
            j = int(np.argmax(slope.has_kink))
            return Verdict(
                "inconclusive",
                f"the function has a kink here: the derivative is {slope.left[j]:.6g} from the left"
                f" and {slope.right[j]:.6g} from the right",
            )
        one = cotangents * np.where(slope.has_kink, slope.left, slope.value)
        other = cotangents * np.where(slope.has_kink, slope.right, slope.value)
        lowest = np.minimum(one, other).sum(axis=1)
        highest = np.maximum(one, other).sum(axis=1)
        bound = weights @ np.where(slope.has_kink, slope.sides_bound, slope.bound)
        scale = 1 + weights @ np.abs(slope.value)
        # "Not within" instead of "beyond": a nan is never within.
        within = (lowest - analytic <= bound) & (analytic - highest <= bound)
        if np.any(~within & (bound <= 1e-2 * scale)):
            return Verdict("fail")
        if not np.all(bound <= RESOLUTION * scale):
            return Verdict(
                "inconclusive",
                f"the finite difference is uncertain by {bound.max():.2g}: choose inputs further "
                "away from kinks, jumps and infinities",
            )
        error = np.maximum(np.maximum(lowest - analytic, analytic - highest), 0)
        worst = np.max(error / np.maximum(bound, TINY))  # a function without results has bound 0
        return Verdict("pass", "", float(worst), len(cotangents))

    def look_for_simpler(self, pair: Pair, arrays: Arrays, order: int) -> None:
        """Look for a counter-example with rounder numbers: they are easier to follow by hand."""
        for decimals in (1, 0):
            self.to_order(pair, [_rounded(a, decimals) for a in arrays], order)

    def cotangent(self, n: int) -> np.ndarray:
        """Random numbers of either sign, none near zero."""
        return self.rng.uniform(0.5, 1.5, n) * self.rng.choice([-1.0, 1.0], n)

    def cotangents(self, results: int, elements: int) -> np.ndarray:
        """A random one, and one for each result if there are few."""
        random = self.cotangent(results)[None]
        if results * elements <= FEW_DERIVATIVES:
            return np.concatenate([random, np.eye(results)])
        return random

    def one_by_one(self, x: np.ndarray) -> bool:
        """Whether to move one element at a time; a kink of one could hide that of another."""
        return x.size <= FEW_ELEMENTS or self.kinks

    def moves(self, x: np.ndarray) -> Iterator[np.ndarray]:
        """The directions to move x along."""
        if self.one_by_one(x):
            for element in range(x.size):
                direction = np.zeros(x.size)
                direction[element] = 1.0
                yield direction.reshape(x.shape)
        else:
            for _ in range(self.directions):
                yield self.rng.choice([-1.0, 1.0], x.shape)


def _rounded(a: np.ndarray, decimals: int) -> np.ndarray:
    """Rounder numbers, but no zeros that were none: many functions have their kink there."""
    if a.dtype.kind != "f":
        return a
    rounder = np.round(a, decimals)
    return np.where(rounder == 0, a, rounder)


def _floating(arrays: Arrays) -> list[int]:
    return [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]


def _place(direction: np.ndarray) -> str:
    """Where, in words, if only one element moved."""
    moved = np.argwhere(direction)
    return f" at {tuple(moved[0].tolist())}" if len(moved) == 1 else ""


def _both(one: Verdict, other: Verdict) -> Verdict:
    return Verdict(
        "pass",
        "",
        max(one.worst, other.worst),
        one.derivatives + other.derivatives,
        max(one.missed, other.missed),
    )
