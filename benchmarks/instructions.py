"""Count the instructions of each C kernel, and compare with the counts of last time.

Times differ from run to run; counts do not, so a few percent more are noticed. They say nothing of
caches, and they depend on the compiler: counts of another one are not compared.

    python benchmarks/instructions.py            compare with instructions.json
    python benchmarks/instructions.py --update   write it anew

It needs valgrind, whose tool callgrind watches a list of calls. Only instructions of our own
library are counted, not what it calls in others.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tinydl import kernels

COUNTS = Path(__file__).with_suffix(".json")
INSTRUCTION_SETS = ("baseline", "avx2")
TOLERANCE = 0.05
ONE_THREAD = {"TINYDL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def convolutions():
    """Each case of a convolution, and of its gradients."""
    for name, image, window, stride, padding in (
        ("28x28 1-32 3x3", (8, 28, 28, 1), (3, 3, 1, 32), 1, 0),
        ("13x13 32-64 3x3", (2, 13, 13, 32), (3, 3, 32, 64), 1, 0),
        ("17x17 3-16 5x5 stride 2", (2, 17, 17, 3), (5, 5, 3, 16), 2, 2),
        ("14x14 64-64 1x1", (2, 14, 14, 64), (1, 1, 64, 64), 1, 0),
        ("14x14 32 3x3 depthwise", (2, 14, 14, 32), (3, 3, 1, 32), 1, 1),
    ):
        x, w = normal(*image), normal(*window)
        where = (stride, stride), ((padding, padding), (padding, padding)), (1, 1)
        g = kernels.conv(x, w, *where)
        yield f"conv {name}", kernels.conv, (x, w, *where)
        yield f"conv_input_gradient {name}", kernels.conv_input_gradient, (g, w, x.shape, *where)
        yield f"conv_kernel_gradient {name}", kernels.conv_kernel_gradient, (x, g, w.shape, *where)
    b, where = normal(32), ((1, 1), ((0, 0), (0, 0)), (1, 1))
    inputs = normal(8, 28, 28, 1), normal(3, 3, 1, 32), b, True, *where
    yield "conv_layer 28x28 1-32 3x3", kernels.conv_layer, inputs
    pool = (2, 2), (2, 2), ((0, 0), (0, 0))
    pooled = kernels.conv_max_pool_layer
    yield "conv_max_pool_layer 28x28 1-32 3x3", pooled, (*inputs, *pool)
    x, w = inputs[:2]
    maxima, winners = pooled(*inputs, *pool)
    gradient = x, maxima, winners, w.shape, *where, *pool
    pooled_gradient = kernels.conv_max_pool_layer_gradient
    yield "conv_max_pool_layer_gradient 28x28 1-32 3x3", pooled_gradient, gradient


def products():
    for n in (16, 64, 129):
        yield f"matmul {n}x{n}x{n}", kernels.matmul, (normal(n, n), normal(n, n))
    x, w, b, g = normal(32, 5408), normal(5408, 10), normal(10), normal(32, 10)
    yield "matmul 32x5408x10", kernels.matmul, (x, w)
    yield "matmul 5408x32x10, a transposed", kernels.matmul, (x.T, g)
    yield "matmul 32x10x5408, b transposed", kernels.matmul, (g, w.T)
    yield "dense_layer 32x5408x10", kernels.dense_layer, (x, w, b, False)


def pools():
    for name, shape, size, stride in (
        ("2x2 26x26x32", (4, 26, 26, 32), 2, 2),
        ("3x3 stride 2 13x13x17", (4, 13, 13, 17), 3, 2),
    ):
        x, where = normal(*shape), ((size, size), (stride, stride), ((0, 0), (0, 0)))
        g = kernels.max_pool(x, *where)
        yield f"max_pool {name}", kernels.max_pool, (x, *where)
        yield f"max_pool_gather {name}", kernels.max_pool_gather, (x, x, *where)
        yield f"max_pool_gradient {name}", kernels.max_pool_gradient, (g, x, *where)
        yield f"max_pool_winners {name}", kernels.max_pool_winners, (x, *where)
        _, winners = kernels.max_pool_winners(x, *where)
        yield f"max_unpool {name}", kernels.max_unpool, (g, winners, x.shape, *where)
        yield f"average_pool {name}", kernels.average_pool, (x, *where)
        average = g, x.shape, *where
        yield f"average_pool_gradient {name}", kernels.average_pool_gradient, average


def rows():
    x, b = normal(1000, 32), normal(32)
    yield "relu 1000x32", kernels.relu, (x,)
    yield "relu_gradient 1000x32", kernels.relu_gradient, (x, x)
    yield "add_row 1000x32", kernels.add_row, (x, b)
    yield "sum_rows 1000x32", kernels.sum_rows, (x,)


def functions():
    x, rows = normal(10_000), normal(32, 1000)
    for kernel in (kernels.exp_each, kernels.tanh_each, kernels.sigmoid_each):
        yield f"{kernel.name} 10000", kernel, (x,)
    yield "softmax 32x1000", kernels.softmax, (rows,)
    yield "log_softmax 32x1000", kernels.log_softmax, (rows,)
    yield "softmax_cross_entropy 32x1000", kernels.softmax_cross_entropy, (rows, rows)
    gradient = normal(32), rows, rows
    yield "softmax_cross_entropy_gradient 32x1000", kernels.softmax_cross_entropy_gradient, gradient


def steps():
    w, g, m, v = normal(4, 10_000)
    yield "sgd_step 10000", kernels.sgd_step, (w, g, 0.1)
    yield "momentum_step 10000", kernels.momentum_step, (w, g, v, 0.1, 0.9, False)
    moments = w, g, m, v * v, 0.1, 0.9, 0.999, 1e-7
    yield "adam_step 10000", kernels.adam_step, moments


def calls():
    """(name, kernel, arguments) of each call."""
    groups = products, convolutions, pools, rows, functions, steps
    return [call for make in groups for call in make()]


def do_calls():
    """What callgrind looks at: each call, by each instruction set."""
    from tinydl.kernels.compiled import for_instruction_set

    every = calls()
    for instruction_set in INSTRUCTION_SETS:
        compiled = for_instruction_set(instruction_set)
        for _, kernel, arguments in every:
            getattr(compiled, kernel.name)(*arguments)


def count():
    """{instruction set: {name of the call: instructions}}."""
    names = [(name, kernel.name) for name, kernel, _ in calls()]
    dumps = dumps_after({kernel for _, kernel in names})
    return {
        instruction_set: {
            name: until(dumps, f"{kernel}_float_{instruction_set}") for name, kernel in names
        }
        for instruction_set in INSTRUCTION_SETS
    }


def until(dumps, function):
    """The instructions counted until the function ends."""
    total = 0
    for ended, instructions in dumps:
        total += instructions
        if ended == function:
            return total
    raise RuntimeError(f"{function} was not called, or not in C")


def dumps_after(kernel_names):
    """Do the calls under callgrind; give (function, instructions since the one before it)."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("--compress-strings=no", "--compress-pos=no")  # whole ones, which are easy to read
        ends = [
            f"--dump-after={kernel}_float_{instruction_set}"
            for kernel in kernel_names
            for instruction_set in INSTRUCTION_SETS
        ]
        subprocess.run(
            [
                *("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/dump"),
                *(*names, *ends, sys.executable, __file__, "--call"),
            ],
            check=True,
            env=os.environ | {"TINYDL_KERNELS": "numpy", **ONE_THREAD},
            capture_output=True,
        )
        for number in range(1, len(list(Path(folder).iterdir()))):
            text = Path(folder, f"dump.{number}").read_text()
            ended = re.search(r"^desc: Trigger: --dump-after=(\w+)$", text, re.M)
            yield ended[1], own_instructions(text)


