"""Where the textbook formula overflows or cancels, ours does not; and no warning leaks out."""

import numpy as np
import pytest

from tinydl import grad, ops, tensor

EXTREMES = [-np.inf, -1e3, -1e-30, 0.0, 1e-30, 1e3, np.inf, np.nan]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
class TestAtTheExtremes:
    def test_sigmoid(self, dtype):
        x = tensor(EXTREMES, dtype=dtype, requires_grad=True)
        y = ops.sigmoid(x)
        np.testing.assert_array_equal(y.numpy(), [0, 0, 0.5, 0.5, 0.5, 1, 1, np.nan])
        np.testing.assert_array_equal(
            grad(y, x, np.ones(8)).numpy(), [0, 0, 0.25, 0.25, 0.25, 0, 0, np.nan]
        )

    def test_sigmoid_keeps_its_digits_far_left(self, dtype):
        y = ops.sigmoid(tensor([-30.0], dtype=dtype))
        np.testing.assert_allclose(y.numpy(), np.exp(-30.0), rtol=1e-6)

    def test_softplus(self, dtype):
        x = tensor([-1e3, -30.0, 0.0, 1e3], dtype=dtype, requires_grad=True)
        expected = [0.0, np.exp(-30.0), np.log(2.0), 1e3]
        np.testing.assert_allclose(ops.softplus(x).numpy(), expected, rtol=1e-6)
        np.testing.assert_allclose(
            grad(ops.softplus(x), x, np.ones(4)).numpy(), [0.0, np.exp(-30.0), 0.5, 1.0], rtol=1e-6
        )

    @pytest.mark.parametrize("shift", [-1e3, 0.0, 1e3])
    def test_softmax_and_its_logarithm_ignore_a_shift(self, dtype, shift):
        z = np.array([[0.0, 1.0, -2.0]])
        p = np.exp(z) / np.exp(z).sum()
        x = tensor(z + shift, dtype=dtype)
        np.testing.assert_allclose(ops.softmax(x).numpy(), p, rtol=1e-6)
        np.testing.assert_allclose(ops.log_softmax(x).numpy(), np.log(p), rtol=1e-4)

    def test_softmax_of_distant_scores(self, dtype):
        x = tensor([1e3, -1e3, 0.0], dtype=dtype, requires_grad=True)
        np.testing.assert_array_equal(ops.softmax(x).numpy(), [1.0, 0.0, 0.0])
        np.testing.assert_array_equal(ops.log_softmax(x).numpy(), [0.0, -2e3, -1e3])
        assert np.isfinite(grad(ops.log_softmax(x), x, [1.0, 2.0, 3.0]).numpy()).all()

    @pytest.mark.parametrize("axis", [(0, -1), None, [1, 2]])
    def test_softmax_over_several_axes(self, dtype, axis):
        z = np.random.default_rng(4).normal(size=(2, 3, 4)).astype(dtype)
        axes = axis if axis is None else tuple(axis)
        p = np.exp(z) / np.exp(z).sum(axes, keepdims=True)
        np.testing.assert_allclose(ops.softmax(z, axis).numpy(), p, rtol=1e-5)
        np.testing.assert_allclose(ops.log_softmax(z, axis).numpy(), np.log(p), rtol=1e-5)

    @pytest.mark.parametrize("shape", [(2, 0), (0, 2)])
    def test_softmax_of_nothing(self, dtype, shape):
        x = tensor(np.zeros(shape), dtype=dtype, requires_grad=True)
        for function in (ops.softmax, ops.log_softmax):
            y = function(x)
            assert y.shape == shape
            assert grad(y, x, np.ones(shape)).shape == shape

    def test_softmax_with_infinities(self, dtype):
        x = tensor([[-np.inf, 0.0, 0.0], [np.inf, 0.0, 0.0], [-np.inf] * 3], dtype=dtype)
        nan = [np.nan] * 3
        np.testing.assert_array_equal(ops.softmax(x).numpy(), [[0.0, 0.5, 0.5], nan, nan])
        np.testing.assert_array_equal(ops.log_softmax(x).numpy()[1:], [nan, nan])

    def test_logsumexp(self, dtype):
        x = tensor([1e3, 1e3], dtype=dtype)
        np.testing.assert_allclose(ops.logsumexp(x).numpy(), 1e3 + np.log(2.0), rtol=1e-6)
        assert ops.logsumexp(tensor([-np.inf, -np.inf], dtype=dtype)).item() == -np.inf
        assert ops.logsumexp(tensor([np.inf, 0.0], dtype=dtype)).item() == np.inf
        assert ops.logsumexp(tensor(np.zeros((2, 0)), dtype=dtype), axis=1).numpy().tolist() == [
            -np.inf,
            -np.inf,
        ]


