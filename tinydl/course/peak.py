"""What this machine can do at most: multiplications and additions in a second."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from time import perf_counter

SECONDS = 0.3  # of tries; another program may take a processor for some of them
LEAST_TRIES = 5  # the first one may be slow: memory is only then given
ROUNDS = 200_000  # of multiply-adds: a few milliseconds


def compile_loops(source: Path, *flags: str) -> ctypes.CDLL | None:
    """Compile a C file for this machine and load it; None where there is no C compiler."""
    compiler = os.environ.get("CC", "cc")
    if not shutil.which(compiler):
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "loops.so"
        command = [compiler, "-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
        subprocess.run([*command, *flags, str(source), "-o", str(library)], check=True)
        return ctypes.CDLL(str(library))


def rate(threads: int, work: Callable[[int], int]) -> float:
    """The best amount of `work(thread)` a second, done by so many threads at once."""
    best, tries, end = 0.0, 0, perf_counter() + SECONDS
    with ThreadPoolExecutor(threads) as pool:
        while tries < LEAST_TRIES or perf_counter() < end:
            tries += 1
            start = perf_counter()
            done = sum(pool.map(work, range(threads)))
            best = max(best, done / (perf_counter() - start))
    return best


@cache
def peak_flops(threads: int) -> float | None:
    """Additions and multiplications of float32 in a second; None where there is no C compiler.

    Parameters
    ----------
    threads : int
        How many processors compute.
    """
    loops = compile_loops(Path(__file__).with_name("peak.c"))
    if loops is None:
        return None
    loops.multiply_and_add.restype = ctypes.c_int64
    result, n = ctypes.c_float(), ctypes.c_int64(ROUNDS)
    return rate(threads, lambda _: int(loops.multiply_and_add(n, ctypes.byref(result))))
