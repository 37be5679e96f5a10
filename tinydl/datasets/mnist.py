"""MNIST: 70,000 grey pictures of handwritten digits, 28 x 28 pixels each.

Source: LeCun, Bottou, Bengio & Haffner, *Gradient-based learning applied to document recognition*,
Proceedings of the IEEE 86(11), 1998.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinydl.datasets.files import read_npz

SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"


def load_data(
    path: str | Path = "mnist.npz",
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load MNIST, split as published into 60,000 images to learn from and 10,000 to test with.

    Parameters
    ----------
    path : str or Path
        The file; by default the one that comes with the package. A relative path starts at the
        folder of the bundled data.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images as uint8 of shape (N, 28, 28), from 0 (paper) to 255 (ink), and labels as uint8 of
        shape (N,), from 0 to 9.

    Raises
    ------
    FileFormatError
        When the file is not, bit by bit, the one whose SHA-256 is known.
    FileNotFoundError
        When there is no such file.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape, y_train[:5].tolist()
    ((60000, 28, 28), (10000, 28, 28), [5, 0, 4, 1, 9])
    """
    arrays = read_npz(path, SHA256)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
