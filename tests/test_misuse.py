"""Every misuse gets an exception that names the argument, what it got and what was expected."""

import re

import numpy as np
import pytest

import tinydl as keras
from tinydl.errors import (
    ArgumentError,
    DataError,
    DTypeError,
    FileFormatError,
    NumericalError,
    ShapeError,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.random((12, 8, 8))
LABELS = np.arange(12) % 3
ONE_HOT = np.eye(3)[LABELS]


def network(loss="categorical_crossentropy", compiled=True):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(2, 3, activation="relu", name="conv"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax", name="out"),
        ]
    )
    if compiled:
        model.compile("adam", loss, metrics=["accuracy"])
    return model


def fit(x=IMAGES, y=ONE_HOT, loss="categorical_crossentropy", **settings):
    return network(loss).fit(x, y, verbose=0, **settings)


def without_shape(*layers):
    model = keras.Sequential(list(layers))
    model.compile("sgd", "mse")
    return model


def save_truncated(path):
    network().save(path)
    path.write_bytes(path.read_bytes()[:1000])


SPARSE = "sparse_categorical_crossentropy"
NAN = np.where(np.arange(12)[:, None, None] == 5, np.nan, IMAGES)

MISUSES = {
    # Shapes of x.
    "rank too low": (lambda: fit(IMAGES[:, 0]), ShapeError, ["(12, 8)", "(None, 8, 8, 1)"]),
    "rank too high": (
        lambda: fit(IMAGES[:, None, :, :, None]),
        ShapeError,
        ["(12, 1, 8, 8, 1)", "(None, 8, 8, 1)"],
    ),
    "channels": (
        lambda: fit(np.repeat(IMAGES[..., None], 3, axis=3)),
        ShapeError,
        ["(12, 8, 8, 3)", "(None, 8, 8, 1)"],
    ),
    "size of images": (
        lambda: network().predict(IMAGES[:, :7], verbose=0),
        ShapeError,
        ["(12, 7, 8)", "(None, 8, 8, 1)"],
    ),
    "channels of a layer": (
        lambda: network().get_layer("conv")(np.zeros((1, 8, 8, 2))),
        ShapeError,
        ["conv", "(1, 8, 8, 2)"],
    ),
    "features of a layer": (
        lambda: network().get_layer("out")(np.zeros((1, 5))),
        ShapeError,
        ["out", "(1, 5)", "18"],
    ),
    "kernel larger than the image": (
        lambda: keras.Sequential([keras.Input((4, 5, 1)), keras.layers.Conv2D(1, (5, 3))]),
        ShapeError,
        ["conv", "(None, 4, 5, 1)", "5"],
    ),
    "window larger than the image": (
        lambda: keras.Sequential([keras.Input((4, 5, 1)), keras.layers.MaxPooling2D(6)]),
        ShapeError,
        ["max_pooling", "(None, 4, 5, 1)", "6"],
    ),
    "images without channels": (
        lambda: without_shape(keras.layers.Conv2D(1, 3)).fit(IMAGES, LABELS, verbose=0),
        ShapeError,
        ["conv", "(None, 8, 8)"],
    ),
    "ragged": (lambda: fit([[1.0], [1.0, 2.0]]), ShapeError, ["fit", "x", "same shape"]),
    "a single number": (lambda: fit(3.0), ShapeError, ["fit", "x", "axis of samples"]),
    # Lengths.
    "lengths of x and y": (
        lambda: fit(y=ONE_HOT[:11]),
        DataError,
        ["y", "(11, 3)", "12", "(12, 8, 8)"],
    ),
    "length of sample_weight": (
        lambda: fit(sample_weight=np.ones(5)),
        DataError,
        ["sample_weight", "(5,)", "12", "(12, 8, 8)"],
    ),
    "rank of sample_weight": (
        lambda: fit(sample_weight=np.ones((12, 1))),
        ShapeError,
        ["sample_weight", "(12, 1)", "(N,)"],
    ),
    "negative sample_weight": (
        lambda: fit(sample_weight=-np.ones(12)),
        DataError,
        ["sample_weight", "negative"],
    ),
    "lengths of validation_data": (
        lambda: fit(validation_data=(IMAGES, ONE_HOT[:2])),
        DataError,
        ["validation_data", "y", "(2, 3)", "(12, 8, 8)"],
    ),
    "no pair as validation_data": (
        lambda: fit(validation_data=IMAGES),
        ArgumentError,
        ["validation_data", "ndarray", "(x, y)"],
    ),
    "empty x": (lambda: fit(IMAGES[:0], ONE_HOT[:0]), DataError, ["x", "(0, 8, 8)", "one sample"]),
    "empty x to predict": (
        lambda: network().predict(IMAGES[:0]),
        DataError,
        ["predict", "x", "(0, 8, 8)"],
    ),
    "empty x to evaluate": (
        lambda: network().evaluate(IMAGES[:0], ONE_HOT[:0]),
        DataError,
        ["evaluate", "x", "(0, 8, 8)"],
    ),
    "no y": (lambda: network().fit(IMAGES), ArgumentError, ["fit", "y", "missing"]),
    # Targets.
    "label out of range": (lambda: fit(y=LABELS + 1, loss=SPARSE), DataError, ["3", "0 to 2"]),
    "negative label": (lambda: fit(y=LABELS - 1, loss=SPARSE), DataError, ["-1", "0 to 2"]),
    "fractional label": (lambda: fit(y=LABELS + 0.5, loss=SPARSE), DTypeError, ["whole numbers"]),
    "labels where vectors are wanted": (
        lambda: fit(y=LABELS),
        ShapeError,
        ["target", "(12,)", "(12, 3)", "sparse_categorical_crossentropy"],
    ),
    "vectors where labels are wanted": (
        lambda: fit(y=ONE_HOT, loss=SPARSE),
        ShapeError,
        ["target", "(12, 3)", "(12,)"],
    ),
    "another number of outputs": (
        lambda: fit(y=np.ones((12, 4)), loss="mse"),
        ShapeError,
        ["y_true", "(12, 4)", "(12, 3)"],
    ),
    "a metric that does not match": (
        lambda: without_metric_match().fit(IMAGES, LABELS, verbose=0),
        ShapeError,
        ["y_true", "(12,)", "(12, 3)"],
    ),
    # Kinds of numbers.
    "objects": (lambda: fit(IMAGES.astype(object)), DTypeError, ["x", "object", "(12, 8, 8)"]),
    "strings": (lambda: fit(IMAGES.astype(str)), DTypeError, ["x", "<U", "real numbers"]),
    "complex": (lambda: fit(IMAGES + 1j), DTypeError, ["x", "complex128", "real numbers"]),
    "strings as y": (lambda: fit(y=LABELS.astype(str)), DTypeError, ["y", "<U"]),
    "None as x": (lambda: fit(x=None), DTypeError, ["x", "object"]),
    "NaN in x": (lambda: fit(NAN, shuffle=False), NumericalError, ["epoch 1, step 1", "x itself"]),
    # Settings of fit.
    "batch_size 0": (lambda: fit(batch_size=0), ArgumentError, ["batch_size", "0", "at least 1"]),
    "batch_size -1": (lambda: fit(batch_size=-1), ArgumentError, ["batch_size", "-1"]),
    "batch_size 1.5": (lambda: fit(batch_size=1.5), ArgumentError, ["batch_size", "1.5", "whole"]),
    "batch_size True": (lambda: fit(batch_size=True), ArgumentError, ["batch_size", "True"]),
    "epochs -1": (lambda: fit(epochs=-1), ArgumentError, ["epochs", "-1", "at least 1"]),
    "epochs 2.0": (lambda: fit(epochs=2.0), ArgumentError, ["epochs", "2.0"]),
    "initial_epoch -1": (lambda: fit(initial_epoch=-1), ArgumentError, ["initial_epoch", "-1"]),
    "steps 0": (lambda: fit(steps_per_epoch=0), ArgumentError, ["steps", "0"]),
    "validation_batch_size 0": (
        lambda: fit(validation_split=0.5, validation_batch_size=0),
        ArgumentError,
        ["validation", "batch_size", "0"],
    ),
    "validation_split 1": (
        lambda: fit(validation_split=1.0),
        ArgumentError,
        ["validation_split", "1.0", "in [0, 1)"],
    ),
    "validation_split -0.1": (
        lambda: fit(validation_split=-0.1),
        ArgumentError,
        ["validation_split", "-0.1"],
    ),
    "validation_split NaN": (
        lambda: fit(validation_split=np.nan),
        ArgumentError,
        ["validation_split", "nan"],
    ),
    "validation_split of one sample": (
        lambda: fit(IMAGES[:1], ONE_HOT[:1], validation_split=0.5),
        ArgumentError,
        ["validation_split", "0.5", "both sides", "1 in x"],
    ),
    "unknown class": (
        lambda: fit(class_weight={0: 1.0, 3: 2.0}),
        ArgumentError,
        ["class_weight", "3", "0 to 2"],
    ),
    "unknown class of a label": (
        lambda: fit(y=LABELS, loss=SPARSE, class_weight={"cat": 2.0}),
        ArgumentError,
        ["class_weight", "'cat'", "0 to 2"],
    ),
    "class_weight as a list": (
        lambda: fit(class_weight=[1.0, 2.0]),
        ArgumentError,
        ["class_weight", "[1.0, 2.0]", "a dict"],
    ),
    "a negative class_weight": (
        lambda: fit(class_weight={0: -1.0}),
        ArgumentError,
        ["class_weight", "-1.0"],
    ),
    "verbose": (lambda: network().fit(IMAGES, ONE_HOT, verbose=3), ArgumentError, ["verbose", "3"]),
    # Names.
    "optimizer": (
        lambda: network().compile("adm", "mse"),
        ArgumentError,
        ["optimizer", "'adm'", "did you mean 'adam'"],
    ),
    "loss": (
        lambda: network().compile("adam", "categorical_crossentrpy"),
        ArgumentError,
        ["loss", "did you mean 'categorical_crossentropy'"],
    ),
    "metric": (
        lambda: network().compile("adam", "mse", metrics=["acuracy"]),
        ArgumentError,
        ["metric", "did you mean 'accuracy'"],
    ),
    "metrics as a string": (
        lambda: network().compile("adam", "mse", metrics="accuracy"),
        ArgumentError,
        ["metrics", "'accuracy'", "a list"],
    ),
    "two metrics of one name": (
        lambda: network().compile("adam", "mse", metrics=["mae", "mae"]),
        ArgumentError,
        ["metrics", "'mae'", "different names"],
    ),
    "activation": (
        lambda: keras.layers.Dense(1, activation="rleu"),
        ArgumentError,
        ["activation", "did you mean 'relu'"],
    ),
    "a loss that is not reduced": (
        lambda: network().compile("sgd", keras.losses.MeanSquaredError(reduction="none")),
        ArgumentError,
        ["loss", "'none'", "single number"],
    ),
    # The order of things.
    "fit before compile": (
        lambda: network(compiled=False).fit(IMAGES, ONE_HOT),
        ArgumentError,
        ["fit", "not compiled", "model.compile("],
    ),
    "evaluate before compile": (
        lambda: network(compiled=False).evaluate(IMAGES, ONE_HOT),
        ArgumentError,
        ["evaluate", "not compiled"],
    ),
    "no layers": (
        lambda: keras.Sequential([]).predict(IMAGES),
        ArgumentError,
        ["sequential", "layers", "empty"],
    ),
    "counting before building": (
        lambda: keras.Sequential([keras.layers.Dense(1)]).count_params(),
        ArgumentError,
        ["count_params", "no weights yet"],
    ),
    # Weights.
    "too few weights": (
        lambda: network().set_weights(network().get_weights()[:3]),
        ShapeError,
        ["weights", "list of 3", "4 arrays"],
    ),
    "a weight of another shape": (
        lambda: network().set_weights([w.T for w in network().get_weights()]),
        ShapeError,
        ["conv/kernel", "(2, 1, 3, 3)", "(3, 3, 1, 2)"],
    ),
}


