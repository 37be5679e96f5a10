import csv

import numpy as np
import pytest

from tinydl.cli.record import WINDOW, Record


def feed(record, batch_losses, batch_size, images, epochs=1):
    """Call the record as `fit` does: with the running means of loss and accuracy."""
    for epoch in range(epochs):
        record.on_epoch_begin(epoch)
        loss_sum = seen = 0
        for batch, loss in enumerate(batch_losses):
            count = min(batch_size, images - seen)
            loss_sum, seen = loss_sum + loss * count, seen + count
            mean = loss_sum / seen
            record.on_train_batch_end(batch, {"loss": mean, "accuracy": 1 - mean})


def test_points_are_the_means_of_their_own_batches():
    images, batch_size = 2545, 10
    losses = np.linspace(1, 0, 255)
    record = Record(images, batch_size)
    feed(record, losses, batch_size, images)
    weights = np.full(255, batch_size)
    weights[-1] = 5
    starts = range(0, 255, WINDOW)
    expected = [np.average(losses[k : k + WINDOW], weights=weights[k : k + WINDOW]) for k in starts]
    np.testing.assert_allclose([point.loss for point in record.points], expected)
    np.testing.assert_allclose([1 - point.accuracy for point in record.points], expected)
    assert record.points[0].epochs == pytest.approx(WINDOW / 2 * batch_size / images)
    assert record.points[-1].epochs < 1


def test_rows_are_epochs_and_the_last_may_be_unfinished(tmp_path):
    record = Record(images=40, batch_size=10)
    feed(record, [4, 3, 2, 1], 10, 40, epochs=2)
    record.on_epoch_begin(2)
    record.on_train_batch_end(0, {"loss": 0.5, "accuracy": 1.0})
    record.on_epoch_begin(3)
    assert record.finished == 2
    record.save(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["images"] for row in rows] == ["40", "40", "10"]
    assert [row["loss"] for row in rows] == ["2.5", "2.5", "0.5"]
    assert all(float(row["seconds"]) >= 0 for row in rows)
