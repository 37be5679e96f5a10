"""Functions of one or two numbers: values, special points, dtypes, and what is refused."""

import math

import numpy as np
import pytest

from tinydl import grad, ops, tensor
from tinydl.errors import ArgumentError, DTypeError, ShapeError

INF, NAN = math.inf, math.nan


def slope(op, x):
    x = tensor(x, requires_grad=True)
    return grad(op(x), x, np.ones(x.shape, x.dtype)).numpy()


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def tanh_phi(x):
    return 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def sigma(x):
    return 1 / (1 + math.exp(-x))


# Each op beside the textbook formula for one Python float.
TEXTBOOK = {
    "absolute": abs,
    "arccos": math.acos,
    "arccosh": math.acosh,
    "arcsin": math.asin,
    "arcsinh": math.asinh,
    "arctan": math.atan,
    "arctanh": math.atanh,
    "ceil": math.ceil,
    "celu": lambda x: max(x, 0) + min(math.expm1(x), 0),
    "cos": math.cos,
    "cosh": math.cosh,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "erf": math.erf,
    "erfc": math.erfc,
    "exp": math.exp,
    "exp2": lambda x: 2**x,
    "expm1": math.expm1,
    "floor": math.floor,
    "gelu": lambda x: x * tanh_phi(x),
    "hard_shrink": lambda x: x if abs(x) > 0.5 else 0,
    "hard_sigmoid": lambda x: 0 if x < -3 else 1 if x > 3 else x / 6 + 0.5,
    "hard_silu": lambda x: x * (0 if x < -3 else 1 if x > 3 else x / 6 + 0.5),
    "hard_tanh": lambda x: max(-1, min(1, x)),
    "leaky_relu": lambda x: x if x > 0 else 0.2 * x,
    "log": math.log,
    "log10": math.log10,
    "log1p": math.log1p,
    "log2": math.log2,
    "log_sigmoid": lambda x: math.log(sigma(x)),
    "mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "negative": lambda x: -x,
    "reciprocal": lambda x: 1 / x,
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "round": round,
    "rsqrt": lambda x: 1 / math.sqrt(x),
    "selu": lambda x: (
        1.0507009873554804934 * (x if x > 0 else 1.6732632423543772848 * math.expm1(x))
    ),
    "sigmoid": sigma,
    "sign": lambda x: (x > 0) - (x < 0),
    "silu": lambda x: x * sigma(x),
    "sin": math.sin,
    "sinh": math.sinh,
    "soft_shrink": lambda x: math.copysign(max(abs(x) - 0.5, 0), x),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "sqrt": math.sqrt,
    "square": lambda x: x * x,
    "squareplus": lambda x: (x + math.sqrt(x * x + 4)) / 2,
    "tan": math.tan,
    "tanh": math.tanh,
    "tanh_shrink": lambda x: x - math.tanh(x),
    "trunc": math.trunc,
}
DOMAINS = {
    **dict.fromkeys(("arccos", "arcsin", "arctanh"), (-0.99, 0.99)),
    **dict.fromkeys(("log", "log10", "log2", "rsqrt", "sqrt", "reciprocal"), (0.01, 20)),
    "arccosh": (1.01, 20),
    "log1p": (-0.99, 20),
    "tan": (-1.5, 1.5),
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_each_function_is_its_textbook_formula(name):
    x = np.random.default_rng(0).uniform(*DOMAINS.get(name, (-8, 8)), 200)
    expected = [TEXTBOOK[name](float(v)) for v in x]
    np.testing.assert_allclose(getattr(ops, name)(x).numpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "op, formula",
    [
        (lambda x: ops.elu(x, 0.3), lambda x: x if x > 0 else 0.3 * math.expm1(x)),
        (lambda x: ops.celu(x, 0.3), lambda x: x if x > 0 else 0.3 * math.expm1(x / 0.3)),
        (lambda x: ops.leaky_relu(x, 0.01), lambda x: x if x > 0 else 0.01 * x),
        (lambda x: ops.gelu(x, approximate=False), lambda x: x * phi(x)),
        (lambda x: ops.squareplus(x, 0.5), lambda x: (x + math.sqrt(x * x + 0.5)) / 2),
        (lambda x: ops.hard_shrink(x, 2.0), lambda x: x if abs(x) > 2 else 0),
        (lambda x: ops.soft_shrink(x, 2.0), lambda x: math.copysign(max(abs(x) - 2, 0), x)),
        (lambda x: ops.threshold(x, 1.0, -4.0), lambda x: x if x > 1 else -4),
        (lambda x: ops.round(x, 2), lambda x: round(x, 2)),
    ],
)
def test_settings_of_functions(op, formula):
    x = np.random.default_rng(1).uniform(-5, 5, 200)
    expected = [formula(float(v)) for v in x]
    np.testing.assert_allclose(op(x).numpy(), expected, rtol=1e-12, atol=1e-13)


def test_on_the_threshold():
    assert ops.threshold([0.5, 1.0, 1.5], 1.0, -4.0).numpy().tolist() == [-4.0, -4.0, 1.5]
    assert ops.hard_shrink([-0.5, 0.5, 0.75]).numpy().tolist() == [0.0, 0.0, 0.75]


class TestErrorFunction:
    def ulps(self, y, expected):
        return np.max(np.abs(y - expected) / np.spacing(np.abs(expected)))

    def test_is_right_to_a_few_units_in_the_last_place(self):
        x = np.linspace(-6.5, 6.5, 4001)
        x = x[x != 0]
        assert self.ulps(ops.erf(x).numpy(), np.array([math.erf(v) for v in x])) <= 4
        x = np.linspace(-6, 26.5, 4001)
        assert self.ulps(ops.erfc(x).numpy(), np.array([math.erfc(v) for v in x])) <= 8

    def test_float32_is_rounded_once(self):
        x = np.linspace(-4, 9, 1001, dtype=np.float32)
        for op, exact in ((ops.erf, math.erf), (ops.erfc, math.erfc)):
            expected = np.array([exact(float(v)) for v in x], np.float32)
            assert self.ulps(op(x).numpy(), expected) <= 1

    def test_where_its_parts_meet_and_at_the_ends(self):
        x = [0.0, 0.46875, np.nextafter(0.46875, 1), 4.0, np.nextafter(4.0, 5), 1e-300]
        np.testing.assert_allclose(ops.erf(np.array(x)), [math.erf(v) for v in x], rtol=1e-15)
        ends = [-INF, -1e3, 1e3, INF, NAN]
        np.testing.assert_array_equal(ops.erf(ends).numpy(), [-1, -1, 1, 1, NAN])
        np.testing.assert_array_equal(ops.erfc(ends).numpy(), [2, 2, 0, 0, NAN])


ENDS = [-INF, -1e3, 1e3, INF, NAN]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "name, values, slopes",
    [
        ("log_sigmoid", [-INF, -1e3, 0, 0, NAN], [1, 1, 0, 0, NAN]),
        ("softplus", [0, 0, 1e3, INF, NAN], [0, 0, 1, 1, NAN]),
        ("tanh", [-1, -1, 1, 1, NAN], [0, 0, 0, 0, NAN]),
        ("erf", [-1, -1, 1, 1, NAN], [0, 0, 0, 0, NAN]),
        ("expm1", [-1, -1, INF, INF, NAN], [0, 0, INF, INF, NAN]),
        ("elu", [-1, -1, 1e3, INF, NAN], [0, 0, 1, 1, 1]),
        ("celu", [-1, -1, 1e3, INF, NAN], [0, 0, 1, 1, 1]),
        ("relu6", [0, 0, 6, 6, NAN], [0, 0, 0, 0, 1]),
        ("hard_sigmoid", [0, 0, 1, 1, NAN], [0, 0, 0, 0, 0]),
        ("hard_silu", [NAN, 0, 1e3, INF, NAN], [0, 0, 1, 1, 1]),
        ("silu", [NAN, 0, 1e3, INF, NAN], [NAN, 0, 1, NAN, NAN]),
        ("gelu", [NAN, 0, 1e3, INF, NAN], [NAN, 0, 1, NAN, NAN]),
        ("mish", [NAN, 0, 1e3, INF, NAN], [NAN, 0, 1, NAN, NAN]),
        ("squareplus", [0, 9.99999e-4, 1e3 + 1e-3, INF, NAN], [0, 1e-6, 1, NAN, NAN]),
        ("arctan", [-np.pi / 2, -1.5697963, 1.5697963, np.pi / 2, NAN], [0, 1e-6, 1e-6, 0, NAN]),
    ],
)
def test_far_out(name, values, slopes, dtype):
    x = np.array(ENDS, dtype)
    y = getattr(ops, name)(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.numpy(), values, rtol=1e-6)
    np.testing.assert_allclose(slope(getattr(ops, name), x), slopes, rtol=1e-5)


