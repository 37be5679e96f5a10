"""Settings of the whole program."""

import numpy as np
import pytest

from tinydl import config, initializers, kernels, layers
from tinydl.errors import ArgumentError


@pytest.fixture
def float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


def test_float32_by_default():
    assert layers.Dense(1).dtype == np.float32
    assert initializers.Zeros()((2,)).dtype == np.float32


@pytest.mark.usefixtures("float64")
def test_floatx_is_the_dtype_of_new_layers_and_weights():
    layer = layers.Dense(1)
    assert layer(np.ones((1, 2), np.float32)).dtype == np.float64
    assert {w.dtype for w in layer.weights} == {np.dtype("float64")}
    assert initializers.Zeros()((2,)).dtype == np.float64


@pytest.mark.parametrize("value", ["float16", "int32", None])
def test_other_dtypes_are_refused(value):
    with pytest.raises(ArgumentError, match=r"expected one of float32, float64"):
        config.set_floatx(value)
    assert config.floatx() == "float32"


def test_threads_are_those_of_the_kernels():
    before = kernels.get_num_threads()
    try:
        config.set_num_threads(1)
        assert kernels.get_num_threads() == config.get_num_threads() == 1
    finally:
        config.set_num_threads(before)
