"""Submissions that would rather trick the grader, or break it, than compute."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinydl.course import Assignment, Limits, expect_close, grade, layers

# Short limits are for what goes on for ever; what ends by itself has time, on a busy machine, too.
PATIENT = Limits(total_seconds=20, memory=1 << 30, result=8 << 20)
QUICK = replace(PATIENT, seconds=0.2)


def children():
    """The processes that this one has started and that still are."""
    if not os.path.exists("/proc"):
        return []
    me = os.getpid()
    return Path(f"/proc/{me}/task/{me}/children").read_text().split()


@pytest.fixture
def graded(tmp_path):
    """Grade a submission that should define `double(x)`; nothing of it may be left behind."""
    toy = Assignment("00", title="", functions=["double(x)"])

    @toy.property("double: value", points=1, cases=5)
    def value(student, draw):
        x = draw.normal(draw.integer(1, 5))
        expect_close(student.double(x), 2 * x, name="y")

    def graded(source, limits=PATIENT):
        toy.limits = limits
        folder = tmp_path / "submission"
        folder.mkdir(exist_ok=True)
        (folder / "assignment.py").write_text(source)
        before = children()
        result = grade(toy, folder)
        assert children() == before
        return result, result.properties[0]

    return graded


# Attempts to get out: each would have to raise. The control shows that the test can fail.
ESCAPES = {
    "control": "pass",
    "open": "open(SECRET).read()",
    "pathlib": "import pathlib; pathlib.Path(SECRET).read_bytes()",
    "os.open": "os.open(SECRET, os.O_RDONLY)",
    "io": "import io; io.FileIO(SECRET)",
    "fromfile": "np.fromfile(SECRET, np.uint8)",
    "memmap": "np.memmap(SECRET, mode='r')",
    "linecache": "import linecache; assert linecache.getlines(SECRET)",
    "runpy": "import runpy; runpy.run_path(SECRET)",
    "loader": "from importlib.machinery import SourceFileLoader as L; L('x', SECRET).load_module()",
    "sys.path": "sys.path.insert(0, os.path.dirname(SECRET)); import secret_reference",
    "listdir": "os.listdir(os.path.dirname(SECRET))",
    "scandir": "list(os.scandir(os.path.dirname(SECRET)))",
    "glob": "import glob; assert glob.glob(os.path.dirname(SECRET) + '/*')",
    "passwd": "open('/etc/passwd').read()",
    "environment": "open('/proc/self/environ').read()",
    "memory of the grader": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "maps of the grader": "open(f'/proc/{os.getppid()}/maps')",
    "descriptors": "os.listdir('/proc/self/fd')",
    "tinydl": "import tinydl",
    "tinydl by name": "import importlib; importlib.import_module('tinydl.ops')",
    "tinydl's text": "open(TINYDL).read()",
    "hypothesis": "import hypothesis",
    "write here": "open('left', 'w')",
    "write there": "open(SECRET, 'a')",
    "save": "np.save('left.npy', np.ones(3))",
    "mkdir": "os.mkdir('left')",
    "temporary file": "import tempfile; tempfile.NamedTemporaryFile()",
    "symlink": "os.symlink(SECRET, 'left')",
    "link": "os.link(SECRET, 'left')",
    "relative to a folder": "os.open('passwd', os.O_RDONLY, dir_fd=os.open('/etc', os.O_PATH))",
    "another root": "open('/proc/self/root' + SECRET)",
    "from here upwards": "open('../' * 20 + SECRET)",
    "command of the grader": "open(f'/proc/{os.getppid()}/cmdline').read()",
    "loadtxt": "assert len(np.loadtxt(SECRET, str, delimiter='%'))",
    "load": "np.load(SECRET, allow_pickle=True)",
    "tokenize": "import tokenize; tokenize.open(SECRET)",
    "open_code": "import io; io.open_code(SECRET)",
    "another open": "import _pyio; _pyio.open(SECRET)",
    "fileinput": "import fileinput; assert list(fileinput.input(SECRET))",
    "zipimport": "import zipimport; zipimport.zipimporter(SECRET)",
    "sqlite": "import sqlite3; sqlite3.connect('left').execute('create table t (x)')",
    "shelve": "import shelve; shelve.open('left')",
    "memory as a file": "assert os.write(os.memfd_create('x'), b'x')",
    "mode": "os.chmod(SECRET, 0o777)",
    "times": "os.utime(SECRET)",
    "truncate": "os.truncate(SECRET, 0)",
    "remove": "os.unlink(SECRET)",
    "rename": "os.rename(SECRET, SECRET + '2')",
    "signal by descriptor": "import signal; "
    "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)",
    "system": "assert os.system('true') == 0",
    "popen": "os.popen('id').read()",
    "subprocess": "import subprocess; subprocess.run(['true'])",
    "fork": "os.fork()",
    "exec": "os.execv('/bin/true', ['true'])",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "pty": "import pty; pty.spawn('true')",
    "fork_exec": "import _posixsubprocess",
    "multiprocessing": "import multiprocessing",
    "kill": "os.kill(os.getppid(), 0)",
    "killpg": "os.killpg(os.getpgid(os.getppid()), 0)",
    "limits": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))",
    "socket": "import socket; socket.socket()",
    "url": "import urllib.request; urllib.request.urlopen('http://localhost')",
    "ctypes": "import ctypes; ctypes.CDLL(None)",
    "ctypes of numpy": "np._core._internal.ctypes.CDLL(None)",
    "load_library": "np.ctypeslib.load_library('libc.so.6', '/lib')",
    "code": "type((lambda: 0).__code__)(*[0] * 18)",
    "interpreter": "import _xxsubinterpreters as i; i.create()",
    "the memory of a house": "np.ones(10**12)",
    "growing": "kept = []\n    while True: kept.append(np.empty(10**7))",
    "lists": "[0] * 10**12",
    "the reference": "import gc; assert any('SECRET_REFERENCE' in o for o in gc.get_objects() "
    "if type(o) is dict)",
    "the stack": "frame = sys._getframe()\n"
    "    while frame: assert 'SECRET_REFERENCE' not in frame.f_globals; frame = frame.f_back\n"
    "    raise LookupError",
}
if sys.platform != "linux":  # elsewhere the address space has no limit that holds
    del ESCAPES["growing"]
ESCAPE = """
def escape_{number}(x):
    {attack}
    return 2 * x
