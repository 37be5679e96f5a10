"""The machine's own limits: how fast it multiplies and adds, and how fast it reads and writes."""

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np

SOURCE = Path(__file__).parent / "machine.c"
SECONDS = 0.3  # of tries; another program may take a processor for some of them
LEAST_TRIES = 5  # the first one may be slow: memory is only then given
ROUNDS = 200_000  # of multiply-adds: a few milliseconds
BYTES_MOVED = 1 << 29  # in one try, also some milliseconds


def processor():
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def compile_loops(source, *flags):
    """A C file, compiled for this machine and loaded; None where there is no C compiler."""
    compiler = os.environ.get("CC", "cc")
    if not shutil.which(compiler):
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "loops.so"
        command = [compiler, "-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
        subprocess.run([*command, *flags, str(source), "-o", str(library)], check=True)
        return ctypes.CDLL(str(library))


@cache
def loops():
    """The loops of machine.c; None where there is no C compiler."""
    loaded = compile_loops(SOURCE)
    if loaded is None:
        return None
    for function in (loaded.multiply_and_add, loaded.read_and_write):
        function.restype = ctypes.c_int64
    return loaded


def rate(threads, work):
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
def peak_flops(threads):
    """Additions and multiplications of float32 in a second."""
    result = ctypes.c_float()
    n = ctypes.c_int64(ROUNDS)
    return rate(threads, lambda _: loops().multiply_and_add(n, ctypes.byref(result)))


@cache
def bandwidth(size, threads):
    """Bytes read or written in a second, over and over within so many bytes."""
    n = max(size // (2 * 4 * threads), 1)
    pairs = [np.ones((2, n), np.float32) for _ in range(threads)]
    times = max(1, BYTES_MOVED // (12 * n * threads))

    def work(thread):
        x, y = (ctypes.c_void_p(row.ctypes.data) for row in pairs[thread])
        return loops().read_and_write(ctypes.c_int64(n), ctypes.c_int64(times), x, y)

    return rate(threads, work)


def floor_seconds(case, threads):
    """The least time this machine could take for a case, or None where that is not known.

    It has to do the arithmetic, and to read and write each number once, wherever so many numbers
    have room: in a cache or in memory. What takes longer is the floor.
    """
    if loops() is None or not case.floats:
        return None
    size = 1 << int(4 * case.floats).bit_length()  # rounded up, so that few sizes are measured
    arithmetic = case.flops / peak_flops(threads)
    return max(arithmetic, 4 * case.floats / bandwidth(size, threads))


def describe():
    """What the report says of the machine; sizes as those of a first cache, a last one, memory."""
    description = {"processor": processor(), "system": platform.platform()}
    if loops() is None:
        return description
    for threads in (1, 2):
        description[f"{threads} threads"] = {
            "float32 GFLOP/s": round(peak_flops(threads) / 1e9, 1),
            "GB/s in 16 KiB": round(bandwidth(1 << 14, threads) / 1e9, 1),
            "GB/s in 4 MiB": round(bandwidth(1 << 22, threads) / 1e9, 1),
            "GB/s in 256 MiB": round(bandwidth(1 << 28, threads) / 1e9, 1),
        }
    return description
