"""What the README shows is what is tested, and what it points to is there."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tinydl

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROGRAM = re.search(r"^```python\n(import tinydl as keras\n.*?)^```$", README, re.S | re.M).group(1)


def small_mnist():
    """A hundredth of MNIST, so that the program ends in a second."""
    (x_train, y_train), (x_test, y_test) = tinydl.datasets.mnist.load_data()
    return (x_train[:600], y_train[:600]), (x_test[:100], y_test[:100])


def run_program(capsys):
    exec(compile(PROGRAM, "README.md", "exec"), {})
    return float(re.search(r"Test accuracy: ([\d.]+)", capsys.readouterr().out).group(1))


def test_the_program_runs_and_learns(monkeypatch, capsys):
    data = small_mnist()
    monkeypatch.setattr(tinydl.datasets.mnist, "load_data", lambda: data)
    tinydl.utils.set_random_seed(0)
    assert run_program(capsys) > 0.7


@pytest.mark.slow
def test_the_program_reaches_98_percent_on_all_of_mnist(capsys):
    accuracies = []
    for seed in range(3):
        tinydl.utils.set_random_seed(seed)
        accuracies.append(run_program(capsys))
    assert np.median(accuracies) >= 0.98


def test_local_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    local = [link for link in links if "://" not in link]
    assert local
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_the_map_of_the_house_names_what_exists():
    house = re.search(r"^```text\n(.*?)^```$", README, re.S | re.M).group(1)
    names = [line.split()[0] for line in house.splitlines()]
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_ci_finds_the_readmes_test_command():
    pattern = re.search(r"grep -E '(.*)' README.md", (ROOT / ".ci" / "run").read_text()).group(1)
    found = subprocess.run(
        ["grep", "-cE", pattern, str(ROOT / "README.md")], capture_output=True, text=True
    )
    assert found.stdout.strip() == "1"


def test_the_citation_is_of_this_version():
    assert f"version: {tinydl.__version__}\n" in (ROOT / "CITATION.cff").read_text()
