# %% [markdown]
# # The chain rule and the graph
#
# A slope by a difference takes two losses for each weight. A network has a million weights and
# more, so nobody does that. *Backpropagation* finds all slopes in one walk back through the
# computation, and costs about as much as a few forward passes, however many weights there are.
#
# Sources: Rumelhart, Hinton & Williams, *Learning representations by back-propagating errors*,
# Nature 323, 1986; Baydin, Pearlmutter, Radul & Siskind, *Automatic differentiation in machine
# learning: a survey*, JMLR 18, 2018.

# %% [markdown]
# ## A chain
#
# One neuron without an activation, and its squared error: $y = w x + b$, $L = (y - t)^2$. With
# $w = 3$, $x = 2$, $b = 1$ and $t = 5$, it is $y = 7$ and $L = 4$. On paper, by the chain rule:
#
# $$\frac{\partial L}{\partial y} = 2 (y - t) = 4
# \qquad \frac{\partial L}{\partial w} = \frac{\partial L}{\partial y} \, x = 8
# \qquad \frac{\partial L}{\partial b} = \frac{\partial L}{\partial y} = 4$$

# %%
import tinydl

x, t = 2.0, 5.0
w = tinydl.tensor(3.0, requires_grad=True, name="w")
b = tinydl.tensor(1.0, requires_grad=True, name="b")

y = w * x + b
loss = (y - t) ** 2
print("y =", y.item(), "  L =", loss.item())

# %% [markdown]
# A tensor remembers the op that made it, and that op's inputs. Following the inputs leads through
# the whole computation: this is the *graph*, and there is no other.

# %%
node = loss
while node.op is not None:
    print(f"{node.item():4.0f}   was made by {node.op}")
    node = node.inputs[0]
print(f"{node.item():4.0f}   is a leaf, {node.name}")

# %% [markdown]
# ## The walk back, by hand
#
# Walking from the loss to the leaves, we carry a number along: how much the loss changes with the
# number we stand on. For the loss itself that is 1. Each op turns what arrives from above into what
# it passes on to each of its inputs, by a *gradient rule*, which knows nothing but this op. With
# $\bar y$ for what arrives,
#
# $$y = a b: \; \bar a = \bar y \, b \qquad y = a + b: \; \bar a = \bar y \qquad
# y = a^2: \; \bar a = 2 \bar y \, a$$

# %%
node, arrived = loss, tinydl.tensor(1.0)
while node.op is not None:
    for position, tensor in enumerate(node.inputs):
        if tensor.requires_grad:
            passed_on = node.op.gradient(position, arrived, node)
            print(f"{node.op} passes on {passed_on.item():.0f} to {tensor.name or tensor.op}")
    # Only the first input leads on here; b, the second one of the addition, is a leaf.
    arrived = node.op.gradient(0, arrived, node)
    node = node.inputs[0]

# %% [markdown]
# `backward` is this walk, for graphs of any shape. It leaves 8 at `w` and 4 at `b`.

# %%
loss.backward()
print("dL/dw =", w.grad.item(), "  dL/db =", b.grad.item())
assert w.grad.item() == arrived.item() == 8.0
assert b.grad.item() == 4.0

# %% [markdown]
# ## A fork: gradients add up
#
# A value that is used twice changes the loss along two paths, and both count:
#
# $$\bar a = \sum_{\text{uses } u \text{ of } a} \bar u \, \frac{\partial u}{\partial a}$$
#
# Take $p = a^2$, $q = 3 a$ and $L = p q$ at $a = 2$. Through $p$ come $q \cdot 2 a = 24$, through
# $q$ come $p \cdot 3 = 12$: together 36. And indeed $L = 3 a^3$, whose slope is $9 a^2 = 36$.

# %%
a = tinydl.tensor(2.0, requires_grad=True)
p = a**2
q = 3.0 * a
forked = p * q
forked.backward()
through_p = q.item() * 2 * a.item()
through_q = p.item() * 3
print("through p:", through_p, "  through q:", through_q, "  backward:", a.grad.item())
assert a.grad.item() == through_p + through_q == 9 * a.item() ** 2

# %% [markdown]
# ## The order of the walk
#
# A value may pass its gradient on only when all its uses have passed theirs to it. Take $b = a + a$
# and $c = b + b$, so $c = 4 a$. Whoever goes on to $a$ after the first of the two uses of $b$
# arrives with a sum of 2, not 4. So the walk goes through the graph in reverse *topological* order:
# results before their inputs. In tinydl, a result is always younger than its inputs; sorting by
# age is enough.

