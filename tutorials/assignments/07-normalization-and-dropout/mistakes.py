"""Typical mistakes in assignment 7: what each answers, and wrong submissions with what they lose."""

from __future__ import annotations

import numpy as np

from tinydl.course import Mistake, either

from .properties import (
    EPSILON,
    mean_of,
    normalized_by,
    places,
    right_gradient,
    right_inference,
    right_training,
    root_and_hat,
)

OTHER_EPSILONS = (1e-3, 1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)


def of_axes(axes, ddof=0):
    """A wrong answer: moments over other axes, or divided by n - 1."""

    def wrong(x, gamma, beta, epsilon=EPSILON):
        over = axes(x)
        mean, variance = x.mean(axis=over), x.var(axis=over)
        count = x.size // variance.size
        variance = variance * count / (count - ddof)
        flat = normalized_by(x, gamma, beta, epsilon, mean, variance) if over != -1 else (None,)
        return flat[0], mean, variance

    return wrong


def from_moments(change):
    """A wrong answer: the right mean and variance, another y."""

    def wrong(x, gamma, beta, epsilon=EPSILON):
        mean, variance = x.mean(axis=places(x)), x.var(axis=places(x))
        return change(x, gamma, beta, epsilon, mean, variance), mean, variance

    return wrong


def with_moments(change):
    """A wrong answer: another mean or variance, and what y is with these."""

    def wrong(x, gamma, beta, epsilon=EPSILON):
        return normalized_by(x, gamma, beta, epsilon, *change(x, epsilon))

    return wrong


TRAINING_MISTAKES = {
    "the mean over the first axis only: pixels are places, too": of_axes(lambda x: 0),
    "the mean over all axes: there has to be one for each feature": of_axes(lambda x: None),
    "the mean over the features: it has to be over the samples": either(
        of_axes(lambda x: -1),
        lambda x, gamma, beta, epsilon=EPSILON: x.mean(axis=-1, keepdims=True),
    ),
    "the standard deviation in place of the variance": lambda x, gamma, beta, epsilon=EPSILON: (
        np.std(x, axis=places(x))
    ),
    "epsilon is added to the root, not under it": from_moments(
        lambda x, gamma, beta, e, mean, s: gamma * (x - mean) / (np.sqrt(s) + e) + beta
    ),
    "epsilon is missing": from_moments(
        lambda x, gamma, beta, e, mean, s: gamma * (x - mean) / np.sqrt(s) + beta
    ),
    "the variance is divided by n - 1, not by n": of_axes(places, ddof=1),
    "the root is missing": from_moments(
        lambda x, gamma, beta, e, mean, s: gamma * (x - mean) / (s + e) + beta
    ),
    "gamma and beta are swapped": from_moments(
        lambda x, gamma, beta, e, mean, s: beta * (x - mean) / np.sqrt(s + e) + gamma
    ),
    "gamma is missing": from_moments(
        lambda x, gamma, beta, e, mean, s: (x - mean) / np.sqrt(s + e) + beta
    ),
    "beta is missing": from_moments(
        lambda x, gamma, beta, e, mean, s: gamma * (x - mean) / np.sqrt(s + e)
    ),
    "the mean is not subtracted": from_moments(
        lambda x, gamma, beta, e, mean, s: gamma * x / np.sqrt(s + e) + beta
    ),
    "the shift by beta comes after the product with gamma": from_moments(
        lambda x, gamma, beta, e, mean, s: gamma * ((x - mean) / np.sqrt(s + e) + beta)
    ),
    "epsilon is in the variance that is returned": lambda x, gamma, beta, epsilon=EPSILON: (
        np.var(x, axis=places(x)) + epsilon
    ),
    "the median in place of the mean": with_moments(
        lambda x, e: (np.median(x, axis=places(x)), np.var(x, axis=places(x)))
    ),
    "the mean of the squares in place of the variance": with_moments(
        lambda x, e: (x.mean(axis=places(x)), (x**2).mean(axis=places(x)))
    ),
    "the sum of the squares in place of their mean": with_moments(
        lambda x, e: (x.mean(axis=places(x)), ((x - mean_of(x)) ** 2).sum(axis=places(x)))
    ),
    "mean and variance keep axes of length 1: they are of shape (C,)": either(
        lambda x, gamma, beta, epsilon=EPSILON: x.mean(axis=places(x), keepdims=True),
        lambda x, gamma, beta, epsilon=EPSILON: x.var(axis=places(x), keepdims=True),
    ),
    "the mean over the pixels of each image only: all images count": either(
        lambda x, gamma, beta, epsilon=EPSILON: x.mean(axis=places(x)[1:]),
        lambda x, gamma, beta, epsilon=EPSILON: x.mean(axis=places(x)[1:], keepdims=True),
    ),
    "another epsilon than the one that is given": lambda x, gamma, beta, epsilon=EPSILON: [
        right_training(x, gamma, beta, other)[0] for other in OTHER_EPSILONS
    ],
}


