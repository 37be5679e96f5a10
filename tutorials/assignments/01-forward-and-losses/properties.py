"""What is graded in assignment 1: for teachers and the grader, not for students."""

from __future__ import annotations

import numpy as np

from tinydl.course import Assignment, expect, expect_close, expect_unchanged, is_close
from tinydl.course.written import added, products, written

CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # good enough for float32

assignment = Assignment(
    "01-forward-and-losses",
    title="Forward pass and losses",
    functions=(
        "dense(x, w, b)",
        "relu(x)",
        "sigmoid(x)",
        "tanh(x)",
        "mean_squared_error(t, y)",
        "mean_absolute_error(t, y)",
        "binary_cross_entropy(t, y)",
    ),
    inputs_may_change=True,  # a property of its own asks for that
    tutorial="02_forward_propagation_by_hand",
)

DENSE = r"y_{no} = \sum_c x_{nc} w_{co} + b_o"
RELU = r"y_i = \max(x_i, 0)"
SIGMOID = r"y_i = \frac{1}{1 + e^{-x_i}}"
TANH = r"y_i = \frac{e^{x_i} - e^{-x_i}}{e^{x_i} + e^{-x_i}}"
SQUARED = r"L = \frac{1}{n} \sum_i (y_i - t_i)^2"
ABSOLUTE = r"L = \frac{1}{n} \sum_i |y_i - t_i|"
BINARY = r"L = -\frac{1}{n} \sum_i \Big( t_i \ln y_i + (1 - t_i) \ln (1 - y_i) \Big)"


# The right answers, and the typical wrong ones.


@assignment.reference
def right_dense(x, w, b):
    return np.einsum("nc,co->no", x, w) + b


@assignment.reference
def right_relu(x):
    return np.maximum(x, 0.0)


@assignment.reference
def right_sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


@assignment.reference
def right_tanh(x):
    return np.tanh(x)


@assignment.reference
def right_squared(t, y):
    return np.mean((y - t) ** 2)


@assignment.reference
def right_absolute(t, y):
    return np.mean(np.abs(y - t))


def surprises(t, y, epsilon=1e-7):
    y = np.clip(y, epsilon, 1 - epsilon)
    return -(t * np.log(y) + (1 - t) * np.log(1 - y))


@assignment.reference
def right_binary(t, y):
    return np.mean(surprises(t, y))


