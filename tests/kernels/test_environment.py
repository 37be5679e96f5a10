"""What is read from the environment, threads, forks, and life without a C core."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinydl import kernels
from tinydl.errors import ArgumentError, DTypeError

ROOT = Path(__file__).parents[2]
WITHOUT_C = "import sys; sys.modules['tinydl.kernels._compiled'] = None; "

needs_c = pytest.mark.skipif(kernels.instruction_set() == "none", reason="there is no C core")


def python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TINYDL_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def restore_threads() -> Iterator[None]:
    before = kernels.get_num_threads()
    yield
    kernels.set_num_threads(before)


@pytest.mark.usefixtures("restore_threads")
def test_number_of_threads() -> None:
    kernels.set_num_threads(3)
    assert kernels.get_num_threads() == 3


@pytest.mark.parametrize(
    ("n", "error"),
    [(0, ArgumentError), (-1, ArgumentError), (10**9, ArgumentError), (1.5, DTypeError)],
)
def test_a_number_of_threads_that_cannot_be_is_refused(n: Any, error: type[Exception]) -> None:
    before = kernels.get_num_threads()
    with pytest.raises(error, match="set_num_threads: n is"):
        kernels.set_num_threads(n)
    assert kernels.get_num_threads() == before


def test_without_c_numpy_computes_and_one_sentence_says_so() -> None:
    outcome = python(
        WITHOUT_C + "import tinydl; from tinydl import kernels; import numpy as np; "
        "kernels.matmul(np.eye(2), np.eye(2)); kernels.set_num_threads(2); "
        "print(set(kernels.active().values()), kernels.instruction_set())"
    )
    assert outcome.stdout == "{'numpy'} none\n"
    assert outcome.stderr.count("was installed without its C core") == 1


def test_without_c_numpy_may_be_chosen_silently() -> None:
    outcome = python(WITHOUT_C + "import tinydl", TINYDL_KERNELS="numpy")
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_without_c_choosing_it_is_an_error() -> None:
    outcome = python(
        WITHOUT_C + "from tinydl import kernels; kernels.use('c')", TINYDL_KERNELS="numpy"
    )
    assert "ArgumentError: use: backend is 'c', expected kernels that are installed" in (
        outcome.stderr
    )


def test_c_can_be_required() -> None:
    outcome = python(WITHOUT_C + "import tinydl", TINYDL_REQUIRE_C="1", TINYDL_KERNELS="numpy")
    assert outcome.returncode != 0
    assert "ImportError: TINYDL_REQUIRE_C=1, but the C core of tinydl is not here" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TINYDL_KERNELS", "nunpy", "did you mean 'numpy'?"),
        ("TINYDL_NUM_THREADS", "two", "TINYDL_NUM_THREADS is 'two', expected a whole number"),
        ("TINYDL_NUM_THREADS", "0", "expected a number from 1"),
        pytest.param("TINYDL_INSTRUCTION_SET", "avx3", "did you mean 'avx2'?", marks=needs_c),
    ],
)
def test_values_that_mean_nothing_are_refused(name: str, value: str, message: str) -> None:
    outcome = python("import tinydl", **{name: value})
    assert outcome.returncode != 0
    assert message in outcome.stderr


@needs_c
def test_values_are_followed() -> None:
    outcome = python(
        "import os; former = dict(os.environ); from tinydl import kernels; "
        "print(kernels.get_num_threads(), kernels.active()['conv'], former == dict(os.environ))",
        TINYDL_NUM_THREADS="3",
        TINYDL_INSTRUCTION_SET="baseline",
    )
    assert (outcome.stdout, outcome.stderr) == ("3 c (baseline) True\n", "")


COUNT_THREADS = """
import os, numpy as np
from tinydl import kernels
kernels.set_num_threads(3)
x = np.ones((1500, 2000), np.float32)

def threads_after_a_kernel():
    assert (kernels.relu(x) == 1).all()
    return len(os.listdir("/proc/self/task"))

before = len(os.listdir("/proc/self/task"))
print(before, threads_after_a_kernel(), threads_after_a_kernel(), flush=True)
"""
FORK = """
child = os.fork()
if child != 0:
    assert os.waitpid(child, 0)[1] == 0
print(len(os.listdir("/proc/self/task")), threads_after_a_kernel(), flush=True)
"""
counts_threads = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only on Linux")


@needs_c
@counts_threads
def test_helpers_are_started_by_need_and_stay() -> None:
    outcome = python(COUNT_THREADS, OPENBLAS_NUM_THREADS="1")
    assert outcome.stdout == "1 3 3\n", outcome.stderr


@needs_c
@counts_threads
def test_a_forked_process_starts_helpers_of_its_own() -> None:
    outcome = python(COUNT_THREADS + FORK, OPENBLAS_NUM_THREADS="1")
    assert outcome.stdout == "1 3 3\n1 3\n3 3\n", outcome.stderr


@pytest.mark.usefixtures("restore_threads")
def test_several_threads_of_the_program_may_call_kernels_at_once() -> None:
    kernels.set_num_threads(2)
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(300, 4000)).astype(np.float32) for _ in range(4)]
    alone = [kernels.sum_rows(x) for x in tables]

    def again_and_again(i: int) -> bool:
        return all((kernels.sum_rows(tables[i]) == alone[i]).all() for _ in range(50))

    with ThreadPoolExecutor(4) as executor:
        assert all(executor.map(again_and_again, range(4)))


@pytest.fixture
def build(tmp_path: Path) -> Any:
    """Build the C core from the sources in a folder of its own, with a compiler that fails."""
    pytest.importorskip("setuptools")

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        folders = ["--build-lib", str(tmp_path / "lib"), "--build-temp", str(tmp_path / "temp")]
        return subprocess.run(
            [sys.executable, "setup.py", "-q", "build_ext", *folders],
            cwd=ROOT,
            env=os.environ | {"CC": "false"} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_kernel_that_nothing_defines_stops_the_build(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    for part in ("csrc", "tinydl/kernels"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("*.so"))
    shutil.copy(ROOT / "setup.py", tmp_path)
    with (tmp_path / "csrc/tinydl.h").open("a") as header:
        header.write("int cube(const real *x, real *y, const table *s, int threads);\n")
    outcome = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode != 0
    assert "csrc: nothing defines cube, plain_cube; each kernel" in outcome.stderr


def test_installing_where_nothing_compiles_goes_without_c(build: Any, tmp_path: Path) -> None:
    outcome = build(TINYDL_REQUIRE_C="0")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.count("installed without its C core") == 1
    assert (tmp_path / "lib/tinydl/kernels/tinydl.h").exists()


def test_installing_where_nothing_compiles_fails_if_c_is_required(build: Any) -> None:
    assert build(TINYDL_REQUIRE_C="1").returncode != 0
