"""The cases, as a user of tinydl writes them: loops as kernels, which take and give arrays."""

from functools import partial

import tinydl as keras
from benchmarks.work import Work
from tinydl import kernels, ops, tensor


def start(threads):
    kernels.set_num_threads(threads)


def version():
    return f"{keras.__version__}, kernels: {kernels.active()['matmul']}"


def matmul(a, b, transpose_a, transpose_b):
    a, b = a.T if transpose_a else a, b.T if transpose_b else b
    yield Work(lambda: kernels.matmul(a, b))


def pairs(stride, padding, dilation):
    return (stride, stride), ((padding, padding), (padding, padding)), (dilation, dilation)


def conv(x, w, g, groups, **window):
    where = pairs(**window)
    yield Work(lambda: kernels.conv(x, w, *where))


def conv_kernel_gradient(x, w, g, groups, **window):
    where = pairs(**window)
    yield Work(lambda: kernels.conv_kernel_gradient(x, g, w.shape, *where))


def conv_input_gradient(x, w, g, groups, **window):
    where = pairs(**window)
    yield Work(lambda: kernels.conv_input_gradient(g, w, x.shape, *where))


NO_PADDING = ((0, 0), (0, 0))


def max_pool(x, g, size, stride):
    where = (size, size), (stride, stride), NO_PADDING
    yield Work(lambda: kernels.max_pool(x, *where))


def max_pool_gradient(x, g, size, stride):
    where = (size, size), (stride, stride), NO_PADDING
    _, winners = kernels.max_pool_winners(x, *where)  # as training notes them on its way forward
    yield Work(lambda: kernels.max_unpool(g, winners, x.shape, *where))


def average_pool(x, g, size, stride):
    where = (size, size), (stride, stride), NO_PADDING
    yield Work(lambda: kernels.average_pool(x, *where))


def average_pool_gradient(x, g, size, stride):
    where = (size, size), (stride, stride), NO_PADDING
    yield Work(lambda: kernels.average_pool_gradient(g, x.shape, *where))


def elementwise(function, x):
    x = tensor(x)
    yield Work(lambda: function(x))


exp = partial(elementwise, ops.exp)
tanh = partial(elementwise, ops.tanh)
sigmoid = partial(elementwise, ops.sigmoid)


def adam(w, g):
    weight = tensor(w, requires_grad=True)
    optimizer = keras.optimizers.Adam()

    def step():
        optimizer.apply([g], [weight])
        return weight

    yield Work(step)


def cross_entropy(loss_of, targets, logits):
    logits = tensor(logits, requires_grad=True)

    def gradient():
        loss = loss_of(targets, logits, from_logits=True).mean()
        return keras.grad(loss, logits)

    yield Work(gradient)


def cross_entropy_of_labels(logits, labels):
    return cross_entropy(ops.sparse_categorical_crossentropy, labels, logits)


def cross_entropy_of_one_hot(logits, targets):
    return cross_entropy(ops.categorical_crossentropy, targets, logits)


def layer(kind, *settings, activation):
    if kind == "conv":
        filters, size, padding = settings
        return keras.layers.Conv2D(
            filters, size, padding="same" if padding else "valid", activation=activation
        )
    if kind == "dense":
        return keras.layers.Dense(*settings, activation=activation)
    return {"pool": keras.layers.MaxPooling2D, "flatten": keras.layers.Flatten}[kind]()


def training_step(x, labels, weights, image, layers):
    *hidden, last = layers
    model = keras.Sequential(
        [
            keras.Input(image),
            *(layer(*settings, activation="relu") for settings in hidden),
            layer(*last, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.set_weights(weights)

    def step():
        model.reset_metrics()  # or the loss would be the mean of all steps so far
        return model.train_on_batch(x, labels)

    yield Work(step)


def chain_of(length):
    a, b = tensor(1.0, requires_grad=True), tensor(2.0)
    y = a
    for _ in range(length):
        y = y + b
    return a, y


def chain(length):
    yield Work(lambda: chain_of(length)[1])


def chain_and_gradient(length):
    def run():
        a, y = chain_of(length)
        return keras.grad(y, a)

    yield Work(run)
