"""What is graded in assignment 4: for teachers and the grader, not for students."""

from __future__ import annotations

import numpy as np

from tinydl.course import (
    Assignment,
    Failure,
    expect,
    expect_close,
    expect_shape,
    expect_unchanged,
    is_close,
)
from tinydl.course.written import written

CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # good enough for float32

assignment = Assignment(
    "04-update-rules",
    title="Update rules, from gradient descent to Adam",
    functions=(
        "gradient_descent(w, g, learning_rate)",
        "momentum(w, g, v, learning_rate, beta)",
        "nesterov(w, g, v, learning_rate, beta)",
        "adagrad(w, g, a, learning_rate, epsilon)",
        "rmsprop(w, g, a, learning_rate, rho, epsilon)",
        "adam(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon)",
    ),
    inputs_may_change=True,  # a property of its own asks for that
    tutorial="07_momentum_and_adaptive_rates",
)

DESCENT = r"w \leftarrow w - \eta g"
VELOCITY = r"v \leftarrow \beta v - \eta g, \quad "
MOMENTUM = VELOCITY + r"w \leftarrow w + v"
NESTEROV = VELOCITY + r"w \leftarrow w + \beta v - \eta g"
BY_ROOT = r", \quad w \leftarrow w - \eta \frac{g}{\sqrt{a} + \epsilon}"
ADAGRAD = r"a \leftarrow a + g^2" + BY_ROOT
RMSPROP = r"a \leftarrow \rho a + (1 - \rho) g^2" + BY_ROOT
ADAM = (
    r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2,"
    r" \quad w \leftarrow w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)}"
    r" + \epsilon}"
)
RETURNED = {"momentum": "wv", "nesterov": "wv", "adagrad": "wa", "rmsprop": "wa", "adam": "wmv"}
STATES = {name: len(labels) - 1 for name, labels in RETURNED.items()}


# The right answers, and the typical wrong ones.


@assignment.reference
def right_gradient_descent(w, g, learning_rate):
    return w - learning_rate * g


@assignment.reference
def right_momentum(w, g, v, learning_rate, beta=0.9):
    v = beta * v - learning_rate * g
    return w + v, v


@assignment.reference
def right_nesterov(w, g, v, learning_rate, beta=0.9):
    v = beta * v - learning_rate * g
    return w + beta * v - learning_rate * g, v


@assignment.reference
def right_adagrad(w, g, a, learning_rate, epsilon=1e-7):
    a = a + g**2
    return w - learning_rate * g / (np.sqrt(a) + epsilon), a


@assignment.reference
def right_rmsprop(w, g, a, learning_rate, rho=0.9, epsilon=1e-7):
    a = rho * a + (1 - rho) * g**2
    return w - learning_rate * g / (np.sqrt(a) + epsilon), a


@assignment.reference
def right_adam(w, g, m, v, step, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    return adam_with(w, g, m, v, learning_rate, (beta_1, beta_2), epsilon, (step, step))


def adam_with(w, g, m, v, learning_rate, betas, epsilon, steps):
    """Adam, with a number of steps for each correction; None leaves it out."""
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    m_hat, v_hat = (
        mean if step is None else mean / (1 - beta**step)
        for mean, beta, step in zip((m, v), betas, steps, strict=True)
    )
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


RIGHT = {
    "momentum": right_momentum,
    "nesterov": right_nesterov,
    "adagrad": right_adagrad,
    "rmsprop": right_rmsprop,
    "adam": right_adam,
}


def settings_of(rule, **others):
    """Mistakes with the optional arguments: they are ignored, or have other defaults."""

    def ignored(*arguments, **named):
        return [
            answer
            for left_out in [list(named), *([name] for name in named)]
            for answer in rule(*arguments, **{n: x for n, x in named.items() if n not in left_out})
        ]

    def another_default(*arguments, **named):
        return [
            answer
            for name, values in others.items()
            if name not in named
            for value in values
            for answer in rule(*arguments, **named, **{name: value})
        ]

    return {
        "an argument that is passed is ignored: its default is used": ignored,
        "the default of an argument is another than in the task": another_default,
    }


EPSILONS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-9, 1e-10, 1e-12)
FADING = (0.5, 0.8, 0.95, 0.99, 0.999)


