"""Run another program, a compiler, held by limits and Landlock.

``python confined.py SETTINGS PROGRAM ARGUMENTS...``, where SETTINGS is JSON: ``readable`` and
``executable`` list files and folders; the working folder may be written.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinydl.course.inside import landlock, limits, seccomp
else:  # run as a file, beside these
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    import landlock
    import limits
    import seccomp


def main() -> None:
    """Become the other program."""
    settings = json.loads(sys.argv[1])
    limits.hold(settings["cpu_seconds"], settings["memory"], settings["file_size"])
    limits.drop_privileges()
    landlock.hold(settings["readable"], executable=settings["executable"], writable=[os.getcwd()])
    seccomp.hold(may_start_programs=True)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
