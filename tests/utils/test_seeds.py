import numpy as np
import pytest

from tinydl.errors import ArgumentError
from tinydl.random import default_generator
from tinydl.utils import set_random_seed


def test_a_seed_starts_the_numbers_anew_and_leaves_numpys_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 (the state that must not change)
    draws = []
    for seed in (1, 1, 2):
        set_random_seed(seed)
        draws.append(default_generator().random(4).tolist())
    assert draws[0] == draws[1] != draws[2]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None, True])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ArgumentError, match="seed is"):
        set_random_seed(seed)