# %%
a = tinydl.tensor(1.0, requires_grad=True)
b = a + a
c = b + b

gradient_of_b = 1.0  # from one use of b
print("too early:", gradient_of_b + gradient_of_b)
gradient_of_b = 1.0 + 1.0  # from both
print("in order: ", gradient_of_b + gradient_of_b)
c.backward()
print("backward: ", a.grad.item())
assert a.grad.item() == 4.0

# %% [markdown]
# ## The whole walk
#
# This is all of it: a table of gradients, which are added up as they come in. tinydl's own loop is
# `backpropagate` in `tinydl/engine.py`.


# %%
def gradients(result):
    """The gradient of a single number with respect to every tensor it was made from."""
    members, waiting = {}, [result]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in members:
            members[id(tensor)] = tensor
            waiting.extend(tensor.inputs)
    table = {id(result): tinydl.tensor(1.0)}
    for tensor in sorted(members.values(), key=lambda tensor: tensor.serial_number, reverse=True):
        for position, source in enumerate(tensor.inputs):
            if source.requires_grad:
                passed_on = tensor.op.gradient(position, table[id(tensor)], tensor)
                table[id(source)] = table.get(id(source), 0.0) + passed_on
    return table


w = tinydl.tensor(0.5, requires_grad=True)
tangled = tinydl.ops.tanh(w * w + w) * w
table = gradients(tangled)
tangled.backward()
print(f"this walk: {table[id(w)].item():.6f}   backward: {w.grad.item():.6f}")
assert table[id(w)].item() == w.grad.item()

# %% [markdown]
# ## Why back and not forward
#
# The network that reads digits has 54,410 weights. Slopes by differences would take two forward
# passes for each, 108,820 in all. The walk back takes one, and its length is that of the graph.

# %%
import time

import numpy as np

from tinydl.layers import Conv2D, Dense, Flatten, MaxPooling2D
from tinydl.losses import SparseCategoricalCrossentropy
from tinydl.models import Sequential

model = Sequential(
    [
        Conv2D(32, 3, activation="relu"),
        MaxPooling2D(2),
        Flatten(),
        Dense(10, activation="softmax"),
    ]
)
images, digits = np.random.default_rng(0).uniform(size=(16, 28, 28, 1)), np.arange(16) % 10
model(images)
loss_function = SparseCategoricalCrossentropy()

times = {"forward": [], "backward": []}
for _ in range(5):
    start = time.perf_counter()
    loss = loss_function(digits, model(images))
    middle = time.perf_counter()
    loss.backward()
    times["forward"].append(middle - start)
    times["backward"].append(time.perf_counter() - middle)

count = sum(weight.size for weight in model.trainable_weights)
print(f"{count} weights; by differences: {2 * count} forward passes")
print(
    f"the walk back takes as long as {min(times['backward']) / min(times['forward']):.1f} of them"
)

# %% [markdown]
# ## The slope of the slope
#
# Gradient rules are written in the same ops, so they can be recorded too, and differentiated again.
# For $L = 3 a^3$ at $a = 2$ the derivatives are 36, then $18 a = 36$ again, then 18.

# %%
a = tinydl.tensor(2.0, requires_grad=True)
value = 3.0 * a**3
for order in (1, 2, 3):
    (value,) = tinydl.grad(value, [a], create_graph=True)
    print(f"derivative {order}: {value.item():.0f}")

# %% [markdown]
# ## Exercises
#
# 1. Draw the graph of $L = (w x - t)^2 + 0.1 w^2$, and walk it back by hand at $w = 1$, $x = 2$,
#    $t = 3$. Where do two gradients add up? Compare with `backward`.
# 2. Take `sorted(...)` out of `gradients` above, and find a computation for which the result is
#    wrong. Then write an engine of your own, step by step, that is right for all of them:
#    [assignment 3](assignments/03-autograd/).
# 3. A loop doubles a number a hundred times. How many paths lead from its end to its beginning,
#    if each doubling is `x + x`? How many steps has the walk back?
#    ([assignment 3](assignments/03-autograd/))
#
# To see the fork page by page: `python -m tinydl explain backprop`.