RUNNING_MISTAKES = {
    "rho and 1 - rho are swapped": lambda running, batch, momentum=0.99: (
        (1 - momentum) * running + momentum * batch
    ),
    "the factor 1 - rho is missing": lambda running, batch, momentum=0.99: (
        momentum * running + batch
    ),
    "the old average does not fade": lambda running, batch, momentum=0.99: (
        running + (1 - momentum) * batch
    ),
    "a momentum of 0.99 whatever is given": lambda running, batch, momentum=0.99: (
        0.99 * running + 0.01 * batch
    ),
    "the mean of the two, whatever the momentum": lambda running, batch, momentum=0.99: (
        (running + batch) / 2
    ),
    "only the batch counts": lambda running, batch, momentum=0.99: batch,
}


def updated(x, gamma, beta, epsilon, mean, variance):
    """What comes out if the running averages take in the batch first."""
    new_mean, new_variance = (
        0.99 * old + 0.01 * new
        for old, new in ((mean, mean_of(x)), (variance, x.var(axis=places(x))))
    )
    pairs = ((new_mean, variance), (new_mean, new_variance))
    return [right_inference(x, gamma, beta, *pair, epsilon) for pair in pairs]


INFERENCE_MISTAKES = {
    "the mean and variance of the batch are used, not the running ones": (
        lambda x, gamma, beta, mean, s, epsilon=EPSILON: right_training(x, gamma, beta, epsilon)[0]
    ),
    **{
        name: lambda x, gamma, beta, mean, s, epsilon=EPSILON, change=change: change(
            x, gamma, beta, epsilon, mean, s
        )
        for name, change in {
            "the root is missing": lambda x, c, b, e, m, s: (
                c * (x - m) / (s + e) + b,
                c * (x - m) / s + b,
            ),
            "gamma and beta are swapped": lambda x, c, b, e, m, s: b * (x - m) / np.sqrt(s + e) + c,
            "epsilon is added to the root, not under it": lambda x, c, b, e, m, s: (
                c * (x - m) / (np.sqrt(s) + e) + b
            ),
            "gamma is missing": lambda x, c, b, e, m, s: (x - m) / np.sqrt(s + e) + b,
            "beta is missing": lambda x, c, b, e, m, s: c * (x - m) / np.sqrt(s + e),
            "the mean is not subtracted": lambda x, c, b, e, m, s: c * x / np.sqrt(s + e) + b,
            "gamma and beta are missing": lambda x, c, b, e, m, s: (x - m) / np.sqrt(s + e),
            "epsilon is missing": lambda x, c, b, e, m, s: c * (x - m) / np.sqrt(s) + b,
            "the running averages are in use, and must not change any more": updated,
            "the shift by beta comes after the product with gamma": lambda x, c, b, e, m, s: (
                c * ((x - m) / np.sqrt(s + e) + b)
            ),
            "another epsilon than the one that is given": lambda x, c, b, e, m, s: [
                right_inference(x, c, b, m, s, other) for other in OTHER_EPSILONS
            ],
        }.items()
    },
}


def with_sample_variance(g, x, gamma, epsilon):
    """The gradients of x and gamma, with a variance that is divided by n - 1."""
    n = x[..., 0].size
    root = np.sqrt(x.var(axis=places(x)) * n / (n - 1) + epsilon)
    hat = (x - mean_of(x)) / root
    x_bar = gamma / root * (g - mean_of(g) - hat * mean_of(g * hat))
    return x_bar, (g * hat).sum(axis=places(x))


def with_centered(g, x, gamma, root, hat):
    """x - mean in one of the two places of the normalized x, or in both."""
    centered, before = x - mean_of(x), g - mean_of(g)
    pairs = ((centered, centered), (centered, hat), (hat, centered))
    return [gamma / root * (before - one * mean_of(g * other)) for one, other in pairs]


