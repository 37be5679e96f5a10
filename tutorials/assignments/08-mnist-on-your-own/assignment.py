# %% [markdown]
# # Assignment 8: MNIST on your own
#
# You have written an engine (assignment 3), a loss (2), an optimizer (4) and a convolution (5). Here they
# come together: a convolutional network that learns to read digits, with nothing but NumPy below it and
# nothing in it that is not yours, apart from the max pooling, which is given.
#
# **You learn** how the parts of a framework fit together, to find the part that is wrong when a network
# does not learn, and what batch size, learning rate and initial weights do.
#
# **Time:** 5 to 8 hours. **Needed before:** assignments 2, 3, 4 and 5; tutorials 10 and 11.
#
# **Allowed:** NumPy and the standard library; code of yours from the other assignments. Not tinydl: the
# only part you may take from it is its max pooling, and that stands below already.
# If one of your earlier assignments is not right, ask for its solution once its deadline has passed.
#
# ## What you hand in
#
# This file, with the functions filled in. Three of them are called from outside: `loss_and_gradients`,
# `predict` and `train_and_predict`. Keep their names and arguments. Everything else you may change.
#
# Run `python -m tinydl course check assignment.py` as often as you like: it tries the loss and the
# gradients of your network. The last cell trains as the grader will, and takes about half a minute.
#
# ## Points
#
# | property | points | |
# |---|---|---|
# | loss: value | 10 | |
# | gradients: the dense layer | 10 | |
# | gradients: the convolution | 14 | |
# | predict: the most likely digit | 6 | |
# | large logits: no overflow | 6 | hidden |
# | training: learns the labels that it is given | 8 | hidden |
# | training: same seed, same predictions | 6 | hidden |
# | training: accuracy on unseen images | 40 | hidden |
#
# Together 100. The last property trains once, on 30,000 images, and counts how many of 3,000 others are
# read right: 97 % give 40 points, 95 % give 30, 90 % give 20, 80 % give 10. Only the accuracy counts,
# not the time, as long as the training takes less than three minutes of one processor.
#
# ## Common mistakes
#
# - Pixels from 0 to 255 as they are: the first step then throws the weights far off. Divide by 255.
# - All weights 0 at the beginning: the filters then never differ. Draw them at random, with a standard
#   deviation of $\sqrt{2 / \text{number of inputs}}$.
# - The loss summed over the batch, not averaged: gradients are as many times too large.
# - The images not shuffled, or shuffled without their labels.
# - Everything in float64: right, and half as fast. Cast images and weights to float32 once.
# - Testing parts only together. Compare each gradient with a difference first; the cell under
#   `loss_and_gradients` does it.

# %%
import numpy as np

# %% [markdown]
# ## 1. The engine
#
# As in assignment 3, with one change: gradients are needed once, not differentiated again. So the rules
# here take and return plain arrays, and so does `grad`. `Tensor` keeps the dtype of its array.


# %%
class Tensor:
    """An array that remembers how it was made."""

    def __init__(self, data, op=None, inputs=()):
        self.data = np.asarray(data)
        self.op, self.inputs = op, tuple(inputs)


def apply(op, *inputs):
    """Compute an operation and record it."""
    return Tensor(op.forward(*[x.data for x in inputs]), op, inputs)


class Reshape:
    """The same numbers in another shape."""

    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        return x.reshape(self.shape)

    def gradients(self, y_bar, y, x):
        return (y_bar.reshape(x.shape),)


class MaxPool:
    """The largest of each 2 x 2 pixels; a last odd row or column is dropped."""

    def forward(self, x):
        return np.maximum.reduce(self.corners(x))

    def gradients(self, y_bar, y, x):
        x_bar, taken = np.zeros_like(x), np.zeros(y.shape, bool)
        for corner, corner_bar in zip(self.corners(x), self.corners(x_bar), strict=True):
            wins = (corner == y) & ~taken
            corner_bar[...] = y_bar * wins
            taken |= wins
        return (x_bar,)

    def corners(self, x):
        rows, columns = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
        return [x[:, p:rows:2, q:columns:2] for p in (0, 1) for q in (0, 1)]