DENSE_MISTAKES = {
    "the bias is not added": lambda x, w, b: x @ w,
    "the bias is subtracted": lambda x, w, b: x @ w - b,
    "the bias is multiplied, not added": lambda x, w, b: (x @ w) * b,
    "w is transposed": lambda x, w, b: x @ w.T + b,
    "all biases are added to each output": lambda x, w, b: x @ w + b.sum(),
    "relu is applied: that comes after the layer": lambda x, w, b: np.maximum(x @ w + b, 0),
    "the bias runs along the samples, not along the outputs": lambda x, w, b: x @ w + b[:, None],
    "the bias is added once for each input": lambda x, w, b: x @ w + len(w) * b,
    "the last input is left out": lambda x, w, b: x[:, :-1] @ w[:-1] + b,
    "w @ x in place of x @ w": lambda x, w, b: w @ x + b,
}
SQUARED_MISTAKES = {
    "the mean is missing: the result has to be one number": lambda t, y: (y - t) ** 2,
    "a sum in place of the mean": lambda t, y: np.sum((y - t) ** 2),
    "divided by the number of samples, not of all elements": lambda t, y: (
        np.sum((y - t) ** 2) / len(t)
    ),
    "a mean for each row: the result has to be one number": lambda t, y: np.mean(
        (y - t) ** 2, axis=-1
    ),
    "a mean for each column: the result has to be one number": lambda t, y: np.mean(
        (y - t) ** 2, axis=0
    ),
    "the absolute value in place of the square": lambda t, y: np.mean(np.abs(y - t)),
    "the square is missing": lambda t, y: (np.mean(y - t), np.mean(t - y)),
    "the difference of the squares, not the square of the difference": lambda t, y: (
        np.mean(y**2 - t**2),
        np.mean(t**2 - y**2),
    ),
    "the root of it: that is another loss": lambda t, y: np.sqrt(np.mean((y - t) ** 2)),
    "half of it": lambda t, y: np.mean((y - t) ** 2) / 2,
    "the square of the mean, not the mean of the squares": lambda t, y: np.mean(y - t) ** 2,
}
ABSOLUTE_MISTAKES = {
    "the mean is missing: the result has to be one number": lambda t, y: np.abs(y - t),
    "the median, not the mean": lambda t, y: np.median(np.abs(y - t)),
    "a sum in place of the mean": lambda t, y: np.sum(np.abs(y - t)),
    "divided by the number of samples, not of all elements": lambda t, y: (
        np.sum(np.abs(y - t)) / len(t)
    ),
    "a mean for each row: the result has to be one number": lambda t, y: np.mean(
        np.abs(y - t), axis=-1
    ),
    "a mean for each column: the result has to be one number": lambda t, y: np.mean(
        np.abs(y - t), axis=0
    ),
    "the square in place of the absolute value": lambda t, y: np.mean((y - t) ** 2),
    "the absolute value of the mean, not the mean of the absolute values": lambda t, y: np.abs(
        np.mean(y - t)
    ),
    "the absolute value is missing": lambda t, y: (np.mean(y - t), np.mean(t - y)),
}
BINARY_MISTAKES = {
    "the mean is missing: the result has to be one number": lambda t, y: surprises(t, y),
    "moved inwards by another number than 1e-7": lambda t, y: tuple(
        np.mean(surprises(t, y, epsilon)) for epsilon in (1e-16, 1e-15, 1e-12, 1e-10, 1e-8, 1e-6)
    ),
    "moved inwards by much more than 1e-7": lambda t, y: tuple(
        np.mean(surprises(t, y, epsilon)) for epsilon in (1e-5, 1e-4, 1e-3, 1e-2)
    ),
    "ln y in place of ln(1 - y)": lambda t, y: -np.mean(np.log(y)),
    "the sign is wrong": lambda t, y: -np.mean(surprises(t, y)),
    "a sum in place of the mean": lambda t, y: np.sum(surprises(t, y)),
    "divided by the number of samples, not of all elements": lambda t, y: (
        np.sum(surprises(t, y)) / len(t)
    ),
    "a mean for each row: the result has to be one number": lambda t, y: np.mean(
        surprises(t, y), axis=-1
    ),
    "the term (1 - t) ln(1 - y) is missing": lambda t, y: -np.mean(t * np.log(y)),
    "the logarithm to base 2, not the natural one": lambda t, y: (
        np.mean(surprises(t, y)) / np.log(2)
    ),
    "the logarithm to base 10, not the natural one": lambda t, y: (
        np.mean(surprises(t, y)) / np.log(10)
    ),
    "epsilon is added to y and to 1 - y; y is to be moved into the interval": lambda t, y: (
        -np.mean(t * np.log(y + 1e-7) + (1 - t) * np.log(1 - y + 1e-7))
    ),
    "y is moved away from 0, but not from 1": lambda t, y: (
        -np.mean(t * np.log(np.maximum(y, 1e-7)) + (1 - t) * np.log(1 - y))
    ),
    "the logarithm of 0: y is not moved inwards": lambda t, y: (
        -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))
    ),
    "y and 1 - y are swapped": lambda t, y: np.mean(surprises(1 - t, y)),
    "targets and predictions are swapped": lambda t, y: np.mean(surprises(y, t)),
}


# The dense layer.


@assignment.property(
    "dense: formula",
    points=14,
    public=True,
    formula=DENSE,
    likely=DENSE_MISTAKES,
)
def dense_formula(student, draw):
    samples, inputs, outputs = draw.integer(2, 6), draw.integer(2, 5), draw.integer(2, 5)
    check_dense(student, draw, samples, inputs, outputs)


@assignment.property(
    "dense: any number of samples and features",
    points=6,
    formula=DENSE,
    hint="try a single sample, a single feature, and as many samples as features",
    likely=DENSE_MISTAKES,
)
def dense_any_size(student, draw):
    sizes = [(1, 1, 1), (1, 4, 3), (5, 1, 2), (3, 4, 1), (3, 3, 3), (40, 30, 20)]
    check_dense(student, draw, *draw.choice(sizes))


