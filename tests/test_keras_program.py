"""Ordinary Keras programs run unchanged but for their first lines."""

import sys
from types import ModuleType

import numpy as np
import pytest

import tinydl
from tinydl import kernels
from tinydl.errors import ArgumentError

WITH_TINYDL = """
import tinydl as keras
from tinydl.datasets import mnist
from tinydl.utils import to_categorical
"""

WITH_TENSORFLOW = """
from tensorflow import keras
from tensorflow.keras.datasets import mnist
from tensorflow.keras.utils import to_categorical
"""

PROGRAM = """
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
y_train, y_test = to_categorical(y_train), to_categorical(y_test)

model = keras.models.Sequential([
    keras.layers.Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1)),
    keras.layers.MaxPooling2D((2, 2)),
    keras.layers.Flatten(),
    keras.layers.Dense(10, activation='softmax'),
])
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, epochs=5)
test_loss, test_acc = model.evaluate(x_test, y_test)
print('Test accuracy:', test_acc)
"""

TENSORFLOW_STYLE = """
import tensorflow as tf
from tensorflow.keras import Input, Model, layers
from tensorflow.keras.callbacks import EarlyStopping, ModelCheckpoint
from tensorflow.keras.losses import SparseCategoricalCrossentropy
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import SGD

tf.keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
x_train = x_train.reshape((-1, 28, 28, 1)).astype("float32") / 255

model = Sequential(name="digits")
model.add(Input(shape=(28, 28, 1)))
model.add(layers.Conv2D(4, kernel_size=3, strides=(2, 2), padding="same", activation="relu",
                        kernel_initializer="he_normal",
                        kernel_regularizer=tf.keras.regularizers.L2(1e-4)))
model.add(layers.AveragePooling2D(pool_size=(2, 2)))
model.add(layers.Flatten())
model.add(layers.Dropout(rate=0.25, seed=3))
model.add(layers.Dense(units=10))
model.summary()
model.compile(optimizer=SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
              loss=SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=64, epochs=3, validation_split=0.2, verbose=2,
                    callbacks=[EarlyStopping(monitor="val_loss", patience=2,
                                             restore_best_weights=True)])
assert isinstance(model, Model)
scores = dict(zip(model.metrics_names, model.evaluate(x_test, y_test, verbose=0)))
accuracy = history.history["val_accuracy"][-1]
labels = model.predict(x_test[:5], verbose=0).argmax(axis=-1)
weights = model.get_layer(model.layers[0].name).get_weights()
"""

TOP_LEVEL = """
import tinydl as keras

keras.utils.set_random_seed(812)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, keras.activations.tanh)])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-2),
              loss=keras.losses.MeanSquaredError(),
              metrics=[keras.metrics.MeanAbsoluteError()])
x = keras.random.default_generator().normal(size=(8, 3))
model.fit(x, x[:, :2], verbose=0, callbacks=[keras.callbacks.EarlyStopping("loss")])

class Mine(keras.Model):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight((), initializer=keras.initializers.Ones())
    def call(self, inputs):
        return keras.ops.tanh(inputs * self.scale)

mine = Mine()
mine.compile("rmsprop", "mse")
mine.fit(x, x, verbose=0)
assert keras.config.floatx() == "float32"
"""


def small_mnist():
    (x_train, y_train), (x_test, y_test) = tinydl.datasets.mnist.load_data()
    return (x_train[:640], y_train[:640]), (x_test[:100], y_test[:100])


@pytest.fixture
def little_data(monkeypatch):
    data = small_mnist()
    monkeypatch.setattr(tinydl.datasets.mnist, "load_data", lambda: data)


@pytest.fixture
def tensorflow(monkeypatch):
    """`tensorflow.keras` is tinydl, and its modules are tinydl's."""
    tensorflow = ModuleType("tensorflow")
    tensorflow.keras = tinydl
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "tinydl":
            monkeypatch.setitem(sys.modules, name.replace("tinydl", "tensorflow.keras", 1), module)


def run(program):
    names = {"__name__": "program"}
    exec(compile(program, "program", "exec"), names)
    return names


def test_the_program_word_for_word(little_data, capsys):
    tinydl.utils.set_random_seed(0)
    names = run(WITH_TINYDL + PROGRAM)
    assert names["test_acc"] > 0.7
    assert "Test accuracy: 0." in capsys.readouterr().out


def test_the_program_with_tensorflows_first_lines(little_data, tensorflow):
    tinydl.utils.set_random_seed(0)
    theirs = run(WITH_TENSORFLOW + PROGRAM)
    tinydl.utils.set_random_seed(0)
    ours = run(WITH_TINYDL + PROGRAM)
    assert theirs["test_acc"] == ours["test_acc"]
    assert type(theirs["model"]) is tinydl.Sequential


def test_another_program_in_tensorflow_style(little_data, tensorflow, capsys):
    names = run(TENSORFLOW_STYLE)
    assert list(names["scores"]) == ["loss", "accuracy"]
    assert names["accuracy"] > 0.3
    assert names["labels"].shape == (5,)
    assert names["weights"][0].shape == (3, 3, 1, 4)
    assert "digits" in capsys.readouterr().out


def test_every_name_is_where_keras_has_it():
    run(TOP_LEVEL)


def mnist_network():
    return tinydl.Sequential(
        [
            tinydl.Input((28, 28, 1)),
            tinydl.layers.Conv2D(32, (3, 3), activation="relu"),
            tinydl.layers.MaxPooling2D((2, 2)),
            tinydl.layers.Flatten(),
            tinydl.layers.Dense(10, activation="softmax"),
        ]
    )


def trained_weights(backend):
    (x, y), _ = tinydl.datasets.mnist.load_data()
    tinydl.utils.set_random_seed(0)
    model = mnist_network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    with kernels.use(backend):
        history = model.fit(x[:2000] / 255.0, y[:2000], verbose=0)
    assert history.history["accuracy"][0] > 0.6
    return model.get_weights()


def test_both_backends_give_the_same_weights_to_rounding():
    try:
        kernels.use("c").__exit__(None, None, None)
    except ArgumentError:
        pytest.skip("the C core is not built")
    for a, b in zip(trained_weights("numpy"), trained_weights("c"), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.slow
def test_the_program_on_all_of_mnist():
    tinydl.utils.set_random_seed(0)
    assert run(WITH_TINYDL + PROGRAM)["test_acc"] >= 0.975
