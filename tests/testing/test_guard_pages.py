"""Guard pages: reading or writing one element too far is not survived."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from cffi import FFI

from tinydl.testing.guard_pages import PAGE, GuardedBytes, guarded

FFI_ = FFI()
STRAY = """
from cffi import FFI
from tinydl.testing.guard_pages import guarded

def stray(x, y, n):
    {what}
    return 0

ffi = FFI()
x, y = ffi.new("float[]", {n}), ffi.new("float[]", 1)
guarded(ffi, stray)(x, y, {n})
"""


@pytest.mark.parametrize("n", [0, 1, PAGE // 4, PAGE // 4 + 1])
@pytest.mark.parametrize("what", ["x[n] = 0", "y[0] = x[n]", "x[-1] = 0", "y[0] = x[-1]"])
def test_one_element_too_far_ends_the_process(what: str, n: int) -> None:
    program = STRAY.format(what=what, n=n)
    outcome = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert outcome.returncode in (-signal.SIGSEGV, -signal.SIGBUS)


def test_what_the_function_does_to_its_arrays_comes_back() -> None:
    def double(x: object, y: object, n: int) -> int:
        for i in range(n):
            y[i] = 2 * x[i]
        return 7

    x, y = FFI_.new("double[]", [1.0, 2.0]), FFI_.new("double[]", 2)
    assert guarded(FFI_, double)(x, y, 2) == 7
    assert list(x) == [1.0, 2.0]
    assert list(y) == [2.0, 4.0]


def test_a_result_must_not_depend_on_where_the_arrays_lie() -> None:
    def aligned(y: object) -> int:
        y[0] = float(int(FFI_.cast("intptr_t", y)) % PAGE == 0)
        return 0

    with pytest.raises(AssertionError, match="where the arrays lie"):
        guarded(FFI_, aligned)(FFI_.new("float[]", 1))


@pytest.mark.parametrize("size", [0, 1, PAGE - 1, PAGE, PAGE + 1])
def test_copies_touch_the_page_they_should(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    first, last = (GuardedBytes(content[:size], at_end=at_end) for at_end in (False, True))
    assert first.content() == last.content() == content[:size]
    assert first.address % PAGE == 0
    assert (last.address + size) % PAGE == 0
