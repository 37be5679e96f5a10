"""Which files Python, NumPy and the packages that are allowed consist of."""

from __future__ import annotations

import glob
import os
import sys
import sysconfig
from collections.abc import Iterator

SYSTEM = (
    *("/etc/ld.so.cache", "/lib64", "/usr/lib64", "/dev/urandom", "/usr/share/zoneinfo"),
    *("/usr/lib/locale", "/System/Library", "/usr/lib/system"),
)
NOT_STANDARD = {"site-packages", "dist-packages"}


def readable() -> list[str]:
    """Files and folders of the standard library, the system's libraries, and what is imported.

    The folders of other installed packages are not among them.

    Examples
    --------
    >>> any("site-packages" == os.path.basename(path) for path in readable())
    False
    """
    libraries = glob.glob("/lib/*-linux-gnu*") + glob.glob("/usr/lib/*-linux-gnu*")
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    for folder in (os.path.join(sys.base_prefix, "lib"), *filter(os.path.isabs, folders)):
        libraries += glob.glob(os.path.join(folder, "*.so*"))
    return sorted({*_standard_library(), *_imported(), *libraries, *SYSTEM})


def listable() -> list[str]:
    """Folders whose names may be listed, which importing from the standard library needs.

    Examples
    --------
    >>> len(listable()) >= 1
    True
    """
    return sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})


def _standard_library() -> Iterator[str]:
    for folder in listable():
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                if name not in NOT_STANDARD:
                    yield os.path.join(folder, name)


def _imported() -> Iterator[str]:
    """The folder of each package that is imported, with the libraries wheels put beside it."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or not file:
            continue
        folder, base = os.path.split(os.path.abspath(file))
        if not base.startswith("__init__."):
            yield os.path.join(folder, base)
        else:
            yield folder
            yield f"{folder}.libs"