def check_dense(student, draw, samples, inputs, outputs):
    x, w = draw.normal((samples, inputs)), draw.normal((inputs, outputs))
    b = draw.normal(outputs, scale=2.0)

    def numbers(at):
        n, o = at
        return rf"y_{{{n},{o}}} = {products(x[n], w[:, o])} + {written(b[o])}"

    got = student.dense(x, w, b)
    expect_close(got, right_dense(x, w, b), name="y", **CLOSE, numbers=numbers)


# Activations.


@assignment.property(
    "relu: formula",
    points=6,
    public=True,
    formula=RELU,
    likely={
        "the absolute value": lambda x: np.abs(x),
        "the negative part, not the positive": lambda x: np.minimum(x, 0.0),
        "its derivative, not the function itself": lambda x: (x > 0) * 1.0,
        "negative numbers are made small, but not 0": lambda x: np.where(x > 0, x, 0.01 * x),
        "np.max finds the largest along an axis; np.maximum compares each with 0": lambda x: (
            np.max(x, 0),
            np.max(x),
        ),
    },
)
def relu_formula(student, draw):
    x = draw.normal(draw.shape(draw.integer(1, 3), 4), scale=2.0)

    def numbers(at):
        return rf"y = \max({written(x[at])}, 0)"

    expect_close(student.relu(x), right_relu(x), name="y", **CLOSE, numbers=numbers)


def sigmoid_numbers(x):
    return lambda at: rf"y = \frac{{1}}{{1 + e^{{{written(-x[at])}}}}}"


@assignment.property(
    "sigmoid: formula",
    points=8,
    public=True,
    formula=SIGMOID,
    likely={
        "the sign in the exponent is wrong": lambda x: 0.5 * (1 - np.tanh(0.5 * x)),
        "its derivative, not the function itself": lambda x: 0.25 * (1 - np.tanh(0.5 * x) ** 2),
        "it is a tanh": right_tanh,
        "x is cut off at a limit that is too small": lambda x: [
            right_sigmoid(np.clip(x, -most, most)) for most in (1, 2, 3, 4, 5, 6, 7, 8)
        ],
        "brackets are missing: 1 / 1 + ... is not 1 / (1 + ...)": lambda x: 1 + np.exp(-x),
        "a minus in place of the plus": lambda x: 1 / (1 - np.exp(-x)),
    },
)
def sigmoid_formula(student, draw):
    x = draw.normal(draw.shape(draw.integer(1, 3), 4), scale=2.0)
    got = student.sigmoid(x)
    expect_close(got, right_sigmoid(x), name="y", numbers=sigmoid_numbers(x), **CLOSE)


@assignment.property(
    "sigmoid: large numbers",
    points=8,
    formula=SIGMOID,
    hint="an exponential of a number above 700 is inf; which form only has exponents below 0?",
    likely={"the sign in the exponent is wrong": lambda x: 0.5 * (1 - np.tanh(0.5 * x))},
)
def sigmoid_large(student, draw):
    x = large_numbers(draw)
    got = student.sigmoid(x)
    expect_close(got, right_sigmoid(x), name="y", numbers=sigmoid_numbers(x), **CLOSE)


def large_numbers(draw):
    """Both signs, between 50 and 10,000 in size; no two cases alike."""
    shape = draw.shape(2, 4)
    size = 10 ** draw.generator().uniform(np.log10(50), 4, shape)
    return np.round(size) * draw.generator().choice([-1.0, 1.0], shape)


@assignment.property(
    "tanh: formula",
    points=4,
    public=True,
    formula=TANH,
    likely={
        "the sign in the exponent is wrong": lambda x: np.tanh(-x),
        "x in place of 2 x": lambda x: np.tanh(0.5 * x),
        "its derivative, not the function itself": lambda x: 1 - np.tanh(x) ** 2,
        "it is a sigmoid": right_sigmoid,
        "np.tan is the tangent; np.tanh is the hyperbolic one": np.tan,
    },
)
def tanh_formula(student, draw):
    x = draw.normal(draw.shape(draw.integer(1, 3), 4), scale=2.0)
    expect_close(student.tanh(x), right_tanh(x), name="y", **CLOSE)


