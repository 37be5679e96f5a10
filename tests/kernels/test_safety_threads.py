"""Threads in the kernels and threads of the program at once; ThreadSanitizer watches these too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinydl import kernels
from tinydl.testing.large_cases import LARGE_CASES

if kernels.instruction_set() == "none":
    pytest.skip("there is no C core", allow_module_level=True)
from tinydl.kernels import compiled


@pytest.fixture(autouse=True)
def restore_threads() -> Iterator[None]:
    before = kernels.get_num_threads()
    yield
    kernels.set_num_threads(before)


@pytest.mark.parametrize("label", LARGE_CASES)
def test_two_threads_of_the_program_call_a_kernel_of_three(label: str) -> None:
    name, _, settings, _ = LARGE_CASES[label]
    arrays, kernel = LARGE_CASES[label].arrays(np.float32), getattr(compiled.fast, name)
    kernels.set_num_threads(1)
    alone = kernel(*arrays, *settings)
    kernels.set_num_threads(3)
    with ThreadPoolExecutor(2) as program:
        results = [program.submit(kernel, *arrays, *settings) for _ in range(4)]
    for result in results:
        np.testing.assert_array_equal(result.result(), alone)


def test_helpers_that_watch_helpers_that_sleep_and_helpers_that_come_too_late() -> None:
    x = np.random.default_rng(0).normal(size=(1001, 1003)).astype(np.float32)
    kernels.set_num_threads(1)
    alone = compiled.fast.relu(x)
    for pause in (0, 0.00005, 0.0005):
        for threads in (3, 2, 5) * 5:
            kernels.set_num_threads(threads)
            np.testing.assert_array_equal(compiled.fast.relu(x), alone)
            time.sleep(pause)
