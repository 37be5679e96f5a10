# %% [markdown]
# # Assignment 1: forward pass and losses
#
# A network is a chain of a few functions. In this assignment you write the ones that every network
# has: a dense layer, three activations, and three losses. At the end a network computes with them.
#
# **You learn** to compute with a whole batch at once, to keep shapes apart, and to notice where
# exponentials and logarithms leave the range of floating-point numbers.
#
# **Time:** 2 to 3 hours. **Needed before:** NumPy's broadcasting, and tutorials 1 and 2.
#
# **Allowed:** NumPy and the standard library. tinydl is imported only in the last cells.
#
# ## What you hand in
#
# This file, with the seven functions filled in. Keep their names and arguments. Replace the lines
# `raise NotImplementedError()`. You may add functions of your own.
#
# Run `python -m tinydl course check assignment.py` as often as you like. It tries your functions on
# random inputs, and prints the smallest input on which one is wrong.
#
# ## Points
#
# | property | points | |
# |---|---|---|
# | dense: formula | 14 | |
# | dense: any number of samples and features | 6 | hidden |
# | relu: formula | 6 | |
# | sigmoid: formula | 8 | |
# | sigmoid: large numbers | 8 | hidden |
# | tanh: formula | 4 | |
# | tanh: large numbers | 6 | hidden |
# | activations: symmetries on arrays of any shape | 4 | hidden |
# | mean squared error: formula | 10 | |
# | mean squared error: arrays of any shape | 3 | hidden |
# | mean absolute error: formula | 6 | |
# | mean absolute error: arrays of any shape | 3 | hidden |
# | binary cross-entropy: formula | 10 | |
# | binary cross-entropy: certain predictions | 6 | hidden |
# | inputs are left as they were | 3 | |
# | no loops over samples | 3 | |
#
# Together 100. Each property is tried on random inputs, so a table of right answers earns nothing.
# A slow answer is still right, except for the last property.
#
# ## Common mistakes
#
# - The mean over the wrong axis, or a sum in place of the mean.
# - `x *= ...` or `out=x`: this changes the caller's array. Make a new one.
# - A quotient of two huge exponentials: `inf / inf` is `nan`.
# - The logarithm of 0. A prediction of exactly 0 or 1 has to be moved inwards first.
# - The natural logarithm is `np.log`. `np.log10` and `np.log2` are not it.

# %%
import numpy as np

# %% [markdown]
# ## 1. The dense layer
#
# A batch has $N$ samples, each with $C$ numbers: a matrix $x$ of shape $(N, C)$, one sample a row.
# The layer has weights $w$ of shape $(C, O)$ and a bias $b$ of shape $(O,)$. Each of its $O$
# outputs is a weighted sum of all inputs of that sample:
#
# $$y_{no} = \sum_c x_{nc} \, w_{co} + b_o$$
#
# Written for one sample this is a product of a vector and a matrix; for the batch it is one product
# of two matrices. Let NumPy do the loops: they are the same loops, about a hundred times faster.


# %% nbgrader={"grade": false, "grade_id": "dense", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense(x, w, b):
    """A dense layer on a batch.

    x: array of shape (N, C), one sample a row
    w: array of shape (C, O)
    b: array of shape (O,)

    Returns an array of shape (N, O).
    """
    ### BEGIN SOLUTION
    return x @ w + b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_dense", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
# The cells with tests run in a notebook, and when you run this file, but not when it is imported.
if __name__ == "__main__":
    x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    w = np.array([[1.0, 0.0, 2.0, -1.0], [0.0, 1.0, 1.0, 1.0]])
    b = np.array([0.5, 0.0, 0.0, -1.0])
    y = dense(x, w, b)
    assert y.shape == (3, 4)
    assert np.allclose(y[0], [1.5, 2.0, 4.0, 0.0])  # 1 * 1 + 2 * 0 + 0.5 = 1.5, and so on
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(1)
    for samples, inputs, outputs in ((1, 1, 1), (1, 5, 2), (4, 1, 3), (7, 5, 1), (3, 3, 3)):
        x, w, b = (
            rng.normal(size=(samples, inputs)),
            rng.normal(size=(inputs, outputs)),
            rng.normal(size=outputs),
        )
        y = dense(x, w, b)
        assert y.shape == (samples, outputs)
        for n in range(samples):
            for o in range(outputs):
                assert np.isclose(y[n, o], sum(x[n, c] * w[c, o] for c in range(inputs)) + b[o])
    ### END HIDDEN TESTS
    print("dense: the examples agree")

