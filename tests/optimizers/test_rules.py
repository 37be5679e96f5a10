"""Every update rule against its paper's formula, read one number at a time in plain Python."""

from math import sqrt

import numpy as np
import pytest

from tinydl import optimizers, tensor
from tinydl.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

STEPS, SIZE = 7, 5
rng = np.random.default_rng(0)
START = rng.normal(size=SIZE)
# Gradients of very different sizes, of both signs, and one that is zero in places.
GRADIENTS = rng.normal(size=(STEPS, SIZE)) * 10.0 ** rng.integers(-3, 3, size=(STEPS, SIZE))
GRADIENTS[2, :2] = 0.0


# Each rule of one weight: takes the weight and all its gradients, returns the weight at the end.
def gradient_descent(w, gradients, eta=0.05):
    for g in gradients:
        w = w - eta * g
    return w


def momentum(w, gradients, eta=0.05, mu=0.8):
    """Polyak: the step is the former step, faded, and the gradient."""
    former = w
    for g in gradients:
        w, former = w - eta * g + mu * (w - former), w
    return w


def nesterov(w, gradients, eta=0.05, mu=0.8):
    """Sutskever: v' = mu v - eta g(theta + mu v), theta' = theta + v'; the weight kept here is
    the point looked ahead to, theta + mu v, at which the gradients are given."""
    theta, v = w, 0.0
    for g in gradients:
        v = mu * v - eta * g
        theta = theta + v
    return theta + mu * v


def adagrad(w, gradients, eta=0.05, first=0.1, epsilon=1e-7):
    for t, g in enumerate(gradients):
        w -= eta * g / sqrt(first + sum(h * h for h in gradients[: t + 1]) + epsilon)
    return w


def fading_mean(numbers, rho):
    """The mean of a series that begins with 0, in which a number t steps old counts rho^t."""
    return sum((1 - rho) * rho**age * x for age, x in enumerate(reversed(numbers)))


def rmsprop(w, gradients, eta=0.05, rho=0.7, mu=0.0, epsilon=1e-4, centered=False):
    u = 0.0
    for t in range(len(gradients)):
        so_far = gradients[: t + 1]
        square = fading_mean([g * g for g in so_far], rho)
        if centered:
            square -= fading_mean(so_far, rho) ** 2
        u = mu * u + eta * so_far[-1] / sqrt(square + epsilon)
        w -= u
    return w


def adam(w, gradients, eta=0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3, amsgrad=False, decay=0.0):
    """Algorithm 1 of the paper, with epsilon-hat = epsilon sqrt(1 - beta_2^t) as its section 2."""
    largest = 0.0
    for t in range(1, len(gradients) + 1):
        so_far = gradients[:t]
        v = fading_mean([g * g for g in so_far], beta_2)
        largest = max(largest, v)
        m_hat = fading_mean(so_far, beta_1) / (1 - beta_1**t)
        v_hat = (largest if amsgrad else v) / (1 - beta_2**t)
        w = w - eta * decay * w
        w = w - eta * m_hat / (sqrt(v_hat) + epsilon / sqrt(1 - beta_2**t))
    return w


SETTINGS = {"learning_rate": 0.05}
RMS = SETTINGS | {"rho": 0.7, "epsilon": 1e-4}
MOMENTS = SETTINGS | {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}
CASES = {
    "gradient descent": (SGD(0.05), gradient_descent, {}),
    "momentum": (SGD(0.05, momentum=0.8), momentum, {}),
    "nesterov": (SGD(0.05, momentum=0.8, nesterov=True), nesterov, {}),
    "adagrad": (Adagrad(0.05), adagrad, {}),
    "adagrad from 0": (Adagrad(0.05, 0.0, 1e-2), adagrad, {"first": 0.0, "epsilon": 1e-2}),
    "rmsprop": (RMSprop(**RMS), rmsprop, {}),
    "rmsprop, momentum": (RMSprop(**RMS, momentum=0.6), rmsprop, {"mu": 0.6}),
    "rmsprop, centered": (RMSprop(**RMS, centered=True), rmsprop, {"centered": True}),
    "rmsprop, both": (
        RMSprop(**RMS, momentum=0.6, centered=True),
        rmsprop,
        {"mu": 0.6, "centered": True},
    ),
    "adam": (Adam(**MOMENTS), adam, {}),
    "amsgrad": (Adam(**MOMENTS, amsgrad=True), adam, {"amsgrad": True}),
    "adamw": (AdamW(**MOMENTS, weight_decay=0.5), adam, {"decay": 0.5}),
}


