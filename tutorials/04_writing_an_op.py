# %% [markdown]
# # Writing an op
#
# An *op* is one step of a computation: what it computes, and how a gradient passes through it
# backward. That is all the engine asks for. In this lesson you add one, see that it is right, see
# two ways of getting it wrong, and train a network with it.
#
# The op is the bell of Gauss,
#
# $$y_i = e^{-x_i^2}$$

# %% [markdown]
# ## The rule
#
# The chain rule turns $\bar y_i$, how much the loss changes with $y_i$, into $\bar x_i$:
#
# $$\bar x_i = \bar y_i \frac{d y_i}{d x_i} = \bar y_i \cdot (-2 x_i) \, e^{-x_i^2}
# = -2 \, \bar y_i x_i y_i$$
#
# In the last step the exponential is not computed again: it is the result, $y_i$, which every rule
# is given.
#
# Forward takes arrays and returns an array. The rule takes tensors and returns a tensor: it is
# written in ops, so it has derivatives too.

# %%
import numpy as np

from tinydl.engine import rule
from tinydl.ops.elementwise import Function


class Gaussian(Function):
    formula = r"y_i = e^{-x_i^2}"

    def forward(self, x):
        return np.exp(-x * x)

    @rule(r"\bar x_i = -2 \bar y_i x_i y_i")
    def x(self, y_bar, y, x):
        return -2.0 * y_bar * x * y


# %% [markdown]
# Nothing else is needed. To define the class is to add the op: there is a function of its name, and
# a page about it. (`Function` is an `Op` of one input that treats all elements alike.)
#
# At $x = 0$ the bell is 1 and flat. At $x = 1$ it is 0.3679, and its slope is -2 times that.

# %%
import tinydl
from tinydl import explain, ops

x = tinydl.tensor([0.0, 1.0], requires_grad=True)
y = ops.gaussian(x)
y.backward(np.ones(2))
print("y =", y.numpy().round(4), "  slopes:", x.grad.numpy().round(4))
print(explain.formula("gaussian"), "  and  ", explain.formula("gaussian").gradients["x"])

# %% [markdown]
# ## Is it right?
#
# `check_op` tries all that must be true of an op. Most of it is in the line `gradients`: on inputs
# of several shapes, with both kinds of kernels, the rule is compared with finite differences in
# float64, and then the gradient of the rule in the same way. The worst error is given in units of
# the difference's own error bound: above 1, the op fails.

# %%
from tinydl.testing import check_op

report = check_op("gaussian")
print(report)
assert report.passed

# %% [markdown]
# ## A wrong factor
#
# Whoever differentiates $-x^2$ in a hurry loses the 2. The check shows the smallest case in which
# the gradient is wrong, with the numbers in it, and guesses the cause.


# %%
class HurriedGaussian(Gaussian):
    @rule(r"\bar x_i = -\bar y_i x_i y_i")
    def x(self, y_bar, y, x):
        return -y_bar * x * y


report = check_op("hurried_gaussian", properties=["gradients"])
print(report)
assert not report.passed
assert "a factor 2 is missing" in str(report)

# %% [markdown]
# ## A gradient without a gradient
#
# The next mistake does not show in training. The rule has the right numbers, but takes them out of
# the tensors, so that the engine sees constants. First derivatives are right, second ones are not:
# for $x \, e^{-x^2}$ at 1 the second derivative is $-2 / e = -0.7358$. The flat rule makes it twice
# that, and nobody complains but the check, at order 2.


# %%
class FlatGaussian(Gaussian):
    @rule(r"\bar x_i = -2 \bar y_i x_i y_i")
    def x(self, y_bar, y, x):
        return y_bar * tinydl.tensor(-2.0 * x.data * y.data)


def second_derivative(f, at):
    x = tinydl.tensor(at, requires_grad=True)
    (slope,) = tinydl.grad(x * f(x), [x], create_graph=True)
    (curvature,) = tinydl.grad(slope, [x])
    return curvature.item()


print(f"second derivative, right: {second_derivative(ops.gaussian, 1.0):.4f}")
print(f"second derivative, flat:  {second_derivative(ops.flat_gaussian, 1.0):.4f}")
assert check_op("flat_gaussian", order=1).passed
assert not check_op("flat_gaussian", order=2).passed
print(check_op("flat_gaussian", order=2, properties=["gradients"]))

# %% [markdown]
# ## What it is good for
#
# In lesson 2, exclusive or took three neurons. One is enough if its activation is a bell: the
# answer is 1 where the sum is 0, and falls off to both sides. A layer takes the new function as it
# takes any other.

# %%
from tinydl.layers import Dense
from tinydl.models import Sequential
from tinydl.optimizers import SGD

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
wanted = np.array([[0.0], [1.0], [1.0], [0.0]])

neuron = Sequential([Dense(1, activation=ops.gaussian)])
neuron.build((None, 2))
neuron.layers[0].set_weights([np.array([[0.5], [0.4]]), np.array([-0.2])])
neuron.compile(optimizer=SGD(learning_rate=0.5), loss="mean_squared_error")

history = neuron.fit(X, wanted, batch_size=4, epochs=200, verbose=0)
answers = neuron.predict(X, verbose=0).ravel()
print(f"loss: {history.history['loss'][0]:.4f}, after 200 steps {history.history['loss'][-1]:.4f}")
print("answers:", answers.round(3))
weights, bias = neuron.get_weights()
print(
    f"it computes exp(-z^2) with z = {weights[0, 0]:.2f} a + {weights[1, 0]:.2f} b + {bias[0]:.2f}"
)
assert np.array_equal(answers > 0.5, wanted.ravel() > 0.5)

# %% [markdown]
# The neuron has found what one would write down: both inputs count alike, and the bias puts the
# middle of the bell near where one of them is 1.
#
# [docs/adding-an-op.md](../docs/adding-an-op.md) tells the rest: ops of two inputs that broadcast,
# with settings, with kinks, with a hot loop in C.

# %% [markdown]
# ## Exercises
#
# 1. Write $y_i = x_i / (1 + |x_i|)$, which is called softsign, with its rule. At one point it has
#    no second derivative: where, and does `check_op` look there?
# 2. Write an op of two inputs, $y_i = a_i^2 b_i$ (`Binary` in place of `Function`, and two rules).
#    Swap the rules on purpose, and read the report. In
#    [assignment 3](assignments/03-autograd/) you build the engine that calls such rules.
# 3. Softmax is an op whose rule mixes the elements: every $\bar x_i$ depends on all $\bar y_j$.
#    Work out its rule, then write it in [assignment 2](assignments/02-softmax-cross-entropy/).
#
# To see the gradient of softmax page by page: `python -m tinydl explain softmax`.
