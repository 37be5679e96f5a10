"""Choosing kernels: fallback, restoring, counting, and a student's own functions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinydl import kernels
from tinydl.errors import ArgumentError, DTypeError, ShapeError

A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
ONE, NO_PADDING = (1, 1), ((0, 0), (0, 0))

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

MATMUL_IN_C = """
#include "tinydl.h"

int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    (void)threads;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->rows; i++)
            for (int64_t j = 0; j < s->columns; j++, y++) {
                *y = 0;
                for (int64_t k = 0; k < s->terms; k++)
                    *y += a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride] *
                          b[n * s->b_batch_stride + k * s->b_term_stride + j * s->b_column_stride];
            }
    return 0;
}
"""


@pytest.fixture(autouse=True)
def restore_choice() -> Iterator[None]:
    with kernels.use("numpy"):
        yield


def serving(name: str, function: Any) -> Any:
    return kernels.use(SimpleNamespace(**{name: function}))


@pytest.mark.parametrize("backend", ["numpy", "literal"])
def test_a_built_in_backend_serves_every_kernel(backend: str) -> None:
    kernels.use(backend)
    assert set(kernels.active().values()) == {backend}


@pytest.mark.skipif(kernels.instruction_set() == "none", reason="there is no C core")
def test_c_tells_its_instruction_set() -> None:
    kernels.use("c")
    assert set(kernels.active().values()) == {f"c ({kernels.instruction_set()})"}
    kernels.use("c-plain")
    assert set(kernels.active().values()) == {"c-plain"}


def test_context_manager_restores_the_former_choice_even_after_an_error() -> None:
    with kernels.use("literal"), serving("conv", lambda *inputs: NotImplemented):
        assert kernels.active()["conv"] == "SimpleNamespace"
        assert kernels.active()["matmul"] == "numpy"
    assert set(kernels.active().values()) == {"numpy"}
    with pytest.raises(ShapeError), kernels.use("literal"):
        kernels.matmul(A, A)
    assert set(kernels.active().values()) == {"numpy"}


def test_a_function_that_declines_leaves_the_call_to_the_reference() -> None:
    kernels.reset_report()
    with serving("matmul", lambda a, b: NotImplemented if len(a) > 1 else a @ b):
        np.testing.assert_array_equal(kernels.matmul(A, B), A @ B)
        kernels.matmul(A[:1], B)
    assert kernels.report() == [("matmul", "SimpleNamespace", 1), ("matmul", "numpy", 1)]


def test_report_counts_and_prints_a_table() -> None:
    kernels.reset_report()
    for _ in range(10):
        kernels.matmul(A, B)
    kernels.max_pool(np.ones((1, 2, 2, 1)), (2, 2), (2, 2), NO_PADDING)
    assert [(row.kernel, row.served_by, row.calls) for row in kernels.report()] == [
        ("matmul", "numpy", 10),
        ("max_pool", "numpy", 1),
    ]
    assert str(kernels.report()).splitlines() == [
        "kernel    served by  calls",
        "matmul    numpy         10",
        "max_pool  numpy          1",
    ]


def test_settings_may_be_given_by_name() -> None:
    x, w = np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1))
    by_name = kernels.conv(x, w, strides=ONE, padding=NO_PADDING, dilation=ONE)
    np.testing.assert_array_equal(by_name, kernels.conv(x, w, ONE, NO_PADDING, ONE))


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("nunpy", "did you mean 'numpy'"),
        ("kernels.txt", "expected one of c, c-plain, literal, numpy"),
        ("missing.py", "expected a file that exists"),
        (SimpleNamespace(convolve=max), "expected something with at least one kernel"),
        (SimpleNamespace(conv=3), "expected a function"),
        (None, "expected something with at least one kernel"),
    ],
)
def test_unknown_backends_are_explained(backend: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        kernels.use(backend)
    assert set(kernels.active().values()) == {"numpy"}


def _changes_its_input(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a += 1
    return a @ b


@pytest.mark.parametrize(
    ("matmul", "error", "message"),
    [
        (lambda a, b: None, DTypeError, "result is NoneType, expected a NumPy array"),
        (lambda a, b: (a @ b).T, ShapeError, r"result is \(4, 2\), expected \(2, 4\)"),
        (lambda a, b: (a @ b).astype("f4"), DTypeError, "result is float32, expected float64"),
        (_changes_its_input, ValueError, "read-only"),
    ],
)
def test_mistakes_of_a_students_function_are_explained(
    matmul: Any, error: type[Exception], message: str
) -> None:
    with serving("matmul", matmul), pytest.raises(error, match=message):
        kernels.matmul(A, B)
    np.testing.assert_array_equal(A, np.arange(6.0).reshape(2, 3))


def test_a_python_file_replaces_the_kernels_it_defines(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("def matmul(a, b):\n    return 2 * (a @ b)\n")
    with kernels.use(mine):
        assert kernels.active()["matmul"] == "mine.py"
        assert kernels.active()["conv"] == "numpy"
        np.testing.assert_array_equal(kernels.matmul(A, B), 2 * (A @ B))


@needs_cc
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_c_file_replaces_the_kernels_it_defines(tmp_path: Path, dtype: str) -> None:
    mine = tmp_path / "mine.c"
    mine.write_text(MATMUL_IN_C)
    with kernels.use(str(mine)):
        assert kernels.active()["matmul"] == "mine.c"
        assert kernels.active()["conv"] == "numpy"
        a, b = A.astype(dtype), B.astype(dtype)
        for left, right in ((a, b), (a[:, ::-1], b[::-1]), (np.asfortranarray(a), b.T.copy().T)):
            y = kernels.matmul(left, right)
            assert y.dtype == dtype
            np.testing.assert_array_equal(y, a @ b)


@needs_cc
def test_a_c_file_that_does_not_compile_shows_what_the_compiler_says(tmp_path: Path) -> None:
    mine = tmp_path / "mine.c"
    mine.write_text(MATMUL_IN_C.replace("return 0;", "return zero;"))
    with pytest.raises(ArgumentError, match=r"(?s)a C file that compiles.*mine\.c:15.*zero"):
        kernels.use(mine)


@needs_cc
def test_a_c_file_without_kernels_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.c"
    mine.write_text("int three(void) { return 3; }\n")
    with pytest.raises(ArgumentError, match="at least one kernel"):
        kernels.use(mine)


def test_a_c_file_needs_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine.c"
    mine.write_text(MATMUL_IN_C)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(ArgumentError, match="install gcc or clang"):
        kernels.use(mine)
