"""The tutorials run, and show what they say."""

import re
import runpy
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).parent.parent / "tutorials").glob("*.py"))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_runs_and_prints(path, capsys):
    runpy.run_path(str(path))
    assert capsys.readouterr().out


def test_more_steps_go_farther_than_exact_ones(capsys):
    (path,) = (path for path in TUTORIALS if path.stem == "02_one_rule_three_gradients")
    shown = runpy.run_path(str(path))
    whole, few, single = shown["losses"].values()
    assert whole[-1] > 10 * few[-1]
    assert few[-1] < 0.02
    assert single[0] < few[0] < whole[0]
    assert shown["best"] <= min(*whole, *few, *single) + 1e-6
    assert few[-1] < single[-1]


def test_they_are_numbered_in_reading_order():
    numbers = [re.match(r"\d\d", path.stem).group() for path in TUTORIALS]
    assert numbers == [f"{k:02}" for k in range(1, len(TUTORIALS) + 1)]
