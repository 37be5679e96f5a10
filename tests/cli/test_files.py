import os

import pytest

from tinydl.cli.files import prepare_folder, replacing
from tinydl.errors import ArgumentError


def test_a_missing_folder_is_made_and_left_empty(tmp_path):
    prepare_folder(tmp_path / "a" / "b", ["model"])
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="--output"):
        prepare_folder(tmp_path / "file" / "folder", [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ArgumentError, match="denied"):
        prepare_folder(tmp_path, [])


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "history.csv").mkdir()
    with pytest.raises(ArgumentError, match="move it away"):
        prepare_folder(tmp_path, ["history.csv"])


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "history.csv"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_takes_the_place_of_the_old(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
