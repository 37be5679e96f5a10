"""Every kernel, by whoever computes it, against the formula read literally.

One table draws random calls of each kernel; the tests run through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from tinydl import kernels
from tinydl.errors import TinydlError
from tinydl.kernels import literal, reference
from tinydl.kernels.calling import CKernels
from tinydl.testing.guard_pages import guarded
from tinydl.testing.kernel_cases import FUNCTIONS, SOFTMAXES, STEPS, Case, rounding_bound
from tinydl.testing.large_cases import LARGE_CASES


class Call(NamedTuple):
    """The arrays and settings of a call, and the number of terms of the longest sum in it."""

    arrays: list[np.ndarray]
    settings: tuple[Any, ...]
    terms: int


class Values:
    """Makes arrays of one kind of values, laid out in memory in ways of Hypothesis's choosing."""

    def __init__(self, draw: Callable[[st.SearchStrategy], Any], dtype: str, kind: str) -> None:
        self.draw, self.dtype, self.kind = draw, dtype, kind
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def array(self, *shape: int) -> np.ndarray:
        if self.kind == "whole":  # sums of these are exact
            values = self.rng.integers(-3, 4, shape).astype(self.dtype)
        else:
            values = self.rng.normal(size=shape).astype(self.dtype)
        if self.kind == "special":
            values[self.rng.random(shape) < 0.2] = np.nan
            values[self.rng.random(shape) < 0.3] = -np.inf
            values[self.rng.random(shape) < 0.3] = 1.0
        return self.laid_out(values)

    def laid_out(self, values: np.ndarray) -> np.ndarray:
        layout = self.draw(
            st.sampled_from(["C", "F", "transposed", "gaps", "reversed", "unaligned", "read-only"])
        )
        if layout == "F":
            return np.asfortranarray(values)
        if layout == "transposed" and values.ndim > 1:
            return np.ascontiguousarray(values.swapaxes(-1, -2)).swapaxes(-1, -2)
        if layout == "gaps":
            wide = np.full((*values.shape[:-1], 2 * values.shape[-1]), np.nan, values.dtype)
            wide[..., ::2] = values
            return wide[..., ::2]
        if layout == "reversed":
            return np.flip(np.flip(values).copy())
        if layout == "unaligned":
            room = np.empty(values.nbytes + 1, np.uint8)[1:]
            unaligned = room.view(values.dtype).reshape(values.shape)
            unaligned[...] = values
            return unaligned
        values.flags.writeable = layout != "read-only"
        return values


