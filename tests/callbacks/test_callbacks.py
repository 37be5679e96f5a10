import csv

import numpy as np
import pytest

import tinydl as keras
from tinydl import callbacks
from tinydl.callbacks.callback import HOOKS
from tinydl.errors import ArgumentError

X = np.arange(8.0)[:, np.newaxis] / 8
Y = 2 * X


def small_model(rate=0.1):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


class Trace(callbacks.Callback):
    """Writes down the name of every hook and the number it gets."""

    def __init__(self):
        super().__init__()
        self.calls = []
        for hook in HOOKS:
            setattr(self, hook, lambda *args, hook=hook: self.calls.append((hook, *args[:-1])))


def test_every_hook_is_called_in_order():
    trace = Trace()
    model = small_model()
    model.fit(X, Y, batch_size=8, validation_data=(X, Y), callbacks=[trace], verbose=0)
    assert trace.calls == [
        ("on_train_begin",),
        ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_test_begin",),
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0),
        ("on_test_end",),
        ("on_epoch_end", 0),
        ("on_train_end",),
    ]
    trace.calls.clear()
    model.predict(X, callbacks=[trace], verbose=0)
    assert [call[0] for call in trace.calls] == [
        "on_predict_begin",
        "on_predict_batch_begin",
        "on_predict_batch_end",
        "on_predict_end",
    ]
    assert trace.model is model
    assert trace.params["samples"] == 8


def test_the_end_gets_the_logs_of_the_last_epoch():
    ends = []
    keep = callbacks.LambdaCallback(on_train_end=lambda logs: ends.append(logs))
    history = small_model().fit(X, Y, epochs=2, callbacks=[keep], verbose=0)
    assert ends == [{name: values[-1] for name, values in history.history.items()}]


def test_the_old_names_of_batch_hooks_work():
    class Old(callbacks.Callback):
        begun = ended = 0

        def on_batch_begin(self, batch, logs=None):
            self.begun += 1

        def on_batch_end(self, batch, logs=None):
            self.ended += 1

    old = Old()
    small_model().fit(X, Y, batch_size=2, callbacks=[old], verbose=0)
    assert (old.begun, old.ended) == (4, 4)


def test_logs_are_means_so_far_and_what_is_added_is_kept():
    losses = []

    class Add(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            losses.append(logs["loss"])

        def on_epoch_end(self, epoch, logs=None):
            logs["double"] = 2 * logs["loss"]

    history = small_model(rate=0.0).fit(X, Y, batch_size=4, callbacks=[Add()], verbose=0)
    assert losses[-1] == history.history["loss"][0] == history.history["double"][0] / 2
    assert losses[0] != losses[1]


def test_stop_training_ends_after_the_batch():
    stop = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", batch == 1)
    )
    model = small_model()
    history = model.fit(X, Y, batch_size=1, epochs=9, callbacks=stop, verbose=0)
    assert (model.optimizer.iterations, history.epoch) == (2, [0])


def test_what_is_no_callback_is_refused():
    with pytest.raises(ArgumentError, match=r"callbacks\[0\].*EarlyStopping\(\), not"):
        small_model().fit(X, Y, callbacks=[callbacks.EarlyStopping])
    with pytest.raises(ArgumentError, match="did you mean 'on_epoch_end'"):
        callbacks.LambdaCallback(on_epoc_end=print)


def feed(callback, values, name="val_loss", model=None):
    """Let a callback live through epochs with these values; the epoch it stopped after."""
    model = model or small_model()
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch, {})
        callback.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    callback.on_train_end({})
    return epoch


@pytest.mark.parametrize(
    ("settings", "values", "last"),
    [
        ({"patience": 2}, [5, 4, 4, 4, 4, 4], 3),
        ({"patience": 2}, [5, 4, 4, 3, 3, 3, 3], 5),
        ({}, [5, 4, 4, 4], 2),
        ({"patience": 1, "min_delta": 0.5}, [5, 4.8, 4.6], 1),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 9], 2),
        ({"patience": 1, "mode": "max", "min_delta": 0.5}, [1, 2, 2.2, 9], 2),
        ({"patience": 1, "baseline": 3.0}, [5, 4, 4, 4], 2),
        ({"patience": 1, "start_from_epoch": 3}, [5, 6, 7, 8, 9, 9], 4),
        ({"patience": 5}, [5, 6, 7], 2),
    ],
)
def test_early_stopping(settings, values, last):
    assert feed(callbacks.EarlyStopping(**settings), values) == last


def test_more_accuracy_is_better_without_saying_so():
    stop = callbacks.EarlyStopping("val_accuracy", patience=1)
    assert feed(stop, [0.1, 0.2, 0.3, 0.2, 0.9], "val_accuracy") == 3
    assert stop.best == 0.3


def test_early_stopping_goes_back_to_the_best_weights(capsys):
    model = small_model(rate=1.5)
    first = []
    keep = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: first.append(model.get_weights())
    )
    stop = callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True, verbose=1)
    with np.errstate(all="ignore"):
        history = model.fit(X, Y, batch_size=1, epochs=50, callbacks=[keep, stop], verbose=0)
    best = int(np.argmin(history.history["loss"]))
    assert stop.best_epoch == best < len(history.epoch) - 1
    np.testing.assert_array_equal(model.get_weights()[0], first[best][0])
    assert "early stopping" in capsys.readouterr().out


def test_a_missing_number_is_warned_about_with_the_closest_name():
    with pytest.warns(UserWarning, match=r"'val_loss'.*did you mean 'loss'"):
        small_model().fit(X, Y, callbacks=[callbacks.EarlyStopping()], verbose=0)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ArgumentError, match=r"mode is 'maxi'.*'max'"):
        callbacks.EarlyStopping(mode="maxi")


