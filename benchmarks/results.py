"""What was measured, and how it compares."""

from statistics import median
from typing import NamedTuple


class Measured(NamedTuple):
    """One case, computed by one framework in one way; a value for each round."""

    case: str
    framework: str
    variant: str
    threads: int
    unit: str
    values: list[float]

    @property
    def median(self):
        return median(self.values)

    @property
    def spread(self):
        """Half the way from the least to the greatest value, relative to the median."""
        return (max(self.values) - min(self.values)) / 2 / abs(self.median)


class Problem(NamedTuple):
    """A case that a framework could not compute, or computed differently."""

    case: str
    framework: str
    reason: str
    differs: bool = False


class Results:
    def __init__(self):
        self.measured = {}
        self.problems = []
        self.floors = {}  # {(case, threads): the least seconds this machine could take}

    def add(self, case, framework, variant, threads, value, unit="s"):
        key = case, framework, variant, threads
        self.measured.setdefault(key, Measured(*key, unit, [])).values.append(value)

    def best(self, case, framework, threads, variant=None):
        """The measurement of the variant, or of the fastest one; None if there is none."""
        found = [
            measured
            for (name, who, which, count), measured in self.measured.items()
            if (name, who, count) == (case, framework, threads) and variant in (None, which)
        ]
        return min(found, key=lambda measured: measured.median, default=None)

    def value(self, case, framework, threads, variant=None):
        measured = self.best(case, framework, threads, variant)
        return measured and measured.median

    def frameworks(self):
        return list(dict.fromkeys(framework for _, framework, _, _ in self.measured))

    def best_peer(self, case, threads):
        peers = [
            self.best(case, framework, threads)
            for framework in self.frameworks()
            if framework != "tinydl"
        ]
        return min(filter(None, peers), key=lambda measured: measured.median, default=None)

    def ratio(self, case, threads, peer=None, variant=None):
        """How many times as long as tinydl the peer takes, or the best one; None if not known."""
        ours = self.value(case, "tinydl", threads)
        if peer:
            theirs = self.value(case, peer, threads, variant)
        else:
            best = self.best_peer(case, threads)
            theirs = best and best.median
        return theirs / ours if theirs and ours else None

    def share(self, case, threads):
        """The least time possible, as a share of the time tinydl takes; None if not known."""
        floor, ours = self.floors.get((case, threads)), self.value(case, "tinydl", threads)
        return floor / ours if floor and ours else None

    def as_json(self):
        return {
            "measured": [
                measured._asdict() | {"median": measured.median}
                for measured in self.measured.values()
            ],
            "least seconds possible": [
                {"case": case, "threads": threads, "seconds": seconds}
                for (case, threads), seconds in self.floors.items()
            ],
            "problems": [problem._asdict() for problem in self.problems],
        }
