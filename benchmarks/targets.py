"""What tinydl wants to reach, and whether it does: the one table of targets.

A target is a number, computed from the measurements with one thread and with two. Ratios say how
many times as long a peer takes; a peer has several variants where its users have a choice, and the
fastest one counts.
"""

from collections.abc import Callable
from math import exp, log
from typing import Any, NamedTuple

import numpy as np

from benchmarks import programs
from benchmarks.cases import BATCHES, CASES, CONV_PARTS, NEIGHBOURS

# Where several cases make one number, this says how.
WAYS = {
    "only": lambda values: values[0],
    "mean": lambda values: exp(sum(map(log, values)) / len(values)),  # the geometric one
    "worst": None,  # the least where at least so much is asked, the greatest where at most
}


class Target(NamedTuple):
    subject: str
    text: str
    asked: float
    at_most: bool
    way: str
    values: Callable[[Any, int], list[float | None]]

    def judge(self, results, threads):
        """The number measured (None without any), and of how many cases how many it comes from."""
        values = self.values(results, threads)
        known = [value for value in values if value is not None]
        worst = max if self.at_most else min
        combine = WAYS[self.way] or worst
        return (combine(known) if known else None), len(known), len(values)

    def met(self, measured):
        return measured <= self.asked if self.at_most else measured >= self.asked


def ratios(names, peer=None, variant=None):
    """How many times as long as tinydl a peer takes, or the best one."""
    return lambda results, threads: [results.ratio(name, threads, peer, variant) for name in names]


def values(name):
    return lambda results, threads: [results.value(name, "tinydl", threads)]


def shares(names):
    return lambda results, threads: [results.share(name, threads) for name in names]


def inverse_ratio(results, threads):
    ratio = results.ratio("scalar add, recorded", threads, "torch")
    return [ratio and 1 / ratio]


def backward_ratio(results, threads):
    """Our share of backward, over PyTorch's: what a chain takes more if its gradient is asked."""
    differences = []
    for framework in ("tinydl", "torch"):
        forward = results.value("scalar add, recorded", framework, threads)
        both = results.value("scalar add, recorded and derived", framework, threads)
        differences.append(both - forward if forward and both else 0)
    ours, theirs = differences
    return [ours / theirs if ours > 0 and theirs > 0 else None]  # noise may make one negative


def slope(sizes, name_of):
    """The slope of the logarithm of the time over that of the size: 1 is linear."""

    def of(results, threads):
        seconds = [results.value(name_of(size), "tinydl", threads) for size in sizes]
        return None if None in seconds else float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])

    return of


def slopes_in_the_batch(results, threads):
    series = [lambda n, part=part: f"conv (b) N={n}, {part}" for part in CONV_PARTS.values()]
    series.append(lambda n: f"dense 1024-1024 N={n}")
    return [slope(BATCHES, name_of)(results, threads) for name_of in series]


def slope_of_matmul(results, threads):
    return [slope((256, 512, 1024, 2048), lambda n: f"matmul n={n}")(results, threads)]


def speedups(names):
    """How many times as fast two threads are; asked of two threads only."""

    def of(results, threads):
        one, two = ([results.value(name, "tinydl", t) for name in names] for t in (1, 2))
        return [a / b if a and b and threads == 2 else None for a, b in zip(one, two, strict=True)]

    return of


def odd_sizes(results, threads):
    """The flops a second at an odd size, over those at the even one beside it."""

    def rate(name):
        seconds = results.value(name, "tinydl", threads)
        return seconds and CASES[name].flops / seconds

    pairs = [(rate(odd), rate(even)) for odd, even in NEIGHBOURS.items()]
    return [odd / even if odd and even else None for odd, even in pairs]


def names(group, *words):
    """The cases of a group whose names hold one of the words, or all of them."""
    return [
        name
        for name, case in CASES.items()
        if case.group == group and (not words or any(word in name for word in words))
    ]


