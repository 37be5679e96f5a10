# %% [markdown]
# # Assignment 4: update rules, from gradient descent to Adam
#
# The gradient says which way is downhill. An update rule says how far to go, and what to remember
# of the gradients before. You write six rules, each as a function of arrays, and each of them then
# trains a network on MNIST.
#
# **You learn** what each rule adds to the one before, why Adam corrects its first steps, and to
# write functions with state that never change what they are given.
#
# **Time:** 3 to 4 hours. **Needed before:** tutorials 6 and 7.
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
# | gradient descent: one step | 6 | |
# | momentum: one step | 10 | |
# | Nesterov: one step | 10 | |
# | Adagrad: one step | 10 | |
# | RMSprop: one step | 10 | |
# | Adam: one step | 14 | |
# | Adam: the first step is as long as the learning rate | 6 | hidden |
# | Adam: gradients of another scale, the same steps | 6 | hidden |
# | momentum and Nesterov: a sequence of steps | 4 | hidden |
# | Adagrad, RMSprop and Adam: a sequence of steps | 4 | hidden |
# | zero gradients: no step, no nan | 5 | hidden |
# | epsilon: where the formula has it | 5 | hidden |
# | two parameters in turn: no state is shared | 5 | hidden |
# | inputs are left as they were | 5 | |
#
# Together 100.
#
# ## Common mistakes
#
# - `v *= beta` changes the caller's array. Write `v = beta * v`.
# - State kept in a global variable: two parameters then share it. All state comes in as arguments
#   and goes out as results.
# - Adam without its corrections, or with the exponent off by one: the first step has `step = 1`.
# - Returning the corrected averages of Adam as its state. They are used for the step only.
# - Epsilon inside the root. In all formulas here it stands outside.
# - The new state in the step where the formula has the old one, or the other way round. All
#   formulas are to be read from left to right: what was assigned is used from there on.

# %%
import numpy as np

# %% [markdown]
# ## 1. Gradient descent, momentum, Nesterov
#
# A weight array $w$, its gradient $g$ of the same shape, a learning rate $\eta$:
#
# $$w \leftarrow w - \eta g$$
#
# Momentum remembers a velocity $v$, which begins at 0 and fades by a factor $\beta$ in each step.
# What points to and fro cancels, what points the same way adds up:
#
# $$v \leftarrow \beta v - \eta g, \qquad w \leftarrow w + v$$
#
# Nesterov's variant also steps by what the new velocity will do next:
#
# $$v \leftarrow \beta v - \eta g, \qquad w \leftarrow w + \beta v - \eta g$$
#
# Each function takes what is remembered as an argument and returns the new weights first, then the
# new memory. It never changes an array that it was given.


# %% nbgrader={"grade": false, "grade_id": "momentum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_descent(w, g, learning_rate):
    """One step against the gradient.

    w, g: arrays of one shape
    learning_rate: a number

    Returns the new weights, an array of that shape.
    """
    ### BEGIN SOLUTION
    return w - learning_rate * g
    ### END SOLUTION


def momentum(w, g, v, learning_rate, beta=0.9):
    """One step with momentum.

    w, g, v: arrays of one shape; v is the velocity

    Returns (new w, new v).
    """
    ### BEGIN SOLUTION
    v = beta * v - learning_rate * g
    return w + v, v
    ### END SOLUTION


def nesterov(w, g, v, learning_rate, beta=0.9):
    """One step with Nesterov's momentum; arguments and results as in momentum."""
    ### BEGIN SOLUTION
    v = beta * v - learning_rate * g
    return w + beta * v - learning_rate * g, v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_momentum", "locked": true, "points": 35, "schema_version": 3, "solution": false, "task": false}
# The cells with tests run in a notebook, and when you run this file, but not when it is imported.
if __name__ == "__main__":
    w, g, v = np.array([1.0, 2.0]), np.array([10.0, -20.0]), np.array([0.5, 0.5])
    assert np.allclose(gradient_descent(w, g, 0.01), [0.9, 2.2])
    new_w, new_v = momentum(w, g, v, 0.01)
    assert np.allclose(new_v, [0.35, 0.65])  # 0.9 * 0.5 - 0.01 * 10 = 0.35
    assert np.allclose(new_w, [1.35, 2.65])
    new_w, new_v = nesterov(w, g, v, 0.01)
    assert np.allclose(new_v, [0.35, 0.65])
    assert np.allclose(new_w, [1.215, 2.785])  # 1 + 0.9 * 0.35 - 0.1 = 1.215
    assert np.array_equal(w, [1.0, 2.0]) and np.array_equal(v, [0.5, 0.5])
    ### BEGIN HIDDEN TESTS
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(6, 2, 3))
    for rule, ahead in ((momentum, 0.0), (nesterov, 1.0)):
        w, v, w_, v_ = np.ones((2, 3)), np.zeros((2, 3)), np.ones((2, 3)), np.zeros((2, 3))
        for g in gradients:
            w, v = rule(w, g, v, 0.1, beta=0.8)
            v_ = 0.8 * v_ - 0.1 * g
            w_ = w_ + (1 - ahead) * v_ + ahead * (0.8 * v_ - 0.1 * g)
        assert np.allclose(w, w_) and np.allclose(v, v_)
    ### END HIDDEN TESTS
    print("gradient descent, momentum, Nesterov: the examples agree")