def back_by(change):
    """A wrong gradient of x, from g, gamma, the root and the normalized x."""

    def wrong(g, x, gamma, epsilon=EPSILON):
        return change(g, gamma, *root_and_hat(x, epsilon))

    return wrong


BACK_MISTAKES = {
    "mean and variance are treated as constants": back_by(lambda g, c, root, hat: c / root * g),
    "the mean is treated as a constant": back_by(
        lambda g, c, root, hat: c / root * (g - hat * mean_of(g * hat))
    ),
    "the variance is treated as a constant": back_by(
        lambda g, c, root, hat: c / root * (g - mean_of(g))
    ),
    "a term is added, not subtracted": back_by(
        lambda g, c, root, hat: tuple(
            c / root * (g + one * mean_of(g) + other * hat * mean_of(g * hat))
            for one, other in ((1, 1), (1, -1), (-1, 1))
        )
    ),
    "multiplied by the root, not divided": back_by(
        lambda g, c, root, hat: c * root * (g - mean_of(g) - hat * mean_of(g * hat))
    ),
    "gamma is missing": back_by(
        lambda g, c, root, hat: (g - mean_of(g) - hat * mean_of(g * hat)) / root
    ),
    "the root is missing": back_by(
        lambda g, c, root, hat: c * (g - mean_of(g) - hat * mean_of(g * hat))
    ),
    "sums in place of the two means": back_by(
        lambda g, c, root, hat: (
            c / root * (g - g.sum(axis=places(g)) - hat * (g * hat).sum(axis=places(g)))
        )
    ),
    "epsilon is missing": lambda g, x, gamma, epsilon=EPSILON: right_gradient(g, x, gamma, 0.0)[0],
    "the variance is divided by n - 1, not by n": lambda g, x, gamma, epsilon=EPSILON: (
        with_sample_variance(g, x, gamma, epsilon)[0]
    ),
    "another epsilon than the one that is given": lambda g, x, gamma, epsilon=EPSILON: [
        right_gradient(g, x, gamma, other)[0] for other in OTHER_EPSILONS
    ],
    "divided by the variance, not by its root": back_by(
        lambda g, c, root, hat: c / root**2 * (g - mean_of(g) - hat * mean_of(g * hat))
    ),
    "x - mean in place of the normalized x": lambda g, x, gamma, epsilon=EPSILON: with_centered(
        g, x, gamma, *root_and_hat(x, epsilon)
    ),
    "the term of the variance has a wrong factor": back_by(
        lambda g, c, root, hat: tuple(
            c / root * (g - mean_of(g) - factor * hat * mean_of(g * hat)) for factor in (0.5, 2.0)
        )
    ),
    "the means over the first axis only: pixels are places, too": back_by(
        lambda g, c, root, hat: c / root * (g - g.mean(axis=0) - hat * (g * hat).mean(axis=0))
    ),
}
SUMS_MISTAKES = {
    "the gradients of gamma and beta are swapped": lambda g, x, gamma, epsilon=EPSILON: (
        right_gradient(g, x, gamma, epsilon)[1:]
    ),
    "means in place of the sums": lambda g, x, gamma, epsilon=EPSILON: (
        mean_of(g * root_and_hat(x, epsilon)[1]),
        mean_of(g),
    ),
    "summed over the first axis only: pixels are places, too": (
        lambda g, x, gamma, epsilon=EPSILON: (
            (g * root_and_hat(x, epsilon)[1]).sum(axis=0),
            g.sum(axis=0),
        )
    ),
    "x in place of the normalized x": lambda g, x, gamma, epsilon=EPSILON: (g * x).sum(
        axis=places(x)
    ),
    "x is not divided by the root": lambda g, x, gamma, epsilon=EPSILON: (g * (x - mean_of(x))).sum(
        axis=places(x)
    ),
    "not summed over the samples": lambda g, x, gamma, epsilon=EPSILON: (
        g * root_and_hat(x, epsilon)[1],
        g,
    ),
    "gamma itself is in it": lambda g, x, gamma, epsilon=EPSILON: (
        gamma * right_gradient(g, x, gamma, epsilon)[1]
    ),
    "epsilon is missing": lambda g, x, gamma, epsilon=EPSILON: right_gradient(g, x, gamma, 0.0)[1],
    "the variance is divided by n - 1, not by n": lambda g, x, gamma, epsilon=EPSILON: (
        with_sample_variance(g, x, gamma, epsilon)[1]
    ),
}