def swapped(rule):
    """A wrong answer: the weights where the state belongs, and the other way round."""
    return lambda *arguments, **named: rule(*arguments, **named)[::-1]


def with_velocity(velocity, step):
    """A wrong answer: the new velocity, and the new weights by it."""

    def wrong(w, g, v, learning_rate, beta=0.9):
        new = velocity(v, learning_rate * g, g, beta)
        return step(w, new, v, learning_rate * g, beta), new

    return wrong


def wrong_velocities(step):
    """Mistakes in the velocity, the same for momentum and Nesterov."""
    return {
        "the gradient is added: it points uphill": with_velocity(
            lambda v, s, g, b: b * v + s, lambda w, new, v, s, b: step(w, new, v, -s, b)
        ),
        "the old velocity does not fade": with_velocity(lambda v, s, g, b: v - s, step),
        "the v that came in is not used": with_velocity(lambda v, s, g, b: -s, step),
        "the learning rate is missing": with_velocity(lambda v, s, g, b: b * v - g, step),
        "1 - beta before the gradient: that is a mean, not a velocity": with_velocity(
            lambda v, s, g, b: b * v - (1 - b) * s, step
        ),
        "beta also multiplies the gradient: the bracket reaches too far": with_velocity(
            lambda v, s, g, b: b * (v - s), step
        ),
    }


def momentum_step(w, new, v, s, b):
    return w + new


def nesterov_step(w, new, v, s, b):
    return w + b * new - s


def right_velocity(v, s, g, b):
    return b * v - s


def learning_rate_outside(w, g, v, learning_rate, beta=0.9):
    v = beta * v + g
    return w - learning_rate * v, v


def mean_of_gradients(w, g, v, learning_rate, beta=0.9):
    v = beta * v + (1 - beta) * g
    return w - learning_rate * v, v


MOMENTUM_MISTAKES = {
    "v is a mean of gradients here, and the learning rate stands before it": mean_of_gradients,
    "the learning rate stands before the velocity, not in it, as in PyTorch": learning_rate_outside,
    **wrong_velocities(momentum_step),
    "the sign of the velocity is wrong": with_velocity(
        right_velocity, lambda w, new, v, s, b: w - new
    ),
    "the old velocity moves the weights": with_velocity(
        right_velocity, lambda w, new, v, s, b: w + v
    ),
    "it is Nesterov's rule": right_nesterov,
    "it is gradient descent without momentum": with_velocity(
        right_velocity, lambda w, new, v, s, b: w - s
    ),
    "the gradient moves the weights twice: it is in the velocity already": with_velocity(
        right_velocity, lambda w, new, v, s, b: w + new - s
    ),
    "the old velocity is returned, not the new one": lambda w, g, v, learning_rate, beta=0.9: v,
    "the new weights come first, then the velocity": swapped(right_momentum),
    **settings_of(right_momentum, beta=FADING),
}
NESTEROV_MISTAKES = {
    "the step of the weights is returned as the velocity": with_velocity(
        lambda v, s, g, b: b * (b * v - s) - s, lambda w, new, v, s, b: w + new
    ),
    "the learning rate stands before the velocity, not in it, as in PyTorch": (
        lambda w, g, v, learning_rate, beta=0.9: (
            w - learning_rate * (g + beta * (beta * v + g)),
            beta * v + g,
        )
    ),
    **wrong_velocities(nesterov_step),
    "it is momentum without Nesterov's look ahead": right_momentum,
    "the gradient step is missing": with_velocity(
        right_velocity, lambda w, new, v, s, b: w + b * new
    ),
    "the sign of the velocity is wrong": with_velocity(
        right_velocity, lambda w, new, v, s, b: w - b * new - s
    ),
    "the old velocity is used, not the new one": with_velocity(
        right_velocity, lambda w, new, v, s, b: w + b * v - s
    ),
    "the gradient is added in the last step: it points uphill": with_velocity(
        right_velocity, lambda w, new, v, s, b: w + b * new + s
    ),
    "the factor beta before the new velocity is missing": with_velocity(
        right_velocity, lambda w, new, v, s, b: w + new - s
    ),
    "the old velocity is returned, not the new one": lambda w, g, v, learning_rate, beta=0.9: v,
    "the new weights come first, then the velocity": swapped(right_nesterov),
    **settings_of(right_nesterov, beta=FADING),
}


