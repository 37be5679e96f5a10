"""Dense, Activation, Flatten, Input."""

import numpy as np
import pytest

from tinydl import activations, layers, tensor
from tinydl.engine import grad
from tinydl.errors import ArgumentError, ShapeError
from tinydl.layers import Activation, Dense, Flatten, Input

rng = np.random.default_rng(0)


class TestDense:
    @pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (0, 3)])
    def test_is_the_formula(self, shape):
        layer, x = (
            Dense(2, "tanh", bias_initializer="ones", dtype="float64"),
            rng.normal(size=shape),
        )
        y = layer(x).numpy()
        w = layer.kernel.numpy()
        assert y.shape == (*shape[:-1], 2)
        for place in np.ndindex(y.shape):
            *n, o = place
            total = sum(x[(*n, c)] * w[c, o] for c in range(3)) + 1.0
            assert y[place] == pytest.approx(np.tanh(total))

    def test_keras_defaults(self):
        layer = Dense(500)
        layer.build((None, 300))
        kernel, bias = layer.get_weights()
        limit = (6 / 800) ** 0.5
        assert 0.99 * limit < np.abs(kernel).max() < limit
        assert not bias.any()
        assert layer.activation is activations.linear

    def test_without_bias(self):
        layer = Dense(2, use_bias=False)
        assert layer(np.ones((1, 3))).shape == (1, 2)
        assert len(layer.weights) == 1

    def test_gradients_by_hand(self):
        layer, x = Dense(2), tensor(rng.normal(size=(4, 3)), requires_grad=True, dtype="float32")
        y_bar = rng.normal(size=(4, 2)).astype("float32")
        y = layer(x)
        w_bar, b_bar, x_bar = grad(y, [layer.kernel, layer.bias, x], y_bar)
        np.testing.assert_allclose(w_bar.numpy(), x.numpy().T @ y_bar, rtol=1e-5)
        np.testing.assert_allclose(b_bar.numpy(), y_bar.sum(axis=0), rtol=1e-5)
        np.testing.assert_allclose(x_bar.numpy(), y_bar @ layer.kernel.numpy().T, rtol=1e-5)

    @pytest.mark.parametrize("shape", [(), (3,)])
    def test_a_batch_axis_is_needed(self, shape):
        with pytest.raises(ShapeError, match=r"layer 'd' \(Dense\): inputs is .*\(N, ..., C\)"):
            Dense(2, name="d")(np.ones(shape))

    def test_another_number_of_inputs_than_before(self):
        layer = Dense(2, name="d")
        layer(np.ones((1, 3)))
        with pytest.raises(ShapeError) as caught:
            layer(np.ones((1, 4)))
        assert str(caught.value) == (
            "layer 'd' (Dense): inputs is (1, 4), expected (N, ..., 3); its kernel is (3, 2)"
        )

    def test_an_open_last_axis(self):
        with pytest.raises(ShapeError, match=r"the last axis has to be known"):
            Dense(2).build((None, None))

    @pytest.mark.parametrize("units", [0, -3, 2.5, "2", None])
    def test_units_is_a_count(self, units):
        with pytest.raises(ArgumentError, match=r"Dense: units is"):
            Dense(units)

    @pytest.mark.parametrize(
        ("argument", "closest"),
        [
            ("activation", "relu"),
            ("kernel_initializer", "glorot_normal"),
            ("bias_regularizer", "l1l2"),
        ],
    )
    def test_unknown_names(self, argument, closest):
        with pytest.raises(ArgumentError, match=f"did you mean '{closest}'"):
            Dense(2, **{argument: closest[:-1]})


def test_activation():
    x = tensor([[-1.0, 2.0]])
    np.testing.assert_array_equal(Activation("relu")(x).numpy(), [[0, 2]])
    np.testing.assert_array_equal(Activation(lambda x: x * x)(x).numpy(), [[1, 4]])
    assert Activation("relu").compute_output_shape((None, 7)) == (None, 7)


class TestFlatten:
    @pytest.mark.parametrize(
        ("shape", "expected"), [((2, 3, 4), (2, 12)), ((2,), (2, 1)), ((0, 3, 4), (0, 12))]
    )
    def test_keeps_reading_order(self, shape, expected):
        x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        y = Flatten()(x).numpy()
        assert y.shape == expected == Flatten().compute_output_shape(shape)
        np.testing.assert_array_equal(y.ravel(), x.ravel())

    def test_an_open_axis_stays_open(self):
        assert Flatten().compute_output_shape((None, None, 3)) == (None, None)

    def test_misuse(self):
        with pytest.raises(ShapeError, match=r"layer 'f'.*a batch axis"):
            Flatten(name="f")(1.0)
        with pytest.raises(ArgumentError, match=r"data_format"):
            Flatten(data_format="channels_first")


class TestInput:
    def test_says_the_shape(self):
        layer = Input((28, 28, 1), name="images")
        assert isinstance(layer, layers.InputLayer)
        assert layer.built
        assert layer.input_shape == layer.output_shape == (None, 28, 28, 1)
        assert layer.weights == []

    def test_lets_fitting_inputs_pass(self):
        x = tensor(np.ones((4, 3, 2), np.float32))
        assert Input((None, 2))(x) is x
        assert Input((3, 2), batch_size=4)(x) is x

    @pytest.mark.parametrize("shape", [(4, 3), (4, 2, 3), (4, 3, 2, 1)])
    def test_refuses_others(self, shape):
        with pytest.raises(ShapeError) as caught:
            Input((3, 2), name="in")(np.ones(shape))
        assert str(caught.value) == (
            f"layer 'in' (InputLayer): inputs is {shape}, expected (None, 3, 2)"
        )

    def test_refuses_another_batch_size(self):
        with pytest.raises(ShapeError, match=r"\(5, 3\), expected \(4, 3\)"):
            Input((3,), batch_size=4)(np.ones((5, 3)))

    @pytest.mark.parametrize("arguments", [{}, {"shape": 3}, {"shape": (3,), "batch_size": -1}])
    def test_misuse(self, arguments):
        with pytest.raises(ArgumentError, match=r"Input: "):
            Input(**arguments)