# %% [markdown]
# ## 2. Adagrad and RMSprop
#
# One learning rate for all weights is a poor fit: some have large gradients, some rare ones. Both
# rules divide by the size that the gradients of a weight had so far, element by element. Adagrad
# takes the root of the sum $a$ of all squares, which begins at 0:
#
# $$a \leftarrow a + g^2, \qquad w \leftarrow w - \eta \, \frac{g}{\sqrt{a} + \epsilon}$$
#
# That sum only grows, and steps get shorter for ever. RMSprop takes a mean that forgets:
#
# $$a \leftarrow \rho \, a + (1 - \rho) \, g^2, \qquad
# w \leftarrow w - \eta \, \frac{g}{\sqrt{a} + \epsilon}$$
#
# The small $\epsilon$ stands outside the root. It matters where all gradients so far were 0.
#
# Sources: Duchi, Hazan & Singer, JMLR 12, 2011; Tieleman & Hinton, lecture 6.5 of *Neural networks
# for machine learning*, 2012.


# %% nbgrader={"grade": false, "grade_id": "adagrad", "locked": false, "schema_version": 3, "solution": true, "task": false}
def adagrad(w, g, a, learning_rate, epsilon=1e-7):
    """One step of Adagrad.

    w, g, a: arrays of one shape; a is the sum of squares so far

    Returns (new w, new a).
    """
    ### BEGIN SOLUTION
    a = a + g**2
    return w - learning_rate * g / (np.sqrt(a) + epsilon), a
    ### END SOLUTION


def rmsprop(w, g, a, learning_rate, rho=0.9, epsilon=1e-7):
    """One step of RMSprop.

    w, g, a: arrays of one shape; a is the fading mean of squares so far

    Returns (new w, new a).
    """
    ### BEGIN SOLUTION
    a = rho * a + (1 - rho) * g**2
    return w - learning_rate * g / (np.sqrt(a) + epsilon), a
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_adagrad", "locked": true, "points": 28, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    w, g, a = np.array([1.0, 1.0]), np.array([3.0, -0.3]), np.array([16.0, 0.16])
    new_w, new_a = adagrad(w, g, a, 0.1)
    assert np.allclose(new_a, [25.0, 0.25])
    assert np.allclose(new_w, [0.94, 1.06])  # 1 - 0.1 * 3 / 5 = 0.94; the other is as far
    new_w, new_a = rmsprop(w, g, a, 0.1, rho=0.5)
    assert np.allclose(new_a, [12.5, 0.125])
    assert np.allclose(new_w, [0.91514719, 1.08485279], atol=1e-6)
    ### BEGIN HIDDEN TESTS
    w, zero = np.array([1.0, 2.0]), np.zeros(2)
    for rule in (adagrad, rmsprop):
        assert np.array_equal(rule(w, zero, zero, 0.1)[0], w)
    g, a = np.array([0.3, -2.0]), np.array([0.5, 0.0])
    assert np.allclose(
        adagrad(w, g, a, 0.1, epsilon=0.25)[0], w - 0.1 * g / (np.sqrt(a + g * g) + 0.25)
    )
    mean = 0.9 * a + 0.1 * g * g
    assert np.allclose(rmsprop(w, g, a, 0.1, epsilon=0.25)[0], w - 0.1 * g / (np.sqrt(mean) + 0.25))
    ### END HIDDEN TESTS
    print("Adagrad, RMSprop: the examples agree")

# %% [markdown]
# ## 3. Adam
#
# Adam keeps two fading means, of the gradients and of their squares:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1) \, g, \qquad
# v \leftarrow \beta_2 v + (1 - \beta_2) \, g^2$$
#
# Both begin at 0, so at first they are too small: after $t$ steps their weights add up to only
# $1 - \beta^t$. Dividing by that makes proper means of them, used in this step only:
#
# $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
# w \leftarrow w - \eta \, \frac{\hat m}{\sqrt{\hat v} + \epsilon}$$
#
# The steps count from $t = 1$. Two things to try when you have it: the first step is as long as
# $\eta$ in every element, whatever the gradient; and gradients a thousand times as large lead to
# the same steps.
#
# Source: Kingma & Ba, *Adam: a method for stochastic optimization*, ICLR 2015, algorithm 1.