@assignment.property(
    "tanh: large numbers",
    points=6,
    formula=TANH,
    hint="an exponential of a number above 700 is inf, and inf / inf is nan",
)
def tanh_large(student, draw):
    x = large_numbers(draw)
    expect_close(student.tanh(x), right_tanh(x), name="y", **CLOSE)


@assignment.property(
    "activations: symmetries on arrays of any shape",
    points=4,
    formula=r"x = \mathrm{relu}(x) - \mathrm{relu}(-x), \quad 1 = \sigma(x) + \sigma(-x), \quad"
    r" \tanh(-x) = -\tanh(x)",
    hint="the result has the shape of x, whatever shape that is",
)
def symmetries(student, draw):
    shape = draw.choice([(1,), (3,), (1, 1), (2, 3), (2, 1, 3), (2, 3, 2, 2), (500,)])
    x = draw.normal(shape, scale=3.0)
    difference = np.asarray(student.relu(x)) - np.asarray(student.relu(-x))
    expect_close(difference, x, name="relu(x) - relu(-x)", **CLOSE)
    total = np.asarray(student.sigmoid(x)) + np.asarray(student.sigmoid(-x))
    expect_close(total, np.ones(shape), name="sigmoid(x) + sigmoid(-x)", **CLOSE)
    total = np.asarray(student.tanh(x)) + np.asarray(student.tanh(-x))
    expect_close(total, np.zeros(shape), name="tanh(x) + tanh(-x)", **CLOSE)


# Losses.


SHAPES = ((3, 2), (4,), (2, 3, 2), (1, 5), (5, 1), (1, 1), (1,), (30, 20))


@assignment.property(
    "mean squared error: formula",
    points=10,
    public=True,
    formula=SQUARED,
    likely=SQUARED_MISTAKES,
)
def squared_formula(student, draw):
    check_squared(student, draw, (draw.integer(2, 5), draw.integer(2, 4)))


@assignment.property(
    "mean squared error: arrays of any shape",
    points=3,
    formula=SQUARED,
    hint="n counts all elements, however many axes the arrays have",
    likely=SQUARED_MISTAKES,
)
def squared_any_shape(student, draw):
    check_squared(student, draw, draw.choice(SHAPES))


def check_squared(student, draw, shape):
    t, y = draw.normal(shape, scale=2.0), draw.normal(shape, scale=2.0)

    def numbers(at):
        pairs = zip(t.flat, y.flat, strict=True)
        terms = [rf"({written(b)} - {written(a)})^2" for a, b in pairs]
        return rf"L = \frac{{1}}{{{t.size}}} \Big( {added(terms)} \Big)"

    got = student.mean_squared_error(t, y)
    expect_close(got, right_squared(t, y), name="L", numbers=numbers, **CLOSE)


@assignment.property(
    "mean absolute error: formula",
    points=6,
    public=True,
    formula=ABSOLUTE,
    likely=ABSOLUTE_MISTAKES,
)
def absolute_formula(student, draw):
    check_absolute(student, draw, (draw.integer(2, 5), draw.integer(2, 4)))


@assignment.property(
    "mean absolute error: arrays of any shape",
    points=3,
    formula=ABSOLUTE,
    hint="n counts all elements, however many axes the arrays have",
    likely=ABSOLUTE_MISTAKES,
)
def absolute_any_shape(student, draw):
    check_absolute(student, draw, draw.choice(SHAPES))


def check_absolute(student, draw, shape):
    t, y = draw.normal(shape, scale=2.0), draw.normal(shape, scale=2.0)

    def numbers(at):
        pairs = zip(t.flat, y.flat, strict=True)
        terms = [f"|{written(b)} - {written(a)}|" for a, b in pairs]
        return rf"L = \frac{{1}}{{{t.size}}} \Big( {added(terms)} \Big)"

    got = student.mean_absolute_error(t, y)
    expect_close(got, right_absolute(t, y), name="L", numbers=numbers, **CLOSE)


