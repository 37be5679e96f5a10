# %% [markdown]
# # Mean squared error and cross-entropy
#
# Which loss for numbers, and which for classes? Both common answers follow from one principle, and
# whoever takes the wrong one for classes waits long: where the network is surest and wrong, the
# gradient of the squared error is almost nothing.
#
# Source: Bishop, *Pattern Recognition and Machine Learning*, Springer 2006, sections 3.1.1, 4.3.2
# and 5.2.

# %% [markdown]
# ## One principle: make what happened likely
#
# A model gives a probability to everything that might happen. *Maximum likelihood* takes the
# weights that give the most to what did happen. The probabilities of independent samples multiply;
# one takes the logarithm, which makes a sum of the product, and a minus, which makes a loss of it:
#
# $$L = -\ln \prod_i P(t_i) = -\sum_i \ln P(t_i)$$
#
# A coin fell heads 7 times out of 10. Of all $p$, the one that makes this likeliest is 0.7.

# %%
import numpy as np

heads, flips = 7, 10
tails = flips - heads
for p in (0.5, 0.6, 0.7, 0.8, 0.9):
    likelihood = p**heads * (1 - p) ** tails
    loss = -(heads * np.log(p) + tails * np.log(1 - p))
    print(f"p = {p}   likelihood = {likelihood:.5f}   -ln = {loss:.4f}")
    assert abs(loss + np.log(likelihood)) < 1e-12

# %% [markdown]
# ## Numbers: the mean squared error
#
# Let a target be what the model says plus noise from a normal distribution of standard deviation
# $\sigma$. Then
#
# $$-\ln P(t) = \frac{(y - t)^2}{2 \sigma^2} + \ln(\sigma \sqrt{2 \pi})$$
#
# The second part does not depend on the weights, and the factor of the first does not move the
# minimum: maximum likelihood *is* the smallest squared error. Below, two models differ by 5.6057
# either way.

# %%
rng = np.random.default_rng(0)
x = np.linspace(0, 1, 20)
sigma = 0.5
t = 2.0 * x + rng.normal(scale=sigma, size=20)


def negative_log_likelihood(y):
    return -np.sum(np.log(np.exp(-((y - t) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))))


def squared_error(y):
    return np.sum((y - t) ** 2)


one, other = 2.5 * x, 1.5 * x
by_likelihood = negative_log_likelihood(one) - negative_log_likelihood(other)
by_squares = (squared_error(one) - squared_error(other)) / (2 * sigma**2)
print(f"by likelihood: {by_likelihood:.4f}   by squared errors: {by_squares:.4f}")
assert abs(by_likelihood - by_squares) < 1e-10

# %% [markdown]
# ## Classes: the cross-entropy
#
# For yes or no, the model says $p$, the probability of yes, and what happened had the probability
# $p$ if $t = 1$, and $1 - p$ if $t = 0$. For $K$ classes it says $p_1, \dots, p_K$, and $t_k$ is 1
# at the right one and 0 elsewhere. So the loss of one sample is
#
# $$\ell = -\big(t \ln p + (1 - t) \ln(1 - p)\big) \qquad \ell = -\sum_k t_k \ln p_k$$
#
# This is the *cross-entropy*, the surprise at what happened. To say 0.99 and be right costs 0.01.
# To have said 0.01 of what then happens costs 4.61; to have said 0 would cost infinitely much.

# %%
from tinydl.losses import binary_crossentropy

for p in (0.99, 0.5, 0.01):
    cost = binary_crossentropy([1.0], [p]).item()
    print(f"p = {p}   cost = {cost:.2f}")
    assert abs(cost + np.log(p)) < 1e-6

# %% [markdown]
# ## The gradient of a saturated sigmoid
#
# The probability comes from a sigmoid, $p = \sigma(z) = 1 / (1 + e^{-z})$, whose slope is
# $p (1 - p)$. Far from 0 it is *saturated*: nearly flat. The chain rule multiplies by that slope,
# and for the squared error nothing makes up for it. In the cross-entropy it cancels:
#
# $$\frac{\partial}{\partial z} (p - t)^2 = 2 (p - t) \, p (1 - p) \qquad
# \frac{\partial \ell}{\partial z} = \frac{p - t}{p (1 - p)} \, p (1 - p) = p - t$$
#
# The target is 1. At $z = -8$ the model is as wrong as can be: $p$ is 0.0003. The slope of the
# squared error is -0.0007, that of the cross-entropy -0.9997.

# %%
import tinydl
from tinydl import ops


def squared(z):
    return (ops.sigmoid(z) - 1.0) ** 2


def cross_entropy(z):
    return ops.binary_crossentropy(tinydl.tensor(1.0), ops.sigmoid(z))


def slope(loss, at):
    z = tinydl.tensor(at, requires_grad=True)
    loss(z).backward()
    return z.grad.item()


