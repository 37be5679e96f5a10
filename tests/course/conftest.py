"""The grader does not depend on who computes: it is tested once, not for each backend."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    if os.environ.get("TINYDL_KERNELS") != "numpy":
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="tested with the C kernels"))
