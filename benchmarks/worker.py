"""One framework in a process of its own: it reads requests, and answers with results or seconds.

    python -m benchmarks.worker

Requests and answers are pickled, on standard input and output. The interpreter may be one in which
tinydl is not installed: only NumPy and the framework are needed here.
"""

import os
import pickle
import resource
import sys
import traceback
from importlib import import_module
from time import perf_counter

import numpy as np

from benchmarks.cases import CASES

SECONDS_OF_A_SAMPLE = 0.002  # so long that the clock's own microsecond does not matter


class Session:
    """What one framework does with one case after another."""

    def start(self, framework, threads):
        """Import the framework; give its version."""
        self.module = import_module(f"benchmarks.with_{framework}")
        self.module.start(threads)
        return str(self.module.version())

    def prepare(self, name):
        """Build the case; give the results of its first calls, for each variant.

        Without a function of the operation's name in the framework's module there is none.
        """
        case = CASES[name]
        operation = getattr(self.module, case.operation, None)
        self.works = list(operation(**case.arrays(), **case.settings)) if operation else []
        self.calls = {}
        return {
            work.variant: [np.array(work.read(work.run())) for _ in range(case.calls_compared)]
            for work in self.works
        }

    def measure(self, seconds):
        """Seconds of a call, for each variant: one number for each sample."""
        return {work.variant: self.samples(work, seconds) for work in self.works}

    def samples(self, work, seconds):
        """As many samples as fit into the seconds, at least one."""
        work.run()  # now the caches hold this process's arrays again
        if work.variant not in self.calls:
            once, _ = sample(work.run, 1)
            self.calls[work.variant] = max(1, int(SECONDS_OF_A_SAMPLE / once))
        samples, end = [], perf_counter() + seconds
        while not samples or perf_counter() < end:
            samples.append(sample(work.run, self.calls[work.variant]))
        undisturbed = [seconds for seconds, disturbed in samples if not disturbed]
        return undisturbed or [seconds for seconds, _ in samples]


def sample(run, calls):
    """Seconds of a call; and whether the system took the processor away meanwhile."""
    before = interruptions()
    start = perf_counter()
    for _ in range(calls):
        run()
    return (perf_counter() - start) / calls, interruptions() > before


def interruptions():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def serve(requests, answers):
    """Answer until there are no more requests."""
    session = Session()
    while True:
        try:
            action, *arguments = pickle.load(requests)
        except EOFError:
            return
        try:
            answer = getattr(session, action)(*arguments), None
        except Exception as error:  # each framework raises errors of its own
            answer = None, traceback.format_exception_only(error)[0].strip().splitlines()[0]
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a framework prints must not come between the answers
    serve(sys.stdin.buffer, answers)