def without_metric_match():
    model = network()
    model.compile("sgd", SPARSE, metrics=["categorical_accuracy"])
    return model


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_told(misuse):
    use, error, words = MISUSES[misuse]
    with pytest.raises(error) as told:
        use()
    message = str(told.value)
    missing = [word for word in words if not re.search(rf"(?<!\w){re.escape(word)}", message)]
    assert missing == [], message


def test_damaged_and_foreign_files(tmp_path):
    path = tmp_path / "m.safetensors"
    save_truncated(path)
    with pytest.raises(FileFormatError, match=r"m\.safetensors.*damaged"):
        network().load_weights(path)
    path.write_text("not numbers")
    with pytest.raises(FileFormatError, match=r"m\.safetensors.*no safetensors file"):
        keras.saving.load_model(path)


def test_a_refused_fit_changes_nothing():
    model = network()
    before = model.get_weights()
    for use in (
        lambda: model.fit(IMAGES, ONE_HOT[:3], verbose=0),
        lambda: model.fit(IMAGES, ONE_HOT, batch_size=0, verbose=0),
        lambda: model.fit(NAN, ONE_HOT, batch_size=12, verbose=0),
    ):
        with pytest.raises((DataError, ArgumentError, NumericalError)):
            use()
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


WHOLE = np.round(IMAGES * 9)


