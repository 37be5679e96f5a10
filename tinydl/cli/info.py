"""``tinydl info``: which versions, kernels, instruction set and threads are in use."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
from importlib.metadata import version

import numpy as np

from tinydl import kernels

HELP = "print versions, the active kernels, the instruction set and the number of threads"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments: there is nothing to set."""


def run(arguments: argparse.Namespace) -> int:
    """Print what a bug report needs, one fact a line."""
    core = importlib.util.find_spec("tinydl.kernels._compiled")
    facts = {
        "tinydl": version("tinydl"),
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "NumPy": np.__version__,
        "cffi": version("cffi"),
        "C core": core.origin if core else "not built; the kernels are NumPy's",
        "instruction set": kernels.instruction_set(),
        "threads": f"{kernels.get_num_threads()} of {os.cpu_count()} processors",
    }
    for name, value in facts.items():
        print(f"{name:<16}{value}")
    print("kernels")
    for name, served_by in kernels.active().items():
        print(f"  {name:<22}{served_by}")
    return 0