def by_root(mean, divide=lambda a, epsilon: np.sqrt(a) + epsilon):
    """A wrong answer: another sum of squares, or another divisor."""

    def wrong(w, g, a, learning_rate, rho=0.9, epsilon=1e-7):
        new = mean(a, g, rho)
        return w - learning_rate * g / divide(new, epsilon), new

    return wrong


def divisor_mistakes(mean):
    return {
        "the root is missing": by_root(mean, lambda a, epsilon: a + epsilon),
        "the direction is uphill": by_root(mean, lambda a, epsilon: -np.sqrt(a) - epsilon),
        "multiplied by the root, which has to divide": by_root(
            mean, lambda a, epsilon: 1 / (np.sqrt(a) + epsilon)
        ),
        "the root is returned as the state; it belongs to the step only": lambda *arguments: (
            by_root(mean)(*arguments)[0],
            np.sqrt(by_root(mean)(*arguments)[1]),
        ),
        "epsilon stands inside the root": by_root(mean, lambda a, epsilon: np.sqrt(a + epsilon)),
        "epsilon is missing": by_root(mean, lambda a, epsilon: np.sqrt(a)),
    }


def for_adagrad(mistakes):
    """The same without rho: Adagrad has no such argument."""
    return {
        name: lambda w, g, a, learning_rate, epsilon=1e-7, wrong=wrong: wrong(
            w, g, a, learning_rate, epsilon=epsilon
        )
        for name, wrong in mistakes.items()
    }


ADAGRAD_MISTAKES = for_adagrad(
    {
        "the square of this gradient only: the sum is forgotten": by_root(lambda a, g, r: g**2),
        "the gradient is not squared": by_root(lambda a, g, r: a + g),
        "the absolute value in place of the square": by_root(lambda a, g, r: a + np.abs(g)),
        "the old sum is used, not the new one": lambda w, g, a, learning_rate, epsilon: (
            w - learning_rate * g / (np.sqrt(a) + epsilon)
        ),
        "it is RMSprop": by_root(lambda a, g, r: r * a + (1 - r) * g**2),
        "2 g in place of the square of g": by_root(lambda a, g, r: a + 2 * g),
        "the squares of all elements are added up: each weight has a sum of its own": by_root(
            lambda a, g, r: a + np.sum(g**2)
        ),
        **divisor_mistakes(lambda a, g, r: a + g**2),
    }
) | settings_of(right_adagrad, epsilon=EPSILONS)
RMSPROP_MISTAKES = {
    "rho and 1 - rho are swapped": by_root(lambda a, g, r: (1 - r) * a + r * g**2),
    "the old mean is used, not the new one": lambda w, g, a, learning_rate, rho=0.9: (
        w - learning_rate * g / (np.sqrt(a) + 1e-7)
    ),
    "the factor 1 - rho is missing": by_root(lambda a, g, r: r * a + g**2),
    "the gradient is not squared": by_root(lambda a, g, r: r * a + (1 - r) * g),
    "it is Adagrad": by_root(lambda a, g, r: a + g**2),
    "the factor 1 - rho is squared, too: the bracket reaches too far": by_root(
        lambda a, g, r: r * a + ((1 - r) * g) ** 2
    ),
    "the squares of all elements are added up: each weight has a mean of its own": by_root(
        lambda a, g, r: r * a + (1 - r) * np.sum(g**2)
    ),
    "the square of the gradient in the step, where the gradient belongs": lambda w, g, a, rate, **o: (
        w - g * (w - right_rmsprop(w, g, a, rate, **o)[0])
    ),
    **divisor_mistakes(lambda a, g, r: r * a + (1 - r) * g**2),
    **settings_of(right_rmsprop, rho=FADING, epsilon=EPSILONS),
}


