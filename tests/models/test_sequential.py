import numpy as np
import pytest

import tinydl as keras
from tinydl.errors import ArgumentError, ShapeError

X = np.random.default_rng(0).normal(size=(6, 4))


def names(model):
    return [layer.name for layer in model.layers]


def test_four_ways_to_tell_the_input_shape():
    def layers():
        return [keras.layers.Dense(3, kernel_initializer="ones"), keras.layers.Dense(2)]

    first = keras.layers.Dense(3, input_shape=(4,), kernel_initializer="ones")
    models = [
        keras.Sequential([keras.Input((4,)), *layers()]),
        keras.Sequential([keras.layers.InputLayer((4,)), *layers()]),
        keras.Sequential([first, keras.layers.Dense(2)]),
        keras.Sequential(layers()),
    ]
    assert [model.built for model in models] == [True, True, True, False]
    models[3].build((None, 4))
    for model in models:
        assert [w.shape for w in model.weights] == [(4, 3), (3,), (3, 2), (2,)]
        assert model.input_shape == (None, 4)
        assert model.output_shape == (None, 2)
        assert len(model.layers) == 2


def test_without_a_shape_the_first_data_tell():
    model = keras.Sequential([keras.layers.Dense(3)])
    assert model.weights == []
    assert model.predict(X, verbose=0).shape == (6, 3)
    assert model.count_params() == 15


def test_layers_are_added_and_popped():
    model = keras.Sequential(name="stack")
    model.add(keras.Input((4,)))
    model.add(keras.layers.Dense(3, name="a"))
    model.add(keras.layers.Dense(2, name="b"))
    kernel = model.get_weights()[0]
    popped = model.pop()
    assert (popped.name, names(model)) == ("b", ["a"])
    assert model.predict(X, verbose=0).shape == (6, 3)
    model.add(keras.layers.Dense(5, name="c"))
    assert model.output_shape == (None, 5)
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_layers_are_found_by_name_and_by_index():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a")])
    assert model.get_layer("a") is model.get_layer(index=0) is model.layers[0]
    with pytest.raises(ArgumentError, match=r"name is 'aa'.*did you mean 'a'"):
        model.get_layer("aa")
    with pytest.raises(ArgumentError, match="index is 1"):
        model.get_layer(index=1)
    with pytest.raises(ArgumentError, match="exactly one"):
        model.get_layer()


def test_a_last_axis_of_one_may_be_missing_or_extra():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 2)])
    images = np.random.default_rng(0).normal(size=(3, 4, 4, 1))
    np.testing.assert_array_equal(
        model.predict(images, verbose=0), model.predict(images[..., 0], verbose=0)
    )
    flat = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    np.testing.assert_array_equal(
        flat.predict(X, verbose=0), flat.predict(X[..., np.newaxis], verbose=0)
    )


def test_another_shape_than_declared_is_refused():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    with pytest.raises(ShapeError, match=r"\(3, 5, 4\).*\(None, 4, 4, 1\)"):
        model.predict(np.zeros((3, 5, 4)), verbose=0)
    with pytest.raises(ShapeError, match=r"\(3, 4, 4, 2\).*\(None, 4, 4, 1\)"):
        model.predict(np.zeros((3, 4, 4, 2)), verbose=0)


def test_models_may_stand_in_models():
    inner = keras.Sequential([keras.layers.Dense(3), keras.layers.Activation("tanh")], name="inner")
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    before = model.get_weights()
    model.fit(X, X[:, 0], verbose=0)
    assert len(before) == 4
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        (lambda: ["dense"], "layer is 'dense', expected a Layer"),
        (lambda: [keras.layers.Flatten], r"Flatten\(\), not Flatten"),
        (lambda: [keras.layers.Flatten(), keras.Input((2,))], "first entry"),
        (lambda: [keras.layers.Dense(1, name="x"), keras.layers.Dense(1, name="x")], "'x'"),
        (lambda: [keras.layers.Flatten()] * 2, "cannot be used twice"),
    ],
)
def test_wrong_layers_are_refused(layers, complaint):
    with pytest.raises(ArgumentError, match=complaint):
        keras.Sequential(layers())


def test_a_layer_that_does_not_fit_is_not_kept():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    with pytest.raises(ShapeError, match="conv2d"):
        model.add(keras.layers.Conv2D(1, 2))
    assert names(model) == [model.layers[0].name]
    assert model.predict(np.zeros((1, 4, 4)), verbose=0).shape == (1, 16)


def test_an_empty_model_says_so():
    model = keras.Sequential()
    with pytest.raises(ArgumentError, match="layers is empty"):
        model.predict(X, verbose=0)
    with pytest.raises(ArgumentError, match="there is no layer"):
        model.pop()


def test_dropout_acts_only_in_training():
    model = keras.Sequential([keras.layers.Dropout(0.5)])
    np.testing.assert_array_equal(model.predict(X, verbose=0), np.float32(X))
    assert (model(X, training=True).numpy() == 0).any()


def test_a_frozen_model_has_nothing_to_train():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)], trainable=False)
    assert model.trainable_weights == []
    assert len(model.non_trainable_weights) == 2


def test_the_dtype_of_the_whole_program():
    keras.config.set_floatx("float64")
    try:
        model = keras.Sequential([keras.layers.Dense(2)])
        assert model.predict(np.float32(X), verbose=0).dtype == np.float64
    finally:
        keras.config.set_floatx("float32")
