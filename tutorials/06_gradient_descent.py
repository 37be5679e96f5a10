# %% [markdown]
# # Gradient descent: all samples, a batch, a single one
#
# The rule is $w \leftarrow w - \eta \, g$, with the learning rate $\eta$. It does not know where
# its gradient $g$ comes from. That of the mean loss over
#
# - all samples gives *gradient descent*: the true way down, one step for each pass over the data;
# - a few samples, drawn at random, gives *mini-batch* stochastic gradient descent: right on
#   average, a little off each time, and many steps for the same work;
# - a single sample gives *stochastic* gradient descent as it was first: rougher, and as many steps
#   as there are samples.
#
# Sources: Robbins & Monro, *A stochastic approximation method*, Annals of Mathematical Statistics
# 22, 1951; Bottou, Curtis & Nocedal, *Optimization methods for large-scale machine learning*, SIAM
# Review 60(2), 2018.

# %% [markdown]
# ## The landscape
#
# The data are 256 points near the line $y = 3 x - 1$, with noise of standard deviation 0.1. A
# neuron with two weights, $w_1 x + w_2$, is to find it. No line can bring the mean squared error
# much below the variance of the noise, 0.01; the best line comes to 0.0102.

# %%
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, size=256)
noise = 0.1
y = 3 * x - 1 + rng.normal(scale=noise, size=256)


def loss(w, x, y):
    return ((w[0] * x + w[1] - y) ** 2).mean()


best_line = np.polyfit(x, y, deg=1)
best = loss(best_line, x, y)
print(f"variance of the noise {noise**2:.2f}; the best line {best_line.round(4)}, loss {best:.4f}")

# %% [markdown]
# ## A batch is right on average
#
# The loss is a mean over samples, so its gradient is a mean too. Cut the data into 16 batches of
# 16: the mean of their gradients is the gradient of all samples, exactly.

# %%
import tinydl


def gradient(w, x, y):
    w = tinydl.tensor(w, requires_grad=True)
    loss(w, x, y).backward()
    return w.grad.numpy()


start = np.array([-1.0, 2.0])
of_all = gradient(start, x, y)
batches = np.arange(256).reshape(16, 16)
of_batches = np.array([gradient(start, x[batch], y[batch]) for batch in batches])
print("gradient of all samples:          ", of_all.round(6))
print("mean of the gradients of batches: ", of_batches.mean(axis=0).round(6))
print("three of them:                    ", *of_batches[:3].round(1))
assert np.allclose(of_batches.mean(axis=0), of_all, rtol=0, atol=1e-12)

# %% [markdown]
# How far a batch is off falls with the root of its size $B$: four times the samples, half the
# error, but four times the work.
#
# $$\text{standard deviation of } g_B = \frac{\sigma}{\sqrt{B}}$$
#
# where $\sigma$ is that of single samples. This is why small batches pay.

# %%
single = np.array([gradient(start, x[[i]], y[[i]]) for i in range(256)])[:, 0]
for size in (1, 4, 16, 64):
    drawn = single[rng.integers(256, size=(4000, size))].mean(axis=1)
    print(
        f"batches of {size:2}: standard deviation {drawn.std():.3f},"
        f" by the formula {single.std() / size**0.5:.3f}"
    )
    assert abs(drawn.std() * size**0.5 / single.std() - 1) < 0.05

# %% [markdown]
# ## Three walks of the same length
#
# Five passes over the data for each, from the same start and with the same learning rate. That is 5
# steps with all samples, 80 with batches of 16, and 1280 with single ones.
# `explain.landscape` walks and computes the loss around the paths.

# %%
from dataclasses import replace

from tinydl import explain
from tinydl.optimizers import SGD

PASSES = 5


def walk(name, batch_size, points=2):
    return explain.landscape(
        loss,
        x,
        y,
        start=start,
        optimizers={name: SGD(learning_rate=0.1)},
        steps=PASSES * 256 // batch_size,
        batch_size=batch_size,
        points=points,  # how many losses to compute along each axis: many for a picture only
    )


