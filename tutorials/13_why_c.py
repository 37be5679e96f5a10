# %% [markdown]
# # Why C: one loop in Python, NumPy and C
#
# Nearly all of the time of a training goes into one formula, the matrix product:
#
# $$y_{ij} = \sum_k a_{ik} b_{kj}$$
#
# For matrices of $n$ by $n$ these are $n^3$ multiplications and as many additions: 524,288
# operations for $n = 64$. In Python each of them is a search for what `*` means, two numbers
# unpacked from objects and a new object for the result. A processor could do dozens in that time.
# How fast a loop is, is counted in operations a second: GFLOP/s are thousands of millions of them.

# %%
from time import perf_counter

import numpy as np

from tinydl import kernels

rng = np.random.default_rng(0)


def gflops(compute, operations, seconds=0.1):
    """The best of several tries, as other programs may get in between."""
    times = []
    while len(times) < 2 or sum(times) < seconds:
        start = perf_counter()
        compute()
        times.append(perf_counter() - start)
    return operations / min(times) / 1e9


def matrices(n):
    return rng.standard_normal((2, n, n), dtype="float32")


def product_in_python(a, b):
    """Loops over lists of lists."""
    columns = list(zip(*b, strict=True))
    y = []
    for row in a:
        y_row = []
        for column in columns:
            total = 0.0
            for k in range(len(row)):
                total += row[k] * column[k]
            y_row.append(total)
        y.append(y_row)
    return y


n = 64
a, b = matrices(n)
lists = a.tolist(), b.tolist()
assert np.allclose(product_in_python(*lists), a @ b, atol=1e-4)
print(f"n = {n}: {2 * n**3:,} operations")

# %%
speeds = {"Python loops": gflops(lambda: product_in_python(*lists), 2 * n**3)}
print(f"in Python {speeds['Python loops']:.3f} GFLOP/s")

# %% [markdown]
# ## NumPy: the inner loop is in C
#
# NumPy's operations are loops in C over whole arrays. If the innermost of the three loops becomes
# such an operation, Python is asked once for each row of b, and not for each number of it. The
# longer the rows, the less it matters that Python is slow: 64 numbers are hardly worth the asking,
# 4,096 are.


# %%
def product_by_rows(a, b):
    """Add to each row of y a multiple of each row of b."""
    y = np.zeros((len(a), b.shape[1]), a.dtype)
    for i in range(len(a)):
        for k in range(len(b)):
            y[i] += a[i, k] * b[k]
    return y


for width in (64, 512, 4096):
    a = rng.standard_normal((4, 128), dtype="float32")
    b = rng.standard_normal((128, width), dtype="float32")
    assert np.allclose(product_by_rows(a, b), a @ b, atol=1e-3)
    speed = gflops(lambda a=a, b=b: product_by_rows(a, b), 2 * 4 * 128 * width)
    print(f"NumPy, rows of {width:,}: {speed:.3f} GFLOP/s")
speeds["NumPy by rows"] = speed

# %% [markdown]
# ## C, in your own file
#
# This is a kernel of tinydl, in two orders of the same three loops. In the first order, the inner
# loop walks down a column of b: each number lies a whole row of memory behind the one before, and
# each addition waits for the last. In the second one it walks along a row of b and a row of y:
# neighbours in memory, independent sums, which the compiler does 4 at a time. Nothing else is
# changed.
#
# `kernels.use` compiles the file and takes it for the product. `check_kernel` tries it on 65 cases:
# ragged and empty shapes, transposed inputs, both precisions.

# %%
BY_SUMS = """
#include "tinydl.h"
#define A(i, k) a[n * s->a_batch_stride + (i) * s->a_row_stride + (k) * s->a_term_stride]
#define B(k, j) b[n * s->b_batch_stride + (k) * s->b_term_stride + (j) * s->b_column_stride]
#define Y(i, j) y[(n * s->rows + (i)) * s->columns + (j)]

int matmul(const real *restrict a, const real *restrict b, real *restrict y, const matrices *s,
           int threads)
{
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->rows; i++)
            for (int64_t j = 0; j < s->columns; j++) {
                Y(i, j) = 0;
                for (int64_t k = 0; k < s->terms; k++)
                    Y(i, j) += A(i, k) * B(k, j);
            }
    return 0;
}
"""
ALONG_ROWS = (
    BY_SUMS[: BY_SUMS.index("            for (int64_t j")]
    + """\
        {
            for (int64_t j = 0; j < s->columns; j++)
                Y(i, j) = 0;
            for (int64_t k = 0; k < s->terms; k++)
                for (int64_t j = 0; j < s->columns; j++)
                    Y(i, j) += A(i, k) * B(k, j);
        }
    return 0;
}
"""
)

import os
import shutil
import tempfile
from pathlib import Path

from tinydl.testing import check_kernel

n = 256
a, b = matrices(n)
if shutil.which(os.environ.get("CC", "cc")):
    with tempfile.TemporaryDirectory() as folder:
        for name, source in (("C, sum by sum", BY_SUMS), ("C, along rows", ALONG_ROWS)):
            path = Path(folder) / "mine.c"
            path.write_text(source)
            report = check_kernel("matmul", path)
            assert report.passed == report.tried
            with kernels.use(path):
                speeds[name] = gflops(lambda: kernels.matmul(a, b), 2 * n**3)
            print(f"{name}: {report}, {speeds[name]:.2f} GFLOP/s")
else:
    print("no C compiler found: the 65 cases are not tried, and 4 at a time is not to be had")

