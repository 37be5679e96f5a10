# %% [markdown]
# # Assignment 7: batch normalization and dropout
#
# Two layers that behave differently in training and in use. Batch normalization brings every
# feature to mean 0 and variance 1 over the batch. Dropout leaves features out at random. You write
# both, with their gradients, and put them into a network.
#
# **You learn** to find a gradient through a mean and a variance, to tell training from inference,
# and to test something random.
#
# **Time:** 5 hours, two of them for the gradient in part 3. **Needed before:** assignments 1 and 3,
# and tutorials 11 and 12.
#
# **Allowed:** NumPy and the standard library. tinydl is imported only in the last cells.
#
# ## What you hand in
#
# This file, with the six functions filled in. Keep their names and arguments. Replace the lines
# `raise NotImplementedError()`. You may add functions of your own.
#
# Run `python -m tinydl course check assignment.py` as often as you like. It tries your functions on
# random inputs, and prints the smallest input on which one is wrong.
#
# ## Points
#
# | property | points | |
# |---|---|---|
# | batch norm in training: formula | 12 | |
# | batch norm in training: images | 6 | hidden |
# | batch norm in training: mean and variance of the result | 6 | hidden |
# | batch norm in training: a feature that never changes | 4 | hidden |
# | running averages: formula | 6 | |
# | batch norm at inference: formula | 6 | |
# | batch norm at inference: a sample counts alone | 4 | hidden |
# | gradients of gamma and beta: formula | 8 | |
# | gradient of x: formula | 14 | |
# | gradient of x: agrees with differences, on images too | 10 | hidden |
# | dropout: what is kept is scaled up | 6 | |
# | dropout: share and independence | 6 | hidden |
# | dropout: the generator decides | 3 | hidden |
# | dropout at inference: nothing happens | 3 | |
# | dropout: gradient | 4 | |
# | inputs are left as they were | 2 | |
#
# Together 100.
#
# ## Common mistakes
#
# - Means over all axes, or over the features. The mean is over samples (and pixels): one for each
#   feature, so over all axes but the last.
# - The variance divided by $n - 1$. Here it is divided by $n$.
# - Epsilon added to the root. Here it is added to the variance, under the root.
# - A gradient of x that forgets that the mean and the variance change with x, too.
# - 0.99 and 0.01 swapped in the running averages.
# - Statistics of the batch used at inference: then the answer for a patient depends on who else is
#   in the batch.
# - Dropout without the factor $1 / (1 - r)$, or with $1 / r$, or active at inference.
# - `np.random.rand` in place of the generator that is given: then nobody can repeat your result.

# %%
import numpy as np

# %% [markdown]
# ## 1. Batch normalization in training
#
# The last axis of x counts the features; all axes before it count samples, and pixels if there are
# any. Let $i$ run over all $n$ of these places, and $c$ over the features:
#
# $$\mu_c = \frac{1}{n} \sum_i x_{ic}, \qquad
# s_c = \frac{1}{n} \sum_i (x_{ic} - \mu_c)^2, \qquad
# \hat x_{ic} = \frac{x_{ic} - \mu_c}{\sqrt{s_c + \epsilon}}, \qquad
# y_{ic} = \gamma_c \, \hat x_{ic} + \beta_c$$
#
# With $\gamma$ and $\beta$, which are learned, the layer can undo the normalization where that is
# better. As in Keras, $\epsilon = 10^{-3}$.
#
# Source: Ioffe & Szegedy, *Batch normalization*, ICML 2015.


# %% nbgrader={"grade": false, "grade_id": "batch_norm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_norm(x, gamma, beta, epsilon=1e-3):
    """Normalize each feature over the batch.

    x: array of shape (..., C), for example (N, C) or (N, H, W, C)
    gamma, beta: arrays of shape (C,)

    Returns (y, mean, variance), of shapes (..., C), (C,) and (C,).
    """
    ### BEGIN SOLUTION
    places = tuple(range(x.ndim - 1))
    mean = np.mean(x, axis=places)
    variance = np.mean((x - mean) ** 2, axis=places)
    y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return y, mean, variance
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_batch_norm", "locked": true, "points": 30, "schema_version": 3, "solution": false, "task": false}
# The cells with tests run in a notebook, and when you run this file, but not when it is imported.
if __name__ == "__main__":
    x, gamma, beta = (
        np.array([[1.0, 10.0], [3.0, 50.0]]),
        np.array([1.0, 2.0]),
        np.array([0.0, 5.0]),
    )
    y, mean, variance = batch_norm(x, gamma, beta)
    assert np.allclose(mean, [2.0, 30.0]) and np.allclose(variance, [1.0, 400.0])
    assert np.allclose(y, [[-0.99950037, 3.0000025], [0.99950037, 6.9999975]])
    assert np.array_equal(x, [[1.0, 10.0], [3.0, 50.0]])  # the input is what it was
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(1)
    images = rng.normal(3, 2, size=(4, 3, 5, 2))
    flat = images.reshape(-1, 2)
    y, mean, variance = batch_norm(images, np.ones(2), np.zeros(2))
    assert np.allclose(mean, flat.mean(0)) and np.allclose(variance, flat.var(0))
    assert np.allclose(y.reshape(-1, 2), (flat - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-3))
    y, _, _ = batch_norm(np.full((1, 3), 7.0), np.ones(3), np.array([1.0, 2.0, 3.0]))
    assert np.allclose(y, [[1.0, 2.0, 3.0]])
    ### END HIDDEN TESTS
    print("batch norm in training: the examples agree")