def wrong_adam(change):
    """A wrong answer: Adam with other betas or other numbers of steps."""

    def wrong(w, g, m, v, step, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        return change(w, g, m, v, step, learning_rate, (beta_1, beta_2), epsilon)

    return wrong


def corrected_state(w, g, m, v, step, rate, betas, epsilon):
    w, m, v = adam_with(w, g, m, v, rate, betas, epsilon, (step, step))
    return w, m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)


def without_root(w, g, m, v, step, rate, betas, epsilon):
    _, m, v = adam_with(w, g, m, v, rate, betas, epsilon, (step, step))
    m_hat, v_hat = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)
    return w - rate * m_hat / (v_hat + epsilon), m, v


def times_step(w, g, m, v, step, rate, betas, epsilon):
    _, m, v = adam_with(w, g, m, v, rate, betas, epsilon, (step, step))
    wrong_m, wrong_v = m / (1 - betas[0] * step), v / (1 - betas[1] * step)
    right_m, right_v = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)
    pairs = (wrong_m, wrong_v), (wrong_m, right_v), (right_m, wrong_v)
    return tuple(w - rate * top / (np.sqrt(below) + epsilon) for top, below in pairs)


def gradient_for_mean(w, g, m, v, step, rate, betas, epsilon):
    _, m, v = adam_with(w, g, m, v, rate, betas, epsilon, (step, step))
    return w - rate * g / (np.sqrt(v / (1 - betas[1] ** step)) + epsilon), m, v


def epsilon_inside(w, g, m, v, step, rate, betas, epsilon):
    _, m, v = adam_with(w, g, m, v, rate, betas, epsilon, (step, step))
    m_hat, v_hat = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)
    return w - rate * m_hat / np.sqrt(v_hat + epsilon), m, v


def epsilon_uncorrected(w, g, m, v, step, rate, betas, epsilon):
    _, m, v = adam_with(w, g, m, v, rate, betas, epsilon, (step, step))
    rate = rate * np.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step)
    return w - rate * m / (np.sqrt(v) + epsilon), m, v


def corrected_by(w, g, m, v, step, rate, betas, epsilon, which):
    """Adam, with these of the betas in the corrections of m and v."""
    _, m, v = adam_with(w, g, m, v, rate, betas, epsilon, (step, step))
    m_hat, v_hat = (mean / (1 - betas[i] ** step) for mean, i in zip((m, v), which, strict=True))
    return w - rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


ADAM_MISTAKES = {
    "m and v are returned in the wrong order": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b, e, (t, t))[1:]
    ),
    "both corrections are missing": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b, e, (None, None))
    ),
    "the correction of m is missing": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b, e, (None, t))
    ),
    "the correction of v is missing": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b, e, (t, None))
    ),
    "the exponent is step + 1: steps count from 1": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b, e, (t + 1, t + 1))
    ),
    "the exponent is step - 1: steps count from 1": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b, e, (t - 1, t - 1))
    ),
    "the exponent is missing": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b, e, (1, 1))
    ),
    "beta times step in place of beta to the power of step": wrong_adam(times_step),
    "the gradient in place of its mean m": wrong_adam(gradient_for_mean),
    "the corrected averages are returned as the state": wrong_adam(corrected_state),
    "beta_1 and beta_2 are swapped": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, rate, b[::-1], e, (t, t))
    ),
    "the gradient is not squared": lambda w, g, m, v, step, rate, beta_1=0.9, beta_2=0.999: (
        beta_2 * v + (1 - beta_2) * g
    ),
    "the root is missing": wrong_adam(without_root),
    "epsilon stands inside the root": wrong_adam(epsilon_inside),
    "epsilon is added before the correction": wrong_adam(epsilon_uncorrected),
    "the direction is uphill": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: adam_with(w, g, m, v, -rate, b, e, (t, t))
    ),
    "the correction of v has beta_1 in it": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: corrected_by(w, g, m, v, t, rate, b, e, (0, 0))
    ),
    "the correction of m has beta_2 in it": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: corrected_by(w, g, m, v, t, rate, b, e, (1, 1))
    ),
    "beta_2 in place of beta_1 in the mean m": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: b[1] * m + (1 - b[1]) * g
    ),
    "beta_1 in place of beta_2 in the mean v": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: b[0] * v + (1 - b[0]) * g**2
    ),
    "the factor 1 - beta is missing": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: (b[0] * m + g, b[1] * v + g**2)
    ),
    "the square of the mean m in place of the square of the gradient": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: b[1] * v + (1 - b[1]) * (b[0] * m + (1 - b[0]) * g) ** 2
    ),
    "the squares of all elements are added up: each weight has a mean of its own": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: b[1] * v + (1 - b[1]) * np.sum(g**2)
    ),
    "the weights decay: that is another rule": wrong_adam(
        lambda w, g, m, v, t, rate, b, e: [
            adam_with(w, g, m, v, rate, b, e, (t, t))[0] - decay * w
            for size in (0.1, 0.01, 0.001, 0.0001)
            for decay in (size, rate * size)
        ]
    ),
    **settings_of(right_adam, beta_1=FADING, beta_2=(0.9, *FADING), epsilon=EPSILONS),
}