print("    z        p   slope of (p - 1)^2   slope of -ln p")
for z in (-8.0, -4.0, -2.0, 0.0, 2.0, 4.0):
    p = ops.sigmoid(tinydl.tensor(z)).item()
    print(f"{z:5.0f}   {p:.4f}   {slope(squared, z):18.4f}   {slope(cross_entropy, z):14.4f}")
    assert abs(slope(squared, z) - 2 * (p - 1) * p * (1 - p)) < 1e-6
    assert abs(slope(cross_entropy, z) - (p - 1)) < 1e-6

# %% [markdown]
# ## How long it takes
#
# Gradient descent on $z$ itself, with a learning rate of 1, from -8 until $p$ is above 0.9. With
# the cross-entropy it takes 19 steps, with the squared error 1,542. Of these, 1,498 go by before
# $p$ is above 0.1: the time is lost where the answer is worst.


# %%
def steps_until(goal, slope_at, z=-8.0):
    """How many steps down take p above the goal."""
    learning_rate, steps = 1.0, 0
    while (p := 1 / (1 + np.exp(-z))) <= goal:
        z -= learning_rate * slope_at(p)
        steps += 1
    return steps


for name, slope_at in {
    "squared error": lambda p: 2 * (p - 1) * p * (1 - p),
    "cross-entropy": lambda p: p - 1,
}.items():
    to_a_tenth, to_the_end = steps_until(0.1, slope_at), steps_until(0.9, slope_at)
    print(f"{name}: {to_the_end} steps, {to_a_tenth} of them until p is above 0.1")

# %% [markdown]
# In the picture: the squared error has two flat ends, and only one of them is the goal. The
# cross-entropy is a slope that levels out at the goal and nowhere else.

# %%
import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    z = np.linspace(-8, 8, 161)
    p = 1 / (1 + np.exp(-z))
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0), layout="constrained")
    left.plot(z, -np.log(p), "C0", label="cross-entropy")
    left.plot(z, (p - 1) ** 2, "C1--", label="squared error")
    left.set(xlabel="logit z", title="loss, if the target is 1", ylim=(-0.2, 8.2))
    left.legend()
    right.plot(z, p - 1, "C0")
    right.plot(z, 2 * (p - 1) * p * (1 - p), "C1--")
    right.set(xlabel="logit z", title="its slope")
    if "TINYDL_PICTURES" in os.environ:
        name = "05_mean_squared_error_and_cross_entropy.png"
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / name, dpi=100)

# %% [markdown]
# ## Many classes, and large logits
#
# For $K$ classes the sigmoid becomes the *softmax*, $p_k = e^{z_k} / \sum_j e^{z_j}$, and the
# gradient is again $p - t$, one for each class; together they are 0. With the logits $\ln 2$, 0
# and 0 the probabilities are 0.5, 0.25 and 0.25.
#
# The softmax cannot be computed as it stands: $e^{1000}$ is infinite in floating-point numbers, and
# infinity divided by infinity is not a number. The loss of the logits is harmless,
#
# $$\ell = \ln \sum_j e^{z_j} - z_t = m + \ln \sum_j e^{z_j - m} - z_t, \qquad m = \max_j z_j$$
#
# and here it is 1000. So frameworks compute softmax and cross-entropy together. In Keras one says
# `from_logits=True`; tinydl also finds out by itself, from the graph, when a probability came from
# a softmax.

# %%
z = tinydl.tensor([np.log(2.0), 0.0, 0.0], requires_grad=True)
t = np.array([1.0, 0.0, 0.0])
p = ops.softmax(z)
loss = ops.categorical_crossentropy(t, p)
loss.backward()
print("p        =", p.numpy().round(4))
print("gradient =", z.grad.numpy().round(4), "  p - t =", (p.numpy() - t).round(4))
assert np.allclose(z.grad.numpy(), p.numpy() - t)

large = np.array([1000.0, 0.0])
with np.errstate(all="ignore"):
    print("as it stands: softmax =", np.exp(large) / np.sum(np.exp(large)))
loss = ops.categorical_crossentropy(np.array([0.0, 1.0]), large, from_logits=True)
print("from logits:  cross-entropy =", loss.item())
assert loss.item() == 1000.0

# %% [markdown]
# ## Exercises
#
# 1. With what noise is the *mean absolute error* the maximum likelihood? (Its density falls off as
#    $e^{-|y - t|}$.) Write both losses and the binary cross-entropy:
#    [assignment 1](assignments/01-forward-and-losses/).
# 2. Derive $\partial \ell / \partial z_k = p_k - t_k$ for three classes, and compute it for logits
#    of 10,000 without a warning: [assignment 2](assignments/02-softmax-cross-entropy/).
# 3. Let `steps_until` begin at -9, -10 and -11. One number grows by about one each time; by what
#    factor does the other grow, and why? Then train it by momentum and by Adam:
#    [assignment 4](assignments/04-update-rules/).
#
# Page by page: `python -m tinydl explain cross-entropy`, `explain softmax`, `explain mse`.
