"""The race of a student's kernels with ours."""

import shutil

import pytest

from tinydl import kernels
from tinydl.course.race import Lap, Race, race
from tinydl.errors import ArgumentError

KERNEL = """#include "tinydl.h"
int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    for (int64_t i = 0; i < s->rows * s->columns; i++) y[i] = 0;
    return 0;
}
"""
needs_c = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@needs_c
def test_everyone_runs_on_the_kernels_that_the_file_has(tmp_path):
    (tmp_path / "mine.c").write_text(KERNEL)
    before = kernels.active(), kernels.get_num_threads()
    laps = race(tmp_path / "mine.c", seconds=0.0, peak=False)
    assert (kernels.active(), kernels.get_num_threads()) == before
    assert {lap.case.split()[0] for lap in laps} == {"matmul"}
    assert {"mine.c", "NumPy"} <= {lap.who for lap in laps}
    assert all(lap.flops > 0 for lap in laps)


@needs_c
def test_a_file_without_a_product_or_convolution_is_refused(tmp_path):
    (tmp_path / "mine.c").write_text(KERNEL.replace("matmul", "nothing"))
    with pytest.raises(ArgumentError):
        race(tmp_path / "mine.c", seconds=0.0, peak=False)


def test_a_lap_is_shown_with_its_share_of_the_peak():
    laps = Race([Lap("matmul 8 x 8", "mine.c", 3e9)])
    assert str(laps).splitlines()[1].split()[-2:] == ["3.0", "?"]
    laps.peak = 12e9
    assert str(laps).splitlines()[1].split()[-2:] == ["3.0", "25.0%"]
