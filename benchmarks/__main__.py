"""Measure tinydl beside the peers that are installed, in turn, each in a process of its own.

python -m benchmarks
python -m benchmarks --only conv --threads 1
python -m benchmarks --peer torch=/elsewhere/bin/python --peer jax=/elsewhere/bin/python
"""

import argparse
import json
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console

from benchmarks import machine
from benchmarks.cases import CASES
from benchmarks.processes import Failed, Worker, interpreters
from benchmarks.programs import ALL_IMAGES, measure_programs
from benchmarks.report import judgements, print_report
from benchmarks.results import Problem, Results

progress = Console(stderr=True, highlight=False)


def parse(arguments):
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument(
        "--seconds",
        type=float,
        default=0.1,
        help="of measuring, for a case, framework and round; default: %(default)s",
    )
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[1, 2], help="default: first 1, then 2"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[""],
        metavar="WORD",
        help="cases with one of these words in their group or name: matmul, conv, pool, "
        "elementwise, model, overhead, growth, program, 'Adam', ...",
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        type=lambda text: text.split("=", 1),
        metavar="NAME=PYTHON",
        help="the interpreter that has torch, tensorflow or jax, where it is not this one",
    )
    parser.add_argument(
        "--quick", action="store_true", help="few cases, one round: does everything still work?"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("tinydl-benchmarks"),
        help="folder for results.json and results.png; default: %(default)s",
    )
    return parser.parse_args(arguments)


def chosen(words, group, name=""):
    return any(word in group or word in name for word in words)


def prepare(case, workers, results):
    """Have each framework compute the case; give those that have it, and agree."""
    ready, first = {}, None
    for framework, worker in workers.items():
        try:
            variants = worker.ask("prepare", case.name)
        except Failed as failure:
            results.problems.append(Problem(case.name, framework, str(failure)))
            continue
        if not variants:
            continue
        first = first or (framework, next(iter(variants.values())))
        error = max(difference(got, first[1]) for got in variants.values())
        if error <= case.tolerance:
            ready[framework] = worker
        else:
            reason = f"differs from {first[0]}, by {error:.1e} of the largest number"
            results.problems.append(Problem(case.name, framework, reason, differs=True))
    return ready


def difference(got, expected):
    """The greatest difference, relative to the largest number; infinity for other shapes."""
    return max(
        np.abs(a - b).max() / np.abs(b).max() if a.shape == b.shape else np.inf
        for a, b in zip(got, expected, strict=True)
    )


def measure(case, workers, threads, rounds, seconds, results):
    """In each round, ask each framework in turn."""
    ready = prepare(case, workers, results)
    for _ in range(rounds):
        for framework, worker in ready.items():
            for variant, samples in worker.ask("measure", seconds).items():
                results.add(case.name, framework, variant, threads, median(samples))


def start_workers(pythons, threads, results):
    workers = {}
    for framework, python in pythons.items():
        try:
            workers[framework] = Worker(framework, python, threads)
        except Failed as failure:
            results.problems.append(Problem("every case", framework, str(failure)))
    return workers


def measure_cases(cases, pythons, threads, settings, results):
    workers = start_workers(pythons, threads, results)
    for number, case in enumerate(cases, 1):
        progress.print(f"[{number}/{len(cases)}, threads: {threads}] {case.name}", markup=False)
        measure(case, workers, threads, *settings, results)
    for worker in workers.values():
        worker.close()
    for case in cases:
        results.floors[case.name, threads] = machine.floor_seconds(case, threads)
    return {framework: worker.version for framework, worker in workers.items()}


def main(arguments=None):
    arguments = parse(arguments)
    pythons = interpreters(dict(arguments.peer))
    rounds, seconds = (1, 0.01) if arguments.quick else (arguments.rounds, arguments.seconds)
    cases = [
        case
        for case in CASES.values()
        if chosen(arguments.only, case.group, case.name) and (case.quick or not arguments.quick)
    ]
    results, versions = Results(), {}
    for threads in arguments.threads:
        if cases:
            versions = measure_cases(cases, pythons, threads, (rounds, seconds), results)
        if chosen(arguments.only, "program"):
            progress.print(f"[threads: {threads}] whole programs", markup=False)
            images, epochs, imports = (3200, 1, 1) if arguments.quick else (ALL_IMAGES, 5, 7)
            measure_programs(results, pythons, threads, images, epochs, imports)
    context = {"date": time.strftime("%Y-%m-%d"), "machine": machine.describe(), **versions}
    print_report(results, context, arguments.threads)
    save(results, context, arguments)
    return int(any(problem.differs for problem in results.problems))


def save(results, context, arguments):
    arguments.output.mkdir(parents=True, exist_ok=True)
    judged = list(judgements(results, arguments.threads))
    document = {"context": context, "targets": judged, **results.as_json()}
    (arguments.output / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    try:
        from benchmarks.picture import save_picture
    except ImportError:
        progress.print("No picture: matplotlib is not installed.")
    else:
        save_picture(results, arguments.threads, arguments.output / "results.png")


if __name__ == "__main__":
    sys.exit(main())