# %% [markdown]
# ## 2. Activations
#
# Without something bent between them, two dense layers are no more than one. The bends:
#
# $$\mathrm{relu}(x) = \max(x, 0) \qquad
# \sigma(x) = \frac{1}{1 + e^{-x}} \qquad
# \tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}$$
#
# They work on each element, and the array may have any shape. Inputs may be large: up to 10,000 in
# either direction. There $e^{10000}$ is `inf`, but the answer is a number between -1 and 1. So look
# for a form that never divides `inf` by `inf`. Two hints: $\sigma(x) = e^x / (1 + e^x)$ is the
# same function, and $\tanh(x) = 2 \sigma(2 x) - 1$.


# %% nbgrader={"grade": false, "grade_id": "activations", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(x):
    """The positive part of each element; the result has the shape of x."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION


def sigmoid(x):
    """The logistic function of each element; the result has the shape of x."""
    ### BEGIN SOLUTION
    small = np.exp(-np.abs(x))  # at most 1, so nothing overflows
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))
    ### END SOLUTION


def tanh(x):
    """The hyperbolic tangent of each element; the result has the shape of x."""
    ### BEGIN SOLUTION
    return 2 * sigmoid(2 * x) - 1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_activations", "locked": true, "points": 36, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    x = np.array([[-2.0, 0.0, 3.0]])
    assert np.array_equal(relu(x), [[0.0, 0.0, 3.0]])
    assert np.allclose(sigmoid(x), [[0.11920292, 0.5, 0.95257413]])
    assert np.allclose(tanh(x), [[-0.96402758, 0.0, 0.99505475]])
    assert np.array_equal(x, [[-2.0, 0.0, 3.0]])  # the input is what it was
    ### BEGIN HIDDEN TESTS
    x = np.array([-1e4, -800.0, 800.0, 1e4])
    assert np.allclose(sigmoid(x), [0, 0, 1, 1])
    assert np.allclose(tanh(x), [-1, -1, 1, 1])
    x = np.random.default_rng(2).normal(scale=3, size=(2, 3, 4))
    assert np.allclose(relu(x) - relu(-x), x)
    assert np.allclose(sigmoid(x) + sigmoid(-x), 1)
    assert np.allclose(tanh(x), np.tanh(x))
    ### END HIDDEN TESTS
    print("activations: the examples agree")

# %% [markdown]
# ## 3. Losses
#
# A loss says in one number how far the predictions $y$ are from the targets $t$. Both arrays have
# the same shape. Let $n$ be the number of elements, all of them: samples times outputs.
#
# $$L_\text{squared} = \frac{1}{n} \sum_i (y_i - t_i)^2 \qquad
# L_\text{absolute} = \frac{1}{n} \sum_i |y_i - t_i|$$
#
# For answers of the kind yes or no, $t_i$ is 1 or 0 and $y_i$ is the predicted probability of a
# yes. The cross-entropy is the mean surprise at what really happened:
#
# $$L_\text{binary} = -\frac{1}{n} \sum_i \Big( t_i \ln y_i + (1 - t_i) \ln (1 - y_i) \Big)$$
#
# A prediction of exactly 0 or 1 would be infinitely surprised if it is wrong. So $y_i$ is first
# moved into the interval from $\epsilon$ to $1 - \epsilon$, with $\epsilon = 10^{-7}$; Keras does
# the same.


# %% nbgrader={"grade": false, "grade_id": "losses", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mean_squared_error(t, y):
    """The mean of the squared differences; t and y have one shape, the result is one number."""
    ### BEGIN SOLUTION
    return np.mean((y - t) ** 2)
    ### END SOLUTION


def mean_absolute_error(t, y):
    """The mean of the absolute differences; t and y have one shape, the result is one number."""
    ### BEGIN SOLUTION
    return np.mean(np.abs(y - t))
    ### END SOLUTION


def binary_cross_entropy(t, y):
    """The mean surprise at yes-or-no answers.

    t: array of zeros and ones
    y: array of the same shape, predicted probabilities from 0 to 1

    Returns one number, which is never infinite.
    """
    ### BEGIN SOLUTION
    y = np.clip(y, 1e-7, 1 - 1e-7)
    return -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_losses", "locked": true, "points": 38, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    t, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 4.0], [3.0, 3.0]])
    assert np.isclose(mean_squared_error(t, y), 1.25)  # (0 + 4 + 0 + 1) / 4
    assert np.isclose(mean_absolute_error(t, y), 0.75)
    t, y = np.array([1.0, 0.0]), np.array([0.5, 0.2])
    assert np.isclose(binary_cross_entropy(t, y), 0.45814536)  # -(ln 0.5 + ln 0.8) / 2
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(3)
    for shape in ((1,), (5,), (3, 1), (2, 3, 4)):
        t, y = rng.normal(size=shape), rng.normal(size=shape)
        pairs = list(zip(t.ravel(), y.ravel(), strict=True))
        assert np.isclose(
            mean_squared_error(t, y), sum((a - b) ** 2 for a, b in pairs) / len(pairs)
        )
        assert np.isclose(mean_absolute_error(t, y), sum(abs(a - b) for a, b in pairs) / len(pairs))
    t, y = np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0, 1.0])
    assert np.isclose(binary_cross_entropy(t, y), -np.log(1e-7) / 2, rtol=0.02)
    ### END HIDDEN TESTS
    print("losses: the examples agree")

# %% nbgrader={"grade": true, "grade_id": "test_manners", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    x, t = np.linspace(-2.0, 2.0, 6).reshape(2, 3), np.eye(2, 3)
    before = x.copy()
    for activation in (relu, sigmoid, tanh):
        activation(x)
    for loss in (mean_squared_error, mean_absolute_error):
        loss(t, x)
    assert np.array_equal(x, before) and np.array_equal(t, np.eye(2, 3))
    ### BEGIN HIDDEN TESTS
    y = np.array([[0.0, 0.5, 1.0]])
    binary_cross_entropy(np.ones((1, 3)), y)
    assert np.array_equal(y, [[0.0, 0.5, 1.0]])
    ### END HIDDEN TESTS
    print("inputs: left as they were")

# %% [markdown]
# ## 4. Your code in a network
#
# tinydl lets you replace its inner loops, which it calls *kernels*, by your own. From here on every
# dense layer is yours, and so are the activations. Nothing below is graded.
#
# The network learns to tell the digit 8 from the others: one yes or no, so one sigmoid at the end.
# tinydl finds the gradients; in assignment 3 you will.

# %%
if __name__ == "__main__":
    from types import SimpleNamespace

    from tinydl import kernels
    from tinydl.datasets import mnist
    from tinydl.layers import Dense
    from tinydl.models import Sequential
    from tinydl.utils import set_random_seed

    def dense_layer(a, w, b, relu):
        """tinydl asks for a dense layer with or without relu in one call."""
        y = dense(a, w, b)
        return mine.relu(y) if relu else y

    mine = SimpleNamespace(
        __name__="you", dense_layer=dense_layer, relu=relu, sigmoid_each=sigmoid, tanh_each=tanh
    )

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    x_train, x_test = (x.reshape(-1, 784).astype("float32") / 255 for x in (x_train, x_test))
    t_train, t_test = ((d == 8).astype("float32")[:, None] for d in (digits_train, digits_test))

    set_random_seed(1)
    kernels.reset_report()
    with kernels.use(mine):
        model = Sequential([Dense(32, activation="relu"), Dense(1, activation="sigmoid")])
        model.compile(optimizer="adam", loss="binary_crossentropy")
        model.fit(x_train[:12000], t_train[:12000], batch_size=64, epochs=2, verbose=0)
        y_test = model.predict(x_test, verbose=0)
    print(kernels.report())

# %% [markdown]
# The rows *served by you* are yours. How good is the network? Your losses say it:

# %%
if __name__ == "__main__":
    for loss in (mean_squared_error, mean_absolute_error, binary_cross_entropy):
        always_the_same = np.full_like(y_test, t_train.mean())
        network, constant = loss(t_test, y_test), loss(t_test, always_the_same)
        print(f"{loss.__name__:21}  network {network:.4f}   a constant {constant:.4f}")
    right = np.mean((y_test > 0.5) == t_test)
    print(f"Of the test images, the network judges {right:.1%} right;")
    print(f"who always says 'not an 8' judges {1 - t_test.mean():.1%} right.")
