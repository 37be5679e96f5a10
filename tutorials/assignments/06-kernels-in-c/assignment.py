# %% [markdown]
# # Assignment 6: the matrix product and the convolution in C
#
# Training spends its time in two loops. You write both in C, in the file `kernels.c`. It is compiled
# and takes the place of tinydl's own kernels: first it is checked, then it trains a network, then it
# races against ours.
#
# **You learn** how an array of several axes lies in memory, what strides are, what an access outside of
# an array does and how to find it, and why the order of loops can make a program ten times as fast.
#
# **Time:** 6 to 8 hours. **Needed before:** tutorials 9 and 13, and some C: pointers, loops, structs.
#
# **Allowed:** the headers of the C library and `tinydl.h`. No assembler, no other libraries.
#
# ## What you hand in
#
# The file `kernels.c`, which stands beside this one, with the two functions filled in. Keep their names
# and arguments. Functions of your own are welcome; declare them `static`.
#
# Run `python -m tinydl course check kernels.c` as often as you like. It compiles your file, calls your
# functions on random arrays and watches over each access to memory. What is wrong is told with the
# smallest input, or with the line of your file that did it.
#
# ## Points
#
# | property | points | |
# |---|---|---|
# | matmul: value | 20 | |
# | matmul: ragged shapes | 10 | hidden |
# | matmul: transposed and repeated matrices | 12 | |
# | matmul: a sum of nothing is 0 | 4 | hidden |
# | conv: value | 20 | |
# | conv: strides and padding | 12 | |
# | conv: dilation and ragged shapes | 8 | hidden |
# | nan and infinity are not lost | 4 | hidden |
# | twice the same call, twice the same bits | 4 | hidden |
# | matmul: not much slower than the plain loops | 6 | hidden |
#
# Together 100. A property counts only if none of its calls touches memory outside of its arrays. The
# race at the end gives no points.
#
# ## Common mistakes
#
# - `y` is not zero when it arrives. `+=` on it adds to garbage.
# - A loop that goes to `<=`, or steps of four through a length of seven: memory outside of the array.
# - Strides that are ignored: `a` may be a transposed matrix, whose rows are not neighbours, and a batch
#   stride may be 0, when one matrix serves the whole batch.
# - Padding that is read: rows of -1 do not exist. Test each row and column before you use it.
# - A sum in `float`, when `real` is double.
# - Skipping zeros. Zero times infinity is nan, not nothing.
# - `int` for an index: with 2 billion elements it overflows. Use `int64_t`.

# %% [markdown]
# ## 1. The matrix product
#
# $$y_{nij} = \sum_k a_{nik} \, b_{nkj}$$
#
# An array in memory is one long row of numbers. A *stride* says how far it is from one element to the
# next along an axis. A matrix (3, 4) has strides (4, 1), its transpose has the strides exchanged, and no
# number was moved. `kernels.c` gives the formula for the place of each element; `matrices` in `tinydl.h`
# holds sizes and strides. The result `y` is always contiguous.
#
# Write the three loops as the formula has them first. Then exchange them, so that the innermost one
# runs along a row of `b` and a row of `y`: neighbours, of which the processor takes four or eight at
# once. That gives no points, but look at the race.
#
# The next cell compiles your file and tries it.

# %%
from pathlib import Path

import numpy as np

from tinydl import kernels

HERE = Path(__file__).parent if "__file__" in globals() else Path()
MINE = HERE / "kernels.c"

