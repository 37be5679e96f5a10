"""Conv2D and pooling: the literal formula, shapes, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinydl import layers
from tinydl.errors import ArgumentError, ShapeError
from tinydl.kernels import literal
from tinydl.layers import AveragePooling2D, Conv2D, MaxPooling2D

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 7, 6, 3))
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


class TestConv2D:
    def test_is_the_formula(self):
        layer = Conv2D(
            4, (3, 2), (2, 1), activation="relu", bias_initializer="ones", dtype="float64"
        )
        y = layer(X).numpy()
        padding = ((0, 0), (0, 0))
        product = literal.conv(X, layer.kernel.numpy(), (2, 1), padding, (1, 1))
        np.testing.assert_allclose(y, np.maximum(product + 1.0, 0.0))
        assert (y == 0).any()

    def test_keras_defaults(self):
        layer = Conv2D(200, 3)
        layer.build((None, None, None, 100))
        kernel, bias = layer.get_weights()
        limit = (6 / (9 * 300)) ** 0.5
        assert kernel.shape == (3, 3, 100, 200)
        assert 0.99 * limit < np.abs(kernel).max() < limit
        assert bias.shape == (200,)
        assert not bias.any()
        config = layer.get_config()
        assert config["strides"] == config["dilation_rate"] == [1, 1]
        assert config["padding"] == "valid"

    @given(PAIRS, PAIRS, st.sampled_from(["valid", "same"]), st.integers(1, 2))
    def test_the_output_shape_is_told_beforehand(self, kernel_size, strides, padding, dilation):
        layer = Conv2D(4, kernel_size, strides, padding, dilation_rate=dilation)
        assert layer.compute_output_shape(X.shape) == layer(X).shape
        assert layer.output_shape == (None, *layer(X).shape[1:])

    def test_open_lengths_stay_open(self):
        assert Conv2D(4, 3).compute_output_shape((None, None, 5, 1)) == (None, None, 3, 4)

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [((7, 6, 3), "4 axes"), ((2, 7, 6, 3, 1), "4 axes"), ((2, 9), "4 axes")],
    )
    def test_what_is_no_batch_of_images(self, shape, expected):
        with pytest.raises(
            ShapeError, match=r"layer 'c' \(Conv2D\): inputs is .*" + expected
        ) as caught:
            Conv2D(4, 3, name="c")(np.ones(shape))
        assert str(shape) in str(caught.value)

    def test_other_channels_than_before(self):
        layer = Conv2D(4, 3, name="c")
        layer(X)
        with pytest.raises(ShapeError) as caught:
            layer(X[..., :2])
        assert str(caught.value) == (
            "layer 'c' (Conv2D): inputs is (2, 7, 6, 2), expected (N, H, W, 3);"
            " its kernel is (3, 3, 3, 4)"
        )

    def test_images_smaller_than_the_kernel(self):
        with pytest.raises(ShapeError, match=r"images of at least 8 x 1 pixels.*padding='same'"):
            Conv2D(4, (8, 1))(X)
        with pytest.raises(ShapeError, match=r"images of at least 1 x 7 pixels"):
            Conv2D(4, (1, 3), dilation_rate=3).build((None, 7, 6, 3))
        assert Conv2D(4, (8, 1), padding="same")(X).shape == (2, 7, 6, 4)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"filters": 0}, "Conv2D: filters is 0"),
            ({"kernel_size": 0}, "Conv2D: kernel_size is 0"),
            ({"kernel_size": (3, 3, 3)}, r"kernel_size is \(3, 3, 3\)"),
            ({"strides": 1.5}, "strides is 1.5"),
            ({"dilation_rate": (1, 0)}, r"dilation_rate is \(1, 0\)"),
            ({"padding": "sam"}, "did you mean 'same'"),
            ({"padding": 1}, "Conv2D: padding is 1, expected one of same, valid"),
            ({"data_format": "channels_first"}, "data_format is 'channels_first'"),
            ({"activation": "rely"}, "did you mean 'relu'"),
        ],
    )
    def test_misuse(self, arguments, message):
        with pytest.raises(ArgumentError, match=message):
            Conv2D(**({"filters": 4, "kernel_size": 3} | arguments))


@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
class TestPooling:
    def test_is_the_formula(self, cls):
        formula = {MaxPooling2D: literal.max_pool, AveragePooling2D: literal.average_pool}[cls]
        expected = formula(X, (2, 2), (2, 2), ((0, 0), (0, 0)))
        np.testing.assert_allclose(cls(dtype="float64")(X).numpy(), expected)

    @given(PAIRS, st.none() | PAIRS, st.sampled_from(["valid", "SAME"]))
    def test_the_output_shape_is_told_beforehand(self, cls, pool_size, strides, padding):
        layer = cls(pool_size, strides, padding)
        assert layer.compute_output_shape(X.shape) == layer(X).shape

    def test_strides_are_the_window_by_default(self, cls):
        assert cls((3, 2)).strides == (3, 2)
        assert cls(3).get_config()["strides"] == [3, 3]

    def test_misuse(self, cls):
        with pytest.raises(ShapeError, match=f"layer 'p' \\({cls.__name__}\\): inputs is .*4 axes"):
            cls(name="p")(np.ones((4, 4)))
        with pytest.raises(ShapeError, match=r"images of at least 8 x 8 pixels, its window"):
            cls(8)(X)
        with pytest.raises(ArgumentError, match=f"{cls.__name__}: padding is 'full'"):
            cls(padding="full")


def test_short_names():
    assert layers.MaxPool2D is MaxPooling2D
    assert layers.AveragePool2D is AveragePooling2D
