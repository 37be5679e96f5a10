"""Layers computed at once must be, to whoever looks, the ops of the textbook."""

import copy
from operator import attrgetter

import numpy as np
import pytest

from tinydl import explain, kernels, ops, tensor
from tinydl.engine import Op, grad, no_grad, rule
from tinydl.errors import GradientError, ShapeError
from tinydl.fused import fused
from tinydl.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from tinydl.models import Sequential
from tinydl.ops.arithmetic import Add, Multiply
from tinydl.ops.conv import Conv
from tinydl.ops.matmul import Matmul
from tinydl.ops.pool import MaxPool
from tinydl.utils import set_random_seed


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


class Layers:
    """A dense layer, a convolutional one, and one with a pool: at once, and op by op."""

    @staticmethod
    def dense(x, w, b, relu):
        return Matmul().with_bias(x, w, b, relu)

    @staticmethod
    def conv(x, w, b, relu):
        return Conv().with_bias(x, w, b, relu)

    @staticmethod
    def pooled(x, w, b, relu):
        return Conv(padding="same").with_bias_and_max_pool(x, w, b, relu, MaxPool(2))


ALL_LAYERS = ["dense", "conv", "pooled"]


def layer_and_inputs(name, rng):
    return getattr(Layers, name), inputs_of(Matmul if name == "dense" else Conv, rng)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("name", ALL_LAYERS)
class TestShortcut:
    def test_it_brings_what_the_ops_would_pass_on_one_by_one(self, name, relu, rng):
        layer, inputs = layer_and_inputs(name, rng)
        y = layer(*inputs, relu)
        weights = rng.normal(size=y.shape)
        past = grad((y * weights).sum(), inputs)
        assert not computed(y.inputs[0])
        one_by_one = grad((y * weights).sum(), inputs, create_graph=True)
        for a, b in zip(past, one_by_one, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)

    def test_second_derivatives_are_those_of_the_ops_in_turn(self, name, relu, rng):
        layer, inputs = layer_and_inputs(name, rng)

        def second(create):
            y = create(*inputs, relu)
            first = grad((y * y).sum(), inputs, create_graph=True)
            return grad(sum((g * g).sum() for g in first), inputs)

        def in_turn(x, w, b, relu):
            y = textbook(Matmul() if name == "dense" else layer_op(name), x, w, b, relu)
            return ops.max_pool(y, 2) if name == "pooled" else y

        for a, b in zip(second(layer), second(in_turn), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)

    def test_a_gradient_in_between_can_be_asked_for(self, name, relu, rng):
        layer, inputs = layer_and_inputs(name, rng)
        y = layer(*inputs, relu)
        between = y.inputs[0]
        expected = grad(y.sum(), [between, inputs[1]], create_graph=True)
        for a, b in zip(grad(y.sum(), [between, inputs[1]]), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
        between.retain_grad()
        y.sum().backward()
        np.testing.assert_allclose(between.grad, expected[0], rtol=1e-12)

    def test_what_leaves_in_between_adds_up(self, name, relu, rng):
        layer, inputs = layer_and_inputs(name, rng)
        y = layer(*inputs, relu)
        total = y.sum() + (y.inputs[0] * 3.0).sum()
        past, expected = grad(total, inputs), grad(total, inputs, create_graph=True)
        for a, b in zip(past, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)

    def test_a_rule_that_looks_at_what_is_in_between_loses_no_gradient(self, name, relu, rng):
        class Curious(Op, abstract=True):
            input_names = ("x",)

            def forward(self, x):
                return 2.0 * x

            @rule(r"\bar x = 2 \bar y")
            def x(self, y_bar, y, x):
                assert x.inputs
                return y_bar * 2.0

        layer, inputs = layer_and_inputs(name, rng)
        found = grad(Curious()(layer(*inputs, relu)).sum(), inputs)
        expected = grad((layer(*inputs, relu) * 2.0).sum(), inputs)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)

    def test_assignments_are_noticed(self, name, relu, rng):
        layer, inputs = layer_and_inputs(name, rng)
        for x in inputs:
            y = layer(*inputs, relu)
            x.assign(x.numpy() + 1.0)
            with pytest.raises(GradientError, match="assigned"):
                y.sum().backward()

    def test_only_what_is_wanted_gets_a_gradient(self, name, relu, rng):
        layer, (x, w, b) = layer_and_inputs(name, rng)
        layer(x.detach(), w, b.detach(), relu).sum().backward()
        assert x.grad is None and b.grad is None and w.grad is not None

    def test_a_gradient_that_nobody_asked_for_is_not_computed(self, name, relu, rng):
        layer, (x, w, b) = layer_and_inputs(name, rng)
        y = layer(x * 2.0, w, b, relu)
        kernels.reset_report()
        grad(y.sum(), w)
        served = {row.kernel for row in kernels.report()}
        assert "conv_input_gradient" not in served
        assert sum(row.calls for row in kernels.report() if row.kernel == "matmul") <= 1

    def test_a_story_tells_of_every_op(self, name, relu, rng):
        layer, inputs = layer_and_inputs(name, rng)
        with explain.record() as story:
            layer(*inputs, relu).sum().backward()
        titles = [step.title for step in story if step.kind == "backward"]
        assert ("relu" in titles) == relu and "add" in titles
        assert ("max_pool" in titles) == (name == "pooled")


