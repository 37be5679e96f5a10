"""When there is no memory to work in: a MemoryError, and nothing is lost or left behind.

The C files are compiled once more here, with functions of ours in place of malloc and free, which
count, and refuse when they are told to. No thread can be started there either.
"""

from __future__ import annotations

import shutil
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cffi import FFI

from tinydl.kernels import reference
from tinydl.kernels.calling import CKernels
from tinydl.kernels.choice import KERNELS
from tinydl.kernels.header import declarations, renames
from tinydl.testing.kernel_cases import cases
from tinydl.testing.large_cases import LARGE_CASES

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

CSRC = Path(__file__).parents[2] / "csrc"
CONTROL = """
void refuse_from(int64_t allocation);
int64_t count_refused(void);
int64_t count_kept(void);
"""
COUNTED = """
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static int64_t granted, refused, kept, first_refused;

void refuse_from(int64_t allocation) { first_refused = allocation; granted = refused = 0; }
int64_t count_refused(void) { return refused; }
int64_t count_kept(void) { return kept; }

static int is_granted(void)
{
    int yes = granted < first_refused;
    granted += yes, refused += !yes, kept += yes;
    return yes;
}

#define malloc(size) (is_granted() ? malloc(size) : NULL)
#define calloc(number, size) (is_granted() ? calloc(number, size) : NULL)
#define aligned_alloc(alignment, size) (is_granted() ? aligned_alloc(alignment, size) : NULL)
#define free(room) (kept -= (room) != NULL, free(room))
#define pthread_create(id, attributes, body, argument) ((void)(id), (void)(body), 1)
"""


class Core:
    """The C core, with the control over its allocations."""

    def __init__(self, folder: Path) -> None:
        header = (CSRC / "tinydl.h").read_text()
        definitions = [f"#define {name} {new}" for name, new in renames(header, "float").items()]
        sources = {path.name for path in CSRC.glob("*.c")} - {"memory.c"}  # which tunes malloc
        includes = [f'#include "{source}"' for source in sorted(sources)]
        program = folder / "counted.c"
        program.write_text("\n".join([COUNTED, "#define real float", *definitions, *includes]))
        library = program.with_suffix(".so")
        flags = ["-std=gnu11", "-O1", "-fPIC", "-shared", "-pthread", "-DTINYDL_THREADS"]
        subprocess.run(["cc", *flags, f"-I{CSRC}", program, "-o", library, "-lm"], check=True)
        ffi = FFI()
        ffi.cdef(declarations(header, ["float"]) + CONTROL)
        self.control = ffi.dlopen(str(library))
        functions = {
            (name, np.dtype(np.float32)): getattr(self.control, f"{name}_float") for name in KERNELS
        }
        self.kernels = CKernels(ffi, functions, lambda: 2)

    def refusals(self, name: str, arrays: Any, settings: Any) -> int:
        """Call the kernel until nothing is refused: how often was it?"""
        expected = getattr(reference, name)(*arrays, *settings)
        for allowed in count():
            self.control.refuse_from(allowed)
            try:
                y = getattr(self.kernels, name)(*arrays, *settings)
            except MemoryError as error:
                assert str(error) == f"{name}: no memory to work in"
                assert self.control.count_refused() > 0
            else:
                np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-3)
            assert self.control.count_kept() == 0
            if self.control.count_refused() == 0:
                return allowed
        raise AssertionError("it asks for ever more")


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return Core(tmp_path_factory.mktemp("counted"))


@pytest.mark.parametrize("label", LARGE_CASES)
def test_each_allocation_of_a_large_call_may_fail(label: str, core: Core) -> None:
    call = LARGE_CASES[label]
    core.refusals(call.kernel, call.arrays(np.float32), call.settings)


@pytest.mark.parametrize("name", KERNELS)
def test_each_allocation_of_a_small_call_may_fail(name: str, core: Core) -> None:
    for case in cases(name, np.random.default_rng(0)):
        if "nan" not in case.traits:
            core.refusals(name, [a.astype(np.float32) for a in case.arrays], case.settings)


def test_allocations_were_refused(core: Core) -> None:
    call = LARGE_CASES["terms"]
    assert core.refusals(call.kernel, call.arrays(np.float32), call.settings) > 0
