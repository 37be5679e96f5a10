"""What is graded in assignment 7: for teachers and the grader, not for students."""

from __future__ import annotations

import numpy as np

from tinydl.course import Assignment, expect, expect_close, expect_shape, expect_unchanged, is_close
from tinydl.course.written import added, products, written

CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # good enough for float32
EPSILON = 1e-3

assignment = Assignment(
    "07-normalization-and-dropout",
    title="Batch normalization and dropout",
    functions=(
        "batch_norm(x, gamma, beta, epsilon)",
        "update_running(running, batch, momentum)",
        "batch_norm_inference(x, gamma, beta, running_mean, running_variance, epsilon)",
        "batch_norm_gradient(g, x, gamma, epsilon)",
        "dropout(x, rate, generator, training)",
        "dropout_gradient(g, m)",
    ),
    inputs_may_change=True,  # a property of its own asks for that
    tutorial="11_initialisation_and_normalisation",
)

MOMENTS = r"\mu_c = \frac{1}{n} \sum_i x_{ic}, \quad s_c = \frac{1}{n} \sum_i (x_{ic} - \mu_c)^2"
NORMAL = r"y_{ic} = \gamma_c \frac{x_{ic} - \mu_c}{\sqrt{s_c + \epsilon}} + \beta_c"
TRAINING = MOMENTS + r", \quad " + NORMAL
RUNNING = r"r \leftarrow \rho r + (1 - \rho) b"
SUMS = (
    r"\bar\beta_c = \sum_i g_{ic}, \quad"
    r" \bar\gamma_c = \sum_i g_{ic} \frac{x_{ic} - \mu_c}{\sqrt{s_c + \epsilon}}"
)
BACK = (
    r"\bar x_{ic} = \frac{\gamma_c}{\sqrt{s_c + \epsilon}} \Big( g_{ic}"
    r" - \frac{1}{n} \sum_j g_{jc} - \hat x_{ic} \frac{1}{n} \sum_j g_{jc} \hat x_{jc} \Big)"
)
DROPOUT = r"y_i = m_i x_i, \quad m_i \in \{ 0, \frac{1}{1 - r} \}"
SEEDS = 10**6


# The right answers.


def places(x):
    """All axes but the last."""
    return tuple(range(x.ndim - 1))


@assignment.reference
def right_training(x, gamma, beta, epsilon=EPSILON):
    return normalized_by(x, gamma, beta, epsilon, x.mean(axis=places(x)), x.var(axis=places(x)))


def normalized_by(x, gamma, beta, epsilon, mean, variance):
    y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return y, mean, variance


@assignment.reference
def right_running(running, batch, momentum=0.99):
    return momentum * running + (1 - momentum) * batch


@assignment.reference
def right_inference(x, gamma, beta, running_mean, running_variance, epsilon=EPSILON):
    return normalized_by(x, gamma, beta, epsilon, running_mean, running_variance)[0]


@assignment.reference
def right_gradient(g, x, gamma, epsilon=EPSILON):
    root, hat = root_and_hat(x, epsilon)
    x_bar = gamma / root * (g - mean_of(g) - hat * mean_of(g * hat))
    return x_bar, (g * hat).sum(axis=places(x)), g.sum(axis=places(x))


@assignment.reference
def root_and_hat(x, epsilon):
    root = np.sqrt(x.var(axis=places(x)) + epsilon)
    return root, (x - x.mean(axis=places(x))) / root


@assignment.reference
def mean_of(values):
    return values.mean(axis=places(values))


def parts(name, got, wanted):
    """What came back: as many arrays as the text says."""
    count = wanted.count(",") + 1
    several = isinstance(got, (tuple, list)) and len(got) == count
    expect(several, f"{name} has to return ({wanted})", kind="type")
    return got


# Batch normalization in training.


def batch(draw, least=3, images=False):
    """A batch whose features have heights and widths of their own."""
    features = draw.integer(2, 4)
    pixels = draw.shape(2, 3) if images else ()
    samples = draw.integer(2 if images else least, 6)
    x = draw.normal((samples, *pixels, features), scale=2.0)
    return x + draw.integers(features, -3, 3)


