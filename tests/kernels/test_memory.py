"""Large arrays of one training step serve the next one, without a detour to the system."""

import os
import platform
import subprocess
import sys

import pytest

from tinydl import kernels

STEPS = """
import resource
import numpy as np
import tinydl

def step():
    arrays = [np.ones(700_000, "float32") for _ in range(4)]

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not kernels.active()["matmul"].startswith("c"),
    reason="only glibc is told to keep memory, by the C core",
)
def test_pages_of_freed_arrays_are_used_again():
    environment = {name: value for name, value in os.environ.items() if "MALLOC" not in name}
    run = subprocess.run(
        [sys.executable, "-c", STEPS], env=environment, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 100  # of more than 20,000