# %% [markdown]
# Fill in the rules, with arrays. `AddRow` adds a vector $b$ to the last axis of $x$, whatever the other
# axes are: that is all the broadcasting there is here.
#
# | operation | | gradients |
# |---|---|---|
# | MatMul | $y = a b$ | $\bar a = \bar y b^\top, \quad \bar b = a^\top \bar y$ |
# | AddRow | $y_{\ldots j} = x_{\ldots j} + b_j$ | $\bar x = \bar y, \quad \bar b_j = \sum_{\ldots} \bar y_{\ldots j}$ |
# | Relu | $y_i = \max(x_i, 0)$ | $\bar x_i = \bar y_i [x_i > 0]$ |


# %% nbgrader={"grade": false, "grade_id": "engine", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MatMul:
    """y_ij = sum over k of a_ik b_kj."""

    def forward(self, a, b):
        return a @ b

    def gradients(self, y_bar, y, a, b):
        ### BEGIN SOLUTION
        return y_bar @ b.T, a.T @ y_bar
        ### END SOLUTION


class AddRow:
    """y_...j = x_...j + b_j."""

    def forward(self, x, b):
        return x + b

    def gradients(self, y_bar, y, x, b):
        ### BEGIN SOLUTION
        return y_bar, y_bar.reshape(-1, b.size).sum(axis=0)
        ### END SOLUTION


class Relu:
    """y_i = max(x_i, 0)."""

    def forward(self, x):
        return np.maximum(x, 0)

    def gradients(self, y_bar, y, x):
        ### BEGIN SOLUTION
        return (y_bar * (x > 0),)
        ### END SOLUTION


def grad(y, xs):
    """The gradients of a single number y with respect to some tensors, as arrays."""
    ### BEGIN SOLUTION
    order, seen, to_do = [], set(), [(y, False)]
    while to_do:
        tensor, inputs_are_listed = to_do.pop()
        if inputs_are_listed:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            to_do.append((tensor, True))
            to_do += [(x, False) for x in tensor.inputs]
    gradient_of = {id(y): np.ones_like(y.data)}
    for tensor in reversed(order):
        if tensor.op is not None:
            arrays = [x.data for x in tensor.inputs]
            x_bars = tensor.op.gradients(gradient_of[id(tensor)], tensor.data, *arrays)
            for x, x_bar in zip(tensor.inputs, x_bars, strict=True):
                gradient_of[id(x)] = gradient_of.get(id(x), 0) + x_bar
    return [gradient_of[id(x)] for x in xs]
    ### END SOLUTION


# %% [markdown]
# ## 2. The convolution
#
# From assignment 5, with stride 1 and no padding:
#
# $$y_{nijo} = \sum_{p, q, c} x_{n, i + p, j + q, c} \; w_{pqco}$$
#
# This is where the time goes. Nine products of slices and a (C, O) matrix are fine.


# %% nbgrader={"grade": false, "grade_id": "convolution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Conv:
    """Images (N, H, W, C) and a kernel (KH, KW, C, O) give (N, H - KH + 1, W - KW + 1, O)."""

    def forward(self, x, w):
        ### BEGIN SOLUTION
        taps = self.patches(x, w.shape)
        return (taps @ w.reshape(-1, w.shape[3])).reshape(*self.places(x, w.shape), w.shape[3])
        ### END SOLUTION

    def gradients(self, y_bar, y, x, w):
        ### BEGIN SOLUTION
        flat = y_bar.reshape(-1, w.shape[3])
        w_bar = (self.patches(x, w.shape).T @ flat).reshape(w.shape)
        x_bar = np.zeros_like(x)
        for p in range(w.shape[0]):
            for q in range(w.shape[1]):
                x_bar[:, p : p + y.shape[1], q : q + y.shape[2]] += y_bar @ w[p, q].T
        return x_bar, w_bar

    def places(self, x, shape):
        return x.shape[0], x.shape[1] - shape[0] + 1, x.shape[2] - shape[1] + 1

    def patches(self, x, shape):
        """What each window sees, as the rows of a matrix."""
        windows = np.lib.stride_tricks.sliding_window_view(x, shape[:2], axis=(1, 2))
        return np.moveaxis(windows, 3, 5).reshape(-1, shape[0] * shape[1] * shape[2])
        ### END SOLUTION