@assignment.property(
    "binary cross-entropy: formula",
    points=10,
    public=True,
    formula=BINARY,
    likely=BINARY_MISTAKES,
)
def binary_formula(student, draw):
    shape = draw.integer(2, 5), draw.integer(2, 4)
    t = draw.integers(shape, 0, 1).astype(float)
    y = draw.uniform(shape, 0.1, 0.9)
    check_binary(student, t, y)


@assignment.property(
    "binary cross-entropy: certain predictions",
    points=6,
    formula=BINARY + r", \quad y_i \text{ first moved into } [10^{-7}, 1 - 10^{-7}]",
    hint="what is the logarithm of 0, and what is 0 times that?",
    likely=BINARY_MISTAKES,
)
def binary_certain(student, draw):
    shape = draw.integer(1, 5), draw.integer(1, 4)
    t = draw.integers(shape, 0, 1).astype(float)
    wrong = draw.integers(shape, 0, 3) == 0
    nearly = draw.choice([0.0, 2e-7])  # what adding epsilon in place of moving would change
    y = np.abs(np.where(wrong, 1 - t, t) - nearly)
    # In float32, 1 - 1e-7 is 1 - 1.2e-7: that changes the logarithm by 1 %.
    check_binary(student, t, y, rtol=0.02)


def check_binary(student, t, y, rtol=CLOSE["rtol"]):
    def numbers(at):
        happened = np.where(t == 1, y, 1 - y)
        terms = [rf"\ln {written(p)}" for p in happened.flat]
        return rf"L = -\frac{{1}}{{{t.size}}} \Big( {added(terms)} \Big)"

    got = student.binary_cross_entropy(t, y)
    expect_close(got, right_binary(t, y), name="L", numbers=numbers, **CLOSE | {"rtol": rtol})


# Manners.

RIGHT = {
    "dense": right_dense,
    "relu": right_relu,
    "sigmoid": right_sigmoid,
    "tanh": right_tanh,
    "mean_squared_error": right_squared,
    "mean_absolute_error": right_absolute,
    "binary_cross_entropy": right_binary,
}
NOTHING_RIGHT = "no answer is right yet: then this counts nothing"


def call_of_each(draw, samples):
    """Arguments for each of the functions."""
    x = draw.normal((samples, 3))
    t = draw.integers((samples, 3), 0, 1).astype(float)
    y = draw.uniform((samples, 3), 0.1, 0.9)
    return {
        "dense": (x, draw.normal((3, 2)), draw.normal(2)),
        "relu": (x,),
        "sigmoid": (x,),
        "tanh": (x,),
        "mean_squared_error": (t, y),
        "mean_absolute_error": (t, y),
        "binary_cross_entropy": (t, np.round(y)),
    }


@assignment.property(
    "inputs are left as they were",
    points=3,
    public=True,
    hint="x *= 2 and x[x < 0] = 0 change the array of whoever called; work on a new one",
)
def inputs_stay(student, draw):
    right = False
    for name, arguments in call_of_each(draw, draw.integer(2, 5)).items():
        got = student.call(name, *arguments)
        expect_unchanged(student)
        right |= is_close(got, RIGHT[name](*arguments))
    expect(right, NOTHING_RIGHT)


COUNT_STEPS = """
import sys

def steps_of(function, arguments):
    count = 0

    def step(frame, event, argument):
        nonlocal count
        count += 1
        return step

    sys.settrace(step)
    try:
        function(*arguments)
    finally:
        sys.settrace(None)
    return count

result = [steps_of(globals()[name], few), steps_of(globals()[name], many)]
"""


@assignment.property(
    "no loops over samples",
    points=3,
    public=True,
    hint="give NumPy the whole array; its loops are in C",
)
def no_loops(student, draw):
    few, many = draw.integer(4, 10), draw.integer(1000, 1200)
    small, large = call_of_each(draw, few), call_of_each(draw, many)
    right = False
    for name in small:
        right |= is_close(student.call(name, *small[name]), RIGHT[name](*small[name]))
        steps_few, steps_many = student.run(
            COUNT_STEPS, name=name, few=list(small[name]), many=list(large[name])
        )
        expect(
            steps_many < steps_few + 500,
            f"{name} takes {steps_few} steps of Python for {few} samples, and {steps_many} for "
            f"{many}: there is a loop over the samples",
        )
    expect(right, NOTHING_RIGHT)
