"""Metrics: values by hand, sums over batches, and what "accuracy" means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinydl import metrics, tensor
from tinydl.errors import ArgumentError, DTypeError, ShapeError

PREDICTED = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1]])
LABELS = np.array([1, 2, 2, 1])
ONE_HOT = np.eye(3)[LABELS]
BINARY = (np.array([[1], [0], [1], [1]]), np.array([[0.9], [0.8], [0.7], [0.2]]))
RANKED = (np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.2]))

# Each with its value by hand, without weights and with the weights below.
WEIGHTS = np.array([1.0, 2.0, 0.0, 5.0])
CASES = [
    (metrics.Accuracy(), (LABELS[:, None], np.array([[1], [2], [0], [0]])), 0.5, 3 / 8),
    (metrics.BinaryAccuracy(), BINARY, 0.5, 1 / 8),
    (metrics.BinaryAccuracy(threshold=0.85), BINARY, 0.5, 3 / 8),
    (metrics.CategoricalAccuracy(), (ONE_HOT, PREDICTED), 0.5, 1 / 8),
    (metrics.SparseCategoricalAccuracy(), (LABELS, PREDICTED), 0.5, 1 / 8),
    (metrics.SparseCategoricalAccuracy(), (LABELS[:, None], PREDICTED), 0.5, 1 / 8),
    (metrics.TopKCategoricalAccuracy(k=2), (ONE_HOT, PREDICTED), 1.0, 1.0),
    (metrics.TopKCategoricalAccuracy(k=1), (ONE_HOT, PREDICTED), 0.5, 1 / 8),
    (metrics.MeanSquaredError(), BINARY, (0.01 + 0.64 + 0.09 + 0.64) / 4, 4.49 / 8),
    (metrics.MeanAbsoluteError(), BINARY, (0.1 + 0.8 + 0.3 + 0.8) / 4, 5.7 / 8),
    (metrics.Precision(), BINARY, 2 / 3, 1 / 3),
    (metrics.Recall(), BINARY, 2 / 3, 1 / 6),
    (metrics.Precision(thresholds=0.75), BINARY, 1 / 2, 1 / 3),
    (metrics.Precision(class_id=0), (ONE_HOT, PREDICTED), 0.0, 0.0),
    (metrics.Recall(thresholds=0.25, class_id=2), (ONE_HOT, PREDICTED), 1.0, 1.0),
    (metrics.Recall(thresholds=0.25), (ONE_HOT, PREDICTED), 1.0, 1.0),
    (metrics.AUC(), RANKED, 3 / 4, 1.0),
    (metrics.SensitivityAtSpecificity(1.0), RANKED, 1 / 2, 1.0),
    (metrics.SensitivityAtSpecificity(0.5, class_id=1), (ONE_HOT, PREDICTED), 1.0, 1.0),
    (metrics.SpecificityAtSensitivity(1.0), RANKED, 1 / 2, 1.0),
    (metrics.SpecificityAtSensitivity(0.5, num_thresholds=1), RANKED, 1 / 2, 5 / 7),
]


@pytest.mark.parametrize(("metric", "arguments", "plain", "weighted"), CASES)
class TestEveryMetric:
    def test_by_hand(self, metric, arguments, plain, weighted):
        metric.reset_state()
        assert metric(*arguments) == pytest.approx(plain)
        metric.reset_state()
        assert metric(*arguments, sample_weight=WEIGHTS) == pytest.approx(weighted)

    def test_batches_add_up_to_the_whole(self, metric, arguments, plain, weighted):
        for weights, expected in ((None, plain), (WEIGHTS, weighted)):
            metric.reset_state()
            for part in (slice(0, 3), slice(3, 4)):
                metric.update_state(
                    *(a[part] for a in arguments), None if weights is None else weights[part]
                )
            assert metric.result() == pytest.approx(expected)

    def test_tensors_will_do(self, metric, arguments, plain, weighted):
        metric.reset_state()
        assert metric(*map(tensor, arguments)) == pytest.approx(plain)

    def test_nothing_gives_zero(self, metric, arguments, plain, weighted):
        metric.update_state(*arguments)
        metric.reset_state()
        assert metric.result() == 0.0

    def test_the_result_is_a_python_float(self, metric, arguments, plain, weighted):
        assert type(metric(*arguments)) is float

    def test_weights_of_the_wrong_length(self, metric, arguments, plain, weighted):
        with pytest.raises(ShapeError, match=r"sample_weight is \(3,\), expected \(4,"):
            metric.update_state(*arguments, sample_weight=np.ones(3))

    def test_targets_of_the_wrong_length(self, metric, arguments, plain, weighted):
        y_true, y_pred = arguments
        with pytest.raises(ShapeError, match=r"y_true is \(3.*expected \(4"):
            metric.update_state(y_true[:3], y_pred)


def test_every_metric_is_tested():
    assert {type(case[0]) for case in CASES} == set(metrics._registry) - {metrics.Mean}


@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 5)), min_size=1, max_size=9))
def test_mean(pairs):
    values, weights = np.array(pairs).T
    mean = metrics.Mean()
    for value, weight in pairs:
        mean.update_state(value, sample_weight=weight)
    expected = np.average(values, weights=weights) if weights.any() else 0.0
    assert mean.result() == pytest.approx(expected)


def test_a_mean_of_many_small_numbers_does_not_lose_them():
    mean = metrics.Mean()
    mean.update_state(np.float32(2**24))
    for _ in range(100):
        mean.update_state(np.float32(1))
    assert mean.result() * 101 == 2**24 + 100


def test_whole_numbers_do_not_wrap_around():
    errors = metrics.MeanAbsoluteError()
    assert errors(np.array([[255]], np.uint8), np.array([[0]], np.uint8)) == 255.0


def test_binary_targets_without_their_last_axis():
    y_true, y_pred = BINARY
    for cls in (metrics.BinaryAccuracy, metrics.Precision, metrics.MeanSquaredError):
        assert cls()(y_true[:, 0], y_pred) == cls()(y_true, y_pred)


@pytest.mark.parametrize("cls", [metrics.BinaryAccuracy, metrics.Precision])
def test_a_probability_at_the_threshold_is_a_no(cls):
    assert cls()([[1.0]], [[0.5]]) == 0.0
    assert cls()([[1.0]], [[np.nextafter(0.5, 1)]]) == 1.0


def test_nan_is_never_among_the_best():
    y_pred = np.full((1, 3), np.nan)
    assert metrics.TopKCategoricalAccuracy(k=1)([[0, 1, 0]], y_pred) == 0.0


@pytest.mark.parametrize(
    ("y_true_shape", "y_pred_shape", "expected"),
    [
        ((32, 10), (32, 10), metrics.CategoricalAccuracy),
        ((32,), (32, 10), metrics.SparseCategoricalAccuracy),
        ((32, 1), (32, 10), metrics.SparseCategoricalAccuracy),
        ((32, 1), (32, 1), metrics.BinaryAccuracy),
        ((32,), (32, 1), metrics.BinaryAccuracy),
        ((4, 28, 28), (4, 28, 28, 3), metrics.SparseCategoricalAccuracy),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_fits_the_shapes(name, y_true_shape, y_pred_shape, expected):
    metric = metrics.get(name, y_true_shape, y_pred_shape)
    assert (type(metric), metric.name) == (expected, name)


def test_accuracy_without_shapes_compares():
    assert type(metrics.get("accuracy")) is metrics.Accuracy


def test_a_function_of_your_own():
    def largest_error(y_true, y_pred):
        return np.abs(y_true - y_pred).max(axis=-1)

    metric = metrics.get(largest_error)
    assert metric.name == "largest_error"
    assert metric(ONE_HOT, ONE_HOT + 2) == 2.0
    assert metric.get_config()["fn"] == "largest_error"


def test_names():
    assert metrics.TopKCategoricalAccuracy().name == "top_k_categorical_accuracy"
    assert metrics.Recall().name == "recall"
    assert metrics.Precision(name="p").name == "p"
    assert metrics.get("mse").name == "mean_squared_error"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.TopKCategoricalAccuracy(k=0), "k is 0, expected a whole number"),
        (lambda: metrics.BinaryAccuracy(threshold=2), "threshold is 2, expected a number between"),
        (lambda: metrics.Recall(thresholds=[0.5]), r"thresholds is \[0.5\]"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds is 1, expected at least 2"),
        (lambda: metrics.AUC(curve="PR"), "curve is 'PR', expected 'ROC'"),
        (lambda: metrics.SensitivityAtSpecificity(95), "specificity is 95, expected a number"),
        (lambda: metrics.SpecificityAtSensitivity(-1), "sensitivity is -1, expected a number"),
        (lambda: metrics.get("acuracy"), "did you mean 'accuracy'"),
    ],
)
def test_misuse(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize("metric", [metrics.MeanSquaredError(), metrics.Accuracy()])
def test_what_is_no_number(metric):
    with pytest.raises(DTypeError, match=r"of dtype <U1, expected numbers"):
        metric.update_state([["a"]], [["a"]])


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans(), st.integers(0, 4)), min_size=1))
def test_the_area_is_how_probably_a_positive_is_ranked_above_a_negative(samples):
    """With thresholds between all probabilities there is no approximation: ties count half."""
    percent, wanted, weights = np.array(samples).T
    area = metrics.AUC(num_thresholds=202)(wanted, percent / 100, weights)
    higher = np.sign(percent[:, None] - percent)
    pairs = (wanted[:, None] * weights[:, None]) * ((1 - wanted) * weights)
    total = pairs.sum()
    assert area == pytest.approx(np.sum(pairs * (1 + higher) / 2) / total if total else 0.0)


def test_nan_is_a_no_at_every_threshold():
    assert metrics.AUC()([1, 0], [np.nan, 0.5]) == 0.0
    assert metrics.SensitivityAtSpecificity(0.0)([1, 0], [np.nan, 0.5]) == 0.0


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]])
def test_one_class_alone_makes_no_curve(labels):
    assert metrics.AUC()(labels, [0.2, 0.8]) == 0.0


def test_what_nobody_was_tested_for_is_zero():
    assert metrics.SensitivityAtSpecificity(0.0)([1, 1], [0.2, 0.8]) == 0.0
    assert metrics.SpecificityAtSensitivity(0.0)([1, 1], [0.2, 0.8]) == 0.0


def test_no_threshold_is_specific_enough():
    """A negative as sure as can be: only above 1 there would be no false alarm."""
    metric = metrics.SensitivityAtSpecificity(1.0)
    assert metric([1, 0], [1.0, 1.5]) == 0.0


def test_a_class_that_is_not_there():
    with pytest.raises(ShapeError, match=r"class_id is 3, expected 0 to 2; y_pred is \(4, 3\)"):
        metrics.Recall(class_id=3)(ONE_HOT, PREDICTED)
