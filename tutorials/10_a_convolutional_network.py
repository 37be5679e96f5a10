# %% [markdown]
# # A convolutional network
#
# Three more steps lead from a convolution to a network that reads digits: *pooling*, which keeps
# the strongest answer of each neighbourhood; *flattening*, which turns images into rows; and a
# dense layer with a softmax, which turns a row into ten probabilities.
#
# ## Pooling
#
# Max pooling cuts an image into windows, 2 by 2 here, and keeps the largest number of each.
#
# $$y_{nijc} = \max_{p, q} \; x_{n, 2 i + p, 2 j + q, c}$$
#
# An image of 4 by 4 becomes one of 2 by 2. There is nothing to learn in it. On the way back the
# winner of each window gets all that arrives, and the others get 0: moving a loser a little changes
# nothing. With 1, 2, 3 and 4 arriving from above, these four numbers stand where 5, 7, 8 and 9 are.

# %%
import numpy as np

from tinydl import ops, tensor

image = np.array([[1, 5, 2, 0], [3, 4, 7, 6], [8, 2, 1, 3], [0, 6, 9, 4]], dtype="float32")
x = tensor(image.reshape(1, 4, 4, 1), requires_grad=True)
y = ops.max_pool(x, 2)
y.backward(np.array([1, 2, 3, 4], dtype="float32").reshape(1, 2, 2, 1))

pooled, gradient = y.numpy()[0, :, :, 0], x.grad.numpy()[0, :, :, 0]
by_hand = image.reshape(2, 2, 2, 2).max(axis=(1, 3))
print("the largest of each window:\n", pooled)
print("the gradient:\n", gradient)
assert np.array_equal(pooled, by_hand)
assert image[gradient > 0].tolist() == [5, 7, 8, 9]

# %% [markdown]
# Pooling makes the next layer's work smaller by four, and makes the network care less about where
# things are. Move a digit by one pixel, and look at its vertical edges: they are somewhere else
# altogether. Pooled over larger and larger windows, they move less and less. What is printed is the
# distance between the two images, in parts of the first one's length.

# %%
from tinydl.datasets import mnist

(x_train, y_train), (x_test, y_test) = mnist.load_data()
digits = (x_train[:500, :, :, None] / 255).astype("float32")
moved = np.roll(digits, 1, axis=2)  # the columns at the border are empty
assert not digits[:, :, -1].any()

edge = np.array([[-1, 1], [-1, 1]], dtype="float32").reshape(2, 2, 1, 1)


def edges(images):
    return ops.relu(ops.conv(images, edge, padding="same"))


