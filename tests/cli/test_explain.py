"""`python -m tinydl explain`."""

import pytest

from tinydl.__main__ import main
from tinydl.explain import STORIES

PROGRAM = """
from tinydl import tensor
w = tensor(3.0, requires_grad=True)
for _ in range(2):
    loss = w * w
    loss.backward()
"""


@pytest.mark.parametrize("name", sorted(set(STORIES) - {"mnist"}))
def test_every_story_is_printed(name, capsys):
    assert main(["explain", name]) == 0
    assert "step 1 of" in capsys.readouterr().out


def test_one_step_and_one_element(capsys):
    assert main(["explain", "softmax", "--step", "1", "--element", "1"]) == 0
    text = capsys.readouterr().out
    assert "[1] = " in text
    assert "step 2" not in text


def test_a_program_of_ones_own_and_a_file(tmp_path, capsys):
    program, page = tmp_path / "step.py", tmp_path / "step.html"
    program.write_text(PROGRAM)
    assert main(["explain", str(program), "--html", str(page)]) == 0
    assert f"2 pages are in {page}" in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")


def test_without_a_name_it_is_the_mnist_network_as_a_small_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["explain"]) == 0
    page = tmp_path / "tinydl-explain.html"
    assert str(page) in capsys.readouterr().out
    assert page.stat().st_size < 5_000_000


def test_pages_are_turned_by_letters(monkeypatch, capsys):
    answers = iter(["n", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    assert main(["explain", "backprop", "--interactive"]) == 0
    assert "step 2 of" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["sofmax"],
        ["softmax", "--step", "99"],
        ["softmax", "--element", "1"],
        ["softmax", "--step", "1", "--element", "x"],
        ["softmax", "--step", "1", "--element", "77"],
        ["nowhere.py"],
        ["mse", "--html", "no/such/folder/page.html"],
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(words, capsys):
    assert main(["explain", *words]) == 2
    assert capsys.readouterr().err.count("\n") <= 3
