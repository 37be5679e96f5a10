"""Time that a submission does not have to answer for."""

import os

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
