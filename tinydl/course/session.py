"""A submission's process for as long as it is graded, started again whenever it has ended."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinydl.course import sanitizers
from tinydl.course.compiling import compile_c
from tinydl.course.process import Ended, Limits, SubmissionProcess
from tinydl.kernels.plugin import HEADER

GARBAGE, OTHER_GARBAGE = 123.5, -54.25  # what results hold before C has set them
ROOT = str(Path(__file__).parent.parent.parent)  # where a process finds this tinydl


class Session:
    """A submission in Python, or compiled kernels.

    Parameters
    ----------
    start : mapping
        What the process begins with; see `python_start`.
    limits : Limits
    files : mapping of str to bytes
        What lies in its working folder.
    environment : mapping of str to str
        Variables that it needs.

    Attributes
    ----------
    output, last_output : str
        What all its processes printed, and what the one that ended last did.
    taken : float
        Seconds that all answers took together.
    cpu : float
        Seconds of processor time that the last answer took.
    warnings : list of str
        None, for Python.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        limits: Limits,
        files: Mapping[str, bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._start, self._limits = start, limits
        self._files, self._environment = files, environment
        self._process: SubmissionProcess | None = None
        self.output = ""
        self.last_output = ""
        self.taken = self.cpu = 0.0
        self.warnings: list[str] = []

    def load(self) -> dict[str, Any]:
        """Start the process and run the file; the answer says what it defines, or what is wrong."""
        self.close()
        self._process = SubmissionProcess(self._start, self._limits, self._files, self._environment)
        try:
            answer = self._process.load()
        except Ended:
            self.taken += self._limits.import_seconds
            self.close()
            raise
        self.taken += self._process.taken
        return answer

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises
        ------
        Ended
            If the process ended instead; the next request starts it again.
        """
        if self._process is None and "result" not in self.load():
            raise Ended("crashed", "the file could not be loaded a second time")
        assert self._process is not None
        try:
            answer = self._process.ask(request, seconds)
        except Ended:
            self.taken += seconds
            self.close()
            raise
        self.taken += self._process.taken
        self.cpu = self._process.cpu
        return answer

    def close(self) -> None:
        """End the process, keeping what it printed."""
        if self._process is not None:
            room = self._limits.output - len(self.output)
            self._process.close()
            self.last_output = self._process.output
            self.output += self.last_output[:room]
            self._process = None


class KernelSession:
    """A submission in C: each call runs under the sanitizers first, and then as compiled for speed.

    Parameters
    ----------
    text, file : str
        The C file, and its name.
    limits : Limits

    Attributes
    ----------
    warnings : list of str
        What the compiler remarks.

    Raises
    ------
    Unreadable
        If it does not compile.
    """

    def __init__(self, text: str, file: str, limits: Limits) -> None:
        self._compiled = compile_c(text, file)
        self._file, self._limits = file, limits
        self.warnings = self._compiled.warnings
        self._sessions: list[Session] = []

    def load(self) -> dict[str, Any]:
        """Load both libraries; the answer says what they define.

        Where sanitized code cannot be loaded, kernels work between guard pages instead.
        """
        fast, sanitized = self._compiled.fast, self._compiled.sanitized
        start = kernel_start(self._file, self._limits)
        if sanitized:  # which need the whole address space
            held = {**start, "memory": None, "garbage": OTHER_GARBAGE}
            strict = Session(held, self._limits, sanitized, sanitizers.environment())
            with contextlib.suppress(Ended):
                if "result" in strict.load():
                    self._sessions = [strict, Session(start, self._limits, fast)]
                    return self._told(self._sessions[-1], self._sessions[-1].load)
            strict.close()
        self._sessions = [Session({**start, "guarded": True}, self._limits, fast)]
        return self._told(self._sessions[-1], self._sessions[-1].load)

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Make both answer, and return what the fast one says.

        Raises
        ------
        Ended
            If one ended instead, or if they answer differently.
        """
        answers = [
            self._told(session, lambda session=session: session.ask(request, seconds))
            for session in self._sessions
        ]
        if not _alike(answers[0].get("result"), answers[-1].get("result")):
            raise Ended(
                "crashed",
                "its result depends on what was in memory before, or on the compiler's options: "
                "probably an element of the result is never set, or is added to before it was 0",
            )
        return answers[-1]

    def _told(self, session: Session, work: Any) -> Any:
        """Do it; if the process ends, say which line of the C file did it."""
        try:
            return work()
        except Ended as ended:
            report = session.last_output
            message, line = sanitizers.read_report(report, self._file, self._compiled.sanitized)
            if ended.state != "crashed" or not message:
                raise
            place = f"{self._file}, line {line}: " if line else ""
            raise Ended("crashed", f"{place}{message}", line) from None

    @property
    def taken(self) -> float:
        """Seconds that all answers of both took together."""
        return sum(session.taken for session in self._sessions)

    @property
    def cpu(self) -> float:
        """Seconds of processor time of the fast one's last answer."""
        return self._sessions[-1].cpu

    @property
    def output(self) -> str:
        """What the processes printed, reports of sanitizers included."""
        return "".join(session.output for session in self._sessions)

    def close(self) -> None:
        """End both processes."""
        for session in self._sessions:
            session.close()


Sessions = Session | KernelSession


def python_start(
    source: str, file: str, allowed: tuple[str, ...], limits: Limits
) -> dict[str, Any]:
    """What the process of a submission in Python begins with."""
    return {
        "source": source,
        "file": file,
        "allowed": list(allowed),
        "paths": [ROOT] if "tinydl" in allowed else [],
        "header": "",
        "guarded": False,
        "cpu_seconds": int(limits.total_seconds),
        "memory": limits.memory,
    }


def kernel_start(file: str, limits: Limits) -> dict[str, Any]:
    """What the process of compiled kernels begins with."""
    start = python_start("", file, ("numpy", "tinydl"), limits)
    return {**start, "header": HEADER.read_text(), "garbage": GARBAGE}


def _alike(one: Any, other: Any) -> bool:
    """Whether two answers of the same C code are the same up to rounding."""
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
        return type(one) is type(other)
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    with np.errstate(all="ignore"):
        return bool(np.allclose(one, other, rtol=1e-3, atol=1e-3, equal_nan=True))
