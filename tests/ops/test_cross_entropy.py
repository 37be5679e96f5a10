"""Cross-entropies: the formulas, their stable forms, exact gradients, and what they refuse."""

import numpy as np
import pytest

from tinydl import grad, ops, tensor
from tinydl.errors import DataError, DTypeError, ShapeError
from tinydl.testing import gradcheck

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(4, 3))
LABELS = np.array([0, 2, 1, 2])
ONE_HOT = np.eye(3)[LABELS]
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_after_a_softmax_is_exactly_p_minus_y(dtype):
    z = tensor(LOGITS, dtype=dtype, requires_grad=True)
    p = ops.softmax(z)
    loss = ops.categorical_crossentropy(ONE_HOT, p).sum()
    np.testing.assert_array_equal(grad(loss, z).numpy(), p.numpy() - ONE_HOT.astype(dtype))


def test_all_roads_give_the_same_loss():
    expected = -np.log(P[np.arange(4), LABELS])
    p, z = tensor(P), tensor(LOGITS, requires_grad=True)
    for loss in (
        ops.categorical_crossentropy(ONE_HOT, p),
        ops.categorical_crossentropy(ONE_HOT, LOGITS, from_logits=True),
        ops.categorical_crossentropy(ONE_HOT, ops.softmax(z)),
        ops.categorical_crossentropy(ONE_HOT.T, ops.softmax(z.T, axis=0), axis=0),
        ops.sparse_categorical_crossentropy(LABELS, p),
        ops.sparse_categorical_crossentropy(LABELS[:, None], p),
        ops.sparse_categorical_crossentropy(LABELS.astype(float), p),
        ops.sparse_categorical_crossentropy(LABELS, ops.softmax(z)),
        ops.sparse_categorical_crossentropy(LABELS, LOGITS, from_logits=True),
    ):
        np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-6)


def test_probabilities_need_not_add_up_to_one():
    np.testing.assert_allclose(
        ops.categorical_crossentropy([[0.0, 1.0]], [[3.0, 1.0]]).numpy(), np.log(4.0), rtol=1e-6
    )


def test_hopelessly_wrong_scores_have_a_finite_loss_and_gradient():
    z = tensor([[1e3, -1e3]], requires_grad=True)
    loss = ops.categorical_crossentropy([[0.0, 1.0]], ops.softmax(z))
    assert loss.item() == 2e3
    np.testing.assert_array_equal(grad(loss.sum(), z).numpy(), [[1.0, -1.0]])


def test_a_probability_of_zero_is_clipped():
    loss = ops.categorical_crossentropy([[0.0, 1.0]], [[1.0, 0.0]])
    assert loss.item() == pytest.approx(-np.log(1e-7), rel=1e-5)


def test_binary():
    t, z = np.array([1.0, 0.0, 1.0, 0.3]), np.array([2.0, -1.0, -3.0, 0.5])
    p = 1 / (1 + np.exp(-z))
    expected = -t * np.log(p) - (1 - t) * np.log(1 - p)
    x = tensor(z, requires_grad=True)
    for loss in (
        ops.binary_crossentropy(t, p),
        ops.binary_crossentropy(t, z, from_logits=True),
        ops.binary_crossentropy(t, ops.sigmoid(x)),
    ):
        np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-6)
    g = grad(ops.binary_crossentropy(t, ops.sigmoid(x)).sum(), x)
    np.testing.assert_allclose(g.numpy(), p - t, rtol=1e-12)


def test_binary_at_the_extremes():
    z = tensor([1e3, -1e3], requires_grad=True)
    loss = ops.binary_crossentropy([0.0, 1.0], ops.sigmoid(z))
    np.testing.assert_array_equal(loss.numpy(), [1e3, 1e3])
    np.testing.assert_array_equal(grad(loss.sum(), z).numpy(), [1.0, -1.0])