def _matmul(draw: Any, make: Values) -> Call:
    leading = draw(mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    rows, terms, columns = (draw(st.integers(0, 9)) for _ in range(3))
    a_shape, b_shape = leading.input_shapes
    arrays = [make.array(*a_shape, rows, terms), make.array(*b_shape, terms, columns)]
    return Call(arrays, (), terms)


def _dense_layer(draw: Any, make: Values) -> Call:
    leading = draw(st.lists(st.integers(0, 3), max_size=2))
    rows, terms, columns = (draw(st.integers(0, 9)) for _ in range(3))
    arrays = [make.array(*leading, rows, terms), make.array(terms, columns), make.array(columns)]
    return Call(arrays, (draw(st.booleans()),), terms + 1)


class _Windows(NamedTuple):
    image: tuple[int, int, int, int]
    kernel: tuple[int, int, int, int]
    output: tuple[int, int, int, int]
    strides: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    groups: int


def _windows(draw: Any, *, pool: bool) -> _Windows:
    """Draw a window, and then an image that it fits on, rather than the other way round."""
    window, dilation, strides, padding, length, output = [], [], [], [], [], []
    for _ in range(2):
        size, stride = draw(st.integers(1, 3)), draw(st.integers(1, 4))
        apart = 1 if pool else draw(st.integers(1, 2))
        most = size - 1 if pool else 3
        sides = (draw(st.integers(0, most)), draw(st.integers(0, most)))
        span = (size - 1) * apart + 1
        least = max(1 if pool else 0, span - sum(sides))
        window.append(size), strides.append(stride), dilation.append(apart), padding.append(sides)
        length.append(least + draw(st.integers(0, 4)))
        output.append(kernels.output_length(length[-1], size, stride, sides, apart))
    batch, channels = draw(st.integers(0, 2)), draw(st.integers(0, 3))
    if pool and draw(st.booleans()):
        channels = draw(st.sampled_from([5, 29]))  # parts of a vector, and several vectors
    filters = channels if pool else draw(st.integers(0, 3))
    groups = 1 if pool else draw(st.integers(1, 3))
    return _Windows(
        (batch, *length, groups * channels),
        (*window, channels, groups * filters),
        (batch, *output, groups * filters),
        tuple(strides),
        tuple(padding),
        tuple(dilation),
        groups,
    )


def _conv(draw: Any, make: Values) -> Call:
    w = _windows(draw, pool=False)
    arrays = [make.array(*w.image), make.array(*w.kernel)]
    return Call(arrays, (w.strides, w.padding, w.dilation), int(np.prod(w.kernel[:3])))


def _conv_layer(draw: Any, make: Values) -> Call:
    w = _windows(draw, pool=False)
    arrays = [make.array(*w.image), make.array(*w.kernel), make.array(w.kernel[3])]
    where = (draw(st.booleans()), w.strides, w.padding, w.dilation)
    return Call(arrays, where, int(np.prod(w.kernel[:3])) + 1)


def _conv_max_pool_layer(draw: Any, make: Values) -> Call:
    layer = _conv_layer(draw, make)
    x, w, _ = layer.arrays
    shape = kernels.conv.result_shape(x, w, *layer.settings[1:])
    size = tuple(min(draw(st.integers(1, 3)), length) for length in shape[1:3])
    strides = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding = tuple((draw(st.integers(0, s - 1)), draw(st.integers(0, s - 1))) for s in size)
    return layer._replace(settings=(*layer.settings, size, strides, padding))


def _conv_max_pool_layer_gradient(draw: Any, make: Values) -> Call:
    layer = _conv_max_pool_layer(draw, make)
    x, w, _ = layer.arrays
    _, *conv, size, strides, padding = layer.settings
    y = kernels.conv_max_pool_layer.result_shape(*layer.arrays, *layer.settings)[1:]
    winners = make.rng.integers(-1, size[0] * size[1], y).astype(make.dtype)
    image = kernels.conv.result_shape(x, w, *conv)
    settings = (w.shape, *conv, size, strides, padding)
    return Call([x, make.array(*y), make.laid_out(winners)], settings, int(np.prod(image[:3])))


def _conv_input_gradient(draw: Any, make: Values) -> Call:
    w = _windows(draw, pool=False)
    arrays = [make.array(*w.output), make.array(*w.kernel)]
    terms = w.kernel[0] * w.kernel[1] * w.kernel[3] // w.groups
    return Call(arrays, (w.image, w.strides, w.padding, w.dilation), terms)


def _conv_kernel_gradient(draw: Any, make: Values) -> Call:
    w = _windows(draw, pool=False)
    arrays = [make.array(*w.image), make.array(*w.output)]
    where = (w.kernel, w.strides, w.padding, w.dilation)
    return Call(arrays, where, int(np.prod(w.output[:3])))


def _pool(*names: str) -> Callable[[Any, Values], Call]:
    """A pool whose arrays are like the image ("x") or like the output ("g")."""

    def pool(draw: Any, make: Values) -> Call:
        w = _windows(draw, pool=True)
        arrays = [make.array(*(w.output if name == "g" else w.image)) for name in names]
        shape = (w.image,) if names == ("g",) else ()
        where = (*shape, w.kernel[:2], w.strides, w.padding)
        return Call(arrays, where, w.kernel[0] * w.kernel[1])

    return pool


def _max_unpool(draw: Any, make: Values) -> Call:
    """Winners of most windows, and numbers that name nothing: off the window, or on padding."""
    w = _windows(draw, pool=True)
    g, winners = make.array(*w.output), make.array(*w.output)
    size = w.kernel[0] * w.kernel[1]
    named = make.rng.random(winners.shape) < 0.8
    numbers = make.rng.integers(-1, size + 1, winners.shape)
    winners = make.laid_out(np.where(named, numbers, winners).astype(make.dtype))
    return Call([g, winners], (w.image, w.kernel[:2], w.strides, w.padding), size)


def _rows(*shapes: Callable[[int, int], tuple[int, ...]]) -> Callable[[Any, Values], Call]:
    """A loop over the rows of a table, whose arrays have these shapes."""

    def rows(draw: Any, make: Values) -> Call:
        n, m = draw(st.integers(0, 70)), draw(st.integers(0, 40))
        return Call([make.array(*shape(n, m)) for shape in shapes], (), max(n, 1))

    return rows


def _step(slots: int, *settings: tuple[Any, ...]) -> Callable[[Any, Values], Call]:
    """A step of an optimizer, which remembers so many things; the last one is never negative."""

    def step(draw: Any, make: Values) -> Call:
        shape = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
        *arrays, last = (make.array(*shape) for _ in range(2 + slots))
        last = make.laid_out(np.abs(last)) if slots == 2 else last
        return Call([*arrays, last], draw(st.sampled_from(settings)), 1)

    return step


def _table(n: int, m: int) -> tuple[int, int]:
    return n, m


CALLS: dict[str, Callable[[Any, Values], Call]] = {
    "matmul": _matmul,
    "dense_layer": _dense_layer,
    "conv": _conv,
    "conv_layer": _conv_layer,
    "conv_max_pool_layer": _conv_max_pool_layer,
    "conv_max_pool_layer_gradient": _conv_max_pool_layer_gradient,
    "conv_input_gradient": _conv_input_gradient,
    "conv_kernel_gradient": _conv_kernel_gradient,
    "max_pool": _pool("x"),
    "max_pool_gather": _pool("u", "x"),
    "max_pool_gradient": _pool("g", "x"),
    "max_pool_winners": _pool("x"),
    "max_unpool": _max_unpool,
    "average_pool": _pool("x"),
    "average_pool_gradient": _pool("g"),
    "relu": _rows(_table),
    "relu_gradient": _rows(_table, _table),
    "add_row": _rows(_table, lambda n, m: (m,)),
    "sum_rows": _rows(_table),
    "exp_each": _rows(_table),
    "tanh_each": _rows(_table),
    "sigmoid_each": _rows(_table),
    "softmax": _rows(_table),
    "log_softmax": _rows(_table),
    "softmax_cross_entropy": _rows(_table, _table),
    "softmax_cross_entropy_gradient": _rows(lambda n, m: (n,), _table, _table),
    "sgd_step": _step(0, (0.5,)),
    "momentum_step": _step(1, (0.5, 0.75, False), (0.5, 0.75, True)),
    "adam_step": _step(2, (0.1, 0.9, 0.99, 1e-3)),
}


def calls(name: str, dtype: str, kind: str) -> st.SearchStrategy[Call]:
    """Random calls of a kernel, of values that are "normal", "whole" or "special"."""
    return st.composite(lambda draw: CALLS[name](draw, Values(draw, dtype, kind)))()


def servers() -> dict[str, Any]:
    """Everything that computes kernels: the reference, C for every instruction set, plain C.

    C works on guarded memory here: one byte read or written beyond an array ends the process.
    """
    if kernels.instruction_set() == "none":
        return {"numpy": reference}
    from tinydl.kernels import compiled

    found = {
        f"c ({name})": compiled.for_instruction_set(name)
        for name in compiled.available_instruction_sets()
    }
    found["c-plain"] = compiled.plain
    for label, server in found.items():
        functions = {
            which: guarded(compiled.ffi, function) for which, function in server.functions.items()
        }
        found[label] = CKernels(compiled.ffi, functions, kernels.get_num_threads)
    return {"numpy": reference} | found


def allowance(name: str, call: Call) -> np.ndarray:
    """How far each result may be from the exact one by rounding: (k + 2) u sum |a| |b|."""
    if name in (*FUNCTIONS, *SOFTMAXES, *STEPS):
        return rounding_bound(name, Case(tuple(call.arrays), call.settings, frozenset()))
    unit = np.finfo(call.arrays[0].dtype).eps / 2
    sizes = [np.abs(array).astype(np.float64) for array in call.arrays]
    if name in ("max_pool_gather", "max_pool_gradient", "max_unpool", "relu_gradient"):
        sizes[1] = call.arrays[1]  # it only says where
    if name == "conv_max_pool_layer_gradient":
        sizes[2] = call.arrays[2]
    return (call.terms + 2) * unit * getattr(literal, name)(*sizes, *call.settings)


SERVERS = servers()
every_kernel = pytest.mark.parametrize("name", CALLS)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def literally(name: str, call: Call) -> np.ndarray:
    """The literal formula on the same numbers as float64."""
    arrays = [array.astype(np.float64) for array in call.arrays]
    return getattr(literal, name)(*arrays, *call.settings)


@pytest.fixture
def restore_threads() -> Iterator[None]:
    before = kernels.get_num_threads()
    yield
    kernels.set_num_threads(before)


def test_every_kernel_is_in_the_table() -> None:
    assert CALLS.keys() == kernels.active().keys()


@every_kernel
@every_dtype
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_within_rounding_of_the_literal_formula(name: str, dtype: str, data: st.DataObject) -> None:
    call = data.draw(calls(name, dtype, "normal"))
    exact, allowed = literally(name, call), allowance(name, call)
    for label, server in SERVERS.items():
        y = getattr(server, name)(*call.arrays, *call.settings)
        assert (np.abs(y - exact) <= allowed).all(), label


# These divide, or take exponentials.
INEXACT = ("average_pool", "average_pool_gradient", "adam_step", *FUNCTIONS, *SOFTMAXES)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in INEXACT])
@every_dtype
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_exact_on_small_whole_numbers(name: str, dtype: str, data: st.DataObject) -> None:
    call = data.draw(calls(name, dtype, "whole"))
    for label, server in SERVERS.items():
        y = getattr(server, name)(*call.arrays, *call.settings)
        np.testing.assert_array_equal(y, literally(name, call), err_msg=label)


