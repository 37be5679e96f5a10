"""Hold a kernel, in Python or C, against the formula read literally."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from tinydl import kernels
from tinydl.errors import unknown_name
from tinydl.kernels.choice import KERNELS
from tinydl.testing.kernel_cases import LESSONS, Case, cases, rounding_bound


class KernelReport(NamedTuple):
    """What `check_kernel` found: n passed of m, the smallest failure, and what to learn from it.

    Attributes
    ----------
    name : str
        The kernel.
    tried, passed : int
        How many checks were made, and how many hold.
    failure : str
        The smallest case that fails, and how; empty if none does.
    lesson : str
        One sentence: what the failing cases have in common.
    """

    name: str
    tried: int
    passed: int
    failure: str
    lesson: str

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.passed} of {self.tried} passed"]
        return "\n  ".join([*lines, *filter(None, [self.failure, self.lesson])])


def check_kernel(name: str, implementation: Any, seeds: int = 1) -> KernelReport:
    r"""Check a kernel against the literal formula, and against its adjoint.

    Every result must be within rounding, :math:`(k + 2) u \sum |a| |b|` for sums of k terms, of
    the float64 sum read literally, for ragged, empty, size-1, broadcast and strided inputs of both
    dtypes; maxima must be exact. The inner product with a random g must also be the same, whether g
    meets the result or the kernel's gradient meets the input.

    Parameters
    ----------
    name : str
        The kernel, ``"conv"`` for instance; see `tinydl.kernels`.
    implementation : callable, module, path or str
        Your function; or a module, an object, a ``.py`` or ``.c`` file, or a backend's name, as
        `tinydl.kernels.use` takes them.
    seeds : int
        How many times to draw the numbers anew.

    Returns
    -------
    KernelReport

    Raises
    ------
    ArgumentError
        If there is no such kernel, or the implementation cannot be used (a C file that does not
        compile). What a Python kernel raises is a failed case. A C kernel that writes outside its
        arrays can end the process.

    Examples
    --------
    >>> def multiply(a, b):
    ...     y = np.zeros((*a.shape[:-1], b.shape[-1]), a.dtype)
    ...     for k in range(1, a.shape[-1]):
    ...         y += a[..., :, k, None] * b[..., None, k, :]
    ...     return y
    >>> report = check_kernel("matmul", multiply)
    >>> report.passed < report.tried
    True
    >>> print(check_kernel("matmul", np.matmul))
    matmul: 65 of 65 passed
    """
    if name not in KERNELS:
        raise unknown_name("check_kernel", "name", name, KERNELS)
    if callable(implementation) and not hasattr(implementation, name):
        implementation = SimpleNamespace(**{name: implementation})
    found: list[tuple[Case, str]] = []
    with kernels.use(implementation):
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            for case in cases(name, rng):
                found.append((case, _fault_of_values(name, case)))
                if name in ADJOINTS and case.traits.isdisjoint({"float32", "nan"}):
                    sums = case._replace(traits=case.traits | {"adjoint"})
                    found.append((sums, _fault_of_adjoint(name, case, rng)))
    return _report(name, found)


def _fault_of_values(name: str, case: Case) -> str:
    """What is wrong with the kernel's result; empty if nothing is."""
    expected = getattr(kernels.literal, name)(
        *[a.astype(np.float64) for a in case.arrays], *case.settings
    )
    given = [a.copy() for a in case.arrays]
    try:
        y = KERNELS[name](*case.arrays, *case.settings)
    except Exception as error:  # whatever the kernel raises is its fault
        return f"{type(error).__name__}: {error}"
    pairs = zip(case.arrays, given, strict=True)
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs):
        return "the kernel changed its inputs"
    with np.errstate(all="ignore"):
        equal = (y == expected) | (np.isnan(y) & np.isnan(expected))
        near = equal | (np.abs(y - expected) <= rounding_bound(name, case))
    if np.all(near):
        return ""
    place = tuple(int(k) for k in np.argwhere(~near)[0])
    return (
        f"{np.count_nonzero(~near)} of {near.size} elements are wrong: at {place} "
        f"got {y[place]:.8g}, the formula gives {expected[place]:.8g}"
    )