def layer_op(name):
    return Conv(padding="same") if name == "pooled" else Conv()


class TestMaxPool:
    """It notes where the largest elements were, and its gradient goes there."""

    @pytest.mark.parametrize("settings", [(2,), (3, 2, "same"), ((2, 3), 1), (2, 3)])
    def test_it_is_the_textbooks(self, settings, rng):
        values = rng.integers(0, 4, (2, 7, 6, 3)).astype(float)
        values[0, 3, 3] = np.nan
        x = tensor(values, requires_grad=True)
        y = ops.max_pool(x, *settings)
        with no_grad():
            np.testing.assert_array_equal(y, ops.max_pool(x, *settings))
        g = rng.normal(size=y.shape)
        past, textbook = grad(y, x, g), grad(y, x, g, create_graph=True)
        np.testing.assert_allclose(past, textbook, rtol=1e-12)

    def test_a_pool_of_ones_own_is_asked(self, rng):
        calls = []

        class Mine:
            @staticmethod
            def max_pool(x, *geometry):
                calls.append(x.shape)
                return kernels.reference.max_pool(x, *geometry)

        x, w, b = inputs_of(Conv, rng)
        with kernels.use(Mine):
            ops.max_pool(x, 2).sum().backward()
            Layers.pooled(x, w, b, True).sum().backward()
        assert calls == [(2, 5, 4, 3), (2, 5, 4, 4)]

    def test_half_precision_counts_no_winners(self, rng):
        x = tensor(rng.normal(size=(1, 70, 70, 1)).astype("float16"), requires_grad=True)
        ops.max_pool(x, 70).sum().backward()
        assert np.argmax(x.grad) == np.argmax(x.numpy())


class TestSequential:
    def model(self, convolution=Conv2D):
        set_random_seed(3)
        layers = [Input((8, 8, 1)), convolution(4, 3, activation="relu"), MaxPooling2D(2)]
        return Sequential([*layers, Flatten(), Dense(3, activation="softmax")])

    def test_a_convolution_and_its_pool_are_computed_at_once(self, rng):
        kernels.reset_report()
        self.model()(rng.normal(size=(2, 8, 8, 1)))
        assert "conv_max_pool_layer" in {row.kernel for row in kernels.report()}

    def test_it_learns_the_same(self, rng):
        class Mine(Conv2D):  # of which nobody knows what it does
            pass

        x, y = rng.normal(size=(32, 8, 8, 1)), rng.integers(0, 3, 32)
        weights = []
        for convolution in (Conv2D, Mine):
            model = self.model(convolution)
            model.compile("sgd", "sparse_categorical_crossentropy")
            model.fit(x, y, batch_size=8, epochs=2, verbose=0)
            weights.append(model.get_weights())
        for a, b in zip(*weights, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def test_images_that_do_not_fit_are_refused_by_the_layer_they_do_not_fit(self):
        model = Sequential([Conv2D(4, 3), MaxPooling2D(4)])
        with pytest.raises(ShapeError, match=r"max_pooling2d.*4 x 4 pixels"):
            model(np.ones((1, 5, 5, 1)))


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
    y = fused([(Multiply(), (a, b))], a.data * b.data, lambda y_bar, needed: [(a, y_bar * b)])
    assert (y.item(), grad(y, a).item()) == (6.0, 3.0)
    assert y.inputs == (a, b) and grad(y, a).item() == 3.0


def test_values_in_between_can_be_copied_and_printed():
    a = tensor([2.0], requires_grad=True)
    y = fused([(Multiply(), (a, a)), (Add(), (a,))], a.data * a.data + a.data, lambda *_: ())
    between, _ = y.inputs
    assert copy.copy(between).tolist() == [4.0]
    assert repr(between) == "tensor([4.], op=multiply)"


def test_other_attributes_are_missing_as_ever():
    with pytest.raises(AttributeError, match="no attribute 'values'"):
        attrgetter("values")(tensor(1.0))