whole = walk("gradient descent", 256)
few = walk("batches of 16", 16)
one = walk("single samples", 1, points=41)
paths = whole.paths | few.paths | one.paths

print(f"{'':18}loss after each pass")
for name, path in paths.items():
    steps = len(path.losses) - 1
    a_pass = steps // PASSES
    after = "  ".join(f"{value:.4f}" for value in path.losses[a_pass::a_pass])
    print(f"{name:18}{after}   ({steps} steps)")

# %% [markdown]
# After the first pass gradient descent is at 9.8273 still, the batches are at 0.6286, and single
# samples at 0.0107. The many rough steps have gone farther than the few exact ones.
#
# In the picture, gradient descent is on a smooth curve, and has not come far. The batches sway a
# little. Single samples zigzag, and near the bottom they never rest.

# %%
import os
from pathlib import Path

picture = replace(one, paths=paths)
if "TINYDL_PICTURES" in os.environ:
    picture.save(Path(os.environ["TINYDL_PICTURES"]) / "06_gradient_descent.png")
picture

# %% [markdown]
# ## Near the bottom
#
# There the true gradient is nearly zero, and what a batch says is mostly noise, which does not get
# smaller. So the loss stays above the best one. A falling learning rate ends that. Robbins and
# Monro asked that the rates $\eta_t$ add up to infinity, so that every place can be reached, while
# their squares add up to something finite, so that the noise dies out: $1 / t$ does both.
#
# Over the last pass, the mean loss of single samples is above the best by 0.00184 with a learning
# rate of 0.1 throughout, and by 0.00008 with one that falls.


# %%
def mean_excess(learning_rate):
    """How far the loss is above the best one, over the last of the passes."""
    walks = explain.landscape(
        loss,
        x,
        y,
        start=start,
        optimizers={"single samples": SGD(learning_rate=learning_rate)},
        steps=PASSES * 256,
        batch_size=1,
        points=2,
    )
    return np.mean(walks.paths["single samples"].losses[-256:]) - best


steady = mean_excess(0.1)
falling = mean_excess(lambda step: 0.1 / (1 + step / 100))
print(f"above the best loss: {steady:.5f} with a steady rate, {falling:.5f} with a falling one")
assert falling < steady / 5

# %% [markdown]
# ## The same with `fit`
#
# `fit` draws the batches: each sample once in a pass, in a new order each time. `batch_size=256` is
# gradient descent, and ends where the first walk ended.

# %%
from tinydl.layers import Dense
from tinydl.models import Sequential

neuron = Sequential([Dense(1)])
neuron.build((None, 1))
neuron.set_weights([start[:1].reshape(1, 1), start[1:]])
neuron.compile(optimizer=SGD(learning_rate=0.1), loss="mean_squared_error")
neuron.fit(x.reshape(-1, 1), y, batch_size=256, epochs=PASSES, verbose=0)
weights = np.concatenate([w.ravel() for w in neuron.get_weights()])
print("fit:     ", weights.round(4))
print("the walk:", paths["gradient descent"].points[-1].round(4))
assert np.allclose(weights, paths["gradient descent"].points[-1], atol=1e-5)

# %% [markdown]
# ## Exercises
#
# 1. Let gradient descent go on until its loss is below that of the batches after five passes. How
#    many passes does it take?
# 2. Take a learning rate of 0.9 for all three, then 1.1. Which of them fails first, and why that
#    one? Write the rule yourself: [assignment 4](assignments/04-update-rules/).
# 3. Draw batches of 1,000 from data of 60,000 digits: by what factor is the gradient of a batch
#    less certain than that of all? In [assignment 8](assignments/08-mnist-on-your-own/) you choose
#    the batch size.
#
# Page by page: `python -m tinydl explain gradient-descent`.
