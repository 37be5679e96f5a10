"""Which of the layers that hold a submission this machine has."""

from __future__ import annotations

from tinydl.course import bubblewrap
from tinydl.course.process import Limits, SubmissionProcess
from tinydl.course.sanitizers import sanitizer
from tinydl.course.session import python_start


def layers() -> dict[str, bool]:
    """Start a process for an empty submission, and tell what holds it.

    docs/grading-isolation.md says what each of them is good for.

    Examples
    --------
    >>> sorted(layers())
    ['bwrap', 'landlock', 'sanitizers', 'seccomp']
    """
    limits = Limits()
    with SubmissionProcess(python_start("", "empty.py", ("numpy",), limits), limits) as process:
        held = process.load()["held"]
    return {
        "bwrap": bubblewrap.available(),
        "landlock": bool(held["landlock"]),
        "seccomp": bool(held["seccomp"]),
        "sanitizers": sanitizer() is not None,
    }
