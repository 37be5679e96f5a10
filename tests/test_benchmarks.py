"""The benchmarks count, compare and judge rightly, and run from end to end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def found_by_import(monkeypatch):
    """`benchmarks` is no part of the package: it is found from the root only."""
    monkeypatch.syspath_prepend(ROOT)


def test_no_two_cases_share_a_name():
    from benchmarks import cases

    made = [
        case.name
        for make in (
            cases.products,
            cases.convs,
            cases.pools,
            cases.elementwise,
            cases.training_steps,
            cases.overhead,
            cases.growth,
        )
        for case in make()
    ]
    assert sorted(made) == sorted(cases.CASES)


def test_flops_of_a_convolution_leave_out_the_padding():
    from benchmarks.cases import conv

    plain = next(conv("", 2, 5, 3, 4, 3))
    assert plain.flops == 2 * 2 * (3 * 3) * (3 * 3) * 3 * 4
    # Of 3 places with 3 window elements each, two meet the padding, at either end.
    padded = next(conv("", 1, 3, 1, 1, 3, padding=1))
    assert padded.flops == 2 * 7 * 7


def test_numpy_and_tinydl_agree_on_the_quick_cases():
    from benchmarks import with_numpy, with_tinydl
    from benchmarks.__main__ import difference
    from benchmarks.cases import CASES

    compared = 0
    for case in CASES.values():
        theirs = getattr(with_numpy, case.operation, None)
        if case.quick and theirs:
            results = [
                [np.array(work.read(work.run())) for _ in range(case.calls_compared)]
                for function in (theirs, getattr(with_tinydl, case.operation))
                for work in function(**case.arrays(), **case.settings)
            ]
            assert len(results) == 2, case.name
            assert difference(*results) < case.tolerance, case.name
            compared += 1
    assert compared > 5


class FakeWorker:
    """A framework that computes one number, in so many seconds."""

    def __init__(self, number, seconds):
        self.number, self.seconds = number, seconds

    def ask(self, action, _):
        return {"": [np.array(self.number)] if action == "prepare" else [self.seconds]}


def test_who_computes_something_else_is_not_timed():
    from benchmarks.__main__ import measure
    from benchmarks.cases import CASES
    from benchmarks.results import Results

    results, case = Results(), CASES["matmul n=16"]
    workers = {
        "tinydl": FakeWorker(3.0, 0.5),
        "numpy": FakeWorker(3.0, 1.0),
        "torch": FakeWorker(4.0, 0.1),
    }
    measure(case, workers, threads=1, rounds=2, seconds=0.1, results=results)
    assert results.ratio(case.name, 1) == 2.0
    assert results.value(case.name, "torch", 1) is None
    (problem,) = results.problems
    assert (problem.framework, problem.differs) == ("torch", True)


def test_another_shape_is_another_result():
    from benchmarks.__main__ import difference

    assert difference([np.zeros(3)], [np.ones(2)]) == np.inf


@pytest.fixture
def results():
    """PyTorch in two variants, twice and thrice as slow; NumPy four times, with two threads."""
    from benchmarks.results import Results

    results = Results()
    for variant, factor in (("NCHW", 3), ("channels last", 2)):
        for seconds in (1.0, 5.0, 1.1):
            results.add("Adam, 1M parameters", "torch", variant, 1, factor * seconds)
    results.add("Adam, 1M parameters", "tinydl", "", 1, 1.0)
    results.add("matmul n=256", "tinydl", "", 2, 1.0)
    results.add("matmul n=512", "tinydl", "", 2, 1.0)
    results.add("matmul n=256", "numpy", "", 2, 4.0)
    results.add("matmul n=512", "numpy", "", 2, 0.25)
    results.floors["matmul n=512", 2] = 0.5
    return results


def test_the_fastest_variant_counts_unless_one_is_named(results):
    name = "Adam, 1M parameters"
    assert results.ratio(name, 1) == pytest.approx(2.2)
    assert results.ratio(name, 1, "torch", "NCHW") == pytest.approx(3.3)
    assert results.ratio(name, 2) is None


def judge(results, subject, text, threads):
    from benchmarks.targets import TARGETS

    (target,) = (t for t in TARGETS if t.subject == subject and text in t.text)
    measured, known, _ = target.judge(results, threads)
    return measured, known, measured is not None and target.met(measured)


def test_targets_take_the_mean_or_the_worst(results):
    assert judge(results, "matmul", "geometric mean", 2) == (pytest.approx(1.0), 2, True)
    assert judge(results, "matmul", "worst case", 2) == (0.25, 2, False)
    assert judge(results, "matmul", "share of", 2) == (0.5, 1, False)


def test_targets_without_measurements_are_neither_met_nor_missed(results):
    assert judge(results, "pools", "", 1) == (None, 0, False)


def test_growth_is_a_slope(results):
    for batch in (8, 16, 32, 64, 128):
        results.add(f"dense 1024-1024 N={batch}", "tinydl", "", 1, 1e-6 * batch**1.5)
    assert judge(results, "growth", "slope in the batch", 1) == (pytest.approx(1.5), 1, False)


def test_two_threads_are_compared_with_one(results):
    results.add("matmul n=512", "tinydl", "", 1, 1.8)
    assert judge(results, "growth", "two threads", 2) == (pytest.approx(1.8), 1, True)
    assert judge(results, "growth", "two threads", 1) == (None, 0, False)


def test_only_our_own_instructions_are_counted():
    from benchmarks.instructions import own_instructions

    dump = """\
ob=/somewhere/libc.so
fn=memcpy
1 1000
ob=/somewhere/tinydl/kernels/_compiled.abi3.so
fn=conv_float_avx2
5 20
cob=/somewhere/libc.so
cfn=memcpy
calls=1 1
5 1000
6 3
"""
    assert own_instructions(dump) == 23


@pytest.mark.slow
def test_the_quick_mode_runs_from_end_to_end(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Targets" in done.stdout
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["problems"] == []
    assert {row["threads"] for row in document["measured"]} == {1, 2}
    assert len(document["targets"]) > 10
    assert (tmp_path / "results.png").stat().st_size > 1000
