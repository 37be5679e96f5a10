# %% [markdown]
# # Assignment 3: your own autograd engine
#
# An engine for derivatives needs no magic: a table of how each array was made, one rule for each
# operation, and a walk back. You write one in about eighty lines. At the end it trains a network on
# MNIST, and it differentiates its own derivatives.
#
# **You learn** what a graph of computations is, why gradients are added where paths meet, what
# broadcasting does to a gradient, in which order to walk, and why rules that are written in the
# engine's own operations give derivatives of every order.
#
# **Time:** 6 to 8 hours, in seven small steps. **Needed before:** tutorials 3 and 4.
#
# **Allowed:** NumPy and the standard library. tinydl is imported only in the last cells.
#
# ## What you hand in
#
# This file, filled in where it says `raise NotImplementedError()`. Keep the names and arguments. The
# steps build on each other: begin with step 1, and run the file after each.
#
# Run `python -m tinydl course check assignment.py` as often as you like. It builds random expressions,
# and prints the smallest one on which your engine is wrong.
#
# ## Points
#
# | property | points | |
# |---|---|---|
# | forward: values and the graph | 10 | |
# | elementwise operations: gradients | 16 | |
# | sum and matrix product: gradients | 12 | |
# | unbroadcast: sums over stretched axes | 8 | |
# | broadcast operands: gradients | 8 | hidden |
# | topological order: inputs before results | 8 | |
# | a tensor that is used several times | 8 | |
# | random expressions: gradients | 6 | hidden |
# | intermediate and unrelated tensors | 4 | hidden |
# | a chain of 10,000 operations | 4 | hidden |
# | fifty doublings | 4 | hidden |
# | second derivatives | 8 | hidden |
# | nothing is changed | 4 | hidden |
#
# Together 100.
#
# ## Common mistakes
#
# - Gradients that replace each other where they should be added: `b = a + a` has the gradient 2.
# - Walking back in the order of a queue. A result's gradient has to be complete before it is passed on:
#   try `b = a + a; c = b + a`.
# - A recursive walk. Python gives up at a depth of 1000.
# - Walking along every path instead of to every tensor: after fifty doublings `a = a + a` there are
#   2^50 paths.
# - A rule that computes with `.data` cuts the graph: its result cannot be differentiated again.
# - A gradient that has the shape of the result instead of the shape of the input.
# - `+=` on an array that somebody else holds, too.

# %%
import numpy as np

# %% [markdown]
# ## 1. Values that remember
#
# A tensor is an array `data`, the operation `op` that made it, and that operation's `inputs`. One that
# you make yourself is a *leaf*: its `op` is None, and it has no inputs. The class is given; its
# operators only call `apply`, which is yours:
#
# $$y = \mathrm{op}(x_1, \ldots, x_k): \qquad
# y.\mathrm{data} = \mathrm{op.forward}(x_1.\mathrm{data}, \ldots, x_k.\mathrm{data})$$
#
# Numbers and arrays among the inputs become leaves. That is the whole of recording.


# %%
class Tensor:
    """An array that remembers how it was made."""

    def __init__(self, data, op=None, inputs=()):
        self.data = np.array(data, dtype=np.float64)
        self.op = op
        self.inputs = tuple(inputs)

    @property
    def shape(self):
        return self.data.shape

    @property
    def T(self):
        """The matrix transposed."""
        return apply(Transpose(), self)

    def reshape(self, shape):
        return apply(Reshape(shape), self)

    def sum(self, axis=None, keepdims=False):
        """The sum over an axis, several (a tuple), or all (None)."""
        return apply(Sum(axis, keepdims), self)

    def exp(self):
        return apply(Exp(), self)

    def log(self):
        return apply(Log(), self)

    def relu(self):
        return apply(Relu(), self)

    def reciprocal(self):
        return apply(Reciprocal(), self)

    def __add__(self, other):
        return apply(Add(), self, other)

    def __mul__(self, other):
        return apply(Multiply(), self, other)

    def __matmul__(self, other):
        return apply(MatMul(), self, other)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -_tensor(other)

    def __truediv__(self, other):
        return self * _tensor(other).reciprocal()

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self.reciprocal() * other

    __radd__ = __add__
    __rmul__ = __mul__


def _tensor(value):
    """The value itself if it is a tensor, otherwise a leaf."""
    return value if isinstance(value, Tensor) else Tensor(value)