"""


def attempted(tmp_path, attacks, prelude=""):
    """Try them all; the names of those that got through, the control among them."""
    secret = tmp_path / "secrets" / "secret_reference.py"
    secret.parent.mkdir()
    secret.write_text("SECRET_REFERENCE = 1\n")
    before = secret.stat()
    tinydl = Path(__file__).parents[2] / "tinydl" / "__init__.py"
    toy = Assignment("00", title="", limits=Limits(seconds=5, memory=1 << 30))
    source = (
        f"import os, sys\nimport numpy as np\nSECRET, TINYDL = {str(secret)!r}, {str(tinydl)!r}\n"
    )
    source += prelude
    for number, (name, attack) in enumerate(attacks.items()):
        source += ESCAPE.format(number=number, attack=attack)

        @toy.property(name, points=1, cases=1)
        def attempt(student, draw, number=number):
            expect_close(student.call(f"escape_{number}", np.ones(2)), np.full(2, 2.0))

    (tmp_path / "assignment.py").write_text(source)
    result = grade(toy, tmp_path)
    assert result.state == "graded", result.message
    ends = {p.name: p.message for p in result.properties if p.kind not in ("raised", "refused")}
    assert set(ends) == {"control"}
    assert secret.read_text() == "SECRET_REFERENCE = 1\n"
    assert (secret.stat().st_mode, secret.stat().st_mtime) == (before.st_mode, before.st_mtime)
    return [p.name for p in result.properties if p.passed]


def test_nobody_gets_out(tmp_path):
    assert attempted(tmp_path, ESCAPES) == ["control"]


# Files and processes again, by a submission that has switched the audit hook off.
HOOK_OFF = """
class All(frozenset):
    def __contains__(self, name): return True
