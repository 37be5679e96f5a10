"""One short training by the command line, shared by the tests that look at what it leaves."""

import pytest

from tinydl.__main__ import main


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The output folder of a training on the first 2,000 images."""
    folder = tmp_path_factory.mktemp("trained")
    assert main(["train", "--epochs=2", "--limit=2000", "--output", str(folder)]) == 0
    return folder
