# %% [markdown]
# # Momentum and adaptive learning rates
#
# Gradient descent has one learning rate for all weights. Where the loss is steep in one direction
# and gentle in another, no rate is right for both: the steep one limits it, and the gentle one
# waits. There are three cures: change the problem, remember the steps before, or give each weight
# a rate of its own.
#
# Sources: Polyak, *Some methods of speeding up the convergence of iteration methods*, USSR
# Computational Mathematics and Mathematical Physics 4(5), 1964; Goh, *Why momentum really works*,
# Distill 2017; Duchi, Hazan & Singer, *Adaptive subgradient methods*, JMLR 12, 2011; Tieleman &
# Hinton, *Lecture 6.5: RMSProp*, Coursera 2012; Kingma & Ba, *Adam: a method for stochastic
# optimization*, ICLR 2015.

# %% [markdown]
# ## The condition number
#
# Here is the thermometer of lesson 1 again, with both weights, $y = w_1 x + w_2$. Near a minimum a
# smooth loss is nearly a bowl, and this one is a bowl everywhere. The *Hessian*, the matrix of
# second derivatives, tells its shape: the eigenvalues $\lambda$ are the curvatures along the axes
# of the bowl. Along each axis a step of gradient descent multiplies the distance from the bottom by
# $1 - \eta \lambda$. So
#
# - it converges if $|1 - \eta \lambda| < 1$ for all of them: $\eta < 2 / \lambda_{\max}$;
# - the gentlest direction then shrinks slowest, and what counts is the *condition number*
#   $\kappa = \lambda_{\max} / \lambda_{\min}$.
#
# Here the curvatures are 1.33 and 600.67, so $\kappa$ is 451, and rates must stay below 0.00333.

# %%
import numpy as np

import tinydl

celsius = np.array([-10.0, 0.0, 10.0, 20.0, 30.0])
fahrenheit = 1.8 * celsius + 32.0


def loss(w, x=celsius):
    return ((w[0] * x + w[1] - fahrenheit) ** 2).mean()


def curvatures(of_loss):
    return np.linalg.eigvalsh(tinydl.hessian(of_loss)(tinydl.tensor(np.zeros(2))).numpy())


gentle, steep = curvatures(loss)
print(f"curvatures {gentle:.2f} and {steep:.2f}; condition number {steep / gentle:.0f}")
print(f"rates must stay below {2 / steep:.5f}")

# %% [markdown]
# A rate of 0.0033 is safe, and 0.0034 is not. And with the safe one, $w_2$ is far from its 32 even
# after a hundred steps.

# %%
from tinydl.optimizers import SGD


def descend(optimizer, of_loss, steps):
    """The weights after some steps from 0."""
    w = tinydl.tensor(np.zeros(2), requires_grad=True)
    for _ in range(steps):
        optimizer.apply(tinydl.grad(of_loss(w), [w]), [w])
    return w.numpy()


for rate in (0.0033, 0.0034):
    for steps in (100, 400):
        w = descend(SGD(rate), loss, steps)
        print(f"rate {rate}, {steps} steps: w = {w.round(2)}, loss {loss(w):.2f}")

# %% [markdown]
# ## First cure: change the problem
#
# The readings are on average 10, and their spread is 14.14. Subtract the one and divide by the
# other, and both curvatures are 2: the bowl is round, the condition number 1, and with the rate
# $1 / 2$ one step is enough. This is why inputs are scaled, and it is the best of the three cures
# wherever it can be had.

# %%
mean, spread = celsius.mean(), celsius.std()
scaled = (celsius - mean) / spread


def scaled_loss(w):
    return loss(w, scaled)


print(f"mean {mean:.0f}, spread {spread:.2f}; curvatures now {curvatures(scaled_loss).round(4)}")
w = descend(SGD(1 / 2), scaled_loss, 1)
print(f"after 1 step: w = {w.round(2)}, loss {scaled_loss(w):.4f}")

# %% [markdown]
# ## Second cure: momentum
#
# A *velocity* $v$ keeps part of the steps before:
#
# $$v_i \leftarrow \mu v_i - \eta g_i, \qquad w_i \leftarrow w_i + v_i$$
#
# Across a valley the gradients change sign, and cancel in $v$; along it they agree, and add up to
# $1 / (1 - \mu)$ times a single one. With the best settings for a bowl, the distance from the
# bottom shrinks in each step by the factor
#
# $$\frac{\kappa - 1}{\kappa + 1} \text{ without momentum, and }
# \frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1} \text{ with it.}$$
#
# The root is what one gains. With $\kappa = 1000$ it takes 3454 steps without momentum, and 198
# with it, until the distance is a thousandth.


