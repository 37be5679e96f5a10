"""The machine's own limits: how fast it multiplies and adds, and how fast it reads and writes."""

import ctypes
import platform
from functools import cache
from pathlib import Path

import numpy as np

from tinydl.course.peak import compile_loops, peak_flops, rate

SOURCE = Path(__file__).parent / "machine.c"
BYTES_MOVED = 1 << 29  # in one try, also some milliseconds


def processor():
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


@cache
def loops():
    """The loops of machine.c; None where there is no C compiler."""
    loaded = compile_loops(SOURCE)
    if loaded is None:
        return None
    loaded.read_and_write.restype = ctypes.c_int64
    return loaded


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
