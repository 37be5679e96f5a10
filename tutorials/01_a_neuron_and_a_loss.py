# %% [markdown]
# # A neuron and a loss
#
# A *neuron* adds up its inputs, each times a weight, adds a bias, and bends the sum by an
# activation $f$:
#
# $$z = \sum_k w_k x_k + b, \qquad y = f(z)$$
#
# With the two inputs 0.5 and 2, the weights 2 and -1, and the bias 1.5, the sum is 0.5. Without an
# activation that is the answer. The two most common activations are the *relu*, $\max(0, z)$,
# which changes nothing here, and the *sigmoid*, $1 / (1 + e^{-z})$, which turns every number into
# one between 0 and 1: here into 0.6225.

# %%
import numpy as np

x = np.array([0.5, 2.0])
w = np.array([2.0, -1.0])
b = 1.5

z = np.sum(w * x) + b
print("z       =", z)
print("relu    =", max(0.0, z))
print("sigmoid =", round(1 / (1 + np.exp(-z)), 4))

# %% [markdown]
# In tinydl a neuron is a `Dense` layer of one unit. It takes many samples at once, one in each row,
# so the shapes are `(1, 2)` for the inputs and `(2, 1)` for the weights.

# %%
from tinydl.layers import Dense

neuron = Dense(1, activation="sigmoid")
neuron.build((None, 2))
neuron.set_weights([w.reshape(2, 1), [b]])
y = neuron(x.reshape(1, 2))
print("Dense says", round(y.item(), 4))
assert abs(y.item() - 1 / (1 + np.exp(-z))) < 1e-6

# %% [markdown]
# ## What should the weights be?
#
# That is what learning finds out, from examples. Take five readings of a thermometer that has two
# scales, and one neuron without an activation: $y = w x + b$, from Celsius to Fahrenheit. We know
# the answer, $w = 1.8$ and $b = 32$. The neuron does not. It begins with $w = 1$ and $b = 32$.

# %%
celsius = np.array([-10.0, 0.0, 10.0, 20.0, 30.0])
fahrenheit = 1.8 * celsius + 32.0

predicted = 1.0 * celsius + 32.0
error = predicted - fahrenheit
print("celsius  ", celsius)
print("predicted", predicted)
print("wanted   ", fahrenheit)
print("error    ", error)

# %% [markdown]
# ## One number for how wrong it is
#
# A *loss* makes one number of all errors. The *mean squared error* of $n$ samples with targets $t$
# is
#
# $$L = \frac{1}{n} \sum_{i=1}^{n} (y_i - t_i)^2$$
#
# Squares keep errors of either sign from cancelling, and one large error counts for more than
# several small ones. The squared errors are 64, 0, 64, 256 and 576, and their mean is 192.

# %%
loss = np.mean(error**2)
print("squared errors", error**2, "and their mean", loss)

from tinydl.losses import mean_squared_error

assert mean_squared_error(fahrenheit, predicted).item() == loss

# %% [markdown]
# ## The loss is a function of the weights
#
# The readings are what they are; only $w$ and $b$ can change. With $b$ at 32, the error of a sample
# is $(w - 1.8) x$, and the mean of the squared readings is 300. So $L = 300 (w - 1.8)^2$: a
# parabola, whose bottom is the right weight.


# %%
def loss_at(w, b=32.0):
    return np.mean((w * celsius + b - fahrenheit) ** 2)


print("the mean of the squared readings is", np.mean(celsius**2))
for weight in (1.0, 1.4, 1.8, 2.2, 2.6):
    print(f"w = {weight}   L = {loss_at(weight):7.3f}")

# %% [markdown]
# ## Which way is down?
#
# Nobody sees the whole parabola: with a million weights it has a million axes. What can be known
# is the *slope* where one stands. Two ways to get it: make a tiny step and look what the loss does,
# or work out the formula. For the mean squared error of this neuron it is
#
# $$\frac{\partial L}{\partial w} = \frac{2}{n} \sum_i (y_i - t_i) \, x_i
# \qquad \frac{\partial L}{\partial b} = \frac{2}{n} \sum_i (y_i - t_i)$$
#
# At $w = 1$ the slope is -480: more weight makes less loss.

# %%
step = 1e-4
by_difference = (loss_at(1.0 + step) - loss_at(1.0 - step)) / (2 * step)
by_formula = 2 * np.mean(error * celsius)
print(f"slope by a difference: {by_difference:.4f}")
print(f"slope by the formula:  {by_formula:.4f}")
assert abs(by_difference - by_formula) < 1e-6

# %% [markdown]
# So we go against the slope, a little. To take 0.001 times the -480 off the weight is a step of
# 0.48, and the loss falls from 192 to 30.72. Do that again and again, for all weights at once, and
# you have *gradient descent*. The next lessons are about the two questions in it: how to get the
# slopes of millions of weights (lesson 3), and how far to go (lessons 6 and 7).

# %%
w, learning_rate = 1.0, 0.001
visited = []
for _ in range(6):
    slope = 2 * np.mean((w * celsius + 32.0 - fahrenheit) * celsius)
    step = -learning_rate * slope
    print(f"w = {w:.4f}   L = {loss_at(w):8.4f}   slope = {slope:9.4f}   step = {step:.4f}")
    visited.append(w)
    w = w + step

# %% [markdown]
# In the picture, the steps get shorter by themselves, because the slope does.

# %%
import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    weights = np.linspace(0.8, 2.8, 101)
    figure, axes = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    axes.plot(weights, [loss_at(weight) for weight in weights], "0.4", label="L(w)")
    tangent = np.array([0.85, 1.35])
    axes.plot(tangent, 192 - 480 * (tangent - 1), "C1", label="slope at w = 1")
    axes.plot(visited[:4], [loss_at(weight) for weight in visited[:4]], "C0o", label="steps")
    axes.set(xlabel="weight w", ylabel="mean squared error L")
    axes.legend()
    if "TINYDL_PICTURES" in os.environ:
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / "01_a_neuron_and_a_loss.png", dpi=100)

# %% [markdown]
# ## Exercises
#
# 1. The *mean absolute error* is $\frac{1}{n} \sum_i |y_i - t_i|$. Add a broken reading, 15 °C and
#    0 °F, and find by trying which $b$ is best for each of the two losses, with $w = 1.8$. Which of
#    them cares less about the broken one? Then write both losses:
#    [assignment 1](assignments/01-forward-and-losses/).
# 2. Write a neuron with two inputs and a relu for a whole table of samples, without a loop over
#    them. Two neurons, three samples: which shapes have the weights and the result?
#    ([assignment 1](assignments/01-forward-and-losses/))
# 3. Let $b$ begin at 0 and follow both slopes. How far is $b$ after a hundred steps? Why so slow?
#    (Lesson 7 answers; [assignment 4](assignments/04-update-rules/) makes it faster.)
#
# To see the mean squared error of a line page by page: `python -m tinydl explain mse`.
