"""Derivatives as functions, against formulas known by heart and against each other."""

import numpy as np
import pytest

import tinydl
from tinydl import hessian, hvp, jacobian, jvp, ops, tensor, value_and_grad, vjp
from tinydl.errors import ArgumentError, DTypeError, GradientError, ShapeError
from tinydl.testing import gradcheck

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(3, 3)), RNG.normal(size=(3,))


def curve(x):
    return ops.tanh(A @ x) * x


def two_arguments(x, y):
    return (x * x * y.sum()).sum()


class TestValueAndGrad:
    def test_of_a_square(self):
        value, gradient = value_and_grad(lambda x: (x * x).sum())(B)
        assert value.item() == pytest.approx(B @ B)
        np.testing.assert_allclose(gradient.numpy(), 2 * B)
        assert not value.requires_grad
        assert not gradient.requires_grad

    def test_by_several_arguments(self):
        _, gradients = value_and_grad(two_arguments, (0, -1))(B, A)
        np.testing.assert_allclose(gradients[0].numpy(), 2 * B * A.sum())
        np.testing.assert_allclose(gradients[1].numpy(), np.full((3, 3), B @ B))

    def test_zero_where_the_result_does_not_depend_on_an_argument(self):
        _, gradients = value_and_grad(lambda x, y: x.sum(), (0, 1))(B, A)
        np.testing.assert_array_equal(gradients[1].numpy(), np.zeros((3, 3)))
        _, gradient = value_and_grad(lambda x: tensor(1.0))(B)
        np.testing.assert_array_equal(gradient.numpy(), np.zeros(3))

    def test_other_uses_of_the_same_tensor_do_not_count(self):
        w = tensor(B, requires_grad=True)
        _, gradient = value_and_grad(lambda x: (w * x).sum())(w)
        np.testing.assert_allclose(gradient.numpy(), B)

    def test_settings_by_name_and_python_numbers(self):
        value, gradient = value_and_grad(lambda x, power: x**power)(3.0, power=2)
        assert (value.item(), gradient.item(), gradient.dtype) == (9.0, 6.0, np.float32)

    def test_under_no_grad(self):
        with tinydl.no_grad():
            _, gradient = value_and_grad(lambda x: (x * x).sum())(tensor(B, requires_grad=True))
            assert not tinydl.is_grad_enabled()
        np.testing.assert_allclose(gradient.numpy(), 2 * B)
        assert not gradient.requires_grad

    def test_a_gradient_penalty_reaches_parameters_the_function_uses(self):
        w = tensor(B, requires_grad=True)
        _, gradient = value_and_grad(lambda x: (w * x * x).sum())(np.ones(3))
        (gradient * gradient).sum().backward()
        np.testing.assert_allclose(w.grad.numpy(), 8 * B)

    def test_nested_by_hand(self):
        cube = lambda x: x**3  # noqa: E731  (each derivative is a function like it)
        first = lambda x: value_and_grad(cube)(x)[1]  # noqa: E731
        second = lambda x: value_and_grad(first)(x)[1]  # noqa: E731
        third = value_and_grad(second)
        assert [v.item() for v in third(2.0)] == [12.0, 6.0]

    def test_a_gradient_passes_the_checker(self):
        gradcheck(lambda x: value_and_grad(lambda z: (z.exp() * z).sum())(x)[1], [B], order=2)

    def test_nothing_is_stored_in_the_arguments(self):
        w = tensor(B, requires_grad=True)
        value_and_grad(lambda x: (x * w).sum())(w)
        assert w.grad is None


class TestJacobianAndHessian:
    def test_shapes_and_values(self):
        def f(x):
            return ops.einsum("ij,jk->ik", A, x)

        x = RNG.normal(size=(3, 2))
        j = jacobian(f)(x).numpy()
        assert j.shape == (3, 2, 3, 2)
        np.testing.assert_allclose(j, np.einsum("ij,kl->ikjl", A, np.eye(2)))

    def test_by_several_arguments(self):
        by_x, by_y = jacobian(lambda x, y: x * y.sum(), (0, 1))(B, A)
        np.testing.assert_allclose(by_x.numpy(), np.eye(3) * A.sum())
        np.testing.assert_allclose(by_y.numpy(), np.broadcast_to(B[:, None, None], (3, 3, 3)))

    def test_of_nothing_and_of_a_constant(self):
        assert jacobian(lambda x: x[:0])(B).shape == (0, 3)
        assert jacobian(lambda x: x * 1.0)(np.zeros(0)).shape == (0, 0)
        np.testing.assert_array_equal(
            jacobian(lambda x: tensor([1.0]))(B).numpy(), np.zeros((1, 3))
        )

    def test_the_hessian_of_a_quadratic_form(self):
        h = hessian(lambda x: x @ A @ x)(B)
        np.testing.assert_allclose(h.numpy(), A + A.T)
        assert not h.requires_grad

    def test_the_hessian_of_something_linear_is_zero(self):
        np.testing.assert_array_equal(hessian(lambda x: (x * B).sum())(B).numpy(), np.zeros((3, 3)))

    def test_blocks(self):
        (xx, xy), (yx, yy) = hessian(two_arguments, (0, 1))(B, A)
        np.testing.assert_allclose(xx.numpy(), 2 * np.eye(3) * A.sum())
        np.testing.assert_allclose(xy.numpy(), np.broadcast_to(2 * B[:, None, None], (3, 3, 3)))
        np.testing.assert_allclose(yx.numpy(), xy.numpy().transpose(1, 2, 0))
        np.testing.assert_array_equal(yy.numpy(), np.zeros((3, 3, 3, 3)))

    def test_third_derivatives(self):
        t = jacobian(hessian(lambda x: (x**4).sum()))(B).numpy()
        expected = np.zeros((3, 3, 3))
        expected[np.arange(3), np.arange(3), np.arange(3)] = 24 * B
        np.testing.assert_allclose(t, expected)


