"""Typical wrong submissions to assignment 2; each has to lose what it names, and no more."""

from __future__ import annotations

from tinydl.course import Mistake

OF_SOFTMAX = (
    "softmax: formula",
    "softmax: probabilities, unchanged when all scores are moved",
    "softmax: large logits",
)
OF_LOG_SOFTMAX = ("log-softmax: formula", "log-softmax: large logits")
OF_LOSS = (
    "cross-entropy: formula",
    "cross-entropy: large logits",
    "cross-entropy: targets that are probabilities",
)
OF_GRADIENT = ("gradient: formula", "gradient: agrees with differences of the loss")
OF_PRODUCT = (
    "Hessian-vector product: formula",
    "Hessian-vector product: agrees with differences of the gradient",
)

MISTAKES = [
    Mistake(
        "softmax of the columns",
        replace="    exponentials = np.exp(z - np.max(z, axis=-1, keepdims=True))\n"
        "    return exponentials / np.sum(exponentials, axis=-1, keepdims=True)",
        by="    exponentials = np.exp(z - np.max(z, axis=0, keepdims=True))\n"
        "    return exponentials / np.sum(exponentials, axis=0, keepdims=True)",
        loses=(*OF_SOFTMAX, *OF_GRADIENT, *OF_PRODUCT),
        says="each column adds up to 1",
    ),
    Mistake(
        "divided by the sums of the columns",
        replace="return exponentials / np.sum(exponentials, axis=-1, keepdims=True)",
        by="return exponentials / np.sum(exponentials, axis=0, keepdims=True)",
        loses=(*OF_SOFTMAX, *OF_GRADIENT, *OF_PRODUCT),
        says="divided by the sum of each column",
    ),
    Mistake(
        "nothing subtracted before the exponential",
        replace="exponentials = np.exp(z - np.max(z, axis=-1, keepdims=True))",
        by="exponentials = np.exp(z)",
        loses=("softmax: large logits", "gradient: agrees with differences of the loss"),
        says="it overflows",
    ),
    Mistake(
        "the largest of the whole batch subtracted",
        replace="exponentials = np.exp(z - np.max(z, axis=-1, keepdims=True))",
        by="exponentials = np.exp(z - np.max(z))",
        loses=("softmax: large logits", "gradient: agrees with differences of the loss"),
        says="the largest of the whole batch",
    ),
    Mistake(
        "not divided by the sum",
        replace="return exponentials / np.sum(exponentials, axis=-1, keepdims=True)",
        by="return exponentials",
        loses=(*OF_SOFTMAX, *OF_GRADIENT, *OF_PRODUCT),
        says="not divided by the sum",
    ),
    Mistake(
        "softmax in place",
        replace="exponentials = np.exp(z - np.max(z, axis=-1, keepdims=True))",
        by="z -= np.max(z, axis=-1, keepdims=True)\n    exponentials = np.exp(z)",
        loses=("inputs are left as they were",),
        says="softmax changes its input z",
    ),
    Mistake(
        "the logarithm of the softmax",
        replace="    lowered = z - np.max(z, axis=-1, keepdims=True)\n"
        "    return lowered - np.log(np.sum(np.exp(lowered), axis=-1, keepdims=True))",
        by="    return np.log(softmax(z))",
        loses=("log-softmax: large logits", "cross-entropy: large logits"),
        says="a probability that was rounded to 0",
    ),
    Mistake(
        "the logarithm of the softmax and a small number",
        replace="    lowered = z - np.max(z, axis=-1, keepdims=True)\n"
        "    return lowered - np.log(np.sum(np.exp(lowered), axis=-1, keepdims=True))",
        by="    return np.log(softmax(z) + 1e-12)",
        loses=("log-softmax: large logits", "cross-entropy: large logits"),
        says="kept off 0 by a small number",
    ),
    Mistake(
        "the logarithm of the sum forgotten",
        replace="return lowered - np.log(np.sum(np.exp(lowered), axis=-1, keepdims=True))",
        by="return lowered",
        loses=(*OF_LOG_SOFTMAX, *OF_LOSS),
        says="the logarithm of the sum is not subtracted",
    ),
    Mistake(
        "cross-entropy without its sign",
        replace="return -np.sum(t * log_softmax(z), axis=-1)",
        by="return np.sum(t * log_softmax(z), axis=-1)",
        loses=OF_LOSS,
        says="the sign is wrong",
    ),
    Mistake(
        "the mean over the samples",
        replace="return -np.sum(t * log_softmax(z), axis=-1)",
        by="return np.mean(-np.sum(t * log_softmax(z), axis=-1))",
        loses=OF_LOSS,
        says="there has to be a number for each",
    ),
    Mistake(
        "a mean over the classes",
        replace="return -np.sum(t * log_softmax(z), axis=-1)",
        by="return -np.mean(t * log_softmax(z), axis=-1)",
        loses=OF_LOSS,
        says="a mean over the classes",
    ),
    Mistake(
        "the softmax taken twice",
        replace="return -np.sum(t * log_softmax(z), axis=-1)",
        by="return -np.sum(t * log_softmax(softmax(z)), axis=-1)",
        loses=OF_LOSS,
        says="the softmax is taken twice",
    ),
    Mistake(
        "only the likeliest target counts",
        replace="return -np.sum(t * log_softmax(z), axis=-1)",
        by="return -log_softmax(z)[np.arange(len(t)), np.argmax(t, axis=-1)]",
        loses=("cross-entropy: targets that are probabilities",),
        says="only the class with the largest target counts",
    ),
    Mistake(
        "gradient with the wrong sign",
        replace="return softmax(z) - t",
        by="return t - softmax(z)",
        loses=OF_GRADIENT,
        says="the sign is wrong",
    ),
    Mistake(
        "gradient of the mean",
        replace="return softmax(z) - t",
        by="return (softmax(z) - t) / len(t)",
        loses=OF_GRADIENT,
        says="divided by the number of samples",
    ),
    Mistake(
        "gradient with respect to the probabilities",
        replace="return softmax(z) - t",
        by="return -t / softmax(z)",
        loses=OF_GRADIENT,
        says="the derivative with respect to p",
    ),
    Mistake(
        "softmax treated as elementwise",
        replace="return softmax(z) - t",
        by="return -t * (1 - softmax(z))",
        loses=OF_GRADIENT,
        says="each p_k depends on all logits",
    ),
    Mistake(
        "the diagonal of the Hessian",
        replace="return p * (v - np.sum(p * v, axis=-1, keepdims=True))",
        by="return p * (1 - p) * v",
        loses=OF_PRODUCT,
        says="only the diagonal of the Hessian",
    ),
    Mistake(
        "the sum in the Hessian not weighted",
        replace="return p * (v - np.sum(p * v, axis=-1, keepdims=True))",
        by="return p * (v - np.sum(v, axis=-1, keepdims=True))",
        loses=OF_PRODUCT,
        says="the sum is not weighted by p",
    ),
    Mistake(
        "the bonus left out",  # it costs its own points and no others
        replace="return p * (v - np.sum(p * v, axis=-1, keepdims=True))",
        by="raise NotImplementedError()",
        loses=OF_PRODUCT,
        says="is not written yet",
    ),
    Mistake(
        "an axis too many in the loss",
        replace="return -np.sum(t * log_softmax(z), axis=-1)",
        by="return -np.sum(t * log_softmax(z), axis=-1, keepdims=True)",
        loses=OF_LOSS,
        says="an axis of length 1 too many",
    ),
    Mistake(
        "a difference for the gradient",
        replace="return softmax(z) - t",
        by="moved = [cross_entropy(t, z + 1e-3 * row) for row in np.eye(z.shape[1])]\n"
        "    return (np.stack(moved, axis=1) - cross_entropy(t, z)[:, None]) / 1e-3",
        loses=OF_GRADIENT,
        says="a difference of two losses",
    ),
]