# %% [markdown]
# ## 2. Batch normalization at inference
#
# In use there may be a single sample, and its result must not depend on others. So the layer keeps
# running averages of the means and variances it has seen in training. After each batch:
#
# $$r \leftarrow \rho \, r + (1 - \rho) \, b \qquad \rho = 0.99$$
#
# with $r$ the running average and $b$ the mean (or variance) of the batch. At inference they take
# the place of the statistics of the batch: in the formula of $y$ above, $\mu$ and $s$ are the
# running ones.


# %% nbgrader={"grade": false, "grade_id": "inference", "locked": false, "schema_version": 3, "solution": true, "task": false}
def update_running(running, batch, momentum=0.99):
    """The next running average; running and batch are arrays of one shape."""
    ### BEGIN SOLUTION
    return momentum * running + (1 - momentum) * batch
    ### END SOLUTION


def batch_norm_inference(x, gamma, beta, running_mean, running_variance, epsilon=1e-3):
    """Normalize each feature by the running averages.

    x: array of shape (..., C)
    gamma, beta, running_mean, running_variance: arrays of shape (C,)

    Returns y, of the shape of x.
    """
    ### BEGIN SOLUTION
    return gamma * (x - running_mean) / np.sqrt(running_variance + epsilon) + beta
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_inference", "locked": true, "points": 16, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    assert np.allclose(update_running(np.array([1.0]), np.array([2.0])), [1.01])
    x, mean, variance = np.array([[4.0]]), np.array([2.0]), np.array([4.0])
    y = batch_norm_inference(x, np.array([3.0]), np.array([1.0]), mean, variance)
    assert np.allclose(y, [[3.99962505]])  # 3 * (4 - 2) / 2 + 1 = 4, but for epsilon
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(2)
    x, gamma, beta, mean = (rng.normal(size=shape) for shape in ((5, 3), 3, 3, 3))
    together = batch_norm_inference(x, gamma, beta, mean, np.ones(3))
    alone = [batch_norm_inference(row[None], gamma, beta, mean, np.ones(3))[0] for row in x]
    assert np.allclose(together, alone)
    ### END HIDDEN TESTS
    print("batch norm at inference: the examples agree")

# %% [markdown]
# ## 3. The gradient of batch normalization
#
# A gradient $g$ of the shape of $y$ arrives, $g_{ic} = \partial L / \partial y_{ic}$. Two of the
# three gradients are sums:
#
# $$\frac{\partial L}{\partial \beta_c} = \sum_i g_{ic}, \qquad
# \frac{\partial L}{\partial \gamma_c} = \sum_i g_{ic} \, \hat x_{ic}$$
#
# The third one takes paper. Each $x_{ic}$ acts in three ways: directly, through $\mu_c$, and
# through $s_c$. All three together give
#
# $$\frac{\partial L}{\partial x_{ic}} = \frac{\gamma_c}{\sqrt{s_c + \epsilon}}
# \Big( g_{ic} - \frac{1}{n} \sum_j g_{jc}
# - \hat x_{ic} \, \frac{1}{n} \sum_j g_{jc} \, \hat x_{jc} \Big)$$
#
# The two subtracted terms are what the gradient would have changed about mean and variance, and
# cannot, since both are fixed by the normalization.


