"""Compiling what a student wrote in C: apart, within limits, and twice.

Once as a kernel is compiled in practice, and once with the sanitizers of the compiler, which stop
at an access outside an array and tell the line. The compiler is held as a submission is, for C can
read files while it is compiled.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinydl.course.programs import compiler, run_held
from tinydl.course.sanitizers import FLAGS as SANITIZED
from tinydl.course.sanitizers import sanitizer
from tinydl.course.sources import Unreadable
from tinydl.errors import ArgumentError
from tinydl.kernels.calling import REAL_TYPES
from tinydl.kernels.header import kernel_names, renames
from tinydl.kernels.plugin import HEADER

FLAGS = ["-std=c11", "-Wall", "-fPIC", "-shared", "-g"]
FAST = ["-O3"]  # as tinydl.kernels.use compiles
if sys.platform == "linux":  # elsewhere linkers miss what is undefined anyhow
    FAST.append("-Wl,-z,defs")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|include_next|import|embed)\b[ \t]*(.*)$", re.M)
PLAIN_NAME = re.compile(r"<([\w+-]+/)*[\w+-]+\.h>|\"tinydl\.h\"")
CPP_HEADER = re.compile(r"<[a-z]+>")
CPP = "; this is a header of C++, and the file is compiled as C"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
OTHER_SPELLINGS = {"??=": "#", "??/": "\\", "%:": "#"}  # trigraphs and digraphs
ASSEMBLER = re.compile(r"\b(?:__)?asm(?:__)?\b")
MOST_LINES = 20


@dataclass(frozen=True)
class Compiled:
    """Two libraries for each element type.

    Attributes
    ----------
    fast, sanitized : dict of str to bytes
        Files by name; `sanitized` is empty where the compiler has no sanitizers.
    warnings : list of str
        What the compiler remarks.
    """

    fast: dict[str, bytes]
    sanitized: dict[str, bytes]
    warnings: list[str]


def compile_c(text: str, file: str) -> Compiled:
    """Compile a C file with kernels.

    Raises
    ------
    Unreadable
        If it does not compile, or includes what it must not.
    ArgumentError
        If there is no compiler.
    """
    check_text(text, file)
    fast, warnings = _libraries(text, file, FAST)
    sanitized: dict[str, bytes] = {}
    if sanitizer() is not None:
        sanitized, _ = _libraries(text, file, SANITIZED)
    return Compiled(fast, sanitized, warnings)


def check_text(text: str, file: str) -> None:
    """Refuse in words what the compiler, held as it is, could not do anyway.

    Raises
    ------
    Unreadable

    Examples
    --------
    >>> check_text('#include <math.h>', "kernels.c")
    >>> check_text('#include "/etc/passwd"', "kernels.c")
    Traceback (most recent call last):
        ...
    tinydl.course.sources.Unreadable: kernels.c: `#include "/etc/passwd"` is not allowed; ...
    """
    for spelling, plain in OTHER_SPELLINGS.items():
        text = text.replace(spelling, plain)
    joined = text.replace("\\\n", "")
    # With comments, and without: what looks like one may be a text.
    for found in INCLUDE.finditer(f"{joined}\n{COMMENT.sub(' ', joined)}"):
        name = re.split(r"//|/\*", found[1])[0].strip()
        if not PLAIN_NAME.fullmatch(name):
            raise Unreadable(
                "refused",
                f"{file}: `#include {name[:80]}` is not allowed; include headers of the system, "
                'as <math.h>, and "tinydl.h"' + (CPP if CPP_HEADER.fullmatch(name) else ""),
            )
    if ASSEMBLER.search(re.sub(r"//.*|/\*.*?\*/|\"[^\"\n]*\"", " ", joined)):
        raise Unreadable("refused", f"{file}: assembler is not allowed")


def _libraries(text: str, file: str, flags: Sequence[str]) -> tuple[dict[str, bytes], list[str]]:
    """The libraries for all element types, and the compiler's remarks."""
    libraries, remarks = {}, ""
    for real in REAL_TYPES.values():
        names = renames(HEADER.read_text(), real)
        definitions = [f"-Dreal={real}", *(f"-D{old}={new}" for old, new in names.items())]
        with tempfile.TemporaryDirectory(prefix="tinydl-") as folder:
            Path(folder, file).write_text(text)
            shutil.copy(HEADER, folder)
            output = f"kernels_{real}.so"
            command = [*FLAGS, *flags, *definitions, "-I.", file, "-o", output, "-lm"]
            remarks = _run(command, folder, file)
            libraries[output] = Path(folder, output).read_bytes()
    return libraries, _lines(remarks, file)


def _run(arguments: Sequence[str], folder: str, file: str) -> str:
    """Run the compiler; return what it says."""
    program = compiler()
    if program is None:
        raise ArgumentError(  # no grade: the submission is not to blame
            "course",
            file,
            expected="a C compiler called cc to compile it with",
            hint="install one (Ubuntu and WSL: sudo apt install gcc, macOS: xcode-select --install)"
            " or name yours in the environment variable CC",
        )
    try:
        code, said = run_held([program, *arguments], folder)
    except subprocess.TimeoutExpired:
        raise Unreadable("timed out", f"{file}: compiling it took too long") from None
    if code != 0:
        said = "\n".join(_lines(said, file)) or "the compiler gave up"
        raise Unreadable("does not compile", f"{file} does not compile:\n{said}")
    return said


def _lines(said: str, file: str) -> list[str]:
    """Each remark of the compiler, or the linker, about this file, in one line."""
    here, named = re.escape(file), "|".join(kernel_names(HEADER.read_text()))
    # Names of kernels are macros; what is said of them belongs to the place where they stand.
    expanded = rf"^<command-line>: (.*)\n({here}:\d+:\d+:) note: in expansion of macro .*"
    said = re.sub(expanded, r"\2 \1", said, flags=re.M)
    said = re.sub(rf"\b({named})_(?:float|double)\b", r"\1", said)
    remark = rf"^{here}:\d+:(?:\d+:)? (?:fatal )?(?:error|warning): .*"
    unlinked = rf"{here}:\d+: undefined reference to .*"
    found = re.finditer(f"{remark}|{unlinked}", said, re.M)
    return [line[0][:300] for line in found][:MOST_LINES]
