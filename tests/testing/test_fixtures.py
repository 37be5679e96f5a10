"""The public fixtures: numbers that depend on the test alone, and one run for each backend."""

import zlib

import numpy as np
import pytest

from tinydl import kernels

drawn = []


def test_numbers_are_drawn(rng):
    drawn.append(rng.random())


def test_other_numbers_for_another_test(rng):
    drawn.append(rng.random())
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("again", [1, 2])
def test_the_seed_follows_from_the_name(rng, request, again):
    seed = zlib.crc32(request.node.nodeid.encode())
    assert rng.random() == np.random.default_rng(seed).random()


def test_the_kernels_are_those_of_the_backend(backend):
    assert all(label.startswith(backend) for label in kernels.active().values())