# %%
def momentum_step(w, g, v, rate, momentum=0.9):
    v = momentum * v - rate * g
    return w + v, v


def steps_to_a_thousandth(kappa, rate, momentum):
    """How many steps in a bowl with the curvatures 1 and kappa."""
    curvature = np.array([1.0, kappa])
    w, v, steps = np.ones(2), np.zeros(2), 0
    while np.linalg.norm(w) > np.linalg.norm(np.ones(2)) / 1000:
        w, v = momentum_step(w, curvature * w, v, rate, momentum)
        steps += 1
    return steps


print("kappa   factor  steps     factor with momentum  steps")
for kappa in (10, 100, 1000):
    root = np.sqrt(kappa)
    plain, fast = (kappa - 1) / (kappa + 1), (root - 1) / (root + 1)
    without = steps_to_a_thousandth(kappa, rate=2 / (1 + kappa), momentum=0.0)
    with_it = steps_to_a_thousandth(kappa, rate=4 / (1 + root) ** 2, momentum=fast**2)
    print(f"{kappa:5}   {plain:.4f}   {without:4}   {fast:20.4f}   {with_it:4}")

# %% [markdown]
# ## Third cure: a rate for each weight
#
# *Adagrad* divides each weight's steps by the root of the sum of all its squared gradients.
# *RMSprop* takes a fading mean of the squares, so that what is long past is forgotten. *Adam* does
# that and puts a fading mean of the gradients in place of the gradient. Since both means start at
# zero, it makes up for that by a factor in which $t$ is the number of the step.
#
# Below are the formulas as tinydl knows them, and above them the lines of `update` in
# `tinydl/optimizers`. A small $\epsilon$ keeps the denominator away from 0. As in Keras, it stands
# inside the root for Adagrad and RMSprop, and outside for Adam. Other programs, and
# [assignment 4](assignments/04-update-rules/), have it outside for all of them.

# %%
from tinydl import explain
from tinydl.optimizers import Adagrad, Adam, RMSprop

epsilon = 1e-7


def adagrad_step(w, g, a, rate):
    a = a + g * g
    return w - rate * g / np.sqrt(a + epsilon), a


def rmsprop_step(w, g, v, rate, rho=0.9):
    v = rho * v + (1 - rho) * (g * g)
    return w - rate * g / np.sqrt(v + epsilon), v


def adam_step(w, g, m, v, t, rate, beta_1=0.9, beta_2=0.999):
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * (g * g)
    rate = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - rate * m / (np.sqrt(v) + epsilon), m, v, t + 1


for optimizer in (SGD(momentum=0.9), Adagrad(), RMSprop(), Adam()):
    print(f"{optimizer.name + ':':9}", explain.formula(optimizer))

# %% [markdown]
# Are these lines the optimizers? Twenty steps with random gradients must end in the same place.
# (Keras, and so tinydl, begins Adagrad's sum at 0.1; everything else begins at 0, and $t$ at 1.)


# %%
def by_tinydl(optimizer, gradients):
    w = tinydl.tensor(np.zeros(3), requires_grad=True)
    for g in gradients:
        optimizer.apply([g], [w])
    return w.numpy()


def by_these_lines(step, gradients, *state):
    w = np.zeros(3)
    for g in gradients:
        w, *state = step(w, g, *state, rate=0.1)
    return w


gradients = np.random.default_rng(0).normal(size=(20, 3))
zero = np.zeros(3)
for optimizer, step, state in (
    (SGD(0.1, momentum=0.9), momentum_step, [zero]),
    (Adagrad(0.1), adagrad_step, [zero + 0.1]),
    (RMSprop(0.1), rmsprop_step, [zero]),
    (Adam(0.1), adam_step, [zero, zero, 1]),
):
    one, other = by_tinydl(optimizer, gradients), by_these_lines(step, gradients, *state)
    print(f"{optimizer.name:8} tinydl {one.round(4)}   these lines {other.round(4)}")
    assert np.allclose(one, other, rtol=1e-12, atol=1e-12)

