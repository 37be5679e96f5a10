"""Processes that measure: one framework each, on as many processors as it may have threads."""

import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
FRAMEWORKS = ("tinydl", "numpy", "torch", "tensorflow", "jax")
THREAD_VARIABLES = (
    "TINYDL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


def interpreters(given):
    """{framework: interpreter} of those that are installed; `given` names other interpreters."""
    pythons = {name: given.get(name, sys.executable) for name in FRAMEWORKS}
    return {name: python for name, python in pythons.items() if has(python, name)}


def has(python, module):
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0


def environment(threads):
    """Ours, with so many threads; and Python may keep what it has compiled, as it mostly does."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **ours,
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONPATH": str(ROOT),
    }


def pinned(command, threads):
    """The command, kept to so many processors where the system can do that.

    Linux lets a thread choose its processors and hands the choice on to what it starts; a function
    between fork and exec would do the same, but is not safe in a process with threads.
    """
    if not hasattr(os, "sched_setaffinity"):
        return command
    code = (
        "import os, sys; cpus = sorted(os.sched_getaffinity(0));"
        f"os.sched_setaffinity(0, cpus[-{threads}:]); os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-c", code, *command]


class Failed(Exception):
    """A case that a framework could not compute, and why."""


class Worker:
    """A process of `benchmarks.worker`; it sleeps whenever it is not asked."""

    def __init__(self, framework, python, threads):
        self.process = subprocess.Popen(
            pinned([python, "-m", "benchmarks.worker"], threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(threads),
            cwd=ROOT,
        )
        self.version = self.ask("start", framework, threads)

    def ask(self, *request):
        pickle.dump(request, self.process.stdin)
        self.process.stdin.flush()
        try:
            answer, error = pickle.load(self.process.stdout)
        except EOFError:
            raise Failed("the process ended") from None
        if error:
            raise Failed(error)
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Outcome(NamedTuple):
    """What a whole process took, and what it printed."""

    seconds: float
    peak_megabytes: float
    output: str


def run_program(command, threads):
    """Run a program from its start to its end."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            pinned(command, threads),
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(threads),
            cwd=ROOT,
            text=True,
        )
        output = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise Failed((errors.read().splitlines() or ["the process ended"])[-1])
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss: bytes or KiB
    return Outcome(seconds, usage.ru_maxrss * unit / 1e6, output)
