"""From the plain matrix product to the fast one, step by step, under the machine's roof.

    python -m benchmarks.steps                            # a table
    python -m benchmarks.steps --picture docs/images/roofline.png

The steps are explained in docs/the-c-core.md.
"""

import argparse
import ctypes
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import bandwidth, processor
from tinydl import kernels
from tinydl.course.peak import compile_loops, peak_flops

CSRC = Path(__file__).parent.parent / "csrc"
PLAIN_INTENSITY = 2 / 8  # two operations, two float32 read
ROW_INTENSITY = 2 / 12  # two read and one written
SECONDS = 1.0  # for each step at least, and at least three times
LEVELS = {"first cache": 1 << 14, "last cache": 1 << 22, "memory": 1 << 28}


class Step(NamedTuple):
    """One version of the product: how fast it is, and how much it does with each byte it reads."""

    name: str
    flops: float
    intensity: float


def measure(n):
    """All steps, for matrices (n, n)."""
    loops = compile_loops(Path(__file__).with_name("steps.c"), f"-I{CSRC}")
    loops.tile_intensity.restype = ctypes.c_double
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, n, n), dtype=np.float32)
    columns, y = np.ascontiguousarray(a.T), np.empty_like(a)
    expected = a @ b

    def in_c(name):
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (columns, b, y)]
        getattr(loops, name)(ctypes.c_int64(n), *pointers)
        return y

    tile = loops.tile_intensity()
    steps = [
        ("plain loops", PLAIN_INTENSITY, lambda: in_c("plain")),
        ("inner loop along rows", ROW_INTENSITY, lambda: in_c("along_rows")),
        ("tiles in registers", tile, lambda: in_c("by_tiles")),
        ("blocks copied to panels", tile, lambda: kernels.matmul(a, b)),
    ]
    kernels.set_num_threads(1)
    measured = []
    for name, intensity, compute in steps:
        np.testing.assert_allclose(compute(), expected, rtol=1e-3, atol=1e-3)
        measured.append(Step(name, 2 * n**3 / best_seconds(compute), intensity))
    kernels.set_num_threads(2)
    two = Step("two threads", 2 * n**3 / best_seconds(lambda: kernels.matmul(a, b)), tile)
    return [*measured, two]


def best_seconds(compute):
    """The least of several times."""
    times = []
    while len(times) < 3 or sum(times) < SECONDS:
        start = perf_counter()
        compute()
        times.append(perf_counter() - start)
    return min(times)


def print_steps(steps):
    """A table: each step's speed, its share of the peak, and what it gained."""
    table = Table(title=processor())
    for column in ("step", "GFLOP/s", "of the peak", "times the one before"):
        table.add_column(column, justify="left" if column == "step" else "right")
    former = None
    for step in steps:
        peak = peak_flops(2 if step is steps[-1] else 1)
        gain = f"{step.flops / former:.1f}" if former else ""
        table.add_row(step.name, f"{step.flops / 1e9:.1f}", f"{step.flops / peak:.0%}", gain)
        former = step.flops
    Console().print(table)


def save_picture(steps, path):
    """The roofline: no loop is faster than the arithmetic, or than its bytes arrive."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 4.5))
    intensity = np.geomspace(0.08, 40, 200)
    for level, size in LEVELS.items():
        roof = np.minimum(peak_flops(1), bandwidth(size, 1) * intensity) / 1e9
        axes.plot(intensity, roof, color="grey", linewidth=1)
        axes.annotate(level, (intensity[4], roof[4]), fontsize=8, color="grey", va="bottom")
    axes.axhline(peak_flops(2) / 1e9, color="grey", linewidth=1, linestyle=":")
    axes.annotate("two processors", (0.09, peak_flops(2) / 1e9), fontsize=8, color="grey", va="top")
    for number, step in enumerate(steps, start=1):
        axes.plot(step.intensity, step.flops / 1e9, "o", color="C0")
        axes.annotate(
            f"{number}  {step.name}",
            (step.intensity, step.flops / 1e9),
            textcoords="offset points",
            xytext=(8, -3) if number != 3 else (-8, -3),
            ha="left" if number != 3 else "right",
            fontsize=9,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("additions and multiplications for each byte the inner loop reads or writes")
    axes.set_ylabel("GFLOP/s")
    axes.set_title(f"y = a b, one step after the other ({processor()})", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    """Measure, print, and draw if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024, help="rows of each matrix: %(default)s")
    parser.add_argument("--picture", type=Path, help="where to save the roofline")
    arguments = parser.parse_args()
    steps = measure(arguments.size)
    print_steps(steps)
    if arguments.picture:
        save_picture(steps, arguments.picture)


if __name__ == "__main__":
    main()
