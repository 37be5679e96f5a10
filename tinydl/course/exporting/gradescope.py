"""An assignment as an autograder for Gradescope: a zip file with two scripts and the properties.

Gradescope unpacks it in ``/autograder/source``, runs ``setup.sh`` once, and ``run_autograder`` for
each submission, which it puts into ``/autograder/submission``.

Source: Gradescope's autograder documentation, *Autograder specifications*.
"""

from __future__ import annotations

import shlex
import zipfile
from pathlib import Path

from tinydl.utils.files import replacing

SETUP = """#!/usr/bin/env bash
# Gradescope runs this once, when the image is built.
set -euo pipefail
autograder="${AUTOGRADER:-/autograder}"
apt-get update
apt-get install -y --no-install-recommends gcc libc6-dev
for version in 3.14 3.13 3.12 3.11; do
    if apt-get install -y --no-install-recommends "python$version" "python$version-venv"; then
        break
    fi
done
"python$version" -m venv "$autograder/python"
cd "$autograder/source"
"$autograder/python/bin/pip" install REQUIREMENT
"""

RUN = """#!/usr/bin/env bash
# Gradescope runs this for each submission.
set -euo pipefail
autograder="${AUTOGRADER:-/autograder}"
mkdir -p "$autograder/results"
"$autograder/python/bin/python" -P -m tinydl course grade "$autograder/submission" \\
    --assignments "$autograder/source/NAME" \\
    --results "$autograder/results/results.json"
"""


def export_gradescope(source: Path, target: Path, tinydl: str) -> Path:
    """Write ``NAME-gradescope.zip``.

    Parameters
    ----------
    source : Path
        The assignment's folder.
    target : Path
        The folder for the zip file.
    tinydl : str
        What pip installs there: a requirement such as "tinydl", or a wheel or source distribution,
        which is packed.

    Returns
    -------
    Path
    """
    target.mkdir(parents=True, exist_ok=True)
    archive = target / f"{source.name}-gradescope.zip"
    package = Path(tinydl)
    packed = package.is_file()
    requirement = shlex.quote(f"./{package.name}" if packed else tinydl)
    with replacing(archive) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        _add(file, "setup.sh", SETUP.replace("REQUIREMENT", requirement))
        _add(file, "run_autograder", RUN.replace("NAME", source.name))
        for found in sorted(source.iterdir()):
            if found.is_file():
                file.write(found, f"{source.name}/{found.name}")
        if packed:
            file.write(package, package.name)
    return archive


def _add(file: zipfile.ZipFile, name: str, text: str) -> None:
    """Add a script that may be run."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o755 << 16
    file.writestr(entry, text)