@pytest.mark.parametrize(
    "name", ["max_pool", "max_pool_gather", "max_pool_gradient", "max_pool_winners", "max_unpool"]
)
@every_dtype
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_pools_with_nan_ties_and_infinities(name: str, dtype: str, data: st.DataObject) -> None:
    call = data.draw(calls(name, dtype, "special"))
    if name in ("max_pool_gradient", "max_unpool"):
        call.arrays[0] = np.ones(call.arrays[0].shape, dtype)
    exact = literally(name, call)
    for label, server in SERVERS.items():
        y = getattr(server, name)(*call.arrays, *call.settings)
        np.testing.assert_array_equal(y, exact, err_msg=label)


@every_kernel
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_result_is_fresh_and_inputs_are_left_alone(name: str, data: st.DataObject) -> None:
    call = data.draw(calls(name, "float32", "normal"))
    before = [array.copy() for array in call.arrays]
    for server in SERVERS.values():
        y = getattr(server, name)(*call.arrays, *call.settings)
        assert y.shape == getattr(kernels, name).result_shape(*call.arrays, *call.settings)
        assert y.dtype == np.float32
        assert y.flags.c_contiguous
        assert y.flags.writeable
        for array, copy in zip(call.arrays, before, strict=True):
            assert not np.shares_memory(array, y)
            np.testing.assert_array_equal(array, copy)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_convolution_and_its_gradients_are_one_trilinear_form(data: st.DataObject) -> None:
    """<g, conv(x, w)> = <x, conv_input_gradient(g, w)> = <w, conv_kernel_gradient(x, g)>."""
    make = Values(data.draw, "float64", "whole")
    w = _windows(data.draw, pool=False)
    x, kernel, g = make.array(*w.image), make.array(*w.kernel), make.array(*w.output)
    at = w.strides, w.padding, w.dilation
    for label, server in SERVERS.items():
        by_y = (g * server.conv(x, kernel, *at)).sum()
        by_x = (x * server.conv_input_gradient(g, kernel, w.image, *at)).sum()
        by_w = (kernel * server.conv_kernel_gradient(x, g, w.kernel, *at)).sum()
        assert by_y == by_x == by_w, label


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_gradients_of_pools_are_adjoint_to_the_pools(data: st.DataObject) -> None:
    make = Values(data.draw, "float64", "whole")
    w = _windows(data.draw, pool=True)
    x, u, g = make.array(*w.image), make.array(*w.image), make.array(*w.output)
    at = w.kernel[:2], w.strides, w.padding
    for label, server in SERVERS.items():
        gathered = (g * server.max_pool_gather(u, x, *at)).sum()
        assert gathered == (u * server.max_pool_gradient(g, x, *at)).sum(), label
        maxima, winners = server.max_pool_winners(x, *at)
        np.testing.assert_array_equal(maxima, server.max_pool(x, *at), err_msg=label)
        np.testing.assert_array_equal(maxima, server.max_pool_gather(x, x, *at), err_msg=label)
        unpooled = server.max_unpool(g, winners, w.image, *at)
        np.testing.assert_array_equal(unpooled, server.max_pool_gradient(g, x, *at), err_msg=label)
        mean = (g * server.average_pool(u, *at)).sum()
        shared = (u * server.average_pool_gradient(g, w.image, *at)).sum()
        assert abs(mean - shared) <= 1e-12 * (1 + np.abs(u).sum() * np.abs(g).max(initial=0)), label


