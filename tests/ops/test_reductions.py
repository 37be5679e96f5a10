"""Reductions: against NumPy and plain Python, at ties and zeros, of nothing, and refusals."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinydl import grad, ops, tensor
from tinydl.errors import ArgumentError, DTypeError, GradientError, ShapeError
from tinydl.testing import gradcheck

INF, NAN = math.inf, math.nan


def gradient(op, x, y_bar=None):
    x = tensor(np.array(x, np.float64), requires_grad=True)
    y = op(x)
    return grad(y, x, np.ones(y.shape) if y_bar is None else y_bar).numpy()


@st.composite
def arrays_with_axes(draw):
    x = draw(
        hnp.arrays(
            np.float64,
            hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4),
            elements=st.floats(-8, 8, width=32),
        )
    )
    axes = draw(st.lists(st.integers(0, max(x.ndim - 1, 0)), unique=True, max_size=x.ndim))
    axes = tuple(axis - x.ndim if draw(st.booleans()) else axis for axis in axes)
    return x, draw(st.sampled_from([None, axes, *axes])), draw(st.booleans())


@given(arrays_with_axes())
def test_every_axis_means_what_it_means_in_numpy(case):
    x, axis, keepdims = case
    for name in ("sum", "mean", "prod", "max", "min", "var", "std", "all", "any"):
        y = getattr(ops, name)(x, axis=axis, keepdims=keepdims).numpy()
        expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
        assert y.shape == expected.shape
        np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-12)
    y = ops.logsumexp(x, axis, keepdims).numpy()
    np.testing.assert_allclose(y, np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)), atol=1e-12)
    np.testing.assert_array_equal(
        ops.count_nonzero(x, axis).numpy(), np.count_nonzero(x, axis=axis)
    )
    if not isinstance(axis, tuple):
        for name in ("argmax", "argmin"):
            y = getattr(ops, name)(x, axis, keepdims).numpy()
            np.testing.assert_array_equal(y, getattr(np, name)(x, axis=axis, keepdims=keepdims))
        for name in ("cumsum", "cumprod"):
            y = getattr(ops, name)(x, axis).numpy()
            np.testing.assert_allclose(y, getattr(np, name)(x, axis=axis), rtol=1e-12)


def test_statistics_of_plain_python():
    x = np.random.default_rng(0).normal(3.0, 2.0, 50)
    assert ops.sum(x).item() == pytest.approx(math.fsum(x), rel=1e-14)
    assert ops.mean(x).item() == pytest.approx(statistics.fmean(x), rel=1e-14)
    assert ops.var(x).item() == pytest.approx(statistics.pvariance(x), rel=1e-13)
    assert ops.std(x).item() == pytest.approx(statistics.pstdev(x), rel=1e-13)
    assert ops.prod(x).item() == pytest.approx(math.prod(x), rel=1e-13)
    assert ops.norm(x).item() == pytest.approx(math.hypot(*x), rel=1e-14)


class TestOfNothing:
    def test_it_is_the_neutral_element_or_nan(self):
        for name, expected in (
            ("sum", 0), ("prod", 1), ("mean", NAN), ("var", NAN), ("std", NAN), ("norm", 0),
            ("logsumexp", -INF), ("all", True), ("any", False), ("count_nonzero", 0),
        ):  # fmt: skip
            np.testing.assert_array_equal(getattr(ops, name)([]).numpy(), expected, name)
            rows = getattr(ops, name)(np.zeros((2, 0)), axis=1).numpy()
            np.testing.assert_array_equal(rows, [expected, expected], name)
            assert getattr(ops, name)(np.zeros((2, 0)), axis=0).shape == (0,)

    def test_an_extremum_needs_an_initial_value(self):
        for op in (ops.max, ops.min):
            with pytest.raises(ShapeError, match=r"x is \(2, 0\), expected at least one.*initial"):
                op(np.zeros((2, 0)), axis=1)
            assert op(np.zeros((2, 0)), axis=1, initial=3.0).numpy().tolist() == [3.0, 3.0]
            assert op(np.zeros((2, 0)), axis=0).shape == (0,)

    def test_gradients_are_empty(self):
        for name in ("sum", "prod", "mean", "var", "std", "logsumexp", "norm"):
            assert gradient(lambda x, name=name: getattr(ops, name)(x), np.zeros((2, 0))).size == 0
        for op in (ops.cumsum, ops.cumprod):
            assert gradient(lambda x, op=op: op(x, axis=1), np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize(
    "dtype, total, running",
    [
        ("bool", "int32", "int32"),
        ("int8", "int32", "int8"),
        ("uint8", "uint32", "uint8"),
        ("int32", "int32", "int32"),
        ("int64", "int64", "int64"),
        ("float16", "float16", "float16"),
        ("float32", "float32", "float32"),
    ],
)
def test_dtypes(dtype, total, running):
    x = tensor([1, 1], dtype=dtype)
    assert ops.sum(x).dtype == ops.prod(x).dtype == total
    assert ops.cumsum(x).dtype == ops.cumprod(x).dtype == running
    assert ops.max(x).dtype == ops.min(x).dtype == dtype
    floating = dtype if dtype.startswith("float") else "float32"
    for op in (ops.mean, ops.var, ops.std, ops.logsumexp, ops.norm):
        assert op(x).dtype == floating
    for op in (ops.argmax, ops.argmin, ops.count_nonzero):
        assert op(x).dtype == np.int32
    assert ops.prod(x, dtype="float64").dtype == ops.cumsum(x, dtype="float64").dtype == np.float64


class TestNarrowTypes:
    def test_half_precision_does_not_overflow_on_the_way(self):
        x = tensor(np.full(3000, 100.0), dtype="float16")
        assert ops.mean(x).item() == 100.0
        assert ops.std(tensor([300.0, -300.0], dtype="float16")).item() == 300.0
        assert ops.norm(tensor([300.0, 400.0], dtype="float16")).item() == 500.0
        assert ops.sum(tensor(np.ones((5000, 2)), dtype="float16"), axis=0).numpy().tolist() == [
            5000.0,
            5000.0,
        ]

    def test_bytes_do_not_overflow(self):
        x = tensor([200, 200], dtype="uint8")
        assert (ops.sum(x).item(), ops.prod(x).item()) == (400, 40000)

    def test_the_variance_of_numbers_far_from_zero(self):
        x = np.random.default_rng(0).normal(size=1000).astype(np.float32) + np.float32(1e4)
        exact = statistics.pvariance(float(v) for v in x)
        assert ops.var(x).item() == pytest.approx(exact, rel=1e-6)
        assert ops.std(x * np.float32(1e30)).item() == pytest.approx(1e30 * exact**0.5, rel=1e-3)


class TestKinks:
    def test_a_nan_wins_and_gets_the_gradient(self):
        for op in (ops.max, ops.min):
            assert math.isnan(op([1.0, NAN, 3.0]).item())
            assert gradient(op, [1.0, NAN, 3.0, NAN]).tolist() == [0, 0.5, 0, 0.5]

    def test_the_initial_candidate_takes_its_gradient_along(self):
        assert gradient(lambda x: ops.max(x, initial=2.0), [1.0, 1.5]).tolist() == [0, 0]
        assert gradient(lambda x: ops.max(x, initial=2.0), [1.0, 2.5]).tolist() == [0, 1]
        assert ops.min([1.0, 2.0], initial=0.0).item() == 0.0

    def test_no_spread_has_no_slope(self):
        assert gradient(lambda x: ops.std(x, axis=1), [[2.0, 2.0], [1.0, 3.0]]).tolist() == [
            [0, 0],
            [-0.5, 0.5],
        ]

    def test_places_are_the_first_of_several(self):
        x = [[1.0, 3.0, 3.0], [0.0, NAN, 9.0]]
        assert ops.argmax(x, axis=1).numpy().tolist() == [1, 1]
        assert ops.argmin([[2.0, 1.0, 1.0], [0.0, NAN, -9.0]], axis=-1).numpy().tolist() == [1, 1]
        assert ops.argmax(x, keepdims=True).shape == (1, 1)


def others(x):
    """For each element of a list, the product of the others."""
    return [math.prod(x[:i]) * math.prod(x[i + 1 :]) for i in range(len(x))]


class TestProducts:
    @pytest.mark.parametrize("x", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 3.0, 0.0], [0.0], [5.0]])
    def test_the_gradient_is_the_product_of_the_others(self, x):
        assert gradient(ops.prod, x).tolist() == others(x)

    def test_a_factor_too_small_to_divide_by(self):
        assert gradient(ops.prod, [1e-300, 1e-300, 1e300]).tolist() == [1.0, 1.0, 0.0]

    @pytest.mark.parametrize("zeros", [[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [0, 1, 0, 1, 1]])
    def test_derivatives_at_zeros(self, zeros):
        x = np.array([1.5, -2.0, 0.5, 3.0, -1.25]) * zeros
        gradcheck(ops.prod, [x], order=3)
        gradcheck(lambda v: ops.prod(v, axis=(0, 2)), [np.stack([x, x[::-1]]).reshape(2, 1, 5)], 2)
        gradcheck(ops.cumprod, [x], order=2)
        gradcheck(lambda v: ops.cumprod(v, axis=0), [np.stack([x, x[::-1]], axis=1)], order=2)

    def test_running_products_with_a_zero(self):
        y_bar = np.array([1.0, 10.0, 100.0])
        g = gradient(ops.cumprod, [2.0, 0.0, 3.0], y_bar)
        assert g.tolist() == [1 + 0 + 0, 10 * 2 + 100 * 2 * 3, 0]

    @pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9])
    def test_running_products_of_any_length(self, n):
        x, y_bar = np.random.default_rng(n).normal(size=(2, n))
        expected = [
            sum(y_bar[i] * np.prod(np.delete(x[: i + 1], j)) for i in range(j, n)) for j in range(n)
        ]
        np.testing.assert_allclose(gradient(ops.cumprod, x, y_bar), expected, rtol=1e-12)

    def test_running_sums(self):
        g = gradient(lambda x: ops.cumsum(x, axis=1), np.ones((2, 3)), [[1, 2, 4], [0, 0, 1]])
        assert g.tolist() == [[7, 6, 4], [1, 1, 1]]


ORDERS = [None, 1, 2, 3, 0.5, -1, -2, 0, INF, -INF]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, INF, -INF]


class TestNorm:
    X = np.random.default_rng(3).normal(size=(2, 3, 4))

    @pytest.mark.parametrize("keepdims", [False, True])
    def test_all_norms_are_numpys(self, keepdims):
        for ord in ORDERS:
            for axis in (0, -1, (1,)):
                y = ops.norm(self.X, ord, axis, keepdims).numpy()
                expected = np.linalg.norm(self.X, ord, axis, keepdims)
                np.testing.assert_allclose(y, expected, rtol=1e-12)
            np.testing.assert_allclose(ops.norm([3.0, -4.0], ord), np.linalg.norm([3, -4], ord))
        for ord in MATRIX_ORDERS:
            for axis in ((0, 1), (2, 0), (-1, 1)):
                y = ops.norm(self.X, ord, axis, keepdims).numpy()
                expected = np.linalg.norm(self.X, ord, axis, keepdims)
                assert y.shape == expected.shape
                np.testing.assert_allclose(y, expected, rtol=1e-12)
            y = ops.norm(self.X[0], ord, keepdims=keepdims).numpy()
            np.testing.assert_allclose(y, np.linalg.norm(self.X[0], ord, keepdims=keepdims))
        np.testing.assert_allclose(ops.norm(self.X), np.linalg.norm(self.X))

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
    def test_of_nothing_is_0(self, shape):
        for ord in (1, 2, np.inf, "fro", "nuc"):
            assert ops.norm(np.zeros(shape), ord).item() == 0
        empty = shape.index(0)
        np.testing.assert_array_equal(ops.norm(np.zeros(shape), np.inf, empty).numpy(), np.zeros(3))
        for ord in (-2, -np.inf):  # there is no smallest
            with pytest.raises(ShapeError):
                ops.norm(np.zeros((0, 0)), ord)

    @pytest.mark.parametrize("ord", [None, 1, 2, 3, 1.5, -1, INF, -INF, 0])
    def test_gradients_of_vectors(self, ord):
        gradcheck(lambda x: ops.norm(x, ord, axis=1), [self.X], order=2)

    @pytest.mark.parametrize("ord", ["fro", 1, -1, INF, -INF])
    def test_gradients_of_matrices(self, ord):
        gradcheck(lambda x: ops.norm(x, ord, axis=(2, 0)), [self.X], order=2)

    def test_the_zero_vector_has_gradient_zero(self):
        for ord in (None, 1, 1.5, 2, 3):
            assert gradient(lambda x, ord=ord: ops.norm(x, ord), [0.0, 0.0]).tolist() == [0, 0]
        assert gradient(lambda x: ops.norm(x, 1), [0.0, -1e-310]).tolist() == [0, -1]

    def test_singular_values_have_no_gradient_and_say_so(self):
        for ord in (2, -2, "nuc"):
            with pytest.raises(GradientError, match=r"norm: ord=.* of matrices has no gradient"):
                ops.norm(tensor(self.X[0], requires_grad=True), ord)

    def test_matrices_that_are_not_finite(self):
        x = np.stack([np.eye(2), np.full((2, 2), INF), np.diag([1.0, NAN])])
        for ord, finite in ((2, 1.0), (-2, 1.0), ("nuc", 2.0)):
            np.testing.assert_array_equal(ops.norm(x, ord, axis=(1, 2)).numpy(), [finite, NAN, NAN])

    def test_large_numbers_and_nan(self):
        assert ops.norm([3e30, 4e30]).item() == pytest.approx(5e30, rel=1e-6)
        assert ops.norm([0.0, NAN, 2.0], 0).item() == 2.0

    def test_whole_numbers(self):
        for ord in (None, 1, INF, 0):
            assert ops.norm([3, -4], ord).dtype == np.float32

    @pytest.mark.parametrize(
        "call, error, message",
        [
            (lambda: ops.norm([1.0], "fro"), ArgumentError, "ord is 'fro', expected a number"),
            (lambda: ops.norm(np.eye(2), 3), ArgumentError, "ord is 3, expected 'fro', 'nuc', 1"),
            (lambda: ops.norm(np.ones((2, 2, 2)), 1), ArgumentError, "one axis of vectors or two"),
            (lambda: ops.norm(np.ones((0, 2)), -2), ShapeError, "at least one row"),
            (lambda: ops.norm(np.eye(2), axis=2), ShapeError, "norm: axis is 2"),
        ],
    )
    def test_refused(self, call, error, message):
        with pytest.raises(error, match=message):
            call()


def test_a_single_number_may_be_told_axis_0():
    for op in (ops.sum, ops.mean, ops.prod, ops.max, ops.min, ops.logsumexp, ops.norm):
        for axis in (0, -1, None):
            assert op(2.0, axis=axis).item() == 2.0
    assert ops.argmax(2.0, axis=0).item() == ops.std(2.0, axis=0).item() == 0
    with pytest.raises(ShapeError, match="sum: axis is 1, expected None; a single number has no"):
        ops.sum(2.0, axis=1)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: ops.mean(np.ones((2, 3)), axis=2), ShapeError,
         "mean: axis is 2, expected between -2 and 1; the tensor has 2 axes"),
        (lambda: ops.cumsum(np.ones(2), axis=1), ShapeError, "cumsum: axis is 1"),
        (lambda: ops.var(np.ones(2), axis=0.5), DTypeError, "var: axis is 0.5, expected whole"),
        (lambda: ops.sum(np.ones(2), axis="x"), DTypeError, "sum: axis is 'x', expected whole"),
        (lambda: ops.argmin(np.ones((2, 2)), axis=(0, 1)), DTypeError, "argmin: axis is"),
        (lambda: ops.argmin([]), ShapeError, r"argmin: x is \(0,\)"),
        (lambda: ops.max([]), ShapeError, r"max: x is \(0,\)"),
    ],
)  # fmt: skip
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_methods_of_tensors():
    x = tensor([[1.0, 2.0], [3.0, 5.0]])
    assert x.sum(axis=0).numpy().tolist() == [4.0, 7.0]
    assert x.prod(axis=1, keepdims=True).numpy().tolist() == [[2.0], [15.0]]
    assert (x.var().item(), x.std(axis=1).numpy().tolist()) == (2.1875, [0.5, 1.0])
    assert (x.argmin().item(), x.argmax(axis=0).numpy().tolist()) == (0, [1, 1])
    assert x.cumsum(axis=1).numpy().tolist() == [[1.0, 3.0], [3.0, 8.0]]
    assert x.cumprod().numpy().tolist() == [1.0, 2.0, 6.0, 30.0]
    assert ((x > 1).all().item(), (x > 4).any().item()) == (False, True)
    assert x.round().numpy().tolist() == x.numpy().tolist()
