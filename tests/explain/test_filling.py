"""Gradient rules with a number for every letter: they say what the rule computes."""

import numpy as np
import pytest

from tinydl.engine import Op
from tinydl.explain.applied import Applied, Operand
from tinydl.explain.filling import filled_rule
from tinydl.explain.letters import letter_of_result, letters_of

# Their rules pass on what arrives, or add up products of which the page shows every one.
TERM_BY_TERM = {
    *("average_pool", "average_pool_gradient", "conv", "conv_input_gradient", "conv_transpose"),
    *("conv_kernel_gradient", "max_pool", "max_pool_gather", "max_pool_gradient", "matmul"),
    *("concatenate", "einsum", "expand_dims", "get_item", "pad", "put_item", "repeat", "reshape"),
    *("roll", "squeeze", "stack", "take", "take_along_axis", "tile", "flip", "transpose"),
    *("broadcast_to", "tril", "triu", "cumsum", "cumprod", "softmax_cross_entropy_gradient"),
    *("add", "subtract", "negative", "sum", "cast"),
    *("ceil", "floor", "floor_divide", "round", "sign", "trunc"),
}
OURS = [
    name
    for name, op in sorted(Op.registry.items())
    if op.__module__.startswith("tinydl.ops") and any(op.rules)
]


def applications(name):
    """Each example of an op, what arrives at its result, and an element of each input."""
    rng = np.random.default_rng(0)
    for op, given in Op.registry[name].examples(rng):
        arrays = [np.asarray(array) for array in given]
        names = [f"x{i}" for i in range(len(arrays))]
        operands = tuple(map(Operand, names, letters_of(op, len(arrays)), arrays))
        y = op.evaluate(arrays)
        applied = Applied(op, operands, y, letter_of_result(op))
        y_bar = Operand("grad y", rf"\bar {applied.symbol}", rng.normal(size=y.shape))
        for position, rule in enumerate(op.rules_for(arrays)):
            if rule is not None and arrays[position].size:
                index = tuple(int(rng.integers(n)) for n in arrays[position].shape)
                value = float(applied.pull_back(position, y_bar.array)[index])
                yield applied, position, y_bar, index, value


@pytest.mark.parametrize("name", OURS)
def test_the_numbers_of_a_rule_make_the_gradient(name, value_of):
    for application in applications(name):
        known = {}
        for part in filled_rule(*application):
            backwards = dict(reversed(known.items()))  # s'' before s' before s
            for term in part.terms:
                written = value_of(term.text, backwards)
                assert written == pytest.approx(term.value, rel=2e-3, abs=2e-3)
            assert part.combined() == pytest.approx(part.value, rel=1e-6, abs=1e-9)
            known[part.symbol] = part.value


def test_every_rule_with_further_letters_has_its_numbers():
    filled = {name for name in OURS if any(filled_rule(*one) for one in applications(name))}
    assert filled == set(OURS) - TERM_BY_TERM


def test_every_letter_knows_the_element_it_stands_for():
    applied = next(iter(applications("tanh")))
    (part,) = filled_rule(*applied)
    index = applied[3]
    assert {(ref.name, ref.index) for ref in part.terms[0].refs} == {
        ("grad y", index),
        ("y", index),
    }


def test_an_op_of_ones_own_may_call_other_things_axis():
    class Tilted(Op):
        input_names = ("x",)
        formula = r"y_i = x_i^2"
        axis = "north"

        def x(self, y_bar, y, x):
            return 2.0 * y_bar * x

        x.formula = r"\bar x_i = 2 \bar y_i x_i"

    try:
        array = np.array([2.0, 3.0])
        applied = Applied(Tilted(), (Operand("x", "x", array),), array**2)
        y_bar = Operand("grad y", r"\bar y", np.ones(2))
        assert filled_rule(applied, 0, y_bar, (0,), 4.0) == ()
    finally:
        del Op.registry["tilted"]
