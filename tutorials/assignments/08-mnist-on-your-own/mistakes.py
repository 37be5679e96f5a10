"""Typical wrong submissions to assignment 8, and what each of them loses."""

from tinydl.course import Mistake

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
        says="a mean for a sum",
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