IN_USE_MISTAKES = {
    "multiplied by 1 - r: what is kept is scaled in training already": (
        lambda x, rate, number, times, training: x * (1 - rate)
    )
}
DROPOUT_GRADIENT_MISTAKES = {
    "m is not used: what was dropped gets no gradient": lambda g, m: g,
    "what was kept needs its factor 1 / (1 - r), too": lambda g, m: g * (m != 0),
    "divided by m": lambda g, m: g / np.where(m == 0, 1, m),
    "m is in it twice": lambda g, m: g * m * m,
    "g is missing": lambda g, m: m,
    "the other elements get the gradient: m is turned around": lambda g, m: g * (m == 0),
}

LIKELY = {
    "batch norm in training: formula": TRAINING_MISTAKES,
    "batch norm in training: images": TRAINING_MISTAKES,
    "running averages: formula": RUNNING_MISTAKES,
    "batch norm at inference: formula": INFERENCE_MISTAKES,
    "gradients of gamma and beta: formula": SUMS_MISTAKES,
    "gradient of x: formula": BACK_MISTAKES,
    "gradient of x: agrees with differences, on images too": BACK_MISTAKES,
    "dropout at inference: nothing happens": IN_USE_MISTAKES,
    "dropout: gradient": DROPOUT_GRADIENT_MISTAKES,
}

FORMULA = "batch norm in training: formula"
IMAGES = "batch norm in training: images"
RESULT = "batch norm in training: mean and variance of the result"
CONSTANT = "batch norm in training: a feature that never changes"
INFERENCE = "batch norm at inference: formula"
ALONE = "batch norm at inference: a sample counts alone"
OF_WEIGHTS = "gradients of gamma and beta: formula"
OF_X = ("gradient of x: formula", "gradient of x: agrees with differences, on images too")
SCALE = "dropout: what is kept is scaled up"
SHARE = "dropout: share and independence"
X_BAR = "x_bar = gamma / root * (g - mean_g - normalized * mean_product)"