# %% nbgrader={"grade": true, "grade_id": "test_matmul", "locked": true, "points": 56, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    with kernels.use(MINE):
        a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0], [6.0]])
        assert np.array_equal(kernels.matmul(a, b), [[17.0], [39.0]])  # 1 * 5 + 2 * 6 = 17
        assert np.array_equal(kernels.matmul(a.T, b), [[23.0], [34.0]])  # 1 * 5 + 3 * 6 = 23
        a, b = np.ones((2, 3, 4), np.float32), np.arange(4, dtype=np.float32).reshape(4, 1)
        assert np.array_equal(kernels.matmul(a, b), np.full((2, 3, 1), 6.0))
        ### BEGIN HIDDEN TESTS
        rng = np.random.default_rng(0)
        for m, k, n in ((1, 1, 1), (5, 7, 3), (17, 33, 9), (4, 0, 2)):
            a, b = rng.normal(size=(3, k, m)).swapaxes(1, 2), rng.normal(size=(n, k)).T
            assert np.allclose(kernels.matmul(a, b), a @ b)
        ### END HIDDEN TESTS
    print("matmul: the examples agree")

# %% [markdown]
# ## 2. The convolution
#
# $$y_{nijo} = \sum_{p, q, c} x_{n,\; i s_h + p d_h - \mathrm{top},\; j s_w + q d_w - \mathrm{left},\; c}
# \; w_{pqco}$$
#
# Strides $s$, dilation $d$ (the distance between neighbouring elements of the window) and padding are in
# the struct `window`. Padding is not in memory: where the row or the column lies outside of the image,
# the term is zero, and must not be read.

# %% nbgrader={"grade": true, "grade_id": "test_conv", "locked": true, "points": 44, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    with kernels.use(MINE):
        image, ones = np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1))
        y = kernels.conv(image, ones, (1, 1), ((0, 0), (0, 0)), (1, 1))
        assert np.array_equal(y[0, :, :, 0], [[8, 12], [20, 24]])  # 0 + 1 + 3 + 4 = 8
        y = kernels.conv(image, ones, (2, 2), ((1, 0), (1, 0)), (1, 1))
        assert np.array_equal(y[0, :, :, 0], [[0, 3], [9, 24]])
        ### BEGIN HIDDEN TESTS
        rng = np.random.default_rng(1)
        settings = {"strides": (2, 1), "padding": ((1, 2), (0, 1)), "dilation": (1, 2)}
        x, w = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(3, 2, 3, 5))
        y = kernels.conv(x, w, **settings)
        with kernels.use("numpy"):
            assert np.allclose(y, kernels.conv(x, w, **settings))
        ### END HIDDEN TESTS
    print("conv: the examples agree")

# %% [markdown]
# ## 3. Your loops train a network
#
# `kernels.use` takes the path of a C file; whatever it does not define is computed with NumPy. The layers
# below have no activation: with one, tinydl calls kernels that add the bias and take the positive part
# in the same pass (`conv_layer`, `dense_layer`), which are not yours yet. Nothing below is graded.

# %%
if __name__ == "__main__":
    from tinydl.datasets import mnist
    from tinydl.layers import Conv2D, Dense, Flatten, MaxPooling2D
    from tinydl.models import Sequential
    from tinydl.utils import set_random_seed, to_categorical

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    x_train, x_test = x_train[..., None] / 255.0, x_test[..., None] / 255.0

    set_random_seed(0)
    model = Sequential(
        [
            Conv2D(8, (3, 3), padding="same"),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(10, activation="softmax", use_bias=False),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    with kernels.use(MINE):
        kernels.reset_report()
        model.fit(x_train[:12000], to_categorical(digits_train[:12000]), epochs=1, verbose=0)
        served = [row for row in kernels.report() if row.served_by == MINE.name]
        loss, accuracy = model.evaluate(x_test, to_categorical(digits_test), verbose=0)
    for row in served:
        print(f"{row.kernel} was computed by {row.served_by} {row.calls} times")
    print(f"accuracy on the test images: {accuracy:.1%}")

# %% [markdown]
# ## 4. The race
#
# One thread, float32 (NumPy's product takes as many as it likes). GFLOP/s are billions of multiplications and additions in a second; the peak is
# what the processor's own arithmetic can do, measured on this machine. `docs/the-c-core.md` goes from
# the plain loops to ours in five steps: read it, and come back.

# %%
if __name__ == "__main__":
    from tinydl.course.race import race

    print(race(MINE))