def test_an_impossible_class_that_does_not_happen_costs_nothing():
    z = tensor([[0.0, -np.inf, 0.0]], requires_grad=True)
    loss = ops.sparse_categorical_crossentropy([0], z, from_logits=True)
    np.testing.assert_allclose(loss.numpy(), [np.log(2)], rtol=1e-6)
    np.testing.assert_array_equal(grad(loss.sum(), z).numpy(), [[-0.5, 0.0, 0.5]])
    assert ops.sparse_categorical_crossentropy([1], z, from_logits=True).item() == np.inf


def test_certain_answers_in_the_limit():
    z = [np.inf, -np.inf, np.inf, -np.inf]
    loss = ops.binary_crossentropy([1.0, 1.0, 0.0, 0.0], z, from_logits=True)
    np.testing.assert_array_equal(loss.numpy(), [0.0, np.inf, np.inf, 0.0])


def test_binary_from_logits_keeps_its_digits():
    loss = ops.binary_crossentropy([1.0, 0.0], [30.0, -30.0], from_logits=True)
    np.testing.assert_allclose(loss.numpy(), np.exp([-30.0, -30.0]), rtol=1e-6)


def test_classes_along_another_axis():
    z = np.random.default_rng(1).normal(size=(3, 5, 2))
    labels = np.random.default_rng(2).integers(0, 5, (3, 2))
    last = ops.sparse_categorical_crossentropy(labels, z.swapaxes(1, 2), from_logits=True)
    other = ops.sparse_categorical_crossentropy(labels, z, from_logits=True, axis=1)
    np.testing.assert_allclose(other.numpy(), last.numpy(), rtol=1e-12)


def test_a_softmax_over_other_axes_is_not_undone():
    """Its rows do not add up to 1; each is divided by its sum."""
    p = ops.softmax(tensor(LOGITS, requires_grad=True), axis=(0, 1))
    loss = ops.categorical_crossentropy(ONE_HOT, p)
    np.testing.assert_allclose(loss.numpy(), -np.log(P[np.arange(4), LABELS]), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_scores_that_are_whole(dtype):
    z = np.array([[0, 1, 1]], dtype)
    for loss in (
        ops.sparse_categorical_crossentropy([1], z, from_logits=True),
        ops.categorical_crossentropy([[0, 1, 0]], z, from_logits=True),
        ops.binary_crossentropy([[0, 1, 0]], z, from_logits=True),
    ):
        assert loss.dtype == np.float32


def test_gradients_to_second_order():
    gradcheck(lambda z: ops.categorical_crossentropy(ONE_HOT, ops.softmax(z)), [LOGITS], order=2)
    gradcheck(lambda t, p: ops.categorical_crossentropy(t, p), [ONE_HOT + 0.1, P], order=2)
    gradcheck(lambda z: ops.binary_crossentropy(ONE_HOT, ops.sigmoid(z)), [LOGITS], order=2)
    gradcheck(lambda t, p: ops.binary_crossentropy(t, p), [P.copy(), P], order=2)


class TestRefusals:
    @pytest.mark.parametrize("wrong", [3, -1, 100])
    def test_a_label_out_of_range(self, wrong):
        with pytest.raises(DataError, match=rf"a label is {wrong}, expected 0 to 2"):
            ops.sparse_categorical_crossentropy([0, 1, 2, wrong], P)

    def test_labels_that_are_not_whole(self):
        with pytest.raises(DTypeError, match="whole numbers"):
            ops.sparse_categorical_crossentropy([0.5, 1.0, 2.0, 0.0], P)

    def test_sparse_labels_for_the_dense_loss(self):
        with pytest.raises(ShapeError, match=r"target is \(4,\), expected \(4, 3\).*sparse_categ"):
            ops.categorical_crossentropy(LABELS, P)

    def test_dense_labels_for_the_sparse_loss(self):
        with pytest.raises(ShapeError, match=r"target is \(4, 3\), expected \(4,\).*one-hot"):
            ops.sparse_categorical_crossentropy(ONE_HOT, P)

    def test_binary_shapes(self):
        with pytest.raises(ShapeError, match=r"target is \(4,\), expected \(4, 1\)"):
            ops.binary_crossentropy(np.ones(4), np.ones((4, 1)))
