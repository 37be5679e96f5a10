# %% [markdown]
# # Overfitting, dropout and augmentation
#
# A network that has seen a few hundred digits often enough knows them by heart, noise and all. What
# is wanted is something else: to be right about digits it has not seen. The two are measured by two
# losses, over the training images and over others, and *overfitting* is the gap between them.
#
# Here 300 digits train a network of 159,010 weights: 530 weights for each image. Other 1,000 digits
# are the *validation* set, which tells when to stop and what to prefer; and 2,000 from a different
# part of MNIST are the *test*, looked at once at the end: what was chosen by a set of images cannot
# be judged fairly by the same set.

# %%
import numpy as np

from tinydl.datasets import mnist
from tinydl.layers import Dense, Dropout, Flatten, Layer
from tinydl.models import Sequential
from tinydl.optimizers import Adam
from tinydl.regularizers import L2
from tinydl.utils import set_random_seed

(x, y), (x_test, y_test) = mnist.load_data()
x, x_test = (x[:1300] / 255).astype("float32"), (x_test[:2000] / 255).astype("float32")
training, validation, test = (x[:300], y[:300]), (x[300:], y[300:1300]), (x_test, y_test[:2000])


def network(first=(), penalty=None, before_the_last=()):
    set_random_seed(0)
    hidden = Dense(200, activation="relu", kernel_regularizer=penalty)
    last = Dense(10, activation="softmax", kernel_regularizer=penalty)
    model = Sequential([*first, Flatten(), hidden, *before_the_last, last])
    model.compile(Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def trained(model, callbacks=()):
    """Train for at most 40 rounds over the training digits."""
    model.fit(
        *training,
        epochs=40,
        batch_size=50,
        validation_data=validation,
        validation_batch_size=1000,
        callbacks=callbacks,
        verbose=0,
    )
    return model


plain = trained(network())
print(f"{len(training[0])} to train, {len(validation[0]):,} to validate, {len(test[0]):,} to test")
print(f"{plain.count_params():,} weights, {plain.count_params() // 300} for each training image")

# %% [markdown]
# The training loss goes to nearly nothing: soon every training digit is right. The validation loss
# falls for some rounds, and then rises again. The network gets surer of everything, also of its
# mistakes.

# %%
losses = plain.history.history
best = int(np.argmin(losses["val_loss"]))
for epoch in (0, best, 39):
    print(f"round {epoch + 1:2}: training loss {losses['loss'][epoch]:.3f}", end="   ")
    print(f"validation loss {losses['val_loss'][epoch]:.3f}", end="   ")
    print(f"accuracy {losses['accuracy'][epoch]:.0%} and {losses['val_accuracy'][epoch]:.0%}")
assert losses["accuracy"][39] == 1.0
assert losses["val_loss"][best] < losses["val_loss"][39] - 0.03 and best < 30

# %% [markdown]
# ## Stop in time
#
# The cheapest remedy is to stop where the validation loss is lowest, and to go back to the weights
# of that round. The callback waits a few rounds, 5 here, whether it gets better once more.

# %%
from tinydl.callbacks import EarlyStopping

stopping = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
stopped = trained(network(), callbacks=[stopping])
rounds = len(stopped.history.history["loss"])
print(f"stopped after round {rounds}, best was round {stopping.best_epoch + 1}, patience 5")
assert rounds < 40

# %% [markdown]
# ## Make the weights pay
#
# A curve that passes through every point of noise needs large weights. So the loss gets a second
# part, which is large when they are. It is called L2, ridge or weight decay:
#
# $$L_\text{total} = L + \lambda \sum_k w_k^2$$
#
# ## Dropout
#
# In each step, every hidden neuron is dropped with probability $r$. None can rely on another one
# being there, so each has to be useful by itself. What is left is scaled up, so that the next layer
# gets on average what it will get when nothing is dropped any more:
#
# $$y_i = \frac{m_i}{1 - r} \, x_i, \quad m_i \in \{0, 1\}, \quad P(m_i = 1) = 1 - r
# \qquad \text{so that } E[y_i] = x_i$$
#
# Half of 10,000 ones dropped leaves twos and zeros with a mean near 1.
#
# Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, *Dropout: a simple way to
# prevent neural networks from overfitting*, JMLR 15, 2014.

# %%
ones = np.ones((1, 10_000), dtype="float32")
dropped = Dropout(0.5, seed=0)(ones, training=True).numpy()
print("values", np.unique(dropped), f"of {ones.size:,}, mean {dropped.mean():.2f}")
print("in use:", np.unique(Dropout(0.5)(ones).numpy()))
assert abs(dropped.mean() - 1) < 0.05

# %% [markdown]
# ## Augmentation
#
# A four that is moved by two pixels is still a four. We know that; the network does not, unless it
# is shown. In training, every image is moved at random each time, up to 2 pixels to any side: so
# there are 25 versions of each digit. This adds knowledge that is not in the 300 images, which no
# penalty can.


# %%
from tinydl import tensor


class RandomShift(Layer):
    """In training, move each image at random by up to `most` pixels; zeros come in."""

    def __init__(self, most, seed=0):
        super().__init__()
        self.most, self.rng = most, np.random.default_rng(seed)

    def call(self, images, training=False):
        if not training:
            return images
        padded = np.pad(images.data, ((0, 0), (self.most, self.most), (self.most, self.most)))
        height, width = images.shape[1:]
        starts = self.rng.integers(0, 2 * self.most + 1, size=(len(padded), 2))
        windows = [
            p[i : i + height, j : j + width] for p, (i, j) in zip(padded, starts, strict=True)
        ]
        return tensor(np.stack(windows))


print("up to 2 pixels:", (2 * 2 + 1) ** 2, "versions of each of the", len(training[0]), "images")
one = np.eye(3, dtype="float32")[None]
print("moved by up to 1:\n", RandomShift(1)(one, training=True).numpy()[0])

# %% [markdown]
# ## What each of them brings
#
# The accuracies are of 2,000 test images, so they are sure to two percent only. Read that way, to
# stop in time and the penalty make the loss better, that is, the probabilities more honest; whether
# they make more answers right, and whether dropout does anything for so small a network, this
# experiment is too small to say. The shifted images help, clearly. That is the rule: first more
# data, real or made by what one knows about it.

# %%
models = {
    "plain": plain,
    "stopped in time": stopped,
    "penalty 0.001": trained(network(penalty=L2(0.001))),
    "dropout 0.5": trained(network(before_the_last=[Dropout(0.5)])),
    "shifted images": trained(network(first=[RandomShift(2)])),
}
results = {}
for name, model in models.items():
    probabilities = model.predict(test[0], batch_size=1000, verbose=0)
    of_the_right_one = probabilities[np.arange(2000), test[1]]
    results[name] = -np.mean(np.log(of_the_right_one)), np.mean(probabilities.argmax(1) == test[1])
    error = 2 * np.sqrt(results[name][1] * (1 - results[name][1]) / 2000)
    print(f"{name:16} test loss {results[name][0]:.3f}", end="   ")
    print(f"accuracy {results[name][1]:.1%}, give or take {error:.1%}")
loss_of, accuracy_of = ({name: pair[k] for name, pair in results.items()} for k in (0, 1))
assert max(loss_of["stopped in time"], loss_of["penalty 0.001"]) < loss_of["plain"] - 0.05
assert min(loss_of, key=loss_of.get) == "shifted images"
assert accuracy_of["shifted images"] > accuracy_of["plain"] + 0.03

# %% [markdown]
# ![Training and validation losses over the rounds, plain, with dropout, with shifted
# images](../docs/images/tutorials/12_overfitting.png)

# %%
import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    styles = {"plain": "C3", "dropout 0.5": "C0", "shifted images": "C2"}
    for name, color in styles.items():
        history = models[name].history.history
        axes.plot(history["loss"], color, linestyle=":")
        axes.plot(history["val_loss"], color, label=name)
    axes.plot([], [], "0.4", linestyle=":", label="dotted: in training")
    axes.set(xlabel="round", ylabel="loss", ylim=(0, 2))
    axes.legend()
    if "TINYDL_PICTURES" in os.environ:
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / "12_overfitting.png", dpi=90)

# %% [markdown]
# ## Exercises
#
# 1. Write dropout with its gradient, for training and for use, and test that its mean is right:
#    [assignment 7](assignments/07-normalization-and-dropout/).
# 2. Shift the images by up to 6 pixels instead of 2, or flip them left and right. What happens, and
#    why is one kind of knowledge right and the other wrong?
# 3. With 3,000 training digits instead of 300, which of the remedies still helps? Find out, then
#    train on all of them with an engine of your own: [assignment
#    8](assignments/08-mnist-on-your-own/).
#
# To see the cross-entropy of one sample page by page: `python -m tinydl explain cross-entropy`.