def scale_and_shift(draw, features):
    return draw.uniform(features, 0.5, 3.0), draw.normal(features)


def normal_numbers(x, gamma, beta, mean, variance, epsilon):
    def numbers(at):
        c = at[-1]
        above = rf"{written(x[at])} - {written(mean[c])}"
        root = rf"\sqrt{{{written(variance[c])} + {epsilon}}}"
        return rf"y = {written(gamma[c])} \cdot \frac{{{above}}}{{{root}}} + {written(beta[c])}"

    return numbers


def draw_epsilon(draw):
    """The one of the formula, or another one."""
    return draw.choice([EPSILON, 0.1])


def check_training(student, draw, x):
    gamma, beta = scale_and_shift(draw, x.shape[-1])
    epsilon = draw_epsilon(draw)
    got = student.batch_norm(x, gamma, beta, epsilon)
    y, mean, variance = parts("batch_norm", got, "y, mean, variance")
    right_y, right_mean, right_variance = right_training(x, gamma, beta, epsilon)
    rows = x.reshape(-1, x.shape[-1])

    def mean_numbers(at):
        terms = added([written(value) for value in rows[:, at[0]]])
        return rf"\mu = \frac{{1}}{{{len(rows)}}} \big( {terms} \big)"

    def variance_numbers(at):
        center = written(right_mean[at])
        terms = added([f"({written(value)} - {center})^2" for value in rows[:, at[0]]])
        return rf"s = \frac{{1}}{{{len(rows)}}} \big( {terms} \big)"

    expect_close(mean, right_mean, name="mean", numbers=mean_numbers, **CLOSE)
    expect_close(variance, right_variance, name="variance", numbers=variance_numbers, **CLOSE)
    numbers = normal_numbers(x, gamma, beta, right_mean, right_variance, epsilon)
    expect_close(y, right_y, name="y", numbers=numbers, **CLOSE)


@assignment.property(
    "batch norm in training: formula",
    points=12,
    public=True,
    formula=TRAINING,
)
def training_formula(student, draw):
    check_training(student, draw, batch(draw))


@assignment.property(
    "batch norm in training: images",
    points=6,
    formula=TRAINING,
    hint="the last axis counts the features; all others count places",
)
def training_images(student, draw):
    check_training(student, draw, batch(draw, images=True))


@assignment.property(
    "batch norm in training: mean and variance of the result",
    points=6,
    formula=r"\frac{1}{n} \sum_i y_{ic} = \beta_c, \quad"
    r" \frac{1}{n} \sum_i (y_{ic} - \beta_c)^2 = \gamma_c^2 \frac{s_c}{s_c + \epsilon}",
    hint="whatever x was: that is the point of it",
)
def moments_of_result(student, draw):
    x = draw.normal((draw.integer(5, 40), 3)) * np.array([0.02, 1.0, 20.0]) + 5.0
    gamma, beta = scale_and_shift(draw, 3)
    got = parts("batch_norm", student.batch_norm(x, gamma, beta), "y, mean, variance")
    expect_shape(got[0], x.shape, name="y")
    y, s = np.asarray(got[0], float), x.var(axis=0)
    expect_close(y.mean(axis=0), beta, name="the mean of y", rtol=1e-3, atol=1e-3)
    right = gamma**2 * s / (s + EPSILON)
    expect_close(y.var(axis=0), right, name="the variance of y", rtol=1e-3, atol=1e-3)


@assignment.property(
    "batch norm in training: a feature that never changes",
    points=4,
    formula=NORMAL,
    hint="where the variance is 0, epsilon keeps the quotient at 0 / sqrt(epsilon)",
)
def constant_feature(student, draw):
    constants = np.round(draw.normal(3, scale=3.0))
    x = np.tile(constants, (draw.integer(1, 5), 1))
    gamma, beta = scale_and_shift(draw, 3)
    got = parts("batch_norm", student.batch_norm(x, gamma, beta), "y, mean, variance")
    expect_close(got[0], np.tile(beta, (len(x), 1)), name="y", rtol=1e-3, atol=1e-3)
    expect_close(got[2], np.zeros(3), name="variance", atol=1e-3)


# Batch normalization at inference.


