"""Calls large enough for every cut that a kernel makes, and for more than one thread."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class LargeCase(NamedTuple):
    """A call of a kernel; its arrays, of these shapes, are made at need.

    Attributes
    ----------
    kernel : str
        Its name.
    shapes : list of tuple
        The shapes of its arrays.
    settings : tuple
        What follows the arrays in a call.
    terms : int
        How many terms the longest sum has.
    """

    kernel: str
    shapes: list[tuple[int, ...]]
    settings: tuple[Any, ...]
    terms: int

    def arrays(self, dtype: Any) -> list[np.ndarray]:
        """Arrays of normal numbers, or whole ones where winners hang on them; always the same."""
        rng = np.random.default_rng(self.terms)
        arrays = [rng.normal(size=shape).astype(dtype) for shape in self.shapes]
        if self.kernel == "max_unpool":  # whose winners are the numbers of elements
            arrays[1] = np.floor(2 * np.abs(arrays[1]))
        if self.kernel == "conv_max_pool_layer":  # so that rounding decides on no winner
            arrays = [np.rint(array) for array in arrays]
        if self.kernel == "conv_max_pool_layer_gradient":
            arrays[2] = np.floor(2 * arrays[2])
        return arrays


ONE, NO_PADDING, SAME = (1, 1), ((0, 0), (0, 0)), ((1, 1), (1, 1))
# Whole tiles and borders; blocks of rows, columns and terms; chunks of long sums.
_CALLS: dict[str, Any] = {
    "rows": ("matmul", [(405, 170), (170, 65)], (), 170),
    "columns": ("matmul", [(20, 300), (300, 1100)], (), 300),
    "terms": ("matmul", [(25, 9000), (9000, 31)], (), 9000),
    "one number": ("matmul", [(1, 3000), (3000, 1)], (), 3000),
    "batch": ("matmul", [(3, 1, 90, 130), (2, 130, 70)], (), 130),
    "dense layer": ("dense_layer", [(405, 300), (300, 65), (65,)], (True,), 301),
    "dense layer of many terms": ("dense_layer", [(32, 5408), (5408, 10), (10,)], (True,), 5409),
    "conv": ("conv", [(3, 21, 23, 31), (3, 3, 31, 37)], (ONE, SAME, ONE), 279),
    "conv of one channel": ("conv", [(20, 27, 26, 1), (5, 3, 1, 33)], (ONE, NO_PADDING, ONE), 15),
    "strided conv": ("conv", [(3, 41, 43, 7), (4, 3, 7, 65)], ((3, 2), SAME, (2, 3)), 84),
    "conv in groups": ("conv", [(3, 21, 23, 62), (3, 3, 31, 74)], (ONE, SAME, ONE), 279),
    "a conv of each channel": ("conv", [(3, 21, 23, 150), (3, 3, 1, 150)], ((2, 1), SAME, ONE), 9),
    "input gradient of each channel": (
        "conv_input_gradient",
        [(3, 21, 23, 150), (3, 3, 1, 150)],
        ((3, 21, 23, 150), ONE, SAME, ONE),
        9,
    ),
    "strided input gradient of each channel": (
        "conv_input_gradient",
        [(3, 11, 23, 150), (3, 3, 1, 150)],
        ((3, 21, 23, 150), (2, 1), SAME, ONE),
        9,
    ),
    "kernel gradient of each channel": (
        "conv_kernel_gradient",
        [(4, 21, 23, 150), (4, 21, 23, 150)],
        ((3, 3, 1, 150), ONE, SAME, ONE),
        1932,
    ),
    "conv of many small images": (
        "conv",
        [(201, 5, 4, 33), (5, 4, 33, 35)],
        (ONE, NO_PADDING, ONE),
        660,
    ),
    "depthwise conv": ("conv", [(3, 21, 23, 40), (3, 3, 1, 80)], ((2, 1), SAME, ONE), 9),
    "input gradient in groups": (
        "conv_input_gradient",
        [(2, 21, 23, 540), (3, 3, 60, 540)],
        ((2, 21, 23, 120), ONE, SAME, ONE),
        2430,
    ),
    "kernel gradient in groups": (
        "conv_kernel_gradient",
        [(9, 21, 23, 10), (9, 21, 23, 74)],
        ((3, 3, 5, 74), ONE, SAME, ONE),
        4347,
    ),
    "input gradient": (
        "conv_input_gradient",
        [(2, 21, 23, 270), (3, 3, 60, 270)],
        ((2, 21, 23, 60), ONE, SAME, ONE),
        2430,
    ),
    "kernel gradient": (
        "conv_kernel_gradient",
        [(9, 21, 23, 5), (9, 21, 23, 37)],
        ((3, 3, 5, 37), ONE, SAME, ONE),
        4347,
    ),
    "max pool": ("max_pool", [(5, 47, 46, 71)], ((3, 2), (2, 2), SAME), 1),
    "gather": ("max_pool_gather", [(5, 47, 46, 71)] * 2, ((3, 2), (2, 2), SAME), 1),
    "max gradient": (
        "max_pool_gradient",
        [(5, 24, 24, 71), (5, 47, 46, 71)],
        ((3, 2), (2, 2), SAME),
        2,
    ),
    "max pool and winners": ("max_pool_winners", [(5, 47, 46, 71)], ((3, 2), (2, 2), SAME), 1),
    "unpool": (
        "max_unpool",
        [(5, 24, 24, 71)] * 2,
        ((5, 47, 46, 71), (3, 2), (2, 2), SAME),
        2,
    ),
    "conv and pool, in bands": (
        "conv_max_pool_layer",
        [(2, 61, 47, 3), (3, 3, 3, 70), (70,)],
        (True, ONE, SAME, ONE, (3, 2), (2, 2), SAME),
        28,
    ),
    "gradient of conv and pool": (
        "conv_max_pool_layer_gradient",
        [(9, 30, 23, 5), *[(9, 14, 11, 37)] * 2],
        ((3, 3, 5, 37), ONE, NO_PADDING, ONE, (2, 2), (2, 2), ((0, 0), (0, 1))),
        5292,
    ),
    "conv and pool of small images": (
        "conv_max_pool_layer",
        [(38, 9, 8, 5), (3, 3, 5, 33), (33,)],
        (False, ONE, SAME, ONE, (2, 2), (2, 2), NO_PADDING),
        46,
    ),
    "average pool": ("average_pool", [(5, 47, 46, 71)], ((3, 2), (2, 2), SAME), 6),
    "average gradient": (
        "average_pool_gradient",
        [(5, 24, 24, 71)],
        ((5, 47, 46, 71), (3, 2), (2, 2), SAME),
        6,
    ),
    "relu": ("relu", [(1200, 1001)], (), 1),
    "relu gradient": ("relu_gradient", [(1200, 1001), (1200, 1001)], (), 1),
    "a row added": ("add_row", [(12000, 101), (101,)], (), 1),
    "rows summed": ("sum_rows", [(12007, 101)], (), 12007),
    "sgd": ("sgd_step", [(1001, 333)] * 2, (-0.1,), 2),
    "momentum": ("momentum_step", [(1001, 333)] * 3, (-0.1, 0.9, True), 4),
}

LARGE_CASES = {label: LargeCase(*call) for label, call in _CALLS.items()}
