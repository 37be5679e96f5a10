"""For all tests: the option of a long run, and the public fixtures."""

import pytest

from tinydl.testing import fixtures

backend, rng = fixtures.backend, fixtures.rng


def pytest_addoption(parser):
    parser.addoption(
        "--thorough",
        action="store_true",
        help="draw twenty times as many examples for each op, kernel and mutant",
    )


@pytest.fixture(scope="session")
def seeds(request):
    """How many times to draw examples anew."""
    return 20 if request.config.getoption("--thorough") else 1