def test_arithmetic_with_infinities_is_silent():
    x, y = tensor(EXTREMES, requires_grad=True), tensor(EXTREMES[::-1], requires_grad=True)
    for z in (x + y, x - y, x * y, x / y, x**y, ops.exp(x), ops.log(x), ops.sqrt(x), ops.tanh(x)):
        z.backward(np.ones(8))


class TestConventions:
    def test_relu_at_zero(self):
        x = tensor([-1.0, 0.0, 2.0, np.nan], requires_grad=True)
        np.testing.assert_array_equal(ops.relu(x).numpy(), [0.0, 0.0, 2.0, np.nan])
        np.testing.assert_array_equal(grad(ops.relu(x), x, np.ones(4)).numpy(), [0, 0, 1, 1])

    def test_absolute_at_zero(self):
        x = tensor([-2.0, 0.0, 2.0], requires_grad=True)
        np.testing.assert_array_equal(grad(abs(x), x, np.ones(3)).numpy(), [-1, 0, 1])

    @pytest.mark.parametrize("op", [ops.maximum, ops.minimum])
    def test_ties_of_two_are_shared(self, op):
        a, b = (tensor([1.0, 2.0, 2.0], requires_grad=True) for _ in range(2))
        g = grad(op(a, b), [a, b], np.ones(3))
        np.testing.assert_array_equal([h.numpy() for h in g], np.full((2, 3), 0.5))

    @pytest.mark.parametrize("op", [ops.max, ops.min])
    def test_ties_of_many_are_shared(self, op):
        x = tensor([[1.0, 1.0, 1.0, 1.0], [-5.0, 0.0, 5.0, 5.0]], requires_grad=True)
        g = grad(op(x, axis=1), x, np.ones(2)).numpy()
        np.testing.assert_array_equal(g[0], np.full(4, 0.25))
        assert g[1].sum() == 1.0

    def test_a_pool_gives_a_tie_to_the_first(self):
        x = tensor(np.ones((1, 2, 2, 1)), requires_grad=True)
        g = grad(ops.max_pool(x, 2), x, np.ones((1, 1, 1, 1)))
        np.testing.assert_array_equal(g.numpy().ravel(), [1, 0, 0, 0])

    def test_power_at_zero(self):
        x, p = tensor([0.0, 0.0, 0.0], requires_grad=True), tensor([0.0, 1.0, 2.0])
        p.requires_grad = True
        np.testing.assert_array_equal((x**p).numpy(), [1, 0, 0])
        gx, gp = grad(x**p, [x, p], np.ones(3))
        np.testing.assert_array_equal(gx.numpy(), [0, 1, 0])
        np.testing.assert_array_equal(gp.numpy(), [0, 0, 0])

    def test_repeated_indices_add_their_gradients(self):
        x = tensor([1.0, 2.0, 3.0], requires_grad=True)
        g = grad(x[np.array([2, 0, 2])], x, np.array([1.0, 10.0, 100.0]))
        np.testing.assert_array_equal(g.numpy(), [10, 0, 101])

    def test_average_pool_counts_only_real_elements(self):
        x = np.ones((1, 3, 3, 1))
        y = ops.average_pool(x, 2, strides=2, padding="same").numpy()
        np.testing.assert_array_equal(y, np.ones((1, 2, 2, 1)))