# %% [markdown]
# ## 3. The loss
#
# From assignment 2: the mean over the batch of the cross-entropy of the softmax of the logits $z$ and
# the digits $d$, as one operation.
#
# $$L = -\frac1n \sum_i \Big( z_{i d_i} - \ln \sum_k e^{z_{ik}} \Big), \qquad
# \bar z_{ik} = \bar L \, \frac{p_{ik} - [k = d_i]}{n}$$
#
# Subtract the largest logit of each row before you take exponentials.


# %% nbgrader={"grade": false, "grade_id": "loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
class CrossEntropy:
    """The mean cross-entropy of logits (n, 10) and digits (n,)."""

    def __init__(self, digits):
        self.digits = digits

    def forward(self, z):
        ### BEGIN SOLUTION
        rows = np.arange(len(z))
        return -self.log_softmax(z)[rows, self.digits].mean()
        ### END SOLUTION

    def gradients(self, y_bar, y, z):
        ### BEGIN SOLUTION
        p = np.exp(self.log_softmax(z))
        p[np.arange(len(z)), self.digits] -= 1
        return (y_bar * p / len(z),)

    def log_softmax(self, z):
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        ### END SOLUTION


# %% [markdown]
# ## 4. The network
#
# Convolution, bias, relu, max pooling, flattening, and a dense layer that gives ten logits. Its weights
# are a list of four arrays: the kernel (KH, KW, C, O), its bias (O,), the dense weights (F, 10), their
# bias (10,). The functions take any sizes that fit together; images are (N, H, W, C), as floats.


# %% nbgrader={"grade": false, "grade_id": "network", "locked": false, "schema_version": 3, "solution": true, "task": false}
def network(x, weights):
    """The logits of a batch of images; x and the weights are tensors."""
    ### BEGIN SOLUTION
    kernel, kernel_bias, w, w_bias = weights
    seen = apply(Relu(), apply(AddRow(), apply(Conv(), x, kernel), kernel_bias))
    pooled = apply(MaxPool(), seen)
    flat = apply(Reshape((len(x.data), -1)), pooled)
    return apply(AddRow(), apply(MatMul(), flat, w), w_bias)
    ### END SOLUTION


def loss_and_gradients(x, digits, weights):
    """The mean cross-entropy of a batch, and its gradients.

    x: images, (N, H, W, C)
    digits: the right ones, (N,), whole numbers
    weights: a list of four arrays

    Returns the loss, a number, and a list of four arrays.
    """
    ### BEGIN SOLUTION
    leaves = [Tensor(w) for w in weights]
    loss = apply(CrossEntropy(digits), network(Tensor(x), leaves))
    return float(loss.data), grad(loss, leaves)
    ### END SOLUTION


def predict(x, weights):
    """The most likely digit of each image: (N,), whole numbers."""
    ### BEGIN SOLUTION
    return network(Tensor(x), [Tensor(w) for w in weights]).data.argmax(axis=1)
    ### END SOLUTION


# %% [markdown]
# Before you train: is each gradient right? The loss is moved by a random direction $v$ in one array of
# weights, and the difference is held against $\langle \bar w, v \rangle$.

# %% nbgrader={"grade": true, "grade_id": "test_gradients", "locked": true, "points": 46, "schema_version": 3, "solution": false, "task": false}
# The cells with tests run in a notebook, and when you run this file, but not when it is imported.
if __name__ == "__main__":
    rng = np.random.default_rng(0)
    x, digits = rng.normal(size=(3, 8, 8, 1)), np.array([3, 1, 4])
    shapes = {"kernel": (3, 3, 1, 2), "kernel bias": (2,), "dense": (18, 10), "dense bias": (10,)}
    weights = [rng.normal(size=shape) for shape in shapes.values()]
    loss, gradients = loss_and_gradients(x, digits, weights)
    for i, name in enumerate(shapes):
        v = rng.normal(size=weights[i].shape)
        nearby = [
            [w + step * v if k == i else w for k, w in enumerate(weights)] for step in (1e-6, -1e-6)
        ]
        up, down = (loss_and_gradients(x, digits, moved)[0] for moved in nearby)
        difference = (up - down) / 2e-6
        assert np.isclose(np.vdot(gradients[i], v), difference, rtol=1e-4, atol=1e-6), name
    assert predict(x, weights).shape == (3,)
    ### BEGIN HIDDEN TESTS
    huge = [w * 1e4 for w in weights]
    loss, gradients = loss_and_gradients(x, digits, huge)
    assert np.isfinite(loss) and all(np.isfinite(g).all() for g in gradients)
    ### END HIDDEN TESTS
    print("loss_and_gradients: all differences agree")