@assignment.property(
    "running averages: formula",
    points=6,
    public=True,
    formula=RUNNING,
)
def running_formula(student, draw):
    features = draw.integer(1, 4)
    running, new = draw.normal(features, scale=3.0), draw.normal(features, scale=3.0)
    named = draw.choice([{}, {"momentum": 0.75}, {"momentum": 0.9}])
    rho = named.get("momentum", 0.99)

    def numbers(at):
        other = rf"{written(1 - rho)} \cdot {written(new[at])}"
        return rf"r = {rho} \cdot {written(running[at])} + {other}"

    got = student.update_running(running, new, **named)
    right = right_running(running, new, **named)
    expect_close(got, right, name="the new average", numbers=numbers, **CLOSE)


@assignment.property(
    "batch norm at inference: formula",
    points=6,
    public=True,
    formula=NORMAL,
)
def inference_formula(student, draw):
    x = batch(draw, images=draw.boolean())
    features = x.shape[-1]
    gamma, beta = scale_and_shift(draw, features)
    mean, variance = draw.normal(features), draw.uniform(features, 0.1, 4.0)
    epsilon = draw_epsilon(draw)
    got = student.batch_norm_inference(x, gamma, beta, mean, variance, epsilon)
    right = right_inference(x, gamma, beta, mean, variance, epsilon)
    numbers = normal_numbers(x, gamma, beta, mean, variance, epsilon)
    expect_close(got, right, name="y", numbers=numbers, **CLOSE)


@assignment.property(
    "batch norm at inference: a sample counts alone",
    points=4,
    formula=NORMAL,
    hint="who else is in the batch must not matter; use the running averages",
)
def inference_alone(student, draw):
    x = batch(draw)
    features = x.shape[-1]
    settings = *scale_and_shift(draw, features), draw.normal(features), np.ones(features)
    together = student.batch_norm_inference(x, *settings)
    expect_shape(together, x.shape, name="y")
    trivial = np.ptp(np.asarray(together)) == 0 or is_close(together, x)
    expect(not trivial, "the features are not normalized")
    n = draw.integer(0, len(x) - 1)
    alone = student.batch_norm_inference(x[n : n + 1], *settings)
    expect_shape(alone, (1, features), name="y")
    expect_close(alone[0], together[n], name=f"without the others, y of sample {n}", **CLOSE)


# The gradient of batch normalization.


@assignment.property(
    "gradients of gamma and beta: formula",
    points=8,
    public=True,
    formula=SUMS,
)
def gradients_of_weights(student, draw):
    x = batch(draw, images=draw.boolean())
    g, (gamma, _) = draw.normal(x.shape), scale_and_shift(draw, x.shape[-1])
    got = student.batch_norm_gradient(g, x, gamma)
    _, gamma_bar, beta_bar = parts("batch_norm_gradient", got, "x_bar, gamma_bar, beta_bar")
    _, right_gamma, right_beta = right_gradient(g, x, gamma)
    columns = g.reshape(-1, x.shape[-1])
    hats = root_and_hat(x, EPSILON)[1].reshape(columns.shape)
    expect_close(
        beta_bar,
        right_beta,
        name="the gradient of beta",
        numbers=lambda at: rf"\bar\beta = {added([written(v) for v in columns[:, at[0]]])}",
        **CLOSE,
    )
    expect_close(
        gamma_bar,
        right_gamma,
        name="the gradient of gamma",
        numbers=lambda at: rf"\bar\gamma = {products(columns[:, at[0]], hats[:, at[0]])}",
        **CLOSE,
    )


@assignment.property("gradient of x: formula", points=14, public=True, formula=BACK)
def gradient_of_x(student, draw):
    x = batch(draw)
    g, (gamma, _) = draw.normal(x.shape), scale_and_shift(draw, x.shape[-1])
    got = student.batch_norm_gradient(g, x, gamma)
    x_bar = parts("batch_norm_gradient", got, "x_bar, gamma_bar, beta_bar")[0]
    right = right_gradient(g, x, gamma)[0]

    def numbers(at):
        c = at[-1]
        root, hat = root_and_hat(x, EPSILON)
        first = rf"\frac{{{written(gamma[c])}}}{{{written(root[c])}}}"
        mean = written(mean_of(g)[c])
        product = rf"{written(hat[at])} \cdot {written(mean_of(g * hat)[c])}"
        return rf"\bar x = {first} \big( {written(g[at])} - {mean} - {product} \big)"

    expect_close(x_bar, right, name="the gradient of x", numbers=numbers, **CLOSE)


