import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinydl.errors import ArgumentError, DataError, DTypeError
from tinydl.utils import normalize, to_categorical

LABELS = hnp.arrays(np.int64, hnp.array_shapes(max_dims=3, min_side=2), elements=st.integers(0, 9))


@given(LABELS, st.integers(10, 12))
def test_one_hot_vectors_point_at_their_class(labels, classes):
    vectors = to_categorical(labels, classes)
    assert vectors.shape == (*labels.shape, classes)
    np.testing.assert_array_equal(vectors.argmax(axis=-1), labels)
    np.testing.assert_array_equal(vectors.sum(axis=-1), 1)
    np.testing.assert_array_equal(to_categorical(labels[..., np.newaxis], classes), vectors)


def test_the_number_of_classes_is_the_largest_label_plus_one():
    assert to_categorical([0, 3]).shape == (2, 4)
    assert to_categorical([[2]]).tolist() == [[0, 0, 1]]
    assert to_categorical(1).tolist() == [0, 1]
    assert to_categorical([], 3).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", ">i4", "uint8"])
def test_whole_numbers_of_any_type_will_do(dtype):
    assert to_categorical(np.array([1, 0], dtype)).tolist() == [[0, 1], [1, 0]]
    assert to_categorical([True, False]).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("labels", "classes", "error", "complaint"),
    [
        ([0, -1], None, DataError, "label in x is -1"),
        ([-1], None, DataError, "label in x is -1, expected 0 or more"),
        ([0, 3], 3, DataError, "label in x is 3, expected 0 to 2"),
        ([0, 0.5], None, DTypeError, "label in x is 0.5"),
        ([0, np.nan], None, DTypeError, "label in x is nan"),
        ([0, np.inf], None, DTypeError, "label in x is inf"),
        ([1e300], None, DTypeError, "label in x is 1e"),
        (["cat"], None, DTypeError, "return_inverse"),
        ([1j], None, DTypeError, "complex128"),
        ([], None, DataError, "x is empty"),
        ([0], 0, ArgumentError, "num_classes is 0"),
        ([0], 2.5, ArgumentError, "num_classes is 2.5"),
    ],
)
def test_what_is_no_label_is_refused(labels, classes, error, complaint):
    with pytest.raises(error, match=complaint):
        to_categorical(labels, classes)


@given(
    hnp.arrays(float, (3, 4), elements=st.integers(-9, 9).map(float)),
    st.sampled_from([0, 1]),
    st.sampled_from([1, 2, 3]),
)
def test_normalized_vectors_have_length_one_or_zero(x, axis, order):
    lengths = np.sum(np.abs(normalize(x, axis, order)) ** order, axis=axis)
    np.testing.assert_allclose(lengths, np.any(x != 0, axis=axis), atol=1e-12)


def test_a_norm_needs_an_order_above_zero():
    with pytest.raises(ArgumentError, match="order is 0"):
        normalize([1.0], order=0)
