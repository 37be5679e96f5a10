"""One source of randomness."""

import numpy as np
import pytest

from tinydl import random
from tinydl.errors import ArgumentError


def test_the_same_seed_gives_the_same_numbers():
    random.set_seed(3)
    first = random.default_generator().random(4)
    random.set_seed(3)
    np.testing.assert_array_equal(random.default_generator().random(4), first)
    random.set_seed(4)
    assert (random.default_generator().random(4) != first).all()


def test_generator_resolves_seeds():
    own = np.random.default_rng(0)
    assert random.generator(own) is own
    assert random.generator(None) is random.default_generator()
    assert random.generator(5).random() == np.random.default_rng(5).random()


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ArgumentError, match=r"seed is .*whole number, at least 0"):
        random.set_seed(seed)
