"""What must be true of every op, each as a function that follows from the op's declaration.

A property is a function of a `Subject`. For each case it tries it yields how large the error was,
in units of what is allowed; on the first case that is wrong it raises `Violation`.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from tinydl import kernels
from tinydl.engine import Op, Tensor, grad, tensor
from tinydl.errors import TinydlError
from tinydl.testing.gradcheck import gradcheck
from tinydl.testing.layouts import LAYOUTS

ROUNDING = 1e-12  # of float64 results, relative to the largest element
ROUNDING_32 = 2.0**-14  # of float32 results: 512 units, as large terms may cancel inside
EXTREMES = np.array([0.0, 1.0, -1e3, 1e3, -0.0, np.nan, np.inf, -np.inf, 1e-40, -1e-310, 0.5])

Example = tuple[Op, tuple[np.ndarray, ...]]
Property = Callable[["Subject"], Iterator[float]]


class Violation(AssertionError):
    """A property that does not hold, with the case that shows it."""


class Subject(NamedTuple):
    """The op under test: its class, its examples from small to large, and up to which order."""

    op_class: type[Op]
    examples: list[Example]
    order: int
    seed: int

    def rng(self) -> np.random.Generator:
        """A fresh generator, the same for every property."""
        return np.random.default_rng(self.seed)


def backends() -> list[str]:
    """The kernels to run everything on: NumPy's and, where it is built, the C core."""
    return ["numpy", "c"] if find_spec("tinydl.kernels._compiled") else ["numpy"]


def is_documented(subject: Subject) -> Iterator[float]:
    """Docstring, formula and gradient formulas are there, and their LaTeX is balanced."""
    op = subject.op_class
    _demand(bool(inspect.getdoc(op)), "the class has no docstring")
    _demand(bool(op.formula), "the class has no formula")
    _demand(bool(subject.examples), "examples() yields nothing")
    _demand(len(op.rules) == len(op.input_names), "each of input_names needs a rule or None")
    rules: list[Any] = [r for r in op.rules if r is not None]
    for r in rules:
        _demand(hasattr(r, "formula"), f"the method {r.__name__} is not marked with @rule(formula)")
        _demand(r"\bar" in r.formula, f"the formula of the rule of {r.__name__} has no \\bar")
    for formula in (op.formula, *(r.formula for r in rules)):
        _demand(_is_balanced(formula), f"the LaTeX of {formula!r} is not balanced")
        yield 0.0
    names = {name.lstrip("*") for name in op.input_names}
    unknown = {name.lstrip("*") for name in op.linear_in} - names
    _demand(not unknown, f"linear_in names {unknown}, which are not inputs")
    if rules:
        differentiated = [x for op, x in subject.examples if any(op.rules_for(x))]
        _demand(any(x[0].size for x in differentiated), "no example has a gradient")
    for example, _ in subject.examples:
        _demand(repr(example).startswith(op.name), "repr() does not start with the name")


def agrees_with_literal(subject: Subject) -> Iterator[float]:
    """The forward pass is the formula read literally, on every backend."""
    for op, arrays in subject.examples:
        if op.literal is None:
            continue
        expected = _read_literally(op, op.literal, arrays)
        for backend in backends():
            with kernels.use(backend):
                y = op.forward(*arrays)
            where = f"{backend} and the literal formula"
            yield _judge(y, expected.reshape(y.shape), ROUNDING, op, arrays, where)


def agrees_in_any_layout(subject: Subject) -> Iterator[float]:
    """Every backend gives one result, however the inputs lie in memory, and leaves them alone."""
    for op, arrays in subject.examples:
        expected = op.forward(*arrays)
        for backend in backends():
            with kernels.use(backend):
                for name, layout in LAYOUTS.items():
                    given = [layout(a) for a in arrays]
                    before = [a.copy() for a in given]
                    y = op.forward(*given)
                    where = f"{backend} with inputs {name} and plain ones"
                    yield _judge(y, expected, ROUNDING, op, arrays, where)
                    kept = all(map(_same_bits, given, before))
                    _demand(kept, f"forward changed its inputs: {_case(op, arrays)}")


def has_right_gradients(subject: Subject) -> Iterator[float]:
    """The rules agree with finite differences, to the order asked for, on every backend."""
    rng = subject.rng()
    for op, arrays in subject.examples:
        if not any(op.rules_for(arrays)):
            continue
        for backend in backends():
            calls = _kernel_calls()
            with kernels.use(backend):
                verdict = gradcheck(op, arrays, subject.order, rng, directions=4, raises=False)
                if verdict.outcome == "inconclusive" and op.kinks:
                    verdict = gradcheck(op, arrays, 1, rng, kinks=True, raises=False)
            _demand(verdict.passed, f"{_case(op, arrays)}, {backend} kernels\n{verdict}")
            yield verdict.worst
            if _kernel_calls() == calls:
                break


