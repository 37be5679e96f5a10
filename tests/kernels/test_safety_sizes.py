"""Sizes at the limits of integers: refused, or counted right."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import pytest

from tinydl import kernels
from tinydl.errors import ShapeError
from tinydl.kernels import reference
from tinydl.kernels.geometry import place_window, product_shape

ONE, NONE = (1, 1), ((0, 0), (0, 0))


def stretched(*shape: int, dtype: str = "float32") -> np.ndarray:
    """An array of this shape that is one number in memory."""
    return np.broadcast_to(np.ones((), dtype), shape)


SERVERS: dict[str, Any] = {"numpy": reference}
if kernels.instruction_set() != "none":
    from tinydl.kernels import compiled

    SERVERS |= {"c": compiled.fast, "c-plain": compiled.plain}

IMAGES, KERNEL = stretched(2**52, 2, 2, 1), stretched(2, 2, 1, 1)
LONG, WIDE = stretched(2**30, 2**20), stretched(2**20, 2**30)
ROW, TALL = stretched(2**30), stretched(2**50, 1)
POOL = (2, 2), (2, 2), NONE
# More than there is memory for, of numbers that need none. (NumPy would take one as it is, and
# might add up 2**50 times the same number.)
TOO_LARGE = {
    "matmul": (stretched(2**50, 1), stretched(1, 4)),
    "dense_layer": (stretched(2**50, 1), stretched(1, 4), stretched(4), True),
    "conv": (IMAGES, KERNEL, ONE, NONE, ONE),
    "conv_layer": (IMAGES, KERNEL, stretched(1), True, ONE, NONE, ONE),
    "conv_max_pool_layer": (IMAGES, KERNEL, stretched(1), True, ONE, NONE, ONE, ONE, ONE, NONE),
    "conv_max_pool_layer_gradient": (
        *(IMAGES, stretched(2**52, 1, 1, 1), stretched(2**52, 1, 1, 1)),
        *(KERNEL.shape, ONE, NONE, ONE, ONE, ONE, NONE),
    ),
    "conv_input_gradient": (stretched(2**52, 1, 1, 1), KERNEL, IMAGES.shape, ONE, NONE, ONE),
    "conv_kernel_gradient": (IMAGES, stretched(2**52, 1, 1, 1), KERNEL.shape, ONE, NONE, ONE),
    "max_pool": (IMAGES, *POOL),
    "max_pool_gather": (IMAGES, IMAGES, *POOL),
    "max_pool_gradient": (stretched(2**52, 1, 1, 1), IMAGES, *POOL),
    "max_pool_winners": (IMAGES, *POOL),
    "max_unpool": (*(stretched(2**52, 1, 1, 1),) * 2, IMAGES.shape, *POOL),
    "average_pool": (IMAGES, *POOL),
    "average_pool_gradient": (stretched(2**52, 1, 1, 1), IMAGES.shape, *POOL),
    "relu": (LONG,),
    "relu_gradient": (LONG, LONG),
    "add_row": (WIDE, ROW),
    "sum_rows": (stretched(1, 2**50),),
    "exp_each": (LONG,),
    "tanh_each": (LONG,),
    "sigmoid_each": (LONG,),
    "softmax": (TALL,),
    "log_softmax": (TALL,),
    "softmax_cross_entropy": (TALL, TALL),
    "softmax_cross_entropy_gradient": (stretched(2**50), TALL, TALL),
    "sgd_step": (LONG, LONG, 0.1),
    "momentum_step": (LONG, LONG, LONG, 0.1, 0.9, False),
    "adam_step": (LONG, LONG, LONG, LONG, 0.1, 0.9, 0.99, 1e-7),
}


@pytest.mark.parametrize("name", kernels.active())
@pytest.mark.parametrize("server", sorted(SERVERS.keys() - {"numpy"}))
def test_more_than_there_is_memory_for_is_a_memory_error(name: str, server: str) -> None:
    with pytest.raises(MemoryError):
        getattr(SERVERS[server], name)(*TOO_LARGE[name])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((2**31, 2**10), (2**10, 2**31)),
        ((2**40, 0), (0, 2**40)),
        ((2**40, 1), (1, 2**20)),
        ((2**31, 1, 2**20, 0), (2**31, 0, 5)),
        ((2**63, 1), (1, 2)),
        ((0, 2**31, 2**31), (2**31, 2)),
    ],
)
def test_products_that_overflow_are_refused(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"sizes is .*expected a product of less than 2\*\*60"):
        product_shape(a, b)


@pytest.mark.parametrize(
    ("image", "kernel", "padding"),
    [
        ((2**31, 2**31, 1, 1), (1, 1, 1, 1), NONE),
        ((0, 2**40, 2**40, 1), (1, 1, 1, 1), NONE),
        ((2**30, 2, 2, 2**30), (1, 1, 2**30, 1), NONE),
        ((1, 1, 1, 1), (2**30, 2**30, 1, 0), ((2**30, 0), (2**30, 0))),
        ((1, 1, 1, 1), (1, 1, 1, 1), ((2**31 - 1, 0), (2**31 - 1, 0))),
        ((1, 1, 1, 2**30), (1, 1, 2**30, 2**31), NONE),
    ],
)
def test_windows_that_overflow_are_refused(image: Any, kernel: Any, padding: Any) -> None:
    with pytest.raises(ShapeError, match=r"expected a product of less than 2\*\*60"):
        place_window(image, kernel, ONE, padding, ONE)


@pytest.mark.parametrize("server", SERVERS)
def test_rows_of_no_columns_take_no_time(server: str) -> None:
    empty = np.empty((2**50, 0), np.float32)
    assert SERVERS[server].add_row(empty, empty[0]).shape == empty.shape
    assert SERVERS[server].sum_rows(empty).shape == (0,)


IMAGE = 1, 2**16 + 1, 2**15, 1  # more than 2**31 numbers


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """An image of zeros of which only the pages that are written to take memory."""
    lazily = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)}
    try:
        x = np.frombuffer(mmap.mmap(-1, 4 * int(np.prod(IMAGE)), **lazily), np.float32)
    except OSError:
        pytest.skip("not even so many addresses are to be had")
    x = x.reshape(IMAGE)
    x[0, 0, 0, 0], x[0, -1, 0, 0], x[0, -1, -1, 0] = 1, 2, 3
    return x


@pytest.mark.parametrize("server", SERVERS)
def test_elements_beyond_the_2_to_the_31st_are_found(server: str, image: np.ndarray) -> None:
    """Windows that see only the corners of the image."""
    corners, at = np.array([[1, 0], [2, 3]], np.float32), (2**16, 2**15 - 1)
    serve = SERVERS[server]
    w = np.ones((1, 1, 1, 1), np.float32)
    for y in (
        serve.conv(image, w, at, NONE, ONE),
        serve.conv_layer(image, w, np.zeros(1, np.float32), False, at, NONE, ONE),
        serve.conv_max_pool_layer(
            image, w, np.zeros(1, np.float32), False, at, NONE, ONE, ONE, ONE, NONE
        )[0],
        serve.max_pool(image, ONE, at, NONE),
        serve.max_pool_gather(image, image, ONE, at, NONE),
        serve.max_pool_winners(image, ONE, at, NONE)[0],
        serve.average_pool(image, ONE, at, NONE),
    ):
        np.testing.assert_array_equal(y[0, :, :, 0], corners)
    g = np.array([0, 0, 10, 100], np.float32).reshape(1, 2, 2, 1)
    w_bar = serve.conv_kernel_gradient(image, g, w.shape, at, NONE, ONE)
    np.testing.assert_array_equal(w_bar, [[[[320]]]])


@pytest.mark.slow
@pytest.mark.parametrize("server", sorted(SERVERS.keys() - {"numpy"}))
def test_sums_of_more_than_2_to_the_31_terms(server: str, image: np.ndarray) -> None:
    serve = SERVERS[server]
    np.testing.assert_array_equal(serve.sum_rows(image.reshape(-1, 2**15))[[0, -1]], [3, 3])
    row = image.reshape(1, -1)
    np.testing.assert_array_equal(serve.matmul(row, row.T), [[14]])