hook = sys.modules["refusals"]
hook._within, hook._forbidden, hook._standard = lambda *_: True, lambda _: False, All()
hook._writing, hook.FORBIDDEN_EVENTS = 0, ()
"""
HARMLESS = {  # without the hook: they import, or ask for what is their own
    *("fork_exec", "multiprocessing", "ctypes", "ctypes of numpy", "limits", "killpg"),
    *("interpreter", "code", "growing"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux has to refuse")
def test_without_the_hook_the_kernel_refuses(tmp_path):
    held = layers()
    if not (held["landlock"] and held["seccomp"]):
        pytest.skip("this kernel has no Landlock or no seccomp")
    attacks = {name: text for name, text in ESCAPES.items() if name not in HARMLESS}
    assert attempted(tmp_path, attacks, HOOK_OFF) == ["control"]


RIGHT = "def double(x):\n    return 2 * x\n"
WRONG = "def double(x):\n    return 3 * x\n"

# What earns nothing: the submission, and what kind of failure it is.
WRONG_ANSWERS = {
    "patched abs": ("import builtins\nbuiltins.abs = lambda x: 0\n" + WRONG, "value"),
    "patched isinstance": (
        "import builtins\nbuiltins.isinstance = lambda *_: True\n"
        "builtins.len = lambda *_: 1\nbuiltins.type = lambda *_: int\n" + WRONG,
        "value, crashed",
    ),
    "patched numpy": (
        "import numpy as np\nfor name in ('allclose', 'isclose', 'asarray', 'abs'):\n"
        "    setattr(np, name, lambda *a, **k: True)\n" + WRONG,
        "value",
    ),
    "patched worker": (
        "import sys\nmain = sys.modules['__main__']\nmain._differ = lambda pair: False\n"
        "main._guarded = lambda work, file: {'result': True}\n" + WRONG,
        "shape",
    ),
    "patched frames": (
        "import sys\ndef double(x):\n    sys.modules['frames'].encode = lambda value: b'passed'\n"
        "    return 3 * x",
        "garbled, timed out",
    ),
    "always equal": (
        "class Equal:\n    __eq__ = lambda *_: True\n    __array__ = lambda *_: 7\n"
        "def double(x): return Equal()",
        "type",
    ),
    "float that is equal": (
        "class Equal(float):\n    __eq__ = lambda *_: True\n    __sub__ = lambda *_: 0.0\n"
        "def double(x): return Equal(1)",
        "type",
    ),
    "subclass": (
        "import numpy as np\nclass Equal(np.ndarray):\n    __sub__ = lambda a, b: a * 0\n"
        "def double(x): return x.view(Equal)",
        "type",
    ),
    "masked": ("import numpy as np\ndef double(x): return np.ma.masked_array(2 * x)", "type"),
    "objects": ("import numpy as np\ndef double(x): return (2 * x).astype(object)", "type"),
    "complex": ("def double(x): return 2 * x + 0j", "type"),
    "nothing": ("def double(x): pass", "type"),
    "text": ("def double(x): return 'passed'", "type"),
    "true": ("def double(x): return True", "shape"),
    "a generator": ("def double(x): yield 2 * x", "type"),
    "a coroutine": ("async def double(x): return 2 * x", "type"),
    "a list of itself": ("def double(x):\n    a = []\n    a.append(a)\n    return a", "type"),
    "a huge number": ("def double(x): return 10**4000", "type"),
    "a larger number": ("def double(x): return 10**100000", "raised"),
    "NaN": ("def double(x): return x * float('nan')", "value"),
    "infinity": ("def double(x): return x + float('inf')", "value"),
    "wrong shape": ("def double(x): return (2 * x)[None]", "shape"),
    "too large": ("import numpy as np\ndef double(x): return np.zeros(10**7)", "garbled"),
    "random": ("import numpy as np\ndef double(x): return np.random.rand(*x.shape)", "value"),
    "a table": ("TABLE = {0: 1}\ndef double(x): return TABLE[int(x[0])] + 0 * x", "value, raised"),
    "exit": ("import sys\ndef double(x): sys.exit(0)", "raised"),
    "os._exit": ("import os\ndef double(x): os._exit(0)", "crashed"),
    "abort": ("import os\ndef double(x): os.abort()", "crashed"),
    "interrupt": ("def double(x): raise KeyboardInterrupt", "raised"),
    "message that raises": (
        "class E(BaseException):\n    def __str__(self): raise SystemExit\ndef double(x): raise E",
        "raised",
    ),
    "long message": ("def double(x): raise ValueError('\\x1b[2J\\ud800' * 10**6)", "raised"),
    "recursion": ("def double(x): return double(x)", "raised"),
    "endless recursion": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef double(x): return double(x)",
        "raised, crashed, timed out",
    ),
    "loop": ("def double(x):\n    while True: pass", "timed out"),
    "sleep": ("import time\ndef double(x): time.sleep(10**6)", "timed out"),
    "stop": (
        "import signal\ndef double(x): signal.raise_signal(signal.SIGSTOP)",
        "timed out",
    ),
    "deaf": (
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\ndef double(x):\n    while True: pass",
        "timed out",
    ),
    "printing": ("def double(x):\n    while True: print('x' * 10**6)", "timed out"),
    "closed pipes": ("import os\ndef double(x): os.closerange(0, 64)", "crashed, garbled"),
    "closed pipes and sleep": (
        "import os, time\ndef double(x):\n    os.closerange(0, 64)\n    time.sleep(10**6)",
        "garbled",
    ),
    "module getattr": ("def __getattr__(name): return lambda *a: None", "type"),
    "no function": ("double = 7", "raised"),
    "threads answer": (
        "import os, threading\ndef spam():\n    while True: os.write(FD, b'0' * 100)\n"
        "def double(x):\n    global FD\n    FD = max(fd for fd in range(64) if is_open(fd))\n"
        "    threading.Thread(target=spam, daemon=True).start()\n    return 2 * x\n"
        "def is_open(fd):\n    try: os.fstat(fd); return True\n    except OSError: return False",
        "garbled, raised",
    ),
}
# Bytes to put on the pipe that takes the answers.
BYTES = {
    "noise": "b'\\xff' * 64",
    "half a length": "b'\\x01'",
    "large lengths": "(2**63).to_bytes(8, 'little') * 2",
    "no JSON": "(2).to_bytes(8, 'little') + bytes(8) + b'[}'",
    "deep": "(200000).to_bytes(8, 'little') + bytes(8) + b'[' * 200000",
    "half a frame": "(2).to_bytes(8, 'little') + bytes(8) + b'1'",
    "a number": "(1).to_bytes(8, 'little') + bytes(8) + b'1'",
    "an array of 2**60": 'frame(\'{"array": ["<f8", [1152921504606846976], "C"]}\')',
    "negative": 'frame(\'{"array": ["<f8", [-1], "C"]}\')',
    "objects": 'frame(\'{"array": ["|O", [0], "C"]}\')',
    "unknown dtype": 'frame(\'{"array": ["zz", [0], "C"]}\')',
    "no result": "frame('{\"dict\": []}')",
    "odd keys": 'frame(\'{"dict": [[{"list": []}, 1]]}\')',
    "odd error": 'frame(\'{"dict": [["error", 5], ["changed", 7]]}\')',
}
WRITING = """
import os
def frame(text): return len(text).to_bytes(8, "little") + bytes(8) + text.encode()
def double(x):
    for fd in range(3, 64):
        try: os.write(fd, {content})
        except OSError: pass
    while True: pass