@pytest.mark.parametrize(
    "x",
    [
        WHOLE.astype("float16"),
        WHOLE.astype("float64"),
        WHOLE.astype(">f4"),
        WHOLE.astype(">i2"),
        WHOLE.astype("uint8"),
        WHOLE.astype("int64"),
        np.asfortranarray(WHOLE),
        np.repeat(WHOLE, 2, axis=2)[:, :, ::2],
        WHOLE[::-1].copy()[::-1],
        WHOLE.tolist(),
        keras.tensor(WHOLE),
        np.broadcast_to(WHOLE[..., None], (12, 8, 8, 1)),
    ],
    ids=lambda x: getattr(x, "dtype", type(x).__name__).__str__(),
)
def test_any_real_numbers_in_any_order_give_the_same(x):
    expected = fit(WHOLE.astype("float32"), epochs=2, batch_size=5)
    assert fit(x, epochs=2, batch_size=5).history == expected.history


def test_booleans_are_numbers():
    assert fit(WHOLE > 4).history == fit(np.float32(WHOLE > 4)).history


def test_what_is_read_only_is_only_read():
    x, y = IMAGES.astype("float32"), ONE_HOT.astype("float32")
    for array in (x, y):
        array.flags.writeable = False
    expected = fit(IMAGES, shuffle=False)
    assert fit(x, y, shuffle=False).history == expected.history


def test_arrays_stay_writable_and_unchanged():
    x, y = IMAGES.astype("float32"), ONE_HOT.astype("float32")
    fit(x, y, shuffle=False, batch_size=100)
    x += 0
    y += 0
    np.testing.assert_array_equal(x, IMAGES.astype("float32"))
    np.testing.assert_array_equal(y, ONE_HOT)
