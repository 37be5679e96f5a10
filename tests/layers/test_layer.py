"""What the base class does for every layer: weights, names, shapes, dtypes, sublayers."""

import json

import numpy as np
import pytest

from tinydl import layers, ops, regularizers, tensor
from tinydl.engine import grad, no_grad
from tinydl.errors import ArgumentError, DTypeError, ShapeError
from tinydl.layers import Dense, Dropout, Layer


@pytest.fixture(autouse=True)
def _fresh_names():
    layers.reset_names()


class Scale(Layer):
    """Multiplies by a trained factor, and counts its calls in a fixed weight."""

    def build(self, input_shape):
        self.count = self.add_weight((), "zeros", trainable=False, name="count")
        self.factor = self.add_weight((input_shape[-1],), "ones", regularizer="l2", name="factor")

    def call(self, inputs):
        self.count.assign(self.count + 1.0)
        return inputs * self.factor


class Pair(Layer):
    """Two layers in attributes, more in a list and a dict, one of them twice."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = Dense(3, name="first")
        self.rest = [Dense(3, name="second"), self.first]
        self.named = {"a": (Dense(3, name="third"),)}

    def call(self, inputs, training=False):
        for layer in (self.first, *self.rest, *self.named["a"]):
            inputs = layer(inputs)
        return inputs


class TestNames:
    def test_default_names_are_counted(self):
        names = [cls(*a).name for cls, *a in [(Dense, 1), (Dense, 1), (Dropout, 0.1), (Scale,)]]
        assert names == ["dense", "dense_1", "dropout", "scale"]
        assert layers.MaxPooling2D().name == "max_pooling2d"

    def test_counting_starts_again(self):
        Dense(1)
        layers.reset_names()
        assert Dense(1).name == "dense"

    def test_a_given_name_is_kept_and_not_counted(self):
        assert [Dense(1, name="out").name, Dense(1).name] == ["out", "dense"]

    @pytest.mark.parametrize("name", [3, ["a"]])
    def test_a_name_is_a_string(self, name):
        with pytest.raises(ArgumentError, match=r"Dense: name is .*, expected a string"):
            Dense(1, name=name)

    def test_weights_are_named_after_their_layer(self):
        layer = Dense(1)
        layer.build((None, 2))
        assert [w.name for w in layer.weights] == ["dense/kernel", "dense/bias"]


class TestBuilding:
    def test_weights_are_made_at_the_first_call(self):
        layer = Scale()
        assert (layer.built, layer.weights, layer.input_shape, layer.output_shape) == (
            False, [], None, None,
        )  # fmt: skip
        layer(np.ones((2, 3)))
        factor = layer.factor
        layer(np.ones((5, 3)))
        assert layer.factor is factor
        assert (layer.built, layer.input_shape) == (True, (None, 3))

    def test_by_hand(self):
        layer = Dense(4)
        layer.build((None, 3))
        assert layer.built
        assert (layer.input_shape, layer.output_shape) == ((None, 3), (None, 4))

    def test_the_shape_is_checked_before_weights_are_made(self):
        layer = Dense(4)
        with pytest.raises(ShapeError):
            layer.build((3,))
        assert not layer.built
        assert not layer.weights

    def test_a_declared_shape_is_known_before_building(self):
        layer = Dense(4, input_shape=(3,))
        assert (layer.declared_shape, layer.input_shape, layer.built) == ((3,), (None, 3), False)
        assert Dense.from_config(layer.get_config()).input_shape == (None, 3)

    @pytest.mark.parametrize("shape", [3, "3", (2.5,), (-1,)])
    def test_a_declared_shape_is_a_shape(self, shape):
        with pytest.raises(ArgumentError, match=r"shape is .*, expected a tuple of whole numbers"):
            Dense(4, input_shape=shape)

    def test_a_layer_without_weights_is_built_too(self):
        layer = layers.Flatten()
        layer(np.ones((2, 3, 4)))
        assert (layer.built, layer.input_shape, layer.count_params()) == (True, (None, 3, 4), 0)

    def test_the_output_shape_of_a_layer_that_does_not_tell(self):
        class Outer(Layer):
            def call(self, inputs):
                return ops.expand_dims(inputs, 1) * ops.expand_dims(inputs, 2)

        assert Outer().compute_output_shape((None, 3)) == (None, 3, 3)
        assert Pair().compute_output_shape((7, 3)) == (7, 3)


class TestCalling:
    @pytest.mark.parametrize(
        "inputs",
        [
            [[1, 2], [3, 4]],
            np.array([[1, 2], [3, 4]], np.uint8),
            np.array([[1, 2], [3, 4]], ">f8"),
            np.array([[1, 3], [2, 4]], np.float16).T,
            tensor([[1, 2], [3, 4]]),
        ],
    )
    def test_numbers_of_any_kind_are_cast(self, inputs):
        y = Dense(1, kernel_initializer="ones")(inputs)
        np.testing.assert_array_equal(y.numpy(), np.array([[3], [7]], np.float32))
        assert y.dtype == np.float32

    @pytest.mark.parametrize("inputs", [[[1j]], [["1.5"]], [[None]], None, "x"])
    def test_what_is_no_number_is_refused(self, inputs):
        with pytest.raises(DTypeError, match=r"tensor: data is of dtype .*, expected real numbers"):
            Dense(1)(inputs)

    def test_a_forgotten_super_init(self):
        class Forgetful(Layer):
            def __init__(self):
                self.dense = Dense(1)

        with pytest.raises(
            ArgumentError, match=r"Forgetful: __init__; let it begin with super\(\)"
        ):
            Forgetful()([[1.0]])

    def test_a_forgotten_call(self):
        class Forgetful(Layer):
            pass

        with pytest.raises(NotImplementedError, match=r"Forgetful does not define call"):
            Forgetful()([[1.0]])

    def test_a_call_that_leaves_the_tensors(self):
        class Leaving(Layer):
            def call(self, inputs):
                return inputs.numpy() * 2

        with pytest.raises(DTypeError, match=r"layer 'leaving' .*NumPy array, expected a Tensor"):
            Leaving()([[1.0]])

    def test_float64_layers(self):
        y = Dense(1, dtype="float64")(np.ones((1, 2), np.float32))
        assert y.dtype == np.float64

    @pytest.mark.parametrize("dtype", ["int32", "float16", "float23", np.complex64])
    def test_other_dtypes_are_refused(self, dtype):
        with pytest.raises(DTypeError, match=r"expected 'float32' or 'float64'"):
            Dense(1, dtype=dtype)

    def test_training_reaches_only_who_wants_it(self):
        class Tell(Layer):
            def call(self, inputs, training=None):
                return inputs + float(training)

        assert Tell()([[0.0]], training=True).item() == 1.0
        assert Tell()([[0.0]]).item() == 0.0
        assert Scale()([[1.0]], training=True).item() == 1.0

    def test_gradients_flow_to_weights_and_inputs(self):
        layer, x = Scale(), tensor([[2.0, 3.0]], requires_grad=True)
        y = layer(x).sum()
        w_bar, x_bar = grad(y, [layer.factor, x])
        np.testing.assert_array_equal(w_bar.numpy(), [2, 3])
        np.testing.assert_array_equal(x_bar.numpy(), [[1, 1]])


class TestWeights:
    def test_trained_ones_come_first(self):
        layer = Scale()
        layer.build((None, 2))
        assert [w.name for w in layer.weights] == ["scale/factor", "scale/count"]
        assert [w.name for w in layer.trainable_weights] == ["scale/factor"]
        assert [w.name for w in layer.non_trainable_weights] == ["scale/count"]
        assert layer.count_params() == 3

    def test_get_and_set(self):
        layer = Scale()
        layer.build((None, 2))
        weights = layer.get_weights()
        weights[0] += 4  # copies, that may be written to
        np.testing.assert_array_equal(layer.factor.numpy(), [1, 1])
        layer.set_weights(weights)
        np.testing.assert_array_equal(layer.factor.numpy(), [5, 5])

    def test_set_the_wrong_number(self):
        layer = Scale()
        with pytest.raises(ShapeError, match=r"a list of 1, expected 0 arrays; the layer is not b"):
            layer.set_weights([1.0])
        layer.build((None, 2))
        with pytest.raises(
            ShapeError, match=r"set_weights of scale: weights is a list of 1, exp.*2"
        ):
            layer.set_weights([np.ones(2)])

    def test_set_a_wrong_shape_changes_nothing(self):
        layer = Scale()
        layer.build((None, 2))
        with pytest.raises(ShapeError, match=r"scale/count is \(3,\), expected \(\)"):
            layer.set_weights([np.full(2, 9.0), np.ones(3)])
        np.testing.assert_array_equal(layer.factor.numpy(), [1, 1])

    def test_counting_before_there_are_any(self):
        with pytest.raises(ArgumentError, match=r"count_params of dense: .*call build"):
            Dense(1).count_params()

    def test_freezing(self):
        layer, x = Scale(), np.ones((1, 2))
        layer.build((None, 2))
        layer.trainable = False
        assert not layer.trainable
        assert layer.trainable_weights == layer.losses == []
        assert not layer(x).requires_grad
        layer.trainable = True
        assert layer(x).requires_grad
        assert [w.name for w in layer.trainable_weights] == ["scale/factor"]

    def test_frozen_before_it_is_built(self):
        layer = Scale(trainable=False)
        layer.build((None, 2))
        assert layer.trainable_weights == []
        assert len(layer.non_trainable_weights) == 2

    def test_losses_are_those_of_the_regularizers(self):
        layer = Dense(2, kernel_regularizer=regularizers.L2(0.5), bias_regularizer="l1")
        layer.build((None, 3))
        layer.set_weights([np.ones((3, 2)), np.array([1.0, -2.0])])
        assert [loss.item() for loss in layer.losses] == pytest.approx([3.0, 0.03])
        w_bar = grad(layer.losses[0], layer.kernel)
        np.testing.assert_array_equal(w_bar.numpy(), np.ones((3, 2)))


class TestSublayers:
    def test_all_are_found_once_in_order(self):
        pair = Pair()
        assert [layer.name for layer in pair.sublayers] == ["first", "second", "third"]
        assert pair.weights == []

    def test_their_weights_are_the_layers(self):
        pair = Pair()
        pair(np.ones((1, 3)))
        names = [w.name.split("/")[0] for w in pair.weights]
        assert names == ["first", "first", "second", "second", "third", "third"]
        assert pair.count_params() == 3 * (3 * 3 + 3)

    def test_one_put_in_a_list_later_is_found(self):
        pair = Pair()
        pair.rest.append(Dense(1, name="late"))
        assert [layer.name for layer in pair.sublayers] == ["first", "second", "late", "third"]

    def test_freezing_reaches_them(self):
        pair = Pair()
        pair(np.ones((1, 3)))
        pair.trainable = False
        assert not pair.first.trainable
        assert pair.trainable_weights == []
        assert len(pair.non_trainable_weights) == 6

    def test_their_penalties_count(self):
        pair = Pair()
        pair.named["b"] = Dense(1, kernel_regularizer="l2")
        pair.named["b"].build((None, 1))
        assert len(pair.losses) == 1

    def test_a_layer_that_holds_itself_ends(self):
        pair = Pair()
        pair.parent = pair
        assert pair in pair.sublayers
        assert pair.weights == []


class TestConfig:
    @pytest.mark.parametrize(
        "layer",
        [
            Dense(3, "relu", use_bias=False, kernel_initializer="he_normal", bias_regularizer="l1"),
            layers.Conv2D(2, 3, 2, "same", dilation_rate=1, activation="tanh", name="c"),
            layers.MaxPooling2D(3, padding="same"),
            layers.AveragePooling2D((2, 1), strides=2, trainable=False),
            Dropout(0.25, seed=3, dtype="float64"),
            layers.Activation("softmax"),
            layers.Flatten(input_shape=(2, 3)),
            layers.Input((2, 3), batch_size=4),
        ],
        ids=lambda layer: layer.name,
    )
    def test_a_layer_survives_json(self, layer):
        description = json.loads(json.dumps(layers.serialize(layer)))
        again = layers.deserialize(description)
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()
        assert again.name == layer.name

    def test_a_class_of_your_own(self):
        description = layers.serialize(Scale(name="mine"))
        assert layers.deserialize(description, {"Scale": Scale}).name == "mine"
        with pytest.raises(ArgumentError, match=r"layer is 'Scale', expected one of activation"):
            layers.deserialize(description)


def test_no_grad_leaves_no_graph():
    with no_grad():
        assert Scale()([[1.0]]).op is None
