"""Reading a data set's file, once it has been found to be the very file that was meant."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from tinydl.errors import FileFormatError

FOLDER = Path(__file__).parent


def read_npz(path: str | Path, sha256: str) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file, by name.

    Parameters
    ----------
    path : str or Path
        A relative path starts at the folder of the bundled data.
    sha256 : str
        What the file's SHA-256 must be, in hexadecimal digits.

    Raises
    ------
    FileFormatError
        When the file is damaged, or another one.
    FileNotFoundError
        When there is no such file.
    """
    import hashlib  # loads OpenSSL: not when tinydl is imported

    path = FOLDER / path
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise FileFormatError(
            "load_data",
            f"the SHA-256 of {path}",
            got=found,
            expected=sha256,
            hint="the file is damaged, or another one: install tinydl again, or fetch it anew",
        )
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