ONE, NO_PADDING = (1, 1), ((0, 0), (0, 0))


@pytest.mark.usefixtures("restore_threads")
@pytest.mark.parametrize("size", LARGE_CASES)
@every_dtype
def test_large_and_the_same_bits_for_any_number_of_threads(size: str, dtype: str) -> None:
    """The reference, which the tests above judged, is the judge in the longest float there is."""
    name, _, where, terms = LARGE_CASES[size]
    arrays = LARGE_CASES[size].arrays(dtype)
    of_size = [np.abs(array).astype(np.float64) for array in arrays]
    if name in ("max_pool_gather", "max_pool_gradient", "max_unpool", "relu_gradient"):
        of_size[1] = arrays[1].astype(np.float64)
    if name == "conv_max_pool_layer_gradient":
        of_size[2] = arrays[2].astype(np.float64)
    compute = getattr(reference, name)
    exact = compute(*(array.astype(np.longdouble) for array in arrays), *where)
    allowed = 2 * (terms + 2) * np.finfo(dtype).eps / 2 * compute(*of_size, *where)
    for label, server in SERVERS.items():
        bits = []
        for threads in (1, 2, 3):
            kernels.set_num_threads(threads)
            y = getattr(server, name)(*arrays, *where)
            bits.append(y.tobytes())
        assert (np.abs(y - exact) <= allowed).all(), label
        assert bits[0] == bits[1] == bits[2], label