class TestProducts:
    def test_vjp_and_jvp_are_the_jacobian_times_a_vector(self):
        j = jacobian(curve)(B).numpy()
        v = RNG.normal(size=3)
        y, down = vjp(curve, B)
        np.testing.assert_allclose(y.numpy(), curve(tensor(B)).numpy())
        np.testing.assert_allclose(down(v)[0].numpy(), v @ j)
        np.testing.assert_allclose(down(2 * v)[0].numpy(), 2 * v @ j)
        y, y_dot = jvp(curve, (B,), (v,))
        np.testing.assert_allclose(y_dot.numpy(), j @ v)
        assert not y_dot.requires_grad
        assert not y.requires_grad

    def test_several_arguments(self):
        _, y_dot = jvp(two_arguments, (B, A), (np.ones(3), np.eye(3)))
        assert y_dot.item() == pytest.approx(2 * B.sum() * A.sum() + 3 * (B @ B))
        by_x, by_y = vjp(two_arguments, B, A)[1](2.0)
        np.testing.assert_allclose(by_x.numpy(), 4 * B * A.sum())
        np.testing.assert_allclose(by_y.numpy(), np.full((3, 3), 2 * (B @ B)))

    def test_jvp_through_what_is_linear_constant_or_without_gradient(self):
        np.testing.assert_array_equal(jvp(lambda x: x, (B,), (B,))[1].numpy(), B)
        np.testing.assert_array_equal(
            jvp(lambda x: ops.sign(x), (B,), (B,))[1].numpy(), np.zeros(3)
        )
        np.testing.assert_array_equal(jvp(lambda x: tensor(A), (B,), (B,))[1].numpy(), 0 * A)
        np.testing.assert_array_equal(jvp(lambda x: x.argmax(), (B,), (B,))[1].numpy(), 0)

    def test_products_can_be_differentiated_again(self):
        v = RNG.normal(size=3)
        gradcheck(lambda x, u: jvp(curve, (x,), (u,))[1], [B, v], order=2)
        gradcheck(lambda x, u: vjp(curve, x)[1](u)[0], [B, v], order=2)
        gradcheck(lambda x, u: hvp(lambda z: curve(z).sum(), x, u)[1], [B, v])

    def test_hvp_is_the_hessian_times_a_vector(self):
        def f(x):
            return (curve(x) * curve(x)).sum()

        v = RNG.normal(size=3)
        y, product = hvp(f, B, v)
        np.testing.assert_allclose(product.numpy(), hessian(f)(B).numpy() @ v)
        assert y.item() == pytest.approx(f(tensor(B)).item())
        assert not product.requires_grad

    def test_hvp_of_several_arguments(self):
        u, v = RNG.normal(size=3), RNG.normal(size=(3, 3))
        _, (by_x, by_y) = hvp(two_arguments, (B, A), (u, v))
        np.testing.assert_allclose(by_x.numpy(), 2 * u * A.sum() + 2 * B * v.sum())
        np.testing.assert_allclose(by_y.numpy(), np.full((3, 3), 2 * B @ u))

    def test_hvp_of_something_linear(self):
        np.testing.assert_array_equal(hvp(lambda x: x.sum(), B, B)[1].numpy(), np.zeros(3))


REFUSED = [
    (lambda: value_and_grad(curve)(B), GradientError, r"of shape \(3,\), expected a single number"),
    (lambda: hvp(curve, B, B), GradientError, "expected a single number"),
    (lambda: value_and_grad(curve, 1)(B), ArgumentError, "value_and_grad: argnums is 1"),
    (lambda: jacobian(curve)([1, 2, 3]), DTypeError, "jacobian: argument 0 is of dtype int64"),
    (lambda: jacobian(lambda x: x.numpy())(B), DTypeError, "the result of f is ndarray"),
    (lambda: jvp(curve, B, B), DTypeError, "jvp: primals is ndarray, expected a tuple"),
    (lambda: jvp(curve, (B,), (B, B)), ArgumentError, "the number of tangents is 2, expected 1"),
    (lambda: jvp(curve, (B,), (A,)), ShapeError, r"tangents\[0\] is \(3, 3\), expected \(3,\)"),
    (lambda: hvp(lambda x: x.sum(), B, A), ShapeError, r"hvp: v\[0\] is \(3, 3\)"),
    (lambda: vjp(curve, B)[1](A), ShapeError, r"gradient is \(3, 3\), expected \(3,\)"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