# %% [markdown]
# ## All of them
#
# The fast product of tinydl is the second order, with what
# [docs/the-c-core.md](../docs/the-c-core.md) explains step by step: sums that stay in registers,
# blocks that stay in a cache, the widest vectors the processor has. NumPy's `@` is a library that
# has been polished for decades. tinydl is told to take one thread here; NumPy's library takes as
# many as it likes.

# %%
threads = kernels.get_num_threads()
kernels.set_num_threads(1)
n = 512
a, b = matrices(n)
assert np.allclose(kernels.matmul(a, b), a @ b, atol=1e-2)
served_by = kernels.active()["matmul"]
speeds[f"tinydl, {served_by}"] = gflops(lambda: kernels.matmul(a, b), 2 * n**3)
speeds["NumPy's @"] = gflops(lambda: a @ b, 2 * n**3)
kernels.set_num_threads(threads)
for name, speed in speeds.items():
    times = speed / speeds["Python loops"]
    print(f"{name:20} {speed:9.3f} GFLOP/s   {times:9,.0f} times the Python loops")
assert speeds["NumPy's @"] > 10 * speeds["Python loops"]

# %% [markdown]
# ## The roofline
#
# A loop cannot be faster than the processor's arithmetic, and it cannot be faster than its numbers
# arrive. With $I$ operations for each byte that comes from memory or goes there,
#
# $$\text{speed} \le \min(\text{peak}, \; I \cdot \text{bandwidth})$$
#
# Over $I$ that is a roof with a slope and a flat part. An addition of two arrays does one operation
# for 12 bytes (two numbers of 4 bytes read, one written), 0.083 for each, and stands at the foot of
# the slope, in any language. A product of $(m, k)$ and $(k, m)$ does more with each byte the longer
# its sums are:
#
# $$I = \frac{2 m^2 k}{4 (2 m k + m^2)}$$
#
# One kernel, from $k = 1$ to 128, so climbs the slope and arrives at the flat part. Only there is
# it worth while to polish the arithmetic; on the slope the only thing that helps is to move fewer
# bytes, as tinydl does when it adds the bias and takes the relu before a product's sums leave the
# registers.
#
# The roof here is made of what we can see: the fastest product on one thread, and the speed of a
# copy of an array as large as the result. `python -m benchmarks.steps` measures the machine itself,
# and [the picture there](../docs/images/roofline.png) has roofs for the caches, too.
#
# ![Speed over operations for each byte: products climb the slope up to the
# roof](../docs/images/tutorials/13_why_c.png)
#
# Source: Williams, Waterman & Patterson, *Roofline: an insightful visual performance model for
# multicore architectures*, Communications of the ACM 52(4), 2009.

# %%
m = 768
one, other, result = rng.standard_normal((3, m, m), dtype="float32")
bandwidth = gflops(lambda: np.copyto(result, one), 2 * one.nbytes)  # billions of bytes a second
points = {"add": (1 / 12, gflops(lambda: np.add(one, other, out=result), one.size))}
print(f"a copy moves {bandwidth:.1f} GB/s; an addition: {1 / 12:.3f} operations a byte")

kernels.set_num_threads(1)
for k in (1, 2, 4, 8, 16, 32, 64, 128):
    a, b = rng.standard_normal((m, k), "float32"), rng.standard_normal((k, m), "float32")
    intensity = 2 * m * m * k / (4 * (2 * m * k + m * m))
    points[f"k = {k}"] = (
        intensity,
        gflops(lambda a=a, b=b: kernels.matmul(a, b), 2 * m * m * k),
    )
kernels.set_num_threads(threads)
for name, (intensity, speed) in points.items():
    print(f"{name:8} {intensity:8.3f} operations a byte   {speed:8.2f} GFLOP/s")

# %%
from importlib.util import find_spec

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.2, 4), layout="constrained")
    peak = max(speeds[f"tinydl, {served_by}"], *(speed for _, speed in points.values()))
    intensities = np.geomspace(0.05, 100, 100)
    axes.loglog(intensities, np.minimum(peak, bandwidth * intensities), "0.6", label="roof")
    axes.plot(*zip(*points.values(), strict=True), "C0o", label="tinydl's product; add")
    for name in ("add", "k = 1", "k = 8", "k = 32", "k = 128"):
        axes.annotate(name, points[name], textcoords="offset points", xytext=(5, -11), fontsize=8)
    for name in ("Python loops", "NumPy by rows", "C, sum by sum", "C, along rows"):
        if name in speeds:
            axes.axhline(speeds[name], color="C3", linewidth=0.7, linestyle=":")
            axes.annotate(
                name, (100, speeds[name]), fontsize=8, color="C3", ha="right", va="bottom"
            )
    axes.set(xlabel="operations for each byte moved", ylabel="GFLOP/s")
    axes.legend(loc="upper left", fontsize=8)
    if "TINYDL_PICTURES" in os.environ:
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / "13_why_c.png", dpi=90)

# %% [markdown]
# ## Exercises
#
# 1. There are six orders of three loops. Write all of them in C and race them; explain the best and
#    the worst by what the inner loop walks along. ([assignment 6](assignments/06-kernels-in-c/))
# 2. Take 4 rows of a at once in the second order, so that each number of b that was fetched is used
#    4 times. How much does it gain, and where does the point go in the picture? (The same
#    assignment asks for the share of your machine's peak.)
# 3. Where would a relu stand, a softmax, the step of Adam? Which of the ops of your network stand
#    on the slope? ([assignment 8](assignments/08-mnist-on-your-own/))
#
# What these loops compute, element by element: `python -m tinydl explain conv`.
