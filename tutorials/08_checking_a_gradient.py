# %% [markdown]
# # Checking a gradient, and fooling a bad checker
#
# A wrong gradient rarely stops a training. The loss falls, only more slowly or not as far, and
# nobody knows that it could be better. So gradients are checked, by the definition of the
# derivative: move the input a little, and see how far the result moves.
#
# $$f'(x) = \frac{f(x + h) - f(x - h)}{2 h} + O(h^2)$$
#
# This *central difference* has two errors, which pull in opposite directions. The curve bends,
# which costs a sixth of $h^2 f'''(x)$; and numbers are rounded, by a part $u$ of their size, which
# the division by the step makes larger: $u |f(x)| / h$. A long step suffers from the first, a short
# one from the second, and the best is about the cube root of $u$.
#
# In float64 $u$ is 1.1e-16, in float32 it is 6.0e-08. The table shows the median error for
# $f(x) = \sin x$ at many places. The best step of float64 leaves about ten digits. In float32 four
# or five are left, and there is no telling a mistake from rounding. Gradients are checked in
# float64.

# %%
import numpy as np

steps = 10.0 ** -np.arange(1, 13)
places = np.linspace(0.3, 1.3, 101)


def median_errors(dtype):
    """How wrong the central difference of the sine is, for each step."""
    errors = []
    for h in steps:
        x, half = places.astype(dtype), dtype(h)
        difference = (np.sin(x + half) - np.sin(x - half)) / (2 * half)
        errors.append(np.median(np.abs(difference - np.cos(x.astype("float64")))))
    return np.array(errors)


errors = {dtype.__name__: median_errors(dtype) for dtype in (np.float64, np.float32)}
print(f"{'step':>7}" + "".join(f"{name:>10}" for name in errors))
for k, h in enumerate(steps):
    print(f"{h:7.0e}" + "".join(f"{errors[name][k]:10.1e}" for name in errors))
for dtype in (np.float64, np.float32):
    u, best = np.finfo(dtype).eps / 2, errors[dtype.__name__].argmin()
    print(
        f"{dtype.__name__}: u = {u:.1e}, its cube root {u ** (1 / 3):.0e}, best {steps[best]:.0e}"
    )
assert errors["float64"].min() < 1e-9 and errors["float32"].min() > 1e-6

# %% [markdown]
# ![The error of a central difference over its step, a V in both
# precisions](../docs/images/tutorials/08_checking_a_gradient.png)

# %%
import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    for (name, error), style in zip(errors.items(), ("C0o-", "C1s--"), strict=True):
        axes.loglog(steps, error, style, label=name, markersize=4)
    axes.loglog(steps, steps**2 / 6, "0.7", linewidth=1, label="bend: h² / 6")
    axes.loglog(steps, 1.1e-16 / steps, "0.7", linewidth=1, linestyle=":", label="rounding: u / h")
    axes.set(xlabel="step h", ylabel="median error", ylim=(1e-14, 1e2))
    axes.legend(fontsize=8)
    if "TINYDL_PICTURES" in os.environ:
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / "08_checking_a_gradient.png", dpi=90)

# %% [markdown]
# ## What is compared
#
# For a function of many inputs and many results there is a whole table of derivatives, and a
# gradient rule never makes it. The rule gets $\bar y$, how the loss changes with each result, and
# answers with $\bar x$, how it changes with each input. So does the check: it makes a loss out of
# the results, $L = \sum_j \bar y_j y_j$, with numbers $\bar y$ of its own choice.
#
# The choice matters. A popular one is $\bar y = 1$, that is, to differentiate `sum(f(x))`. Now take
# a softmax. Its results add up to 1 whatever the input, so this loss does not move at all, and a
# gradient of *zeros* is right for it. With random numbers in the place of the ones, it is plainly
# wrong.


# %%
def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def softmax_gradient(y_bar, x):
    y = softmax(x)
    return y * (y_bar - np.sum(y_bar * y, axis=-1, keepdims=True))


def zeros(y_bar, x):
    return np.zeros_like(x)


def slopes(f, y_bar, x, h=1e-5):
    """The central difference of sum(y_bar * f(x)) for each element of x."""
    slopes = np.empty_like(x)
    for place in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[place] = h
        slopes[place] = np.sum(y_bar * (f(x + move) - f(x - move))) / (2 * h)
    return slopes


rng = np.random.default_rng(0)
x = np.array([[0.0, 1.0, 2.0]])
for name, y_bar in (("ones", np.ones_like(x)), ("random", rng.normal(size=x.shape))):
    print(f"y_bar of {name}: differences", np.round(slopes(softmax, y_bar, x), 6) + 0.0)
    print("    the right rule", np.round(softmax_gradient(y_bar, x), 6) + 0.0)
    print("    the rule of zeros", zeros(y_bar, x))
assert np.allclose(slopes(softmax, np.ones_like(x), x), zeros(1, x), atol=1e-9)

# %% [markdown]
# ## Five wrong gradients, three bad checkers
#
# Each mistake below has been made by somebody, and checkers like these three have been published,
# in frameworks that are good to learn from:
#
# - **sum**: every derivative, but $\bar y = 1$;
# - **one entry**: a random $\bar y$, but only one derivative is looked at, and it may be off by
#   0.01;
# - **ratio**: everything is looked at, but what is asked is that $|a - n| / (|a| + |n|)$ is at most
#   1. It always is: no two numbers differ by more than both together.
#
# The table says how many of 20 runs caught the mistake.


