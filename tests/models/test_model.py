import numpy as np
import pytest

import tinydl as keras
from tinydl.errors import ArgumentError, ShapeError

X = np.random.default_rng(0).normal(size=(20, 3))


class Residual(keras.Model):
    """A subclass with layers in attributes and in a list; `call` knows no `training`."""

    def __init__(self, width=8):
        super().__init__()
        self.width = width
        self.hidden = [keras.layers.Dense(width, "tanh", name=f"h{i}") for i in range(2)]
        self.out = keras.layers.Dense(3, name="out")

    def call(self, inputs):
        x = inputs
        for layer in self.hidden:
            x = layer(x)
        return inputs + self.out(x)


def test_a_subclass_finds_its_layers_and_learns():
    keras.utils.set_random_seed(0)
    model = Residual()
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(X, 2 * X, epochs=20, batch_size=5, verbose=0)
    assert [layer.name for layer in model.layers] == ["h0", "h1", "out"]
    assert history.history["loss"][-1] < history.history["loss"][0] / 2
    assert model.count_params() == 3 * 8 + 8 + 8 * 8 + 8 + 8 * 3 + 3


def test_building_a_subclass_makes_all_weights():
    model = Residual()
    with pytest.raises(ArgumentError, match="no weights yet"):
        model.count_params()
    model.build((None, 3))
    assert len(model.weights) == 6
    assert model.output_shape == (None, 3)


def test_a_call_that_takes_training_gets_it():
    seen = []

    class Watch(keras.Model):
        def call(self, inputs, training=False):
            seen.append(training)
            return inputs

    model = Watch()
    model.build((None, 3))
    model.compile("sgd", "mse")
    seen.clear()
    model.fit(X, X, batch_size=20, verbose=0)
    model.evaluate(X, X, verbose=0)
    model.predict(X, verbose=0)
    assert seen == [True, False, False]


def test_weights_go_in_and_out():
    a, b = Residual(), Residual()
    for model in (a, b):
        model.build((None, 3))
    b.set_weights(a.get_weights())
    np.testing.assert_array_equal(a.predict(X, verbose=0), b.predict(X, verbose=0))
    with pytest.raises(ShapeError, match=r"list of 5.*6 arrays"):
        b.set_weights(a.get_weights()[:5])
    wrong = a.get_weights()
    wrong[0] = wrong[0].T
    with pytest.raises(ShapeError, match=r"h0/kernel is \(8, 3\), expected \(3, 8\)"):
        b.set_weights(wrong)


def test_summary_counts_what_is_known(capsys):
    model = Residual()
    model.summary()
    assert "not built" in capsys.readouterr().out
    model.build((None, 3))
    model.hidden[0].trainable = False
    lines = []
    model.summary(line_length=60, print_fn=lines.append)
    assert len(lines) == 1
    table = lines[0]
    assert max(len(line) for line in table.splitlines()) <= 60
    row = next(line for line in table.splitlines() if "h1 (Dense)" in line)
    assert row.split()[-3:] == ["(None,", "8)", "72"]
    assert "131 parameters (524 bytes): 99 trainable, 32 not" in table
