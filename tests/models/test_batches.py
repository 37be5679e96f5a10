import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinydl.models.batches import Batches, class_weights

SAMPLES = st.integers(1, 40)


@given(samples=SAMPLES, batch_size=SAMPLES, seed=st.integers(0, 100))
def test_batches_put_together_are_the_data_in_that_order(samples, batch_size, seed):
    x, y = np.arange(samples * 2).reshape(samples, 2), np.arange(samples)
    order = np.random.default_rng(seed).permutation(samples)
    batches = Batches("fit", x, y, np.arange(samples), batch_size)
    cut = list(batches.cut(order))
    assert len(cut) == len(batches)
    assert all(len(batch.x) == batch_size for batch in cut[:-1])
    np.testing.assert_array_equal(np.concatenate([batch.x for batch in cut]), x[order])
    np.testing.assert_array_equal(np.concatenate([batch.y for batch in cut]), order)
    np.testing.assert_array_equal(np.concatenate([batch.sample_weight for batch in cut]), order)


def test_only_fractions_are_cast():
    batch = next(Batches("fit", np.zeros(3, int), np.zeros((3, 1), np.float16)).cut())
    assert (batch.x.dtype, batch.y.dtype) == (np.float32, np.float32)
    batch = next(Batches("fit", np.zeros(3), np.zeros(3, ">i4"), dtype="float64").cut())
    assert (batch.x.dtype, batch.y.dtype) == (np.float64, np.dtype("=i4"))


def test_steps_are_an_upper_bound():
    assert len(Batches("fit", np.zeros(10), batch_size=3, steps=2)) == 2
    assert len(Batches("fit", np.zeros(10), batch_size=3, steps=9)) == 4


@given(samples=st.integers(2, 40), part=st.floats(0.05, 0.95))
def test_split_cuts_the_end_off(samples, part):
    at = int(samples * (1 - part))
    x = np.arange(samples)
    batches = Batches("fit", x, sample_weight=x, batch_size=7)
    if not 0 < at < samples:
        with pytest.raises(ValueError, match="validation_split"):
            batches.split(part)
        return
    first, (last, nothing, weights) = batches.split(part)
    assert np.concatenate([batch.x for batch in first.cut()]).tolist() == list(range(at))
    assert last.tolist() == weights.tolist() == list(range(at, samples))
    assert (nothing, len(first), len(batches)) == (None, -(-at // 7), -(-samples // 7))


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3)])
def test_class_weights_for_every_way_to_write_labels(shape):
    labels = np.array([2, 0, 1, 2])
    y = np.eye(3)[labels] if shape == (4, 3) else labels.reshape(shape)
    assert class_weights(y, {2: 0.5, 0: 3}, 3).tolist() == [0.5, 3, 1, 0.5]