@assignment.property(
    "gradient of x: agrees with differences, on images too",
    points=10,
    formula=r"\bar x_{ic} = \frac{\partial}{\partial x_{ic}} \sum_{jd} g_{jd} \, y_{jd}",
    hint="moving one x a little also moves the mean and the variance of its feature",
)
def gradient_by_differences(student, draw):
    x = batch(draw, least=1, images=draw.boolean())
    g, (gamma, _) = draw.normal(x.shape), scale_and_shift(draw, x.shape[-1])
    epsilon = draw_epsilon(draw)
    got = student.batch_norm_gradient(g, x, gamma, epsilon)
    x_bar = parts("batch_norm_gradient", got, "x_bar, gamma_bar, beta_bar")[0]
    right = np.zeros(x.shape)
    for at in np.ndindex(*x.shape):
        step = np.zeros(x.shape)
        step[at] = 1e-4
        above, below = (right_training(x + s, gamma, 0.0, epsilon)[0] for s in (step, -step))
        right[at] = np.sum(g * (above - below)) / 2e-4
    expect_close(x_bar, right, name="the gradient of x", rtol=1e-3, atol=1e-4)


# Dropout. It runs beside a generator of its own, in the submission's process.

DROP = """
import numpy
generator = numpy.random.default_rng(number)
result = [dropout(x.copy(), rate, generator, training) for _ in range(times)]
"""


def dropped(student, x, rate, number, times=1, training=True):
    """What dropout returns: a pair (y, m) for each of several times."""
    results = student.run(DROP, x=x, rate=rate, number=number, times=times, training=training)
    pairs = []
    for result in results:
        y, m = parts("dropout", result, "y, m")
        for name, array in (("y", y), ("m", m)):
            expect_shape(array, x.shape, name=name)
        pairs.append((np.asarray(y, float), np.asarray(m, float)))
    return pairs


def rates(draw):
    return draw.choice([0.5, 0.25, 0.8, 0.2])


@assignment.property("dropout: what is kept is scaled up", points=6, public=True, formula=DROPOUT)
def dropout_scale(student, draw):
    x, rate = draw.normal((draw.integer(2, 6), 10)), rates(draw)
    pairs = dropped(student, x, rate, draw.integer(0, SEEDS), times=4)
    factors = np.concatenate([m.ravel() for _, m in pairs])
    kept, right = factors[factors != 0], 1 / (1 - rate)
    expect(kept.size, f"everything is dropped, at a rate of {rate}")
    swapped = all(np.isin(np.round(y * (1 - rate), 6), (0, 1)).all() for y, _ in pairs)
    expect(not swapped, "y and m are swapped: dropout has to return (y, m)")
    strange = kept[np.abs(kept - right) > 1e-3]
    if strange.size:
        causes = {1.0: ": it is not scaled up", 1 / rate: ": that is 1 / r"}
        cause = [why for value, why in causes.items() if abs(strange[0] - value) < 1e-3]
        message = f"m is {strange[0]:.6g} where it is not 0, expected 1 / (1 - r) = {right:.6g}"
        expect(False, message + "".join(cause[:1]))
    expect(kept.size < factors.size, f"nothing is dropped, at a rate of {rate}")
    for y, m in pairs:
        expect_close(y, m * x, name="y", **CLOSE)


