"""The numbers of a page: for every op in the registry, the printed terms make the element."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinydl.engine import Op, rule
from tinydl.explain.applied import Applied, Operand, letter
from tinydl.explain.elements import element_view
from tinydl.explain.letters import letter_of_result, letters_of
from tinydl.explain.page import Ref

OPS = sorted(name for name, op in Op.registry.items() if op.__module__.startswith("tinydl."))
WITHOUT_FORMULA = {"singular_norm"}  # its numbers are no formula of the elements
IN_BITS = {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"}


def applied_to(op, arrays, dtype=None):
    arrays = [np.asarray(a) for a in arrays]
    if dtype:
        arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    letters = letters_of(op, len(arrays))
    names = [f"in {i}" for i in range(len(arrays))]
    operands = tuple(map(Operand, names, letters, arrays))
    return Applied(op, operands, op.evaluate(arrays), letter_of_result(op))


def symbols_in(view, applied):
    """What the letters of a view stand for: elements, and numbers computed before."""
    found = {part.symbol: part.value for part in view.parts}
    for x in applied.operands:
        for ref in view.refs:
            if ref.name == x.name:
                found[letter(x.symbol, ref.index)] = float(x.array[ref.index])
    return found


def check(view, applied, value_of, rtol=1e-9):
    value = float(applied.y[view.index])
    assert view.value == value or np.isnan(value)
    size = 1 + abs(value) + sum(abs(t.value) for t in view.terms)
    assert np.isclose(view.result.combined(), value, rtol=0, atol=rtol * size, equal_nan=True)
    for part in view.parts:
        assert part.combined() == part.value
    if applied.op.name in WITHOUT_FORMULA | IN_BITS:
        return
    symbols = symbols_in(view, applied)
    for part in (*view.parts, view.result):
        for term in part.terms:
            if r"\dots" in term.text:
                continue
            redone = value_of(term.text, symbols)
            assert np.isclose(redone, term.value, rtol=2e-3, atol=2e-3, equal_nan=True), term.text


@pytest.mark.parametrize("name", OPS)
def test_the_terms_of_random_elements_make_them(name, value_of, seeds):
    for seed in range(3 * seeds):
        rng = np.random.default_rng(seed)
        for op, arrays in Op.registry[name].examples(rng):
            applied = applied_to(op, arrays)
            if applied.y.size:
                index = tuple(int(rng.integers(n)) for n in applied.y.shape)
                check(element_view(applied, index), applied, value_of)


@pytest.mark.parametrize("name", OPS)
def test_single_precision_adds_up_to_its_rounding(name, value_of, rng):
    for op, arrays in Op.registry[name].examples(rng):
        applied = applied_to(op, arrays, "float32")
        if applied.y.size:
            index = tuple(int(rng.integers(n)) for n in applied.y.shape)
            check(element_view(applied, index), applied, value_of, rtol=1e-4)


@pytest.mark.parametrize("name", OPS)
def test_every_element_that_matters_is_named(name, rng):
    """An input element with a derivative feeds the result, so it must light up."""
    for op, arrays in Op.registry[name].examples(rng):
        applied = applied_to(op, arrays)
        if applied.y.size == 0 or applied.y.dtype.kind != "f":
            continue
        index = tuple(int(rng.integers(n)) for n in applied.y.shape)
        refs = element_view(applied, index).refs
        for position, x in enumerate(applied.operands):
            row = applied.row(position, index)
            if row is not None and x.array.dtype.kind == "f":
                for place in np.argwhere(np.nan_to_num(row)):
                    assert Ref(x.name, tuple(place.tolist())) in refs


@pytest.mark.parametrize("name", OPS)
def test_only_ops_without_a_formula_of_elements_show_derivatives(name, rng):
    for op, arrays in Op.registry[name].examples(rng):
        applied = applied_to(op, arrays)
        if applied.y.size:
            index = (0,) * applied.y.ndim
            assert not element_view(applied, index).derivatives


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_convolution_of_any_geometry_shows_its_products(data):
    draw = data.draw
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    groups, channels = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    x = rng.integers(-3, 4, (2, 6, 7, groups * channels)).astype(float)
    w = rng.integers(-3, 4, (*kernel, channels, 2 * groups)).astype(float)
    op = Op.registry["conv"](
        strides=draw(st.integers(1, 2)),
        padding=draw(st.sampled_from(["valid", "same", ((0, 2), (1, 0))])),
        dilation_rate=draw(st.integers(1, 2)),
    )
    applied = applied_to(op, (x, w))
    index = tuple(draw(st.integers(0, n - 1)) for n in applied.y.shape)
    view = element_view(applied, index)
    assert sum(term.value for term in view.terms) == applied.y[index]
    assert all(len(term.refs) == 2 for term in view.terms)
    for term in view.terms:
        (a, b) = (applied.operands[int(ref.name[-1])].array[ref.index] for ref in term.refs)
        assert a * b == term.value


def test_nine_products_of_a_convolution():
    x, w = np.arange(9.0).reshape(1, 3, 3, 1), np.ones((3, 3, 1, 1))
    view = element_view(applied_to(Op.registry["conv"](), (x, w)), (0, 0, 0, 0))
    assert len(view.terms) == 9
    assert view.terms[2].text == r"2 \cdot 1"
    assert view.formula.endswith("= 36")


def test_huge_scores_have_the_largest_subtracted(value_of):
    x = np.array([1000.0, 1001.0, 999.0])
    for name in ("softmax", "log_softmax", "logsumexp"):
        applied = applied_to(Op.registry[name](), (x,))
        check(element_view(applied, (1,) * applied.y.ndim), applied, value_of)


def test_infinite_numbers_have_a_page():
    x = np.array([np.inf, np.nan, -np.inf, 0.0])
    for name in ("exp", "relu", "softmax", "log", "sigmoid"):
        applied = applied_to(Op.registry[name](), (x,))
        for i in range(4):
            assert element_view(applied, (i,)).formula


class TestOpsOfTheUser:
    """They have no view by hand; the page follows from their rules, or from their value."""

    @pytest.fixture(autouse=True)
    def registry_as_before(self, monkeypatch):
        monkeypatch.setattr(Op, "registry", dict(Op.registry))

    def test_a_linear_one_is_a_weighted_sum(self):
        class Blend(Op):
            input_names = ("x",)
            formula = r"y_i = 3 x_i - x_{n-i}"
            linear_in = ("x",)

            def forward(self, x):
                return 3 * x - x[::-1]

            @rule(r"\bar x_i = 3 \bar y_i - \bar y_{n-i}")
            def x(self, y_bar, y, x):
                return 3.0 * y_bar - y_bar[::-1]

        view = element_view(applied_to(Blend(), (np.array([1.0, 2.0, 5.0]),)), (0,))
        assert view.formula == r"y_{0} = 3 \cdot 1 + (-1) \cdot 5 = -2"

    def test_a_bilinear_one_is_a_sum_of_products(self):
        class Correlate(Op):
            input_names = ("a", "b")
            formula = r"y = \sum_i a_i b_{n-i}"
            linear_in = ("a", "b")

            def forward(self, a, b):
                return np.sum(a * b[::-1])

            @rule(r"\bar a_i = \bar y b_{n-i}")
            def a(self, y_bar, y, a, b):
                return y_bar * b[::-1]

            @rule(r"\bar b_i = \bar y a_{n-i}")
            def b(self, y_bar, y, a, b):
                return y_bar * a[::-1]

        view = element_view(applied_to(Correlate(), (np.array([1.0, 2.0]), np.array([3.0, 4]))), ())
        assert view.formula == r"y = 1 \cdot 4 + 2 \cdot 3 = 10"

    def test_one_with_a_wrong_declaration_still_adds_up(self):
        class Lie(Op):
            input_names = ("x",)
            linear_in = ("x",)

            def forward(self, x):
                return x * x

            @rule(r"\bar x_i = 2 \bar y_i x_i")
            def x(self, y_bar, y, x):
                return 2.0 * y_bar * x

        view = element_view(applied_to(Lie(), (np.array([3.0]),)), (0,))
        assert view.result.combined() == 9.0
        assert view.derivatives == ((Ref("in 0", (0,)), 6.0),)

    def test_a_curved_one_shows_its_derivatives(self):
        class Spin(Op):
            input_names = ("x",)
            formula = r"y_i = x_i x_{i+1}"

            def forward(self, x):
                return x * np.roll(x, -1)

            @rule(r"\bar x_i = \bar y_i x_{i+1} + \bar y_{i-1} x_{i-1}")
            def x(self, y_bar, y, x):
                before, after = Op.registry["roll"](1), Op.registry["roll"](-1)
                return y_bar * after(x) + before(y_bar * x)

        view = element_view(applied_to(Spin(), (np.array([2.0, 3.0, 5.0]),)), (0,))
        assert view.formula == r"y_{0} = \operatorname{spin}\left(2, 3\right) = 6"
        assert view.derivatives == ((Ref("in 0", (0,)), 3.0), (Ref("in 0", (1,)), 2.0))

    def test_one_of_the_same_name_as_ours_is_not_taken_for_it(self):
        class Exp(Op):
            name = "exp"
            input_names = ("x",)

            def forward(self, x):
                return x + 1

        assert element_view(applied_to(Exp(), (np.array([1.0]),)), (0,)).result.combined() == 2.0