def is_linear_as_declared(subject: Subject) -> Iterator[float]:
    """In the inputs of `linear_in`, f(2x + z) = 2 f(x) + f(z) and <g, f(x)> = <rule(g), x>."""
    rng = subject.rng()
    for op, arrays in subject.examples:
        for positions in _linear_positions(op, arrays):
            y, gradients, g = _gradients(op, arrays, rng)
            others = [
                rng.normal(size=a.shape) if k in positions else a for k, a in enumerate(arrays)
            ]
            mixed = [
                2 * a + b if k in positions else a
                for k, (a, b) in enumerate(zip(arrays, others, strict=True))
            ]
            terms = op(*mixed).data, 2 * y + op(*others).data
            yield _judge(*terms, 16 * ROUNDING, op, arrays, "f(2x + z) and 2 f(x) + f(z)")
            above = np.sum(g * y)
            below = sum(np.sum(arrays[k] * gradients[k]) for k in positions)
            size = 1 + np.sum(np.abs(g * y))
            error = abs(above - below) / (16 * ROUNDING * size)
            names = ", ".join(op.input_name(k) for k in positions)
            _demand(
                error <= 1,
                f"<g, y> is {above:.8g} but <rule(g), {names}> is {below:.8g}: {_case(op, arrays)}",
            )
            yield error


def keeps_its_conventions(subject: Subject) -> Iterator[float]:
    """At kinks the rules return what is declared, which lies between the one-sided derivatives."""
    declared = list(subject.op_class.conventions())
    _demand(
        bool(declared) or not subject.op_class.kinks,
        "kinks are declared in words, but conventions() gives no numbers",
    )
    for op, inputs, expected in declared:
        arrays = tuple(np.asarray(x) for x in inputs)
        rules = op.rules_for(arrays)
        xs = [tensor(a, requires_grad=r is not None) for a, r in zip(arrays, rules, strict=True)]
        y = op(*xs)
        wanted = [x for x in xs if x.requires_grad]
        found = grad(y, wanted, np.ones(y.shape), allow_unused=True)
        for x_bar, value in zip(found, expected, strict=True):
            yield _judge(x_bar.data, np.asarray(value), ROUNDING, op, arrays, "rule and convention")
        verdict = gradcheck(op, arrays, 1, subject.rng(), kinks=True, raises=False)
        _demand(verdict.outcome != "fail", f"not between the one-sided derivatives: {verdict}")


def works_in_float32(subject: Subject) -> Iterator[float]:
    """float32 stays float32, and gradients have their input's shape and dtype; all near float64."""
    for op, arrays in subject.examples:
        narrow = tuple(a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays)
        exact = tuple(a.astype(np.float64) if a.dtype.kind == "f" else a for a in narrow)
        y, gradients, _ = _gradients(op, narrow, subject.rng())
        wide, expected, _ = _gradients(op, exact, subject.rng())
        asks_for_dtype = "dtype" in inspect.signature(type(op)).parameters
        if wide.dtype.kind == "f" and not asks_for_dtype and any(op.rules_for(arrays)):
            _demand(y.dtype == np.float32, f"float32 became {y.dtype}: {_case(op, arrays)}")
        yield _judge(y, wide, ROUNDING_32, op, arrays, "float32 and float64")
        for k, x_bar in gradients.items():
            kept = x_bar.dtype == np.float32 and x_bar.shape == arrays[k].shape
            name = op.input_name(k)
            _demand(kept, f"the gradient of {name} is {x_bar.dtype} {x_bar.shape}")
            where = f"the gradients of {name} in float32 and float64"
            yield _judge(x_bar, expected[k], ROUNDING_32, op, arrays, where)


def is_quiet_at_extremes(subject: Subject) -> Iterator[float]:
    """Infinities, nan, +-1000 and denormals raise no warning and no exception but our own."""
    for op, arrays in subject.examples:
        for dtype in (np.float32, np.float64):
            extreme = tuple(
                np.resize(EXTREMES, a.shape).astype(dtype) if a.dtype.kind == "f" else a
                for a in arrays
            )
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    _gradients(op, extreme, subject.rng())
                except TinydlError:
                    pass
                except Exception as error:
                    raise Violation(f"{type(error).__name__} at extremes: {error}") from error
            yield 0.0


