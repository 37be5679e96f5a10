"""Formulas are computed from their LaTeX, by sympy, and must be what the op computes.

Each formula is read with concrete lengths, sums and all; its element must be the op's, and its
derivative the gradient rule's formula. Formulas of another kind (windows, places, sets) are listed.
"""

import functools
import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl import losses, optimizers
from tinydl.engine import Op, tensor
from tinydl.explain.formulas import formula
from tinydl.explain.latex import parse
from tinydl.explain.tree import Accent, Apply, Delimited, Infix, Scripted, Sequence, Symbol, Text
from tinydl.explain.unicode_math import as_text

sp = pytest.importorskip("sympy")

N = 3  # the length of every axis
SETTINGS = {  # the letter of a formula: the op's attribute
    "celu": {"a": "alpha"},
    "elu": {"a": "alpha"},
    "hard_shrink": {"t": "threshold"},
    "leaky_relu": {"a": "negative_slope"},
    "norm": {"p": "ord"},
    "normalize": {"p": "order", "ε": "epsilon"},
    "root_mean_square_normalize": {"ε": "epsilon"},
    "round": {"d": "decimals"},
    "soft_shrink": {"t": "threshold"},
    "squareplus": {"b": "b"},
    "standardize": {"ε": "epsilon"},
    "threshold": {"t": "threshold", "v": "default_value"},
    "tril": {"k": "k"},
    "triu": {"k": "k"},
}
MADE_WITH = {"gelu": {"approximate": False}, "cumsum": {"axis": 0}, "cumprod": {"axis": 0}}
NOT_READ = {
    # windows
    *("average_pool", "average_pool_gradient", "conv", "conv_input_gradient", "conv_transpose"),
    *("conv_kernel_gradient", "max_pool", "max_pool_gather", "max_pool_gradient"),
    # places
    *("concatenate", "einsum", "expand_dims", "get_item", "pad", "put_item", "repeat", "reshape"),
    *("roll", "squeeze", "stack", "take", "take_along_axis", "tile"),
    # sets, truth values, bits, angles
    *("argmax", "argmin", "logical_and", "logical_not", "logical_or", "logical_xor", "where"),
    *("bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "arctan2"),
}
# Read, but about truth values, infinity, or lengths that are not all the same.
NOT_COMPARED = {
    *("all", "any", "broadcast_to", "isfinite", "isinf", "isnan", "mean_gradient", "one_hot"),
    "singular_norm",
}


class Unreadable(Exception):
    """A formula that says something in words or sets."""


class Reader:
    """A formula with each axis of length N: `element` gives sympy's expression for one element."""

    def __init__(self, latex, definitions=()):
        tree = parse(latex)
        first, *others = tree.items if isinstance(tree, Sequence) else (tree,)
        if not isinstance(first, Infix) or first.level != "relation":
            raise Unreadable(latex)
        (_, self.left), (equals, self.right), *_ = first.parts
        if equals != "=":
            raise Unreadable(latex)
        self.letter, self.index = letter_and_index(self.left)
        self.definitions = dict(definitions)
        self.n = N
        separators = tree.separators if others else ()
        for separator, item in zip(separators, others, strict=True):
            if separator.strip() != ",":
                break  # words, and no definition
            if isinstance(item, Infix) and item.level == "relation":
                (_, left), (_, right), *_ = item.parts
                name, index = letter_and_index(left)
                self.definitions[name] = (index, right)

    def places(self):
        """The places of the result."""
        return itertools.product(range(1, self.n + 1), repeat=len(self.index))

    def element(self, place):
        return self.value(self.right, dict(zip(self.index, place, strict=True)))

    def value(self, node, bound):
        method = getattr(self, f"read_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unreadable(as_text(node))
        return method(node, bound)

    def read_number(self, node, bound):
        return sp.Rational(node.text)

    def read_symbol(self, node, bound):
        if node.text in bound:
            return sp.Integer(bound[node.text])
        if node.text in ("n", "K"):
            return sp.Integer(self.n)
        if node.text == "π":
            return sp.pi
        if node.text in self.definitions:
            return self.value(self.definitions[node.text][1], bound)
        return variable(node.text)

    def read_accent(self, node, bound):
        return variable(as_text(node))

    def read_scripted(self, node, bound):
        if node.base == Symbol("e") and node.sub is None:
            return sp.exp(self.value(node.sup, bound))
        if node.sub is None:
            return self.value(node.base, bound) ** self.value(node.sup, bound)
        if isinstance(node.sup, Delimited):
            raise Unreadable(as_text(node))
        name = as_text(node.base)
        place = [self.value(index, bound) for index in items(node.sub)]
        if not all(index.is_Integer and 1 <= index <= self.n for index in place):
            raise Unreadable(as_text(node))
        element = self.defined(name, place) or variable(name, *place)
        return element if node.sup is None else element ** self.value(node.sup, bound)

    def defined(self, name, place):
        if name not in self.definitions:
            return None
        index, right = self.definitions[name]
        if isinstance(right, Apply) and as_text(right.function) == "softmax":
            x = [variable(as_text(right.argument.body), k) for k in range(1, self.n + 1)]
            return sp.exp(x[place[0] - 1]) / sum(sp.exp(k) for k in x)
        return self.value(right, dict(zip(index, place, strict=True)))

    def read_fraction(self, node, bound):
        return self.value(node.numerator, bound) / self.value(node.denominator, bound)

    def read_root(self, node, bound):
        return sp.sqrt(self.value(node.body, bound))

    def read_delimited(self, node, bound):
        if node.opening == "[":
            return sp.Piecewise((1, self.condition(node.body, bound)), (0, True))
        inside = self.value(node.body, bound)
        kinds = {"(": lambda x: x, "|": sp.Abs, "⌊": sp.floor, "⌈": sp.ceiling}
        return kinds[node.opening](inside)

    def condition(self, node, bound):
        if isinstance(node, Sequence) and set(node.separators) == {" or "}:
            return sp.Or(*(self.condition(item, bound) for item in node.items))
        if isinstance(node, Text) and node.text == "otherwise":
            return sp.true
        if not isinstance(node, Infix) or node.level != "relation":
            raise Unreadable(as_text(node))
        values = [self.value(part, bound) for _, part in node.parts]
        signs = [operator for operator, _ in node.parts[1:]]
        pairs = zip(values, signs, values[1:], strict=False)
        return sp.And(*(RELATIONS[sign](a, b) for a, sign, b in pairs))

    def read_cases(self, node, bound):
        return sp.Piecewise(
            *((self.value(v, bound), self.condition(c, bound)) for v, c in node.rows)
        )

    def read_apply(self, node, bound):
        name = as_text(node.function)
        if name in ("max_i", "min_i", "max_j", "min_j"):
            extreme = sp.Max if name.startswith("max") else sp.Min
            index = name[-1]
            return extreme(
                *(self.value(node.argument, bound | {index: k}) for k in range(1, self.n + 1))
            )
        body = node.argument.body if isinstance(node.argument, Delimited) else node.argument
        if isinstance(node.argument, Delimited) and node.argument.opening != "(":
            body = node.argument
        arguments = [self.value(item, bound) for item in items(body)]
        if name.rstrip("′") in self.definitions:
            return self.apply_defined(name, arguments[0])
        if name not in FUNCTIONS:
            raise Unreadable(as_text(node))
        return FUNCTIONS[name](*arguments)

    def apply_defined(self, name, argument):
        """A function the formula defines itself, or its derivative."""
        parameters, right = self.definitions[name.rstrip("′")]
        if len(parameters) != 1:
            raise Unreadable(name)
        (parameter,) = parameters
        x = sp.Symbol("parameter", real=True)
        body = self.value(right, {}).subs(variable(parameter), x)
        return (sp.diff(body, x) if name.endswith("′") else body).subs(x, argument)

    def read_big(self, node, bound):
        if node.operator == "∫":
            *factors, t = (part for _, part in node.body.parts)
            integrand = self.value(Infix("product", tuple(("", f) for f in factors)), bound)
            t = variable(t.text[1:])
            limits = self.value(node.sub, bound), self.limit(node.sup, bound)
            return sp.integrate(integrand, (t, *limits))
        letters, condition = self.running(node, bound)
        terms = []
        for place in itertools.product(range(1, self.n + 1), repeat=len(letters)):
            inside = bound | dict(zip(letters, place, strict=True))
            if condition is None or self.condition(condition, inside) == sp.true:
                terms.append(self.value(node.body, inside))
        return sum(terms) if node.operator == "Σ" else sp.prod(terms)

    def limit(self, node, bound):
        return sp.oo if node == Symbol("∞") else self.value(node, bound)

    def running(self, node, bound):
        """The letters a sum runs over, and the condition on them."""
        if isinstance(node.sub, Infix) and node.sup is None:
            letters = [s.text for _, s in node.sub.parts if isinstance(s, Symbol)]
            return [letter for letter in letters if letter not in bound], node.sub
        if isinstance(node.sub, Infix):  # from i = 1 to n
            return [node.sub.parts[0][1].text], None
        letters = items(node.sub)
        if not all(isinstance(letter, Symbol) for letter in letters):
            raise Unreadable(as_text(node))
        return [letter.text for letter in letters], None

    def read_infix(self, node, bound):
        result = None
        for operator, part in node.parts:
            if (node.level, operator) not in OPERATORS:
                raise Unreadable(as_text(node))
            right = self.value(part, bound)
            if result is None:
                result = -right if operator == "-" else right
            else:
                result = OPERATORS[node.level, operator](result, right)
        return result


RELATIONS = {"=": sp.Eq, "<": sp.Lt, ">": sp.Gt, "≤": sp.Le, "≥": sp.Ge, "≠": sp.Ne}
OPERATORS = {
    ("sum", ""): None,
    ("sum", "+"): lambda a, b: a + b,
    ("sum", "-"): lambda a, b: a - b,
    ("product", ""): lambda a, b: a * b,
}
FUNCTIONS = {
    **{name: getattr(sp, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "sign")},
    "arccos": sp.acos,
    "arcsin": sp.asin,
    "arctan": sp.atan,
    "erf": sp.erf,
    "ln": sp.log,
    "log₁₀": lambda x: sp.log(x, 10),
    "log₂": lambda x: sp.log(x, 2),
    "max": sp.Max,
    "min": sp.Min,
    "tanh²": lambda x: sp.tanh(x) ** 2,
    "σ": lambda x: 1 / (1 + sp.exp(-x)),
}


def variable(name, *place):
    return sp.Symbol("_".join([name, *map(str, place)]), real=True)


def items(node):
    return node.items if isinstance(node, Sequence) else (node,)


def letter_and_index(left):
    """The letter of a left side and its indices: x̄ and (i, j) of x̄_ij; Φ and (x) of Φ(x)."""
    if isinstance(left, Apply):
        return as_text(left.function), (as_text(left.argument.body),)
    if not isinstance(left, Scripted):
        return as_text(left), ()
    index = items(left.sub)
    if left.sup is not None or not all(isinstance(i, Symbol) for i in index):
        raise Unreadable(as_text(left))
    return as_text(left.base), tuple(i.text for i in index)


def made(name):
    """The op to compare with: along the one axis there is."""
    op_class = Op.registry[name]
    if name in MADE_WITH:
        return op_class(**MADE_WITH[name])
    return next(iter(op_class.examples(np.random.default_rng(0))))[0]


def without_bar(letter):
    """x for x̄."""
    return unicodedata.normalize("NFD", letter).removesuffix("\u0304")


@functools.cache
def read(name):
    """The formula, and those of the rules, which know what it defines."""
    op_class = Op.registry[name]
    forward = Reader(op_class.formula)
    rules = {
        input_name: Reader(rule.formula, forward.definitions)
        for input_name, rule in zip(op_class.input_names, op_class.rules, strict=True)
        if rule is not None
    }
    return forward, rules


@functools.cache
def elements(name, rule=None):
    """An expression for each element of the result, or of an input's gradient."""
    forward, rules = read(name)
    reader = rules[rule] if rule else forward
    return {place: reader.element(place) for place in reader.places()}


def can_be_read(name):
    try:
        for rule in (None, *read(name)[1]):
            elements(name, rule)
    except Unreadable:
        return False
    return True


def number_at(expression, numbers):
    """What an expression comes to, all letters replaced at once."""
    known = {symbol: sp.sympify(value) for symbol, value in numbers.items()}
    return float(sp.sympify(expression).xreplace(known))


OURS = [name for name, op in sorted(Op.registry.items()) if op.__module__.startswith("tinydl.ops")]
READ = [name for name in OURS if name not in NOT_READ | NOT_COMPARED]


def test_the_list_of_what_cannot_be_read_is_right():
    assert {name for name in OURS if not can_be_read(name)} == NOT_READ


def drawn(name, rng, shapes):
    """Random inputs within the op's domain, off zero, away from ties."""
    low, high = Op.registry[name].domain
    if np.isfinite(low) and np.isfinite(high):
        return [rng.uniform(low, high, shape) for shape in shapes]
    if np.isfinite(low):
        return [low + rng.uniform(0.25, 2, shape) for shape in shapes]
    return [rng.uniform(0.25, 2, shape) * rng.choice([-1, 1], shape) for shape in shapes]


def numbers_for(letter, array):
    """The variables of an array and their values."""
    if not array.ndim:
        return {variable(letter): array.item()}
    return {
        variable(letter, *(i + 1 for i in place)): array[place] for place in np.ndindex(array.shape)
    }


def letter_shapes(name):
    """The letters of the inputs, and for each the number of its indices."""
    symbols = set().union(*(e.free_symbols for e in elements(name).values()))
    shapes = {}
    for symbol in sorted(symbols, key=str):
        letter, *place = symbol.name.split("_")
        if place:
            shapes[letter] = (N,) * len(place)
    return shapes


@pytest.mark.parametrize("name", READ)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_formula_is_what_forward_computes(name, seed):
    rng = np.random.default_rng(seed)
    op = made(name)
    shapes = letter_shapes(name)
    letters = input_letters(name, shapes)
    arrays = drawn(name, rng, [shapes.get(letter, ()) for letter in letters])
    if name == "power":
        arrays[0] = abs(arrays[0])
    y = op(*arrays).numpy()
    numbers = {
        variable(letter): getattr(op, attribute)
        for letter, attribute in SETTINGS.get(name, {}).items()
    }
    for letter, array in zip(letters, arrays, strict=True):
        numbers |= numbers_for(letter, array)
    for place, expression in elements(name).items():
        expected = number_at(expression, numbers)
        got = y[tuple(i - 1 for i in place)]
        assert got == pytest.approx(expected, rel=1e-5, abs=1e-9), f"element {place}"


def input_letters(name, shapes):
    """The formula's letters in the order of the op's inputs; one without a rule is left over."""
    names = [input_name.lstrip("*") for input_name in Op.registry[name].input_names]
    _, rules = read(name)
    letters = {input_name: without_bar(rule.letter) for input_name, rule in rules.items()}
    free = [letter for letter in shapes if letter not in letters.values()]
    return [letters.get(input_name) or free.pop(0) for input_name in names]


DIFFERENTIABLE = [name for name in READ if any(Op.registry[name].rules)]
ROUNDED = {
    "round",
    "ceil",
    "floor",
    "trunc",
    "floor_divide",
    "mod",
    "sign",
}  # sympy knows no derivative


@pytest.mark.parametrize("name", [name for name in DIFFERENTIABLE if name not in ROUNDED])
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_derivative_of_the_formula_is_the_formula_of_the_rule(name, seed):
    rng = np.random.default_rng(seed)
    forward, rules = read(name)
    shapes = letter_shapes(name)
    numbers = {}
    for letter, shape in shapes.items():
        (array,) = drawn(name, rng, [shape])
        numbers |= numbers_for(letter, abs(array) if name == "power" else array)
    expressions = elements(name)
    free = set().union(*(e.free_symbols for e in expressions.values()))
    for symbol in sorted(free - set(numbers), key=str):  # settings
        numbers[symbol] = rng.uniform(0.3, 1.5)
    cotangent = {
        place: variable(as_text(Accent(Symbol(forward.letter), "\u0304")), *place)
        for place in expressions
    }
    known = dict(numbers)
    for place, expression in expressions.items():
        known[variable(forward.letter, *place)] = number_at(expression, numbers)
        known[cotangent[place]] = rng.normal()
    for input_name, rule in rules.items():
        letter = without_bar(rule.letter)
        for place, printed in elements(name, input_name).items():
            x = variable(letter, *place)
            expected = sum(
                known[cotangent[at]] * number_at(sp.diff(expression, x), numbers)
                for at, expression in expressions.items()
                if x in expression.free_symbols
            )
            assert number_at(printed, known) == pytest.approx(expected, rel=1e-6, abs=1e-9), (
                f"{input_name} {place}"
            )


@pytest.mark.parametrize(
    "kind",
    [
        losses.MeanSquaredError,
        losses.MeanAbsoluteError,
        losses.BinaryCrossentropy,
        losses.CategoricalCrossentropy,
    ],
)
def test_the_formula_of_a_loss_is_what_it_computes(kind):
    rng = np.random.default_rng(0)
    t, y = rng.uniform(0.1, 0.9, (2, N, N))
    y /= y.sum(axis=1, keepdims=True)  # probabilities, which the last of them expects
    reader = Reader(kind.formula)
    found = kind(reduction="none")(t, y).numpy()
    for (i,) in reader.places():
        expected = reader.element((i,)).subs(numbers_for("t", t) | numbers_for("y", y))
        assert found[i - 1] == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        (optimizers.SGD(0.1), ()),
        (optimizers.SGD(0.1, momentum=0.8), ("v",)),
        (optimizers.SGD(0.1, momentum=0.8, nesterov=True), ("v",)),
        (optimizers.SGD(0.1, weight_decay=0.2), ()),
        (optimizers.Adagrad(0.1), ("a",)),
        (optimizers.RMSprop(0.1), ("v",)),
        (optimizers.RMSprop(0.1, momentum=0.8, centered=True), ("v", "a", "u")),
        (optimizers.Adam(0.1), ("m", "v")),
        (optimizers.Adam(0.1, amsgrad=True), ("m", "v", "v\u0302")),
        (optimizers.AdamW(0.1, weight_decay=0.2), ("m", "v")),
    ],
    ids=lambda x: type(x).__name__,
)
def test_the_formula_of_an_optimizer_is_what_it_does(optimizer, slots):
    rng = np.random.default_rng(0)
    w = tensor([1.0], requires_grad=True, dtype="float64")
    known = {variable(letter, 1): 0.0 for letter in slots} | {variable("w", 1): 1.0}
    known[variable("a", 1)] = getattr(optimizer, "initial_accumulator_value", 0.0)
    for letter, attribute in CONSTANTS.items():
        known[letter] = getattr(optimizer, attribute, None) or 0.0
    for step in range(1, 5):
        known |= {variable("g", 1): rng.normal(), variable("t"): step}
        optimizer.apply([np.array([known[variable("g", 1)]])], [w])
        carry_out(formula(optimizer).latex, known)
        assert w.item() == pytest.approx(known[variable("w", 1)], rel=1e-9), f"step {step}"


CONSTANTS = {
    variable("η"): "learning_rate",
    variable("λ"): "weight_decay",
    variable("μ"): "momentum",
    variable("ρ"): "rho",
    variable("ε"): "epsilon",
    variable("β", 1): "beta_1",
    variable("β", 2): "beta_2",
}


def carry_out(latex, known):
    """Each assignment in turn, for the one weight there is."""
    tree = parse(latex)
    for statement in items(tree):
        (_, left), (arrow, right) = statement.parts
        assert arrow == "←"
        value = Reader("y = 0").value(right, {"i": 1}).subs(known)
        known[variable(as_text(left.base), 1)] = float(value)


def test_a_wrong_formula_would_be_found():
    right, wrong = Reader(r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}"), Reader(r"y_i = e^{x_i}")
    x = numbers_for("x", np.array([0.1, 0.2, 0.3]))
    assert float(right.element((1,)).subs(x)) == pytest.approx(0.3006, abs=1e-4)
    assert float(wrong.element((1,)).subs(x)) != pytest.approx(0.3006, abs=1e-4)