def run(optimizer, start, gradients):
    w = tensor(start, requires_grad=True)
    for g in gradients:
        optimizer.apply([g], [w])
    return w.numpy()


def remade(optimizer):
    return type(optimizer).from_config(optimizer.get_config())


@pytest.mark.parametrize(("optimizer", "rule", "settings"), CASES.values(), ids=CASES.keys())
class TestEveryRule:
    def test_is_its_formula(self, optimizer, rule, settings):
        found = run(remade(optimizer), START, GRADIENTS)
        expected = [
            rule(w, list(series), **settings)
            for w, series in zip(START.tolist(), GRADIENTS.T.tolist(), strict=True)
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_is_a_pure_function(self, optimizer, rule, settings):
        w, g = START.copy(), GRADIENTS[0].copy()
        slots = [rng.uniform(1, 2, size=SIZE) for _ in optimizer.slots]
        given = [a.copy() for a in (w, g, *slots)]
        first = optimizer.update(w, g, 0.1, 3, *slots)
        again = optimizer.update(w, g, 0.1, 3, *slots)
        assert len(first) == 1 + len(optimizer.slots)
        np.testing.assert_array_equal(first, again)
        np.testing.assert_array_equal([w, g, *slots], given)

    def test_keeps_float32(self, optimizer, rule, settings):
        new = remade(optimizer)
        w = tensor(START.astype(np.float32), requires_grad=True)
        new.apply([GRADIENTS[0]], [w])
        assert {a.dtype for a in (w.numpy(), *new.variables)} == {np.dtype("float32")}

    def test_finds_the_bottom_of_a_bowl(self, optimizer, rule, settings):
        """f(w) = sum of c_i (w_i - 3)^2 / 2, with curvatures c from 0.5 to 4."""
        new, curvature = remade(optimizer), np.linspace(0.5, 4, SIZE)
        new.weight_decay = None
        new.learning_rate = lambda step: 0.3 / (1 + 0.01 * step)
        w = tensor(START, requires_grad=True)
        for _ in range(2500):
            new.apply([curvature * (w.numpy() - 3)], [w])
        np.testing.assert_allclose(w.numpy(), 3, atol=0.05)

    def test_survives_large_steady_gradients_in_float32(self, optimizer, rule, settings):
        new, w = remade(optimizer), tensor(START.astype(np.float32), requires_grad=True)
        for _ in range(50):
            new.apply([np.full(SIZE, 1234.567, np.float32)], [w])
        assert np.isfinite(w.numpy()).all()

    def test_a_large_step_size_moves_more(self, optimizer, rule, settings):
        small, large = remade(optimizer), remade(optimizer)
        large.learning_rate = 0.1
        moved = [np.abs(run(o, START, GRADIENTS[:1]) - START) for o in (small, large)]
        np.testing.assert_allclose(moved[1], 2 * moved[0], rtol=1e-9)


class TestByHand:
    """Numbers small enough to follow with pencil and paper; w starts at 1."""

    def after(self, optimizer, *gradients):
        return run(optimizer, [1.0], [[g] for g in gradients]).item()

    def test_sgd(self):
        assert self.after(SGD(0.1), 2.0, 1.0) == pytest.approx(1 - 0.2 - 0.1)

    def test_momentum(self):
        # v: -0.2, then 0.5 * -0.2 - 0.1 = -0.2
        assert self.after(SGD(0.1, 0.5), 2.0, 1.0) == pytest.approx(1 - 0.2 - 0.2)

    def test_nesterov(self):
        # v = -0.2: w = 1 + 0.5 * -0.2 - 0.2 = 0.7; v = -0.2: w = 0.7 + 0.5 * -0.2 - 0.1 = 0.5
        assert self.after(SGD(0.1, 0.5, nesterov=True), 2.0, 1.0) == pytest.approx(0.5)

    def test_nesterov_without_momentum_is_gradient_descent(self):
        assert self.after(SGD(0.1, nesterov=True), 2.0) == self.after(SGD(0.1), 2.0)

    def test_adagrad(self):
        # a: 9, then 25; steps 0.1 * 3 / 3, 0.1 * 4 / 5
        assert self.after(Adagrad(0.1, 0.0, 0.0), 3.0, 4.0) == pytest.approx(1 - 0.1 - 0.08)

    def test_rmsprop(self):
        # v: 0.25 * 16 = 4, then 0.75 * 4 + 0.25 * 4 = 4; steps 0.1 * 4 / 2, 0.1 * 2 / 2
        rule = RMSprop(0.1, rho=0.75, epsilon=0.0)
        assert self.after(rule, 4.0, 2.0) == pytest.approx(1 - 0.2 - 0.1)

    @pytest.mark.parametrize("g", [1e-3, 1.0, -1e3])
    def test_adams_first_step_has_the_length_of_the_learning_rate(self, g):
        assert self.after(Adam(0.1, epsilon=0.0), g) == pytest.approx(1 - 0.1 * np.sign(g))

    def test_adam_with_a_steady_gradient_keeps_that_length(self):
        assert self.after(Adam(0.1, epsilon=0.0), *[5.0] * 6) == pytest.approx(1 - 0.6)

    def test_amsgrad_remembers_the_largest(self):
        # beta_1 = 0 and beta_2 = 0.5: v = 8, 4; the largest stays 8; corrections 0.5 and 0.75
        rule = Adam(0.1, beta_1=0.0, beta_2=0.5, epsilon=0.0, amsgrad=True)
        step = 0.1 * sqrt(0.75) * 2 / sqrt(8)
        # v after the second step: 0.5 * 8 + 0.5 * 4 = 6 < 8
        assert self.after(rule, 4.0, 2.0) == pytest.approx(1 - 0.1 * sqrt(0.5) * 4 / sqrt(8) - step)

    def test_adamw_decays_beside_adam(self):
        assert self.after(AdamW(0.1, weight_decay=0.5), 0.0, 0.0) == pytest.approx(0.95**2)


class TestOneRuleDifferentGradients:
    """Gradient descent and stochastic gradient descent."""

    x, t = rng.normal(size=(12, 3)), rng.normal(size=12)

    def gradient(self, w, rows):
        """Of the mean squared error of a line through the origin, over some of the samples."""
        error = self.x[rows] @ w - self.t[rows]
        return 2 * self.x[rows].T @ error / len(self.t[rows])

    def test_the_mean_over_all_batches_is_the_full_gradient(self):
        w = rng.normal(size=3)
        batches = rng.permutation(12).reshape(4, 3)
        mean = np.mean([self.gradient(w, rows) for rows in batches], axis=0)
        np.testing.assert_allclose(mean, self.gradient(w, slice(None)))

    def test_so_the_mean_of_the_stochastic_steps_is_the_step_of_gradient_descent(self):
        start = rng.normal(size=3)
        batches = rng.permutation(12).reshape(4, 3)
        ends = [run(SGD(0.1), start, [self.gradient(start, rows)]) for rows in batches]
        expected = run(SGD(0.1), start, [self.gradient(start, slice(None))])
        np.testing.assert_allclose(np.mean(ends, axis=0), expected)

    def test_one_batch_of_everything_is_gradient_descent(self):
        w, by_hand = tensor(np.zeros(3), requires_grad=True), np.zeros(3)
        rule = SGD(0.1)
        for _ in range(5):
            rows = rng.permutation(12)
            rule.apply([self.gradient(w.numpy(), rows)], [w])
            by_hand = by_hand - 0.1 * self.gradient(by_hand, slice(None))
        np.testing.assert_allclose(w.numpy(), by_hand)


def test_every_optimizer_is_tested():
    assert {type(o) for o, _, _ in CASES.values()} == set(optimizers._registry)


def test_variants_have_formulas_of_their_own():
    variants = [o for o, _, _ in CASES.values() if not isinstance(o, AdamW)]
    formulas = {(type(o), o.slots): o.formula for o in variants}
    nesterov = SGD(momentum=0.8, nesterov=True).formula
    assert len({*formulas.values(), nesterov}) == 9


@pytest.mark.parametrize(
    ("cls", "defaults"),
    [
        (SGD, {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}),
        (Adagrad, {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
        (RMSprop, {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "centered": False}),
        (Adam, {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
        (AdamW, {"learning_rate": 0.001, "weight_decay": 0.004}),
    ],
)
def test_keras_defaults(cls, defaults):
    assert defaults.items() <= cls().get_config().items()
