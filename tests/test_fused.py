"""Layers computed at once must be, to whoever looks, the ops of the textbook."""

import copy
from operator import attrgetter

import numpy as np
import pytest

from tinydl import kernels, ops, tensor
from tinydl.engine import grad, no_grad
from tinydl.errors import GradientError, ShapeError
from tinydl.fused import fused
from tinydl.layers import Conv2D, Dense
from tinydl.ops.arithmetic import Add, Multiply
from tinydl.ops.conv import Conv
from tinydl.ops.matmul import Matmul


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def inputs_of(op, rng, dtype="float64"):
    shapes = [(4, 3), (3, 5), (5,)] if op is Matmul else [(2, 5, 4, 3), (2, 3, 3, 4), (4,)]
    return [tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes]


def textbook(op, x, w, b, relu):
    y = op(x, w) + b
    return ops.relu(y) if relu else y


def computed(tensor):
    """Whether the values are there: reading the slot itself computes nothing."""
    try:
        type(tensor).data.__get__(tensor)
    except AttributeError:
        return False
    return True


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("op", [Matmul, Conv])
class TestWithBias:
    def test_values_and_gradients_of_two_orders_are_those_of_the_ops_in_turn(self, op, relu, rng):
        x, w, b = inputs_of(op, rng)

        def derivatives(y):
            first = grad((y * y).sum(), [x, w, b], create_graph=True)
            return first + grad(sum((g * g).sum() for g in first), [x, w, b])

        at_once, in_turn = op().with_bias(x, w, b, relu), textbook(op(), x, w, b, relu)
        np.testing.assert_allclose(at_once, in_turn, rtol=1e-13)
        for a, b_ in zip(derivatives(at_once), derivatives(in_turn), strict=True):
            np.testing.assert_allclose(a, b_, rtol=1e-10, atol=1e-10)

    def test_the_ops_are_recorded_one_by_one(self, op, relu, rng):
        x, w, b = inputs_of(op, rng)
        y = op().with_bias(x, w, b, relu)
        names = []
        while y.op is not None:
            names.append(y.op.name)
            y = y.inputs[0]
        assert names == ["relu"] * relu + ["add", op().name]

    def test_values_in_between_are_computed_when_asked_for(self, op, relu, rng):
        x, w, b = inputs_of(op, rng)
        y = op().with_bias(x, w, b, relu)
        between = y.inputs[0]
        y.sum().backward()
        assert not computed(between)
        expected = textbook(op(), x, w, b, False) if relu else op()(x, w)
        np.testing.assert_allclose(between, expected, rtol=1e-13)
        assert computed(between)
        assert not between.data.flags.writeable

    def test_later_assignments_do_not_change_values_in_between(self, op, relu, rng):
        x, w, b = inputs_of(op, rng)
        expected = op()(x, w).numpy()
        y = op().with_bias(x, w, b, relu)
        w.assign(np.zeros(w.shape))
        first = y.inputs[0].inputs[0] if relu else y.inputs[0]
        np.testing.assert_allclose(first, expected, rtol=1e-13)
        with pytest.raises(GradientError, match="assigned"):
            y.sum().backward()

    def test_without_recording_nothing_is_kept(self, op, relu, rng):
        with no_grad():
            y = op().with_bias(*inputs_of(op, rng), relu)
        assert y.op is None and y.inputs == ()

    def test_mixed_precisions_are_computed_in_turn(self, op, relu, rng):
        x, w, b = inputs_of(op, rng)
        b = tensor(b.numpy().astype("float32"))
        y = op().with_bias(x, w, b, relu)
        assert y.dtype == textbook(op(), x, w, b, relu).dtype
        assert computed(y.inputs[0])

    def test_a_kernel_of_ones_own_serves_the_layer_too(self, op, relu, rng):
        calls = []

        class Mine:
            @staticmethod
            def matmul(a, b):
                calls.append("matmul")
                return a @ b

            @staticmethod
            def conv(x, w, *geometry):
                calls.append("conv")
                return kernels.reference.conv(x, w, *geometry)

        x, w, b = inputs_of(op, rng)
        with kernels.use(Mine):
            op().with_bias(x, w, b, relu)
        assert calls == [op().name]


def test_checks_come_first(rng):
    x, w, b = inputs_of(Conv, rng)
    with pytest.raises(ShapeError, match="conv: inputs"):
        Conv().with_bias(x[..., :2], w, b, False)


def test_a_frozen_kernel_still_lets_the_bias_learn(rng):
    x, w, b = inputs_of(Matmul, rng)
    x, w = x.detach(), w.detach()
    y = Matmul().with_bias(x, w, b, relu=True)
    np.testing.assert_array_equal(grad(y.sum(), b), (y.numpy() > 0).sum(axis=0))
    assert not y.inputs[0].inputs[0].requires_grad


@pytest.mark.parametrize("layer", [Dense(3, "relu"), Dense(3, "tanh"), Dense(3, use_bias=False)])
def test_dense_layers_are_their_formula(layer, rng):
    x = rng.normal(size=(2, 4, 5)).astype("float32")
    y = layer(x)
    expected = x @ layer.kernel.numpy()
    if layer.use_bias:
        expected = expected + layer.bias.numpy()
    np.testing.assert_allclose(y, layer.activation(expected), rtol=1e-5, atol=1e-6)


def test_a_convolution_with_relu_keeps_nan(rng):
    x = rng.normal(size=(1, 4, 4, 1)).astype("float32")
    x[0, 0, 0, 0] = np.nan
    y = Conv2D(2, 2, activation="relu")(x)
    assert np.isnan(y.numpy()[0, 0, 0]).all() and np.isfinite(y.numpy()[0, 1:, 1:]).all()


def test_a_chain_may_have_one_op_of_any_kind():
    a, b = tensor(2.0, requires_grad=True), tensor(3.0)
    y = fused([(Multiply(), (a, b))], lambda: a.data * b.data)
    assert (y.item(), grad(y, a).item()) == (6.0, 3.0)


def test_values_in_between_can_be_copied_and_printed():
    a = tensor([2.0], requires_grad=True)
    y = fused([(Multiply(), (a, a)), (Add(), (a,))], lambda: a.data * a.data + a.data)
    assert copy.copy(y.inputs[0]).tolist() == [4.0]
    assert repr(y.inputs[0]) == "tensor([4.], op=multiply)"


def test_other_attributes_are_missing_as_ever():
    with pytest.raises(AttributeError, match="no attribute 'values'"):
        attrgetter("values")(tensor(1.0))