@pytest.mark.usefixtures("restore_threads")
@pytest.mark.parametrize(
    "shape",
    [
        (2, 701, 300),  # few rows
        (37, 3001, 7),  # few columns
        (3, 900, 11),
        (101, 700, 1),
        (70, 40, 31),  # b is small enough to be read in place
        (130, 300, 77),  # and here it is not
        (300, 40, 9),  # a is, if it is transposed, and the product is turned
        (777, 33, 3),
    ],
)
@every_dtype
def test_products_of_matrices_transposed_or_not(shape: tuple[int, int, int], dtype: str) -> None:
    rows, terms, columns = shape
    rng = np.random.default_rng(rows)
    a, b = (rng.normal(size=s).astype(dtype) for s in ((rows, terms), (terms, columns)))
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    allowed = (
        (terms + 2) * np.finfo(dtype).eps / 2 * (np.abs(a).astype("d") @ np.abs(b).astype("d"))
    )
    for label in SERVERS.keys() - {"numpy"}:
        for turned_a in (a, np.asfortranarray(a)):
            for turned_b in (b, np.asfortranarray(b)):
                bits = []
                for threads in (1, 3):
                    kernels.set_num_threads(threads)
                    y = SERVERS[label].matmul(turned_a, turned_b)
                    bits.append(y.tobytes())
                assert (np.abs(y - exact) <= allowed).all(), label
                assert bits[0] == bits[1], label


