# %% [markdown]
# # Assignment 2: softmax and cross-entropy
#
# A network that chooses between $K$ classes ends in $K$ scores, called *logits*. The softmax makes
# probabilities of them, and the cross-entropy says how surprised these are by what happened. You
# write both, so that no score is too large for them, with the first derivative and the second.
#
# **You learn** to keep sums of exponentials in range (the *log-sum-exp* trick), to derive a
# gradient on paper and find it short, and to multiply by a Hessian without ever forming it.
#
# **Time:** 3 hours. **Needed before:** assignment 1, and tutorial 5.
#
# **Allowed:** NumPy and the standard library. tinydl is imported only in the last cells.
#
# ## What you hand in
#
# This file, with the five functions filled in. Keep their names and arguments. Replace the lines
# `raise NotImplementedError()`. You may add functions of your own.
#
# Run `python -m tinydl course check assignment.py` as often as you like. It tries your functions on
# random inputs, and prints the smallest input on which one is wrong.
#
# ## Points
#
# | property | points | |
# |---|---|---|
# | softmax: formula | 10 | |
# | softmax: probabilities, unchanged when all scores are moved | 8 | hidden |
# | softmax: large logits | 8 | |
# | log-softmax: formula | 8 | |
# | log-softmax: large logits | 8 | hidden |
# | cross-entropy: formula | 12 | |
# | cross-entropy: large logits | 8 | hidden |
# | cross-entropy: targets that are probabilities | 6 | hidden |
# | gradient: formula | 12 | |
# | gradient: agrees with differences of the loss | 8 | hidden |
# | Hessian-vector product: formula | 5 | |
# | Hessian-vector product: agrees with differences of the gradient | 5 | hidden |
# | inputs are left as they were | 2 | |
#
# Together 100. The Hessian is a bonus: 90 points are a complete solution without it.
#
# ## Common mistakes
#
# - The softmax over the wrong axis: each *row* adds up to 1, not each column.
# - A lost `keepdims=True`: shapes (N, K) and (N,) do not fit, or, worse, they fit when N = K.
# - Subtracting the largest score of the whole batch in place of the largest of each row. A row far
#   below it then becomes 0 / 0.
# - `np.log(softmax(z))`: the softmax of a score far below the others is rounded to 0, and its
#   logarithm is `-inf`. The true value is an ordinary number such as -2000.
# - The gradient with the wrong sign, or divided by N. There is one loss for each sample here, so
#   nothing is averaged.

# %%
import numpy as np

# %% [markdown]
# ## 1. Softmax
#
# For one sample with the scores $z_1, \dots, z_K$:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# The scores lie along the last axis; all other axes only count samples. A constant added to all
# scores of a sample multiplies numerator and denominator by the same number, so it changes nothing.
# Choose the constant such that the largest score becomes 0. Then no exponential is above 1, at
# least one is 1, and the sum lies between 1 and $K$: nothing overflows and nothing is divided by 0.


# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(z):
    """Probabilities from scores.

    z: array of shape (..., K); each element between -10,000 and 10,000

    Returns an array of the same shape; it adds up to 1 along the last axis.
    """
    ### BEGIN SOLUTION
    exponentials = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return exponentials / np.sum(exponentials, axis=-1, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_softmax", "locked": true, "points": 26, "schema_version": 3, "solution": false, "task": false}
# The cells with tests run in a notebook, and when you run this file, but not when it is imported.
if __name__ == "__main__":
    z = np.array([[0.0, np.log(3.0)], [1000.0, 1000.0]])
    assert np.allclose(softmax(z), [[0.25, 0.75], [0.5, 0.5]])
    ### BEGIN HIDDEN TESTS
    z = np.random.default_rng(1).normal(scale=3, size=(2, 3, 4))
    p = softmax(z)
    assert np.allclose(p.sum(axis=-1), 1)
    assert np.allclose(p, softmax(z + 700.0))
    assert np.allclose(p[1, 2], np.exp(z[1, 2]) / sum(np.exp(z[1, 2])))
    assert np.allclose(
        softmax(np.array([[1e4, 1e4 - 1], [-1e4, -1e4 - 1]])), softmax(np.array([[1.0, 0.0]] * 2))
    )
    ### END HIDDEN TESTS
    print("softmax: the examples agree")

# %% [markdown]
# ## 2. The logarithm of the softmax
#
# $$\ln p_k = z_k - \ln \sum_j e^{z_j}$$
#
# The cross-entropy needs logarithms of probabilities. Taken from the formula above they never pass
# through the probability, which may be too small for a floating-point number. The same constant as
# before helps: with $m = \max_j z_j$,
#
# $$\ln \sum_j e^{z_j} = m + \ln \sum_j e^{z_j - m}$$


# %% nbgrader={"grade": false, "grade_id": "log_softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_softmax(z):
    """The logarithm of softmax(z), of the shape of z (..., K), and never infinite."""
    ### BEGIN SOLUTION
    lowered = z - np.max(z, axis=-1, keepdims=True)
    return lowered - np.log(np.sum(np.exp(lowered), axis=-1, keepdims=True))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_log_softmax", "locked": true, "points": 16, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    z = np.array([[0.0, np.log(3.0)], [0.0, -2000.0]])
    assert np.allclose(log_softmax(z), [[np.log(0.25), np.log(0.75)], [0.0, -2000.0]])
    ### BEGIN HIDDEN TESTS
    assert np.allclose(
        log_softmax(np.array([[1e4, -1e4, 1e4]])), [[-np.log(2), -2e4 - np.log(2), -np.log(2)]]
    )
    z = np.random.default_rng(2).normal(scale=3, size=(5, 4))
    assert np.allclose(np.exp(log_softmax(z)), softmax(z))
    ### END HIDDEN TESTS
    print("log-softmax: the examples agree")

# %% [markdown]
# ## 3. Cross-entropy
#
# The target of a sample is a row $t$ that adds up to 1: usually a single 1 at the right class
# ("one-hot"), sometimes probabilities. The loss of a sample is
#
# $$L_n = -\sum_k t_{nk} \ln p_{nk}$$
#
# It is computed from the logits. There is one number for each sample; whoever calls takes the mean.


# %% nbgrader={"grade": false, "grade_id": "cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy(t, z):
    """The cross-entropy of each sample, from logits.

    t: array of shape (N, K), targets; each row adds up to 1
    z: array of shape (N, K), logits

    Returns an array of shape (N,).
    """
    ### BEGIN SOLUTION
    return -np.sum(t * log_softmax(z), axis=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_cross_entropy", "locked": true, "points": 26, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    t = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    z = np.array([[0.0, np.log(3.0)], [0.0, np.log(3.0)], [0.0, -2000.0]])
    assert np.allclose(cross_entropy(t, z), [-np.log(0.75), -np.log(0.25), 2000.0])
    ### BEGIN HIDDEN TESTS
    z = np.random.default_rng(3).normal(scale=3, size=(4, 5))
    for t in (np.eye(5)[[0, 4, 2, 2]], softmax(z[::-1])):
        expected = [
            -sum(t[n, k] * (z[n, k] - np.log(sum(np.exp(z[n])))) for k in range(5))
            for n in range(4)
        ]
        assert np.allclose(cross_entropy(t, z), expected)
    ### END HIDDEN TESTS
    print("cross-entropy: the examples agree")

# %% [markdown]
# ## 4. The gradient
#
# Derive $\partial L_n / \partial z_{nk}$ on paper. Begin with
# $L = -\sum_j t_j z_j + \ln \sum_j e^{z_j}$, in which $\sum_j t_j = 1$ has been used already. The
# result is one of the shortest in this field:
#
# $$\frac{\partial L_n}{\partial z_{nk}} = p_{nk} - t_{nk}$$
#
# A prediction that is right by its probability pulls no further, one that is wrong pulls with all
# its probability, and no exponential is left that could blow up.


# %% nbgrader={"grade": false, "grade_id": "gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy_gradient(t, z):
    """The derivative of each sample's loss with respect to its logits.

    t, z: arrays of shape (N, K), as for cross_entropy

    Returns an array of shape (N, K).
    """
    ### BEGIN SOLUTION
    return softmax(z) - t
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_gradient", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    t, z = np.array([[0.0, 1.0]]), np.array([[0.0, np.log(3.0)]])
    assert np.allclose(cross_entropy_gradient(t, z), [[0.25, -0.25]])
    # A difference agrees: move one logit a little, see what the loss does.
    step = np.array([[1e-5, 0.0]])
    slope = (cross_entropy(t, z + step) - cross_entropy(t, z - step)) / 2e-5
    assert np.allclose(slope, cross_entropy_gradient(t, z)[:, 0])
    ### BEGIN HIDDEN TESTS
    z = np.random.default_rng(4).normal(scale=2, size=(3, 4))
    t = np.eye(4)[[3, 0, 0]]
    for k in range(4):
        step = 1e-5 * np.eye(4)[k]
        slope = (cross_entropy(t, z + step) - cross_entropy(t, z - step)) / 2e-5
        assert np.allclose(slope, cross_entropy_gradient(t, z)[:, k], atol=1e-7)
    ### END HIDDEN TESTS
    print("gradient: the examples agree")

# %% [markdown]
# ## 5. Bonus: the Hessian, times a vector
#
# The second derivatives of one sample's loss are a matrix of shape $(K, K)$:
#
# $$H_{jk} = \frac{\partial^2 L}{\partial z_j \, \partial z_k} = p_j \, [j = k] - p_j \, p_k$$
#
# Methods that look at the curvature of a loss only ever need its product with some vector $v$. Put
# the formula into $\sum_k H_{jk} v_k$ and simplify: no matrix is left, only sums along a row.
#
# $$(H v)_j = p_j \Big( v_j - \sum_k p_k v_k \Big)$$


# %% nbgrader={"grade": false, "grade_id": "hessian", "locked": false, "schema_version": 3, "solution": true, "task": false}
def hessian_vector_product(t, z, v):
    """The Hessian of each sample's loss with respect to its logits, times that sample's row of v.

    t, z: arrays of shape (N, K), as for cross_entropy
    v: array of shape (N, K)

    Returns an array of shape (N, K).
    """
    ### BEGIN SOLUTION
    p = softmax(z)
    return p * (v - np.sum(p * v, axis=-1, keepdims=True))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_hessian", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    t, z, v = np.array([[0.0, 1.0]]), np.array([[0.0, np.log(3.0)]]), np.array([[1.0, 0.0]])
    assert np.allclose(hessian_vector_product(t, z, v), [[0.1875, -0.1875]])  # 0.25 * 0.75
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(5)
    z, v, t = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), np.eye(4)[[1, 2, 3]]
    step = 1e-5 * v
    slope = (cross_entropy_gradient(t, z + step) - cross_entropy_gradient(t, z - step)) / 2e-5
    assert np.allclose(hessian_vector_product(t, z, v), slope, atol=1e-8)
    ### END HIDDEN TESTS
    print("Hessian-vector product: the examples agree")

# %% nbgrader={"grade": true, "grade_id": "test_manners", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    t, z = np.eye(2), np.array([[1.0, 2.0], [3.0, 5.0]])
    softmax(z), log_softmax(z), cross_entropy(t, z), cross_entropy_gradient(t, z)
    assert np.array_equal(t, np.eye(2)) and np.array_equal(z, [[1.0, 2.0], [3.0, 5.0]])
    print("inputs: left as they were")

# %% [markdown]
# ## 6. Your code trains a network
#
# tinydl lets you replace its inner loops, which it calls *kernels*, by your own. Below, the loss of
# a network for MNIST and its gradient are yours: every step of the training begins with your
# $p - t$. The factor `g` is what arrives from above, here $1 / N$ for the mean. Nothing below is
# graded.

# %%
if __name__ == "__main__":
    from types import SimpleNamespace

    from tinydl import kernels
    from tinydl.datasets import mnist
    from tinydl.layers import Dense
    from tinydl.models import Sequential
    from tinydl.utils import set_random_seed, to_categorical

    mine = SimpleNamespace(
        __name__="you",
        softmax=softmax,
        log_softmax=log_softmax,
        softmax_cross_entropy=cross_entropy,
        softmax_cross_entropy_gradient=lambda g, t, z: g[:, None] * cross_entropy_gradient(t, z),
    )

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    x_train, x_test = (x.reshape(-1, 784).astype("float32") / 255 for x in (x_train, x_test))

    set_random_seed(1)
    kernels.reset_report()
    with kernels.use(mine):
        model = Sequential([Dense(64, activation="relu"), Dense(10, activation="softmax")])
        model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
        model.fit(
            x_train[:12000],
            to_categorical(digits_train[:12000]),
            batch_size=64,
            epochs=2,
            verbose=0,
        )
        loss, accuracy = model.evaluate(x_test, to_categorical(digits_test), verbose=0)
    print(kernels.report())
    print(f"\nOn the test images: cross-entropy {loss:.4f}, accuracy {accuracy:.1%}")
