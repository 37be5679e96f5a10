"""A gradient by hand: follow the chain rule through a recorded computation, one op at a time."""

# %% [markdown]
# One neuron: an input x, a weight w, a bias b, a target t, and the squared error
#
#     y = w x + b          L = (y - t)^2
#
# With the numbers below, y = 3 * 2 + 1 = 7 and L = (7 - 5)^2 = 4. On paper:
#
#     dL/dy = 2 (y - t) = 4       dL/dw = dL/dy x = 8       dL/db = dL/dy = 4

# %%
import tinydl

x, t = 2.0, 5.0
w = tinydl.tensor(3.0, requires_grad=True, name="w")
b = tinydl.tensor(1.0, requires_grad=True, name="b")

loss = (w * x + b - t) ** 2
print("L =", loss.item())

# %% [markdown]
# The loss remembers which op made it, and from what. Following the inputs from there leads
# through the whole computation: that chain is the graph, there is no other.

# %%
node = loss
while node.op is not None:
    print(f"{node.item():4.0f}  was made by  {node.op}")
    node = node.inputs[0]
print(f"{node.item():4.0f}  is a leaf, {node.name}")

# %% [markdown]
# Walking back, we carry along how much the loss changes with the number we stand on. At the loss
# itself that is 1. Each op turns the number that arrives from above into one for each of its
# inputs, by that input's gradient rule.

# %%
node, arrived = loss, tinydl.tensor(1.0)
while node.op is not None:
    for position, tensor in enumerate(node.inputs):
        if tensor.requires_grad:
            passed_on = node.op.gradient(position, arrived, node)
            print(f"{node.op} passes on {passed_on.item():.0f} to {tensor.name or tensor.op}")
    # Only the first input leads on here; b, the second input of the addition, is a leaf.
    arrived = node.op.gradient(0, arrived, node)
    node = node.inputs[0]
by_hand = arrived.item()

# %% [markdown]
# `backward` is this walk, for graphs of any shape.

# %%
loss.backward()
print("backward says: dL/dw =", w.grad.item(), "and dL/db =", b.grad.item())
assert w.grad.item() == by_hand == 8.0
assert b.grad.item() == 4.0

# %% [markdown]
# And a difference agrees: change w a little and see what the loss does.

# %%
step = 1e-3


def loss_at(weight):
    return (weight * x + 1.0 - t) ** 2


difference = (loss_at(3.0 + step) - loss_at(3.0 - step)) / (2 * step)
print(f"a difference says: dL/dw = {difference:.6f}")
assert abs(difference - by_hand) < 1e-6