MISTAKES = [
    Mistake(
        "the variance divided by n - 1",
        replace="variance = np.mean((x - mean) ** 2, axis=places)",
        by="variance = np.var(x, axis=places, ddof=1)",
        loses=(FORMULA, IMAGES, RESULT, CONSTANT),
        says="divided by n - 1, not by n",
    ),
    Mistake(
        "images as if they were samples with single features",
        replace="    places = tuple(range(x.ndim - 1))\n    mean = np.mean(x, axis=places)",
        by="    places = 0\n    mean = np.mean(x, axis=places)",
        loses=(IMAGES,),
        says="mean has the shape",
    ),
    Mistake(
        "one mean for everything",
        replace="    places = tuple(range(x.ndim - 1))\n    mean = np.mean(x, axis=places)",
        by="    places = None\n    mean = np.mean(x, axis=places)",
        loses=(FORMULA, IMAGES, RESULT, CONSTANT),
        says="the mean over all axes",
    ),
    Mistake(
        "the standard deviation returned",
        replace="return y, mean, variance",
        by="return y, mean, np.sqrt(variance)",
        loses=(FORMULA, IMAGES),
        says="the standard deviation in place of the variance",
    ),
    Mistake(
        "epsilon beside the root",
        replace="y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta",
        by="y = gamma * (x - mean) / (np.sqrt(variance) + epsilon) + beta",
        loses=(FORMULA, IMAGES, RESULT),
        says="epsilon is added to the root, not under it",
    ),
    Mistake(
        "no epsilon",
        replace="y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta",
        by="y = gamma * (x - mean) / np.sqrt(variance) + beta",
        loses=(FORMULA, IMAGES, RESULT, CONSTANT),
        says="epsilon is missing",
    ),
    Mistake(
        "running averages that forget",
        replace="return momentum * running + (1 - momentum) * batch",
        by="return (1 - momentum) * running + momentum * batch",
        loses=("running averages: formula",),
        says="rho and 1 - rho are swapped",
    ),
    Mistake(
        "the batch's own statistics at inference",
        replace="return gamma * (x - running_mean) / np.sqrt(running_variance + epsilon) + beta",
        by="return batch_norm(x, gamma, beta, epsilon)[0]",
        loses=(INFERENCE, ALONE),
        says="the mean and variance of the batch are used",
    ),
    Mistake(
        "mean and variance as constants",
        replace=X_BAR,
        by="x_bar = gamma / root * g",
        loses=OF_X,
        says="mean and variance are treated as constants",
    ),
    Mistake(
        "the variance as a constant",
        replace=X_BAR,
        by="x_bar = gamma / root * (g - mean_g)",
        loses=OF_X,
        says="the variance is treated as a constant",
    ),
    Mistake(
        "a gradient without gamma",
        replace=X_BAR,
        by="x_bar = (g - mean_g - normalized * mean_product) / root",
        loses=OF_X,
        says="gamma is missing",
    ),
    Mistake(
        "sums for means in the gradient",
        replace="    mean_g = np.mean(g, axis=places)\n"
        "    mean_product = np.mean(g * normalized, axis=places)",
        by="    mean_g = np.sum(g, axis=places)\n"
        "    mean_product = np.sum(g * normalized, axis=places)",
        loses=OF_X,
        says="sums in place of the two means",
    ),
    Mistake(
        "the gradient of gamma from x itself",
        replace="return x_bar, np.sum(g * normalized, axis=places), np.sum(g, axis=places)",
        by="return x_bar, np.sum(g * x, axis=places), np.sum(g, axis=places)",
        loses=(OF_WEIGHTS,),
        says="x in place of the normalized x",
    ),
    Mistake(
        "means for sums in the gradients of gamma and beta",
        replace="return x_bar, np.sum(g * normalized, axis=places), np.sum(g, axis=places)",
        by="return x_bar, np.mean(g * normalized, axis=places), np.mean(g, axis=places)",
        loses=(OF_WEIGHTS,),
        says="means in place of the sums",
    ),
    Mistake(
        "dropout not scaled up",
        replace="m = (generator.random(x.shape) >= rate) / (1 - rate)",
        by="m = (generator.random(x.shape) >= rate) * 1.0",
        loses=(SCALE,),
        says="it is not scaled up",
    ),
    Mistake(
        "dropout scaled by 1 / r",
        replace="m = (generator.random(x.shape) >= rate) / (1 - rate)",
        by="m = (generator.random(x.shape) >= rate) / rate",
        loses=(SCALE,),
        says="that is 1 / r",
    ),
    Mistake(
        "the rate is what is kept",
        replace="m = (generator.random(x.shape) >= rate) / (1 - rate)",
        by="m = (generator.random(x.shape) < rate) / (1 - rate)",
        loses=(SHARE,),
        says="r is the rate of dropping, not of keeping",
    ),
    Mistake(
        "one mask for all samples",
        replace="m = (generator.random(x.shape) >= rate) / (1 - rate)",
        by="m = np.ones_like(x) * (generator.random(x.shape[-1]) >= rate) / (1 - rate)",
        loses=(SHARE,),
        says="the samples of a batch share it",
    ),
    Mistake(
        "another source of random numbers",
        replace="m = (generator.random(x.shape) >= rate) / (1 - rate)",
        by="m = (np.random.default_rng().random(x.shape) >= rate) / (1 - rate)",
        loses=("dropout: the generator decides",),
        says="it is drawn from somewhere else",
    ),
    Mistake(
        "dropout at inference",
        replace="    if not training:\n        return x.copy(), np.ones_like(x)\n",
        by="",
        loses=("dropout at inference: nothing happens",),
        says="nothing may be dropped",
    ),
    Mistake(
        "the gradient of what was dropped",
        replace="return g * m\n",
        by="return g\n",
        loses=("dropout: gradient",),
        says="m is not used",
    ),
    Mistake(
        "dropout in place",
        replace="return x * m, m",
        by="x *= m\n    return x, m",
        loses=("inputs are left as they were",),
        says="changes its input x",
    ),
    Mistake(
        "an epsilon of its own",
        replace="y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta",
        by="y = gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta",
        loses=(FORMULA, IMAGES),
        says="another epsilon than the one that is given",
    ),
    Mistake(
        "the same number dropped each time",
        replace="m = (generator.random(x.shape) >= rate) / (1 - rate)",
        by="places = generator.permutation(x.size).reshape(x.shape)\n"
        "    m = (places >= round(rate * x.size)) / (1 - rate)",
        loses=("dropout: share and independence",),
        says="their number varies",
    ),
]
