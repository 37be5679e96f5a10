"""Breast tumours: 30 measurements of cell nuclei, and whether the tumour was malignant.

A fine needle took cells from each of 569 breast masses; on a microscope image the outlines of the
nuclei were traced, and ten properties of each nucleus were measured.

Source: Street, Wolberg & Mangasarian, *Nuclear feature extraction for breast tumor diagnosis*,
IS&T/SPIE International Symposium on Electronic Imaging 1905, 1993.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinydl.datasets.files import read_npz

SHA256 = "dfe3cdb049499d472d7e40eb564d3dbf9dff9f6702bc2044e28523e31ff2580f"
PROPERTIES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
FEATURES = [
    f"{statistic} {name}" for statistic in ("mean", "error of", "worst") for name in PROPERTIES
]


def load_data(
    path: str | Path = "breast_cancer.npz",
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Load the tumours. They come without a split: make one of your own before you look at them.

    Each property of the nuclei of an image appears as its mean, as the standard error of that mean,
    and as the mean of the three largest ("worst").

    Parameters
    ----------
    path : str or Path
        The file; by default the one that comes with the package. A relative path starts at the
        folder of the bundled data.

    Returns
    -------
    x, y, names
        Measurements as float64 of shape (569, 30), labels as uint8 of shape (569,), and what the
        30 columns are. A label of 1 means malignant (212 tumours), 0 benign (357): the positive
        class is the one that must not be missed. Some copies of these data count the other way.

    Raises
    ------
    FileFormatError
        When the file is not, bit by bit, the one whose SHA-256 is known.
    FileNotFoundError
        When there is no such file.

    Examples
    --------
    >>> x, y, names = load_data()
    >>> x.shape, y.sum().item(), names[0], x[0, 0].item()
    ((569, 30), 212, 'mean radius', 17.99)
    """
    arrays = read_npz(path, SHA256)
    return arrays["x"], arrays["y"], list(FEATURES)
