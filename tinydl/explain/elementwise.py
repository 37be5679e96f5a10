r"""Every op on single elements, written as a formula of the numbers that it reads.

``FORMULAS["sigmoid"](op, x)`` is the sigmoid of an `Expression`: it has the text of a page and the
value. Where an op has cases, the one that holds for these numbers is written.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf, erfc, pi
from typing import Any

import numpy as np

from tinydl.explain.expressions import (
    ATOM,
    POWER,
    Expression,
    exp,
    expression,
    floor,
    formatted,
    function,
    largest_of,
    ln,
    number_of,
    root,
    sign,
    size,
    smallest_of,
    whether,
)

Formula = Callable[..., Expression]


def _sigmoid(x: Expression) -> Expression:
    return 1 / (1 + exp(-x))


def _softplus(x: Expression) -> Expression:
    return formatted(r"\ln\left(1 + e^{{}}\right)", lambda v: np.logaddexp(0, v), ATOM, x)


def _normal_cdf(x: Expression) -> Expression:
    return number_of(0.5) * (1 + function(r"\operatorname{erf}", erf)(x / root(2)))


def _gelu(op: Any, x: Expression) -> Expression:
    if op.approximate:
        inner = root(formatted(r"2 / \pi", lambda: 2 / pi, POWER)) * (x + 0.044715 * x**3)
        return number_of(0.5) * x * (1 + function(r"\tanh", np.tanh)(inner))
    return x * _normal_cdf(x)


def _one_of_two(op: Any, c: Expression, a: Expression, b: Expression) -> Expression:
    chosen = a if c.value else b
    return Expression(chosen.text, chosen.value, chosen.binds, (*c.refs, *chosen.refs))


def _elu(a: float, x: Expression) -> Expression:
    return x if x.value > 0 else a * (exp(x) - 1)


def _hard_sigmoid(x: Expression) -> Expression:
    return smallest_of(largest_of(x / 6 + 0.5, 0), 1)


def _round(op: Any, x: Expression) -> Expression:
    scale = 10.0**op.decimals
    rounded = formatted(r"\operatorname{round}\left({}\right)", np.round, ATOM, x * scale)
    if op.decimals == 0:
        rounded = formatted(r"\operatorname{round}\left({}\right)", np.round, ATOM, x)
    return rounded / scale if op.decimals else rounded


def _plain(name: str, compute: Callable[..., Any]) -> Formula:
    """A function that is written with its name."""
    written = function(name, compute)
    return lambda op, *arguments: written(*arguments)


def _condition(template: str, holds: Callable[..., Any]) -> Formula:
    return lambda op, *arguments: whether(template, holds, *arguments)


def _bits(sign_of_op: str, compute: Callable[[int, int], int]) -> Formula:
    def of(op: Any, a: Expression, b: Expression) -> Expression:
        template = rf"{{}} {sign_of_op} {{}}"
        return formatted(template, lambda x, y: compute(int(x), int(y)), POWER, a, b)

    return of


FORMULAS: dict[str, Formula] = {
    # arithmetic
    "add": lambda op, a, b: a + b,
    "subtract": lambda op, a, b: a - b,
    "multiply": lambda op, a, b: a * b,
    "divide": lambda op, a, b: a / b,
    "floor_divide": lambda op, a, b: formatted(
        r"\left\lfloor{}\right\rfloor", lambda q: np.floor_divide(a.value, b.value), ATOM, a / b
    ),
    "mod": lambda op, a, b: _named_value(a - b * floor(a / b), np.mod(a.value, b.value)),
    "power": lambda op, a, b: a**b,
    "negative": lambda op, x: -x,
    "absolute": lambda op, x: size(x),
    "sign": lambda op, x: sign(x),
    "square": lambda op, x: x**2,
    "reciprocal": lambda op, x: 1 / x,
    "sqrt": lambda op, x: root(x),
    "rsqrt": lambda op, x: 1 / root(x),
    "cast": lambda op, x: _cast(op, x),
    # exponentials
    "exp": lambda op, x: exp(x),
    "exp2": lambda op, x: formatted("2^{{}}", np.exp2, POWER, x),
    "expm1": lambda op, x: _named_value(exp(x) - 1, np.expm1(x.value)),
    "log": _plain(r"\ln", np.log),
    "log10": _plain(r"\log_{10}", np.log10),
    "log1p": lambda op, x: _named_value(ln(1 + x), np.log1p(x.value)),
    "log2": _plain(r"\log_2", np.log2),
    # circles and hyperbolas
    "sin": _plain(r"\sin", np.sin),
    "cos": _plain(r"\cos", np.cos),
    "tan": _plain(r"\tan", np.tan),
    "arcsin": _plain(r"\arcsin", np.arcsin),
    "arccos": _plain(r"\arccos", np.arccos),
    "arctan": _plain(r"\arctan", np.arctan),
    "arctan2": lambda op, a, b: formatted(
        r"\operatorname{arg}\left({} + \mathrm{i} \cdot {}\right)",
        lambda x, y: np.arctan2(y, x),
        ATOM,
        b,
        Expression(a.after_sign(), a.value, ATOM, a.refs),
    ),
    "sinh": lambda op, x: (exp(x) - exp(-x)) / 2,
    "cosh": lambda op, x: (exp(x) + exp(-x)) / 2,
    "tanh": _plain(r"\tanh", np.tanh),
    "arcsinh": _plain(r"\operatorname{arsinh}", np.arcsinh),
    "arccosh": _plain(r"\operatorname{arcosh}", np.arccosh),
    "arctanh": _plain(r"\operatorname{artanh}", np.arctanh),
    "erf": _plain(r"\operatorname{erf}", erf),
    "erfc": _plain(r"\operatorname{erfc}", erfc),
    # activations
    "relu": lambda op, x: largest_of(x, 0),
    "relu6": lambda op, x: smallest_of(largest_of(x, 0), 6),
    "relu_gradient": lambda op, g, where: g * whether("{} > 0", lambda v: v > 0, where),
    "leaky_relu": lambda op, x: x if x.value > 0 else op.negative_slope * x,
    "elu": lambda op, x: _elu(op.alpha, x),
    "selu": lambda op, x: op.scale * _elu(op.alpha, x),
    "celu": lambda op, x: x if x.value > 0 else op.alpha * (exp(x / op.alpha) - 1),
    "hard_sigmoid": lambda op, x: _hard_sigmoid(x),
    "hard_silu": lambda op, x: x * _hard_sigmoid(x),
    "hard_tanh": lambda op, x: smallest_of(largest_of(x, -1), 1),
    "sigmoid": lambda op, x: _sigmoid(x),
    "log_sigmoid": lambda op, x: -_softplus(-x),
    "silu": lambda op, x: x * _sigmoid(x),
    "gelu": _gelu,
    "mish": lambda op, x: x * function(r"\tanh", np.tanh)(_softplus(x)),
    "softplus": lambda op, x: _softplus(x),
    "softsign": lambda op, x: x / (1 + size(x)),
    "squareplus": lambda op, x: (x + root(x**2 + op.b)) / 2,
    "tanh_shrink": lambda op, x: x - function(r"\tanh", np.tanh)(x),
    "hard_shrink": lambda op, x: x * whether("{} > {}", lambda a, t: a > t, size(x), op.threshold),
    "soft_shrink": lambda op, x: sign(x) * largest_of(size(x) - op.threshold, 0),
    "threshold": lambda op, x: x if x.value > op.threshold else expression(op.default_value),
    "sigmoid_cross_entropy": lambda op, t, z: _softplus(z) - t * z,
    # rounding
    "floor": lambda op, x: floor(x),
    "ceil": lambda op, x: formatted(r"\left\lceil{}\right\rceil", np.ceil, ATOM, x),
    "trunc": lambda op, x: sign(x) * floor(size(x)),
    "round": _round,
    # choices
    "maximum": lambda op, a, b: largest_of(a, b),
    "minimum": lambda op, a, b: smallest_of(a, b),
    "clip": lambda op, x, low, high: smallest_of(largest_of(x, low), high),
    "where": _one_of_two,
    # conditions
    "equal": _condition("{} = {}", lambda a, b: a == b),
    "not_equal": _condition(r"{} \ne {}", lambda a, b: a != b),
    "greater": _condition("{} > {}", lambda a, b: a > b),
    "greater_equal": _condition(r"{} \ge {}", lambda a, b: a >= b),
    "less": _condition("{} < {}", lambda a, b: a < b),
    "less_equal": _condition(r"{} \le {}", lambda a, b: a <= b),
    "logical_and": _condition(r"{} \ne 0 \wedge {} \ne 0", lambda a, b: a != 0 and b != 0),
    "logical_or": _condition(r"{} \ne 0 \vee {} \ne 0", lambda a, b: a != 0 or b != 0),
    "logical_xor": _condition(
        r"\left({} \ne 0\right) \oplus \left({} \ne 0\right)", lambda a, b: (a != 0) != (b != 0)
    ),
    "logical_not": _condition("{} = 0", lambda x: x == 0),
    "isfinite": _condition(r"\left|{}\right| < \infty", np.isfinite),
    "isinf": _condition(r"\left|{}\right| = \infty", np.isinf),
    "isnan": lambda op, x: formatted(
        r"\left[{} \ne {}\right]", lambda a, b: np.isnan(a), ATOM, x, x
    ),
    "bitwise_and": _bits(r"\wedge", lambda a, b: a & b),
    "bitwise_or": _bits(r"\vee", lambda a, b: a | b),
    "bitwise_xor": _bits(r"\oplus", lambda a, b: a ^ b),
}


def _named_value(e: Expression, value: Any) -> Expression:
    """The expression, with a value that was computed without cancellation."""
    return Expression(e.text, value, e.binds, e.refs)


def _cast(op: Any, x: Expression) -> Expression:
    if op.dtype.kind == "f":
        return x
    return formatted(r"\operatorname{int}\left({}\right)", lambda v: v.astype(op.dtype), ATOM, x)