# One step.


def check_step(student, name, arguments, named, right, numbers):
    """Compare the new state, then the new weights, which come from it."""
    got = student.call(name, *arguments, **named)
    labels = RETURNED[name]
    new = parts(name, got, labels)
    for label in labels[1:] + "w":
        i = labels.index(label)
        expect_close(
            new[i],
            right[i],
            name=f"the new {label}",
            numbers=lambda at, label=label: numbers(label, at),
            **CLOSE,
        )


def parts(name, got, labels):
    """What came back: as many arrays as the rule has."""
    wanted = ", ".join(f"new {label}" for label in labels)
    if isinstance(got, np.ndarray) and got.ndim > 0 and len(got) == len(labels):
        got = tuple(got)  # stacked
    if isinstance(got, (tuple, list)) and len(got) == len(labels):
        return got
    came = f"{len(got)} values" if isinstance(got, (tuple, list)) else "one value"
    raise Failure(f"{name} returns {came}; it has to return ({wanted})", kind="type")


def weights(draw):
    return draw.normal(draw.shape(draw.integer(1, 3), 3))


def numbers_like(draw, w, low=None):
    """Numbers of the shape of w; positive ones from `low` up."""
    return draw.normal(w.shape) if low is None else draw.uniform(w.shape, low, 4.0)


def clear_gradient(draw, shape):
    """Nothing near zero, where epsilon would count."""
    g = draw.normal(shape)
    return g + np.where(g < 0, -0.5, 0.5)


def rate_and(draw, **options):
    """A learning rate, and settings that are sometimes not the default."""
    named = {name: draw.choice([None, *values]) for name, values in options.items()}
    rate = draw.choice([0.1, 0.5, 0.01])
    return rate, {name: value for name, value in named.items() if value is not None}


@assignment.property(
    "gradient descent: one step",
    points=6,
    public=True,
    formula=DESCENT,
    likely={
        "the gradient is added: it points uphill": lambda w, g, learning_rate: (
            w + learning_rate * g
        ),
        "the learning rate is missing": lambda w, g, learning_rate: w - g,
        "only the step is returned": lambda w, g, learning_rate: -learning_rate * g,
        "divided by the learning rate": lambda w, g, learning_rate: w - g / learning_rate,
        "divided by the length of the gradient: it counts, too": lambda w, g, learning_rate: (
            w - learning_rate * g / np.linalg.norm(g)
        ),
        "only the sign of the gradient counts": lambda w, g, learning_rate: (
            w - learning_rate * np.sign(g)
        ),
        "divided by the number of elements: nothing is averaged here": lambda w, g, learning_rate: (
            w - learning_rate * g / len(w),
            w - learning_rate * g / w.size,
        ),
    },
)
def descent_step(student, draw):
    w = weights(draw)
    g = numbers_like(draw, w)
    rate, _ = rate_and(draw)
    right = right_gradient_descent(w, g, rate)

    def numbers(at):
        return rf"w = {written(w[at])} - {written(rate)} \cdot {written(g[at])}"

    got = student.gradient_descent(w, g, rate)
    expect_close(got, right, name="the new w", numbers=numbers, **CLOSE)


