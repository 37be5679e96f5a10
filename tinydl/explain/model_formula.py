r"""A whole model as one formula, and its gradient by the chain rule.

One sample is a column here, as in most books: a dense layer is :math:`W h + b`, with W the kernel
transposed. A bar marks the gradient of the loss; :math:`h_k` is what layer k returns, :math:`z_k`
what its activation gets, :math:`h_0 = x` and :math:`\hat y = h_n`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tinydl import activations
from tinydl.explain.formulas import Formula, name_in_latex
from tinydl.layers import (
    Activation,
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    MaxPooling2D,
)
from tinydl.models import Sequential

LONGEST = 5  # layers that are put into each other; more are named one by one
SHORT_NAMES = {MaxPooling2D: "maxpool", AveragePooling2D: "avgpool", Flatten: "flatten"}


@dataclass(frozen=True, kw_only=True)
class ModelFormula(Formula):
    """The formula of a model; `latex` is its forward pass.

    Attributes
    ----------
    symbols : mapping of str to str
        What each symbol is, by its LaTeX: the layer's weight and its shape.
    forward, backward : Formula
        Both passes layer by layer, a line for each result, in the order of computation.
    """

    symbols: Mapping[str, str]
    forward: Formula
    backward: Formula


@dataclass(frozen=True)
class _Stage:
    """A layer by its number k: what it computes before its activation, with which weights."""

    k: int
    last: int
    layer: Layer
    symbols: Sequence[str]

    @property
    def weighted(self) -> bool:
        return isinstance(self.layer, (Dense, Conv2D))

    @property
    def activation(self) -> str:
        """The name of its activation, "" for none."""
        f = getattr(self.layer, "activation", activations.linear)
        return "" if f is activations.linear else f.__name__

    @property
    def h(self) -> str:
        return rf"h_{{{self.k}}}"

    @property
    def z(self) -> str:
        """What the activation gets; where there is none, the result itself."""
        return rf"z_{{{self.k}}}" if self.weighted and self.activation else self.h

    @property
    def below(self) -> str:
        return rf"h_{{{self.k - 1}}}" if self.k > 1 else "x"

    def affine(self, argument: str) -> str:
        """The part with the weights: ``W h + b``."""
        weight, *bias = self.symbols
        if isinstance(self.layer, Conv2D):
            product = rf"{weight} \ast {argument}"
        else:
            product = rf"{weight} \cdot {argument}"
        return " + ".join([product, *bias])

    def applied(self, argument: str) -> str:
        """The layer as a function of what stands for its input."""
        inside = self.affine(argument) if self.weighted else argument
        name = self.activation or SHORT_NAMES.get(type(self.layer), "")
        if self.weighted and not self.activation:
            return inside
        if not name:
            name = type(self.layer).__name__.lower()
            inside = "; ".join([inside, *self.symbols]) if self.symbols else inside
        return rf"{name_in_latex(name)}({inside})"

    def lines(self) -> list[str]:
        """The forward pass, with z named where there is an activation."""
        name = rf"{self.h} = \hat y" if self.k == self.last else self.h
        if not (self.weighted and self.activation):
            return [f"{name} &= {self.applied(self.below)}"]
        return [
            f"{self.z} &= {self.affine(self.below)}",
            f"{name} &= {name_in_latex(self.activation)}({self.z})",
        ]

    def backward_lines(self) -> list[str]:
        """From the gradient of the result to those of the weights and of what is below."""
        lines = []
        if self.weighted and self.activation:
            lines.append(rf"\bar {self.z} &= {self.through_activation(self.z)}")
        if self.weighted:
            lines += self.to_weights()
        else:
            lines += [rf"\bar {s} &= {self.transposed(s)}" for s in self.symbols]
        if self.k > 1:
            lines.append(rf"\bar {self.below} &= {self.to_input()}")
        return lines

    def through_activation(self, argument: str) -> str:
        if self.activation == "softmax":
            return rf"{self.h} \odot \Big( \bar {self.h} - {self.h}^\top \bar {self.h} \Big)"
        if self.activation in ("log_softmax", "") or not _is_known(self.layer):
            return self.transposed(argument)
        return rf"\bar {self.h} \odot {name_in_latex(self.activation)}'({argument})"

    def transposed(self, argument: str) -> str:
        """The Jacobian, transposed, times the gradient of the result."""
        jacobian = rf"\frac{{\partial {self.h}}}{{\partial {argument}}}"
        return rf"\Big( {jacobian} \Big)^\top \bar {self.h}"

    def to_weights(self) -> Iterator[str]:
        weight, *bias = self.symbols
        if isinstance(self.layer, Conv2D):
            yield rf"\bar {weight} &= {self.below} \ast \bar {self.z}"
            totals = rf"\sum_{{i,j}} (\bar {self.z})_{{ij}}"
        else:
            yield rf"\bar {weight} &= \bar {self.z} \cdot {self.below}^\top"
            totals = rf"\bar {self.z}"
        yield from (rf"\bar {b} &= {totals}" for b in bias)

    def to_input(self) -> str:
        if isinstance(self.layer, Conv2D):
            return rf"\operatorname{{conv}}^\top({self.symbols[0]}, \bar {self.z})"
        if isinstance(self.layer, Dense):
            return rf"{self.symbols[0]}^\top \cdot \bar {self.z}"
        if isinstance(self.layer, Flatten):
            return rf"\operatorname{{unflatten}}(\bar {self.h})"
        if isinstance(self.layer, Activation):
            return self.through_activation(self.below)
        return self.transposed(self.below)


def formula_of_model(model: Sequential) -> ModelFormula:
    r"""The layers put into each other, and the gradient of each weight by the chain rule.

    Models of more than five layers name what each layer returns. Written for strides of 1 and one
    sample; over a batch, gradients of weights add up.

    Source of the notation: Nielsen, *Neural networks and deep learning*, 2015, chapter 2.

    Examples
    --------
    >>> from tinydl.layers import Dense, Input
    >>> model = Sequential([Input((4,)), Dense(3, "relu", name="a"), Dense(2, "softmax", name="b")])
    >>> f = formula_of_model(model)
    >>> print(f)
    ŷ = softmax(W₂·relu(W₁·x + b₁) + b₂)
    >>> print(f.gradients["a/kernel"])
    ∂L/∂W₁ = (∂L/∂h₂)·(∂h₂/∂z₂)·(∂z₂/∂h₁)·(∂h₁/∂z₁)·(∂z₁/∂W₁)
    >>> print(f.backward)
    h̄₂ = ∂L/∂ŷ
    z̄₂ = h₂⊙(h̄₂ - h₂ᵀ·h̄₂)
    W̄₂ = z̄₂·h₁ᵀ
    b̄₂ = z̄₂
    h̄₁ = W₂ᵀ·z̄₂
    z̄₁ = h̄₁⊙relu′(z₁)
    W̄₁ = z̄₁·xᵀ
    b̄₁ = z̄₁
    >>> f.symbols["W_{1}"]
    'a/kernel, transposed: (3, 4)'
    """
    stages, weights = _stages(model)
    forward = [line for stage in stages for line in stage.lines()]
    top = stages[-1].h if stages else "x"
    backward = [rf"\bar {top} &= \frac{{\partial L}}{{\partial \hat y}}"]
    backward += [line for stage in reversed(stages) for line in stage.backward_lines()]
    gradients = {
        name: Formula(f"gradient of {name}", _chain(symbol, stage, stages))
        for symbol, (name, stage) in weights.items()
    }
    return ModelFormula(
        model.name,
        _composed(stages) if len(stages) <= LONGEST else _aligned(forward),
        "Nielsen, *Neural networks and deep learning*, 2015, chapter 2.",
        gradients,
        symbols={symbol: _described(name, stage) for symbol, (name, stage) in weights.items()},
        forward=Formula("forward", _aligned(forward)),
        backward=Formula("backward", _aligned(backward)),
    )


def _stages(model: Sequential) -> tuple[list[_Stage], dict[str, tuple[str, _Stage]]]:
    """The layers, and to each symbol the name of the weight and its layer."""
    layers = list(_flat(model))
    owners = [layer for layer in layers if _weight_names(layer)]
    kinds = [type(layer) for layer in owners]
    alone = len(set(kinds)) == len(kinds) and set(kinds) <= {Dense, Conv2D}
    stages = []
    weights = {}
    for k, layer in enumerate(layers, 1):
        number = owners.index(layer) + 1 if layer in owners else 0
        symbols = [_symbol(name, layer, number, alone) for name in _weight_names(layer)]
        stage = _Stage(k, len(layers), layer, symbols)
        stages.append(stage)
        for name, symbol in zip(_weight_names(layer), symbols, strict=True):
            weights[symbol] = (f"{layer.name}/{name}", stage)
    return stages, weights


def _flat(model: Sequential) -> Iterator[Layer]:
    """The layers, those of models inside the model included."""
    for layer in model.layers:
        if isinstance(layer, Sequential):
            yield from _flat(layer)
        else:
            yield layer


def _weight_names(layer: Layer) -> list[str]:
    if isinstance(layer, (Dense, Conv2D)):
        return ["kernel", "bias"] if layer.use_bias else ["kernel"]
    return [(w.name or "weight").rpartition("/")[2] for w in layer.weights]


def _symbol(name: str, layer: Layer, number: int, alone: bool) -> str:
    """K, b, W, c in a model of one convolution and one product, as in most books; else W_1, b_1."""
    if alone and isinstance(layer, Dense):
        return "W" if name == "kernel" else ("c" if number > 1 else "b")
    letter = "b" if name == "bias" else "K" if isinstance(layer, Conv2D) else "W"
    if not isinstance(layer, (Dense, Conv2D)):
        position = _weight_names(layer).index(name) + 1
        return rf"\theta_{{{number}, {position}}}"
    return letter if alone else f"{letter}_{{{number}}}"


def _composed(stages: Sequence[_Stage]) -> str:
    result = "x"
    for stage in stages:
        inside = f"({result})" if _is_sum(stage, stages) else result
        result = stage.applied(inside)
    return rf"\hat y = {result}"


def _is_sum(stage: _Stage, stages: Sequence[_Stage]) -> bool:
    """Whether a product would take only the first term of what is below."""
    if stage.k == 1 or not stage.weighted:
        return False
    before = stages[stage.k - 2]
    return before.weighted and not before.activation


def _chain(symbol: str, stage: _Stage, stages: Sequence[_Stage]) -> str:
    """From the loss down to the weight: a product of Jacobians."""
    names = ["L"]
    for upper in reversed(stages[stage.k - 1 :]):
        names += [upper.h] if upper.z == upper.h else [upper.h, upper.z]
    names.append(symbol)
    factors = [
        rf"\frac{{\partial {above}}}{{\partial {below}}}" for above, below in pairwise(names)
    ]
    return rf"\frac{{\partial L}}{{\partial {symbol}}} = {' '.join(factors)}"


def _described(name: str, stage: _Stage) -> str:
    layer = stage.layer
    array = next((w for w in layer.weights if (w.name or "").endswith(name)), None)
    shape: Any = array.shape if array is not None else ""
    if isinstance(layer, Dense) and name.endswith("/kernel"):
        return f"{name}, transposed: {shape[::-1]}" if shape else f"{name}, transposed"
    return f"{name}: {shape}" if shape else name


def _is_known(layer: Any) -> bool:
    """Whether its activation works element by element, as those of tinydl but softmax do."""
    return layer.activation in list(activations._registry)


def _aligned(lines: Sequence[str]) -> str:
    return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"
