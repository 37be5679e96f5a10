"""The cases, as a user of TensorFlow writes them: single ops at once, several in a tf.function."""

from functools import partial

import tensorflow as tf
from tensorflow import keras

from benchmarks.work import Work


def start(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def version():
    return tf.__version__


def matmul(a, b, transpose_a, transpose_b):
    a, b = tf.constant(a), tf.constant(b)
    yield Work(lambda: tf.matmul(a, b, transpose_a, transpose_b))


def convolve(x, w, stride, padding, dilation, groups):
    sides = [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]
    if groups > 1 and groups == x.shape[3]:
        w = tf.transpose(w, (0, 1, 3, 2))
        strides = [1, stride, stride, 1]
        return tf.nn.depthwise_conv2d(x, w, strides, sides, dilations=[dilation] * 2)
    return tf.nn.conv2d(x, w, stride, sides, dilations=dilation)


def conv(x, w, g, **settings):
    x, w = tf.constant(x), tf.constant(w)
    yield Work(lambda: convolve(x, w, **settings))


def conv_gradient(which, x, w, g, **settings):
    """One gradient in a tf.function, which leaves out what the gradient does not need."""
    x, w, g = tf.constant(x), tf.constant(w), tf.constant(g)

    @tf.function
    def gradient(x, w, g):
        wanted = (x, w)[which]
        with tf.GradientTape() as tape:
            tape.watch(wanted)
            y = convolve(x, w, **settings)
        return tape.gradient(y, wanted, g)

    yield Work(lambda: gradient(x, w, g))


conv_input_gradient = partial(conv_gradient, 0)
conv_kernel_gradient = partial(conv_gradient, 1)


def max_pool(x, g, size, stride):
    x = tf.constant(x)
    yield Work(lambda: tf.nn.max_pool2d(x, size, stride, "VALID"))


def average_pool(x, g, size, stride):
    x = tf.constant(x)
    yield Work(lambda: tf.nn.avg_pool2d(x, size, stride, "VALID"))


def max_pool_gradient(x, g, size, stride):
    x, g = tf.constant(x), tf.constant(g)
    y = tf.nn.max_pool2d(x, size, stride, "VALID")
    where = [1, size, size, 1], [1, stride, stride, 1], "VALID"
    yield Work(
        lambda: tf.raw_ops.MaxPoolGrad(
            orig_input=x, orig_output=y, grad=g, ksize=where[0], strides=where[1], padding=where[2]
        )
    )


def average_pool_gradient(x, g, size, stride):
    g = tf.constant(g)
    yield Work(
        lambda: tf.raw_ops.AvgPoolGrad(
            orig_input_shape=x.shape,
            grad=g,
            ksize=[1, size, size, 1],
            strides=[1, stride, stride, 1],
            padding="VALID",
        )
    )


def elementwise(function, x):
    x = tf.constant(x)
    yield Work(lambda: function(x))


exp = partial(elementwise, tf.exp)
tanh = partial(elementwise, tf.tanh)
sigmoid = partial(elementwise, tf.sigmoid)


def adam(w, g):
    weight, g = tf.Variable(w), tf.constant(g)
    optimizer = keras.optimizers.Adam()
    optimizer.build([weight])

    @tf.function
    def update():
        optimizer.apply([g], [weight])

    def step():
        update()
        return weight

    yield Work(step)


def cross_entropy(loss_of, targets, logits):
    logits, targets = tf.constant(logits), tf.constant(targets)

    @tf.function
    def gradient(logits, targets):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = tf.reduce_mean(loss_of(targets, logits))
        return tape.gradient(loss, logits)

    yield Work(lambda: gradient(logits, targets))


def cross_entropy_of_labels(logits, labels):
    return cross_entropy(tf.nn.sparse_softmax_cross_entropy_with_logits, labels, logits)


def cross_entropy_of_one_hot(logits, targets):
    return cross_entropy(tf.nn.softmax_cross_entropy_with_logits, targets, logits)


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
    """A loop of one's own around a tf.function: `fit` and `train_on_batch` take longer."""
    x, labels = tf.constant(x), tf.constant(labels)
    *hidden, last = layers
    model = keras.Sequential(
        [
            keras.Input(image),
            *(layer(*settings, activation="relu") for settings in hidden),
            layer(*last, activation=None),
        ]
    )
    model.set_weights(weights)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(x, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    yield Work(lambda: float(step(x, labels)))


def chain_of(tape, length):
    a, b = tf.constant(1.0), tf.constant(2.0)
    tape.watch(a)
    y = a
    for _ in range(length):
        y = y + b
    return a, y


def chain(length):
    def run():
        with tf.GradientTape() as tape:
            return chain_of(tape, length)[1]

    yield Work(run)


def chain_and_gradient(length):
    def run():
        with tf.GradientTape() as tape:
            a, y = chain_of(tape, length)
        return tape.gradient(y, a)

    yield Work(run)
