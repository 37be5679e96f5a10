"""Time that a submission does not have to answer for."""

import os
import subprocess
import sys

import pytest

from tinydl.course import stopwatch


@pytest.fixture
def clock(monkeypatch):
    """The time of day, which a test can set."""
    now = [100.0]
    monkeypatch.setattr(stopwatch.time, "monotonic", lambda: now[0])
    return now


def test_what_passes_between_two_looks_counts(clock):
    watch = stopwatch.Stopwatch(os.getpid)
    for _ in range(3):
        clock[0] += 0.05
        watch.passed()
    assert watch.passed() == pytest.approx(0.15)


def test_while_the_grader_is_stopped_time_stands_still(clock):
    watch = stopwatch.Stopwatch(os.getpid)
    clock[0] += 3600.0
    assert watch.passed() == stopwatch.LONGEST_LOOK


def test_waiting_for_a_processor_is_not_counted_but_computing_is(clock, monkeypatch):
    monkeypatch.setattr(stopwatch, "_waited_by", lambda thread: 0.0)
    monkeypatch.setattr(stopwatch, "_waited", lambda process: 0.0)
    monkeypatch.setattr(stopwatch, "_cpu", lambda process: 0.0)
    watch = stopwatch.Stopwatch(os.getpid)
    clock[0] += 0.4
    monkeypatch.setattr(stopwatch, "_waited", lambda process: 0.3)
    assert watch.taken() == pytest.approx(0.1)
    monkeypatch.setattr(stopwatch, "_waited", lambda process: 40.0)  # a hundred threads
    monkeypatch.setattr(stopwatch, "_cpu", lambda process: 0.2)
    assert watch.taken() == pytest.approx(0.2)


def test_the_waiting_of_the_grader_is_not_counted(clock, monkeypatch):
    """It adds up in a property that asks hundreds of times."""
    waited = {"/proc/thread-self": 0.0}
    monkeypatch.setattr(stopwatch, "_waited_by", lambda thread: waited.get(thread, 0.0))
    monkeypatch.setattr(stopwatch, "_cpu", lambda process: 0.0)
    watch = stopwatch.Stopwatch(os.getpid)
    clock[0] += 0.4
    waited["/proc/thread-self"] = 0.25
    assert watch.taken() == pytest.approx(0.15)


def test_waiting_ends_with_the_process_or_the_time():
    assert stopwatch.wait(subprocess.Popen([sys.executable, "-c", "exit(7)"]), 30) == 7
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        stopwatch.wait(sleeper, 0.2)
    sleeper.communicate()