@pytest.mark.parametrize("op", [ops.gelu, lambda x: ops.gelu(x, approximate=False)])
def test_gelu_keeps_the_digits_of_its_tail(op):
    y = op(np.array([-5.0])).item()
    assert y == pytest.approx(-5 * phi(-5.0), abs=2e-6)
    assert y < 0
    assert slope(op, np.array([1e30, -1e30], np.float32)).tolist() == [1.0, 0.0]
    exact = ops.gelu(np.array([-12.0]), approximate=False).item()
    assert exact == pytest.approx(-12 * phi(-12.0), rel=1e-12)


def test_small_numbers_keep_their_digits():
    tiny = np.array([1e-20, -1e-20])
    for op in (ops.expm1, ops.log1p, ops.sinh, ops.arctanh, ops.arcsinh, ops.elu, ops.softsign):
        np.testing.assert_allclose(op(tiny).numpy(), tiny, rtol=1e-12)


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "sign"])
def test_staircases_have_slope_zero_and_infinities_stay(name):
    op = getattr(ops, name)
    x = tensor([-INF, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, INF], requires_grad=True)
    y = op(x)
    np.testing.assert_array_equal(y.numpy(), getattr(np, name)(x.numpy()))
    np.testing.assert_array_equal(grad(y, x, np.full(8, INF)).numpy(), np.zeros(8))


