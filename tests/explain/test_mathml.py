"""MathML: what a browser shows is the formula, and nothing else."""

import re

import pytest

from tinydl.errors import ArgumentError
from tinydl.explain.mathml import lint, mathml


def shown(markup):
    return re.sub("<[^>]*>", "", markup)


def test_a_fraction_is_a_fraction():
    markup = mathml(r"y_i = \frac{a_i}{b}")
    assert "<mfrac>" in markup
    assert 'display="block"' in markup
    assert 'display="inline"' in mathml("x", display=False)


def test_aligned_formulas_are_aligned():
    markup = mathml(r"\begin{aligned} a &= b \\ &= c \end{aligned}")
    assert markup.count("<mtr>") == 2
    assert "&amp;" not in shown(markup)


def test_a_name_stands_close_to_its_argument():
    assert '<mo lspace="0.167em" rspace="0">relu</mo>' in mathml(r"\operatorname{relu}(x)")
    assert '<mo lspace="0.167em" rspace="0.167em">max</mo>' in mathml(r"\max_i x_i")
    assert "<mo>mod</mo>" in mathml(r"a \bmod b")


def test_words_are_shown_and_not_run():
    markup = mathml(r"x \text{ <script>alert(1)</script> }")
    assert "<script" not in markup
    assert "&lt;script&gt;" in markup


@pytest.mark.parametrize(
    ("markup", "complaint"),
    [
        ("<math><mi>x</mi>", "not well-formed"),
        ("<math><merror>x</merror></math>", "an error box"),
        ("<math><script>x</script></math>", "<script> is no formula"),
        ("<math><mi>&amp;</mi></math>", "shows '&'"),
        (r"<math><mi>\alpha</mi></math>", "shows"),
        ("<math><mtext>a^b</mtext></math>", "shows"),
        ("<math><mfrac><mi>x</mi></mfrac></math>", "has 1 parts instead of 2"),
        ("<math><mtable><mtr><mtd/></mtr><mtr/></mtable></math>", "rows of a table"),
    ],
)
def test_lint_finds(markup, complaint):
    assert [complaint in found for found in lint(markup)] == [True]


def test_clean_markup_is_clean():
    assert lint("<math><mo>{</mo><mi>x</mi><mtext>max_pool</mtext></math>") == []


@pytest.mark.parametrize("latex", [r"\foo x", "a & b", r"\frac{a}", "{a"])
def test_what_would_be_shown_broken_is_refused(latex):
    with pytest.raises(ArgumentError):
        mathml(latex)
