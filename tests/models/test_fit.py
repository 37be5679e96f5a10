"""What fit computes, held against the same training written out by hand."""

import numpy as np
import pytest

import tinydl as keras
from tinydl import grad, ops
from tinydl.errors import NumericalError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 3))
Y = RNG.normal(size=(10, 2))
W = RNG.normal(size=(3, 2))


def linear(rate=0.1, loss="mse", **settings):
    """One matrix W, and gradient descent."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, use_bias=False, **settings)])
    model.set_weights([W])
    model.compile(keras.optimizers.SGD(rate), loss)
    return model


def step_by_hand(w, x, y, rate=0.1, weights=1.0):
    """The mean of s_i (x_i w - t_i)^2 over samples and outputs, and one step down."""
    error = x @ w - y
    weights = np.broadcast_to(weights, len(x))[:, np.newaxis]
    gradient = 2 * x.T @ (weights * error) / error.size
    return w - rate * gradient, float(np.mean(weights * error**2))


def test_an_epoch_in_order_is_its_steps_one_by_one():
    model = linear()
    history = model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    w, losses = W, []
    for start in (0, 4, 8):
        w, loss = step_by_hand(w, X[start : start + 4], Y[start : start + 4])
        losses.append(loss)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)
    expected = np.average(losses, weights=[4, 4, 2])
    assert history.history["loss"] == pytest.approx([expected], rel=1e-5)


def test_the_whole_data_in_one_batch_is_gradient_descent():
    model = linear()
    model.fit(X, Y, batch_size=100, epochs=3, verbose=0)
    w = W
    for _ in range(3):
        w, _ = step_by_hand(w, X, Y)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)


def test_each_epoch_takes_each_sample_once_in_a_new_order():
    seen = []

    class Watch(keras.layers.Layer):
        def call(self, inputs, training=False):
            if training:
                seen.extend(inputs.numpy()[:, 0].tolist())
            return inputs

    model = keras.Sequential([Watch(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    keras.utils.set_random_seed(3)
    model.fit(np.arange(50.0)[:, None] / 50, np.zeros(50), batch_size=8, epochs=2, verbose=0)
    first, second = seen[:50], seen[50:]
    everything = sorted(np.float32(np.arange(50.0) / 50).tolist())
    assert sorted(first) == sorted(second) == everything
    assert first != everything
    assert first != second


def test_layers_made_by_the_first_batch_are_trained_by_it():
    class Late(keras.layers.Layer):
        def build(self, input_shape):
            self.inner = keras.layers.Dense(
                2, use_bias=False, kernel_initializer="ones", kernel_regularizer="l2"
            )

        def call(self, inputs):
            return self.inner(inputs)

    model = keras.Sequential([Late()])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = model.fit(X, Y, batch_size=10, verbose=0)
    w, loss = step_by_hand(np.ones((3, 2)), X, Y)
    shrunk = 0.1 * 2 * 0.01  # the slope of 0.01 w^2 at 1
    np.testing.assert_allclose(model.get_weights()[0], w - shrunk, rtol=1e-5)
    assert history.history["loss"] == pytest.approx([loss + 0.01 * 6], rel=1e-5)


def test_a_layer_frozen_within_an_epoch_stays_as_it_is_from_then_on():
    model = linear()
    seen = []

    def freeze(batch, logs):
        model.trainable = False
        seen.append(model.get_weights()[0])

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=freeze)
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[callback])
    w, _ = step_by_hand(W, X[:4], Y[:4])
    np.testing.assert_allclose(seen, [w] * 3, rtol=1e-5)


def test_the_same_seed_gives_the_same_bits():
    def weights(seed):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.5)])
        model.add(keras.layers.Dense(2))
        model.compile("adam", "mse")
        model.fit(X, Y, batch_size=3, epochs=2, verbose=0)
        return model.get_weights()

    for a, b, c in zip(weights(1), weights(1), weights(2), strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.any(a != c) or np.all(a == 0)


def test_sample_weights_weigh_loss_and_gradient():
    weights = np.linspace(0, 2, 10)
    model = linear()
    history = model.fit(X, Y, batch_size=10, sample_weight=weights, verbose=0)
    w, loss = step_by_hand(W, X, Y, weights=weights)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)
    assert history.history["loss"] == pytest.approx([loss], rel=1e-5)


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weights_are_sample_weights_by_class(one_hot):
    labels = np.arange(10) % 2
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    targets = keras.utils.to_categorical(labels) if one_hot else labels
    by_class, by_sample = (linear(loss=loss, activation="softmax") for _ in range(2))
    own = np.linspace(1, 2, 10)
    arguments = {"batch_size": 10, "shuffle": False, "verbose": 0}
    by_class.fit(X, targets, class_weight={1: 3.0}, sample_weight=own, **arguments)
    by_sample.fit(X, targets, sample_weight=own * np.where(labels == 1, 3.0, 1.0), **arguments)
    np.testing.assert_array_equal(by_class.get_weights()[0], by_sample.get_weights()[0])
    assert np.any(by_class.get_weights()[0] != np.float32(W))


def test_the_loss_counts_regularization():
    model = linear(kernel_regularizer=keras.regularizers.L2(0.5))
    plain = linear()
    both = (m.evaluate(X, Y, verbose=0) for m in (model, plain))
    penalty = 0.5 * np.sum(W**2)
    assert next(both) - next(both) == pytest.approx(penalty, rel=1e-5)
    model.fit(X, Y, batch_size=10, verbose=0)
    w, _ = step_by_hand(W, X, Y)
    np.testing.assert_allclose(model.get_weights()[0], w - 0.1 * W, rtol=1e-4)


def test_validation_split_takes_the_last_part_and_does_not_train_on_it():
    split, by_hand = linear(), linear()
    ours = split.fit(X, Y, validation_split=0.25, shuffle=False, verbose=0, epochs=2)
    theirs = by_hand.fit(
        X[:7], Y[:7], validation_data=(X[7:], Y[7:]), shuffle=False, verbose=0, epochs=2
    )
    assert ours.history == theirs.history
    np.testing.assert_array_equal(split.get_weights()[0], by_hand.get_weights()[0])
    error = X[7:] @ split.get_weights()[0] - Y[7:]
    assert ours.history["val_loss"][-1] == pytest.approx(np.mean(error**2), rel=1e-5)


def test_validation_every_other_epoch_and_on_some_batches():
    epochs = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs.append(epoch) if "val_loss" in logs else None
    )
    history = linear().fit(
        X, Y, epochs=4, validation_data=(X, Y), validation_freq=2, verbose=0,
        validation_steps=1, validation_batch_size=5, callbacks=[note],
    )  # fmt: skip
    assert len(history.history["loss"]) == 4
    assert len(history.history["val_loss"]) == 2
    assert epochs == [1, 3]


def test_steps_per_epoch_and_initial_epoch():
    model = linear()
    history = model.fit(X, Y, batch_size=2, steps_per_epoch=3, initial_epoch=5, epochs=7, verbose=0)
    assert history.epoch == [5, 6]
    assert model.optimizer.iterations == 6


def test_metrics_by_every_way_of_naming_them():
    def largest_error(y_true, y_pred):
        return np.max(np.abs(y_pred - y_true), axis=-1)

    model = linear()
    model.compile("sgd", "mse", metrics=["mae", keras.metrics.MeanSquaredError(), largest_error])
    values = model.evaluate(X, Y, batch_size=3, verbose=0, return_dict=True)
    error = np.abs(X @ W - Y)
    assert list(values) == ["loss", "mae", "mean_squared_error", "largest_error"]
    expected = [np.mean(error**2), np.mean(error), np.mean(error**2), np.mean(error.max(axis=1))]
    np.testing.assert_allclose(list(values.values()), expected, rtol=1e-5)
    assert model.metrics_names == list(values)


def test_accuracy_fits_the_targets():
    labels = np.arange(10) % 2
    for targets, outputs, loss in (
        (labels, 2, "sparse_categorical_crossentropy"),
        (np.eye(2)[labels], 2, "categorical_crossentropy"),
        (labels, 1, "binary_crossentropy"),
    ):
        last = keras.layers.Dense(outputs, activation="sigmoid" if outputs == 1 else "softmax")
        model = keras.Sequential([keras.Input((3,)), last])
        model.compile("sgd", loss, metrics=["accuracy"])
        _, accuracy = model.evaluate(X, targets, verbose=0)
        answer = model.predict(X, verbose=0)
        predicted = answer[:, 0] > 0.5 if outputs == 1 else answer.argmax(axis=1)
        assert accuracy == pytest.approx(np.mean(predicted == labels))


def test_evaluate_is_as_stable_as_training():
    """Softmax rounds to exactly 0 here, so -log p would be infinite, or clipped to 16."""
    last = keras.layers.Dense(2, use_bias=False, activation="softmax")
    model = keras.Sequential([keras.Input((2,)), last])
    model.set_weights([np.eye(2)])
    model.compile("sgd", "categorical_crossentropy")
    assert model.evaluate([[0.0, 1000.0]], [[1.0, 0.0]], verbose=0) == 1000.0


def test_evaluate_and_predict_change_nothing():
    model = linear()
    before = model.get_weights()[0]
    model.evaluate(X, Y, verbose=0)
    predicted = model.predict(X, batch_size=3, verbose=0)
    assert type(predicted) is np.ndarray
    np.testing.assert_allclose(predicted, X @ W, rtol=1e-4)
    np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X, verbose=0))
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert len(model.predict(X, batch_size=3, steps=2, verbose=0)) == 6


def test_on_batch_methods_step_and_average_until_reset():
    model = linear()
    w, first = step_by_hand(W, X[:4], Y[:4])
    _, second = step_by_hand(w, X[4:], Y[4:])
    assert model.train_on_batch(X[:4], Y[:4]) == pytest.approx(first, rel=1e-5)
    both = model.test_on_batch(X[4:], Y[4:], return_dict=True)
    assert both == {"loss": pytest.approx(np.average([first, second], weights=[4, 6]), rel=1e-5)}
    model.reset_metrics()
    assert model.test_on_batch(X[4:], Y[4:]) == pytest.approx(second, rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)


def test_what_is_not_trainable_stays():
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, trainable=False), keras.layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert np.any(before[2] != after[2])


def test_a_model_without_anything_to_train_can_be_fitted():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation("relu")])
    model.compile("sgd", "mse")
    history = model.fit(Y, np.maximum(Y, 0), verbose=0)
    assert history.history["loss"] == [0.0]


def test_a_model_may_be_a_part_of_a_longer_computation():
    model = linear()
    x = keras.tensor(X, requires_grad=True)
    gradient = grad(ops.sum(model(x)), x)
    np.testing.assert_allclose(gradient, np.tile(W.sum(axis=1), (10, 1)), rtol=1e-5)


def test_a_diverging_loss_is_told_and_the_weights_stay():
    model = linear(rate=1e25)
    weights = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: weights.append(model.get_weights()[0])
    )
    with pytest.raises(NumericalError, match=r"epoch 2, step \d.*smaller learning rate"):
        model.fit(X, Y, epochs=5, callbacks=[keep], verbose=0, batch_size=10)
    np.testing.assert_array_equal(model.get_weights()[0], weights[-1])
    assert model.history.epoch == [0]


def test_a_nan_in_the_data_is_told():
    x = X.copy()
    x[3, 1] = np.nan
    with pytest.raises(NumericalError, match=r"epoch 1, step 1 .*x itself holds NaN"):
        linear().fit(x, Y, verbose=0)
    with pytest.raises(NumericalError, match="y itself holds NaN"):
        linear().fit(X, np.full_like(Y, np.inf), verbose=0)


def test_termination_can_be_turned_off():
    model = linear()
    history = model.fit(X, np.full_like(Y, np.nan), verbose=0, terminate_on_nan=False)
    assert np.isnan(history.history["loss"]).all()
    assert np.isnan(model.get_weights()[0]).any()


@pytest.mark.parametrize("when", ["between", "within"])
def test_ctrl_c_leaves_the_last_complete_step(when, monkeypatch):
    model = linear()
    complete, ended = [], []

    def interrupt(batch, logs):
        complete.append(model.get_weights()[0])
        if len(complete) == 5:
            if when == "between":
                raise KeyboardInterrupt
            apply = model.optimizer.apply
            monkeypatch.setattr(model.optimizer, "apply", lambda *a: apply(*a) or stop())

    def stop():
        raise KeyboardInterrupt

    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=interrupt, on_train_end=lambda logs: ended.append(True)
    )
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=5, epochs=10, callbacks=[callback], verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], complete[-1])
    assert model.history.epoch == [0, 1]
    assert ended == [True]


def test_the_data_are_never_copied_as_a_whole():
    """The batches are cast one by one: far less memory is taken than a float32 copy needs."""
    import tracemalloc

    x = np.zeros((20_000, 64), np.uint8)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x[:64], np.zeros(64), verbose=0)
    tracemalloc.start()
    model.fit(x, np.zeros(20_000), batch_size=500, verbose=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < x.nbytes
