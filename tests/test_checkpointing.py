"""Checkpointing: the same gradients, to any order, from less memory."""

import gc
import tracemalloc

import numpy as np
import pytest

from tinydl import Tensor, checkpoint, grad, hessian, jacobian, layers, no_grad, ops, tensor
from tinydl.errors import DTypeError, GradientError
from tinydl.testing import gradcheck

RNG = np.random.default_rng(0)


def leaf(*shape):
    return tensor(RNG.normal(size=shape), requires_grad=True)


def count_tensors():
    gc.collect()
    return sum(isinstance(one, Tensor) for one in gc.get_objects())


def deep(x, w, depth=50):
    for _ in range(depth):
        x = (x @ w).tanh()
    return x


def gradients(f, x, parameters, order=2):
    """The gradients of a sum of squares of f, and those of a sum of their squares."""
    y = f(x)
    first = grad((y * y).sum(), parameters, create_graph=True)
    if order == 1:
        return first
    return [*first, *grad(sum((g * g).sum() for g in first), parameters)]


def assert_same(f, x, parameters, order=2):
    expected = gradients(f, x, parameters, order)
    for ours, theirs in zip(gradients(checkpoint(f), x, parameters, order), expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


class TestTheSameGradients:
    def test_of_arguments_and_of_parameters_it_uses(self):
        w, b, x = leaf(3, 3), leaf(3), leaf(2, 3)
        assert_same(lambda x: (x @ w + b).tanh(), x, [x, w, b])

    def test_of_parameters_only(self):
        w = leaf(3, 3)
        assert_same(lambda x: (x @ w).tanh() @ w, tensor(RNG.normal(size=(2, 3))), [w])

    def test_of_results_it_uses_that_were_made_outside(self):
        w = leaf(3)
        scaled = w * 2.0
        assert_same(lambda x: (x * scaled * w).tanh(), w * w, [w])

    def test_when_the_argument_is_used_outside_as_well(self):
        x = leaf(3)
        assert_same(lambda z: checkpoint(lambda u: u.exp() * z)(z) * z, x, [x])

    def test_one_after_the_other_and_one_in_the_other(self):
        w, x = leaf(3, 3), leaf(2, 3)

        def inner(z):
            return (z @ w).tanh()

        def chain(z):
            return checkpoint(lambda u: inner(checkpoint(inner)(u)) + u)(checkpoint(inner)(z))

        assert_same(chain, x, [x, w])

    def test_with_settings_by_name(self):
        x, w = leaf(3), leaf(3)

        @checkpoint
        def f(x, power=1, scale=None):
            return (x**power * scale).sum()

        y = f(x * x, power=2, scale=w)
        np.testing.assert_allclose(grad(y, w).numpy(), x.numpy() ** 4)
        np.testing.assert_allclose(grad(y, x).numpy(), 4 * x.numpy() ** 3 * w.numpy())

    def test_of_parameters_made_at_the_first_call(self):
        layer, x = layers.Dense(2, activation="tanh"), leaf(3, 4)
        y = checkpoint(layer)(x)
        ours = grad((y * y).sum(), [x, layer.kernel, layer.bias])
        theirs = gradients(layer, x, [x, layer.kernel, layer.bias], order=1)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)

    def test_to_third_order(self):
        w = RNG.normal(size=(2, 2))
        gradcheck(checkpoint(lambda x: (x @ tensor(w)).tanh() * x), [RNG.normal(size=2)], order=3)

    def test_in_functions_of_functions(self):
        x = RNG.normal(size=3)

        def f(x):
            return (x * x.exp()).sum()

        np.testing.assert_allclose(hessian(checkpoint(f))(x).numpy(), hessian(f)(x).numpy())
        np.testing.assert_allclose(
            jacobian(lambda w: checkpoint(lambda z: (z * w).tanh())(w))(x).numpy(),
            jacobian(lambda w: (w * w).tanh())(x).numpy(),
        )

    def test_backward_twice_adds_up(self):
        w = leaf(3)
        y = checkpoint(lambda: (w * w).sum())()
        y.backward()
        y.backward()
        np.testing.assert_allclose(w.grad.numpy(), 4 * w.numpy())

    def test_only_some_of_the_gradients_are_wanted(self):
        w, x = leaf(3), leaf(3)
        y = checkpoint(lambda z: (z * w).sum())(x)
        np.testing.assert_array_equal(grad(y, x).numpy(), w.numpy())
        np.testing.assert_array_equal(grad(y, w).numpy(), x.numpy())


class TestNothingToDo:
    def test_without_recording(self):
        w = leaf(3)
        with no_grad():
            assert not checkpoint(lambda: w * 2.0)().requires_grad

    def test_without_anything_that_requires_a_gradient(self):
        assert checkpoint(lambda x: x * 2.0)(tensor([1.0])).is_leaf

    def test_returning_an_argument(self):
        x = leaf(3)
        assert checkpoint(lambda z: z)(x) is x


class TestMemory:
    def test_forward_keeps_only_results(self):
        w, x = leaf(4, 4), leaf(2, 4)
        before = count_tensors()
        y = checkpoint(deep)(x, w)
        kept = count_tensors() - before
        assert kept == 2  # the result, and the node that hands the gradients out
        assert count_tensors() - before == kept
        assert y.requires_grad

    def test_nothing_stays_behind_after_backward(self):
        w, x = leaf(4, 4), leaf(2, 4)
        before = count_tensors()
        gc.disable()
        try:
            y = checkpoint(deep)(x, w).sum()
            y.backward()
            del y
            left = sum(isinstance(one, Tensor) for one in gc.get_objects())
        finally:
            gc.enable()
        assert left - before == 2  # the gradients of x and w, and no cycle that holds more

    def test_the_peak_is_lower(self):
        w, x = leaf(8, 8), leaf(500, 8)

        def peak(piece):
            tracemalloc.start()
            y = x
            for _ in range(8):
                y = piece(y, w, depth=8)
            y.sum().backward()
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        assert peak(checkpoint(deep)) < 0.5 * peak(deep)

    def test_computed_again_once_for_all_gradients(self):
        calls = []
        a, b, c = leaf(2), leaf(2), leaf(2)

        def f(a, b, c):
            calls.append(1)
            return (a * b * c).sum()

        checkpoint(f)(a, b, c).backward()
        assert len(calls) == 2


class TestRefusals:
    def test_a_function_that_draws_random_numbers(self):
        rng, w = np.random.default_rng(0), leaf(3)
        y = checkpoint(lambda: (w * rng.normal(size=3)).sum())()
        with pytest.raises(GradientError, match=r"returned something else.*random numbers outside"):
            y.backward()

    def test_a_parameter_assigned_before_backward(self):
        w = leaf(3)
        y = checkpoint(lambda: (w * w).sum())()
        w.assign(np.zeros(3))
        with pytest.raises(GradientError, match=r"before assign\(\)"):
            y.backward()

    def test_several_results(self):
        with pytest.raises(DTypeError, match="checkpoint: the result of f is tuple"):
            checkpoint(lambda x: (x, x))(leaf(3))

    def test_nan_is_the_same_as_nan(self):
        w = leaf(2)
        y = checkpoint(lambda: ops.log(w * 0.0 - 1.0).sum())()
        assert np.isnan(y.item())
        y.backward()
