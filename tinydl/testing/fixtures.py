"""Two pytest fixtures: import them into a test module or a ``conftest.py``, and ask for them.

Examples
--------
>>> from tinydl import ops
>>> from tinydl.testing.fixtures import backend, rng
>>> def test_softmax_adds_up_to_one(backend, rng):
...     y = ops.softmax(rng.normal(size=(3, 4)))
...     assert np.allclose(y.numpy().sum(axis=-1), 1.0)
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from tinydl import kernels
from tinydl.testing.properties import backends


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator with a seed of the test's own: the same each time, another for each test."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(params=backends())
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test once on each kind of kernels; the fixture's value is their name."""
    with kernels.use(request.param):
        yield request.param
