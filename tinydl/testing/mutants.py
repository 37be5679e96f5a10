"""The catalogue of wrong gradients: mistakes that people make, and that our checks must catch.

Each mutant comes with the same piece of code without the mistake, which must not be accused:
a check that always complains would catch everything.
"""

from __future__ import annotations

from typing import NamedTuple

from tinydl.testing import mutants_basic, mutants_networks, mutants_ops, mutants_shapes
from tinydl.testing.mutant import Mutant

CATALOGUE: tuple[Mutant, ...] = (
    *mutants_basic.MUTANTS,
    *mutants_shapes.MUTANTS,
    *mutants_networks.MUTANTS,
    *mutants_ops.MUTANTS,
)


class Trial(NamedTuple):
    """How a mutant fared: whether it was caught, and whether its right version was accused."""

    mutant: Mutant
    caught: bool
    accused: bool


def try_mutant(mutant: Mutant, seeds: int = 1) -> Trial:
    """Run a mutant and its right version.

    Parameters
    ----------
    mutant : Mutant
    seeds : int
        How many times to draw the numbers anew: the mutant must be caught each time, and its right
        version accused at none.

    Examples
    --------
    >>> trial = try_mutant(CATALOGUE[0])
    >>> trial.mutant.name, trial.caught, trial.accused
    ('sign lost', True, False)
    """
    return Trial(
        mutant,
        caught=all(mutant.finds_fault(True, seed) for seed in range(seeds)),
        accused=any(mutant.finds_fault(False, seed) for seed in range(seeds)),
    )
