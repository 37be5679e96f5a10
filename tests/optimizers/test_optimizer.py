"""What the base class does for every rule: state, steps, clipping, decay, and what it refuses."""

import copy
import json

import numpy as np
import pytest

from tinydl import optimizers, tensor
from tinydl.errors import ArgumentError, DataError, DTypeError, ShapeError
from tinydl.optimizers import SGD, Adam, Optimizer, RMSprop


def variables(*arrays):
    return [
        tensor(a, requires_grad=True, dtype="float64", name=f"w{i}") for i, a in enumerate(arrays)
    ]


class TestSteps:
    def test_are_counted(self):
        (w,), rule = variables([1.0]), SGD()
        assert rule.iterations == 0
        rule.apply([[1.0]], [w])
        rule.apply_gradients([([1.0], w)])
        assert rule.iterations == 2

    def test_gradients_may_be_tensors_arrays_or_lists(self):
        for gradient in (tensor([1.0]), np.array([1]), [1.0]):
            (w,) = variables([1.0])
            SGD(0.5).apply([gradient], [w])
            assert w.item() == 0.5

    def test_step_takes_the_gradients_of_backward(self):
        (first, second), rule = variables([1.0], [1.0]), SGD(0.5)
        rule.build([first, second])
        (first * 3.0).sum().backward()
        rule.step()
        assert (first.item(), second.item(), rule.iterations) == (-0.5, 1.0, 1)

    def test_step_before_build_is_refused(self):
        with pytest.raises(ArgumentError, match=r"sgd\.step.*\n?.*build"):
            SGD().step()

    def test_no_gradient_leaves_a_variable_as_it_is(self):
        first, second = variables([1.0], [1.0])
        rule = Adam()
        rule.apply([None, [1.0]], [first, second])
        assert first.item() == 1.0 != second.item()
        assert len(rule.variables) == 2

    def test_each_variable_has_a_state_of_its_own_whatever_the_order(self):
        first, second = variables([1.0], [1.0])
        rule, alone = Adam(), Adam()
        for _ in range(3):
            rule.apply([[1.0], [-5.0]], [first, second])
            rule.iterations -= 1
            rule.apply([[-5.0], [1.0]], [second, first])
            rule.iterations -= 1
            (other,) = variables([first.item()])
        assert [slot.shape for slot in rule.variables] == [(1,)] * 4
        alone.apply([[1.0]], [other])
        assert rule.variables[0] != alone.variables[0]

    def test_the_learning_rate_may_be_a_function_of_the_steps_done(self):
        (w,), rule = variables([0.0]), SGD(lambda step: 10.0**-step)
        for _ in range(3):
            rule.apply([[-1.0]], [w])
        assert w.item() == pytest.approx(1.11)
        assert rule.learning_rate == pytest.approx(1e-3)
        assert rule.get_config()["learning_rate"] == pytest.approx(1e-3)

    def test_the_learning_rate_may_be_set(self):
        rule = SGD(0.1)
        rule.learning_rate = 1
        assert rule.learning_rate == 1.0
        assert rule.get_config()["learning_rate"] == 1.0

    def test_infinite_gradients_are_the_callers_business(self):
        (w,) = variables([1.0])
        SGD().apply([[np.inf]], [w])
        assert w.item() == -np.inf


class TestClipping:
    G = ([3.0, -4.0], [[0.0, 12.0]])

    def moved(self, **settings):
        ws = variables([0.0, 0.0], [[0.0, 0.0]])
        SGD(1.0, **settings).apply(self.G, ws)
        return [(-w.numpy()).ravel().tolist() for w in ws]

    def test_by_value(self):
        assert self.moved(clipvalue=3.5) == [[3.0, -3.5], [0.0, 3.5]]

    def test_each_by_its_own_length(self):
        assert self.moved(clipnorm=6.0) == [[3.0, -4.0], [0.0, 6.0]]
        assert self.moved(clipnorm=1.0) == [pytest.approx([0.6, -0.8]), [0.0, 1.0]]

    def test_all_by_their_common_length(self):
        assert self.moved(global_clipnorm=6.5) == [[1.5, -2.0], [0.0, 6.0]]
        assert self.moved(global_clipnorm=13.5) == self.moved()

    def test_a_gradient_of_zeros_stays(self):
        (w,) = variables([1.0])
        SGD(1.0, clipnorm=0.0).apply([[0.0]], [w])
        assert w.item() == 1.0

    def test_one_way_at_a_time(self):
        with pytest.raises(
            ArgumentError, match=r"clipnorm, clipvalue and global_clipnorm, exp.*one"
        ):
            SGD(clipnorm=1.0, clipvalue=1.0)


def test_weights_decay_before_the_step():
    (w,) = variables([2.0])
    SGD(0.1, weight_decay=0.5).apply([[1.0]], [w])
    assert w.item() == pytest.approx(2.0 * 0.95 - 0.1)


