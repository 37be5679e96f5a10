"""Another engine: tensors are numbered by birth, and hold their rules as functions."""

from itertools import count

import numpy as np

BIRTHS = count()


class Tensor:
    def __init__(self, data, op=None, inputs=(), rules=()):
        self.data = np.asarray(data, dtype=float)
        self.op, self.inputs, self.rules = op, list(inputs), rules
        self.birth = next(BIRTHS)

    shape = property(lambda self: self.data.shape)

    def exp(self):
        return record("exp", np.exp(self.data), (self, lambda g, y: g * y))

    def log(self):
        return record("log", np.log(self.data), (self, lambda g, y: g * self.reciprocal()))

    def reciprocal(self):
        return record("reciprocal", 1 / self.data, (self, lambda g, y: g * y * y * -1))

    def relu(self):
        mask = np.where(self.data > 0, 1.0, 0.0)
        return record("relu", self.data * mask, (self, lambda g, y: g * mask))

    def reshape(self, shape):
        return record(
            "reshape", self.data.reshape(shape), (self, lambda g, y: g.reshape(self.shape))
        )

    def sum(self, axis=None, keepdims=False):
        kept = self.data.sum(axis=axis, keepdims=True)
        value = kept if keepdims else self.data.sum(axis=axis)
        return record(
            "sum", value, (self, lambda g, y: g.reshape(kept.shape) + np.zeros(self.shape))
        )

    @property
    def T(self):
        return record("transpose", self.data.T, (self, lambda g, y: g.T))

    def __add__(self, other):
        other = tensor(other)
        return record(
            "add",
            self.data + other.data,
            (self, lambda g, y: unbroadcast(g, self.shape)),
            (other, lambda g, y: unbroadcast(g, other.shape)),
        )

    def __mul__(self, other):
        other = tensor(other)
        return record(
            "multiply",
            self.data * other.data,
            (self, lambda g, y: unbroadcast(g * other, self.shape)),
            (other, lambda g, y: unbroadcast(g * self, other.shape)),
        )

    def __matmul__(self, other):
        return record(
            "matmul",
            self.data @ other.data,
            (self, lambda g, y: g @ other.T),
            (other, lambda g, y: self.T @ g),
        )

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + tensor(other) * -1

    def __truediv__(self, other):
        return self * tensor(other).reciprocal()

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self.reciprocal() * other

    __radd__, __rmul__ = __add__, __mul__


def tensor(value):
    return value if isinstance(value, Tensor) else Tensor(value)


def record(op, value, *inputs_and_rules):
    inputs, rules = zip(*inputs_and_rules, strict=True)
    return Tensor(value, op, inputs, rules)


def apply(op, *inputs):
    raise NotImplementedError("this engine does without")


def unbroadcast(x, shape):
    while len(x.shape) > len(shape):
        x = x.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            x = x.sum(axis=axis, keepdims=True)
    return x


def topological_order(y):
    found, to_do = {}, [y]
    while to_do:
        t = to_do.pop()
        if t.birth not in found:
            found[t.birth] = t
            to_do.extend(t.inputs)
    return [found[birth] for birth in sorted(found)]


def grad(y, xs):
    table = {y.birth: Tensor(np.ones_like(y.data))}
    for t in topological_order(y)[::-1]:
        for x, rule in zip(t.inputs, t.rules, strict=False):
            arrived = rule(table[t.birth], t)
            table[x.birth] = table[x.birth] + arrived if x.birth in table else arrived
    return [table.get(x.birth, Tensor(0 * x.data)) for x in xs]
