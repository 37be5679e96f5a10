"""Einstein's summation against nested loops over the letters."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinydl import grad, ops, tensor
from tinydl.testing import gradcheck


def literally(subscripts, *operands):
    """The sum of products, one product after the other; every letter after ->."""
    terms, result = subscripts.split("->")
    terms = terms.split(",")
    length = {}
    for term, x in zip(terms, operands, strict=True):
        for name, n in zip(term, x.shape, strict=True):
            length[name] = n if n != 1 else length.get(name, 1)
    y = np.zeros([length[name] for name in result])
    for places in product(*map(range, length.values())):
        at = dict(zip(length, places, strict=True))
        factor = 1.0
        for term, x in zip(terms, operands, strict=True):
            factor *= x[tuple(at[c] if n > 1 else 0 for c, n in zip(term, x.shape, strict=True))]
        y[tuple(at[name] for name in result)] += factor
    return y


@st.composite
def sums(draw):
    """Subscripts with repeated, summed, and stretched letters, and operands for them."""
    length = {name: draw(st.integers(0, 3)) for name in "abc"}
    terms = draw(st.lists(st.text("abc", max_size=3), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    operands = []
    for term in terms:
        stretched = draw(st.sampled_from("abc")) if draw(st.booleans()) else ""
        operands.append(rng.normal(size=[1 if c == stretched else length[c] for c in term]))
    used = sorted(set("".join(terms)))
    result = "".join(draw(st.permutations(used))[: draw(st.integers(0, len(used)))])
    return f"{','.join(terms)}->{result}", operands


@given(sums())
def test_the_sum_is_what_it_says(case):
    subscripts, operands = case
    y = ops.einsum(subscripts, *operands)
    np.testing.assert_allclose(y.numpy(), literally(subscripts, *operands), rtol=1e-10, atol=1e-12)


@given(sums())
def test_gradients_follow_from_linearity(case):
    """In each operand the sum is linear, so <g, f(x)> = <gradient, x>."""
    subscripts, operands = case
    xs = [tensor(x, requires_grad=True) for x in operands]
    y = ops.einsum(subscripts, *xs)
    g = np.random.default_rng(0).normal(size=y.shape)
    for x, x_bar in zip(operands, grad(y, xs, g), strict=True):
        np.testing.assert_allclose(np.sum(x * x_bar.data), np.sum(g * y.data), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "subscripts, shapes",
    [
        ("ij,jk", [(2, 3), (3, 2)]),
        ("ba", [(2, 3)]),
        ("Ab,bC", [(2, 3), (3, 2)]),
        (" i j , j -> i ", [(2, 3), (3,)]),
        ("...ij,...jk->...ik", [(2, 1, 2, 3), (4, 3, 2)]),
        ("i...,i...", [(2, 3), (2, 3)]),
        ("...", [(2, 3)]),
        ("i...i", [(2, 3, 2)]),
        ("", [()]),
        (",", [(), ()]),
    ],
)
def test_dots_spaces_and_implicit_results_are_numpy_s(subscripts, shapes):
    rng = np.random.default_rng(0)
    operands = [rng.normal(size=shape) for shape in shapes]
    y = ops.einsum(subscripts, *operands)
    expected = np.einsum(subscripts, *operands)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)


def test_dots_that_the_result_does_not_name_are_summed():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ops.einsum("...i->i", x).numpy(), x.sum(axis=0))


def test_whole_numbers_beside_floats_do_not_widen_them():
    y = ops.einsum("i,i->", np.ones(2, "float32"), np.arange(2))
    assert (y.dtype, y.item()) == (np.float32, 1.0)
    assert ops.einsum("i->", np.arange(3)).dtype == np.int64


def test_third_derivatives():
    rng = np.random.default_rng(0)
    gradcheck(lambda a, b: ops.einsum("iij,jk,k->i", a, b, b[0]),
              [rng.normal(size=(2, 2, 2)), rng.normal(size=(2, 2))], order=3)  # fmt: skip
