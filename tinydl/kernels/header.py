"""The header ``tinydl.h`` as cffi wants it: structs, and prototypes for each meaning of `real`.

This module imports nothing of tinydl, so that ``setup.py`` can use it before there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def kernel_names(header: str) -> list[str]:
    """List the functions that the header declares.

    Examples
    --------
    >>> kernel_names("int conv(const real *x, real *y);")
    ['conv']
    """
    return re.findall(r"^int (\w+)\(", header, re.MULTILINE)


def with_plain_loops(header: str) -> str:
    """Declare beside each kernel its plain twin, of the same arguments.

    Examples
    --------
    >>> print(with_plain_loops("int conv(const real *x, real *y);"))
    int conv(const real *x, real *y);
    int plain_conv(const real *x, real *y);
    """
    return re.sub(r"^int (\w+\([^)]*\);)", r"int \1\nint plain_\1", header, flags=re.MULTILINE)


def prototypes(header: str) -> str:
    """List the declarations of the functions, as they are.

    Examples
    --------
    >>> prototypes("int conv(const real *x, real *y);")
    'int conv(const real *x, real *y);'
    """
    return "\n".join(re.findall(r"^int \w+\([^)]*\);", header, re.MULTILINE))


def declarations(header: str, variants: Iterable[str]) -> str:
    """Write out the structs, and each prototype for variants such as ``float_avx2``.

    Examples
    --------
    >>> print(declarations("int conv(const real *x, real *y);", ["float", "double_avx2"]))
    int conv_float(const float *x, float *y);
    int conv_double_avx2(const double *x, double *y);
    """
    structs = re.findall(r"^typedef struct \{.*?^\} \w+;", header, re.MULTILINE | re.DOTALL)
    renamed = []
    for variant in variants:
        typed = re.sub(r"\breal\b", variant.split("_")[0], prototypes(header))
        renamed.append(re.sub(r"^int (\w+)", rf"int \1_{variant}", typed, flags=re.MULTILINE))
    return "\n".join([*structs, *renamed])


def renames(header: str, variant: str) -> dict[str, str]:
    """Map each kernel's name in the C files to its name in one variant.

    Examples
    --------
    >>> renames("int conv(const real *x, real *y);", "float_avx2")
    {'conv': 'conv_float_avx2'}
    """
    return {name: f"{name}_{variant}" for name in kernel_names(header)}