# %% [markdown]
# An operation is a class with two methods. `forward` takes arrays and returns an array. `gradients`
# takes the gradient `y_bar` that arrived at the result, the result `y` itself and the inputs, all of
# them tensors, and returns a tuple: for each input $x$ its gradient
#
# $$\bar x_j = \sum_i \bar y_i \, \frac{\partial y_i}{\partial x_j},$$
#
# a tensor that has the shape of $x$. Two operations are given. Look at what they do with `y_bar`: they
# transpose and reshape the *tensor*, so that it is recorded, too, and can be differentiated again.


# %%
class Transpose:
    """y_ij = x_ji."""

    def forward(self, x):
        return x.T

    def gradients(self, y_bar, y, x):
        return (y_bar.T,)


class Reshape:
    """The same numbers in another shape."""

    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        return x.reshape(self.shape)

    def gradients(self, y_bar, y, x):
        return (y_bar.reshape(x.shape),)


# %% nbgrader={"grade": false, "grade_id": "apply", "locked": false, "schema_version": 3, "solution": true, "task": false}
def apply(op, *inputs):
    """Compute an operation and record it.

    op: an object with a method forward(*arrays)
    inputs: tensors, arrays or numbers

    Returns a Tensor with the result, that op, and the inputs as tensors.
    """
    ### BEGIN SOLUTION
    inputs = [_tensor(x) for x in inputs]
    return Tensor(op.forward(*[x.data for x in inputs]), op, inputs)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_apply", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# The cells with tests run in a notebook, and when you run this file, but not when it is imported.
if __name__ == "__main__":
    x = Tensor([[1.0, 2.0, 3.0]])
    y = x.T
    assert y.shape == (3, 1) and y.inputs == (x,) and isinstance(y.op, Transpose)
    assert x.op is None and x.inputs == ()
    assert apply(Transpose(), np.ones((2, 3))).inputs[0].shape == (2, 3)
    print("apply: the examples agree")

# %% [markdown]
# ## 2. Elementwise operations
#
# With $y_i = f(x_i)$ the sum above has one term only, and the rule is one product:
#
# | operation | $y_i$ | gradients |
# |---|---|---|
# | Add | $a_i + b_i$ | $\bar a_i = \bar y_i, \quad \bar b_i = \bar y_i$ |
# | Multiply | $a_i b_i$ | $\bar a_i = \bar y_i b_i, \quad \bar b_i = \bar y_i a_i$ |
# | Exp | $e^{x_i}$ | $\bar x_i = \bar y_i y_i$ |
# | Log | $\ln x_i$ | $\bar x_i = \bar y_i / x_i$ |
# | Reciprocal | $1 / x_i$ | $\bar x_i = -\bar y_i y_i^2$ |
# | Relu | $\max(x_i, 0)$ | $\bar x_i = \bar y_i [x_i > 0]$ |
#
# Write the rules with tensors: `y_bar * y`, not `y_bar.data * y.data`. Only in Relu's
# $[x_i > 0]$ is `x.data` in place: that is a constant wherever it has a derivative at all.
#
# Add and Multiply may broadcast. For now pass their gradients through `unbroadcast`, as the lines
# below do for you; step 4 is about what it does.


# %% nbgrader={"grade": false, "grade_id": "elementwise", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Add:
    """y_i = a_i + b_i; shapes broadcast."""

    def forward(self, a, b):
        return a + b

    def gradients(self, y_bar, y, a, b):
        return unbroadcast(y_bar, a.shape), unbroadcast(y_bar, b.shape)


class Multiply:
    """y_i = a_i b_i; shapes broadcast."""

    def forward(self, a, b):
        return a * b

    def gradients(self, y_bar, y, a, b):
        ### BEGIN SOLUTION
        return unbroadcast(y_bar * b, a.shape), unbroadcast(y_bar * a, b.shape)
        ### END SOLUTION


class Exp:
    """y_i = e^x_i."""

    def forward(self, x):
        return np.exp(x)

    def gradients(self, y_bar, y, x):
        ### BEGIN SOLUTION
        return (y_bar * y,)
        ### END SOLUTION


class Log:
    """y_i = ln x_i."""

    def forward(self, x):
        return np.log(x)

    def gradients(self, y_bar, y, x):
        ### BEGIN SOLUTION
        return (y_bar / x,)
        ### END SOLUTION


