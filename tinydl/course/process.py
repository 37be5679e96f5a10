"""The process beside a submission, seen from the grader: started, asked, and ended.

The grader believes nothing that comes out of it. Answers have a limit in time and size, may be any
bytes (`tinydl.course.inside.frames` reads them), and the process is killed when it is done with,
whatever it is doing.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tinydl.course import bubblewrap
from tinydl.course.inside import frames
from tinydl.course.stopwatch import Stopwatch, wait

INSIDE = Path(__file__).with_name("inside")
PIECE = 1 << 16


@dataclass(frozen=True)
class Limits:
    """How much a submission may take.

    Parameters
    ----------
    seconds : float
        For each property. While the machine is busy with other things, the clock stands still.
    import_seconds : float
        For running the file itself, before anything is asked.
    total_seconds : float
        For all properties together.
    memory : int
        Bytes of address space.
    result : int
        Bytes of the largest answer.
    output : int
        Characters of what it prints that are kept; more is read and dropped.
    """

    seconds: float = 10.0
    import_seconds: float = 20.0
    total_seconds: float = 120.0
    memory: int = 4 << 30
    result: int = 64 << 20
    output: int = 20_000


PATIENCE = 20.0


class Ended(Exception):
    """The process is gone, or is of no more use.

    Attributes
    ----------
    state : str
        "timed out", "crashed", or "garbled" if what it says cannot be read.
    message : str
        What happened, for the student.
    line : int or None
        Where in the file, if that is known.
    """

    def __init__(self, state: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.state, self.message, self.line = state, message, line


class SubmissionProcess:
    """One process that has a submission loaded. Use it in a ``with`` statement.

    Parameters
    ----------
    start : mapping
        The first request; see `tinydl.course.inside.__main__`.
    limits : Limits
    files : mapping of str to bytes
        What to put into the working folder.
    environment : mapping of str to str
        Variables besides the few it always gets.

    Attributes
    ----------
    output : str
        What it has printed.
    taken, cpu : float
        Seconds that the last answer took, and seconds of processor time among them.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        limits: Limits,
        files: Mapping[str, bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._limits = limits
        self.output = ""
        self.taken = self.cpu = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="tinydl-", ignore_cleanup_errors=True)
        for name, content in (files or {}).items():
            Path(self._folder.name, name).write_bytes(content)
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        variables = _environment(self._folder.name, environment or {})
        line = command(requests, answers)
        self._wrapped = bubblewrap.available()
        if self._wrapped:
            line, variables = bubblewrap.wrapped(line, self._folder.name, variables), {}
        try:
            self._process = subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._folder.name,
                env=variables,
                pass_fds=(requests, answers),
                start_new_session=True,
            )
        finally:
            os.close(requests)
            os.close(answers)
        assert self._process.stdout is not None
        self._printed = self._process.stdout.fileno()
        for pipe in (self._requests, self._answers, self._printed):
            os.set_blocking(pipe, False)
        self.start = dict(start)

    def load(self) -> dict[str, Any]:
        """Hand over the submission and let it run."""
        return self.ask(self.start, self._limits.import_seconds)

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request and wait for its answer; `taken` and `cpu` then tell the time.

        Raises
        ------
        Ended
            If there is none; the process is then of no more use.
        """
        watch = Stopwatch(self._innermost)

        def out_of_time() -> bool:
            passed = watch.passed()
            return passed >= seconds and (passed >= PATIENCE * seconds or watch.taken() >= seconds)

        exchange = _Exchange(frames.encode(dict(request)), self._limits.result)
        try:
            self._run(exchange, out_of_time)
            self.taken, self.cpu = watch.taken(), watch.cpu()
            answer = frames.decode_parts(*exchange.parts())
        except frames.BadFrame as error:
            raise Ended("garbled", f"its answer could not be read: {error}") from None
        if not isinstance(answer, dict):
            raise Ended("garbled", "its answer could not be read")
        return answer

    def _run(self, exchange: _Exchange, out_of_time: Any) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_WRITE)
            selector.register(self._answers, selectors.EVENT_READ)
            if self._printed >= 0:
                selector.register(self._printed, selectors.EVENT_READ)
            while not exchange.complete:
                for key, _ in selector.select(0.05):
                    if key.fd == self._requests:
                        if not self._give(exchange):
                            selector.unregister(self._requests)
                    elif key.fd == self._answers:
                        piece = os.read(self._answers, PIECE)
                        if not piece:
                            raise self._how_it_ended()
                        exchange.take(piece)
                    elif not self._keep_output():
                        selector.unregister(self._printed)
                        self._printed = -1
                if not exchange.complete and out_of_time():
                    raise Ended("timed out", "it took too long")

    def _give(self, exchange: _Exchange) -> bool:
        """Write some of the request; False when nothing is left, or nobody reads."""
        with contextlib.suppress(BlockingIOError):
            try:
                exchange.given(os.write(self._requests, exchange.rest()))
            except BrokenPipeError:
                return False
        return bool(exchange.rest())

    def _keep_output(self) -> bool:
        try:
            piece = os.read(self._printed, PIECE)
        except BlockingIOError:
            return True
        room = self._limits.output - len(self.output)
        self.output += piece.decode("utf-8", "replace")[: max(0, room)]
        return bool(piece)

    def _how_it_ended(self) -> Ended:
        """What became of a process that has closed its pipe."""
        try:
            code = wait(self._process, seconds=1.0)
        except subprocess.TimeoutExpired:
            return Ended("garbled", "it closed the pipe that its answers take")
        while self._printed >= 0 and select_readable(self._printed) and self._keep_output():
            pass
        if self._wrapped and code > 128:  # how bwrap passes signals on
            code = 128 - code
        if code == -signal.SIGXCPU:
            return Ended("timed out", "it used up its processor time")
        if code < 0:
            return Ended("crashed", f"it was ended by {_signal_name(-code)}")
        return Ended("crashed", f"it ended its process (exit code {code})")

    def _innermost(self) -> int:
        process = self._process.pid
        return bubblewrap.innermost(process) if self._wrapped else process

    def close(self) -> None:
        """Kill the process, all of its group, and remove the folder."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            os.close(pipe)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()

    def __enter__(self) -> SubmissionProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Exchange:
    """One request on its way out, one answer on its way in."""

    def __init__(self, request: bytes, largest: int) -> None:
        self._request, self._sent = request, 0
        self._largest = largest
        self._answer = bytearray()
        self._expected = frames.LENGTHS.size
        self._header = -1

    def rest(self) -> memoryview:
        return memoryview(self._request)[self._sent : self._sent + PIECE]

    def given(self, count: int) -> None:
        self._sent += count

    def take(self, piece: bytes) -> None:
        self._answer += piece
        if self._header < 0 and len(self._answer) >= frames.LENGTHS.size:
            self._header, payload = frames.LENGTHS.unpack_from(self._answer)
            if self._header > frames.LARGEST_HEADER or payload > self._largest:
                raise frames.BadFrame(f"it is larger than {self._largest >> 20} MB")
            self._expected += self._header + payload
        if len(self._answer) > self._expected:
            raise frames.BadFrame("more bytes than it announced")

    @property
    def complete(self) -> bool:
        return self._header >= 0 and len(self._answer) == self._expected

    def parts(self) -> tuple[bytes, bytes]:
        start = frames.LENGTHS.size
        end = start + self._header
        return bytes(self._answer[start:end]), bytes(self._answer[end:])


def select_readable(pipe: int) -> bool:
    """Whether something can be read from the pipe at once."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(0))


def command(requests: int, answers: int) -> list[str]:
    """The command line of the process."""
    options = ["-P", "-s", "-B", "-X", "faulthandler"]  # -I would ignore PYTHONHASHSEED, too
    return [sys.executable, *options, str(INSIDE), str(requests), str(answers)]


def library_paths() -> dict[str, str]:
    """The variables that tell where Python itself finds its libraries, if they are set."""
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in names if name in os.environ}


def _environment(folder: str, more: Mapping[str, str]) -> dict[str, str]:
    """What the process sees of the environment: nothing else of the grader's."""
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "MALLOC_PERTURB_": "85",  # new memory holds no zeros: what is never set shows
        **dict.fromkeys((*one_thread, "VECLIB_MAXIMUM_THREADS", "TINYDL_NUM_THREADS"), "1"),
        **library_paths(),
        **more,
    }


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    meaning = {"SIGSEGV": "a segmentation fault", "SIGKILL": "the system (SIGKILL)"}
    return meaning.get(name, name)
