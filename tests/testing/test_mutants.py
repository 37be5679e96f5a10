"""The checks on trial: every mistake of the catalogue is caught, and nothing right is accused."""

import pytest

from tinydl.testing.mutants import CATALOGUE, try_mutant

NAMES = [mutant.name for mutant in CATALOGUE]


def test_the_catalogue_is_large_and_explained():
    assert len(CATALOGUE) >= 100
    assert len(set(NAMES)) == len(NAMES)
    for mutant in CATALOGUE:
        assert mutant.explanation.endswith("."), mutant.name
    kinds = {mutant.caught_by.split(":")[0] for mutant in CATALOGUE}
    assert kinds == {"gradcheck", "gradcheck order 2", "check_op", "check_kernel", "closed form"}


@pytest.mark.parametrize("mutant", CATALOGUE, ids=NAMES)
def test_the_mistake_is_caught_and_its_absence_accepted(mutant, seeds):
    trial = try_mutant(mutant, seeds)
    assert trial.caught
    assert not trial.accused


@pytest.mark.slow
@pytest.mark.parametrize("mutant", CATALOGUE, ids=NAMES)
def test_over_twenty_seeds(mutant):
    trial = try_mutant(mutant, 20)
    assert trial.caught
    assert not trial.accused