# %% [markdown]
# ## What dividing does
#
# Multiply all gradients of a weight by 1000, and Adam does the same steps: it takes the gradient in
# units of its own size. So a weight whose gradients are a thousand times smaller than those of
# another, as happens from layer to layer, moves as fast as the other. Gradient descent moves it a
# thousand times slower. (The last digits differ because epsilon is added to the size.)

# %%
as_they_are = by_tinydl(Adam(0.1), gradients)
stretched = by_tinydl(Adam(0.1), gradients * np.array([1000.0, 1.0, 0.001]))
print("Adam, gradients as they are:             ", as_they_are.round(4))
print("Adam, gradients times 1000, 1 and 0.001: ", stretched.round(4))
assert np.allclose(as_they_are, stretched, atol=1e-3)

# %% [markdown]
# ## What it does not do
#
# Dividing weight by weight stretches the bowl along the axes of the weights. If the valley lies
# along one of them, it becomes round. If it lies across them, nothing is gained, while gradient
# descent and momentum do not care how the bowl is turned.
#
# A bowl with $\kappa = 100$, as it is and turned by 45 degrees, each rule with the best of ten
# rates, until the loss is a millionth: Adagrad takes 8 steps along the axes and 385 across them;
# gradient descent takes 508 either way, momentum 43. Adam, which is half of either, is in between.

# %%
LIMIT = 1000
RATES = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)


def steps_to_a_millionth(optimizer, curvature, start):
    w = tinydl.tensor(start, requires_grad=True)
    wanted = start @ curvature @ start / 1e6
    for steps in range(LIMIT):
        height = w.data @ curvature @ w.data
        if height <= wanted or height > 1e12:
            return steps if height <= wanted else LIMIT
        optimizer.apply([curvature @ w.data], [w])
    return LIMIT


kappa, degrees = 100, 45
cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
turn = np.array([[cos, -sin], [sin, cos]])
bowl, start = np.diag([1.0, kappa]), np.array([1.0, 0.6])

print(f"steps in a bowl with kappa {kappa}:   along the axes   turned by {degrees} degrees")
for name, make in {
    "gradient descent": SGD,
    "momentum": lambda rate: SGD(rate, momentum=0.67),
    "Adagrad": Adagrad,
    "Adam": Adam,
}.items():
    along = min(steps_to_a_millionth(make(r), bowl, start) for r in RATES)
    turned = min(steps_to_a_millionth(make(r), turn @ bowl @ turn.T, turn @ start) for r in RATES)
    print(f"{name:17} {along:29} {turned:20}")

# %% [markdown]
# ## The paths
#
# A valley with $\kappa = 25$, forty steps each. Gradient descent crosses it to and fro. Momentum
# swings, and arrives. RMSprop and Adam go down both directions at the same pace at first; Adam,
# which has momentum too, then shoots past the bottom and comes back.

# %%
import os
from pathlib import Path

kappa, steps = 25, 40
valley = explain.landscape(
    lambda w: (w[0] ** 2 + kappa * w[1] ** 2) / 2,
    start=[-2.0, 1.0],
    optimizers={
        "gradient descent": SGD(0.07),
        "momentum": SGD(0.03, momentum=0.7),
        "RMSprop": RMSprop(0.08),
        "Adam": Adam(0.15),
    },
    steps=steps,
)
for name, path in valley.paths.items():
    print(f"{name:17} loss {path.losses[0]:.1f}, after {steps} steps {path.losses[-1]:.6f}")
if "TINYDL_PICTURES" in os.environ:
    valley.save(Path(os.environ["TINYDL_PICTURES"]) / "07_momentum_and_adaptive_rates.png")
valley

# %% [markdown]
# ## Exercises
#
# 1. Do two steps of Adam on paper, from $w = 1$ with the gradients 100 and 100, and a rate of 0.25.
#    Why is the first as long as the rate, whatever the gradient? Leave out the factor with $t$: how
#    long is it then? ([assignment 4](assignments/04-update-rules/))
# 2. Write all six rules as functions, and let each of them train a network:
#    [assignment 4](assignments/04-update-rules/).
# 3. Batch normalisation scales what comes into a layer, as we scaled the readings. What does it do
#    to the condition number? Lesson 11 is about it, and you write it in
#    [assignment 7](assignments/07-normalization-and-dropout/).
#
# Page by page: `python -m tinydl explain adam`. Step by step over the contours, with a slider:
# `python -m tinydl explain landscape`.
