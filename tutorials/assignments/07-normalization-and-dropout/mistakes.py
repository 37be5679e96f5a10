"""Typical wrong submissions to assignment 7; each has to lose what it names, and no more."""

from __future__ import annotations

from tinydl.course import Mistake

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
]