def is_the_same_for_any_threads(subject: Subject) -> Iterator[float]:
    """The same bits for one thread and for three."""
    if "c" not in backends():
        return
    before = kernels.get_num_threads()
    for op, arrays in subject.examples:
        calls, found = _kernel_calls(), []
        for n in (1, 3):
            kernels.set_num_threads(n)
            try:
                with kernels.use("c"):
                    y, gradients, _ = _gradients(op, arrays, subject.rng())
            finally:
                kernels.set_num_threads(before)
            found.append([y, *gradients.values()])
            if _kernel_calls() == calls:
                break
        if len(found) == 2:
            same = all(map(_same_bits, *found))
            _demand(same, f"other bits with another number of threads: {_case(op, arrays)}")
            yield 0.0


PROPERTIES: dict[str, Property] = {
    "documented": is_documented,
    "literal": agrees_with_literal,
    "layouts": agrees_in_any_layout,
    "gradients": has_right_gradients,
    "linear": is_linear_as_declared,
    "conventions": keeps_its_conventions,
    "float32": works_in_float32,
    "extremes": is_quiet_at_extremes,
    "threads": is_the_same_for_any_threads,
}


def _demand(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Violation(otherwise)


def _case(op: Op, arrays: Sequence[np.ndarray]) -> str:
    return f"{op!r} of {', '.join(f'{a.dtype}{a.shape}' for a in arrays)}"


def _is_balanced(formula: str) -> bool:
    r"""Braces close in order, and every \left has its \right."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", formula):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    lefts, rights = (len(re.findall(rf"\\{side}(?![a-z])", formula)) for side in ("left", "right"))
    return depth == 0 and lefts == rights


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _judge(
    y: np.ndarray,
    expected: np.ndarray,
    rounding: float,
    op: Op,
    arrays: Sequence[np.ndarray],
    between: str,
) -> float:
    """The largest difference in units of what rounding allows; more than 1 is a violation."""
    y, expected = np.asarray(y), np.asarray(expected)
    _demand(
        y.shape == expected.shape,
        f"{between} differ in shape, {y.shape} and {expected.shape}: {_case(op, arrays)}",
    )
    if not y.size:
        return 0.0
    with np.errstate(all="ignore"):
        a, b = y.astype(np.float64), expected.astype(np.float64)
        largest = np.max(np.abs(b), where=np.isfinite(b), initial=0.0)
        unequal = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    error = float(np.max(unequal)) / (rounding * (1 + largest))
    place = tuple(int(k) for k in np.unravel_index(int(np.argmax(unequal)), y.shape))
    _demand(
        error <= 1,
        f"{between} differ at {place}: {y[place]!r} and {expected[place]!r}: {_case(op, arrays)}",
    )
    return error


def _gradients(
    op: Op, arrays: Sequence[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, dict[int, np.ndarray], np.ndarray]:
    """The result, the gradient of each floating input with a rule, and the cotangent used."""
    rules = op.rules_for(arrays)
    xs = [
        tensor(a, requires_grad=a.dtype.kind == "f" and r is not None)
        for a, r in zip(arrays, rules, strict=True)
    ]
    y = op(*xs)
    g = rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1.0, 1.0], y.shape)
    g = g.astype(np.float32)  # the same number in float32 and float64
    g = g.astype(y.dtype if y.dtype.kind == "f" else np.float64)
    wanted = {k: x for k, x in enumerate(xs) if x.requires_grad}
    if not y.requires_grad:
        return y.data, {}, g
    found: list[Tensor] = grad(y, list(wanted.values()), g, allow_unused=True)
    return y.data, {k: x.data for k, x in zip(wanted, found, strict=True) if x is not None}, g


def _read_literally(
    op: Op, literal: Callable[..., Any], arrays: Sequence[np.ndarray]
) -> np.ndarray:
    """What the literal formula gives for the arguments with which the op calls its kernel."""
    name = literal.__name__
    calls = []

    def listen(*arguments: Any) -> np.ndarray:
        calls.append(arguments)
        return getattr(kernels.reference, name)(*arguments)

    with kernels.use(SimpleNamespace(**{name: listen})):
        y = op.forward(*arrays)
    _demand(len(calls) == 1, f"{op!r} has a literal formula, but calls {name} {len(calls)} times")
    expected = np.asarray(literal(*calls[0]))
    _demand(
        expected.size == y.size,
        f"the literal formula gives {expected.shape}, forward {y.shape}: {_case(op, arrays)}",
    )
    return expected


def _linear_positions(op: Op, arrays: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """The positions of each input the op is linear in; those of a starred one count as one."""
    for name in op.linear_in:
        found = [
            k
            for k in range(len(arrays))
            if op.input_names[min(k, len(op.input_names) - 1)].lstrip("*") == name.lstrip("*")
        ]
        if all(arrays[k].dtype.kind == "f" for k in found):
            yield found


def _kernel_calls() -> int:
    return sum(row.calls for row in kernels.report())
