"""The engine: order, accumulation, higher derivatives, recording, and what it refuses."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinydl
from tinydl import grad, no_grad, ops, tensor
from tinydl.engine import Op, enable_grad, rule, topological_order
from tinydl.errors import DTypeError, GradientError, ShapeError


def leaf(value, **settings):
    return tensor(np.array(value, dtype=np.float64), requires_grad=True, **settings)


def test_gradients_add_up_over_every_use():
    x = leaf(3.0)
    y = x * x + x
    y.backward()
    assert x.grad.item() == 7.0


def test_a_diamond_is_walked_once_per_tensor():
    x = leaf(2.0)
    a = x * 3.0
    b, c = a * a, a + 1.0
    assert grad(b * c, x).item() == pytest.approx(3 * (2 * 6 * 7 + 36))


def test_an_input_that_meets_the_output_at_different_depths():
    x = leaf(1.5)
    y = x
    for _ in range(5):
        y = y * x
    assert grad(y, x).item() == pytest.approx(6 * 1.5**5)


def test_a_second_backward_adds_the_same_gradient_again():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    first = x.grad.numpy().copy()
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * first)


def test_grad_changes_nothing():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    grad(y, x)
    assert x.grad is None
    assert y.grad is None


def test_interior_tensors_keep_a_gradient_only_on_request():
    x = leaf(2.0)
    a, b = x * 3.0, x * 5.0
    a.retain_grad()
    (a * b).backward()
    assert a.grad.item() == 10.0
    assert b.grad is None


def test_grad_with_respect_to_an_interior_tensor():
    x = leaf(2.0)
    a = x * 3.0
    assert grad(a * a, a).item() == 12.0
    both = grad(a * a, [a, x])
    assert [g.item() for g in both] == [12.0, 36.0]


def test_only_paths_to_the_wanted_inputs_are_walked():
    class Untouchable(Op, abstract=True):
        input_names = ("x",)

        def forward(self, x):
            return x

        @rule("never called")
        def x(self, y_bar, y, x):
            raise AssertionError("this rule was not needed")

    x, w = leaf(2.0), leaf(3.0)
    assert grad(Untouchable()(x) * w, w).item() == 2.0


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_derivatives_of_any_order(order):
    x = leaf(0.7)
    y = ops.exp(2.0 * x)
    for _ in range(order):
        y = grad(y, x, create_graph=True)
    assert y.item() == pytest.approx(2**order * np.exp(1.4))


def test_backward_with_create_graph_leaves_differentiable_gradients():
    x = leaf(3.0)
    (x * x * x).backward(create_graph=True)
    assert grad(x.grad, x).item() == 18.0


def test_a_hessian_through_convolution_is_symmetric():
    rng = np.random.default_rng(0)
    x, w = leaf(rng.normal(size=(1, 4, 4, 2))), leaf(rng.normal(size=(2, 2, 2, 1)))
    y = (ops.tanh(ops.conv(x, w)) ** 2).sum()
    w_bar = grad(y, w, create_graph=True)
    rows = [grad(w_bar.reshape(8)[i], w).numpy().reshape(8) for i in range(8)]
    np.testing.assert_allclose(rows, np.transpose(rows), atol=1e-12)
    assert np.abs(rows).min() > 0


def test_a_chain_of_100_000_ops():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + x
    assert len(topological_order([y])) == 100_001
    y.backward()
    assert x.grad.item() == 100_001.0
    del y  # freeing a long chain must not overflow the stack either


def test_no_garbage_is_left_for_the_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf([1.0, 2.0])
        y = (ops.exp(x) * x).sum()
        interior = weakref.ref(y.inputs[0])
        y.backward()
        del y
        assert interior() is None
    finally:
        gc.enable()


def test_a_number_takes_the_dtype_beside_it_or_is_refused():
    assert (tensor([1.0]) * 1e300).numpy().tolist() == [np.inf]
    assert (tensor([1.0], dtype="float64") * 1e300).numpy().tolist() == [1e300]
    with pytest.raises(DTypeError, match="a number is -1, expected one that fits into uint8"):
        tensor([1], dtype="uint8") + (-1)


def test_a_value_error_that_is_not_about_shapes_is_not_called_so():
    class Refuse(Op, abstract=True):
        input_names = ("x1", "x2")
        broadcasts = True

        def forward(self, x1, x2):
            raise ValueError("no even numbers")

    with pytest.raises(ValueError, match="no even numbers"):
        Refuse()(leaf([1.0, 2.0]), 1.0)
    with pytest.raises(ShapeError, match=r"x1 is \(2,\), x2 is \(3,\); these shapes do not"):
        ops.add(leaf([1.0, 2.0]), leaf([1.0, 2.0, 3.0]))


def test_unbroadcasting():
    a, b = leaf(np.ones((2, 3, 4))), leaf(np.ones((3, 1)))
    (a * b).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), np.ones((2, 3, 4)))
    np.testing.assert_array_equal(b.grad.numpy(), np.full((3, 1), 8.0))


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_unbroadcasting_of_empty_axes(n, m, k):
    a, b = leaf(np.ones((n, 1, k))), leaf(np.ones((m, 1)))
    y = a + b
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(a.grad.numpy(), np.full((n, 1, k), float(m)))
    np.testing.assert_array_equal(b.grad.numpy(), np.full((m, 1), float(n * k)))


def test_a_rule_of_the_wrong_shape_is_named():
    class Wrong(Op, abstract=True):
        name = "wrong"
        input_names = ("x",)

        def forward(self, x):
            return x

        @rule("")
        def x(self, y_bar, y, x):
            return y_bar.sum()

    with pytest.raises(GradientError, match=r"wrong: the gradient rule of x .*\(\).*\(2,\)"):
        Wrong()(leaf([1.0, 2.0])).backward(np.ones(2))


class TestRecording:
    def test_no_grad_as_context_and_decorator(self):
        x = leaf(1.0)
        with no_grad():
            assert not (x * x).requires_grad
            with enable_grad():
                assert (x * x).requires_grad
        assert (x * x).requires_grad

        @no_grad()
        def square(x):
            return x * x

        assert not square(x).requires_grad
        assert (x * x).requires_grad

    def test_an_error_inside_restores_recording(self):
        x = leaf(1.0)
        with pytest.raises(ZeroDivisionError), no_grad():
            raise ZeroDivisionError
        assert (x * x).requires_grad

    def test_other_threads_are_not_affected(self):
        seen = []
        with no_grad():
            thread = threading.Thread(target=lambda: seen.append((leaf(1.0) * 2.0).requires_grad))
            thread.start()
            thread.join()
        assert seen == [True]

    def test_detach_stops_the_gradient(self):
        x = leaf(3.0)
        (x * x.detach()).backward()
        assert x.grad.item() == 3.0

    def test_whole_numbers_and_comparisons_are_not_recorded(self):
        x = leaf([1.0, 2.0])
        assert not (x > 1.0).requires_grad
        assert not x.argmax().requires_grad
        assert not x.astype("int64").requires_grad


class TestChangesInPlace:
    def test_a_changed_input_is_named(self):
        w = leaf([1.0, 2.0], name="dense/kernel")
        y = (w * w).sum()
        w.assign([3.0, 4.0])
        with pytest.raises(GradientError, match=r"multiply: its input x1 \(dense/kernel\)"):
            y.backward()

    def test_assigning_the_data_attribute_is_noticed_too(self):
        w = leaf([1.0, 2.0])
        y = ops.exp(w)
        w.data = np.zeros(2)
        with pytest.raises(GradientError, match="exp: its input x"):
            y.backward(np.ones(2))

    def test_arrays_cannot_be_written_to(self):
        w = leaf([1.0, 2.0])
        for array in (w.data, w.numpy(), np.asarray(w), (w * 2.0).data, w.reshape(2, 1).data):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 5.0
        with pytest.raises(GradientError, match="do not change in place"):
            w[0] = 5.0

    def test_the_caller_s_array_is_copied(self):
        array = np.array([1.0, 2.0])
        w, x = tensor(array, requires_grad=True), leaf([1.0, 1.0])
        y = (x * array * w).sum()
        array[:] = 0.0
        y.backward()
        np.testing.assert_array_equal(x.grad.numpy(), [1.0, 4.0])
        array[0] = 7.0  # and stays writable

    def test_assign_then_compute_again(self):
        w = leaf([1.0, 2.0])
        w.assign([3.0, 4.0])
        (w * w).sum().backward()
        np.testing.assert_array_equal(w.grad.numpy(), [6.0, 8.0])

    def test_augmented_assignment_makes_a_new_tensor(self):
        x = leaf(2.0)
        y = x * x
        before = y
        y += 1.0
        assert y is not before
        assert grad(y, x).item() == 4.0

    def test_gradients_of_different_leaves_are_independent(self):
        a, b = leaf(1.0), leaf(2.0)
        (a + b).backward()
        a.grad.assign(0.0)
        assert b.grad.item() == 1.0

    def test_only_leaves_are_assigned(self):
        with pytest.raises(GradientError, match="only leaves"):
            (leaf(1.0) * 2.0).assign(3.0)
        with pytest.raises(ShapeError, match=r"value is \(3,\), expected \(2,\)"):
            leaf([1.0, 2.0]).assign([1.0, 2.0, 3.0])


class TestDtypes:
    def test_defaults(self):
        assert tensor(1.0).dtype == np.float32
        assert tensor([1, 2]).dtype == np.int64
        assert tensor(np.ones(2)).dtype == np.float64
        assert tensor([True]).dtype == np.bool_

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize("number", [2, 2.0, True, np.float64(2.0)])
    def test_python_numbers_never_upcast(self, dtype, number):
        x = tensor([1.0, 2.0], dtype=dtype)
        for y in (x + number, number - x, x * number, x**number, number / x):
            assert y.dtype == np.dtype(dtype)

    def test_a_float_beside_whole_numbers_gives_the_default_dtype(self):
        assert (tensor([1, 2]) * 0.5).dtype == np.float32
        assert (tensor([1, 2]) * 2).dtype == np.int64
        assert (tensor([1, 2]) * tensor([0.5, 0.5])).dtype == np.float32

    def test_mixed_precision_gives_each_input_a_gradient_of_its_own_dtype(self):
        a, b = tensor([1.0], requires_grad=True), leaf([2.0])
        (a * b).sum().backward()
        assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)

    def test_foreign_byte_order_becomes_native(self):
        x = tensor(np.array([1.0, 2.0], dtype=">f4"))
        assert x.dtype.isnative
        np.testing.assert_array_equal(x.numpy(), [1.0, 2.0])

    @pytest.mark.parametrize("data", [["a"], [None], [1j], [object()]])
    def test_what_is_not_a_number_is_refused(self, data):
        with pytest.raises(DTypeError, match="tensor: data"):
            tensor(data)

    @pytest.mark.parametrize("nest", [lambda x: [0.0, x], lambda x: [[1.0], (x,)]])
    def test_a_list_would_lose_gradients(self, nest):
        with pytest.raises(GradientError, match=r"would be lost.*ops\.stack"):
            tensor(nest(leaf(2.0)))
        assert tensor(nest(leaf(2.0).detach())).size == 2

    def test_ragged_lists_are_refused(self):
        with pytest.raises(ShapeError, match="not a rectangular array"):
            tensor([[1.0], [1.0, 2.0]])

    def test_whole_numbers_cannot_require_a_gradient(self):
        with pytest.raises(DTypeError, match=r"int64.*floating"):
            tensor([1, 2], requires_grad=True)


class TestRefusals:
    def test_backward_from_several_numbers(self):
        with pytest.raises(GradientError, match=r"of shape \(2,\), expected a single number"):
            (leaf([1.0, 2.0]) * 2.0).backward()

    def test_backward_without_anything_recorded(self):
        with pytest.raises(GradientError, match="does not depend on anything"):
            tensor(1.0).backward()

    def test_a_gradient_of_another_shape(self):
        with pytest.raises(ShapeError, match=r"gradient is \(3,\), expected \(2,\)"):
            (leaf([1.0, 2.0]) * 2.0).backward(np.ones(3))

    def test_unused_inputs(self):
        x, other = leaf(1.0), leaf(1.0)
        with pytest.raises(GradientError, match=r"do not depend on inputs \[1\]"):
            grad(x * x, [x, other])
        assert grad(x * x, [x, other], allow_unused=True)[1] is None

    def test_an_input_without_requires_grad(self):
        with pytest.raises(GradientError, match=r"inputs\[0\] does not require"):
            grad(leaf(1.0) * 2.0, tensor(1.0))

    def test_the_number_of_grad_outputs(self):
        x = leaf([1.0])
        with pytest.raises(GradientError, match="grad_outputs is 1, expected 2"):
            grad([x * 2.0, x * 3.0], x, grad_outputs=[np.ones(1)])

    def test_shapes_that_do_not_broadcast(self):
        with pytest.raises(ShapeError, match=r"add: x1 is \(2,\), x2 is \(3,\)"):
            leaf([1.0, 2.0]) + leaf([1.0, 2.0, 3.0])

    def test_item_of_many(self):
        with pytest.raises(ShapeError, match="exactly one element"):
            leaf([1.0, 2.0]).item()


def test_several_outputs_add_up():
    x = leaf([1.0, 2.0])
    g = grad([x * 2.0, (x * x).sum()], x, grad_outputs=[np.ones(2), None])
    np.testing.assert_array_equal(g.numpy(), [4.0, 6.0])


def test_numpy_arrays_on_the_left_give_tensors():
    x = leaf([1.0, 2.0])
    for y in (np.ones(2) + x, np.ones(2) * x, np.ones((3, 2)) @ x, 1.0 - x, 2.0**x, 1.0 / x):
        assert isinstance(y, tinydl.Tensor)
        assert y.requires_grad


def test_operators_are_numpy_s():
    a, b = np.array([[1.0, -2.0], [3.0, 4.0]]), np.array([[2.0, 2.0], [-1.0, 0.5]])
    x, y = tensor(a), tensor(b)
    for ours, theirs in (
        (x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b), (x @ y, a @ b),
        (abs(x) ** y, abs(a) ** b), (-x, -a), (x.T, a.T), (x[0], a[0]), (x < y, a < b),
        (x == y, a == b), (x != y, a != b), (x >= y, a >= b), (x.mean(0), a.mean(0)),
        (x.max(axis=1, keepdims=True), a.max(axis=1, keepdims=True)), (x.reshape(-1), a.ravel()),
    ):  # fmt: skip
        np.testing.assert_allclose(ours.numpy(), theirs)


def test_iteration_length_and_truth():
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.numpy().tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    assert bool(tensor(1.0))
    assert float(tensor(2.5)) == 2.5
    assert [10, 20][tensor(1)] == 20


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_a_copy_is_a_leaf_of_its_own_and_younger_than_all_before(copied):
    w = leaf([1.0, 2.0], name="w")
    (w * w).sum().backward()
    again = copied(w)
    assert (again.name, again.requires_grad, again.grad.tolist()) == ("w", True, [2.0, 4.0])
    assert again.serial_number > w.serial_number
    with pytest.raises(ValueError, match="read-only"):
        again.data[0] = 5.0
    result = copied(w * 3.0)
    assert (result.tolist(), result.is_leaf, result.requires_grad) == ([3.0, 6.0], True, False)


def test_format():
    assert f"{tensor(1.5):.2f}, {tensor([1.0])}" == "1.50, tensor([1.])"


def test_repr_says_where_a_tensor_came_from():
    x = leaf([1.0])
    assert repr(x) == "tensor([1.], dtype=float64, requires_grad=True)"
    assert repr(ops.softmax(x, axis=0)) == "tensor([1.], dtype=float64, op=softmax(axis=0))"


def test_an_op_defined_by_the_user_is_a_function_at_once():
    class CubeForTest(Op):
        input_names = ("x",)
        formula = "y_i = x_i^3"

        def forward(self, x):
            return x**3

        @rule(r"\bar x_i = 3 \bar y_i x_i^2")
        def x(self, y_bar, y, x):
            return 3.0 * y_bar * x * x

    try:
        x = leaf(2.0)
        assert grad(ops.cube_for_test(x), x).item() == 12.0
    finally:
        del Op.registry["cube_for_test"]