def _fault_of_adjoint(name: str, case: Case, rng: np.random.Generator) -> str:
    """Where <g, f(x)> and <x, gradient(g)> differ; empty if they agree."""
    try:
        y = KERNELS[name](*case.arrays, *case.settings)
        g = rng.normal(size=y.shape)
        above = float(np.sum(g * y))
        size = 1 + float(np.sum(np.abs(g * y)))
        for partner, below in ADJOINTS[name](g, *case.arrays, *case.settings):
            if not abs(above - below) <= 1e-11 * size:
                return f"<g, {name}> is {above:.8g}, but by {partner} it is {below:.8g}"
    except Exception as error:  # whatever the kernel raises is its fault
        return f"{type(error).__name__}: {error}"
    return ""


Products = Iterator[tuple[str, float]]


def _matmul(g: Any, a: Any, b: Any) -> Products:
    yield "g @ b.T", float(np.sum(a * _sum_to(kernels.matmul(g, b.mT), a.shape)))
    yield "a.T @ g", float(np.sum(b * _sum_to(kernels.matmul(a.mT, g), b.shape)))


def _dense_layer(g: Any, a: Any, w: Any, b: Any, relu: bool) -> Products:
    if relu:
        g = kernels.relu_gradient(g, kernels.dense_layer(a, w, b, False))
    size = float(np.sum(b * g))
    yield "g @ w.T", float(np.sum(a * kernels.matmul(g, w.T))) + size
    yield "a.T @ g", float(np.sum(w * kernels.matmul(a.mT, g))) + size


