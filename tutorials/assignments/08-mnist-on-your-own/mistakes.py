"""Typical mistakes in assignment 8: what each answers, and wrong submissions with what they lose."""

import numpy as np

import tinydl
from tinydl import kernels
from tinydl.course import Mistake, either

from .properties import logits_of, right_answers

UNIT, NONE = (1, 1), ((0, 0), (0, 0))


def another(logits=logits_of, digits=lambda d: d, loss=None):
    """The loss and the gradients of another network, other labels, or another loss."""

    def wrong(x, right_digits, weights):
        leaves = [tinydl.tensor(w, requires_grad=True) for w in weights]
        targets, z = np.eye(10)[digits(right_digits)], logits(x, leaves)
        value = (loss or cross_entropy)(targets, z)
        return [value.item(), *(g.numpy() for g in tinydl.grad(value, leaves))]

    return wrong


def cross_entropy(targets, z):
    return tinydl.losses.categorical_crossentropy(targets, z, from_logits=True).mean()


def of_probabilities(change):
    """A loss made of the probabilities that softmax gives."""

    def loss(targets, z):
        return change(targets, tinydl.ops.softmax(z))

    return loss


def changed_network(change=lambda weights: weights, relu=True, last=lambda z: z):
    def logits(x, weights):
        kernel, kernel_bias, w, w_bias = change(weights)
        seen = tinydl.ops.conv(x, kernel) + kernel_bias
        seen = tinydl.ops.relu(seen) if relu else seen
        pooled = tinydl.ops.max_pool(seen, 2, strides=2)
        return last(pooled.reshape(len(x), -1) @ w + w_bias)

    return another(logits)


def scaled(factor):
    """Loss and gradients, too large by a factor that depends on the batch."""

    def wrong(x, digits, weights):
        loss, gradients = right_answers(x, digits, weights)
        return [factor(len(x)) * value for value in (loss, *gradients)]

    return wrong


def before_relu(x, digits, weights):
    """What the convolution with its bias gives, and the gradient that arrives behind the relu."""
    kernel, kernel_bias, w, w_bias = weights
    z = kernels.conv(x, kernel, UNIT, NONE, UNIT) + kernel_bias
    seen = tinydl.tensor(np.maximum(z, 0), requires_grad=True)
    pooled = tinydl.ops.max_pool(seen, 2, strides=2)
    logits = pooled.reshape(len(x), -1) @ tinydl.tensor(w) + tinydl.tensor(w_bias)
    return z, tinydl.grad(cross_entropy(np.eye(10)[digits], logits), [seen])[0].numpy()


def through_relu(rule):
    """The gradients of the kernel and its bias, with another rule for the relu."""

    def wrong(x, digits, weights):
        z, arrived = before_relu(x, digits, weights)
        g = rule(z, arrived)
        kernel_bar = kernels.conv_kernel_gradient(x, g, weights[0].shape, UNIT, NONE, UNIT)
        return [kernel_bar, g.sum(axis=(0, 1, 2))]

    return wrong


def of_kernel(change):
    """Another gradient of the kernel, from the images and what arrives at the convolution."""

    def wrong(x, digits, weights):
        z, arrived = before_relu(x, digits, weights)
        g = arrived * (z > 0)
        return change(
            lambda some: kernels.conv_kernel_gradient(
                x[some], g[some], weights[0].shape, UNIT, NONE, UNIT
            ),
            len(x),
        )

    return wrong


def of_biases(change):
    """Other gradients of the two biases, from what arrives at them."""

    def wrong(x, digits, weights):
        z, arrived = before_relu(x, digits, weights)
        logits = logits_of(x, [tinydl.tensor(w) for w in weights])
        p = tinydl.ops.softmax(logits).numpy()
        return [change(arrived * (z > 0)), change((p - np.eye(10)[digits]) / len(x))]

    return wrong


def first_channel(kernel):
    return kernel * (np.arange(kernel.shape[2])[:, None] == 0)


