"""What is graded in assignment 2: for teachers and the grader, not for students."""

from __future__ import annotations

import numpy as np

from tinydl.course import Assignment, Failure, expect, expect_close, expect_unchanged, is_close
from tinydl.course.written import added, products, written

CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # good enough for float32
FAR_OUT = {"rtol": 1e-3, "atol": 2e-3}  # and for its numbers near 10,000

assignment = Assignment(
    "02-softmax-cross-entropy",
    title="Softmax and cross-entropy",
    functions=(
        "softmax(z)",
        "log_softmax(z)",
        "cross_entropy(t, z)",
        "cross_entropy_gradient(t, z)",
        "hessian_vector_product(t, z, v)",
    ),
    inputs_may_change=True,  # a property of its own asks for that
    tutorial="05_mean_squared_error_and_cross_entropy",
)

SOFTMAX = r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}"
LOG_SOFTMAX = r"\ln p_k = z_k - \ln \sum_j e^{z_j}"
LOSS = r"L_n = -\sum_k t_{nk} \ln p_{nk}"
GRADIENT = r"\frac{\partial L_n}{\partial z_{nk}} = p_{nk} - t_{nk}"
HESSIAN = r"(H v)_j = p_j \Big( v_j - \sum_k p_k v_k \Big)"
SMALLEST = (1e-16, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7)
LARGE = "subtract the largest logit of each row first; then no exponential is above 1"


# The right answers, and the typical wrong ones.


def lowered_exponentials(z):
    return np.exp(z - z.max(axis=-1, keepdims=True))


@assignment.reference
def right_softmax(z):
    return lowered_exponentials(z) / lowered_exponentials(z).sum(axis=-1, keepdims=True)


