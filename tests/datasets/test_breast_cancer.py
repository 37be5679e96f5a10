import numpy as np
import pytest

from tinydl.datasets import breast_cancer, files
from tinydl.errors import FileFormatError


def test_the_data_are_the_tumours_of_wisconsin():
    x, y, names = breast_cancer.load_data()
    assert (x.shape, x.dtype) == ((569, 30), np.float64)
    assert (y.shape, y.dtype) == ((569,), np.uint8)
    assert len(set(names)) == 30
    # Means and ranges as the documentation of scikit-learn's copy prints them.
    column = dict(zip(names, x.T, strict=True))
    assert (column["mean radius"].min(), column["mean radius"].max()) == (6.981, 28.11)
    assert (column["error of area"].min(), column["error of area"].max()) == (6.802, 542.2)
    assert column["worst fractal dimension"].max() == 0.2075


def test_malignant_is_one():
    x, y, names = breast_cancer.load_data()
    assert np.bincount(y).tolist() == [357, 212]
    radius = x[:, names.index("mean radius")]
    assert radius[y == 1].mean() > radius[y == 0].mean() + 4


def test_the_three_statistics_stand_in_their_columns():
    """The largest are above the mean, and the error of a mean is a small part of it."""
    x, _, _ = breast_cancer.load_data()
    mean, error, worst = x[:, :10], x[:, 10:20], x[:, 20:]
    assert np.all(worst >= mean)
    assert np.median(error / np.maximum(mean, 1e-9)) < 0.2


def test_a_damaged_file_is_refused(tmp_path):
    content = bytearray((files.FOLDER / "breast_cancer.npz").read_bytes())
    content[1000] ^= 1
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=breast_cancer.SHA256):
        breast_cancer.load_data(path)


def test_the_licence_stands_beside_the_data():
    notes = (files.FOLDER / "README.md").read_text()
    for fact in ("Attribution 4.0", "Street", "10.24432/C5DW2B", breast_cancer.SHA256):
        assert fact in notes
