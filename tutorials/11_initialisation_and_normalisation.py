# %% [markdown]
# # Initialisation, saturation and normalisation
#
# Weights begin as random numbers, as equal ones would stay equal. How large should they be? Take a
# layer of $n$ inputs and independent weights of mean 0. Each of its sums has the variance
#
# $$\text{Var}(z_j) = \text{Var}\Big(\sum_{k=1}^{n} w_{kj} x_k\Big) = n \, \text{Var}(w) \, E[x^2]$$
#
# so a layer multiplies the size of its inputs by the *gain* $\sqrt{n \, \text{Var}(w)}$. What is
# multiplied in each of thirty layers grows or shrinks like a power: with a gain of 1.2 the numbers
# become 237 times as large, with 0.8 they become 808 times smaller. Only a gain of 1 leaves them as
# they are: $\text{Var}(w) = 1 / n$.

# %%
import numpy as np

LAYERS, UNITS, SAMPLES = 30, 128, 200
rng = np.random.default_rng(0)
x = rng.normal(size=(SAMPLES, UNITS))


def weights(gain):
    """A matrix of weights for each layer."""
    return rng.normal(scale=gain / np.sqrt(UNITS), size=(LAYERS, UNITS, UNITS))


for gain in (0.8, 1.0, 1.2):
    y = x
    for w in weights(gain):
        y = y @ w
    print(f"gain {gain}: {LAYERS} layers multiply by {y.std():9.4f}", end="   ")
    print(f"predicted {gain**LAYERS:9.4f}")
    assert 0.5 < y.std() / gain**LAYERS < 2
print(f"1.2 to the power of {LAYERS} is {1.2**LAYERS:.0f}, 0.8 is 1 / {1 / 0.8**LAYERS:.0f}")

# %% [markdown]
# ## With an activation
#
# A *relu* drops half of what it gets, so it halves $E[x^2]$. The variance of the weights has to be
# twice as large, $2 / n$, a gain of 1.414: that is `HeNormal`. A *tanh* leaves small numbers alone,
# so the gain should be near 1: that is the idea of `GlorotUniform`, the default of Keras and
# tinydl, which also looks at the way back, where a layer has as many "inputs" as it has outputs.
#
# $$\text{Var}(w)_\text{Glorot} = \frac{2}{n_\text{in} + n_\text{out}} \qquad
# \text{Var}(w)_\text{He} = \frac{2}{n_\text{in}}$$
#
# Sources: Glorot & Bengio, *Understanding the difficulty of training deep feedforward neural
# networks*, AISTATS 2010; He, Zhang, Ren & Sun, *Delving deep into rectifiers*, ICCV 2015.

# %%
from tinydl import ops, tensor
from tinydl.engine import grad


def sizes(activation, gain):
    """The sizes of outputs and gradients after each layer: square roots of mean squares."""
    outputs = [tensor(x, requires_grad=True)]
    for w in weights(gain):
        outputs.append(activation(outputs[-1] @ w))
    arriving = tensor(rng.normal(size=x.shape))
    gradients = grad(ops.sum(outputs[-1] * arriving), outputs)
    return [[np.sqrt(np.mean(v.numpy() ** 2)) for v in row] for row in (outputs, gradients)]


CASES = {
    "relu, gain 1": (ops.relu, 1.0),
    "relu, He": (ops.relu, np.sqrt(2)),
    "tanh, gain 0.5": (ops.tanh, 0.5),
    "tanh, gain 1": (ops.tanh, 1.0),
    "tanh, gain 3": (ops.tanh, 3.0),
}
print(f"the gain of He is {np.sqrt(2):.3f}")
print(f"{'':16}{'output of layer':^36}   gradient at")
print(f"{'':16}" + "".join(f"{k:9}" for k in (1, 10, 20, 30)) + f"{'30':>11}{'1':>9}")
measured = {}
for name, case in CASES.items():
    forward, backward = measured[name] = sizes(*case)
    row = [forward[k] for k in (1, 10, 20, 30)] + [backward[30], backward[1]]
    print(f"{name:16}" + "".join(f"{v:9.1e}" for v in row[:4]), end="  ")
    print("".join(f"{v:9.1e}" for v in row[4:]))
assert 0.3 < measured["relu, He"][0][30] / measured["relu, He"][0][1] < 3
assert measured["relu, gain 1"][0][30] < 1e-3 > measured["tanh, gain 0.5"][1][1]

# %% [markdown]
# ## Saturation
#
# With a gain of 3 the tanh does not let the outputs explode: they all end near -1 or 1, where the
# curve is flat. There its derivative, $1 - y^2$, is near 0, and the gradient is multiplied by it. A
# neuron like that is *saturated*: it says the same to every sample, and hardly learns, as its
# weights get no gradient. Of the last layer's outputs a good part is beyond 0.99, where the
# derivative is below 0.02. (The gradients in the table grow all the same: the few neurons that are
# not saturated pass on more, through large weights. Too large is no better than too small.)

# %%
assert 1 - 0.99**2 < 0.02
shares = {}
for gain in (0.5, 1.0, 3.0):
    y = x
    for w in weights(gain):
        y = np.tanh(y @ w)
    shares[gain] = np.mean(np.abs(y) > 0.99)
    print(f"gain {gain}: {shares[gain]:.0%} beyond 0.99, mean derivative {np.mean(1 - y**2):.3f}")
assert shares[0.5] == shares[1.0] == 0 and shares[3.0] > 0.2