class Reciprocal:
    """y_i = 1 / x_i."""

    def forward(self, x):
        return 1.0 / x

    def gradients(self, y_bar, y, x):
        ### BEGIN SOLUTION
        return (-(y_bar * y * y),)
        ### END SOLUTION


class Relu:
    """y_i = max(x_i, 0)."""

    def forward(self, x):
        ### BEGIN SOLUTION
        return np.maximum(x, 0.0)
        ### END SOLUTION

    def gradients(self, y_bar, y, x):
        ### BEGIN SOLUTION
        return (y_bar * Tensor(x.data > 0),)
        ### END SOLUTION


# %% [markdown]
# ## 3. Sum and matrix product
#
# In a sum over some axes each $x$ counts once, so each gets the gradient of the sum it went into. Give
# `y_bar` its lost axes back, as axes of length 1, and multiply by an array of ones in the shape of $x$:
#
# $$y_i = \sum_j x_{ij}, \qquad \bar x_{ij} = \bar y_i$$
#
# The product of two matrices, (m, k) and (k, n):
#
# $$y_{ij} = \sum_k a_{ik} b_{kj}, \qquad
# \bar a_{ik} = \sum_j \bar y_{ij} b_{kj}, \qquad
# \bar b_{kj} = \sum_i a_{ik} \bar y_{ij}$$
#
# Both gradients are matrix products. Which matrix has to be transposed follows from the shapes.