NETWORK = {
    "a sum over the batch for the mean": scaled(lambda n: n),
    "a mean over the batch and the ten classes: divide by n only": scaled(lambda n: 0.1),
    "divided by n twice": scaled(lambda n: 1 / n),
    "the relu is missing": changed_network(relu=False),
    "there is no relu behind the dense layer": changed_network(last=tinydl.ops.relu),
    "the bias of the convolution is missing": changed_network(
        lambda weights: [weights[0], 0 * weights[1], *weights[2:]]
    ),
    "the bias of the dense layer is missing": changed_network(
        lambda weights: [*weights[:3], 0 * weights[3]]
    ),
    "the kernel is turned around": changed_network(
        lambda weights: [weights[0][::-1, ::-1], *weights[1:]]
    ),
    "only the first channel counts": changed_network(
        lambda weights: [first_channel(weights[0]), *weights[1:]]
    ),
    "softmax goes over the classes, not over the batch": another(
        loss=lambda t, z: -(t * tinydl.ops.log_softmax(z, axis=0)).sum() / len(z)
    ),
    "softmax twice: the loss begins with it already": changed_network(last=tinydl.ops.softmax),
    "the labels are shifted by one": either(
        another(digits=lambda d: (d + 1) % 10), another(digits=lambda d: (d - 1) % 10)
    ),
    "the labels are in another order than the images": either(
        another(digits=lambda d: d[::-1]), another(digits=lambda d: np.roll(d, 1))
    ),
    "a small number is added to the probability: take the logarithm from the logits": either(
        *(
            another(
                loss=of_probabilities(lambda t, p, e=e: -(t * tinydl.ops.log(p + e)).sum() / len(t))
            )
            for e in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
        )
    ),
    "squared errors in place of the cross-entropy": either(
        another(loss=of_probabilities(lambda t, p: ((p - t) ** 2).mean())),
        another(loss=of_probabilities(lambda t, p: ((p - t) ** 2).sum() / len(t))),
    ),
    "another base of the logarithm": lambda *case: [
        right_answers(*case)[0] / np.log(base) for base in (2, 10)
    ],
}
BIASES = {
    "the gradient of a bias is a sum, not a mean": of_biases(
        lambda g: g.reshape(-1, g.shape[-1]).mean(axis=0)
    ),
    "the gradient of a bias is a sum over all axes but the last": either(
        of_biases(lambda g: g), of_biases(lambda g: g.sum(axis=0))
    ),
}
DENSE = {
    **BIASES,
    **NETWORK,
    "the 1 of the right digit is not subtracted": another(
        loss=lambda t, z: tinydl.ops.logsumexp(z, axis=1).mean()
    ),
}
CONVOLUTION = {
    **DENSE,
    "relu lets all gradients through: it has to stop them where x <= 0": through_relu(
        lambda z, arrived: arrived
    ),
    "relu stops gradients by their own sign: the sign of x counts": through_relu(
        lambda z, arrived: np.maximum(arrived, 0)
    ),
    "relu multiplies the gradient by y: it has to be by 1 or 0": through_relu(
        lambda z, arrived: arrived * np.maximum(z, 0)
    ),
    "the gradient of the kernel is turned around": of_kernel(
        lambda gradient, n: gradient(slice(None))[::-1, ::-1]
    ),
    "in the gradient of the kernel only one image counts": of_kernel(
        lambda gradient, n: [gradient(slice(0, 1)), gradient(slice(-1, None))]
    ),
    "the gradient of the kernel is a sum over the images: the mean is in the loss already": (
        of_kernel(lambda gradient, n: gradient(slice(None)) / n)
    ),
}


def predictions(choose):
    def wrong(x, weights):
        return choose(logits_of(x, [tinydl.tensor(w) for w in weights]).numpy())

    return wrong


PREDICTIONS = {
    "the place of the smallest logit": predictions(lambda z: z.argmin(axis=1)),
    "the largest over the batch, not over the ten logits": predictions(lambda z: z.argmax(axis=0)),
    "the largest logit itself: its place is asked for": predictions(lambda z: z.max(axis=1)),
    "the logits: the place of the largest is asked for": predictions(lambda z: z),
    "the probabilities: the place of the largest is asked for": predictions(
        lambda z: tinydl.ops.softmax(tinydl.tensor(z)).numpy()
    ),
    "one too much: digits begin with 0": predictions(lambda z: z.argmax(axis=1) + 1),
    "the same digit for all images": predictions(
        lambda z: [np.full(len(z), digit) for digit in range(10)]
    ),
}

LIKELY = {
    "loss: value": NETWORK,
    "gradients: the dense layer": DENSE,
    "gradients: the convolution": CONVOLUTION,
    "predict: the most likely digit": PREDICTIONS,
}

MISTAKES = [
    Mistake(
        "a sum over the batch",
        replace="""        rows = np.arange(len(z))
        return -self.log_softmax(z)[rows, self.digits].mean()""",
        by="""        rows = np.arange(len(z))
        return -self.log_softmax(z)[rows, self.digits].sum()""",
        loses=("loss: value", "large logits: no overflow"),
        says="a sum over the batch for the mean",
    ),
    Mistake(
        "gradients not averaged over the batch",
        replace="return (y_bar * p / len(z),)",
        by="return (y_bar * p,)",
        loses=(
            "gradients: the dense layer",
            "gradients: the convolution",
            "large logits: no overflow",
        ),
        says="a sum over the batch for the mean",
    ),
    Mistake(
        "a softmax that overflows",
        replace="z = z - z.max(axis=1, keepdims=True)",
        by="z = 1.0 * z",
        loses=("large logits: no overflow",),
        says="Subtract the largest logit",
    ),
    Mistake(
        "relu lets all gradients through",
        replace="return (y_bar * (x > 0),)",
        by="return (y_bar,)",
        loses=("gradients: the convolution",),
        says="relu, the bias, the convolution",
    ),
    Mistake(
        "a bias gets the mean of its gradients",
        replace="return y_bar, y_bar.reshape(-1, b.size).sum(axis=0)",
        by="return y_bar, y_bar.reshape(-1, b.size).mean(axis=0)",
        loses=(
            "gradients: the dense layer",
            "gradients: the convolution",
            "large logits: no overflow",
        ),
        says="the gradient of a bias is a sum, not a mean",
    ),
    Mistake(
        "up the hill",
        replace="return w - np.float32(learning_rate)",
        by="return w + np.float32(learning_rate)",
        loses=(
            "training: learns the labels that it is given",
            "training: accuracy on unseen images",
        ),
        says="Does the loss go down",
    ),
    Mistake(
        "images shuffled without their labels",
        replace="digits_train[batch], weights)",
        by="digits_train[start : start + 64], weights)",
        loses=(
            "training: learns the labels that it is given",
            "training: accuracy on unseen images",
        ),
        says="Does the loss go down",
    ),
    Mistake(
        "random numbers without the seed",
        replace="    rng = np.random.default_rng(seed)\n    images,",
        by="    rng = np.random.default_rng()\n    images,",
        loses=("training: same seed, same predictions",),
        says="Take all random numbers from",
    ),
]
