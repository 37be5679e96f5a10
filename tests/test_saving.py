import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import tinydl as keras
from tinydl.errors import ArgumentError, FileFormatError, ShapeError
from tinydl.saving import load_model

IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 1))
LABELS = np.array([0, 1, 2, 0])


def network():
    """One of each layer, with settings other than the defaults."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, strides=2, padding="same", activation="tanh", name="conv"),
            keras.layers.AveragePooling2D((2, 2), strides=1),
            keras.layers.MaxPooling2D(2, padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.25),
            keras.layers.Activation("relu"),
            keras.layers.Dense(3, "softmax", kernel_regularizer=keras.regularizers.L2(0.1)),
        ],
        name="one_of_each",
    )
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(k=2)],
    )
    return model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_a_model_comes_back_whole(path):
    model = network()
    model.save(path)
    again = load_model(path)
    assert type(again) is keras.Sequential
    assert again.get_config() == model.get_config()
    assert again.optimizer.get_config() == model.optimizer.get_config()
    np.testing.assert_array_equal(
        again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )
    assert again.loss.get_config() == model.loss.get_config()
    assert [m.name for m in again.metrics] == [m.name for m in model.metrics]


def test_a_model_that_was_loaded_trains_like_the_one_that_was_saved(path):
    model = network()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.save(path)
    again = keras.models.load_model(path)
    for trained in (model, again):
        keras.utils.set_random_seed(0)
        trained.fit(IMAGES, LABELS, epochs=2, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_was_not_compiled_or_must_not_be_is_not(path):
    model = network()
    model.save(path)
    assert load_model(path, compile=False).loss is None
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    assert load_model(path).loss is None


def test_names_and_numbers_are_there_for_other_programs(path):
    model = network()
    model.save(path)
    arrays = load_file(path)
    assert len(arrays) == 4
    assert set(arrays) == {w.name for w in model.weights}
    np.testing.assert_array_equal(arrays["conv/kernel"], model.get_weights()[0])


class Scale(keras.layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


class Pair(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first, self.second = keras.layers.Dense(units), keras.layers.Dense(1)

    def call(self, inputs):
        return self.second(self.first(inputs))


def squared(y_true, y_pred):
    return keras.ops.mean((y_pred - y_true) ** 2, axis=-1)


def test_classes_and_functions_of_the_callers_own(path):
    inner = keras.Sequential([keras.layers.Dense(2)], name="inner")
    model = keras.Sequential([keras.Input((3,)), Scale(2.0), inner])
    model.compile("sgd", loss=squared, metrics=[squared])
    model.save(path)
    with pytest.raises(FileFormatError, match="Scale"):
        load_model(path)
    again = load_model(path, custom_objects={"Scale": Scale, "squared": squared})
    x = np.ones((2, 3))
    assert again.evaluate(x, x[:, :2], verbose=0) == model.evaluate(x, x[:, :2], verbose=0)


def test_a_layer_that_passes_no_arguments_on_comes_back(path):
    class Double(keras.layers.Layer):
        def __init__(self, factor=2.0):
            super().__init__()
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor

    model = keras.Sequential([keras.Input((3,)), Double(3.0), keras.layers.Dense(1)])
    model.save(path)
    again = load_model(path, custom_objects={"Double": Double})
    assert again.layers[0].factor == 3.0


class Plain(Pair):
    """The shortest way to write a subclass: no arguments, none passed on."""

    def __init__(self):
        super().__init__(units=4)


@pytest.mark.parametrize("make", [lambda: Pair(4), Plain])
def test_a_subclass_is_built_and_filled(path, make):
    model = make()
    name = type(model).__name__
    x = np.random.default_rng(0).normal(size=(5, 3))
    before = model.predict(x, verbose=0)
    model.save(path)
    again = load_model(path, custom_objects={name: type(model)})
    np.testing.assert_array_equal(again.predict(x, verbose=0), before)
    with pytest.raises(FileFormatError, match=rf"custom_objects=\{{'{name}': {name}\}}"):
        load_model(path)


def test_weights_alone_go_into_a_model_with_other_names(tmp_path):
    file = tmp_path / "w.weights.safetensors"
    model, other = network(), network()
    model.save_weights(file)
    other.load_weights(file)
    np.testing.assert_array_equal(
        other.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )
    with pytest.raises(FileFormatError, match="weights only"):
        load_model(file)


def test_weights_of_a_whole_model_are_weights(path):
    model, other = network(), network()
    model.save(path)
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_weights_that_do_not_fit_change_nothing(path):
    network().save(path)
    other = keras.Sequential([keras.Input((5, 5, 1)), keras.layers.Conv2D(2, 3, name="c")])
    before = other.get_weights()
    with pytest.raises(ShapeError, match=r"conv/kernel \(3, 3, 1, 3\).*c/kernel \(3, 3, 1, 2\)"):
        other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], before[0])
    with pytest.raises(ShapeError, match="before its input shape is known"):
        keras.Sequential([keras.layers.Dense(1)]).load_weights(path)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(path, kept):
    model = network()
    model.save(path)
    path.write_bytes(path.read_bytes()[:kept])
    for read in (load_model, model.load_weights):
        with pytest.raises(FileFormatError, match=r"model\.safetensors"):
            read(path)


def test_a_foreign_file_is_refused(path):
    model = network()
    path.write_bytes(b"PK\x03\x04 a zip file, perhaps")
    with pytest.raises(FileFormatError, match="no safetensors file"):
        model.load_weights(path)
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(FileFormatError, match="from elsewhere"):
        model.load_weights(path)


@pytest.mark.parametrize("strings", [{}, {"weights": "["}, {"weights": '["b"]'}])
def test_a_file_that_lies_is_refused(path, strings):
    save_file({"a": np.zeros(3)}, path, {"format": "tinydl", **strings})
    with pytest.raises(FileFormatError, match="damaged"):
        network().load_weights(path)


@pytest.mark.parametrize("described", [{}, [], {"class_name": "Sequential", "config": {}}, "x"])
def test_a_model_that_cannot_be_made_is_refused(path, described):
    strings = {"format": "tinydl", "weights": "[]", "model": json.dumps(described)}
    save_file({}, path, strings)
    with pytest.raises(FileFormatError, match="cannot be made"):
        load_model(path)


def test_names_of_files(tmp_path):
    model = network()
    for name in ("model.keras", "model.h5", "model"):
        with pytest.raises(ArgumentError, match=r"ends in \.safetensors"):
            model.save(tmp_path / name)
    with pytest.raises(ArgumentError, match=r"ends in \.weights\.safetensors"):
        model.save_weights(tmp_path / "model.safetensors")
    model.save(str(tmp_path / "model.safetensors"))
    with pytest.raises(ArgumentError, match="exists"):
        model.save(tmp_path / "model.safetensors", overwrite=False)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "none.safetensors")
    with pytest.raises(OSError, match="nowhere"):
        model.save(tmp_path / "nowhere" / "model.safetensors")


def test_what_cannot_be_saved_says_why(path):
    with pytest.raises(ArgumentError, match="without weights"):
        keras.Sequential([keras.layers.Dense(1)]).save(path)
    twins = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="a")])
    twins.add(keras.Sequential([keras.layers.Dense(2, name="a")]))
    with pytest.raises(ArgumentError, match=r"two weights are named 'a/kernel'"):
        twins.save(path)
    assert not path.exists()