@assignment.property(
    "momentum: one step", points=10, public=True, formula=MOMENTUM, likely=MOMENTUM_MISTAKES
)
def momentum_one_step(student, draw):
    check_velocity(student, draw, "momentum")


@assignment.property(
    "Nesterov: one step", points=10, public=True, formula=NESTEROV, likely=NESTEROV_MISTAKES
)
def nesterov_one_step(student, draw):
    check_velocity(student, draw, "nesterov")


def check_velocity(student, draw, name):
    w = weights(draw)
    g, v = numbers_like(draw, w), numbers_like(draw, w)
    rate, named = rate_and(draw, beta=[0.5, 0.75])
    beta = named.get("beta", 0.9)
    right = RIGHT[name](w, g, v, rate, **named)

    def numbers(label, at):
        step = rf"{written(rate)} \cdot {written(g[at])}"
        if label == "v":
            return rf"v = {beta} \cdot {written(v[at])} - {step}"
        velocity = written(right[1][at])
        if name == "momentum":
            return f"w = {written(w[at])} + {velocity}"
        return rf"w = {written(w[at])} + {beta} \cdot {velocity} - {step}"

    check_step(student, name, (w, g, v, rate), named, right, numbers)


@assignment.property(
    "Adagrad: one step", points=10, public=True, formula=ADAGRAD, likely=ADAGRAD_MISTAKES
)
def adagrad_one_step(student, draw):
    rate, named = rate_and(draw)
    check_squares(student, draw, "adagrad", rate, named)


@assignment.property(
    "RMSprop: one step", points=10, public=True, formula=RMSPROP, likely=RMSPROP_MISTAKES
)
def rmsprop_one_step(student, draw):
    rate, named = rate_and(draw, rho=[0.5, 0.75])
    check_squares(student, draw, "rmsprop", rate, named)


def check_squares(student, draw, name, rate, named):
    w = weights(draw)
    g, a = numbers_like(draw, w), numbers_like(draw, w, low=0.1)
    rho, epsilon = named.get("rho", 0.9), named.get("epsilon", 1e-7)
    right = RIGHT[name](w, g, a, rate, **named)

    def numbers(label, at):
        if label == "a":
            old, square = written(a[at]), f"{written(g[at])}^2"
            if name == "adagrad":
                return f"a = {old} + {square}"
            return rf"a = {rho} \cdot {old} + {written(1 - rho)} \cdot {square}"
        divisor = rf"\sqrt{{{written(right[1][at])}}} + {written(epsilon)}"
        return rf"w = {written(w[at])} - {rate} \cdot \frac{{{written(g[at])}}}{{{divisor}}}"

    check_step(student, name, (w, g, a, rate), named, right, numbers)


@assignment.property("Adam: one step", points=14, public=True, formula=ADAM, likely=ADAM_MISTAKES)
def adam_one_step(student, draw):
    rate, named = rate_and(draw, beta_1=[0.5, 0.75], beta_2=[0.99, 0.75])
    check_adam(student, draw, draw.integer(1, 9), rate, named)


def check_adam(student, draw, step, rate, named):
    w = weights(draw)
    g, m, v = numbers_like(draw, w), numbers_like(draw, w), numbers_like(draw, w, low=0.1)
    beta_1, beta_2 = named.get("beta_1", 0.9), named.get("beta_2", 0.999)
    epsilon = named.get("epsilon", 1e-7)
    right = right_adam(w, g, m, v, step, rate, **named)

    def numbers(label, at):
        old, beta, power = {
            "m": (m, beta_1, ""),
            "v": (v, beta_2, "^2"),
            "w": (w, None, ""),
        }[label]
        if label != "w":
            new = rf"{written(1 - beta)} \cdot {written(g[at])}{power}"
            return rf"{label} = {beta} \cdot {written(old[at])} + {new}"
        _, new_m, new_v = right
        above = rf"{written(new_m[at])} / (1 - {beta_1}^{step})"
        root = rf"\sqrt{{{written(new_v[at])} / (1 - {beta_2}^{step})}}"
        return (
            rf"w = {written(w[at])} - {rate} \cdot \frac{{{above}}}{{{root} + {written(epsilon)}}}"
        )

    check_step(student, "adam", (w, g, m, v, step, rate), named, right, numbers)