"""


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_it_earns_nothing(graded, name):
    source, kinds = WRONG_ANSWERS[name]
    result, value = graded(source, QUICK if "timed out" in kinds else PATIENT)
    assert result.earned == 0
    assert value.kind in kinds.split(", ")
    assert len(result.output) <= QUICK.output + 10
    for text in (value.message, value.text, result.output):
        text.encode()
        assert "\x1b" not in text


@pytest.mark.parametrize("name", BYTES)
def test_bytes_on_the_pipe_earn_nothing(graded, name):
    result, value = graded(WRITING.format(content=BYTES[name]), QUICK)
    assert (result.state, result.earned) == ("graded", 0)
    assert value.kind in ("garbled", "timed out", "raised", "type", "shape")


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("import os; os._exit(0)", "crashed"),
        ("raise SystemExit", "crashed"),
        ("while True: pass", "timed out"),
        ("import time; time.sleep(10**6)", "timed out"),
        ("import os; os.closerange(0, 64)", "crashed"),
        ("import os, time; os.closerange(0, 64); time.sleep(10**6)", "garbled"),
        ("import tinydl", "crashed"),
        ("x = " + "(" * 5000 + ")" * 5000, "syntax error"),
        ("x = " + "-" * 100_000 + "1", "syntax error"),
        ("x = 1\n" * 10_000 + "def f(:", "syntax error"),
        ("import numpy as np\nx = np.ones(10**12)", "crashed"),
        ("def double(x):\n\treturn 2 * x\n        return x", "syntax error"),
        (
            "import sys\nframe = sys._getframe()\nwhile frame:\n"
            "    if 'answer' in frame.f_locals: frame.f_locals['answer']['look'] = {'defines': 7}\n"
            "    frame = frame.f_back\n",
            "garbled",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_explained(graded, source, state):
    result, _ = graded(source, replace(PATIENT, import_seconds=1 if state == "timed out" else 20))
    assert (result.state, result.earned) == (state, 0)
    assert result.message


@pytest.mark.parametrize(
    "source",
    [
        RIGHT + "import atexit\n@atexit.register\ndef forever():\n    while True: pass\n",
        RIGHT + "import threading\ndef spin():\n    while True: pass\n"
        "threading.Thread(target=spin).start()\n",
        "def double(x): return (2 * x)[::-1][::-1]",
        "def double(x): return (2 * x).astype('>f8')",
        "def double(x):\n    y = 2 * x\n    y.flags.writeable = False\n    return y",
        "def double(x):\n    print('\\x1b[2J' * 100, x)\n    return 2 * x",
        RIGHT + "import numpy as np\nfrom numpy.testing import assert_equal\n"
        "assert_equal(double(np.ones(2)), [2, 2])\n",
        "import numpy as np\nimport math, dataclasses, functools, typing, itertools\n"
        "def double(x: np.ndarray) -> np.ndarray: return np.float32(2) * x.astype(np.float32)",
    ],
)
def test_an_odd_submission_that_is_right_earns_its_point(graded, source):
    result, _ = graded(source)
    assert result.earned == 1
    assert "\x1b" not in result.output


@pytest.mark.parametrize("use", ["subprocess.run(['ls'])", "socket.socket()"])
def test_what_numpys_tests_import_is_still_refused(graded, use):
    name = use.partition(".")[0]
    result, _ = graded(f"import numpy.testing\nimport {name}\n{use}\n{RIGHT}")
    assert result.state == "crashed" and f"does not allow `import {name}`" in result.message
