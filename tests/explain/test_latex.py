"""Reading LaTeX, and printing it as text that has one reading."""

import math
import re

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tinydl.errors import ArgumentError
from tinydl.explain.latex import parse
from tinydl.explain.tree import Apply, Big, Fraction, Infix, Number, Scripted, Sequence, Symbol
from tinydl.explain.unicode_math import unicode_math


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{m_t}{1 - \beta_1^t}", "m_t/(1-β₁^t)"),
        (r"\frac{a}{b} c", "(a/b)·c"),
        (r"a / b c", "(a/b)·c"),
        (r"a / (b c)", "a/(b·c)"),
        (r"\frac{\frac{a}{b}}{c}", "(a/b)/c"),
        (r"\sum_k a_{ik} b_{kj} + c", "(Σ_k a_ik·b_kj) + c"),
        (r"c + \sum_k a_k", "c + Σ_k a_k"),
        (r"\sum_i (a_i + b_i)", "Σ_i (a_i + b_i)"),
        (r"\prod_{j < i} x_j \prod_{j > i} x_j", "(∏_(j<i) x_j)·∏_(j>i) x_j"),
        (r"\ln \sum_j e^{x_j}", "ln(Σ_j e^(x_j))"),
        (r"\tanh \ln(1 + e^{x_i})", "tanh(ln(1 + e^(x_i)))"),
        (r"x_i \ln 10", "x_i·ln(10)"),
        (r"f(x) + a (x + 1)", "f(x) + a·(x + 1)"),
        (r"f\Big( x \Big)", "f(x)"),
        (r"a_i^{b_i}", "a_i^(b_i)"),
        (r"(x - m)^2", "(x - m)²"),
        (r"x_{n, s i + d p - t}", "x_(n, s·i+d·p-t)"),
        (r"x_{i_k j}", "x_(i_k, j)"),
        (r"n_{in}", "n_in"),
        (r"x^{(m)}_i", "x_i^(m)"),
        (r"\bar y_i", "ȳ_i"),
        (r"\hat v", "v̂"),
        (r"|x_i| < \infty", "|x_i| < ∞"),
        (r"\lfloor a / b \rfloor", "⌊a/b⌋"),
        (r"\lVert g \rVert", "‖g‖"),
        (r"\sqrt{x^2 + 1}", "√(x²+1)"),
        (r"\frac{\partial L}{\partial w}", "∂L/∂w"),
        (r"\nabla_w L", "∇_w(L)"),
        (r"W^\top \bar z", "Wᵀ·z̄"),
        (r"K \ast x + b", "K∗x + b"),
        (r"f''(x)", "f′′(x)"),
        (r"y = \max(0, x) \text{ if } x \ne 3", "y = max(0, x) if x ≠ 3"),
        (r"\begin{cases} a & x > 0 \\ b & \text{else} \end{cases}", "{ a if x > 0; b else }"),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "a = b\n= c"),
        (r"0.5 \cdot (-1.2) + 3 \cdot 10^{-3}", "0.5·(-1.2) + 3·10⁻³"),
        (r"a \cdot -b", "a·(-b)"),
        (r"\int_0^{x} e^{-t^2} dt", "∫₀^x e^(-t²)·dt"),
        (r"a - (-b)", "a - (-b)"),
        ("", ""),
    ],
)  # fmt: skip
def test_text_says_what_belongs_together(latex, text):
    assert unicode_math(latex) == text


def test_a_tree_says_what_is_multiplied_and_what_is_an_index():
    assert parse(r"2 x_{ij}") == Infix(
        "product",
        (
            ("", Number("2")),
            ("", Scripted(Symbol("x"), Sequence((Symbol("i"), Symbol("j")), ("",)))),
        ),
    )
    assert isinstance(parse(r"x_{2 i}").sub, Sequence)
    assert isinstance(parse(r"x_{2 i + 1}").sub, Infix)
    assert isinstance(parse("a / b"), Fraction)
    assert isinstance(parse("f(x)"), Apply)
    assert parse("a (x)").level == "product"
    assert isinstance(parse(r"\sum_i x_i y_i"), Big)
    assert parse(r"\sum_i x_i + y").level == "sum"


@pytest.mark.parametrize(
    "latex",
    [
        *("{a", "a}", "(a", "a)", "[a)", "|a", r"\left( a", r"\frac{a}", "a_", "^2", "a +"),
        *(r"\foo", "a & b", "$a$", r"a \\ b", r"\begin{cases} a", r"\begin{tikz} a \end{tikz}"),
    ],
)
def test_what_cannot_be_read_is_refused(latex):
    with pytest.raises(ArgumentError, match="formula: LaTeX is"):
        parse(latex)


# One reading: an expression, printed and then read by Python's own rules, has its former value.

VALUES = {"a": 0.7, "b": 1.3, "c": 0.4}
FUNCTIONS = {"tanh": math.tanh, "sqrt": math.sqrt, "__builtins__": {}}


def grown(parts):
    """Pairs of LaTeX and Python, the latter with all its parentheses."""
    two = st.tuples(parts, parts)
    return st.one_of(
        two.map(lambda p: (f"{p[0][0]} + {p[1][0]}", f"({p[0][1]} + {p[1][1]})", False)),
        two.map(lambda p: (f"{p[0][0]} - {factor(p[1])}", f"({p[0][1]} - {p[1][1]})", False)),
        two.map(lambda p: (f"{factor(p[0])} {factor(p[1])}", f"({p[0][1]} * {p[1][1]})", True)),
        two.map(lambda p: (rf"\frac{{{p[0][0]}}}{{{p[1][0]}}}", f"({p[0][1]} / {p[1][1]})", True)),
        two.map(lambda p: (rf"({p[0][0]})^{{{p[1][0]}}}", f"({p[0][1]} ** {p[1][1]})", True)),
        parts.map(lambda p: (f"-{factor(p)}", f"(-{p[1]})", False)),
        parts.map(lambda p: (f"({p[0]})^{{-2}}", f"({p[1]} ** -2)", True)),
        parts.map(lambda p: (rf"\sqrt{{{p[0]}}}", f"sqrt({p[1]})", True)),
        parts.map(lambda p: (rf"\tanh ({p[0]})", f"tanh({p[1]})", True)),
        parts.map(lambda p: (rf"\sum_i {factor(p)}", f"{p[1]}", False)),
    )


def factor(part):
    latex, _, strong = part
    return latex if strong else f"({latex})"


def read_by_python(text):
    """The text as Python; the sum over a single i is what stands under it."""
    small = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda match: "**" + match[0].translate(small), text)
    text = re.sub(r"√([\w.]+)", r"sqrt(\1)", text.replace("√(", "sqrt("))
    return text.replace("Σ_i ", "").replace("·", "*").replace("^", "**")


def value(python):
    return eval(python, FUNCTIONS, VALUES)


atoms = st.sampled_from([*VALUES, "2", "3.5"]).map(lambda name: (name, name, True))


@settings(max_examples=300)
@given(st.recursive(atoms, grown, max_leaves=8))
def test_text_has_one_reading(expression):
    latex, python, _ = expression
    try:
        expected = value(python)
    except (ArithmeticError, ValueError, TypeError):  # TypeError: the root of a complex number
        reject()
    assert value(read_by_python(unicode_math(latex))) == pytest.approx(expected, rel=1e-9)


def test_a_text_with_two_readings_would_be_found():
    assert value(read_by_python("a/b·c")) != pytest.approx(value(read_by_python("a/(b·c)")))
