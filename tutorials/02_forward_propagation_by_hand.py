# %% [markdown]
# # Forward propagation by hand
#
# A network is neurons that feed neurons. *Forward propagation* computes it from the inputs to the
# answer, layer by layer, and nothing more happens when a trained network is used.
#
# The task: two inputs that are 0 or 1, and the answer 1 if exactly one of them is 1. This is
# *exclusive or*, and no single neuron without an activation can do it. Two neurons and one behind
# them can, with the weights below.
#
# Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 6.1.
#
# $$h_j = \max\Big(0, \sum_k x_k W_{kj} + b_j\Big) \qquad y = \sum_j h_j v_j + c$$

# %%
import numpy as np

W = np.array([[1.0, 1.0], [1.0, 1.0]])  # W[k, j]: from input k to hidden neuron j
b = np.array([0.0, -1.0])
v = np.array([1.0, -2.0])  # v[j]: from hidden neuron j to the answer
c = 0.0

# %% [markdown]
# ## One sample, one neuron at a time
#
# For $x = (1, 1)$ both hidden sums begin as 2. The second one has the bias -1, so $h = (2, 1)$, and
# the answer is $1 \cdot 2 - 2 \cdot 1 = 0$. Two ones are not exactly one.


# %%
def forward(x):
    """Compute one sample with loops, and show each number on the way."""
    h = np.zeros(2)
    for j in range(2):
        z = b[j]
        for k in range(2):
            z += x[k] * W[k, j]
        h[j] = max(0.0, z)
        print(f"  hidden neuron {j}: sum {z:4.1f}, after the relu {h[j]:.1f}")
    y = c
    for j in range(2):
        y += h[j] * v[j]
    print(f"  the answer: {y:.1f}")
    return y


for x in ([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]):
    print("x =", x)
    forward(x)

# %% [markdown]
# ## All samples at once
#
# Put the samples into a table $X$, one in each row. The inner loop of all of them together is a
# matrix product, and the biases are added to each row:
#
# $$H = \max(0, X W + b) \qquad y = H v + c$$
#
# The shapes tell how it fits together: $(4, 2)$ times $(2, 2)$ is $(4, 2)$, times $(2,)$ is $(4,)$.
# The middle length must agree, and disappears.

# %%
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
H = np.maximum(0.0, X @ W + b)
y = H @ v + c
print("H =\n", H)
print("y =", y)
print("shapes:", X.shape, "@", W.shape, "->", H.shape, "@", v.shape, "->", y.shape)
assert y.tolist() == [0.0, 1.0, 1.0, 0.0]

# %% [markdown]
# ## The same as a model
#
# `Dense` is this line. A layer of 2 neurons on 2 inputs has 4 weights and 2 biases; the last
# neuron has 2 weights and 1 bias: 9 numbers in all. tinydl writes the whole model as one formula,
# in which a sample is a column, so the weights stand to its left.

# %%
from tinydl import explain
from tinydl.layers import Dense
from tinydl.models import Sequential

model = Sequential([Dense(2, activation="relu", name="hidden"), Dense(1, name="output")])
model.build((None, 2))
model.layers[0].set_weights([W, b])
model.layers[1].set_weights([v.reshape(2, 1), [c]])

print(explain.formula(model))
model.summary()
print("the model answers", model(X).numpy().ravel())

# %% [markdown]
# ## Why the relu is there
#
# Without it, the two layers are $(X W + b) v + c = X (W v) + (b v + c)$: one layer again, with
# other weights. However many layers without an activation, they draw one straight line. The best
# line for this task, in the sense of the mean squared error, answers 0.5 to everything; its loss of
# 0.25 is that of not looking at the input at all.

# %%
without_relu = (X @ W + b) @ v + c
one_layer = X @ (W @ v) + (b @ v + c)
print("two layers without relu:", without_relu)
print("one layer:              ", one_layer)
assert np.array_equal(without_relu, one_layer)

wanted = np.array([0.0, 1.0, 1.0, 0.0])
with_ones = np.column_stack([X, np.ones(4)])
best = np.linalg.lstsq(with_ones, wanted, rcond=None)[0]
answers = with_ones @ best
print("the best line answers   ", np.round(answers, 4))
print("its mean squared error: ", round(np.mean((answers - wanted) ** 2), 4))

# %% [markdown]
# The first layer does what the line cannot. It moves the samples: $(0, 1)$ and $(1, 0)$ become the
# same point, $(1, 0)$, and $(1, 1)$ becomes $(2, 1)$. Of the three points that are left, a line can
# part $(1, 0)$ from the other two. A layer finds new features, and the next one has less to do.

# %%
for x, h, answer in zip(X, H, y, strict=True):
    print(f"x = {x}   h = {h}   y = {answer:.0f}")

# %% [markdown]
# ## Exercises
#
# 1. Change one weight of the eight that are not `c`, by hand, so that the model answers
#    *inclusive* or: 1 if at least one input is 1. (There is more than one way.)
# 2. Write `dense(x, weights, bias)` for a whole table of samples in one line, and say which shapes
#    it takes and gives: [assignment 1](assignments/01-forward-and-losses/).
# 3. A convolution is a layer in which each neuron sees a small window and all share their weights.
#    How many weights has a `Dense` layer from 28 x 28 pixels to 32 neurons, and how many a
#    convolution with 32 kernels of 3 x 3? Lesson 9 computes it,
#    [assignment 5](assignments/05-convolution/) builds it.
#
# To see a forward pass page by page, with every product: `python -m tinydl explain`. The first
# pages are those of a network that reads digits.
