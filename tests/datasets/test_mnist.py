import numpy as np
import pytest

from tinydl.datasets import files, mnist
from tinydl.errors import FileFormatError


def test_the_data_are_mnist():
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    for x, y, samples in ((x_train, y_train, 60_000), (x_test, y_test, 10_000)):
        assert (x.shape, x.dtype) == ((samples, 28, 28), np.uint8)
        assert (y.shape, y.dtype) == ((samples,), np.uint8)
        assert sorted(set(y.tolist())) == list(range(10))
    assert x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert x_train.std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_each_call_gives_arrays_of_its_own():
    (x, _), _ = mnist.load_data()
    x[:] = 0
    (again, _), _ = mnist.load_data()
    assert again.any()


@pytest.mark.parametrize("damage", ["one bit", "half of it", "nothing"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    content = bytearray((files.FOLDER / "mnist.npz").read_bytes())
    if damage == "one bit":
        content[5_000_000] ^= 1
    elif damage == "half of it":
        del content[len(content) // 2 :]
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    if damage == "nothing":
        assert len(mnist.load_data(path)[0][0]) == 60_000
        return
    with pytest.raises(FileFormatError, match=mnist.SHA256):
        mnist.load_data(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        mnist.load_data(tmp_path / "none.npz")


def test_the_licence_stands_beside_the_data():
    notes = (files.FOLDER / "README.md").read_text()
    for fact in ("Share Alike 3.0", "LeCun", mnist.SHA256):
        assert fact in notes
