"""check_kernel accepts every backend and names what is special about the cases that fail."""

from pathlib import Path

import numpy as np
import pytest

from tinydl import kernels
from tinydl.errors import ArgumentError
from tinydl.kernels.choice import KERNELS
from tinydl.testing import check_kernel


@pytest.mark.parametrize("name", KERNELS)
def test_every_backend_passes(name, backend, seeds):
    report = check_kernel(name, backend, seeds=seeds)
    assert report.passed == report.tried > 30, str(report)


def matmul_by_columns(a, b):
    y = np.zeros(kernels.matmul.result_shape(a, b), np.result_type(a, b))
    for j in range(b.shape[-1]):
        y[..., j] = (a * b[..., None, :, j]).sum(-1)
    return y


def test_a_plain_function_a_module_and_a_file_will_do(tmp_path):
    assert "65 of 65 passed" in str(check_kernel("matmul", matmul_by_columns))
    assert "65 of 65 passed" in str(check_kernel("matmul", kernels.reference))
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\n\ndef matmul(a, b):\n    return a @ b\n")
    assert "65 of 65 passed" in str(check_kernel("matmul", path))


def conv_with(**changes):
    """The reference convolution, with some settings replaced by others."""

    def conv(x, w, strides, padding, dilation):
        settings = {"strides": strides, "padding": padding, "dilation": dilation} | changes
        return kernels.reference.conv(x, w, *settings.values())

    return conv


def pooled_without_first_ties(g, x, *settings):
    return kernels.reference.max_pool_gradient(
        g[:], x + 1e-9 * np.arange(x.size).reshape(x.shape), *settings
    )


@pytest.mark.parametrize(
    "name, implementation, lesson",
    [
        ("conv", conv_with(dilation=(1, 1)), "p \\* dilation"),
        ("conv", conv_with(strides=(1, 1)), "stride"),
        ("conv", conv_with(padding=((0, 0), (0, 0))), "hangs over the edge"),
        ("conv", lambda x, w, *s: 2 * kernels.reference.conv(x, w, *s), "smallest plain case"),
        ("matmul", lambda a, b: (a @ b).astype("float64"), "the inputs' dtype"),
        ("matmul", lambda a, b: np.squeeze(a @ b), "length 1"),
        ("matmul", lambda a, b: a.reshape(-1, a.shape[-1]) @ b, "stretched"),
        ("max_pool", lambda x, *s: kernels.reference.max_pool(np.nan_to_num(x), *s), "nan"),
        ("max_pool_gradient", pooled_without_first_ties, "first in reading order"),
    ],
)
def test_the_lesson_names_what_the_failing_cases_share(name, implementation, lesson):
    report = check_kernel(name, implementation)
    assert 0 <= report.passed < report.tried
    assert report.failure.startswith(f"{name}(")
    with pytest.raises(AssertionError, match=lesson):
        assert report.passed == report.tried, str(report)


def test_what_a_kernel_raises_is_its_fault():
    def absent(a, b):
        raise NotImplementedError("to do")

    report = check_kernel("matmul", absent)
    assert report.passed == 0
    assert "NotImplementedError: to do" in report.failure


def test_a_wrong_gradient_kernel_also_fails_by_its_adjoint():
    def half(g, shape, *settings):
        return kernels.reference.average_pool_gradient(g, shape, *settings) / 2

    values_only = check_kernel("average_pool", kernels.reference)
    assert values_only.passed == values_only.tried
    report = check_kernel("average_pool_gradient", half)
    # The values are wrong wherever there are any, and so is each inner product.
    assert report.passed < report.tried / 3


def test_a_c_file(tmp_path):
    path = Path(tmp_path) / "mine.c"
    path.write_text(
        '#include "tinydl.h"\n'
        "int average_pool(const real *x, real *y, const window *w, int threads) { return 1; }\n"
    )
    try:
        report = check_kernel("average_pool", path)
    except ArgumentError as error:
        pytest.skip(f"no compiler: {error}")
    assert "MemoryError" in report.failure


def test_unknown_kernels_are_told_the_closest_name():
    with pytest.raises(ArgumentError, match="did you mean 'matmul'"):
        check_kernel("matmull", np.matmul)
