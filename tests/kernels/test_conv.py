"""Convolution in C where it takes a way of its own, and layers made of kernels of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinydl import kernels
from tinydl.errors import ShapeError

ONE, NO_PADDING, SAME = (1, 1), ((0, 0), (0, 0)), ((1, 1), (1, 1))

in_c = pytest.mark.skipif(kernels.instruction_set() == "none", reason="there is no C core")
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def variants() -> dict[str, Any]:
    """The C kernels, for every instruction set that this CPU has."""
    from tinydl.kernels import compiled

    names = compiled.available_instruction_sets()
    return {name: compiled.for_instruction_set(name) for name in names}


@in_c
@every_dtype
@pytest.mark.parametrize(
    ("image", "kernel", "where"),
    [
        ((3, 12, 13, 1), (3, 3, 1, 32), (ONE, NO_PADDING, ONE)),
        ((2, 9, 13, 17), (3, 2, 17, 19), ((2, 1), SAME, (1, 2))),
        ((2, 9, 8, 70), (3, 3, 35, 66), (ONE, SAME, ONE)),
        ((2, 9, 8, 37), (3, 3, 1, 37), (ONE, SAME, ONE)),
        ((2, 4, 4, 0), (3, 3, 0, 5), (ONE, SAME, ONE)),
    ],
)
def test_a_layer_is_its_three_kernels_to_the_bit(
    image: tuple[int, ...], kernel: tuple[int, ...], where: tuple[Any, ...], dtype: str
) -> None:
    rng = np.random.default_rng(sum(image))
    x, w, b = (rng.normal(size=s).astype(dtype) for s in (image, kernel, kernel[3:]))
    x[0, 2, 2:3] = np.nan
    for label, server in variants().items():
        y = server.add_row(server.conv(x, w, *where), b)
        layer = server.conv_layer(x, w, b, False, *where)
        np.testing.assert_array_equal(layer, y, err_msg=label)
        layer = server.conv_layer(x, w, b, True, *where)
        np.testing.assert_array_equal(layer, server.relu(y), err_msg=label)


@in_c
@every_dtype
@pytest.mark.parametrize(
    ("image", "kernel", "where", "pool"),
    [
        ((3, 28, 28, 1), (3, 3, 1, 32), (ONE, NO_PADDING, ONE), ((2, 2), (2, 2), NO_PADDING)),
        ((2, 70, 53, 2), (3, 3, 2, 66), (ONE, SAME, ONE), ((3, 3), (2, 2), SAME)),
        ((2, 70, 53, 2), (3, 3, 2, 66), (ONE, SAME, ONE), ((2, 3), (4, 3), SAME)),
        ((1, 8, 700, 1), (3, 3, 1, 66), (ONE, SAME, ONE), ((4, 3), (1, 2), NO_PADDING)),
        ((7, 9, 8, 34), (3, 2, 17, 38), ((2, 1), SAME, (1, 2)), ((2, 2), (2, 2), ((0, 1), (1, 0)))),
        ((7, 5, 4, 37), (3, 3, 1, 37), (ONE, SAME, ONE), ((2, 2), (2, 2), NO_PADDING)),
        ((7, 14, 9, 34), (3, 2, 17, 38), ((2, 1), SAME, (1, 2)), ((2, 2), (3, 2), NO_PADDING)),
    ],
)
def test_a_layer_and_its_pool_are_the_two_kernels_to_the_bit(
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    where: tuple[Any, ...],
    pool: tuple[Any, ...],
    dtype: str,
) -> None:
    """Whether an image is one band, several, rows of windows that no band holds, or one of many."""
    rng = np.random.default_rng(sum(image))
    x, w, b = (rng.normal(size=s).astype(dtype) for s in (image, kernel, kernel[3:]))
    x[0, 2, 2:3] = np.nan
    for label, server in variants().items():
        for relu in (False, True):
            z = server.conv_layer(x, w, b, relu, *where)
            y = server.conv_max_pool_layer(x, w, b, relu, *where, *pool)
            maxima, winners = server.max_pool_winners(z, *pool)
            if relu:
                winners = np.where(maxima <= 0, -1, winners)
            np.testing.assert_array_equal(y, [maxima, winners], err_msg=label)


@in_c
@every_dtype
@pytest.mark.parametrize("value", [1, np.inf, np.nan])
@pytest.mark.parametrize(
    ("image", "kernel", "where", "pool"),
    [
        ((5, 28, 28, 1), (3, 3, 1, 32), (ONE, NO_PADDING, ONE), ((2, 2), (2, 2), NO_PADDING)),
        ((3, 17, 40, 1), (5, 5, 1, 6), (ONE, SAME, ONE), ((2, 2), (2, 2), NO_PADDING)),
        ((3, 25, 19, 1), (3, 2, 1, 59), ((2, 1), SAME, (1, 2)), ((2, 2), (2, 3), NO_PADDING)),
        ((3, 25, 19, 2), (3, 2, 2, 59), ((2, 1), SAME, (1, 2)), ((2, 2), (2, 3), NO_PADDING)),
    ],
)
def test_the_gradient_of_a_layer_and_its_pool_is_that_of_the_two(
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    where: tuple[Any, ...],
    pool: tuple[Any, ...],
    value: float,
    dtype: str,
) -> None:
    """Whether all places of a window are multiplied or only the winner's, inf times 0 is NaN."""
    rng = np.random.default_rng(sum(image))
    x, w, b = (rng.normal(size=s).astype(dtype) for s in (image, kernel, kernel[3:]))
    _, winners = kernels.conv_max_pool_layer(x, w, b, True, *where, *pool)
    g = rng.normal(size=winners.shape).astype(dtype)
    x[1, 3, 5] = value
    for label, server in variants().items():
        z_bar = server.max_unpool(g, winners, server.conv(x, w, *where).shape, *pool)
        w_bar = server.conv_kernel_gradient(x, z_bar, w.shape, *where)
        size = server.conv_kernel_gradient(np.abs(x), np.abs(z_bar), w.shape, *where)
        size = np.where(np.isfinite(size), size, 1)
        y = server.conv_max_pool_layer_gradient(x, g, winners, w.shape, *where, *pool)
        y, b_bar = y[:-1].reshape(w.shape), y[-1]
        np.testing.assert_allclose(y / size, w_bar / size, atol=1e-5, err_msg=label)
        won = np.where(winners >= 0, g, 0).sum((0, 1, 2), np.float64)
        np.testing.assert_allclose(b_bar, won, rtol=0, atol=1e-3, err_msg=label)


