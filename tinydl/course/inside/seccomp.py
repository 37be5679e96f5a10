"""Seccomp: the kernel of Linux refuses to start processes, reach out of this one, change files.

A filter is a small program for a machine of the kernel's (classic BPF), which sees the number and
the arguments of each system call. It needs no privilege and cannot be undone. See
https://docs.kernel.org/userspace-api/seccomp_filter.html.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER_MODE = 38, 22, 2  # of prctl
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06  # instructions
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where the filter finds them
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
NOT_PERMITTED, NOT_THERE = 1, 38  # errno: EPERM, ENOSYS
SAME_PROCESS = 0x00010000  # CLONE_THREAD
OTHER_NUMBERING = 0x40000000  # x86-64 has a second numbering of the same calls (x32)

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
Numbers = dict[str, tuple[int, int | None]]
# By name: the numbers on x86-64 and on ARM (None: ARM never had it).
PROCESSES: Numbers = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "setpgid": (109, 154),
    "setsid": (112, 157),
}
REACHING_OUT: Numbers = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "kcmp": (312, 272),
    "process_madvise": (440, 440),
    "setrlimit": (160, 164),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "sethostname": (170, 161),
    "swapon": (167, 224),
}
# Landlock knows no right for modes, owners and times; the others hold where there is no Landlock.
CHANGING_FILES: Numbers = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "truncate": (76, 45),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "link": (86, None),
    "linkat": (265, 37),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mknod": (133, None),
    "mknodat": (259, 33),
}
CLONE, CLONE3 = (56, 220), (435, 435)
# Their first argument is a process, which must be this one (for prlimit64, 0 means this one).
ON_A_PROCESS = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def hold(*, may_start_programs: bool = False) -> bool:
    """Refuse such calls to this process and its children, for good.

    Parameters
    ----------
    may_start_programs : bool
        Leave out those that start processes or change files, for a compiler.

    Returns
    -------
    bool
        Whether the kernel could do it.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in MACHINES:
        return False
    code = program(machine, os.getpid(), may_start_programs=may_start_programs)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    filled = _Program(len(code) // 8, code)
    return bool(libc.prctl(SET_SECCOMP, FILTER_MODE, ctypes.byref(filled), 0, 0) == 0)


def program(machine: str, process: int, *, may_start_programs: bool = False) -> bytes:
    """The filter's instructions.

    Parameters
    ----------
    machine : str
        One of `MACHINES`.
    process : int
        The number of the process that it will hold.

    Examples
    --------
    >>> len(program("x86_64", 1)) % 8
    0
    """
    column = list(MACHINES).index(machine)
    code = [
        _instruction(LOAD, ARCHITECTURE),
        _instruction(EQUAL, MACHINES[machine], 1, 0),
        _instruction(RETURN, KILL),
        _instruction(LOAD, NUMBER),
    ]
    if machine == "x86_64":
        code += [_instruction(ANY_BIT, OTHER_NUMBERING, 0, 1), _instruction(RETURN, KILL)]
    refused = REACHING_OUT
    if not may_start_programs:
        refused = REACHING_OUT | PROCESSES | CHANGING_FILES
        code += [
            _instruction(EQUAL, CLONE3[column], 0, 1),
            _instruction(RETURN, REFUSE | NOT_THERE),  # the C library then uses clone
            _instruction(EQUAL, CLONE[column], 0, 4),
            _instruction(LOAD, FIRST_ARGUMENT),
            _instruction(ANY_BIT, SAME_PROCESS, 0, 1),
            _instruction(RETURN, ALLOW),
            _instruction(RETURN, REFUSE | NOT_PERMITTED),
        ]
    for numbers in refused.values():
        number = numbers[column]
        if number is not None:
            code.append(_instruction(EQUAL, number, 0, 1))
            code.append(_instruction(RETURN, REFUSE | NOT_PERMITTED))
    for numbers_of_one in ON_A_PROCESS.values():
        code += [
            _instruction(EQUAL, numbers_of_one[column], 0, 5),
            _instruction(LOAD, FIRST_ARGUMENT),
            _instruction(EQUAL, 0, 2, 0),
            _instruction(EQUAL, process, 1, 0),
            _instruction(RETURN, REFUSE | NOT_PERMITTED),
            _instruction(RETURN, ALLOW),
        ]
    code.append(_instruction(RETURN, ALLOW))
    return b"".join(code)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
