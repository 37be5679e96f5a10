"""The strategies draw what they promise, and reach the corners they are for."""

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from tinydl import kernels
from tinydl.testing import strategies
from tinydl.testing.layouts import LAYOUTS


@given(strategies.broadcastable_shapes(number=3))
def test_shapes_broadcast(shapes):
    np.broadcast_shapes(*shapes)


@given(strategies.broadcastable_pairs())
def test_pairs_broadcast_and_have_one_dtype(pair):
    one, other = pair
    assert (one + other).dtype == one.dtype == other.dtype


@given(st.data())
def test_axes_fit(data):
    shape = data.draw(strategies.shapes())
    np.sum(np.ones(shape), axis=data.draw(strategies.axes(len(shape))))


@given(strategies.matmul_shapes())
def test_factors_fit(shapes):
    one, other = shapes
    np.matmul(np.ones(one), np.ones(other))


@given(strategies.arrays(elements=strategies.floats(low=0.0)))
def test_elements_stay_in_the_domain(x):
    assert np.all(x > 0)


@given(strategies.conv_cases())
def test_kernels_fit(case):
    image, kernel, *settings = case
    y = kernels.conv(np.ones(image), np.ones(kernel), *settings)
    assert y.shape[0] == image[0]
    assert y.shape[3] == kernel[3]


@given(strategies.pool_cases())
def test_pools_fit(case):
    image, *settings = case
    assert np.all(np.isfinite(kernels.max_pool(np.ones(image), *settings)))


@pytest.mark.parametrize(
    "strategy, corner",
    [
        (strategies.arrays(), lambda x: x.size == 0),
        (strategies.arrays(), lambda x: x.ndim == 0),
        (strategies.arrays(), lambda x: 1 in x.shape and x.size > 1),
        (strategies.arrays(), lambda x: any(stride < 0 for stride in x.strides)),
        (strategies.arrays(), lambda x: x.flags.f_contiguous and not x.flags.c_contiguous),
        (strategies.arrays(), lambda x: not x.flags.forc),
        (strategies.arrays(), lambda x: x.dtype == np.float32 and 1000 in x),
        (strategies.arrays(), lambda x: x.size > 1 and len(np.unique(x)) < x.size),
        (strategies.arrays(elements=strategies.floats(special=True)), lambda x: np.isnan(x).any()),
        (strategies.conv_cases(), lambda case: max(case.dilation) > 1 and max(case.strides) > 1),
        (strategies.conv_cases(), lambda case: 0 in case.image),
        (strategies.conv_cases(), lambda case: case.image[3] > case.kernel[2] > 1),
        (strategies.pool_cases(), lambda case: case.strides > case.pool_size),
        (strategies.pool_cases(), lambda case: case.strides < case.pool_size),
    ],
)
def test_corners_are_reached(strategy, corner):
    assert corner(find(strategy, corner))


@given(strategies.arrays(layout="plain"))
def test_layouts_keep_the_numbers(x):
    for layout in LAYOUTS.values():
        np.testing.assert_array_equal(layout(x), x)