# %% nbgrader={"grade": false, "grade_id": "sum_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Sum:
    """The sum over an axis, several (a tuple), or all (None)."""

    def __init__(self, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def forward(self, x):
        return np.sum(x, axis=self.axis, keepdims=self.keepdims)

    def gradients(self, y_bar, y, x):
        ### BEGIN SOLUTION
        kept = np.sum(x.data, axis=self.axis, keepdims=True).shape
        return (y_bar.reshape(kept) * np.ones(x.shape),)
        ### END SOLUTION


class MatMul:
    """y_ij = sum over k of a_ik b_kj."""

    def forward(self, a, b):
        return a @ b

    def gradients(self, y_bar, y, a, b):
        ### BEGIN SOLUTION
        return y_bar @ b.T, a.T @ y_bar
        ### END SOLUTION


# %% [markdown]
# ## 4. Undoing broadcasting
#
# In `x + b` with shapes (5, 3) and (3,) NumPy uses each $b_j$ five times, once a row. What is used five
# times gets five gradients, and they add up:
#
# $$y_{ij} = x_{ij} + b_j, \qquad \bar b_j = \sum_i \bar y_{ij}$$
#
# In general NumPy writes shapes right-aligned, fills up with ones on the left, and stretches axes of
# length 1. So sum over each axis that was added on the left, and over each that was stretched from 1;
# then reshape to the shape asked for. Use the methods of `Tensor`, so that this is recorded, too.


# %% nbgrader={"grade": false, "grade_id": "unbroadcast", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unbroadcast(x, shape):
    """Sum a tensor over the axes along which an array of `shape` was broadcast to x.shape.

    x: a Tensor
    shape: a tuple that broadcasts to x.shape

    Returns a Tensor of that shape.
    """
    ### BEGIN SOLUTION
    added = len(x.shape) - len(shape)
    aligned = (1,) * added + tuple(shape)
    axes = tuple(i for i, n in enumerate(aligned) if i < added or n != x.shape[i])
    return x.sum(axis=axes, keepdims=True).reshape(shape) if axes else x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_unbroadcast", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    x = Tensor(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(unbroadcast(x, (3,)).data, [3.0, 5.0, 7.0])
    assert np.array_equal(unbroadcast(x, (2, 1)).data, [[3.0], [12.0]])
    assert unbroadcast(x, ()).data == 15.0
    assert np.array_equal(unbroadcast(x, (2, 3)).data, x.data)
    ### BEGIN HIDDEN TESTS
    x = Tensor(np.arange(24.0).reshape(2, 3, 4))
    assert np.array_equal(unbroadcast(x, (3, 1)).data, x.data.sum(axis=(0, 2))[:, None])
    assert np.array_equal(unbroadcast(x, (1, 1, 4)).data, x.data.sum(axis=(0, 1), keepdims=True))
    ### END HIDDEN TESTS
    print("unbroadcast: the examples agree")

# %% [markdown]
# ## 5. The order of the walk
#
# A gradient may be passed on only when it is complete: when all results that used the tensor have
# passed theirs. So list the tensors with all inputs before their results, and later walk that list
# backwards. Take `b = a + a` and `c = b + a`. Right is a, b, c.
#
# The textbook writes: for each input, list it first; then list the tensor. With a set of the tensors
# that are listed already, so that none is listed twice. As a recursion that is four lines, and
# fails for deep graphs. Keep a stack of your own instead: a list of tensors still to do. A tensor
# comes up twice, first to put its inputs on the stack, and then, when they are done, to be listed.
#
# Remember tensors by `id(tensor)`.


# %% nbgrader={"grade": false, "grade_id": "order", "locked": false, "schema_version": 3, "solution": true, "task": false}
def topological_order(y):
    """All tensors that y was made from, and y: each once, inputs before results.

    y: a Tensor

    Returns a list of tensors whose last one is y.
    """
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
    return order
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_order", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    a = Tensor(1.0)
    b = a + a
    c = b + a
    assert [id(t) for t in topological_order(c)] == [id(a), id(b), id(c)]
    assert [id(t) for t in topological_order(a)] == [id(a)]
    ### BEGIN HIDDEN TESTS
    x = a
    for _ in range(3000):
        x = x + a
    order = topological_order(x)
    assert len(order) == 3001 and order[0] is a and order[-1] is x
    ### END HIDDEN TESTS
    print("topological_order: the examples agree")

# %% [markdown]
# ## 6. The chain rule
#
# Now the engine is a table and a loop. The table maps tensors to gradients. It begins with $\bar y$,
# all ones: for a $y$ of several elements this is the gradient of their sum. Walk the order backwards;
# at each tensor take its gradient, ask its op for the gradients of the inputs, and *add* these to what
# the table has for the inputs:
#
# $$\bar x = \sum_{\text{results } y \text{ of } x} \bar y \, \frac{\partial y}{\partial x}$$
#
# Nothing is stored in the tensors. So `grad` can be called twice, and for a second graph that shares
# tensors with the first.


# %% nbgrader={"grade": false, "grade_id": "grad", "locked": false, "schema_version": 3, "solution": true, "task": false}
def grad(y, xs):
    """The gradients of the sum of y with respect to some tensors.

    y: a Tensor
    xs: a list of tensors, leaves or not

    Returns a list with a Tensor for each, of its shape; zeros if y does not depend on it.
    """
    ### BEGIN SOLUTION
    gradient_of = {id(y): Tensor(np.ones(y.shape))}
    for tensor in reversed(topological_order(y)):
        if tensor.op is None:
            continue
        y_bar = gradient_of[id(tensor)]
        x_bars = tensor.op.gradients(y_bar, tensor, *tensor.inputs)
        for x, x_bar in zip(tensor.inputs, x_bars, strict=True):
            so_far = gradient_of.get(id(x))
            gradient_of[id(x)] = x_bar if so_far is None else so_far + x_bar
    return [gradient_of.get(id(x), Tensor(np.zeros(x.shape))) for x in xs]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_grad", "locked": true, "points": 60, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    x, w = Tensor(3.0), Tensor([1.0, -2.0])
    y = (w * x).exp()
    x_bar, w_bar = grad(y, [x, w])
    assert np.allclose(x_bar.data, 1 * np.exp(3) - 2 * np.exp(-6))
    assert np.allclose(w_bar.data, 3 * np.exp([3.0, -6.0]))

    a = Tensor(5.0)
    b = a + a
    c = b + a
    assert [g.data for g in grad(c, [a, b, c])] == [3.0, 1.0, 1.0]

    m, v = Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[5.0], [6.0]])
    m_bar, v_bar = grad((m @ v).relu().log().sum(), [m, v])
    assert np.allclose(m_bar.data, np.array([[5.0, 6.0]]) / [[17.0], [39.0]])
    assert np.allclose(v_bar.data, [[1 / 17 + 3 / 39], [2 / 17 + 4 / 39]])
    ### BEGIN HIDDEN TESTS
    x = Tensor([2.0, -1.0])
    for _ in range(3000):
        x = x + 0.001
    assert np.allclose(grad(x * x, [x])[0].data, 2 * x.data)
    x, other = Tensor(np.ones((4, 3))), Tensor(np.ones(2))
    assert np.array_equal(grad(x, [other])[0].data, np.zeros(2))
    row = Tensor(np.arange(3.0))
    assert np.allclose(grad(x * row / 2.0, [row])[0].data, 2.0)
    ### END HIDDEN TESTS
    print("grad: the examples agree")

