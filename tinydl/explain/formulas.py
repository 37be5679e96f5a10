"""The formula of anything that has one, and where it comes from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

from tinydl import (
    activations,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from tinydl.engine import Op, Tensor
from tinydl.errors import ArgumentError, unknown_name
from tinydl.explain.mathml import mathml
from tinydl.explain.unicode_math import unicode_math
from tinydl.losses import Loss
from tinydl.models import Sequential
from tinydl.optimizers import Optimizer
from tinydl.optimizers.optimizer import DECAY


@dataclass(frozen=True)
class Formula:
    """A formula, in LaTeX, as text, and as MathML; ``print(formula)`` shows the text.

    Attributes
    ----------
    name : str
        Of what it is the formula.
    latex : str
    source : str
        The paper or book it comes from; "" for what every course begins with.
    gradients : mapping of str to Formula
        For an op, the gradient rule of each input; for a model, the gradient of each weight.

    Examples
    --------
    >>> print(formula("softmax"))
    y_i = e^(x_i)/(Σ_j e^(x_j))
    >>> print(formula("softmax").gradients["x"])
    x̄_i = y_i·(ȳ_i - Σ_j ȳ_j·y_j)
    """

    name: str
    latex: str
    source: str = ""
    gradients: Mapping[str, Formula] = field(default_factory=dict)

    @cached_property
    def unicode(self) -> str:
        """The formula as one line of text, in which parentheses say what belongs together."""
        return unicode_math(self.latex)

    @property
    def mathml(self) -> str:
        """The formula as MathML."""
        return mathml(self.latex)

    def __str__(self) -> str:
        return self.unicode

    def _repr_html_(self) -> str:
        """What a notebook shows: the formula, its gradients, its source."""
        parts = [self.mathml]
        if self.gradients:
            parts.append("<p>Gradients:</p>")
            parts += [f"<p>{escape(n)}</p>{g.mathml}" for n, g in self.gradients.items()]
        if self.source:
            parts.append(f"<p>Source: {_emphasised(self.source)}</p>")
        return "\n".join(parts)


def formula(x: Any) -> Formula:
    r"""The formula of an op, activation, layer, loss, optimizer, initializer, metric, schedule.

    Parameters
    ----------
    x : str, class, function, object, Tensor or Sequential
        A name ("conv", "adam"), a class, or an object: with its settings where they change the
        formula. A tensor has the formula of the op that made it, a `Sequential` the formulas of
        its layers put into each other, and the gradient of each of its weights: see
        `tinydl.explain.model_formula`.

    Returns
    -------
    Formula

    Raises
    ------
    ArgumentError
        For an unknown name, or something without a formula.

    Examples
    --------
    >>> print(formula("adagrad"))
    a_i ← a_i + g_i²,  w_i ← w_i - η·(g_i/√(a_i+ε))
    >>> print(formula(layers.Dense(10, activation="softmax", use_bias=False)))
    y_no = softmax_o(Σ_c x_nc·w_co)
    >>> formula("he_normal").source
    'He et al., arXiv:1502.01852.'
    """
    if isinstance(x, str):
        x = _named(x)
    if isinstance(x, Sequential):
        from tinydl.explain.model_formula import formula_of_model  # which is made of `Formula`

        return formula_of_model(x)
    if isinstance(x, Tensor):
        if x.op is None:
            raise ArgumentError("formula", "x", got="a tensor that no op made", expected="a result")
        x = x.op
    if isinstance(x, Op) or (isinstance(x, type) and issubclass(x, Op)):
        return _of_op(x if isinstance(x, type) else type(x), x.formula)
    name = x.__name__ if isinstance(x, type) or inspect.isroutine(x) else type(x).__name__
    if inspect.isroutine(x) and name in Op.registry:
        return formula(Op.registry[name])
    latex = _with_settings(x) or _math_of_docstring(x)
    if not latex:
        raise ArgumentError(
            "formula", "x", got=repr(x), expected="something with a formula", hint=HINT
        )
    return Formula(name, latex, source_of(x))


HINT = "an op, layer, loss, optimizer, initializer, metric or schedule, its name, or a Sequential"


def source_of(x: Any) -> str:
    """The paper or book that the docstring names, or that of its module.

    Examples
    --------
    >>> source_of(optimizers.AdamW)
    'Loshchilov & Hutter, *Decoupled weight decay regularization*, arXiv:1711.05101.'
    """
    owner = x if isinstance(x, type) or inspect.isroutine(x) else type(x)
    for holder in (owner, inspect.getmodule(owner)):
        found = re.search(r"^Sources?: (.+?)(?:\n\n|\Z)", inspect.getdoc(holder) or "", RULES)
        if found:
            return " ".join(found[1].split())
    return ""


RULES = re.MULTILINE | re.DOTALL


def _of_op(op: type[Op], latex: str) -> Formula:
    rules = {
        name.lstrip("*"): Formula(f"gradient of {name.lstrip('*')}", rule.formula)  # type: ignore[attr-defined]  # see `rule`
        for name, rule in zip(op.input_names, op.rules, strict=True)
        if rule is not None
    }
    return Formula(op.name, latex, source_of(op), rules)


def _named(name: str) -> Any:
    """What is meant by a name: an op, or else whatever Keras calls so."""
    if name in Op.registry:
        return Op.registry[name]
    for module in (activations, losses, optimizers, initializers, metrics, regularizers):
        try:
            return module.get(name)
        except ArgumentError:
            continue
    for module in (layers, callbacks):
        for class_name in module.__all__:
            if class_name.lower() == name.replace("_", "").lower():
                return getattr(module, class_name)
    raise unknown_name("formula", "name", name, [*Op.registry, *layers.__all__])


def _with_settings(x: Any) -> str:
    """The formula of an object as its settings make it."""
    latex = getattr(x, "formula", "")
    if isinstance(x, Optimizer):
        return whole_rule(x, latex)
    if isinstance(x, Loss):
        return _with_reduction(x, latex)
    activation = getattr(x, "activation", None)
    if activation is not None and r"f\Big(" in latex:
        return _with_activation(x, latex, activation)
    if isinstance(x, layers.Activation):
        return formula(activation).latex
    return latex if isinstance(latex, str) else ""


def _with_activation(x: Any, latex: str, activation: Any) -> str:
    """``f`` by its own name; without bias or activation, these are not there."""
    if not x.use_bias:
        latex = latex.replace(" + b_o", "")
    if activation is activations.linear:
        return latex.replace(r"f\Big( ", "").replace(r" \Big)", "")
    name = name_in_latex(activation.__name__)
    across = "_o" if activation.__name__ in ("softmax", "log_softmax") else ""
    return latex.replace(r"f\Big(", rf"{name}{across}\Big(")


def name_in_latex(name: str) -> str:
    r"""A function's name in LaTeX, without underscores, which are no part of mathematics.

    Examples
    --------
    >>> name_in_latex("log_softmax"), name_in_latex("<lambda>")
    ('\\operatorname{logsoftmax}', 'f')
    """
    letters = re.sub("[^a-zA-Z0-9]", "", name)
    return rf"\operatorname{{{letters}}}" if name.isidentifier() and letters else "f"


def whole_rule(optimizer: Optimizer, latex: str) -> str:
    r"""An optimizer's rule with what comes before it: clipping, and decay.

    Examples
    --------
    >>> whole_rule(optimizers.SGD(weight_decay=0.1), r"w_i \leftarrow 0")
    'w_i \\leftarrow w_i - \\eta \\lambda w_i, \\quad w_i \\leftarrow 0'
    """
    decays = optimizer.weight_decay and not latex.startswith(DECAY)
    return _clipping(optimizer) + (DECAY if decays else "") + latex


def _clipping(x: Optimizer) -> str:
    r"""What happens to the gradient before the rule sees it; G is all gradients as one vector."""
    if x.clipvalue is not None:
        return r"g_i \leftarrow \min(\max(g_i, -c), c), \quad "
    if x.clipnorm is None and x.global_clipnorm is None:
        return ""
    vector = "g" if x.clipnorm is not None else "G"
    return rf"g_i \leftarrow \min\Big( 1, \frac{{c}}{{\lVert {vector} \rVert}} \Big) g_i, \quad "


def _with_reduction(x: Loss, latex: str) -> str:
    """The loss of a batch, then that of a sample."""
    total = {
        "sum_over_batch_size": r"L = \frac{1}{n} \sum_{i=1}^{n} \ell_i, \quad ",
        "sum": r"L = \sum_{i=1}^{n} \ell_i, \quad ",
    }.get(x.reduction or "none", "")
    latex = latex or _math_of_docstring(x)
    squash = "sigmoid" if isinstance(x, losses.BinaryCrossentropy) else "softmax"
    logits = rf", \quad y_i = {name_in_latex(squash)}(z_i)" if getattr(x, "from_logits", 0) else ""
    return total + latex + logits


def _math_of_docstring(x: Any) -> str:
    """The first formula in a docstring, for functions that are no ops of their own."""
    found = re.search(r"\.\. math::(.+?)(?:\n\n|\Z)", inspect.getdoc(x) or "", re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def _emphasised(text: str) -> str:
    """Titles between asterisks in italics."""
    return re.sub(r"\*(.+?)\*", r"<em>\1</em>", escape(text))