# %% [markdown]
# ![Sizes of outputs and of gradients over thirty layers, on a logarithmic
# scale](../docs/images/tutorials/11_initialisation_and_normalisation.png)

# %%
import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained", sharey=True)
    for name, style in zip(measured, ("C0:", "C0", "C1:", "C1", "C1--"), strict=True):
        for axes, values in zip(panels, measured[name], strict=True):
            axes.semilogy(range(LAYERS + 1), values, style, label=name)
    panels[0].set(xlabel="layer", title="outputs", ylabel="size", ylim=(1e-10, 1e8))
    panels[1].set(xlabel="layer", title="gradients, from right to left")
    panels[0].legend(fontsize=8, loc="lower left")
    if "TINYDL_PICTURES" in os.environ:
        name = "11_initialisation_and_normalisation.png"
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / name, dpi=90)

# %% [markdown]
# ## Normalisation
#
# A good start does not last: training changes the weights, and with them the sizes. *Batch
# normalisation* puts them right in every step. For each neuron $j$, over the $n$ samples of a
# batch:
#
# $$\mu_j = \frac{1}{n} \sum_i x_{ij} \qquad v_j = \frac{1}{n} \sum_i (x_{ij} - \mu_j)^2 \qquad
# y_{ij} = \gamma_j \frac{x_{ij} - \mu_j}{\sqrt{v_j + \varepsilon}} + \beta_j$$
#
# The scale $\gamma$ and the shift $\beta$ are learned, so that nothing is lost which the network
# needs. Doubling the weights in front of it changes nothing any more. Two things have to be said: a
# sample's result now depends on the others in its batch; and to judge a single sample, averages are
# needed that were collected in training (assignment 7). Below, all test images are judged as one
# batch.
#
# Source: Ioffe & Szegedy, *Batch normalization: accelerating deep network training by reducing
# internal covariate shift*, ICML 2015.

# %%
from tinydl.layers import Layer


class BatchNormalization(Layer):
    def build(self, input_shape):
        self.gamma = self.add_weight(input_shape[-1:], "ones", name="gamma")
        self.beta = self.add_weight(input_shape[-1:], "zeros", name="beta")

    def call(self, x):
        mean = ops.mean(x, axis=0)
        variance = ops.mean(ops.square(x - mean), axis=0)
        return self.gamma * (x - mean) / ops.sqrt(variance + 1e-3) + self.beta


layer = BatchNormalization()
y, of_doubled = layer(5 * x + 3).numpy(), layer(10 * x + 6).numpy()
print(f"mean {abs(y.mean(axis=0)).max():.4f}, deviation {y.std(axis=0).mean():.4f}")
assert np.allclose(y, of_doubled, atol=1e-3)

# %% [markdown]
# ## Ten layers that learn, or do not
#
# A network of 10 hidden layers of 64 tanh neurons reads 2,000 digits, three times over. Begun with
# a gain of 1 it learns. Begun with a tenth of it, nearly nothing arrives at the end, no gradient
# comes back, and its answers are little better than guesses. Begun with three times as much it is
# saturated, and learns slowly. With normalisation between product and tanh, the beginning hardly
# matters.

# %%
from tinydl.datasets import mnist
from tinydl.initializers import VarianceScaling
from tinydl.layers import Activation, Dense, Flatten
from tinydl.models import Sequential
from tinydl.optimizers import Adam
from tinydl.utils import set_random_seed

(x_train, y_train), (x_test, y_test) = mnist.load_data()
digits = (x_train[:2000] - 33.0) / 79.0  # about mean 0 and deviation 1
test_digits = (x_test[:1000] - 33.0) / 79.0


def accuracy(gain, normalised):
    """How many test digits a network is right about that began with this gain."""
    set_random_seed(0)
    layers = [Flatten()]
    for _ in range(10):
        layers.append(Dense(64, kernel_initializer=VarianceScaling(gain**2)))
        layers += [BatchNormalization()] if normalised else []
        layers.append(Activation("tanh"))
    model = Sequential([*layers, Dense(10, activation="softmax")])
    model.compile(Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(digits, y_train[:2000], epochs=3, batch_size=100, verbose=0)
    return model.evaluate(test_digits, y_test[:1000], batch_size=1000, verbose=0)[1]


print(f"{len(digits):,} digits to learn from, {len(test_digits):,} to be judged by, 64 neurons")
right = {}
for gain in (0.1, 1.0, 3.0):
    right[gain] = [accuracy(gain, normalised) for normalised in (False, True)]
    print(f"gain {gain}: plain {right[gain][0]:.0%}, with normalisation {right[gain][1]:.0%}")
assert right[0.1][0] < 0.3 < 0.8 < right[1.0][0]
assert right[3.0][0] < right[1.0][0] - 0.1
assert min(normalised for _, normalised in right.values()) > 0.75

# %% [markdown]
# ## Exercises
#
# 1. Write batch normalisation with its running averages and its gradient, and check it: [assignment
#    7](assignments/07-normalization-and-dropout/).
# 2. Which gain does a sigmoid need? Its outputs have a mean of 0.5: what does the formula at the
#    top say about $E[x^2]$? Try it with `sizes`.
# 3. Saturation is not only for hidden layers: look at the gradient of a saturated sigmoid with the
#    squared error and with cross-entropy, and write the stable one. ([assignment
#    2](assignments/02-softmax-cross-entropy/), and lesson 5)
#
# To see how a gradient shrinks on its way back, number by number: `python -m tinydl explain`.
