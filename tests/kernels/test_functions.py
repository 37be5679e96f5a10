"""exp, tanh, sigmoid and the softmax in C: to the last digits, and at the ends of the numbers."""

import numpy as np
import pytest

from tinydl import kernels
from tinydl.kernels import reference
from tinydl.testing.kernel_cases import FUNCTIONS, SOFTMAXES

pytestmark = pytest.mark.skipif(
    kernels.instruction_set() == "none", reason="tinydl is installed without its C core"
)


def variants():
    """C for every instruction set there is, the plain loops apart."""
    if kernels.instruction_set() == "none":
        return {}
    from tinydl.kernels import compiled

    names = compiled.available_instruction_sets()
    return {name: compiled.for_instruction_set(name) for name in names}


every_variant = pytest.mark.parametrize("variant", variants())
every_function = pytest.mark.parametrize("name", FUNCTIONS)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])

EXACT = {
    "exp_each": np.exp,
    "tanh_each": np.tanh,
    "sigmoid_each": lambda x: np.where(x < 0, np.exp(x), 1) / (1 + np.exp(-np.abs(x))),
}


def units_off(name: str, x: np.ndarray, y: np.ndarray) -> float:
    """How far y is off, in units of the last place of the exact result, by a longer float."""
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    if np.finfo(wide).nmant <= np.finfo(x.dtype).nmant:
        pytest.skip("no float here is longer than float64")
    with np.errstate(all="ignore"):
        exact = EXACT[name](x.astype(wide))
        nearest = exact.astype(x.dtype)
        # Of the numbers beside a power of two, the closer one counts.
        unit = np.spacing(np.nextafter(np.abs(nearest), x.dtype.type(0))).astype(wide)
        off = np.where(y == nearest, 0, np.abs(y - exact) / unit)
    assert np.array_equal(np.isnan(y), np.isnan(x))
    return float(np.max(off[~np.isnan(x)], initial=0))


def floats(bit_patterns: np.ndarray) -> np.ndarray:
    return bit_patterns.astype(np.uint32).view(np.float32)


@every_variant
@every_function
def test_float32_over_its_whole_range(variant: str, name: str) -> None:
    x = floats(np.arange(0, 2**32, 8191))  # half a million: denormals, infinities and nan, too
    assert units_off(name, x, getattr(variants()[variant], name)(x)) <= 2


@pytest.mark.slow
@every_variant
@every_function
def test_every_float32_there_is(variant: str, name: str) -> None:
    function = getattr(variants()[variant], name)
    for first in range(0, 2**32, 2**24):
        x = floats(np.arange(first, first + 2**24))
        assert units_off(name, x, function(x)) <= 2


@every_variant
@every_function
def test_float64_where_something_happens(variant: str, name: str) -> None:
    rng = np.random.default_rng(0)
    ranges = (1e-320, 1e-310, 1e-200, 1e-9, 0.1, 1, 10, 40, 800)
    x = np.concatenate([rng.uniform(-r, r, 20000) for r in ranges])
    assert units_off(name, x, getattr(variants()[variant], name)(x)) <= 2


@every_variant
@every_dtype
def test_the_ends_of_the_numbers(variant: str, dtype: str) -> None:
    server, largest = variants()[variant], np.finfo(dtype).max
    x = np.array([-np.inf, -largest, -0.0, 0.0, largest, np.inf], dtype)
    exp, tanh, sigmoid = (getattr(server, name)(x) for name in FUNCTIONS)
    np.testing.assert_array_equal(exp, [0, 0, 1, 1, np.inf, np.inf])
    np.testing.assert_array_equal(tanh, [-1, -1, 0, 0, 1, 1])
    np.testing.assert_array_equal(np.signbit(tanh), [True, True, True, False, False, False])
    np.testing.assert_array_equal(sigmoid, [0, 0, 0.5, 0.5, 1, 1])


ROWS_WITH_ENDS = [
    [0.0, -np.inf, 1.0],
    [-np.inf, -np.inf, -np.inf],
    [np.inf, 0.0, 1.0],
    [np.inf, np.inf, -np.inf],
    [np.nan, 0.0, np.inf],
    [3e38, -3e38, 0.0],
]


@every_variant
@pytest.mark.parametrize("name", SOFTMAXES)
@pytest.mark.parametrize("wider", [1, 15])  # 45 columns: more than lie side by side
@every_dtype
def test_softmax_of_infinities_and_nan(variant: str, name: str, wider: int, dtype: str) -> None:
    z = np.tile(np.array(ROWS_WITH_ENDS, dtype), wider)
    t = np.zeros_like(z)
    t[:, 1::3] = [[0], [1], [0.5], [0], [1], [1]]
    arrays = {
        "softmax_cross_entropy": (t, z),
        "softmax_cross_entropy_gradient": (np.ones(len(z), dtype), t, z),
    }.get(name, (z,))
    with np.errstate(all="ignore"):
        expected = getattr(reference, name)(*arrays)
    y = getattr(variants()[variant], name)(*arrays)
    np.testing.assert_allclose(y, expected, rtol=1e-5)


@pytest.mark.parametrize("name", (*FUNCTIONS, *SOFTMAXES))
@every_dtype
def test_the_same_bits_for_any_number_of_threads(name: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    g, t, z = rng.normal(size=333), rng.random((333, 701)), rng.normal(size=(333, 701))
    count = {"softmax_cross_entropy": 2, "softmax_cross_entropy_gradient": 3}.get(name, 1)
    arrays = [array.astype(dtype) for array in (g, t, z)][-count:]
    expected = getattr(reference, name)(*arrays)
    before, bits = kernels.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            kernels.set_num_threads(threads)
            y = getattr(kernels, name)(*arrays)
            np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)
            bits.append(y.tobytes())
    finally:
        kernels.set_num_threads(before)
    assert bits[0] == bits[1] == bits[2]
