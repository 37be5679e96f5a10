import os

import pytest

from tinydl.cli.output import prepare_folder
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