# %% nbgrader={"grade": false, "grade_id": "adam", "locked": false, "schema_version": 3, "solution": true, "task": false}
def adam(w, g, m, v, step, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """One step of Adam.

    w, g, m, v: arrays of one shape; m and v are the two fading means, not corrected
    step: the number of this step, 1 for the first

    Returns (new w, new m, new v).
    """
    ### BEGIN SOLUTION
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_adam", "locked": true, "points": 32, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    w, g, zero = np.array([1.0, 1.0]), np.array([100.0, -0.01]), np.zeros(2)
    new_w, new_m, new_v = adam(w, g, zero, zero, 1, 0.1)
    assert np.allclose(new_m, [10.0, -0.001])
    assert np.allclose(new_v, [10.0, 1e-7])
    assert np.allclose(new_w, [0.9, 1.1], atol=1e-5)  # both steps are as long as the learning rate
    ### BEGIN HIDDEN TESTS
    assert np.array_equal(adam(w, zero, zero, zero, 1, 0.1)[0], w)
    paths = []
    for scale in (1.0, 1000.0):
        w, m, v = np.array([1.0, 2.0]), np.zeros(2), np.zeros(2)
        for step, g in enumerate(np.random.default_rng(2).normal(size=(5, 2)), start=1):
            w, m, v = adam(w, scale * g, m, v, step, 0.1)
        paths.append(w)
    assert np.allclose(*paths, atol=1e-5)
    g, m, v = np.array([0.3, -2.0]), np.array([0.5, 0.1]), np.array([0.5, 0.2])
    mean, square = (0.9 * m + 0.1 * g) / (1 - 0.9**3), (0.999 * v + 0.001 * g * g) / (1 - 0.999**3)
    assert np.allclose(
        adam(w, g, m, v, 3, 0.1, epsilon=0.25)[0], w - 0.1 * mean / (np.sqrt(square) + 0.25)
    )
    ### END HIDDEN TESTS
    print("Adam: the examples agree")

# %% nbgrader={"grade": true, "grade_id": "test_manners", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    w, g, s = np.array([1.0, 2.0]), np.array([3.0, -4.0]), np.array([5.0, 6.0])
    gradient_descent(w, g, 0.1), momentum(w, g, s, 0.1), nesterov(w, g, s, 0.1)
    adagrad(w, g, s, 0.1), rmsprop(w, g, s, 0.1), adam(w, g, s, s, 1, 0.1)
    assert [*w, *g, *s] == [1.0, 2.0, 3.0, -4.0, 5.0, 6.0]
    print("inputs: left as they were")

# %% [markdown]
# ## 4. Your rules train a network
#
# An optimizer of tinydl is a class with a method `update`: weights, gradient and memory in, new
# weights and new memory out. That is what you have written; the class below only passes it on. It
# keeps a memory of its own for each weight, one array of zeros for each name in `slots`. Nothing
# below is graded.

# %%
if __name__ == "__main__":
    from tinydl.datasets import mnist
    from tinydl.layers import Dense
    from tinydl.models import Sequential
    from tinydl.optimizers import Optimizer
    from tinydl.utils import set_random_seed, to_categorical

    class Yours(Optimizer):
        """An optimizer made of one of your functions."""

        def __init__(self, rule, slots, learning_rate):
            super().__init__(learning_rate, name=rule.__name__)
            self.rule, self.slots = rule, slots

        def update(self, w, g, learning_rate, step, *slots):
            if self.rule is gradient_descent:
                return (gradient_descent(w, g, learning_rate),)
            if self.rule is adam:
                return adam(w, g, *slots, step, learning_rate)
            return self.rule(w, g, *slots, learning_rate)

    (x_train, digits_train), (x_test, digits_test) = mnist.load_data()
    x_train, x_test = (x.reshape(-1, 784).astype("float32") / 255 for x in (x_train, x_test))
    t_train, t_test = to_categorical(digits_train), to_categorical(digits_test)

    print("After one epoch, on the test images:")
    print(f"{'rule':17}{'learning rate':>14}{'loss':>9}{'accuracy':>10}")
    for rule, slots, learning_rate in (
        (gradient_descent, (), 0.1),
        (momentum, ("velocity",), 0.02),
        (nesterov, ("velocity",), 0.02),
        (adagrad, ("squares",), 0.02),
        (rmsprop, ("squares",), 0.002),
        (adam, ("mean", "squares"), 0.002),
    ):
        set_random_seed(1)
        model = Sequential([Dense(64, activation="relu"), Dense(10, activation="softmax")])
        model.compile(
            optimizer=Yours(rule, slots, learning_rate),
            loss="categorical_crossentropy",
            metrics=["accuracy"],
        )
        model.fit(x_train[:20000], t_train[:20000], batch_size=64, epochs=1, verbose=0)
        loss, accuracy = model.evaluate(x_test, t_test, verbose=0)
        print(f"{rule.__name__:17}{learning_rate:14}{loss:9.4f}{accuracy:10.1%}")

# %% [markdown]
# Change the learning rates, ten times up and ten times down. Which rules forgive most?
