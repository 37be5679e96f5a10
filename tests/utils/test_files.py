import pytest

from tinydl.utils import replacing


def test_after_an_error_the_old_file_stands_and_nothing_else(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    named = pytest.raises(FileNotFoundError, match=r"there is no folder .*missing; make it first")
    with named, replacing(tmp_path / "missing" / "x.csv"):
        pass
