"""What a mutant is: a piece of code with a mistake, and the check that must notice."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tinydl.engine import Op
from tinydl.testing.gradcheck import gradcheck
from tinydl.testing.kernel_check import check_kernel
from tinydl.testing.properties import PROPERTIES, Subject

Function = Callable[..., Any]


class Mutant(NamedTuple):
    """A realistic mistake.

    Attributes
    ----------
    name : str
    explanation : str
        One sentence: what went wrong, and why it looks right.
    caught_by : str
        The check that must catch it.
    finds_fault : callable
        ``finds_fault(wrong, seed)`` runs that check on the piece with the mistake or, for
        ``wrong=False``, on the same piece without it; it returns whether it was accused.
    """

    name: str
    explanation: str
    caught_by: str
    finds_fault: Callable[[bool, int], bool]


def signed(*shape: int) -> Function:
    """Numbers of either sign, none near zero, where many functions have their kink."""
    return lambda rng: rng.uniform(0.25, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


def positive(*shape: int) -> Function:
    """Numbers above zero."""
    return lambda rng: rng.uniform(0.5, 2.0, shape)


def gradient(
    name: str, explanation: str, f: Function, right: Function, wrong: Function, *inputs: Function
) -> Mutant:
    """A function on arrays with a right and a wrong gradient, ``g(y_bar, *inputs)``.

    Examples
    --------
    >>> square = lambda x: x**2
    >>> lost = gradient("2", "", square, lambda g, x: 2 * g * x, lambda g, x: g * x, signed(3))
    >>> lost.finds_fault(True, 0), lost.finds_fault(False, 0)
    (True, False)
    """

    def finds_fault(is_wrong: bool, seed: int) -> bool:
        rng = np.random.default_rng(seed)
        arrays = [draw(rng) for draw in inputs]
        which = wrong if is_wrong else right
        verdict = gradcheck(f, arrays, 1, rng, gradient=which, directions=8, raises=False)
        return verdict.outcome == "fail"

    return Mutant(name, explanation, "gradcheck", finds_fault)


def second_order(
    name: str, explanation: str, right: Function, wrong: Function, *inputs: Function
) -> Mutant:
    """Two functions on tensors with the same values and gradients, but not second derivatives."""

    def finds_fault(is_wrong: bool, seed: int) -> bool:
        rng = np.random.default_rng(seed)
        arrays = [draw(rng) for draw in inputs]
        f = wrong if is_wrong else right
        at_first_order = gradcheck(f, arrays, 1, rng, raises=False)
        verdict = gradcheck(f, arrays, 2, rng, raises=False)
        return at_first_order.passed and verdict.outcome == "fail"

    return Mutant(name, explanation, "gradcheck order 2", finds_fault)


def op(name: str, explanation: str, base: type[Op], caught_by: str, **mistake: Any) -> Mutant:
    """An op some part of which is replaced by a mistake; a property of `check_op` must notice."""
    body = {"__doc__": base.__doc__, "name": base.name, **mistake}
    wrong: type[Op] = types.new_class(
        base.__name__, (base,), {"abstract": True}, lambda namespace: namespace.update(body)
    )

    def finds_fault(is_wrong: bool, seed: int) -> bool:
        op_class = wrong if is_wrong else base
        examples = list(op_class.examples(np.random.default_rng(seed)))
        try:
            for _ in PROPERTIES[caught_by](Subject(op_class, examples, 2, seed)):
                pass
        except Exception:  # an op that cannot even be called is caught, too
            return True
        return False

    return Mutant(name, explanation, f"check_op: {caught_by}", finds_fault)


def kernel(name: str, explanation: str, which: str, right: Function, wrong: Function) -> Mutant:
    """A hot loop with a mistake; `check_kernel` draws its own numbers, whatever the seed."""

    @cache
    def check(is_wrong: bool) -> bool:
        report = check_kernel(which, wrong if is_wrong else right)
        return report.passed < report.tried

    return Mutant(name, explanation, "check_kernel", lambda is_wrong, seed: check(is_wrong))


def update(
    name: str,
    explanation: str,
    closed_form: Callable[[Sequence[np.ndarray]], np.ndarray],
    right: Function,
    wrong: Function,
    slots: int,
) -> Mutant:
    r"""An update rule, whose place after some steps the closed form gives as one sum.

    A rule is ``update(w, g, learning_rate, step, *slots)`` and returns the new w and slots, like
    those of `tinydl.optimizers`. It starts at w = 0 with empty slots and learning rate 1/10.
    """

    def finds_fault(is_wrong: bool, seed: int) -> bool:
        rng = np.random.default_rng(seed)
        gradients = [rng.normal(size=3) for _ in range(6)]
        w, *state = [np.zeros(3) for _ in range(1 + slots)]
        for step, g in enumerate(gradients, start=1):
            w, *state = (wrong if is_wrong else right)(w, g, 0.1, step, *state)
        return not np.allclose(w, closed_form(gradients), rtol=1e-9, atol=1e-12)

    return Mutant(name, explanation, "closed form", finds_fault)