@pytest.mark.parametrize(
    "shape", [(33, 70, 45), (32, 5408, 10), (7, 0, 5), (300, 513, 300), (2, 300, 40), (20, 400, 3)]
)
@every_dtype
def test_a_dense_layer_in_c_is_its_three_kernels_to_the_bit(
    shape: tuple[int, int, int], dtype: str
) -> None:
    rows, terms, columns = shape
    rng = np.random.default_rng(rows)
    a, w = (rng.normal(size=s).astype(dtype) for s in ((rows, terms), (terms, columns)))
    a[rows // 2, terms // 2 :] = np.nan
    b = rng.normal(size=columns).astype(dtype)
    for label in SERVERS.keys() - {"numpy"}:
        server = SERVERS[label]
        y = server.add_row(server.matmul(a, w), b)
        np.testing.assert_array_equal(server.dense_layer(a, w, b, False), y, err_msg=label)
        y = server.relu(y)
        np.testing.assert_array_equal(server.dense_layer(a, w, b, True), y, err_msg=label)


def test_the_numpy_path_of_a_dense_layer_calls_a_product_of_ones_own() -> None:
    class Own:
        @staticmethod
        def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.full((len(a), b.shape[1]), 3.0)

    with kernels.use(Own):
        y = kernels.dense_layer(np.ones((2, 3)), np.ones((3, 1)), np.ones(1), False)
    np.testing.assert_array_equal(y, [[4.0], [4.0]])


@every_kernel
@pytest.mark.parametrize("dtype", ["int32", "float16", ">f4"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_other_dtypes_are_served_by_the_reference(
    name: str, dtype: str, data: st.DataObject
) -> None:
    call = data.draw(calls(name, "float32", "whole"))
    arrays = [array.astype(dtype) for array in call.arrays]
    kernels.reset_report()
    y = getattr(kernels, name)(*arrays, *call.settings)
    assert {row.kernel: row.served_by for row in kernels.report()}[name] == "numpy"
    assert y.dtype.isnative
    exact = literally(name, call)
    rtol, atol = (5e-3, 5e-2) if dtype == "float16" else (1e-3, 1e-5)
    np.testing.assert_allclose(y, exact, rtol=rtol, atol=atol)


def test_mixed_dtypes_give_the_wider_one() -> None:
    narrow, wide = np.ones((2, 3), np.float32), np.ones((3, 2))
    for a, b in ((narrow, wide), (wide, narrow)):
        y = kernels.matmul(a, b)
        assert y.dtype == np.float64
        np.testing.assert_array_equal(y, a @ b)


@pytest.mark.parametrize(
    "name", [name for name in CALLS if name not in ("relu", *FUNCTIONS)]
)  # which take any shape
def test_shapes_that_do_not_fit_are_refused(name: str) -> None:
    """C sees bare pointers, and NumPy broadcasts: a wrong shape must not get that far."""
    arrays = [np.ones((1, 3, 3, 2), np.float32), np.ones((2, 2, 5, 2), np.float32)]
    wrong: dict[str, tuple[Any, ...]] = {
        "matmul": tuple(arrays),
        "dense_layer": (np.ones((2, 3)), np.ones((3, 4)), np.ones(5), False),
        "conv": (*arrays, ONE, NO_PADDING, ONE),
        "conv_layer": (*arrays, np.ones(2), False, ONE, NO_PADDING, ONE),
        "conv_max_pool_layer": (*arrays, np.ones(2), False, *(ONE, NO_PADDING, ONE) * 2),
        "conv_max_pool_layer_gradient": (
            *(arrays[0], np.ones((1, 1, 1, 3)), np.ones((1, 1, 1, 3))),
            *((2, 2, 2, 4), ONE, NO_PADDING, ONE, (2, 2), ONE, NO_PADDING),
        ),
        "conv_input_gradient": (*arrays, (1, 3, 3, 2), ONE, NO_PADDING, ONE),
        "conv_kernel_gradient": (*arrays, (2, 2, 2, 2), ONE, NO_PADDING, ONE),
        "max_pool": (arrays[0], (4, 4), ONE, NO_PADDING),
        "max_pool_gather": (*arrays, (2, 2), ONE, NO_PADDING),
        "max_pool_gradient": (*arrays, (2, 2), ONE, NO_PADDING),
        "max_pool_winners": (arrays[0], (4, 4), ONE, NO_PADDING),
        "max_unpool": (arrays[0][:, :2, :2], arrays[0], (1, 3, 3, 2), (2, 2), ONE, NO_PADDING),
        "average_pool": (arrays[0], (2, 2), ONE, ((2, 0), (0, 0))),
        "average_pool_gradient": (arrays[0], (1, 3, 3, 2), (2, 2), ONE, NO_PADDING),
        "relu_gradient": tuple(arrays),
        "add_row": (arrays[0], np.ones(5, np.float32)),
        "sum_rows": (np.ones(3, np.float32),),
        "softmax": (np.ones((), np.float32),),
        "log_softmax": (np.ones((), np.float32),),
        "softmax_cross_entropy": tuple(arrays),
        "softmax_cross_entropy_gradient": (arrays[1], arrays[0], arrays[0]),
        "sgd_step": (*arrays, 0.1),
        "momentum_step": (arrays[0], *arrays, 0.1, 0.9, False),
        "adam_step": (arrays[0], arrays[0], *arrays, 0.1, 0.9, 0.99, 1e-3),
    }
    for server in (literal, *SERVERS.values()):
        with pytest.raises(TinydlError):
            getattr(server, name)(*wrong[name])
