"""The formula of a model and its gradients, read and computed, are what the model computes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinydl
from tinydl import activations
from tinydl.engine import grad
from tinydl.explain.formulas import formula
from tinydl.explain.latex import parse
from tinydl.explain.mathml import lint
from tinydl.explain.tree import Apply, Delimited, Infix, Lines, Scripted
from tinydl.explain.unicode_math import as_text, unicode_math
from tinydl.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, Layer, MaxPooling2D
from tinydl.models import Sequential

SMOOTH = ["tanh", "sigmoid", "softplus", "softmax", "silu"]


class Reader:
    """A formula with matrices, computed: every symbol is looked up by its LaTeX, as text."""

    def __init__(self, known):
        self.known = known

    def run(self, lines):
        for row in lines.rows if isinstance(lines, Lines) else (lines,):
            *names, value = [part for _, part in row.parts]
            for name in names:
                self.known.setdefault(as_text(name), self.value(value))
        return self.known

    def value(self, node):
        if as_text(node) in self.known:
            return self.known[as_text(node)]
        if isinstance(node, Delimited):
            return self.value(node.body)
        if isinstance(node, Scripted):
            assert as_text(node).endswith("ᵀ")
            return self.value(node.base if node.sub is None else Scripted(node.base, node.sub)).T
        if isinstance(node, Apply):
            return function(as_text(node.function))(self.value(node.argument))
        assert isinstance(node, Infix), node
        result = None
        for operator, part in node.parts:
            right = self.value(part)
            if result is None:
                result = -right if operator == "-" else right
            else:
                result = OPERATORS[node.level, operator](result, right)
        return result


OPERATORS = {
    ("sum", "+"): np.add,
    ("sum", "-"): np.subtract,
    ("product", ""): np.matmul,
    ("product", "·"): np.matmul,
    ("product", "⊙"): np.multiply,
}


def function(name):
    """An activation on a column, or its derivative."""
    f = activations.get(name.rstrip("′"))

    def on_rows(x):
        return f(tinydl.tensor(x.T)).numpy().T

    if not name.endswith("′"):
        return on_rows
    return lambda x: (on_rows(x + 1e-6) - on_rows(x - 1e-6)) / 2e-6


def column(array):
    return np.atleast_2d(np.asarray(array, np.float64)).T


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([None, *SMOOTH]), st.booleans(),
                       st.booleans()), min_size=1, max_size=5),
    st.integers(0, 2**31),
)  # fmt: skip
def test_what_is_printed_is_what_the_model_computes(stack, seed):
    rng = np.random.default_rng(seed)
    tinydl.utils.set_random_seed(seed)
    layers = [Input((3,))]
    for units, activation, bias, apart in stack:
        inside = None if apart else activation
        layers.append(Dense(units, inside, bias, bias_initializer="normal", dtype="float64"))
        if apart and activation:
            layers.append(Activation(activation, dtype="float64"))
    model = Sequential(layers)
    printed = formula(model)
    x = rng.normal(size=(1, 3)).astype(np.float32)  # the dtype of the model
    y = model(tinydl.tensor(x))
    cotangent = rng.normal(size=y.shape)
    loss = (y * cotangent).sum()
    known = {"x": column(x), "∂L/∂ŷ": column(cotangent)}
    for symbol, description in printed.symbols.items():
        weight = next(w for w in model.weights if description.startswith(w.name))
        known[unicode_math(symbol)] = column(weight.data)
    composed = Reader(dict(known)).run(parse(printed.latex))
    np.testing.assert_allclose(composed["ŷ"], column(y.data), rtol=1e-9)
    found = Reader(known).run(parse(printed.forward.latex))
    np.testing.assert_allclose(found["ŷ"], column(y.data), rtol=1e-9)
    found = Reader(found).run(parse(printed.backward.latex))
    gradients = grad(loss, model.weights)
    for weight, gradient in zip(model.weights, gradients, strict=True):
        symbol = next(s for s, d in printed.symbols.items() if d.startswith(weight.name))
        bar = unicode_math(rf"\bar {symbol}")
        np.testing.assert_allclose(found[bar], column(gradient.data), rtol=1e-5, atol=1e-8)


def worked_example(**settings):
    return Sequential(
        [
            Input((8, 8, 1)),
            Conv2D(4, 3, activation="relu", name="conv", **settings),
            MaxPooling2D(),
            Flatten(),
            Dense(10, "softmax", name="dense", **settings),
        ]
    )


def test_the_network_of_the_worked_example():
    printed = formula(worked_example())
    assert str(printed) == "ŷ = softmax(W·flatten(maxpool(relu(K∗x + b))) + c)"
    assert printed.symbols["W"] == "dense/kernel, transposed: (10, 36)"
    assert str(printed.gradients["dense/bias"]) == "∂L/∂c = (∂L/∂h₄)·(∂h₄/∂z₄)·(∂z₄/∂c)"
    assert set(printed.gradients) == {w.name for w in worked_example().weights}
    assert str(formula(worked_example(use_bias=False))) == (
        "ŷ = softmax(W·flatten(maxpool(relu(K∗x))))"
    )


def test_a_long_model_names_what_each_layer_returns():
    model = Sequential([Dense(2, "relu") for _ in range(6)])
    lines = str(formula(model)).splitlines()
    assert lines[0] == "z₁ = W₁·x + b₁"
    assert lines[1] == "h₁ = relu(z₁)"
    assert lines[-1] == "h₆ = ŷ = relu(z₆)"


class Scale(Layer):
    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor


@pytest.mark.parametrize(
    "model",
    [
        worked_example(),
        Sequential([Input((4,)), Dense(3), Scale(), Dropout(0.5), Dense(2, lambda x: x * 2)]),
        Sequential([Input((4,)), Sequential([Dense(3), Dense(4)]), Dense(2, "log_softmax")]),
        Sequential([Dense(3, name="<script>")]),
        Sequential([Input((4, 4, 1)), *(Conv2D(2, 1) for _ in range(3)), Activation("relu")]),
    ],
    ids=range(5),
)
def test_any_model_can_be_read_in_every_medium(model):
    printed = formula(model)
    for part in (printed, printed.forward, printed.backward, *printed.gradients.values()):
        assert lint(part.mathml) == []
        assert "\\" not in part.unicode
    assert set(printed.gradients) >= {w.name for w in model.weights}
    assert "<script>" not in printed._repr_html_()


def test_layers_of_ones_own_are_named_with_their_weights():
    model = Sequential([Input((4,)), Dense(3), Scale(name="s"), Dense(2)])
    printed = formula(model)
    assert str(printed) == "ŷ = W₃·scale(W₁·x + b₁; θ_(2, 1)) + b₃"
    assert printed.symbols[r"\theta_{2, 1}"] == "s/factor: (3,)"
    assert "θ̄_(2, 1) = (∂h₂/∂θ_(2, 1))ᵀ·h̄₂" in str(printed.backward)