def softmax_of_columns(z):
    exponentials = np.exp(z - z.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def softmax_along_1(z):
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def softmax_of_all(z):
    exponentials = np.exp(z - z.max())
    return exponentials / exponentials.sum(), lowered_exponentials(z) / lowered_exponentials(
        z
    ).sum()


def cut_off(z):
    return tuple(right_softmax(np.clip(z, -most, most)) for most in (10, 50, 100, 500, 700, 709))


def logarithms_of_kept_off_0(z):
    p = right_softmax(z)
    kept = [(p + e, np.maximum(p, e), np.clip(p, e, 1 - e)) for e in SMALLEST]
    return [np.log(q) for forms in kept for q in forms]


def lowered_by(z, statistic):
    """The softmax, where another number of each row than its largest is subtracted first."""
    exponentials = np.exp(z - statistic(z, axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def with_largest_of_all(z):
    exponentials = np.exp(z - z.max())
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@assignment.reference
def right_log_softmax(z):
    lowered = z - z.max(axis=-1, keepdims=True)
    return lowered - np.log(np.exp(lowered).sum(axis=-1, keepdims=True))


def with_sums(z, function, *others):
    """Log-softmax with another function of the sum than its logarithm; and other candidates."""
    sums = lowered_exponentials(z).sum(axis=-1, keepdims=True)
    return z - z.max(axis=-1, keepdims=True) - function(sums), *others


@assignment.reference
def right_loss(t, z):
    return -(t * right_log_softmax(z)).sum(axis=-1)


def loss_of_the_likeliest(t, z):
    rows = np.arange(len(t))
    return -right_log_softmax(z)[rows, t.argmax(axis=-1)]


def yes_and_no_loss(t, z):
    p = np.clip(right_softmax(z), 1e-300, 1 - 1e-16)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum(axis=-1)


@assignment.reference
def right_gradient(t, z):
    return right_softmax(z) - t


@assignment.reference
def right_product(t, z, v):
    p = right_softmax(z)
    return p * (v - (p * v).sum(axis=-1, keepdims=True))


def one_sided(t, z, step):
    moved = [right_loss(t, z + step * row) for row in np.eye(z.shape[-1])]
    return (np.stack(moved, axis=-1) - right_loss(t, z)[:, None]) / step


def diagonal_product(t, z, v):
    p = right_softmax(z)
    return p * (1 - p) * v


def product_summed_over_columns(t, z, v):
    p = right_softmax(z)
    return p * (v - (p * v).sum(axis=0))


SOFTMAX_MISTAKES = {
    "each column adds up to 1, not each row": softmax_of_columns,
    "the whole batch adds up to 1, not each row": softmax_of_all,
    "the sign in the exponent is wrong": lambda z: right_softmax(-z),
    "divided by the sum of each column, not of each row": lambda z: (
        lowered_exponentials(z) / lowered_exponentials(z).sum(axis=0)
    ),
    "keepdims=True is missing in the sum": lambda z: (
        lowered_exponentials(z) / lowered_exponentials(z).sum(axis=-1)
    ),
    "keepdims=True is missing": lambda z: (
        np.exp(z - z.max(axis=-1)) / np.exp(z - z.max(axis=-1)).sum(axis=-1)
    ),
    "along axis 1, which is not always the last": lambda z: softmax_along_1(z),
    "divided by the largest logit, which has to be subtracted": lambda z: right_softmax(
        z / z.max(axis=-1, keepdims=True)
    ),
    "the exponential is missing": lambda z: z / z.sum(axis=-1, keepdims=True),
    "a number is added to the sum": lambda z: [
        lowered_exponentials(z) / (lowered_exponentials(z).sum(axis=-1, keepdims=True) + e)
        for e in (1.0, 0.1, 0.01, 1e-3, 1e-4)
    ],
    "the largest gets everything: that is an argmax": lambda z: np.eye(z.shape[-1])[
        z.argmax(axis=-1)
    ],
    "not divided by the sum": lowered_exponentials,
    "it is a sigmoid": lambda z: 0.5 * (1 + np.tanh(0.5 * z)),
}
LOG_SOFTMAX_MISTAKES = {
    "the softmax of the columns, not of the rows": lambda z: np.log(softmax_of_columns(z)),
    "the logarithm of the sum is not subtracted": lambda z: z - z.max(axis=-1, keepdims=True),
    "the softmax itself, without the logarithm": right_softmax,
    "the logarithm to base 2, not the natural one": lambda z: with_sums(
        z, np.log2, right_log_softmax(z) / np.log(2)
    ),
    "the logarithm to base 10, not the natural one": lambda z: with_sums(
        z, np.log10, right_log_softmax(z) / np.log(10)
    ),
    "the sum is subtracted, not its logarithm": lambda z: with_sums(z, lambda total: total),
    "keepdims=True is missing": lambda z: (
        z - z.max(axis=-1, keepdims=True) - np.log(lowered_exponentials(z).sum(axis=-1))
    ),
    "the largest logit is subtracted within the logarithm only": lambda z: (
        z - np.log(lowered_exponentials(z).sum(axis=-1, keepdims=True))
    ),
    "the largest logit is subtracted outside the logarithm only": lambda z: (
        right_log_softmax(z) - z.max(axis=-1, keepdims=True)
    ),
    "divided by the logarithm of the sum, which has to be subtracted": lambda z: (
        (z - z.max(axis=-1, keepdims=True))
        / np.log(lowered_exponentials(z).sum(axis=-1, keepdims=True))
    ),
}
LOSS_MISTAKES = {
    "the sign is wrong": lambda t, z: (t * right_log_softmax(z)).sum(axis=-1),
    "the mean over the samples: there has to be a number for each": lambda t, z: np.mean(
        right_loss(t, z)
    ),
    "the sum over the samples: there has to be a number for each": lambda t, z: np.sum(
        right_loss(t, z)
    ),
    "a mean over the classes in place of the sum": lambda t, z: right_loss(t, z) / z.shape[-1],
    "summed over the samples, not over the classes": lambda t, z: (
        -(t * right_log_softmax(z)).sum(axis=0)
    ),
    "the logarithm to base 2, not the natural one": lambda t, z: right_loss(t, z) / np.log(2),
    "the logarithm to base 10, not the natural one": lambda t, z: right_loss(t, z) / np.log(10),
    "the squared error, not the cross-entropy": lambda t, z: ((t - right_softmax(z)) ** 2).sum(
        axis=-1
    ),
    "the softmax is taken twice": lambda t, z: right_loss(t, right_softmax(z)),
    "the binary cross-entropy of each class": yes_and_no_loss,
    "the logarithm of the logits, which are no probabilities": lambda t, z: (
        -(t * np.log(z)).sum(axis=-1)
    ),
    "the logits themselves, without the logarithm of their sum": lambda t, z: -(t * z).sum(axis=-1),
    "the logarithm is missing": lambda t, z: -(t * right_softmax(z)).sum(axis=-1),
    "the logarithm of a probability that was rounded to 0": lambda t, z: (
        -(t * np.log(right_softmax(z))).sum(axis=-1)
    ),
    "only targets of exactly 1 count": lambda t, z: (
        -np.where(t == 1, right_log_softmax(z), 0.0).sum(axis=-1)
    ),
    "targets and predictions are swapped": lambda t, z: [
        -(right_softmax(z) * np.log(np.maximum(t, e))).sum(axis=-1) for e in SMALLEST
    ],
    "the entropy of the targets is subtracted: that is the Kullback-Leibler divergence": (
        lambda t, z: right_loss(t, z) + (t * np.log(np.where(t > 0, t, 1))).sum(axis=-1)
    ),
}
GRADIENT_MISTAKES = {
    "the sign is wrong": lambda t, z: t - right_softmax(z),
    "divided by the number of samples: nothing is averaged here": lambda t, z: (
        (right_softmax(z) - t) / len(t)
    ),
    "divided by the number of classes": lambda t, z: (right_softmax(z) - t) / z.shape[-1],
    "the derivative with respect to p, not to z": lambda t, z: -t / right_softmax(z),
    "each p_k depends on all logits, not only on its own": lambda t, z: -t * (1 - right_softmax(z)),
    "only the class with the largest target counts": lambda t, z: (
        right_softmax(z) - np.eye(z.shape[-1])[t.argmax(axis=-1)]
    ),
    "t is not subtracted": lambda t, z: right_softmax(z),
    "the softmax is missing": lambda t, z: z - t,
    "the logarithm of the softmax in place of the softmax": lambda t, z: right_log_softmax(z) - t,
    "p (1 - p) belongs to the chain rule before it is simplified": lambda t, z: (
        (right_softmax(z) - t) * right_softmax(z) * (1 - right_softmax(z))
    ),
    "a difference of two losses, not the derivative": lambda t, z: [
        one_sided(t, z, step) for step in (0.1, 0.01, 1e-3, 1e-4)
    ],
    "that is the derivative of p_k with respect to z_k": lambda t, z: (
        right_softmax(z) * (1 - right_softmax(z))
    ),
}
PRODUCT_MISTAKES = {
    "only the diagonal of the Hessian: the term - p_j p_k is missing where j is not k": (
        diagonal_product
    ),
    "the term - p_j p_k is missing": lambda t, z, v: right_softmax(z) * v,
    "the sum is not weighted by p": lambda t, z, v: (
        right_softmax(z) * (v - v.sum(axis=-1, keepdims=True))
    ),
    "the sum over the samples, not over the classes": product_summed_over_columns,
    "the sum is added, not subtracted": lambda t, z, v: (
        2 * right_softmax(z) * v - right_product(t, z, v)
    ),
    "p stands only before v, not before the sum": lambda t, z, v: (
        right_softmax(z) * v - (right_softmax(z) * v).sum(axis=-1, keepdims=True)
    ),
    "the sum over the whole batch": lambda t, z, v: (
        right_softmax(z) * (v - (right_softmax(z) * v).sum())
    ),
    "the gradient times v": lambda t, z, v: right_gradient(t, z) * v,
    "keepdims=True is missing": lambda t, z, v: (
        right_softmax(z) * (v - (right_softmax(z) * v).sum(axis=-1))
    ),
    "a mean in place of the sum": lambda t, z, v: (
        right_softmax(z) * (v - (right_softmax(z) * v).mean(axis=-1, keepdims=True))
    ),
    "the factor p_j before the bracket is missing": lambda t, z, v: (
        v - (right_softmax(z) * v).sum(axis=-1, keepdims=True)
    ),
}


# What is drawn.


def logits(draw, ndim=2):
    """Ordinary ones; as many rows as columns now and then."""
    return draw.normal((*draw.shape(ndim - 1, 5, least=2), draw.integer(2, 5)), scale=2.0)


def large_logits(draw, samples, classes):
    """Up to 10,000, rows at quite different heights; all exact in float32."""
    rng = draw.generator()
    heights = rng.integers(-9, 10, (samples, 1)) * 1000.0
    spread = draw.choice([4.0, 300.0, 1000.0])
    return heights + np.round(rng.uniform(-spread, spread, (samples, classes)) * 2) / 2


def one_hot(draw, samples, classes):
    return np.eye(classes)[draw.integers(samples, 0, classes - 1)]


def exponential(z):
    return rf"e^{{{written(z)}}}"


def softmax_numbers(z):
    def numbers(at):
        below = added([exponential(score) for score in z[at[:-1]]])
        return rf"p = \frac{{{exponential(z[at])}}}{{{below}}}"

    return numbers


def log_softmax_numbers(z):
    def numbers(at):
        inside = added([exponential(score) for score in z[at[:-1]]])
        return rf"\ln p = {written(z[at])} - \ln \big( {inside} \big)"

    return numbers


def loss_numbers(t, z):
    def numbers(at):
        return rf"L = -\big( {products(t[at], right_log_softmax(z)[at])} \big)"

    return numbers


# Softmax.


@assignment.property(
    "softmax: formula", points=10, public=True, formula=SOFTMAX, likely=SOFTMAX_MISTAKES
)
def softmax_formula(student, draw):
    check_softmax(student, logits(draw))


@assignment.property(
    "softmax: probabilities, unchanged when all scores are moved",
    points=8,
    formula=SOFTMAX + r", \quad \sum_k p_k = 1",
    hint="the last axis counts the classes, however many axes z has",
    likely=SOFTMAX_MISTAKES,
)
def softmax_is_a_distribution(student, draw):
    shape = draw.choice([(2, 3), (1, 4), (3, 1), (4,), (2, 3, 4), (3, 3), (2, 1, 2, 3)])
    z = draw.normal(shape, scale=3.0)
    p = check_softmax(student, z)
    total = np.asarray(p).sum(axis=-1)
    expect_close(total, np.ones(shape[:-1]), name="the sum of p", **CLOSE)
    moved = student.softmax(z + draw.choice([1.0, -30.0, 256.0]))
    expect_close(moved, right_softmax(z), name="p of z + constant", **CLOSE)


@assignment.property(
    "softmax: large logits",
    points=8,
    public=True,
    formula=SOFTMAX,
    hint=LARGE,
    likely={
        **SOFTMAX_MISTAKES,
        "the largest of the whole batch is subtracted, not that of each row": with_largest_of_all,
        "large logits are cut off": cut_off,
        "the mean of each row is subtracted, not its largest": lambda z: lowered_by(z, np.mean),
        "the smallest of each row is subtracted, not its largest": lambda z: lowered_by(z, np.min),
        "the largest logit is not subtracted before the exponential": lambda z: lowered_by(
            z, lambda z, **_: 0.0
        ),
        "the largest absolute value of each row is subtracted, not its largest": lambda z: (
            lowered_by(z, lambda z, **rows: np.max(np.abs(z), **rows))
        ),
    },
)
def softmax_large(student, draw):
    z = large_logits(draw, draw.integer(1, 4), draw.integer(2, 4))
    check_softmax(student, z, FAR_OUT)


def check_softmax(student, z, tolerances=CLOSE):
    p = student.softmax(z)
    expect_close(p, right_softmax(z), name="p", numbers=softmax_numbers(z), **tolerances)
    return p


# Log-softmax.


@assignment.property(
    "log-softmax: formula",
    points=8,
    public=True,
    formula=LOG_SOFTMAX,
    likely=LOG_SOFTMAX_MISTAKES,
)
def log_softmax_formula(student, draw):
    check_log_softmax(student, logits(draw))


@assignment.property(
    "log-softmax: large logits",
    points=8,
    formula=LOG_SOFTMAX,
    hint=LARGE + "; and never take the logarithm of a softmax, which may be 0",
    likely={
        "the logarithm of a probability that was rounded to 0": lambda z: np.log(right_softmax(z)),
        "a probability that was rounded to 0 is kept off 0 by a small number": (
            logarithms_of_kept_off_0
        ),
        "the largest logit is not subtracted before the exponential": lambda z: (
            z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        ),
        **LOG_SOFTMAX_MISTAKES,
    },
)
def log_softmax_large(student, draw):
    z = large_logits(draw, draw.integer(1, 4), draw.integer(2, 4))
    check_log_softmax(student, z, FAR_OUT)


def check_log_softmax(student, z, tolerances=CLOSE):
    got = student.log_softmax(z)
    right = right_log_softmax(z)
    expect_close(got, right, name="ln p", numbers=log_softmax_numbers(z), **tolerances)


# Cross-entropy.


@assignment.property(
    "cross-entropy: formula", points=12, public=True, formula=LOSS, likely=LOSS_MISTAKES
)
def loss_formula(student, draw):
    z = logits(draw)
    check_loss(student, one_hot(draw, *z.shape), z)


@assignment.property(
    "cross-entropy: large logits",
    points=8,
    formula=LOSS,
    hint="compute it from log_softmax: 0 times inf is nan",
    likely={
        "a probability that was rounded to 0 is kept off 0 by a small number": lambda t, z: [
            -(t * logarithms).sum(axis=-1) for logarithms in logarithms_of_kept_off_0(z)
        ],
        **LOSS_MISTAKES,
    },
)
def loss_large(student, draw):
    z = large_logits(draw, draw.integer(1, 4), draw.integer(2, 4))
    check_loss(student, one_hot(draw, *z.shape), z, FAR_OUT)


@assignment.property(
    "cross-entropy: targets that are probabilities",
    points=6,
    formula=LOSS,
    hint="the sum is over all classes: several of them may have a share",
    likely={"only the class with the largest target counts": loss_of_the_likeliest} | LOSS_MISTAKES,
)
def loss_soft_targets(student, draw):
    z = draw.normal((draw.integer(1, 6), draw.integer(2, 6)), scale=2.0)
    check_loss(student, soft_targets(draw, *z.shape), z)


def soft_targets(draw, samples, classes):
    """Tenths that add up to 1."""
    tenths = draw.generator().multinomial(10, np.full(classes, 1 / classes), size=samples)
    return tenths / 10


def check_loss(student, t, z, tolerances=CLOSE):
    got = student.cross_entropy(t, z)
    expect_close(got, right_loss(t, z), name="L", numbers=loss_numbers(t, z), **tolerances)


# Derivatives.


@assignment.property(
    "gradient: formula", points=12, public=True, formula=GRADIENT, likely=GRADIENT_MISTAKES
)
def gradient_formula(student, draw):
    z = logits(draw)
    t = one_hot(draw, *z.shape)
    p = right_softmax(z)

    def numbers(at):
        return rf"\frac{{\partial L}}{{\partial z}} = {written(p[at])} - {written(t[at])}"

    got = student.cross_entropy_gradient(t, z)
    expect_close(got, right_gradient(t, z), name="the gradient", numbers=numbers, **CLOSE)


@assignment.property(
    "gradient: agrees with differences of the loss",
    points=8,
    formula=GRADIENT,
    hint="also where targets are probabilities, and where logits are large",
    likely=GRADIENT_MISTAKES,
)
def gradient_by_differences(student, draw):
    samples, classes = draw.integer(1, 5), draw.integer(2, 6)
    z = np.round(draw.normal((samples, classes), scale=2.0) * 512) / 512
    t = soft_targets(draw, samples, classes)
    expected = differences(lambda z: right_loss(t, z), z)
    heights = draw.boolean() * 1024.0 * draw.integers((samples, 1), -4, 4)  # change no derivative
    got = student.cross_entropy_gradient(t, z + heights)
    tolerances = FAR_OUT if heights.any() else CLOSE
    expect_close(got, expected, name="the gradient", **tolerances)


def differences(loss, z, step=1e-5):
    """The derivative of each sample's loss by each of its logits, by central differences."""
    columns = [step * row for row in np.eye(z.shape[-1])]
    return np.stack([(loss(z + h) - loss(z - h)) / (2 * step) for h in columns], axis=-1)


@assignment.property(
    "Hessian-vector product: formula",
    points=5,
    public=True,
    formula=HESSIAN,
    likely=PRODUCT_MISTAKES,
)
def product_formula(student, draw):
    z = logits(draw)
    t, v = one_hot(draw, *z.shape), draw.normal(z.shape)
    p = right_softmax(z)

    def numbers(at):
        n, j = at
        difference = rf"{written(v[n, j])} - \big( {products(p[n], v[n])} \big)"
        return rf"(Hv)_j = {written(p[n, j])} \Big( {difference} \Big)"

    got = student.hessian_vector_product(t, z, v)
    expect_close(got, right_product(t, z, v), name="H v", numbers=numbers, **CLOSE)


@assignment.property(
    "Hessian-vector product: agrees with differences of the gradient",
    points=5,
    formula=HESSIAN,
    hint="it says how the gradient changes when z moves a little along v",
    likely=PRODUCT_MISTAKES,
)
def product_by_differences(student, draw):
    shape = draw.integer(1, 5), draw.integer(2, 6)
    z, v = draw.normal(shape, scale=2.0), draw.normal(shape)
    t = soft_targets(draw, *shape)
    step = 1e-5 * v
    expected = (right_gradient(t, z + step) - right_gradient(t, z - step)) / 2e-5
    expect_close(student.hessian_vector_product(t, z, v), expected, name="H v", **CLOSE)


# Manners.


@assignment.property(
    "inputs are left as they were",
    points=2,
    public=True,
    hint="z -= z.max(...) changes the array of whoever called; write z = z - z.max(...)",
)
def inputs_stay(student, draw):
    z = logits(draw)
    t, v = one_hot(draw, *z.shape), draw.normal(z.shape)
    right = False
    for name, answer, arguments in (
        ("softmax", right_softmax, (z,)),
        ("log_softmax", right_log_softmax, (z,)),
        ("cross_entropy", right_loss, (t, z)),
        ("cross_entropy_gradient", right_gradient, (t, z)),
        ("hessian_vector_product", right_product, (t, z, v)),
    ):
        try:
            got = student.call(name, *arguments)
        except Failure as failure:
            if failure.kind == "missing" and name == "hessian_vector_product":
                continue  # a bonus, which may be left out
            raise
        expect_unchanged(student)
        right |= is_close(got, answer(*arguments))
    expect(right, "no answer is right yet: then this counts nothing")
