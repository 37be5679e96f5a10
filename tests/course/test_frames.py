"""Frames: what is sent arrives, and bytes that are no frame are said to be none."""

import json
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinydl.course.inside.frames import LENGTHS, BadFrame, Other, decode, decode_parts, encode

DTYPES = st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_, ">f8"])
PLAIN = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text() | st.floats()
ARRAYS = DTYPES.flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))
)
VALUES = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=10,
)


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return type(one) is type(other) and (one == other or one != one)


@given(VALUES)
def test_what_is_sent_arrives(value):
    assert same(value, decode(encode(value)))


def test_a_named_tuple_arrives_as_a_tuple():
    class Lying(NamedTuple("Pair", [("w", float), ("v", float)])):
        def __iter__(self):
            return iter(())

    assert decode(encode(Lying(1.0, 2.0))) == (1.0, 2.0)


@given(ARRAYS)
def test_an_array_keeps_its_order_in_memory(array):
    for sent in (array, array.T):
        arrived = decode(encode(sent))
        assert np.array_equal(arrived, sent, equal_nan=sent.dtype.kind == "f")
        if sent.size:
            assert arrived.flags.c_contiguous == sent.flags.c_contiguous
        assert arrived.flags.owndata and arrived.flags.writeable


@pytest.mark.parametrize("scalar", [np.float32(1.5), np.int8(-3), np.bool_(True)])
def test_a_scalar_stays_one(scalar):
    arrived = decode(encode(scalar))
    assert type(arrived) is type(scalar) and arrived == scalar


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, 1j, np.array([1j]), np.array(["x"]), np.array([None]), np.ma.ones(2), print],
)
def test_the_rest_arrives_as_a_description(value):
    arrived = decode(encode([value]))[0]
    assert isinstance(arrived, Other) and arrived.described


@given(st.binary(max_size=200))
def test_any_bytes_make_values_or_no_frame(content):
    with suppress(BadFrame):
        decode(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["array", "scalar", "list", "tuple", "dict", "other", "x"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.binary(max_size=64))
def test_any_header_makes_values_or_no_frame(header, payload):
    with suppress(BadFrame):
        decode_parts(json.dumps(header).encode(), payload)


@pytest.mark.parametrize(
    "node",
    [
        {"array": ["<f8", [2**39, 2**39], "C"]},
        {"array": ["<f8", [-1], "C"]},
        {"array": ["<f8", [1.0], "C"]},
        {"array": ["<f8", [True], "C"]},
        {"array": ["|O", [1], "C"]},
        {"array": ["|V8", [1], "C"]},
        {"array": ["<M8", [1], "C"]},
        {"array": ["<U9", [1], "C"]},
        {"array": ["<f8", [1]]},
        {"scalar": "O"},
        {"list": 5},
        {"dict": [[1]]},
        {"dict": [[{"list": []}, 1]]},
        [1],
        {},
    ],
)
def test_a_wrong_header_is_no_frame(node):
    with pytest.raises(BadFrame):
        decode_parts(json.dumps(node).encode(), bytes(8))


def test_bytes_left_over_are_no_frame():
    with pytest.raises(BadFrame):
        decode_parts(b"1", b"x")
    with pytest.raises(BadFrame):
        decode(LENGTHS.pack(1, 0) + b"11")