# %% nbgrader={"grade": false, "grade_id": "batch_norm_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_norm_gradient(g, x, gamma, epsilon=1e-3):
    """The gradients of batch_norm.

    g: array of the shape of x, the gradient that arrives from above
    x: array of shape (..., C), the input of batch_norm
    gamma: array of shape (C,)

    Returns the gradients of (x, gamma, beta), of shapes (..., C), (C,) and (C,).
    """
    ### BEGIN SOLUTION
    places = tuple(range(x.ndim - 1))
    root = np.sqrt(np.var(x, axis=places) + epsilon)
    normalized = (x - np.mean(x, axis=places)) / root
    mean_g = np.mean(g, axis=places)
    mean_product = np.mean(g * normalized, axis=places)
    x_bar = gamma / root * (g - mean_g - normalized * mean_product)
    return x_bar, np.sum(g * normalized, axis=places), np.sum(g, axis=places)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_batch_norm_gradient", "locked": true, "points": 32, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    x = np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 5.0]])
    g = np.array([[1.0, 2.0], [-1.0, 0.5], [0.5, -1.0]])
    gamma, beta = np.array([2.0, -1.0]), np.array([0.0, 1.0])
    x_bar, gamma_bar, beta_bar = batch_norm_gradient(g, x, gamma)
    assert x_bar.shape == (3, 2) and gamma_bar.shape == (2,)
    assert np.allclose(beta_bar, [0.5, 1.5])
    # A difference agrees: L = sum(g * y) changes with x as x_bar says.
    step = np.zeros((3, 2))
    step[2, 1] = 1e-5
    above, below = (np.sum(g * batch_norm(x + s, gamma, beta)[0]) for s in (step, -step))
    assert np.isclose((above - below) / 2e-5, x_bar[2, 1], atol=1e-6)
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(3)
    for shape in ((4, 3), (2, 2, 3, 2)):
        x, g, gamma, v = (rng.normal(size=s) for s in (shape, shape, shape[-1], shape))
        beta = np.zeros(shape[-1])
        x_bar, gamma_bar, _ = batch_norm_gradient(g, x, gamma)
        above, below = (np.sum(g * batch_norm(x + s * v, gamma, beta)[0]) for s in (1e-5, -1e-5))
        assert np.isclose((above - below) / 2e-5, np.sum(x_bar * v), atol=1e-6)
        ones = np.ones(shape[-1])
        assert np.isclose(np.sum(gamma_bar), np.sum(g * batch_norm(x, ones, beta)[0]))
    ### END HIDDEN TESTS
    print("gradient of batch norm: the examples agree")

# %% [markdown]
# ## 4. Dropout
#
# In training, each element is dropped with probability $r$, the rate, independently of all others.
# What is kept is scaled up, so that the expected value of $y_i$ is still $x_i$:
#
# $$y_i = m_i \, x_i, \qquad m_i = \begin{cases} 0 & \text{with probability } r \\
# 1 / (1 - r) & \text{otherwise} \end{cases}$$
#
# At inference all $m_i$ are 1. The gradient knows which elements were kept:
# $\bar x_i = m_i \, g_i$. So the function returns $m$ as well.
#
# All randomness comes from the generator that is given, a `numpy.random.Generator`:
# `generator.random(shape)` is uniform between 0 and 1.
#
# Source: Srivastava et al., *Dropout*, JMLR 15, 2014.


# %% nbgrader={"grade": false, "grade_id": "dropout", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dropout(x, rate, generator, training=True):
    """Drop elements at random, and scale up the others.

    x: array of any shape
    rate: a number from 0 up to, but not including, 1
    generator: a numpy.random.Generator
    training: if False, nothing is dropped

    Returns (y, m), both of the shape of x.
    """
    ### BEGIN SOLUTION
    if not training:
        return x.copy(), np.ones_like(x)
    m = (generator.random(x.shape) >= rate) / (1 - rate)
    return x * m, m
    ### END SOLUTION


def dropout_gradient(g, m):
    """The gradient of x, from the gradient g of y and the m that dropout returned with that y."""
    ### BEGIN SOLUTION
    return g * m
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_dropout", "locked": true, "points": 22, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    x = np.linspace(1.0, 2.0, 1000)
    y, m = dropout(x, 0.2, np.random.default_rng(0))
    assert set(np.unique(m)) == {0.0, 1.25}
    assert np.array_equal(y, m * x)
    assert 140 < np.sum(y == 0) < 260  # 200 are expected
    assert np.array_equal(dropout(x, 0.2, np.random.default_rng(0), training=False)[0], x)
    assert np.array_equal(dropout_gradient(np.ones(1000), m), m)
    ### BEGIN HIDDEN TESTS
    x = np.ones((200, 50))
    y, _ = dropout(x, 0.5, np.random.default_rng(1))
    assert 20 < np.var(np.sum(y == 0, axis=0)) < 100  # 50 are expected where all are independent
    assert 5 < np.var(np.sum(y == 0, axis=1)) < 25
    again, _ = dropout(x, 0.5, np.random.default_rng(1))
    assert np.array_equal(y, again)
    assert np.array_equal(dropout(x, 0.0, np.random.default_rng(1))[0], x)
    ### END HIDDEN TESTS
    print("dropout: the examples agree")