# %%
def by_sum(f, gradient, x, rng):
    y_bar = np.ones_like(f(x))
    return np.allclose(gradient(y_bar, x), slopes(f, y_bar, x), atol=1e-6)


def by_one_entry(f, gradient, x, rng):
    y_bar = rng.normal(size=f(x).shape)
    difference = gradient(y_bar, x) - slopes(f, y_bar, x)
    return abs(rng.choice(difference.ravel())) < 0.01


def by_ratio(f, gradient, x, rng):
    y_bar = rng.normal(size=f(x).shape)
    a, n = gradient(y_bar, x), slopes(f, y_bar, x)
    return np.all(np.abs(a - n) <= 1.0 * (np.abs(a) + np.abs(n)))


from tinydl.testing import gradcheck


def by_gradcheck(f, gradient, x, rng):
    return gradcheck(f, [x], rng=rng, gradient=gradient, raises=False).passed


def one_in_two_hundred(y_bar, x):
    x_bar = 2 * y_bar * x
    x_bar.flat[77] *= 1.5
    return x_bar


def square(x):
    return x**2


def tanh_with_a_bend_lost(y_bar, x):
    return y_bar * (1 - np.tanh(x) ** 2) * 0.997


MISTAKES = {
    "softmax: zeros": (softmax, zeros, (4, 5)),
    "sine: y_bar forgotten": (np.sin, lambda y_bar, x: np.cos(x), (4, 5)),
    "square: one of 200 elements": (square, one_in_two_hundred, (10, 20)),
    "tanh: 3 in 1000 too small": (np.tanh, tanh_with_a_bend_lost, (4, 5)),
    "square: sign lost": (square, lambda y_bar, x: -2 * y_bar * x, (4, 5)),
}
CHECKERS = {
    "sum": by_sum,
    "one entry": by_one_entry,
    "ratio": by_ratio,
    "gradcheck": by_gradcheck,
}


def runs_that_caught(check, f, gradient, shape, runs=20):
    rng = np.random.default_rng(1)
    return sum(not check(f, gradient, rng.uniform(0.3, 1.5, shape), rng) for _ in range(runs))


print(f"{'':29}" + "".join(f"{name:>11}" for name in CHECKERS))
caught = {}
for mistake, piece in MISTAKES.items():
    caught[mistake] = {name: runs_that_caught(check, *piece) for name, check in CHECKERS.items()}
    print(f"{mistake:29}" + "".join(f"{times:11}" for times in caught[mistake].values()))

right = softmax, softmax_gradient, (4, 5)
accused = [runs_that_caught(check, *right) for check in CHECKERS.values()]
print(f"{'softmax, right':29}" + "".join(f"{times:11}" for times in accused))

assert all(row["gradcheck"] == 20 for row in caught.values()) and accused == [0, 0, 0, 0]
assert sum(row["ratio"] for row in caught.values()) == 0
assert caught["softmax: zeros"]["sum"] == caught["sine: y_bar forgotten"]["sum"] == 0

# %% [markdown]
# Nobody is careful enough to do without a check, and a check is a program and has bugs like any
# other. So it is given gradients that are known to be wrong, and must find each of them; and right
# ones, of which it must accuse none. tinydl has a catalogue of 106 mistakes for that:
# `python -m tinydl check --mutants`. The assignments' graders use such catalogues as well.

# %%
from tinydl.testing.mutants import CATALOGUE

print(len(CATALOGUE), "mistakes, among them:", CATALOGUE[0].name, "-", CATALOGUE[0].explanation)

# %% [markdown]
# ## What a good checker does
#
# `gradcheck` takes a random $\bar y$ and float64. It combines differences of several steps until
# $h^2$ and $h^4$ cancel (Richardson's extrapolation), and so knows how far each difference can be
# trusted: about ten digits, and the gradient must be within that. If it is not, you get the
# smallest counter-example that was found and, where one is recognised, the cause.

# %%
from tinydl.testing import GradientMismatch

try:
    gradcheck(square, [np.array([3.0, -0.7])], gradient=lambda y_bar, x: y_bar * x)
except GradientMismatch as message:
    print(message)

# %% [markdown]
# A function of tensors needs no gradient beside it, as the engine has one, and that one is
# differentiable again: `order=2` checks the gradient of the gradient. For a whole op there is
# `check_op`, which asks for more: shapes, layouts, edges, promises.

# %%
from tinydl import ops
from tinydl.testing import check_op

print(gradcheck(ops.softmax, [np.array([0.0, 1.0, 2.0])], order=2))
print(check_op("softmax"))

# %% [markdown]
# ## Exercises
#
# 1. Write a wrong gradient of `square` that **sum** catches and `gradcheck` does not, or say why
#    there is none. Then find the gradient of softmax cross-entropy on paper and check it:
#    [assignment 2](assignments/02-softmax-cross-entropy/).
# 2. At 0 the relu has a kink. What does `gradcheck` say there, and what does it say with
#    `kinks=True`? What should your own engine answer? ([assignment 3](assignments/03-autograd/))
# 3. For a convolution there is a check without any step:
#    $\langle \bar y, \text{conv}(x, w) \rangle = \langle \bar x, x \rangle$. Why does it hold, and
#    which mistakes does it miss? ([assignment 5](assignments/05-convolution/))
#
# To see a finite difference beside each gradient: `python -m tinydl explain softmax`.
