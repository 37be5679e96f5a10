"""Many submissions at once, each graded by a process of its own.

So one grading cannot disturb another: not by what it leaves in memory, not by how it ends. The
process started here is a grader; the submission runs in yet another one, which the grader starts
(`tinydl.course.process`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinydl.course.assignment import load_assignment
from tinydl.course.grades import Grade
from tinydl.course.grading import grade

GRADER_FAILED = "grader failed"
SECONDS = 1800.0  # far more than any grading takes: submissions have limits of their own
PACKAGES = Path(__file__).parents[2]


@dataclass(frozen=True)
class Job:
    """A submission to grade.

    Attributes
    ----------
    assignment : Path
        The folder of the assignment.
    submission : Path
        The file or folder that was handed in.
    seed : int
    """

    assignment: Path
    submission: Path
    seed: int = 0


def grade_all(jobs: Sequence[Job], workers: int) -> Generator[tuple[Job, Grade]]:
    """Grade submissions, some at a time; each comes out when it is done.

    Where a grader itself fails, its grade has the state "grader failed". When the iteration is
    left early, by Ctrl-C for instance, gradings under way are ended.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int
        How many at a time.

    Yields
    ------
    (Job, Grade)
    """
    graders = _Graders()
    with ThreadPoolExecutor(workers) as pool:
        try:
            futures = {pool.submit(graders.grade, job): job for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            graders.stop()


class _Graders:
    """The processes under way, so that they can be ended."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def grade(self, job: Job) -> Grade:
        with self._lock:
            if self._stopped:
                return _failed(job, "it was not started")
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tinydl.course.workers"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for us; we tell them
            )
            self._running.add(process)
        order = [str(job.assignment), str(job.submission), job.seed]
        try:
            answer, complaint = process.communicate(json.dumps(order).encode(), timeout=SECONDS)
            return Grade.from_dict(json.loads(answer))
        except subprocess.TimeoutExpired:
            _end([process])
            return _failed(job, f"it took longer than {SECONDS:.0f} seconds")
        except ValueError:
            said = complaint.decode("utf-8", "replace").strip()[-1000:]
            return _failed(job, said or f"it ended with exit code {process.returncode}")
        finally:
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """Start no more, and end those under way."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        _end(running)


def _end(graders: Sequence[subprocess.Popen[bytes]]) -> None:
    """By a request, so that each grader ends its submission, too; or else by force."""
    for process in graders:
        process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            for process in graders:
                process.wait(timeout=10)
    finally:  # also after a second Ctrl-C
        for process in graders:
            process.kill()


def _failed(job: Job, message: str) -> Grade:
    return Grade(job.assignment.name, GRADER_FAILED, job.seed, message=message)


def _environment() -> dict[str, str]:
    """Ours, in which the package is found whatever the working folder is."""
    path = [str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def _main() -> None:
    """Read one order, grade, and write the grade; end as by Ctrl-C when asked to."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    order: list[Any] = json.loads(sys.stdin.read())
    assignment, submission, seed = order
    result = grade(load_assignment(assignment), submission, seed=seed)
    print(json.dumps(result.to_dict()))


if __name__ == "__main__":
    _main()