def test_division_with_remainder_follows_python():
    a, b = np.array([7.5, -7.5, 7.5, -7.5]), np.array([2.0, 2.0, -2.0, -2.0])
    quotient, rest = ops.floor_divide(a, b), ops.mod(a, b)
    assert quotient.numpy().tolist() == [x // y for x, y in zip(a, b, strict=True)]
    assert rest.numpy().tolist() == [x % y for x, y in zip(a, b, strict=True)]
    x = tensor(7)
    assert [(x // 2).item(), (x % 4).item(), (23 // x).item(), (23 % x).item()] == [3, 3, 3, 2]


class TestPower:
    def gradients(self, a, b):
        a, b = (tensor(np.array(v, np.float64), requires_grad=True) for v in (a, b))
        return [g.numpy().tolist() for g in grad(a**b, [a, b], np.ones(a.shape))]

    def test_slopes_at_a_base_of_zero(self):
        base, exponent = self.gradients([0.0, 0.0, 0.0], [0.0, 2.0, -1.0])
        assert base == [0.0, 0.0, -INF]
        assert exponent == [0.0, 0.0, -INF]

    def test_an_exponent_of_zero_is_flat_everywhere(self):
        assert self.gradients([INF, NAN, -2.0], [0.0, 0.0, 0.0])[0] == [0.0, 0.0, 0.0]

    def test_negative_bases(self):
        base, exponent = self.gradients([-2.0], [3.0])
        assert base == [12.0]
        assert math.isnan(exponent[0])

    def test_whole_numbers_stay_whole(self):
        assert ops.power([2, 3], 2).dtype == np.int64
        with pytest.raises(ArgumentError, match=r"power: x2 is negative.*make the base a float"):
            ops.power([2, 3], [1, -1])
        assert ops.power(2.0, -1).item() == 0.5


class TestChoices:
    @pytest.mark.parametrize("op", [ops.maximum, ops.minimum])
    def test_a_nan_wins_and_passes_the_gradient_to_both(self, op):
        a, b = tensor([NAN, 1.0], requires_grad=True), tensor([1.0, NAN], requires_grad=True)
        y = op(a, b)
        assert np.isnan(y.numpy()).all()
        for g in grad(y, [a, b], np.ones(2)):
            assert g.numpy().tolist() == [1.0, 1.0]

    def test_clip_gives_the_gradient_to_what_was_chosen(self):
        x = tensor([-2.0, -1.0, 0.5, 1.0, 2.0, NAN], requires_grad=True)
        low, high = tensor(-1.0, requires_grad=True), tensor(1.0, requires_grad=True)
        y = ops.clip(x, low, high)
        np.testing.assert_array_equal(y.numpy(), [-1, -1, 0.5, 1, 1, NAN])
        g = grad(y, [x, low, high], np.array([1.0, 2, 4, 8, 16, 32]))
        assert [v.numpy().tolist() for v in g] == [[0, 2, 4, 8, 0, 0], 1.0, 16.0]

    def test_clip_with_bounds_that_cross_takes_the_upper(self):
        bounds = tensor(2.0, requires_grad=True), tensor(1.0, requires_grad=True)
        y = ops.clip([0.0, 3.0], *bounds)
        assert y.numpy().tolist() == [1.0, 1.0]
        assert [g.item() for g in grad(y, bounds, np.ones(2))] == [0.0, 2.0]

    def test_clip_with_equal_bounds_gives_the_gradient_of_larger_numbers_to_the_upper(self):
        bounds = tensor(1.0, requires_grad=True), tensor(1.0, requires_grad=True)
        y = ops.clip([0.0, 1.0, 3.0], *bounds)
        assert [g.item() for g in grad(y, bounds, np.array([1.0, 2.0, 4.0]))] == [0.0, 4.0]

    def test_clip_keeps_the_dtype(self):
        assert ops.clip([1, 2, 3], 0.5, 2.5).numpy().tolist() == [1, 2, 2]
        assert ops.clip(tensor([1.0], dtype="float16"), np.zeros(1), 9.0).dtype == np.float16
        assert ops.clip([True, False], 0, 1).dtype == np.int32
        assert ops.clip([1, 5], None, 3).numpy().tolist() == [1, 3]
        assert ops.clip([-1.0, 5.0], x_min=0.0, x_max=None).numpy().tolist() == [0.0, 5.0]
        assert tensor([1.0, 5.0]).clip(2, 3).numpy().tolist() == [2.0, 3.0]

    def test_where(self):
        assert ops.where([2.0, 0.0, NAN], 1, 0).numpy().tolist() == [1, 0, 1]
        assert ops.where(np.array([0.5, 0.0]), tensor([1, 2]), 3).dtype == np.int64
        mask = np.array([True, False])
        assert ops.where(mask, [INF, NAN], 0.0).numpy().tolist() == [INF, 0.0]
        mask[0] = False  # the caller's array stays the caller's

    def test_where_passes_no_gradient_to_what_was_not_taken(self):
        x = tensor([-1.0, 4.0], requires_grad=True)
        y = ops.where(x > 0, ops.sqrt(ops.where(x > 0, x, 1.0)), 0.0)
        assert grad(y, x, np.ones(2)).numpy().tolist() == [0.0, 0.25]

    def test_where_without_choices_is_nonzero(self):
        x = np.array([[0.0, 3.0], [4.0, 0.0]])
        for found in (ops.where(x > 0), ops.nonzero(x)):
            assert [i.numpy().tolist() for i in found] == [[0, 1], [1, 0]]
            assert all(i.dtype == np.int32 for i in found)
        with pytest.raises(ArgumentError, match="where: x2 is missing"):
            ops.where(x > 0, x)


class TestTrueAndFalse:
    def test_numbers_count_as_true_unless_they_are_zero(self):
        a, b = [2.0, 0.0, NAN, 0.0], [1, 1, 0, 0]
        assert ops.logical_and(a, b).numpy().tolist() == [True, False, False, False]
        assert ops.logical_or(a, b).numpy().tolist() == [True, True, True, False]
        assert ops.logical_xor(a, b).numpy().tolist() == [False, True, True, False]
        assert ops.logical_not(a).numpy().tolist() == [False, True, False, True]

    def test_operators_of_masks(self):
        x = tensor([-1.0, 0.5, 2.0])
        assert ((x > 0) & (x < 1)).numpy().tolist() == [False, True, False]
        assert ((x < 0) | (x > 1)).numpy().tolist() == [True, False, True]
        assert (~(x > 0) ^ True).numpy().tolist() == [False, True, True]
        assert (True & (x > 0)).numpy().tolist() == [False, True, True]
        assert [(tensor(6) & 3).item(), (6 | tensor(3)).item(), (~tensor(6)).item()] == [2, 7, -7]

    def test_operators_of_masks_refuse_floats(self):
        for call in (lambda: tensor([1.0]) & 1, lambda: 1 | tensor([1.0]), lambda: ~tensor([1.0])):
            with pytest.raises(DTypeError, match=r"bitwise.*float32, expected booleans.*compare"):
                call()

    def test_nan_compares_as_unequal(self):
        x = tensor([NAN, 1.0])
        for op, expected in (
            (ops.equal, False), (ops.not_equal, True), (ops.less, False), (ops.greater_equal, False)
        ):  # fmt: skip
            assert op(x, NAN).numpy().tolist() == [expected, expected]

    def test_kinds_of_numbers(self):
        x = [1.0, INF, -INF, NAN]
        assert ops.isnan(x).numpy().tolist() == [False, False, False, True]
        assert ops.isinf(x).numpy().tolist() == [False, True, True, False]
        assert ops.isfinite(x).numpy().tolist() == [True, False, False, False]
        assert ops.isnan([1, 2]).numpy().tolist() == [False, False]


WHOLE = tensor([1, 2]), tensor([3, 4], dtype="int8"), tensor([True, False])


@pytest.mark.parametrize(
    "names, dtypes",
    [
        (
            "exp expm1 log log1p log2 log10 sqrt rsqrt reciprocal sin arctan cosh tanh erf sigmoid"
            " softplus silu gelu mish elu selu celu leaky_relu hard_sigmoid hard_silu floor ceil",
            ["float32", "float32", "float32"],
        ),
        ("absolute trunc", ["int64", "int8", "bool"]),
        ("round square", ["int64", "int8", "int32"]),
    ],
)
def test_whole_numbers_become_float32_where_results_are_not_whole(names, dtypes):
    for name in names.split():
        assert [str(getattr(ops, name)(x).dtype) for x in WHOLE] == dtypes, name
        half = getattr(ops, name)(tensor([0.5], dtype="float16"))
        assert half.dtype == np.float16, name


@pytest.mark.parametrize(
    "a, b, sum_dtype, quotient_dtype",
    [
        ("int64", "int64", "int64", "float32"),
        ("int8", "int8", "int8", "float32"),
        ("uint8", "int8", "int16", "float32"),
        ("int64", "float16", "float16", "float16"),
        ("int64", "float32", "float32", "float32"),
        ("int64", "float64", "float64", "float64"),
        ("float16", "float32", "float32", "float32"),
        ("float32", "float64", "float64", "float64"),
        ("bool", "int32", "int32", "float32"),
        ("bool", "float64", "float64", "float64"),
    ],
)
def test_two_dtypes_meet(a, b, sum_dtype, quotient_dtype):
    for x, y in ((a, b), (b, a)):
        x, y = tensor([1], dtype=x), tensor([1], dtype=y)
        for op in (ops.add, ops.multiply, ops.maximum, ops.power, ops.floor_divide, ops.mod):
            assert op(x, y).dtype == sum_dtype
        assert ops.where(True, x, y).dtype == sum_dtype
        assert ops.divide(x, y).dtype == ops.arctan2(x, y).dtype == quotient_dtype


def test_python_numbers_take_the_dtype_beside_them():
    for dtype in ("float16", "float32", "float64"):
        for number in (2, 2.0, True):
            assert (tensor([1.0], dtype=dtype) / number).dtype == dtype
    assert (tensor([1]) + 0.5).dtype == np.float32
    assert ops.divide(1, 2).item() == 0.5


def test_names_that_keras_has_twice():
    assert ops.abs([-1.0]).item() == ops.absolute([-1.0]).item()
    assert ops.true_divide(1, 2).item() == 0.5
    assert ops.swish(1.0).item() == ops.silu(1.0).item()
    assert ops.hard_swish(1.0).item() == ops.hard_silu(1.0).item()
    assert (ops.amax([1.0, 2.0]).item(), ops.amin([1.0, 2.0]).item()) == (2.0, 1.0)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: ops.negative([True]), DTypeError, "negative: x is of dtype bool"),
        (lambda: ops.sign([True]), DTypeError, "sign: x is of dtype bool"),
        (lambda: ops.subtract([True], [True]), DTypeError, "subtract: x1 is of dtype bool"),
        (lambda: ops.celu(1.0, alpha=0), ArgumentError, "celu: alpha is 0"),
        (lambda: ops.squareplus(1.0, b=0), ArgumentError, "squareplus: b is 0, expected a number"),
        (
            lambda: ops.clip(np.ones(2), np.ones(3), 1.0),
            ShapeError,
            r"clip: x is \(2,\), x_min is \(3,\), x_max is \(\); these shapes do not broadcast",
        ),
        (lambda: ops.less(np.ones(2), np.ones(3)), ShapeError, "less: x1 is"),
    ],
)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_arctan2_knows_all_four_quadrants():
    a, b = [1.0, 1.0, -1.0, -1.0, 0.0, -0.0], [1.0, -1.0, 1.0, -1.0, -1.0, -1.0]
    expected = [math.atan2(*pair) for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(ops.arctan2(a, b).numpy(), expected, rtol=1e-6)
    origin = [tensor([0.0], requires_grad=True) for _ in range(2)]
    assert [g.item() for g in grad(ops.arctan2(*origin), origin, np.ones(1))] == [0.0, 0.0]