# %% [markdown]
# ## 5. Training
#
# What is left: draw initial weights, go through shuffled batches several times, and let Adam (assignment
# 4) change the weights after each. Sixteen filters of 3 x 3, batches of 64, and a learning rate of 0.002
# are a good start. All random numbers come from `rng`.
#
# The images arrive as they are in the file: (n, 28, 28), whole numbers from 0 to 255.


# %% nbgrader={"grade": false, "grade_id": "training", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_and_predict(x_train, digits_train, x_test, seed):
    """Train a network, and read digits with it.

    x_train: images, (n, 28, 28), whole numbers from 0 to 255
    digits_train: the right digits, (n,)
    x_test: other images, (m, 28, 28)
    seed: where random numbers begin

    Returns the digits of x_test, (m,), whole numbers.
    """
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    images, others = (x[..., None].astype(np.float32) / 255 for x in (x_train, x_test))
    weights = initial_weights(rng, filters=16)
    memory = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    step = 0
    for epoch in range(EPOCHS):
        learning_rate = 0.003 * 0.5**epoch
        order = rng.permutation(len(images))
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            _, gradients = loss_and_gradients(images[batch], digits_train[batch], weights)
            step += 1
            for i, g in enumerate(gradients):
                weights[i], *memory[i] = adam(weights[i], g, *memory[i], step, learning_rate)
    return np.concatenate([predict(part, weights) for part in np.array_split(others, 10)])


EPOCHS = 5


def initial_weights(rng, filters):
    """Normal numbers, whose variance is 2 / number of inputs, and biases of 0."""
    shapes = (3, 3, 1, filters), (13 * 13 * filters, 10)
    kernel, w = (
        rng.normal(scale=np.sqrt(2 / np.prod(shape[:-1])), size=shape).astype(np.float32)
        for shape in shapes
    )
    return [kernel, np.zeros(filters, np.float32), w, np.zeros(10, np.float32)]


def adam(w, g, m, v, step, learning_rate):
    """One step of Adam: the new w, m and v."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**step), v / (1 - 0.999**step)
    return w - np.float32(learning_rate) * m_hat / (np.sqrt(v_hat) + 1e-7), m, v
    ### END SOLUTION


# %% [markdown]
# This is what the grader does, with other images, and with labels for the test images that your process
# never sees.

# %% nbgrader={"grade": true, "grade_id": "test_training", "locked": true, "points": 54, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    from time import perf_counter

    from tinydl.datasets import mnist  # the images, and nothing else

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    few = slice(0, 1500)
    digits = train_and_predict(x_train[few], digits_train[few], x_test[:1000], seed=0)
    accuracy = np.mean(digits == digits_test[:1000])
    print(f"1,500 images: accuracy {accuracy:.1%}")
    assert accuracy > 0.8

    start = perf_counter()
    digits = train_and_predict(x_train[:30000], digits_train[:30000], x_test[:3000], seed=0)
    accuracy = np.mean(digits == digits_test[:3000])
    print(f"30,000 images: accuracy {accuracy:.1%} after {perf_counter() - start:.0f} seconds")

# %% [markdown]
# ## 6. Beside tinydl
#
# The same network in tinydl. What is the difference in accuracy, and in time, and where does each come
# from? Nothing below is graded.

# %%
if __name__ == "__main__":
    from tinydl.layers import Conv2D, Dense, Flatten, MaxPooling2D
    from tinydl.models import Sequential
    from tinydl.utils import set_random_seed, to_categorical

    set_random_seed(0)
    model = Sequential(
        [
            Conv2D(16, (3, 3), activation="relu"),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    start = perf_counter()
    t_train, t_test = to_categorical(digits_train[:30000]), to_categorical(digits_test[:3000])
    model.fit(x_train[:30000, ..., None] / 255.0, t_train, batch_size=64, epochs=5, verbose=0)
    loss, accuracy = model.evaluate(x_test[:3000, ..., None] / 255.0, t_test, verbose=0)
    print(f"tinydl: accuracy {accuracy:.1%} after {perf_counter() - start:.0f} seconds")
