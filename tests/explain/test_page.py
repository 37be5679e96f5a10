import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinydl.errors import ArgumentError
from tinydl.explain.page import Part, Step, Term, Value, excerpt, largest


class Echo:
    """Views that say what they were asked for."""

    def element(self, index):
        return index

    def gradient(self, name, index, with_difference):
        return name, index

    def update(self, index):
        return index


def step_of(kind, array, name="y"):
    value = Value(name, "y", array.shape, str(array.dtype), (), array, "activation")
    return Step(1, kind, "t", None, "op", "", (), "", (), (value,), None, (), views=Echo())


@given(st.lists(st.integers(0, 7), max_size=4), st.integers(1, 60))
def test_an_excerpt_is_a_block_of_the_first_elements(shape, most):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    block = excerpt(array, most)
    assert block.size <= max(most, 1) or array.size == 0
    np.testing.assert_array_equal(block, array[tuple(map(slice, block.shape))])
    if array.size <= most:
        assert block is array


def test_the_largest_element_may_be_negative_or_nan():
    assert largest(np.array([1.0, -2.0])) == (1,)
    assert largest(np.array([1.0, np.nan])) == (1,)
    assert largest(np.array(3)) == ()
    assert largest(np.zeros((0, 2))) is None


def test_views_get_the_default_pick_or_a_positive_index():
    step = step_of("forward", np.array([[0.0, 5.0], [1.0, 2.0]]))
    assert step.element() == (0, 1)
    assert step.element((-1, 0)) == (1, 0)


@pytest.mark.parametrize("index", [(2, 0), 0, (0, 0, 0), ("a", 0)])
def test_a_wrong_index_is_refused(index):
    with pytest.raises(ArgumentError, match="index into y"):
        step_of("forward", np.zeros((2, 2))).element(index)


def test_an_empty_tensor_has_nothing_to_pick():
    with pytest.raises(ArgumentError, match="empty"):
        step_of("forward", np.zeros((0, 2))).element()


def test_each_kind_of_step_has_its_own_view():
    array = np.array([3.0])
    assert step_of("backward", array, "grad x").gradient() == ("grad x", (0,))
    assert step_of("backward", array, "grad x").gradient("x", 0) == ("grad x", (0,))
    assert step_of("update", array).update(0) == (0,)
    with pytest.raises(ArgumentError, match="a forward step"):
        step_of("forward", array).gradient()
    with pytest.raises(ArgumentError, match="name"):
        step_of("backward", array, "grad x").gradient("z")


@pytest.mark.parametrize(
    ("combine", "expected"), [("sum", 5), ("product", 6), ("max", 3), ("min", 2)]
)
def test_terms_combine(combine, expected):
    assert Part("y", combine, (Term("2", 2.0), Term("3", 3.0)), 0.0).combined() == expected