# %% [markdown]
# ## 5. Your layers in a network
#
# A layer of tinydl makes its weights in `build` and computes in `call`. What happens to arrays,
# forwards and backwards, is an `Op`: a function and a rule for the gradient of each input. Both
# call what you have written. Nothing below is graded.

# %%
if __name__ == "__main__":
    from tinydl import tensor
    from tinydl.datasets import mnist
    from tinydl.engine import Op, rule
    from tinydl.layers import Activation, Dense, Layer
    from tinydl.models import Sequential
    from tinydl.utils import set_random_seed, to_categorical

    class YourBatchNorm(Op):
        input_names = ("x", "gamma", "beta")
        formula = r"y_{ic} = \gamma_c (x_{ic} - \mu_c) / \sqrt{s_c + \epsilon} + \beta_c"

        def forward(self, x, gamma, beta):
            y, self.mean, self.variance = batch_norm(x, gamma, beta)
            return y

        @rule(r"\bar x: see part 3")
        def x(self, g, y, x, gamma, beta):
            return tensor(batch_norm_gradient(g.data, x.data, gamma.data)[0])

        @rule(r"\bar\gamma_c = \sum_i g_{ic} \hat x_{ic}")
        def gamma(self, g, y, x, gamma, beta):
            return tensor(batch_norm_gradient(g.data, x.data, gamma.data)[1])

        @rule(r"\bar\beta_c = \sum_i g_{ic}")
        def beta(self, g, y, x, gamma, beta):
            return tensor(batch_norm_gradient(g.data, x.data, gamma.data)[2])

    class YourBatchNormalization(Layer):
        def build(self, input_shape):
            features = (input_shape[-1],)
            self.gamma = self.add_weight(features, "ones", name="gamma")
            self.beta = self.add_weight(features, "zeros", name="beta")
            self.mean = self.add_weight(features, "zeros", trainable=False, name="mean")
            self.variance = self.add_weight(features, "ones", trainable=False, name="variance")

        def call(self, inputs, training=False):
            if not training:
                weights = (w.data for w in (self.gamma, self.beta, self.mean, self.variance))
                return tensor(batch_norm_inference(inputs.data, *weights))
            op = YourBatchNorm()
            y = op(inputs, self.gamma, self.beta)
            self.mean.assign(update_running(self.mean.data, op.mean))
            self.variance.assign(update_running(self.variance.data, op.variance))
            return y

    class YourDropoutOp(Op):
        input_names = ("x",)
        formula = r"y_i = m_i x_i"

        def __init__(self, rate, generator):
            self.rate, self.generator = rate, generator

        def forward(self, x):
            y, self.m = dropout(x, self.rate, self.generator)
            return y.astype(x.dtype)

        @rule(r"\bar x_i = m_i g_i")
        def x(self, g, y, x):
            return tensor(dropout_gradient(g.data, self.m))

    class YourDropout(Layer):
        def __init__(self, rate):
            super().__init__()
            self.rate, self.generator = rate, np.random.default_rng(0)

        def call(self, inputs, training=False):
            if training:
                return YourDropoutOp(self.rate, self.generator)(inputs)
            return tensor(dropout(inputs.data, self.rate, self.generator, training=False)[0])

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    x_train, x_test = (x.reshape(-1, 784).astype("float32") / 255 for x in (x_train, x_test))
    t_train, t_test = to_categorical(digits_train), to_categorical(digits_test)

# %% [markdown]
# Only 2000 images to learn from, thirty times each: enough to learn them by heart. Look at how far
# the training loss falls below the test loss, and what your layers change about it.

# %%
if __name__ == "__main__":
    hidden_layers = {
        "plain": lambda: [Dense(128, activation="relu")],
        "with your batch norm": lambda: [Dense(128), YourBatchNormalization(), Activation("relu")],
        "with your dropout": lambda: [Dense(128, activation="relu"), YourDropout(0.5)],
    }
    print(f"{'network':22}{'training loss':>14}{'test loss':>11}{'test accuracy':>15}")
    for name, layers in hidden_layers.items():
        set_random_seed(1)
        model = Sequential([*layers(), Dense(10, activation="softmax")])
        model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
        model.fit(x_train[:2000], t_train[:2000], batch_size=50, epochs=30, verbose=0)
        known, _ = model.evaluate(x_train[:2000], t_train[:2000], verbose=0)
        loss, accuracy = model.evaluate(x_test, t_test, verbose=0)
        print(f"{name:22}{known:14.4f}{loss:11.4f}{accuracy:15.1%}")