# Adam's first steps, and its scale.


@assignment.property(
    "Adam: the first step is as long as the learning rate",
    points=6,
    formula=r"t = 1, \; m = v = 0: \quad w \leftarrow w - \eta \, \mathrm{sign}(g)",
    hint="in the first step both means are too small; the corrections undo exactly that",
    likely=ADAM_MISTAKES,
)
def adam_first_step(student, draw):
    w = weights(draw)
    zero, rate = np.zeros(w.shape), draw.choice([0.1, 0.5, 0.01])
    sizes = 10 ** draw.uniform(w.shape, -1.0, 3.0)
    g = sizes * np.sign(clear_gradient(draw, w.shape))
    new = parts("adam", student.adam(w, g, zero, zero, 1, rate), "wmv")
    expect_close(new[0], w - rate * np.sign(g), name="the new w", **CLOSE)


@assignment.property(
    "Adam: gradients of another scale, the same steps",
    points=6,
    formula=r"g \to c \, g: \quad \frac{c \hat m}{\sqrt{c^2 \hat v}} = \frac{\hat m}{\sqrt{\hat v}}",
    hint="numerator and divisor grow alike, so their quotient does not",
)
def adam_scale(student, draw):
    w = weights(draw)
    gradients = [clear_gradient(draw, w.shape) for _ in range(draw.integer(1, 4))]
    scale = draw.choice([2.0, 1000.0, 0.5])
    paths = [chain(student, "adam", w, [c * g for g in gradients]) for c in (1.0, scale)]
    expect_moved(paths[0], w, "adam")
    expect_close(paths[1], paths[0], name=f"w after gradients {scale:g} times as large", **CLOSE)


def chain(student, name, w, gradients, rate=0.1):
    """The weights after a sequence of steps, from a state of zeros."""
    state = [np.zeros(w.shape)] * STATES[name]
    for step, g in enumerate(gradients, start=1):
        w, *state = one_step(student, name, w, g, state, step, rate)
    return w


def one_step(student, name, w, g, state, step, rate):
    number = (step,) if name == "adam" else ()
    got = student.call(name, w, g, *state, *number, rate)
    return parts(name, got, RETURNED[name])


def expect_moved(new, w, name):
    expect_shape(new, w.shape, name="the new w")
    expect(np.any(np.asarray(new) != w), f"{name} does not change the weights")


def right_chain(name, w, gradients, rate=0.1):
    state = [np.zeros(w.shape)] * STATES[name]
    for step, g in enumerate(gradients, start=1):
        number = (step,) if name == "adam" else ()
        w, *state = RIGHT[name](w, g, *state, *number, rate)
    return w


# Sequences.


@assignment.property(
    "momentum and Nesterov: a sequence of steps",
    points=4,
    formula=MOMENTUM,
    hint="what is returned as v comes in as v in the next step",
)
def velocity_sequence(student, draw):
    check_sequence(student, draw, ("momentum", "nesterov"))


@assignment.property(
    "Adagrad, RMSprop and Adam: a sequence of steps",
    points=4,
    formula=r"w \leftarrow w - \eta \frac{g}{\sqrt{a} + \epsilon}",
    hint="what is returned as the state comes in as the state in the next step",
)
def squares_sequence(student, draw):
    check_sequence(student, draw, ("adagrad", "rmsprop", "adam"))


def check_sequence(student, draw, names):
    w = weights(draw)
    gradients = [clear_gradient(draw, w.shape) for _ in range(draw.integer(2, 6))]
    for name in names:
        expect_close(
            chain(student, name, w, gradients),
            right_chain(name, w, gradients),
            name=f"w after {len(gradients)} steps of {name}",
            **CLOSE,
        )


