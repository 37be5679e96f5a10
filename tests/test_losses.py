"""Losses: values by the formula, gradients, weights, reductions, and what they refuse."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tinydl import losses, ops, tensor
from tinydl.engine import grad
from tinydl.errors import ArgumentError, DataError, ShapeError
from tinydl.testing import gradcheck

rng = np.random.default_rng(0)
PROBABILITIES = np.array([[0.4, 0.3, 0.2, 0.1], [0.15, 0.45, 0.15, 0.25], [0.25, 0.5, 0.1, 0.15]])
ONE_HOT = np.eye(4)[[2, 0, 3]]
LOGITS = rng.normal(size=(3, 4))
YES_OR_NO = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


# The loss of one sample, written with scalars.
SCALAR = {
    "mean_squared_error": lambda t, y: mean((b - a) ** 2 for a, b in zip(t, y, strict=True)),
    "mean_absolute_error": lambda t, y: mean(abs(b - a) for a, b in zip(t, y, strict=True)),
    "binary_crossentropy": lambda t, y: mean(
        -(a * math.log(b) + (1 - a) * math.log(1 - b)) for a, b in zip(t, y, strict=True)
    ),
    "categorical_crossentropy": lambda t, y: (
        -sum(a * math.log(b) for a, b in zip(t, y, strict=True))
    ),
}


@pytest.mark.parametrize("name", SCALAR)
def test_values_of_each_sample(name):
    expected = [SCALAR[name](t, y) for t, y in zip(ONE_HOT, PROBABILITIES, strict=True)]
    np.testing.assert_allclose(getattr(losses, name)(ONE_HOT, PROBABILITIES).numpy(), expected)
    np.testing.assert_allclose(losses.get(name)(ONE_HOT, PROBABILITIES).item(), mean(expected))


def test_class_numbers_mean_one_hot_rows():
    expected = losses.categorical_crossentropy(ONE_HOT, PROBABILITIES).numpy()
    for labels in ([2, 0, 3], [[2], [0], [3]], [2.0, 0.0, 3.0]):
        loss = losses.sparse_categorical_crossentropy(labels, PROBABILITIES)
        np.testing.assert_array_equal(loss.numpy(), expected)


@pytest.mark.parametrize("name", SCALAR)
def test_gradients(name):
    loss = getattr(losses, name)
    gradcheck(lambda y: loss(YES_OR_NO, y), [PROBABILITIES], order=2)
    if "crossentropy" in name:
        gradcheck(lambda z: loss(YES_OR_NO, z, from_logits=True), [LOGITS], order=2)


class TestTogetherWithWhatMadeTheProbabilities:
    def gradient(self, loss, targets, activation, logits=LOGITS):
        z = tensor(logits, requires_grad=True)
        return grad(loss(targets, activation(z)).sum(), z).numpy()

    def test_after_a_softmax_the_gradient_is_p_minus_y_exactly(self):
        p = ops.softmax(LOGITS).numpy()
        z_bar = self.gradient(losses.categorical_crossentropy, ONE_HOT, ops.softmax)
        np.testing.assert_array_equal(z_bar, p - ONE_HOT)
        z_bar = self.gradient(losses.sparse_categorical_crossentropy, [2, 0, 3], ops.softmax)
        np.testing.assert_array_equal(z_bar, p - ONE_HOT)

    def test_after_a_sigmoid_the_gradient_is_p_minus_y(self):
        z_bar = self.gradient(losses.binary_crossentropy, YES_OR_NO, ops.sigmoid)
        expected = (ops.sigmoid(LOGITS).numpy() - YES_OR_NO) / 4
        np.testing.assert_allclose(z_bar, expected, rtol=1e-14)

    @pytest.mark.parametrize(
        ("loss", "targets", "activation"),
        [
            (losses.categorical_crossentropy, ONE_HOT, ops.softmax),
            (losses.binary_crossentropy, YES_OR_NO, ops.sigmoid),
        ],
    )
    def test_logits_say_the_same(self, loss, targets, activation):
        z = tensor(LOGITS, requires_grad=True)
        together = loss(targets, activation(z))
        np.testing.assert_array_equal(together.numpy(), loss(targets, z, from_logits=True).numpy())

    def test_a_hopeless_case_stays_finite_and_keeps_its_gradient(self):
        z = [[1000.0, 0.0]]
        z_bar = self.gradient(losses.categorical_crossentropy, [[0.0, 1.0]], ops.softmax, z)
        np.testing.assert_array_equal(z_bar, [[1, -1]])
        z_bar = self.gradient(losses.binary_crossentropy, [[0.0]], ops.sigmoid, [[1000.0]])
        np.testing.assert_array_equal(z_bar, [[1]])

    def test_a_missing_axis_of_the_targets_does_not_cost_the_stability(self):
        loss = losses.BinaryCrossentropy()
        y = ops.sigmoid(tensor([[1000.0]], requires_grad=True))
        assert loss([0.0], y).item() == 1000.0


def test_plain_probabilities_are_kept_away_from_zero_and_one():
    assert losses.categorical_crossentropy([[0.0, 1.0]], [[1.0, 0.0]]).item() == pytest.approx(
        -math.log(1e-7), rel=1e-6
    )


@pytest.mark.parametrize(
    ("loss", "smoothed"),
    [
        (losses.CategoricalCrossentropy, 0.8 * ONE_HOT + 0.2 / 4),
        (losses.BinaryCrossentropy, 0.8 * ONE_HOT + 0.1),
    ],
)
def test_label_smoothing(loss, smoothed):
    np.testing.assert_allclose(
        loss(label_smoothing=0.2)(ONE_HOT, PROBABILITIES).item(),
        loss()(smoothed, PROBABILITIES).item(),
    )


def test_the_axis_of_the_classes():
    swapped = losses.CategoricalCrossentropy(axis=1)
    y, t = np.moveaxis([PROBABILITIES] * 2, -1, 1), np.moveaxis([ONE_HOT] * 2, -1, 1)
    expected = losses.CategoricalCrossentropy()([ONE_HOT] * 2, [PROBABILITIES] * 2).item()
    np.testing.assert_allclose(swapped(t, y).item(), expected)


class TestReduction:
    T, Y = np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]])

    @pytest.mark.parametrize(
        ("reduction", "plain", "weighted"),
        [
            ("sum_over_batch_size", 14 / 3, (1 + 0 + 18) / 3),
            ("sum", 14, 19),
            ("none", [1, 4, 9], [1, 0, 18]),
            (None, [1, 4, 9], [1, 0, 18]),
        ],
    )
    def test_by_hand(self, reduction, plain, weighted):
        loss = losses.MeanSquaredError(reduction=reduction)
        np.testing.assert_allclose(loss(self.T, self.Y).numpy(), plain)
        for weights in ([1, 0, 2], [[1], [0], [2]]):
            found = loss(self.T, self.Y, sample_weight=weights).numpy()
            np.testing.assert_allclose(found, weighted)

    def test_one_weight_for_all(self):
        loss = losses.MeanSquaredError()
        assert loss(self.T, self.Y, sample_weight=0.5).item() == pytest.approx(7 / 3)

    def test_weights_of_samples_reach_every_place_of_a_sample(self):
        loss = losses.MeanSquaredError(reduction="none")
        found = loss(np.zeros((2, 3, 1)), np.ones((2, 3, 1)), sample_weight=[1, 5]).numpy()
        np.testing.assert_array_equal(found, [[1, 1, 1], [5, 5, 5]])

    def test_an_unknown_one_is_refused(self):
        with pytest.raises(ArgumentError, match=r"reduction is 'mean', expected one of none, sum"):
            losses.MeanSquaredError(reduction="mean")


@given(
    npst.arrays(
        np.float64, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.floats(-9, 9)
    ),
    st.data(),
)
def test_the_whole_is_the_weighted_mean_of_the_batches(y, data):
    """What training relies on: unequal batches, weighted by their length, make the whole."""
    loss, cut = losses.MeanAbsoluteError(), data.draw(st.integers(0, len(y)))
    t = np.zeros_like(y)
    parts = [
        (loss(t[s], y[s]).item(), len(y[s])) for s in (slice(cut), slice(cut, None)) if len(y[s])
    ]
    whole = sum(value * n for value, n in parts) / len(y)
    assert loss(t, y).item() == pytest.approx(whole, abs=1e-12)


class TestShapes:
    @pytest.mark.parametrize("name", ["mse", "mae", "bce"])
    def test_a_last_axis_of_one_may_be_missing(self, name):
        t, y = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.4, 0.2])
        expected = losses.get(name)(t[:, None], y[:, None]).item()
        assert losses.get(name)(t, y[:, None]).item() == pytest.approx(expected)
        assert losses.get(name)(t[:, None], y).item() == pytest.approx(expected)

    @pytest.mark.parametrize("name", ["mse", "mae", "bce", "categorical_crossentropy"])
    @pytest.mark.parametrize("shape", [(3,), (1, 4), (3, 1), (2, 4), (3, 4, 1, 1)])
    def test_nothing_is_broadcast_silently(self, name, shape):
        with pytest.raises(ShapeError) as caught:
            losses.get(name)(np.ones(shape), np.full((3, 4), 0.25))
        assert str(shape).strip(")") in str(caught.value)
        assert "(3, 4)" in str(caught.value)

    def test_sparse_labels_that_do_not_match_the_rows(self):
        with pytest.raises(ShapeError, match=r"target is \(2,\), expected \(3,\)"):
            losses.SparseCategoricalCrossentropy()([0, 1], PROBABILITIES)

    @pytest.mark.parametrize("weights", [[1, 2], [[1, 2, 3]], np.ones((3, 2)), np.ones((3, 1, 1))])
    def test_sample_weights_that_do_not_match(self, weights):
        with pytest.raises(ShapeError, match=r"sample_weight is .*, expected \(3,\)"):
            losses.MeanSquaredError()(ONE_HOT, PROBABILITIES, sample_weight=weights)

    def test_a_single_number_has_no_axis_to_average(self):
        with pytest.raises(ShapeError, match=r"at least one axis"):
            losses.mean_squared_error(1.0, 2.0)


class TestValues:
    @pytest.mark.parametrize("label", [-1, 4])
    def test_a_class_number_out_of_range(self, label):
        with pytest.raises(DataError, match=f"a label is {label}, expected 0 to 3"):
            losses.SparseCategoricalCrossentropy()([0, label, 1], PROBABILITIES)

    @pytest.mark.parametrize("target", [-1.0, 2.0])
    def test_a_yes_or_no_out_of_range(self, target):
        with pytest.raises(DataError, match=f"a target is {target}, expected between 0 and 1"):
            losses.BinaryCrossentropy()([[target]], [[0.5]])

    def test_no_samples(self):
        with pytest.raises(DataError, match=r"y_pred is of shape \(0, 4\), expected a sample"):
            losses.MeanSquaredError()(np.zeros((0, 4)), np.zeros((0, 4)))

    @pytest.mark.parametrize("smoothing", [-0.1, 1.5, "0.1"])
    def test_label_smoothing_out_of_range(self, smoothing):
        with pytest.raises(ArgumentError, match=r"label_smoothing is .*between 0 and 1"):
            losses.CategoricalCrossentropy(label_smoothing=smoothing)
        with pytest.raises(ArgumentError, match=r"label_smoothing is .*between 0 and 1"):
            losses.binary_crossentropy(YES_OR_NO, PROBABILITIES, label_smoothing=smoothing)

    @pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64, bool])
    def test_targets_of_any_real_dtype(self, dtype):
        loss = losses.CategoricalCrossentropy()(ONE_HOT.astype(dtype), PROBABILITIES.astype("f4"))
        assert loss.dtype == np.float32
        expected = losses.CategoricalCrossentropy()(ONE_HOT, PROBABILITIES).item()
        assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_a_function_of_your_own():
    loss = losses.get(lambda t, y: (y - t).max(axis=-1))
    assert loss(ONE_HOT, ONE_HOT + 2.0).item() == 2.0
    assert loss(ONE_HOT, ONE_HOT + 2.0, sample_weight=[1, 0, 0]).item() == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("alias", "name"), [("MSE", "mean_squared_error"), ("bce", "binary_crossentropy")]
)
def test_aliases(alias, name):
    assert losses.get(alias).name == name