def own_instructions(dump):
    """The instructions of the functions in our own library.

    A dump has lines `ob=library`, then `line count` for its instructions. After a line `calls=`
    comes what a called function took, which is listed as its own, too.
    """
    total, ours, called = 0, False, False
    for line in dump.splitlines():
        if line.startswith("ob="):
            ours = "tinydl/kernels/_compiled" in line
        elif ours and line[:1].isdigit() and not called:
            total += int(line.split()[1])
        called = line.startswith("calls=")
    return total


def uncounted():
    """The kernels that no call counts."""
    return sorted(set(kernels.active()) - {kernel.name for _, kernel, _ in calls()})


def compiler():
    """What compiled the C core, by its own account."""
    from tinydl.kernels import _compiled

    binary = Path(_compiled.__file__).read_bytes()
    found = re.search(rb"clang version [^\0]*", binary) or re.search(rb"GCC: [^\0]*", binary)
    return found[0].decode() if found else "unknown"


def compare(before, now):
    """Print what changed; tell whether something got worse."""
    worse = False
    for instruction_set, counts in now.items():
        for name, instructions in counts.items():
            known = before.get(instruction_set, {}).get(name)
            change = instructions / known - 1 if known else None
            if change is None or abs(change) > TOLERANCE:
                text = "new" if change is None else f"{change:+.1%}"
                print(f"{instruction_set:8} {name:45} {instructions:12,} {text}")
            worse |= change is not None and change > TOLERANCE
    return worse


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help=f"write {COUNTS.name} anew")
    parser.add_argument("--call", action="store_true", help="only do the calls that are counted")
    arguments = parser.parse_args()
    if arguments.call:
        do_calls()
        return 0
    if not shutil.which("valgrind"):
        print("Instructions are not counted: valgrind is not installed.")
        return 0
    before = json.loads(COUNTS.read_text())
    if before["compiler"] != compiler() and not arguments.update:
        print(f"Instructions are not compared: {COUNTS.name} is about {before['compiler']},")
        print(f"and here is {compiler()}.")
        return 0
    now = count()
    if uncounted():
        print("Nobody counts", ", ".join(uncounted()))
    worse = compare(before["counts"], now)
    if arguments.update:
        COUNTS.write_text(json.dumps({"compiler": compiler(), "counts": now}, indent=1) + "\n")
        return 0
    if worse:
        print(f"More instructions by over {TOLERANCE:.0%}: make it less, or run with --update.")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
