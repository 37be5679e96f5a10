"""A race of kernels: a student's C file beside the plain loops, NumPy and ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from tinydl import kernels
from tinydl.course.peak import peak_flops
from tinydl.errors import ArgumentError

LEAST_TRIES = 3
CONTESTANTS = {"plain loops": "c-plain", "NumPy": "numpy", "tinydl": "c"}


class Lap(NamedTuple):
    """One kernel on one case.

    Attributes
    ----------
    case, who : str
    flops : float
        Multiplications and additions in a second.
    """

    case: str
    who: str
    flops: float


class Race(list[Lap]):
    """Laps, which print as a table.

    Attributes
    ----------
    peak : float or None
        What the machine can do, in multiplications and additions of float32 in a second.
    """

    peak: float | None = None

    def __str__(self) -> str:
        lines = [f"{'':32}{'':14}{'GFLOP/s':>9}{'of the peak':>13}"]
        last = ""
        for case, who, flops in self:
            share = f"{flops / self.peak:13.1%}" if self.peak else f"{'?':>13}"
            lines.append(f"{case if case != last else '':32}{who:14}{flops / 1e9:9.1f}{share}")
            last = case
        if self.peak:
            lines.append(
                f"The peak is that of one thread, {self.peak / 1e9:.0f} GFLOP/s. "
                "NumPy's product may take more threads, and pass it."
            )
        return "\n".join(lines)


class _Case(NamedTuple):
    name: str
    kernel: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    operations: int
    settings: dict[str, Any]


UNIT = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
CASES = [
    *(_Case(f"matmul {n} x {n}", "matmul", ((n, n), (n, n)), 2 * n**3, {}) for n in (64, 256, 512)),
    _Case(
        "conv 32 digits, 3 x 3, 1 to 32",
        "conv",
        ((32, 28, 28, 1), (3, 3, 1, 32)),
        2 * 32 * 26 * 26 * 9 * 32,
        UNIT,
    ),
    _Case(
        "conv 32 images, 3 x 3, 32 to 64",
        "conv",
        ((32, 13, 13, 32), (3, 3, 32, 64)),
        2 * 32 * 11 * 11 * 9 * 32 * 64,
        UNIT,
    ),
]


def race(path: str | Path, *, seconds: float = 0.2, peak: bool = True) -> Race:
    """Time the matrix product and the convolution of a C file, of NumPy and of tinydl.

    All of them run on one thread (NumPy's product on those of its library), on float32.

    Parameters
    ----------
    path : str or Path
        A C file that defines `matmul`, `conv` or both.
    seconds : float
        How long to try each at least; the best time counts.
    peak : bool
        Measure also what the machine can do at most, if there is a compiler for that.

    Returns
    -------
    Race
        What was measured; prints as a table.

    Raises
    ------
    ArgumentError
        If there is no such file, or it does not compile, or has neither function.
    """
    with kernels.use(path):
        active = kernels.active()
    mine = [case for case in CASES if active[case.kernel] == Path(path).name]
    if not mine:
        raise ArgumentError("race", "path", got=str(path), expected="a file with matmul or conv")
    threads = kernels.get_num_threads()
    kernels.set_num_threads(1)
    try:
        laps = Race(_laps(mine, path, seconds))
    finally:
        kernels.set_num_threads(threads)
    laps.peak = peak_flops(1) if peak else None
    return laps


def _laps(cases: list[_Case], path: str | Path, seconds: float) -> Iterator[Lap]:
    rng = np.random.default_rng(0)
    contestants = {Path(path).name: path, **CONTESTANTS}
    if kernels.instruction_set() == "none":
        contestants = {Path(path).name: path, "NumPy": "numpy"}
    for case in cases:
        arrays = [rng.standard_normal(shape, dtype=np.float32) for shape in case.shapes]
        kernel = getattr(kernels, case.kernel)
        for who, backend in contestants.items():
            with kernels.use(backend):
                best = _best_time(lambda: kernel(*arrays, **case.settings), seconds)  # noqa: B023
            yield Lap(case.name, who, case.operations / best)


def _best_time(work: Callable[[], object], seconds: float) -> float:
    best, tries, end = float("inf"), 0, perf_counter() + seconds
    while tries < LEAST_TRIES or perf_counter() < end:
        start = perf_counter()
        work()
        best = min(best, perf_counter() - start)
        tries += 1
    return best