def test_the_numpy_path_of_a_layer_calls_a_convolution_of_ones_own() -> None:
    class Own:
        @staticmethod
        def conv(x: np.ndarray, *_: Any) -> np.ndarray:
            return np.full((1, 2, 2, 1), 3.0)

    with kernels.use(Own):
        x, w, b = np.ones((1, 2, 2, 1)), np.ones((1, 1, 1, 1)), np.ones(1)
        y = kernels.conv_layer(x, w, b, False, ONE, NO_PADDING, ONE)
    np.testing.assert_array_equal(y, np.full((1, 2, 2, 1), 4.0))


def test_a_bias_that_does_not_fit_is_refused() -> None:
    x, w = np.ones((1, 3, 3, 2), np.float32), np.ones((2, 2, 2, 3), np.float32)
    with pytest.raises(ShapeError):
        kernels.conv_layer(x, w, np.ones(2, np.float32), True, ONE, NO_PADDING, ONE)


@in_c
def test_padding_that_no_memory_holds_is_a_memory_error() -> None:
    far = 2**31 - 1
    x, g = np.ones((1, 1, 1, 1), np.float32), np.ones((1, 2, 2, 1), np.float32)
    at = (far, far), ((far, 0), (far, 0)), ONE
    for server in variants().values():
        with pytest.raises(MemoryError):
            server.conv(x, x, *at)
        with pytest.raises(MemoryError):
            server.conv_input_gradient(g, x, x.shape, *at)
        with pytest.raises(MemoryError):
            server.conv_kernel_gradient(x, g, x.shape, *at)