def test_the_learning_rate_falls_on_a_plateau_and_not_while_cooling_down():
    model = small_model(rate=1.0)
    reduce = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=3, min_lr=0.2)
    rates = []
    reduce.on_train_begin()
    reduce.set_model(model)
    for epoch in range(12):
        reduce.on_epoch_end(epoch, {"val_loss": 1.0})
        rates.append(model.optimizer.learning_rate)
    assert rates == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2]
    with pytest.raises(ArgumentError, match="factor is 2"):
        callbacks.ReduceLROnPlateau(factor=2)


def test_a_schedule_must_return_a_number(capsys):
    with pytest.raises(ArgumentError, match=r"schedule returns is None"):
        small_model().fit(
            X, Y, callbacks=[callbacks.LearningRateScheduler(lambda *_: None)], verbose=0
        )
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    small_model(1.0).fit(X, Y, epochs=2, callbacks=[halve], verbose=0)
    assert "Epoch 2: the learning rate is 0.25" in capsys.readouterr().out


def test_terminate_on_nan_ends_quietly(capsys):
    model = small_model()
    y = np.where(np.arange(8)[:, None] == 2, np.nan, Y)
    history = model.fit(
        X, y, batch_size=1, epochs=5, shuffle=False, callbacks=[callbacks.TerminateOnNaN()],
        verbose=0,
    )  # fmt: skip
    assert history.epoch == [0]
    assert model.optimizer.iterations == 3
    assert "Batch 2" in capsys.readouterr().out


def test_the_csv_grows_by_the_epoch(tmp_path):
    path = tmp_path / "history.csv"
    rows_seen = []

    class Look(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rows_seen.append(len(path.read_text().splitlines()))

    model = small_model()
    arguments = {"callbacks": [callbacks.CSVLogger(path), Look()], "verbose": 0}
    history = model.fit(X, Y, epochs=2, **arguments)
    assert rows_seen == [2, 3]
    again = callbacks.CSVLogger(path, append=True)
    model.fit(X, Y, initial_epoch=2, epochs=3, callbacks=[again], verbose=0)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert [float(row["loss"]) for row in rows[:2]] == history.history["loss"]
    assert set(rows[0]) == {"epoch", "loss", "mae"}


def test_checkpoints(tmp_path):
    model = small_model()
    best = callbacks.ModelCheckpoint(tmp_path / "best{epoch}.safetensors", save_best_only=True)
    feed(best, [3, 2, 4, 1], model=model)
    feed(callbacks.ModelCheckpoint(tmp_path / "deep" / "{epoch:02d}.safetensors"), [1], model=model)
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert made == [
        "best1.safetensors",
        "best2.safetensors",
        "best4.safetensors",
        "deep/01.safetensors",
    ]
    beat = callbacks.ModelCheckpoint(
        tmp_path / "x.safetensors", save_best_only=True, initial_value_threshold=1.0
    )
    feed(beat, [3, 2], model=model)
    assert not (tmp_path / "x.safetensors").exists()


def test_checkpoints_of_weights_by_the_batch(tmp_path, capsys):
    model = small_model()
    name = "{epoch}-{batch}.weights.safetensors"
    save = callbacks.ModelCheckpoint(
        tmp_path / name, save_weights_only=True, save_freq=3, verbose=1
    )
    model.fit(X, Y, batch_size=2, epochs=2, callbacks=[save], verbose=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "1-3.weights.safetensors",
        "2-2.weights.safetensors",
    ]
    assert capsys.readouterr().out.count("saved") == 2
    with pytest.raises(ArgumentError, match="save_freq"):
        callbacks.ModelCheckpoint("x", save_freq="day")
    with pytest.raises(ArgumentError, match=r"there is no 'val_los'"):
        feed(callbacks.ModelCheckpoint("{val_los}.safetensors"), [1])


def test_lines_where_there_is_no_terminal(capsys):
    model = small_model()
    model.fit(X, Y, batch_size=3, epochs=2, validation_data=(X, Y))
    model.evaluate(X, Y)
    model.predict(X)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [
        ["Epoch 1/2", "3/3"],
        ["Epoch 2/2", "3/3"],
        ["Evaluate", "1/1"],
        ["Predict", "1/1"],
    ]
    assert all("samples/s" in line for line in lines)
    assert "val_mae" in lines[0]


def test_the_bar_shows_steps_speed_loss_and_time_left(monkeypatch, capsys):
    monkeypatch.setattr("tinydl.callbacks.progbar_logger.SECONDS_BETWEEN_DRAWINGS", 0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    small_model().fit(X, Y, batch_size=2, verbose=1)
    shown = capsys.readouterr().out
    for part in ("Epoch 1/1", "3/4", "samples/s", "loss", "mae", "left"):
        assert part in shown
    assert shown.splitlines()[-1].split("Epoch 1/1")[1].startswith("  4/4")


@pytest.mark.parametrize("work", ["fit", "evaluate", "predict"])
def test_the_bar_goes_away_however_the_work_ends(work, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    model = small_model()

    def interrupt(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    stop = callbacks.LambdaCallback(
        **{f"on_{part}_batch_end": interrupt for part in ("train", "test", "predict")}
    )
    data = (X,) if work == "predict" else (X, Y)
    with pytest.raises(KeyboardInterrupt):
        getattr(model, work)(*data, batch_size=2, verbose=1, callbacks=[stop])
    shown = capsys.readouterr().out
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # cursor hidden, and shown


def test_silence(capsys):
    small_model().fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
