"""The audit hook: what a submission has no business with is refused in words.

Python reports opening a file, starting a process, importing a module and so on to audit hooks
(PEP 578), and a hook cannot be removed. It is no security boundary; see the package's docstring.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

# The functions below look names up in this copy; a submission may only patch the module.
globals()["__builtins__"] = dict(vars(builtins))

# Of the standard library: what leads out of the process, into its memory, or past the hook.
FORBIDDEN_MODULES = {
    *("_ctypes", "_posixsubprocess", "_posixshmem", "_multiprocessing", "_socket", "ctypes"),
    *("concurrent.futures.process", "ftplib", "http", "imaplib", "multiprocessing", "poplib"),
    *("pty", "smtplib", "socket", "socketserver", "ssl", "subprocess", "urllib.request"),
    *("venv", "ensurepip", "webbrowser", "xmlrpc", "_xxsubinterpreters", "_interpreters"),
    *("_testcapi", "_testinternalcapi", "_testbuffer", "_testmultiphase", "test"),
}
FORBIDDEN_EVENTS = (
    *("subprocess.", "socket.", "ctypes.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn"),
    *("os.system", "os.startfile", "os.kill", "signal.pthread_kill", "pty.", "resource."),
    *("os.link", "os.symlink", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"),
    *("os.chmod", "os.chown", "os.lchown", "os.utime", "os.setxattr", "os.removexattr"),
    *("os.chroot", "os.chflags", "shutil.", "tempfile.mkdtemp", "fcntl.", "mmap.", "sqlite3."),
    *("code.__new__", "syslog.", "webbrowser.", "urllib."),
)
SAID = {
    "subprocess": "starting other programs",
    "socket": "using the network",
    "ctypes": "calling C by ctypes",
    "os.fork": "starting processes",
    "os.system": "starting other programs",
    "os.kill": "sending signals to processes",
    "resource": "changing the limits",
}

# numpy.testing imports these on its way, and needs nothing of them.
NUMPYS_IMPORTS = ("subprocess", "socket")

_realpath, _fspath, _separator = os.path.realpath, os.fspath, os.sep
_modules, _module_type = sys.modules, type(sys)
_standard = frozenset(sys.stdlib_module_names)
_writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(Exception):
    """The grader refuses; the message says what."""


class RefusedImport(Refused, ImportError):
    """A module that the assignment does not allow."""


class RefusedAccess(Refused, PermissionError):
    """A file, a process or a network that is none of the submission's business."""


def install(allowed: Sequence[str], readable: Sequence[str], listable: Sequence[str]) -> None:
    """Refuse from now on, in this process, for ever.

    Parameters
    ----------
    allowed : sequence of str
        Packages that may be imported besides the standard library.
    readable : sequence of str
        Folders and files that may be read.
    listable : sequence of str
        Folders whose names may be listed as well.
    """
    packages = {*allowed, *(name.partition(".")[0] for name in sys.modules)} - FORBIDDEN_MODULES
    for name in [name for name in sys.modules if _forbidden(name)]:
        del sys.modules[name]  # importing it once more asks the hook
    files = tuple(_realpath(path) for path in readable)
    folders = (*files, *(_realpath(path) for path in listable))
    checks: dict[str, Callable[..., None]] = {
        "import": _import_check(packages, allowed),
        "open": _open_check(files),
        "os.listdir": _listing_check(folders),
        "os.scandir": _listing_check(folders),
    }

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        check = checks.get(event)
        if check is not None:
            check(*arguments)
        elif event.startswith(FORBIDDEN_EVENTS):
            said = (words for start, words in SAID.items() if event.startswith(start))
            raise RefusedAccess(f"the grader does not allow {next(said, event)}")

    sys.addaudithook(hook)


def _forbidden(module: str) -> bool:
    return module in FORBIDDEN_MODULES or module.partition(".")[0] in FORBIDDEN_MODULES


def _import_check(packages: set[str], allowed: Sequence[str]) -> Callable[..., None]:
    allows = " and ".join([", ".join(allowed), "Python's own modules"])

    def check(module: str, *_: object) -> None:
        top = module.partition(".")[0]
        if module == "numpy.testing":
            for name in NUMPYS_IMPORTS:
                _modules.setdefault(name, _StandIn(name))
        if _forbidden(module):
            raise RefusedImport(f"the grader does not allow `import {module}`")
        if top not in packages and top not in _standard:
            refused = f"this assignment does not allow `import {top}`"
            raise RefusedImport(f"{refused}; it allows {allows}")

    return check


class _StandIn(_module_type):  # type: ignore[misc, valid-type]
    """A module that can be imported, and then refuses."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RefusedImport(f"the grader does not allow `import {self.__name__}`")


def _open_check(files: tuple[str, ...]) -> Callable[..., None]:
    def check(path: Any, mode: Any, flags: Any) -> None:
        if isinstance(path, int):
            return
        real = _real(path)
        writes = bool(flags & _writing) if isinstance(flags, int) else False
        if real != "/dev/null" and (writes or not _within(real, files)):
            raise RefusedAccess(f"the grader does not allow opening {_shown(path)}")

    return check


def _listing_check(folders: tuple[str, ...]) -> Callable[..., None]:
    def check(path: Any = ".") -> None:
        if isinstance(path, int) or not _within(_real(path or "."), folders):
            raise RefusedAccess(f"the grader does not allow listing {_shown(path)}")

    return check


def _real(path: Any) -> str:
    plain = _fspath(path)
    return _realpath(plain.decode() if isinstance(plain, bytes) else plain)


def _within(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(root + _separator) for root in roots)


def _shown(path: Any) -> str:
    return repr(path)[:200]