@assignment.property(
    "two parameters in turn: no state is shared",
    points=5,
    hint="all state comes in as arguments; nothing is kept in the function or in the file",
)
def no_shared_state(student, draw):
    starts = draw.normal((2, 3)), draw.normal(draw.integer(1, 4))
    gradients = [[clear_gradient(draw, w.shape) for _ in range(2)] for w in starts]
    for name in STATES:
        alone = [chain(student, name, *both) for both in zip(starts, gradients, strict=True)]
        expect_moved(alone[0], starts[0], name)
        now = [(w, [np.zeros(w.shape)] * STATES[name]) for w in starts]
        for step in (1, 2):
            for i, (w, state) in enumerate(now):
                g = gradients[i][step - 1]
                w, *state = one_step(student, name, w, g, state, step, 0.1)
                now[i] = w, state
        for i, (w, _) in enumerate(now):
            label = f"parameter {i + 1} after two steps of {name}, in turn with another"
            expect_close(w, alone[i], name=label, **CLOSE)


# Epsilon.


@assignment.property(
    "zero gradients: no step, no nan",
    points=5,
    formula=r"g = 0, \; a = 0: \quad \frac{0}{\sqrt{0} + \epsilon} = 0",
    hint="without epsilon this is 0 / 0",
)
def zero_gradients(student, draw):
    w = weights(draw)
    g = np.where(draw.uniform(w.shape, 0, 1) < 0.5, 0.0, clear_gradient(draw, w.shape))
    for name in ("adagrad", "rmsprop", "adam"):
        expect_moved(chain(student, name, w, [np.ones(w.shape)]), w, name)
        for gradient in (np.zeros(w.shape), g):
            new = np.asarray(chain(student, name, w, [gradient]))
            expect_shape(new, w.shape, name="the new w")
            new = np.where(gradient == 0, new, w)
            expect_close(new, w, name=f"w after a step of {name}", **CLOSE)


@assignment.property(
    "epsilon: where the formula has it",
    points=5,
    formula=r"w \leftarrow w - \eta \frac{g}{\sqrt{a} + \epsilon}",
    hint="epsilon is added to the root (in Adam to the root of the corrected mean)",
    likely={
        f"in {rule}, {name}": wrong
        for rule, mistakes in (
            ("Adagrad", ADAGRAD_MISTAKES),
            ("RMSprop", RMSPROP_MISTAKES),
            ("Adam", ADAM_MISTAKES),
        )
        for name, wrong in mistakes.items()
        if any(word in name for word in ("epsilon", "root", "default"))
    },
)
def where_epsilon_stands(student, draw):
    """By the new state that the student returns: whether that is right is asked elsewhere."""
    w = weights(draw)
    g, rate, epsilon = clear_gradient(draw, w.shape), 0.5, draw.choice([0.5, 0.25, 1.0, 1e-7])
    old, named = numbers_like(draw, w, low=0.1), {"epsilon": epsilon}
    if epsilon == 1e-7:  # the default: it shows where gradients are as small
        g, old, named = g * 1e-7, np.zeros(w.shape), {}
    for name in ("adagrad", "rmsprop"):
        new, a = parts(name, student.call(name, w, g, old, rate, **named), "wa")
        right = w - rate * g / (np.sqrt(a) + epsilon)
        expect_close(new, right, name=f"the new w of {name}", **CLOSE)
    step = draw.integer(1, 4)
    new, m, v = parts("adam", student.adam(w, g, g, old, step, rate, **named), "wmv")
    m_hat, v_hat = np.divide(m, 1 - 0.9**step), np.divide(v, 1 - 0.999**step)
    right = w - rate * m_hat / (np.sqrt(v_hat) + epsilon)
    expect_close(new, right, name="the new w of adam", **CLOSE)


# Manners.


@assignment.property(
    "inputs are left as they were",
    points=5,
    public=True,
    hint="v *= beta changes the array of whoever called; write v = beta * v",
)
def inputs_stay(student, draw):
    w = weights(draw)
    g = numbers_like(draw, w)
    right = is_close(student.gradient_descent(w, g, 0.1), right_gradient_descent(w, g, 0.1))
    expect_unchanged(student)
    for name, count in STATES.items():
        state = [numbers_like(draw, w, low=0.1)] * count
        number = (1,) if name == "adam" else ()
        new_w, *_ = one_step(student, name, w, g, state, 1, 0.1)
        expect_unchanged(student)
        right |= is_close(new_w, RIGHT[name](w, g, *state, *number, 0.1)[0])
    expect(right, "no answer is right yet: then this counts nothing")