def _sum_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    extra = x.ndim - len(shape)
    x = x.sum(axis=tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return x.sum(axis=stretched, keepdims=True)


def _conv(g: Any, x: Any, w: Any, *settings: Any) -> Products:
    x_bar = kernels.conv_input_gradient(g, w, x.shape, *settings)
    w_bar = kernels.conv_kernel_gradient(x, g, w.shape, *settings)
    yield "conv_input_gradient", float(np.sum(x * x_bar))
    yield "conv_kernel_gradient", float(np.sum(w * w_bar))


def _conv_layer(g: Any, x: Any, w: Any, b: Any, relu: bool, *settings: Any) -> Products:
    if relu:
        g = kernels.relu_gradient(g, kernels.conv_layer(x, w, b, False, *settings))
    for partner, product in _conv(g, x, w, *settings):
        yield partner, product + float(np.sum(b * g))


def _conv_input_gradient(x: Any, g: Any, w: Any, _: Any, *settings: Any) -> Products:
    yield "conv", float(np.sum(g * kernels.conv(x, w, *settings)))


def _conv_kernel_gradient(w: Any, x: Any, g: Any, _: Any, *settings: Any) -> Products:
    yield "conv", float(np.sum(g * kernels.conv(x, w, *settings)))


def _max_pool(g: Any, x: Any, *settings: Any) -> Products:
    yield "max_pool_gather", float(np.sum(g * kernels.max_pool_gather(x, x, *settings)))
    yield "max_pool_gradient", float(np.sum(x * kernels.max_pool_gradient(g, x, *settings)))


def _max_pool_gather(g: Any, u: Any, x: Any, *settings: Any) -> Products:
    yield "max_pool_gradient", float(np.sum(u * kernels.max_pool_gradient(g, x, *settings)))


def _max_pool_gradient(u: Any, g: Any, x: Any, *settings: Any) -> Products:
    yield "max_pool_gather", float(np.sum(g * kernels.max_pool_gather(u, x, *settings)))


def _max_pool_winners(g: Any, x: Any, *settings: Any) -> Products:
    _, winners = kernels.max_pool_winners(x, *settings)
    x_bar = kernels.max_unpool(g[0], winners, x.shape, *settings)
    yield "max_unpool", float(np.sum(x * x_bar) + np.sum(g[1] * winners))


def _conv_max_pool_layer(g: Any, x: Any, w: Any, b: Any, *settings: Any) -> Products:
    conv, pool = settings[:4], settings[4:]
    z = kernels.conv_layer(x, w, b, *conv)
    maxima, winners = kernels.max_pool_winners(z, *pool)
    if conv[0]:
        winners = np.where(maxima <= 0, -1, winners)
    z_bar = kernels.max_unpool(g[0], winners, z.shape, *pool)
    for partner, product in _conv_layer(z_bar, x, w, b, *conv):
        yield partner, product + float(np.sum(g[1] * winners))


def _conv_max_pool_layer_gradient(
    both: Any, x: Any, g: Any, winners: Any, kernel: Any, *settings: Any
) -> Products:
    conv, pool = settings[:3], settings[3:]
    w, b = both[:-1].reshape(kernel), both[-1]
    z_bar = kernels.max_unpool(g, winners, kernels.conv(x, w, *conv).shape, *pool)
    bias = float(np.sum(b * np.where(winners >= 0, g, 0)))
    for partner, product in _conv_kernel_gradient(w, x, z_bar, kernel, *conv):
        yield partner, product + bias


def _average_pool(g: Any, x: Any, *settings: Any) -> Products:
    gradient = kernels.average_pool_gradient(g, x.shape, *settings)
    yield "average_pool_gradient", float(np.sum(x * gradient))


def _average_pool_gradient(x: Any, g: Any, _: Any, *settings: Any) -> Products:
    yield "average_pool", float(np.sum(g * kernels.average_pool(x, *settings)))


def _relu(g: Any, x: Any) -> Products:
    yield "relu_gradient", float(np.sum(x * kernels.relu_gradient(g, x)))


def _relu_gradient(u: Any, g: Any, x: Any) -> Products:
    yield "relu_gradient", float(np.sum(g * kernels.relu_gradient(u, x)))


def _add_row(g: Any, x: Any, b: Any) -> Products:
    yield "sum_rows", float(np.sum(x * g) + np.sum(b * kernels.sum_rows(g)))


def _sum_rows(g: Any, x: Any) -> Products:
    yield "add_row", float(np.sum(x * kernels.add_row(np.zeros(x.shape), g)))


# Those of the kernels that are linear, or take part in something linear.
ADJOINTS: dict[str, Callable[..., Products]] = {
    "matmul": _matmul,
    "dense_layer": _dense_layer,
    "conv": _conv,
    "conv_layer": _conv_layer,
    "conv_max_pool_layer": _conv_max_pool_layer,
    "conv_max_pool_layer_gradient": _conv_max_pool_layer_gradient,
    "conv_input_gradient": _conv_input_gradient,
    "conv_kernel_gradient": _conv_kernel_gradient,
    "max_pool": _max_pool,
    "max_pool_gather": _max_pool_gather,
    "max_pool_gradient": _max_pool_gradient,
    "max_pool_winners": _max_pool_winners,
    "average_pool": _average_pool,
    "average_pool_gradient": _average_pool_gradient,
    "relu": _relu,
    "relu_gradient": _relu_gradient,
    "add_row": _add_row,
    "sum_rows": _sum_rows,
}


def _report(name: str, found: list[tuple[Case, str]]) -> KernelReport:
    failed = [(case, fault) for case, fault in found if fault]
    if not failed:
        return KernelReport(name, len(found), len(found), "", "")
    case, fault = min(failed, key=lambda pair: sum(a.size for a in pair[0].arrays))
    passed = len(found) - len(failed)
    return KernelReport(name, len(found), passed, f"{name}{case}: {fault}", _lesson(found))


def _lesson(found: list[tuple[Case, str]]) -> str:
    """The lesson of the trait that tells failing cases from the others best."""
    failed = [case.traits for case, fault in found if fault]
    if any("adjoint" not in traits for traits in failed):  # where values are wrong, so are sums
        found = [(case, fault) for case, fault in found if "adjoint" not in case.traits]
        failed = [case.traits for case, fault in found if fault]
    if any("plain" in traits for traits in failed):
        return f"Lesson: {LESSONS['plain']}."

    def tells_apart(trait: str) -> float:
        """How many of those with the trait fail, times how many of the failures have it."""
        having = sum(trait in case.traits for case, _ in found)
        both = sum(trait in traits for traits in failed)
        return both / max(having, 1) * both / len(failed)

    return f"Lesson: {LESSONS[max(LESSONS, key=tells_apart)]}."
