"""The steps of optimizers, as far as they differ from other kernels."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from tinydl import kernels, tensor
from tinydl.optimizers import SGD, Adam, Optimizer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_gives_the_same_bits_for_any_number_of_threads(dtype: str) -> None:
    rng = np.random.default_rng(0)
    w, g, m, v = rng.random((4, 333, 1001)).astype(dtype)
    settings = -0.1, 0.9, 0.99, 1e-3  # against the gradient nothing cancels
    exact = kernels.reference.adam_step(*(x.astype(np.longdouble) for x in (w, g, m, v)), *settings)
    before, bits = kernels.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            kernels.set_num_threads(threads)
            new = kernels.adam_step(w, g, m, v, *settings)
            assert (np.abs(new - exact) <= 6 * np.finfo(dtype).eps * exact).all()
            bits.append(new.tobytes())
    finally:
        kernels.set_num_threads(before)
    assert bits[0] == bits[1] == bits[2]


@pytest.mark.parametrize("make", [Adam, SGD, partial(SGD, momentum=0.9)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_weights_and_slots_keep_their_dtype_and_the_former_arrays_their_values(
    make: Callable[[], Optimizer], dtype: str
) -> None:
    optimizer = make()
    w = tensor(np.ones((3, 5), dtype), requires_grad=True)
    g = tensor(np.full((3, 5), 0.5, dtype))
    for _ in range(2):
        optimizer.build([w])
        arrays = [w.data, g.data, *optimizer.variables]
        former = [array.copy() for array in arrays]
        optimizer.apply([g], [w])
        for array, copy in zip(arrays, former, strict=True):
            np.testing.assert_array_equal(array, copy)
    assert not w.data.flags.writeable
    assert {array.dtype for array in (w.data, *optimizer.variables)} == {np.dtype(dtype)}


def test_slots_of_another_dtype_are_left_to_numpy() -> None:
    w, m = np.ones(3, np.float32), np.ones(3)
    kernels.reset_report()
    new = kernels.adam_step(w, w, m, w, 0.1, 0.9, 0.99, 1e-3)
    assert new.dtype == np.float64
    assert [row.served_by for row in kernels.report()] == ["numpy"]