# %% [markdown]
# ## 7. Derivatives of derivatives
#
# Nothing is left to do, if your rules compute with tensors: the gradient is then an ordinary tensor
# that remembers how it was made, and `grad` differentiates it like any other.

# %% nbgrader={"grade": true, "grade_id": "test_second", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    x = Tensor(2.0)
    y = x * x * x
    (first,) = grad(y, [x])
    (second,) = grad(first, [x])
    (third,) = grad(second, [x])
    assert (first.data, second.data, third.data) == (12.0, 12.0, 6.0)
    ### BEGIN HIDDEN TESTS
    x = Tensor([0.5, 1.5])
    (first,) = grad(x.log(), [x])
    assert np.allclose(grad(first, [x])[0].data, -1 / x.data**2)
    (first,) = grad(x.reciprocal(), [x])
    assert np.allclose(grad(first, [x])[0].data, 2 / x.data**3)
    ### END HIDDEN TESTS
    print("second derivatives: the examples agree")

# %% [markdown]
# ## 8. Your engine trains a network
#
# Below is a network of two layers, written with your tensors. tinydl gives the images of MNIST and the
# optimizer, whose `update` takes weights, a gradient and its memory, all plain arrays. First your
# gradients are held against tinydl's, number by number. Nothing below is graded.

# %%
if __name__ == "__main__":
    import tinydl
    from tinydl.datasets import mnist
    from tinydl.optimizers import Adam
    from tinydl.utils import to_categorical

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    x_train, x_test = (x.reshape(-1, 784) / 255.0 for x in (x_train, x_test))
    t_train = to_categorical(digits_train).astype(np.float64)

    def logits(x, w1, b1, w2, b2):
        return (x @ w1 + b1).relu() @ w2 + b2

    def mean_cross_entropy(t, z):
        """Of targets t and logits z, both (n, 10)."""
        z = z - z.data.max(axis=1, keepdims=True)
        log_p = z - z.exp().sum(axis=1, keepdims=True).log()
        return (log_p * t).sum() * (-1.0 / len(t))

    rng = np.random.default_rng(0)
    weights = [
        rng.normal(scale=784**-0.5, size=(784, 64)),
        np.zeros(64),
        rng.normal(scale=64**-0.5, size=(64, 10)),
        np.zeros(10),
    ]

    leaves = [Tensor(w) for w in weights]
    yours = grad(mean_cross_entropy(t_train[:50], logits(Tensor(x_train[:50]), *leaves)), leaves)
    leaves = [tinydl.tensor(w, requires_grad=True) for w in weights]
    z = tinydl.ops.relu(x_train[:50] @ leaves[0] + leaves[1]) @ leaves[2] + leaves[3]
    loss = tinydl.losses.categorical_crossentropy(t_train[:50], z, from_logits=True).mean()
    ours = tinydl.grad(loss, leaves)
    for name, g, reference in zip(("w1", "b1", "w2", "b2"), yours, ours, strict=True):
        print(f"{name}: largest difference {np.abs(g.data - reference.numpy()).max():.1e}")

    adam = Adam()
    memory = [[np.zeros_like(w) for _ in adam.slots] for w in weights]
    for step in range(1, 601):
        batch = rng.integers(0, len(x_train), 64)
        leaves = [Tensor(w) for w in weights]
        loss = mean_cross_entropy(t_train[batch], logits(Tensor(x_train[batch]), *leaves))
        for i, g in enumerate(grad(loss, leaves)):
            weights[i], *memory[i] = adam.update(weights[i], g.data, 0.002, step, *memory[i])
        if step % 100 == 0:
            digits = logits(Tensor(x_test), *map(Tensor, weights)).data.argmax(axis=1)
            accuracy = np.mean(digits == digits_test)
            print(f"step {step}: loss {loss.data:.3f}, accuracy on the test images {accuracy:.1%}")

# %% [markdown]
# tinydl's own engine is in `tinydl/engine.py`. Read it now: you know all of it.
