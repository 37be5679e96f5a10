"""Gradient descent and stochastic gradient descent: one rule, fed with different gradients."""

# %% [markdown]
# The rule is  w <- w - learning_rate * gradient.  It does not know where its gradient comes from.
# The gradient of the mean loss over
#
# - all examples gives *gradient descent*: the true downhill direction, one step for each pass
#   over the data;
# - a few examples, drawn at random, gives *mini-batch* stochastic gradient descent: right on
#   average, off a little each time, and many steps for the same work;
# - a single example gives stochastic gradient descent in its first form: noisier still, and as
#   many steps as there are examples.
#
# Source: Bottou, Curtis & Nocedal, *Optimization methods for large-scale machine learning*,
# SIAM Review 60(2), 2018.

# %% [markdown]
# The data: 256 points near a line, y = 3 x - 1 plus noise of standard deviation 0.1. No line can
# bring the mean squared error much below the noise's variance, 0.01.

# %%
import numpy as np

from tinydl.layers import Dense
from tinydl.models import Sequential
from tinydl.optimizers import SGD
from tinydl.utils import set_random_seed

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, size=(256, 1)).astype("float32")
y = 3 * x - 1 + rng.normal(scale=0.1, size=x.shape).astype("float32")

# %% [markdown]
# Everything is the same in the three runs, and the rule is the same `SGD`: only how many examples
# make a gradient differs.

# %%
EPOCHS = 5


def losses_with(batch_size):
    """The loss over all examples after each pass over the data."""
    set_random_seed(0)
    model = Sequential([Dense(1)])
    model.compile(optimizer=SGD(learning_rate=0.1), loss="mean_squared_error")
    losses = []
    for _ in range(EPOCHS):
        model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)
        losses.append(model.evaluate(x, y, verbose=0))
    return losses


# %%
losses = {
    "all 256 examples": losses_with(256),
    "16 examples": losses_with(16),
    "1 example": losses_with(1),
}
print(f"{'gradient from':18}{'steps a pass':>13}   loss after each of {EPOCHS} passes")
for (name, run), steps in zip(losses.items(), (1, 16, 256), strict=True):
    print(f"{name:18}{steps:13}   " + "  ".join(f"{loss:.4f}" for loss in run))

best_line = np.polyfit(x[:, 0], y[:, 0], deg=1)
best = float(np.mean((np.polyval(best_line, x) - y) ** 2))
print(f"the best that any line can do:    {best:.4f}")

# %% [markdown]
# After the same number of passes, the many rough steps have gone farther than the few exact ones.
# Close to the end it turns round: single examples keep pulling to and fro, so the loss stays a
# little above the best that a line can do, while the exact gradient would get there in time. That
# is why learning rates are lowered towards the end of a training.