@assignment.property(
    "dropout: share and independence",
    points=6,
    formula=r"P(m_i = 0) = r, \quad \text{independently of all others}",
    hint="there is a draw for each element of x",
)
def dropout_share(student, draw):
    x, rate = np.ones((60, 40)), rates(draw)
    pairs = dropped(student, x, rate, draw.integer(0, SEEDS), times=6)
    gone = pairs[0][1] == 0
    for axis, others in ((0, "samples"), (1, "features")):
        # If all are independent, the counts along an axis vary like binomial ones.
        variance = gone.sum(axis=axis).var() / (gone.shape[axis] * rate * (1 - rate))
        message = f"what is dropped is not independent: the {others} of a batch share it"
        expect(variance < 3.0, message)
    share, deviation = gone.mean(), np.sqrt(rate * (1 - rate) / gone.size)
    message = f"the share {share:.3f} is dropped, expected {rate}"
    if abs(share - (1 - rate)) < 5 * deviation:
        message += ": r is the rate of dropping, not of keeping"
    expect(abs(share - rate) < 5 * deviation, message)
    always = all(np.array_equal(m == 0, gone) for _, m in pairs)  # that is another property's
    varies = len({int(np.sum(m == 0)) for _, m in pairs}) > 1
    message = "each time as many are dropped: if each element is drawn alone, their number varies"
    expect(always or varies, message)


@assignment.property(
    "dropout: the generator decides",
    points=3,
    hint="draw from the generator that is given, and from nothing else; it goes on from call to call",
)
def dropout_generator(student, draw):
    x, number = np.ones((6, 40)), draw.integer(0, SEEDS)
    (_, one), (_, next_one) = dropped(student, x, 0.5, number, times=2)
    ((_, again),) = dropped(student, x, 0.5, number)
    ((_, other),) = dropped(student, x, 0.5, number + 1)
    expect(
        np.array_equal(one, again),
        "the same generator gives another m each time: it is drawn from somewhere else",
    )
    expect(
        not np.array_equal(one, next_one) and not np.array_equal(one, other),
        "m is the same whatever the generator does: it is drawn from somewhere else",
    )


@assignment.property(
    "dropout at inference: nothing happens",
    points=3,
    public=True,
    formula=r"y_i = x_i, \quad m_i = 1",
    hint="ask for `training` first",
)
def dropout_at_inference(student, draw):
    x = draw.normal((draw.integer(2, 6), 4))
    number = draw.integer(0, SEEDS)
    ((y, m),) = dropped(student, x, rates(draw), number, training=False)
    gone = np.any((y == 0) & (x != 0))
    expect(not gone, "elements are dropped with training=False: then nothing may be dropped")
    expect_close(y, x, name="y with training=False", **CLOSE)
    expect_close(m, np.ones(x.shape), name="m with training=False", **CLOSE)


@assignment.reference
def right_dropout_gradient(g, m):
    return g * m


@assignment.property(
    "dropout: gradient",
    points=4,
    public=True,
    formula=r"\bar x_i = m_i g_i",
)
def dropout_back(student, draw):
    g = draw.normal(draw.shape(2, 4))
    m = np.where(draw.uniform(g.shape, 0, 1) < 0.5, 0.0, draw.choice([2.0, 4.0, 1.25]))
    expect_close(
        student.dropout_gradient(g, m),
        right_dropout_gradient(g, m),
        name="the gradient of x",
        numbers=lambda at: rf"\bar x = {written(m[at])} \cdot {written(g[at])}",
        **CLOSE,
    )


# Manners.


@assignment.property(
    "inputs are left as they were",
    points=2,
    public=True,
    hint="x -= mean changes the array of whoever called; write x = x - mean",
)
def inputs_stay(student, draw):
    x = batch(draw)
    g, ones = draw.normal(x.shape), np.ones(x.shape[-1])
    right = False
    for name, answer, arguments in (
        ("batch_norm", right_training, (x, ones, ones)),
        ("update_running", right_running, (ones, 2 * ones)),
        ("batch_norm_inference", right_inference, (x, ones, ones, ones, ones)),
        ("batch_norm_gradient", right_gradient, (g, x, ones)),
        ("dropout_gradient", right_dropout_gradient, (g, np.round(np.abs(g)))),
    ):
        got, expected = student.call(name, *arguments), answer(*arguments)
        expect_unchanged(student)
        several = isinstance(got, (tuple, list)) and isinstance(expected, (tuple, list))
        right |= is_close(got[0], expected[0]) if several else is_close(got, expected)
    expect(right, "no answer is right yet: then this counts nothing")
    student.run("import numpy\ndropout(x, 0.5, numpy.random.default_rng(0))", x=x)
    expect_unchanged(student, "dropout")