class TestState:
    def test_going_on_from_a_state_is_going_on(self):
        series = np.random.default_rng(0).normal(size=(6, 2))
        (straight,), rule = variables([1.0, 2.0]), Adam(amsgrad=True)
        for g in series:
            rule.apply([g], [straight])

        (w,), first = variables([1.0, 2.0]), Adam(amsgrad=True)
        for g in series[:3]:
            first.apply([g], [w])
        (later,), second = variables(w.numpy()), Adam.from_config(first.get_config())
        second.build([later])
        second.set_state(first.get_state())
        for g in series[3:]:
            second.apply([g], [later])
        np.testing.assert_array_equal(later.numpy(), straight.numpy())
        assert second.iterations == 6

    def test_is_a_copy(self):
        (w,), rule = variables([1.0]), Adam()
        rule.apply([[1.0]], [w])
        state = rule.get_state()
        state["slots"][0][:] = 99.0
        assert rule.variables[0].item() == pytest.approx(0.1)

    def test_that_does_not_fit(self):
        (w,), rule = variables([1.0]), Adam()
        rule.apply([[1.0]], [w])
        other = Adam()
        with pytest.raises(ShapeError, match=r"slots is \[\(1,\), \(1,\)\], expected \[\]; build"):
            other.set_state(rule.get_state())
        assert other.iterations == 0

    def test_the_slots_of_each_variant(self):
        assert SGD().slots == ()
        assert SGD(momentum=0.9).slots == ("velocity",)
        assert RMSprop(momentum=0.9, centered=True).slots == ("square", "average", "momentum")


class TestConfig:
    @pytest.mark.parametrize("cls", list(optimizers._registry))
    def test_survives_json(self, cls):
        rule = cls(0.5, clipnorm=2.0, weight_decay=0.25, name="mine")
        again = cls.from_config(json.loads(json.dumps(rule.get_config())))
        assert again.get_config() == rule.get_config()
        assert (again.name, again.clipnorm, again.weight_decay) == ("mine", 2.0, 0.25)

    def test_names(self):
        assert [optimizers.get(n).name for n in ("SGD", "Adam", "rmsprop")] == [
            "sgd", "adam", "rmsprop",
        ]  # fmt: skip


def test_a_rule_of_your_own_is_its_update():
    class SignDescent(Optimizer):
        formula = r"w_i \leftarrow w_i - \eta \operatorname{sign} g_i"

        def update(self, w, g, learning_rate, step):
            return (w - learning_rate * np.sign(g),)

    (w,) = variables([1.0, 1.0])
    SignDescent(0.5).apply([[-3.0, 0.1]], [w])
    np.testing.assert_array_equal(w.numpy(), [1.5, 0.5])


class TestMisuse:
    def test_too_few_gradients(self):
        with pytest.raises(
            DataError, match=r"sgd: grads is a list of 1, expected one for each of 2"
        ):
            SGD().apply([[1.0]], variables([1.0], [1.0]))

    def test_a_gradient_of_another_shape_changes_nothing(self):
        first, second = variables([1.0], [1.0, 2.0])
        rule = Adam()
        with pytest.raises(
            ShapeError, match=r"adam: the gradient of w1 is \(1,\), expected \(2,\)"
        ):
            rule.apply([[1.0], [1.0]], [first, second])
        assert first.item() == 1.0
        assert (rule.iterations, rule.variables) == (0, [])

    def test_a_variable_that_is_no_tensor(self):
        with pytest.raises(DTypeError, match=r"sgd: a variable is ndarray, expected a Tensor"):
            SGD().apply([[1.0]], [np.ones(1)])

    @pytest.mark.parametrize(
        ("name", "setting", "value"),
        [
            ("sgd", "learning_rate", -0.1),
            ("sgd", "learning_rate", "0.1"),
            ("sgd", "learning_rate", float("nan")),
            ("sgd", "learning_rate", float("inf")),
            ("sgd", "momentum", 1.0),
            ("sgd", "momentum", -0.1),
            ("sgd", "clipnorm", -1.0),
            ("sgd", "weight_decay", -1.0),
            ("adagrad", "initial_accumulator_value", -1.0),
            ("rmsprop", "rho", 1.0),
            ("rmsprop", "epsilon", -1e-7),
            ("adam", "beta_1", 1.0),
            ("adam", "beta_2", 1.5),
            ("adam", "epsilon", None),
        ],
    )
    def test_settings_out_of_range(self, name, setting, value):
        with pytest.raises(
            ArgumentError, match=f"{name}: {setting} is .*, expected a number of at"
        ):
            optimizers._registry.find(name)(**{setting: value})

    def test_the_closest_name(self):
        with pytest.raises(ArgumentError, match=r"did you mean 'adam'"):
            optimizers.get("adm")


def test_a_deep_copy_goes_on_by_itself():
    (w,), rule = variables([1.0, 2.0]), Adam(0.1)
    rule.apply([[1.0, -1.0]], [w])
    other_w, other_rule = copy.deepcopy((w, rule))
    for each, variable in ((rule, w), (other_rule, other_w)):
        each.apply([[0.5, 3.0]], [variable])
    np.testing.assert_array_equal(other_w.numpy(), w.numpy())
    assert len(other_rule.variables) == 2
