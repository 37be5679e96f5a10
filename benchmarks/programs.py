"""Whole processes: the worked example, what an import takes, and how much memory they need."""

import json
import re
import sys
import tempfile

from benchmarks import mnist_cnn
from benchmarks.processes import ROOT, Failed, run_program
from benchmarks.results import Problem

EPOCH = "worked example, an epoch"
PROCESS = "worked example, whole process"
MEMORY = "worked example, peak memory"
TRAIN_MEMORY = "python -m tinydl train, peak memory"
IMPORT = "import, beyond NumPy's"
BACKWARD_MEMORY = "peak memory, with backward over without"
PROGRAM_CASES = (EPOCH, PROCESS, MEMORY, TRAIN_MEMORY, IMPORT, BACKWARD_MEMORY)

ALL_IMAGES = 60_000
LEAST_ACCURACY = 0.75  # which a twentieth of the images reaches, too

# Each of 200 sines keeps 1 MB for its gradient; on the way back no more may be needed at a time
# than a few of them.
BACKWARD = """
import resource, numpy, tinydl
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
x = y = tinydl.tensor(numpy.ones(1 << 18, "float32"), requires_grad=True)
for _ in range(200):
    y = tinydl.ops.sin(y)
before = peak()
tinydl.grad(y.sum(), x)
print(peak() / before)
"""


def readme_program():
    """The worked example, word for word."""
    text = (ROOT / "README.md").read_text()
    return re.search(r"^```python\n(import tinydl as keras\n.*?)^```$", text, re.S | re.M).group(1)


def measure_programs(results, pythons, threads, images, epochs, imports):
    """Run each program, from its start to its end; import each framework so many times."""
    for name, (framework, _) in mnist_cnn.PROGRAMS.items():
        if framework in pythons:
            command = mnist_cnn.command(name, pythons[framework], images, epochs, threads)
            measure_training(results, command, name, framework, threads)
    if images == ALL_IMAGES:
        measure_own_programs(results, threads)
    for _ in range(imports):
        measure_imports(results, pythons, threads)
    ratio = run_program([sys.executable, "-c", BACKWARD], threads).output
    results.add(BACKWARD_MEMORY, "tinydl", "", threads, float(ratio), unit="times")


def measure_training(results, command, name, framework, threads):
    """Five epochs are five values of an epoch, and one of a whole process."""
    _, _, variant = name.partition(", ")
    try:
        outcome = run_program(command, threads)
    except Failed as failure:
        results.problems.append(Problem(EPOCH, framework, f"{name}: {failure}"))
        return
    seconds, accuracy = json.loads(outcome.output)
    if accuracy < LEAST_ACCURACY:
        reason = f"{name} learned only {accuracy:.0%}"
        results.problems.append(Problem(EPOCH, framework, reason, differs=True))
    for epoch in seconds:
        results.add(EPOCH, framework, variant, threads, epoch)
    if framework != "tinydl":  # whose whole process is the README's program
        results.add(PROCESS, framework, variant, threads, outcome.seconds)
        results.add(MEMORY, framework, variant, threads, outcome.peak_megabytes, unit="MB")


def measure_own_programs(results, threads):
    program = run_program([sys.executable, "-c", readme_program()], threads)
    results.add(PROCESS, "tinydl", "", threads, program.seconds)
    results.add(MEMORY, "tinydl", "", threads, program.peak_megabytes, unit="MB")
    with tempfile.TemporaryDirectory() as folder:
        train = [sys.executable, "-m", "tinydl", "train", "--output", folder]
        megabytes = run_program(train, threads).peak_megabytes
    results.add(TRAIN_MEMORY, "tinydl", "", threads, megabytes, unit="MB")


def measure_imports(results, pythons, threads):
    for framework, python in pythons.items():
        if framework != "numpy":
            before = run_program([python, "-c", "import numpy"], threads).seconds
            both = run_program([python, "-c", f"import numpy, {framework}"], threads).seconds
            results.add(IMPORT, framework, "", threads, both - before)
