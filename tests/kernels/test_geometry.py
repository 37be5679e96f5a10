"""The arithmetic of windows, against counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinydl.errors import ArgumentError, ShapeError
from tinydl.kernels.geometry import output_length, place_pool, place_window

ONE, NO_PADDING = (1, 1), ((0, 0), (0, 0))
small = st.integers(1, 5)


@given(
    length=st.integers(0, 12),
    window=small,
    stride=small,
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    dilation=small,
)
def test_output_length_counts_the_places_where_the_window_fits(
    length: int, window: int, stride: int, padding: tuple[int, int], dilation: int
) -> None:
    room = length + sum(padding)
    last = (window - 1) * dilation
    places = sum(1 for start in range(0, room, stride) if start + last < room)
    if places == 0:
        with pytest.raises(ShapeError):
            output_length(length, window, stride, padding, dilation)
    else:
        assert output_length(length, window, stride, padding, dilation) == places


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("window", {"window": 0}),
        ("strides", {"window": 2, "stride": 0}),
        ("strides", {"window": 2, "stride": 2**31}),
        ("dilation", {"window": 2, "dilation": -1}),
        ("padding", {"window": 2, "padding": (0, -1)}),
        ("padding", {"window": 2, "padding": (2**40, 0)}),
    ],
)
def test_settings_out_of_range_are_named(name: str, settings: dict) -> None:
    with pytest.raises(ArgumentError, match=f"{name} is"):
        output_length(5, **settings)


@pytest.mark.parametrize(
    ("image", "kernel"),
    [
        ((1, 3, 3), (2, 2, 1, 1)),
        ((1, 3, 3, 1), (2, 2, 1)),
        ((1, 3, 3, 2), (2, 2, 3, 6)),
        ((1, 3, 3, 3), (2, 2, 2, 6)),
        ((1, 3, 3, 3), (2, 2, 0, 6)),
        ((1, 3, 3, 0), (2, 2, 1, 1)),
        ((1, 3, 3, 2), (2, 2, 1, 1)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(image: tuple, kernel: tuple) -> None:
    with pytest.raises(ShapeError):
        place_window(image, kernel, ONE, NO_PADDING, ONE)


@pytest.mark.parametrize(
    ("image", "padding"),
    [
        ((1, 3, 3, 1), ((2, 0), (0, 0))),
        ((1, 3, 3, 1), ((0, 0), (0, 2))),
        ((1, 0, 3, 1), ((1, 1), (0, 0))),
    ],
)
def test_a_pool_never_lies_wholly_on_padding(image: tuple, padding: tuple) -> None:
    with pytest.raises(ArgumentError, match="wholly on padding"):
        place_pool(image, (2, 2), ONE, padding)