EPOCH = [programs.EPOCH]
LARGE_PRODUCTS = [f"matmul n={n}" for n in (256, 512, 1024, 2048)]
COMPUTE_BOUND = [
    *LARGE_PRODUCTS[1:],
    *names("matmul", "256x1024x1024"),
    *names("conv", "(b)", "(c)", "(d)", "(e)"),
]
AT_LEAST, AT_MOST = False, True

TARGETS = [
    Target(*row)
    for row in (
        ("worked example", "an epoch: PyTorch's natural program, times ours", 8, AT_LEAST, "only",
         ratios(EPOCH, "torch", "")),
        ("worked example", "an epoch: TensorFlow's program", 8, AT_LEAST, "only",
         ratios(EPOCH, "tensorflow")),
        ("worked example", "an epoch: the best peer", 4, AT_LEAST, "only", ratios(EPOCH)),
        ("worked example", "the whole process: the best peer", 8, AT_LEAST, "only",
         ratios([programs.PROCESS])),
        ("worked example", "peak memory of the program word for word, MB", 600, AT_MOST, "only",
         values(programs.MEMORY)),
        ("worked example", "peak memory of python -m tinydl train, MB", 250, AT_MOST, "only",
         values(programs.TRAIN_MEMORY)),
        ("matmul", "NumPy, geometric mean", 1, AT_LEAST, "mean", ratios(names("matmul"), "numpy")),
        ("matmul", "NumPy, worst case", 0.85, AT_LEAST, "worst",
         ratios(names("matmul"), "numpy")),
        ("matmul", "share of the machine's peak, n >= 256, worst", 0.75, AT_LEAST, "worst",
         shares(LARGE_PRODUCTS)),
        ("conv", "forward: best peers, geometric mean", 1.2, AT_LEAST, "mean",
         ratios(names("conv", "forward"))),
        ("conv", "kernel gradient: best peers, geometric mean", 1.8, AT_LEAST, "mean",
         ratios(names("conv", "kernel gradient"))),
        ("conv", "input gradient: best peers, geometric mean", 1.1, AT_LEAST, "mean",
         ratios(names("conv", "input gradient"))),
        ("conv", "one channel, forward and kernel gradient: worst", 2, AT_LEAST, "worst",
         ratios(names("conv", "(a)")[:2])),
        ("conv", "every case: best peers, worst", 0.75, AT_LEAST, "worst", ratios(names("conv"))),
        ("pools", "best peers, geometric mean", 3, AT_LEAST, "mean", ratios(names("pool"))),
        ("Adam", "PyTorch's fused one", 1.2, AT_LEAST, "only",
         ratios(["Adam, 1M parameters"], "torch", "fused")),
        ("training steps", "best peers, worst", 1, AT_LEAST, "worst", ratios(names("model"))),
        ("training steps", "small MLP: PyTorch, worst", 3, AT_LEAST, "worst",
         ratios(names("model", "MLP 784-128-10"), "torch")),
        ("training steps", "LeNet-5: PyTorch, worst", 2, AT_LEAST, "worst",
         ratios(names("model", "LeNet-5"), "torch")),
        ("overhead", "an op with recording, over PyTorch's", 1, AT_MOST, "only", inverse_ratio),
        ("overhead", "its share of backward, over PyTorch's", 1.3, AT_MOST, "only",
         backward_ratio),
        ("overhead", "import beyond NumPy's, seconds", 0.05, AT_MOST, "only",
         values(programs.IMPORT)),
        ("overhead", "peak memory with backward, over without", 1.1, AT_MOST, "only",
         values(programs.BACKWARD_MEMORY)),
        ("growth", "log-log slope in the batch, worst", 1.1, AT_MOST, "worst",
         slopes_in_the_batch),
        ("growth", "log-log slope of matmul in n", 3.1, AT_MOST, "only", slope_of_matmul),
        ("growth", "two threads over one, worst compute-bound case", 1.7, AT_LEAST, "worst",
         speedups(COMPUTE_BOUND)),
        ("growth", "odd sizes, rate over that of the even ones, worst", 0.8, AT_LEAST, "worst",
         odd_sizes),
    )
]  # fmt: skip
