"""Build the C core: csrc/*.c once for each element type and instruction set, called through cffi.

The C files are written for one element type `real` and one width of vectors. Here a file of a
few lines is made for each combination: it defines `real` and VECTOR_BYTES, renames each kernel
(conv to conv_float_avx2, plain_conv to plain_conv_float_avx2), and includes the C files as they
are.

With TINYDL_REQUIRE_C=1 a failure to compile is an error; else tinydl is installed without C.
TINYDL_C_FLAGS adds flags for the compiler and the linker, after those here: a sanitizer's, -O1.
"""

import os
import platform
import re
import runpy
import shutil
import sys
import sysconfig
from pathlib import Path

from cffi import FFI
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CSRC = Path("csrc")
header = runpy.run_path("tinydl/kernels/header.py")  # importing tinydl would need NumPy
HEADER = header["with_plain_loops"]((CSRC / "tinydl.h").read_text())
SOURCES = (
    "matmul.c",
    "conv.c",
    "conv_gradients.c",
    "max_pool.c",
    "average_pool.c",
    "conv_max_pool.c",
    "rows.c",
    "functions.c",
    "softmax.c",
    "update.c",
)
REAL_TYPES = ("float", "double")
# Bytes in a vector, and what the compiler may use beyond what every such CPU has.
INSTRUCTION_SETS = {
    "baseline": (16, ""),
    "avx2": (32, "avx2,fma"),
    "avx512": (64, "avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"),
}
FLAGS = ["-std=c11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
COMMON_SOURCES = ("cpu.c", "memory.c", "threads.c")  # which know no element type
COMMON_DECLARATIONS = """
const char *best_instruction_set(void);
void keep_freed_memory(void);
"""

VARIANT = """\
#define real {real}
#ifdef __x86_64__
#define VECTOR_BYTES {vector_bytes}
{target}
#endif
{renames}
#include "tinydl.h"
{prototypes}
{includes}
{end}
"""
TARGET = """\
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("{features}"))), apply_to = function)
#else
#pragma GCC target("{features},prefer-vector-width=256")
#endif"""
END_OF_TARGET = """\
#if defined(__clang__) && defined(__x86_64__)
#pragma clang attribute pop
#endif"""


def variant(real: str, instruction_set: str) -> str:
    """The C file that compiles every kernel for one element type and instruction set."""
    vector_bytes, features = INSTRUCTION_SETS[instruction_set]
    renames = header["renames"](HEADER, f"{real}_{instruction_set}")
    return VARIANT.format(
        real=real,
        vector_bytes=vector_bytes,
        target=TARGET.format(features=features) if features else "",
        renames="\n".join(f"#define {name} {renamed}" for name, renamed in renames.items()),
        prototypes=header["prototypes"](HEADER),
        includes="\n".join(f'#include "{source}"' for source in SOURCES),
        end=END_OF_TARGET if features else "",
    )


def refuse_missing_kernels():
    """Stop where tinydl.h promises what no C file defines, which a linker may not notice."""
    text = "\n".join((CSRC / source).read_text() for source in SOURCES)
    defined = set(re.findall(r"^int (\w+)\(", text, re.MULTILINE))
    missing = [name for name in header["kernel_names"](HEADER) if name not in defined]
    if missing:
        raise SystemExit(
            f"csrc: nothing defines {', '.join(missing)}; each kernel of tinydl.h is written "
            "twice, first as plain loops, plain_NAME, with the same arguments"
        )


def may_be_x86() -> bool:
    """On macOS one build may be for two kinds of CPU at once."""
    return platform.machine().lower() in ("x86_64", "amd64") or sys.platform == "darwin"


class BuildCore(build_ext):
    """Compile with threads; where that fails without; where that fails go without C."""

    def run(self):
        super().run()
        package = Path(self.get_ext_fullpath("tinydl.kernels._compiled")).parent
        package.mkdir(parents=True, exist_ok=True)
        shutil.copy(CSRC / "tinydl.h", package)  # for kernels that users write

    def build_extension(self, ext):
        refuse_missing_kernels()
        ext.sources = [*(str(CSRC / name) for name in COMMON_SOURCES), *self.generate()]
        required = os.environ.get("TINYDL_REQUIRE_C") == "1"
        more = os.environ.get("TINYDL_C_FLAGS", "").split()
        for threads in (["-pthread", "-DTINYDL_THREADS"], []):
            ext.extra_compile_args = FLAGS + threads + more
            ext.extra_link_args = threads + more
            try:
                super().build_extension(ext)
                return
            except Exception as error:  # each compiler class raises errors of its own
                failure = error
        if required:
            raise failure
        ext.optional = True
        print(f"tinydl: installed without its C core, as it could not be compiled: {failure}")

    def generate(self) -> list[str]:
        """Write the C files of all variants, and cffi's, which lets Python call them."""
        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        instruction_sets = INSTRUCTION_SETS if may_be_x86() else ["baseline"]
        files = {
            f"{real}_{name}": variant(real, name)
            for real in REAL_TYPES
            for name in instruction_sets
        }
        for name, text in files.items():
            (folder / f"{name}.c").write_text(text)
        declarations = header["declarations"](HEADER, files) + COMMON_DECLARATIONS
        ffi = FFI()
        ffi.cdef(declarations)
        ffi.set_source("tinydl.kernels._compiled", "#include <stdint.h>\n" + declarations)
        ffi.emit_c_code(str(folder / "_compiled.c"))
        return [str(folder / f"{name}.c") for name in (*files, "_compiled")]


# The stable ABI lets one build serve every version of Python, except free-threaded ones.
stable_abi = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            "tinydl.kernels._compiled",
            sources=[str(CSRC / "cpu.c")],
            depends=[str(path) for path in sorted(CSRC.glob("*.[ch]"))],
            include_dirs=[str(CSRC)],
            libraries=["m"],
            py_limited_api=stable_abi,
        )
    ],
    cmdclass={"build_ext": BuildCore},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if stable_abi else {},
)
