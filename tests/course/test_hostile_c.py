"""C that tries to get out: no audit hook sees it, so the operating system has to refuse."""

import ctypes
import os
import shutil
import sys
from contextlib import suppress

import numpy as np
import pytest

from tinydl.course import Assignment, Limits, expect_close, grade
from tinydl.course.inside import landlock, seccomp

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's"),
    pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock"),
]

# Each is true if the attempt goes through.
ESCAPES = {
    "control": "1",
    "read": 'open("SECRET", O_RDONLY) >= 0',
    "read a system file": 'open("/etc/passwd", O_RDONLY) >= 0',
    "read the grader's memory": "open(mem, O_RDONLY) >= 0",
    "write": 'open("SECRET", O_WRONLY) >= 0',
    "write here": 'open("left", O_CREAT | O_WRONLY, 0600) >= 0',
    "write to shared memory": 'open("/dev/shm/left", O_CREAT | O_RDWR, 0600) >= 0',
    "link": 'link("SECRET", "left") == 0',
    "remove": 'unlink("SECRET") == 0',
    "mode": 'chmod("SECRET", 0777) == 0',
    "times": 'utimensat(AT_FDCWD, "SECRET", 0, 0) == 0',
    "pipe with a name": 'mkfifo("left", 0600) == 0',
    "processor of the grader": "sched_setaffinity(getppid(), sizeof one, &one) == 0",
    "list": 'opendir("/root") != 0 || opendir("/home") != 0',
    "fork": "fork() >= 0",
    "clone": "syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0",
    "vfork and exec": 'execl("/bin/true", "true", (char *)0) == 0',
    "system": 'system("true") == 0',
    "socket": "socket(AF_INET, SOCK_STREAM, 0) >= 0",
    "local socket": "socket(AF_UNIX, SOCK_STREAM, 0) >= 0",
    "signal": "kill(getppid(), 0) == 0",
    "signal to all": "kill(-1, 0) == 0",
    "trace": "ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0",
    "limits of the grader": "prlimit(getppid(), RLIMIT_CPU, &low, 0) == 0",
    "own limits": "setrlimit(RLIMIT_CPU, &high) == 0",
    "shared segment": "shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0",
    "namespaces": "unshare(CLONE_NEWUSER) == 0",
    "session": "setsid() >= 0",
    "root": 'chroot("/") == 0',
    "memory": "malloc(1LL << 43) != 0",
}
SOURCE = """#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tinydl.h"

int relu(const real *x, real *y, const table *s, int threads)
{
    struct rlimit low = {1, 1}, high = {100000, 100000};
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    char mem[64];
    sprintf(mem, "/proc/%d/mem", getppid());
    switch ((int)x[0]) {
ESCAPES
    }
    return 0;
}
"""


def test_nobody_gets_out(tmp_path, monkeypatch):
    monkeypatch.setattr("tinydl.course.compiling.sanitizer", lambda: None)
    monkeypatch.setattr("tinydl.course.bubblewrap.available", lambda: False)
    secret = tmp_path / "secret"
    secret.write_text("the reference")
    toy = Assignment("00", title="", file="kernels.c", limits=Limits(seconds=5))
    lines = []
    for number, (name, attack) in enumerate(ESCAPES.items()):
        attack = attack.replace("SECRET", str(secret))
        lines.append(f"    case {number}: y[0] = {attack}; break;")

        @toy.property(name, points=1, cases=1)
        def attempt(student, draw, number=number):
            expect_close(student.relu(np.array([float(number)])), np.ones(1))

    (tmp_path / "kernels.c").write_text(SOURCE.replace("ESCAPES", "\n".join(lines)))
    result = grade(toy, tmp_path)
    assert result.state == "graded", result.message
    assert [p.name for p in result.properties if p.passed] == ["control"]
    assert {p.kind for p in result.properties if not p.passed} == {"value"}
    assert secret.read_text() == "the reference"
    assert not os.path.exists("/dev/shm/left")


def test_what_runs_while_it_is_loaded_is_held_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr("tinydl.course.compiling.sanitizer", lambda: None)
    toy = Assignment("00", title="", file="kernels.c")
    toy.property("nothing", points=1)(lambda student, draw: None)
    (tmp_path / "kernels.c").write_text(
        "#include <stdlib.h>\n#include <unistd.h>\n"
        "__attribute__((constructor)) static void early(void)\n"
        '{ if (fork() < 0 && system("true") != 0) _exit(77); }\n'
    )
    result = grade(toy, tmp_path)
    assert result.state == "crashed" and "exit code 77" in result.message


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_jumps_within_itself(machine):
    code = seccomp.program(machine, 1234)
    count = len(code) // 8
    assert count < 4096
    for i in range(count):
        operation, if_true, if_false = code[8 * i], code[8 * i + 2], code[8 * i + 3]
        if operation in (seccomp.EQUAL, seccomp.ANY_BIT):
            assert i + 1 + max(if_true, if_false) < count
    assert code[-8] == seccomp.RETURN


def test_the_numbers_of_system_calls_are_those_of_the_headers(tmp_path):
    """The compiler knows the numbers on this machine."""
    column = list(seccomp.MACHINES).index(os.uname().machine)
    held = (seccomp.PROCESSES, seccomp.REACHING_OUT, seccomp.CHANGING_FILES)
    tables = (*held, seccomp.ON_A_PROCESS)
    known = {name: numbers[column] for table in tables for name, numbers in table.items()}
    known |= {"clone": seccomp.CLONE[column], "clone3": seccomp.CLONE3[column]}
    names = [name for name, number in known.items() if number is not None]
    lines = "\n".join(
        f"#ifdef SYS_{name}\nlong number_of_{name} = SYS_{name};\n#endif" for name in names
    )
    source, library = tmp_path / "numbers.c", tmp_path / "numbers.so"
    source.write_text(f"#include <sys/syscall.h>\n{lines}\n")
    assert os.system(f"cc -shared -fPIC {source} -o {library}") == 0
    loaded = ctypes.CDLL(str(library))
    found = {}
    for name in names:
        with suppress(ValueError):  # these headers may be older than the call
            found[name] = ctypes.c_long.in_dll(loaded, f"number_of_{name}").value
    assert found == {name: known[name] for name in found} and len(found) > len(names) - 6
