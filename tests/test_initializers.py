"""Initializers: moments, ranges, seeds."""

import numpy as np
import pytest

from tinydl import initializers, random
from tinydl.errors import ArgumentError, ShapeError

SHAPE = (3, 3, 20, 50)
FAN_IN, FAN_OUT = 180, 450
RANDOM = [c for c in initializers._registry if "seed" in c().get_config()]


def moments(initializer, shape=SHAPE):
    x = initializer(shape, dtype="float64")
    return x.mean(), x.var(), np.abs(x).max()


@pytest.mark.parametrize(
    ("name", "variance", "uniform"),
    [
        ("glorot_uniform", 2 / (FAN_IN + FAN_OUT), True),
        ("glorot_normal", 2 / (FAN_IN + FAN_OUT), False),
        ("he_uniform", 2 / FAN_IN, True),
        ("he_normal", 2 / FAN_IN, False),
        ("lecun_uniform", 1 / FAN_IN, True),
        ("lecun_normal", 1 / FAN_IN, False),
    ],
)
def test_variance_follows_the_fans(name, variance, uniform):
    initializer = initializers.get({"class_name": name, "config": {"seed": 0}})
    mean, found, largest = moments(initializer)
    stddev = variance**0.5
    # 9000 numbers: the mean's own standard deviation is stddev / 95, the variance's about 1.5 %.
    assert abs(mean) < 5 * stddev / 95
    assert found == pytest.approx(variance, rel=0.06)
    bound = 3**0.5 * stddev if uniform else 2 * stddev / initializers.TRUNCATED_STDDEV
    assert 0.99 * bound < largest <= bound


def test_glorot_uniform_by_hand():
    x = initializers.GlorotUniform(seed=0)((784, 10), dtype="float64")
    limit = (6 / 794) ** 0.5
    np.testing.assert_allclose(x, np.random.default_rng(0).uniform(-limit, limit, (784, 10)))


@pytest.mark.parametrize(
    ("shape", "fans"),
    [((), (1, 1)), ((7,), (7, 7)), ((4, 5), (4, 5)), ((3, 2, 4, 5), (24, 30))],
)
def test_fans(shape, fans):
    assert initializers.compute_fans(shape) == fans


def test_fan_out_and_untruncated_normal():
    settings = {"scale": 4.0, "mode": "fan_out", "distribution": "untruncated_normal", "seed": 0}
    _, variance, largest = moments(initializers.VarianceScaling(**settings))
    assert variance == pytest.approx(4 / FAN_OUT, rel=0.06)
    assert largest > 2.5 * (4 / FAN_OUT) ** 0.5


def test_normal_and_uniform_settings():
    mean, variance, _ = moments(initializers.RandomNormal(3.0, 0.5, seed=0))
    assert (mean, variance) == (pytest.approx(3, abs=0.03), pytest.approx(0.25, rel=0.06))
    mean, variance, _ = moments(initializers.TruncatedNormal(3.0, 0.5, seed=0))
    assert mean == pytest.approx(3, abs=0.03)
    assert variance == pytest.approx(0.25 * initializers.TRUNCATED_STDDEV**2, rel=0.06)
    x = initializers.RandomUniform(2.0, 4.0, seed=0)(SHAPE)
    assert 2 <= x.min() < 2.01
    assert 3.99 < x.max() < 4


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (2, 3, 4, 5)])
def test_orthogonal(shape):
    w = initializers.Orthogonal(gain=2.0, seed=0)(shape, dtype="float64").reshape(-1, shape[-1])
    short = w if w.shape[0] < w.shape[1] else w.T
    np.testing.assert_allclose(short @ short.T, 4 * np.eye(len(short)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign():
    corners = [initializers.Orthogonal(seed=seed)((3, 3))[0, 0] for seed in range(20)]
    assert {np.sign(corner) for corner in corners} == {-1, 1}


def test_orthogonal_needs_a_matrix():
    with pytest.raises(ShapeError, match=r"shape is \(3,\), expected at least two axes"):
        initializers.Orthogonal()((3,))


@pytest.mark.parametrize("cls", RANDOM)
class TestEveryRandomInitializer:
    def test_a_seed_gives_the_same_numbers_at_each_call(self, cls):
        initializer = cls(seed=3)
        np.testing.assert_array_equal(initializer((4, 5)), initializer((4, 5)))
        assert (initializer((4, 5)) != cls(seed=4)((4, 5))).any()

    def test_without_a_seed_the_default_generator_serves(self, cls):
        random.set_seed(3)
        first, second = cls()((4, 5)), cls()((4, 5))
        assert (first != second).any()
        random.set_seed(3)
        np.testing.assert_array_equal(cls()((4, 5)), first)


@pytest.mark.parametrize("cls", list(initializers._registry))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_and_dtype(cls, dtype):
    values = cls()([4, 0], dtype=dtype)
    assert (values.shape, values.dtype) == ((4, 0), np.dtype(dtype))


def test_constants():
    assert (initializers.Constant(2.5)((3,)) == 2.5).all()
    assert (initializers.get("ones")((3,)) == 1).all()
    assert not initializers.get("zeros")((3,)).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.RandomNormal(stddev=-1.0), "stddev is -1.0, expected a number of at"),
        (lambda: initializers.TruncatedNormal(stddev="x"), "stddev is 'x'"),
        (lambda: initializers.RandomUniform(1.0, 0.0), "minval is 1.0, expected at most 0.0"),
        (lambda: initializers.VarianceScaling(0.0), "scale is 0.0, expected a number above 0"),
        (lambda: initializers.VarianceScaling(mode="fanin"), "did you mean 'fan_in'"),
        (lambda: initializers.VarianceScaling(distribution="normal"), "distribution is 'normal'"),
        (lambda: initializers.get("glorot"), "initializer is 'glorot'"),
    ],
)
def test_misuse(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