def change(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(one)


changes = {"pixels": change(digits, moved)}
for size in (1, 2, 4):
    before, after = (ops.max_pool(edges(images), size).numpy() for images in (digits, moved))
    changes[f"edges, pooled {size} by {size}"] = change(before, after)
for name, part in changes.items():
    print(f"{name:22} change by {part:.0%}")
in_order = list(changes.values())
assert in_order[1] > in_order[2] > in_order[3]

# %% [markdown]
# ## Flattening
#
# A dense layer wants rows. `Flatten` writes the numbers of an image one after the other, the last
# index fastest: row $i$, column $j$ and channel $c$ go to place $(i W + j) C + c$. In an image of
# 13 by 13 with 32 channels, number (2, 3, 5) goes to place 933.

# %%
features = np.arange(13 * 13 * 32).reshape(1, 13, 13, 32)
place = (2 * 13 + 3) * 32 + 5
print("13 by 13 with 32 channels:", features.size, "numbers;", (2, 3, 5), "at", place)
assert features.reshape(1, -1)[0, place] == features[0, 2, 3, 5]

# %% [markdown]
# ## The network
#
# The network of the README, layer by layer. A kernel of 3 by 3 fits into 28 pixels at 26 places;
# half of 26 are 13; and $13 \cdot 13 \cdot 32$ are 5,408. The convolution has 32 kernels of 9
# weights and a bias each, 320 in all. The dense layer has 5,408 weights and a bias for each of the
# 10 digits, and so 54,090: nearly all of the network.

# %%
from tinydl.layers import Conv2D, Dense, Flatten, MaxPooling2D
from tinydl.models import Sequential
from tinydl.optimizers import Adam
from tinydl.utils import set_random_seed


def convolutional():
    set_random_seed(0)
    return Sequential(
        [
            Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
            MaxPooling2D(2),
            Flatten(),
            Dense(10, activation="softmax"),
        ]
    )


model = convolutional()
shape = (28, 28, 1)
for layer in model.layers:
    former, shape = shape, layer.compute_output_shape((None, *shape))[1:]
    weights = sum(weight.size for weight in layer.get_weights())
    print(f"{layer.name:15} {former!s:>12} -> {shape!s:12} {weights:7,} weights")
assert 32 * (9 + 1) == 320 and 10 * (5408 + 1) == 54090
print(f"together {model.count_params():,}")

# %% [markdown]
# ## Training
#
# It is trained on 4,000 of the 60,000 digits for three rounds, to be done in seconds, and beside it
# a network without convolution, which has nearly the same number of weights: one dense layer of 69
# neurons in the place of convolution and pooling. Both see the same images, as often. They are
# judged by 2,000 images they have never seen.
#
# The convolutional one is better, as it need not learn anew at each place what a stroke looks like.
# The percentages are of 2,000 images and would be a little different for 2,000 others: the interval
# of plus and minus two standard errors is $2 \sqrt{a (1 - a) / n}$ wide to each side.


# %%
def dense():
    set_random_seed(0)
    return Sequential(
        [
            Flatten(input_shape=(28, 28, 1)),
            Dense(69, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


train = (x_train[:4000, :, :, None] / 255).astype("float32"), y_train[:4000]
test = (x_test[:2000, :, :, None] / 255).astype("float32"), y_test[:2000]
print(f"{len(train[0]):,} of {len(x_train):,} digits, and {len(test[0]):,} for the test")

accuracies = {}
for build in (dense, convolutional):
    model = build()
    model.compile(
        Adam(learning_rate=0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(*train, epochs=3, verbose=0)
    loss, accuracy = model.evaluate(*test, verbose=0)
    error = 2 * np.sqrt(accuracy * (1 - accuracy) / len(test[1]))
    accuracies[build.__name__] = accuracy
    print(f"{build.__name__:14} {model.count_params():7,} weights   loss {loss:.3f}", end="   ")
    print(f"accuracy {accuracy:.1%}, give or take {error:.1%}")
assert accuracies["convolutional"] > accuracies["dense"] + 0.02 > 0.85

# %% [markdown]
# ## What a digit becomes
#
# The picture shows a test image on its way through the trained network: what six of the 32 kernels
# make of it, after the relu and after pooling, and the ten probabilities.
#
# ![A digit, six feature maps, the same pooled, and ten
# probabilities](../docs/images/tutorials/10_a_convolutional_network.png)

# %%
digit = test[0][:1]
maps = model.layers[0](digit)
pools = model.layers[1](maps)
probabilities = model(digit).numpy()[0]
print("the digit is a", test[1][0], " the network says", probabilities.argmax(), end=" ")
print(f"with probability {probabilities.max():.3f}; {maps.shape[-1]} maps of", maps.shape[1:3])
assert np.array_equal(pools.numpy(), ops.max_pool(maps, 2).numpy())

import os
from importlib.util import find_spec
from pathlib import Path

if find_spec("matplotlib"):
    import matplotlib.pyplot as plt

    strongest = np.argsort(-maps.numpy().sum(axis=(0, 1, 2)))[:6]
    figure, panels = plt.subplots(2, 8, figsize=(8, 2.4), layout="constrained")
    panels[0, 0].imshow(digit[0, :, :, 0], cmap="gray_r")
    for row, values in enumerate((maps.numpy(), pools.numpy())):
        for column, channel in enumerate(strongest):
            panels[row, column + 1].imshow(values[0, :, :, channel], cmap="viridis")
    panels[0, 7].bar(range(10), probabilities)
    panels[0, 7].set(xticks=[0, 5, 9], ylim=(0, 1), title="softmax")
    for axes in [*panels[:, :7].ravel(), panels[1, 7]]:
        axes.set_axis_off()
    panels[0, 1].set_title("relu of conv", loc="left", fontsize=10)
    panels[1, 1].set_title("pooled", loc="left", fontsize=10)
    if "TINYDL_PICTURES" in os.environ:
        name = "10_a_convolutional_network.png"
        figure.savefig(Path(os.environ["TINYDL_PICTURES"]) / name, dpi=90)

# %% [markdown]
# ## Exercises
#
# 1. Write max pooling and its gradient with `reshape` and `max`, for windows that do not overlap.
#    What do you do where two numbers of a window are equal? Then build the convolution around it:
#    [assignment 5](assignments/05-convolution/).
# 2. How does the accuracy change with average pooling, with strides of 2 instead of pooling, or
#    with a second convolution? Is the change larger than the interval?
# 3. Train this network on an engine, ops and kernels of your own: [assignment
#    8](assignments/08-mnist-on-your-own/).
#
# One training step of this network page by page: `python -m tinydl explain`. The pooling of the
# first cell: `python -m tinydl explain maxpool`.
