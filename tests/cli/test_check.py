"""tinydl check: the tables, the exit status, and names that do not exist."""

import pytest

from tinydl.__main__ import main
from tinydl.cli import check
from tinydl.engine import Op, rule
from tinydl.testing import mutants
from tinydl.testing.mutant import gradient, signed


def test_a_table_of_ops(capsys):
    assert main(["check", "tanh", "sum", "--order", "1", "--seeds", "2"]) == 0
    printed = capsys.readouterr().out
    assert "tanh" in printed
    assert "2 of 2 ops passed" in printed
    assert "worst error / bound" in printed


def test_a_failed_op_is_explained(capsys, monkeypatch):
    class Wrong(Op, abstract=True):
        """Wrong."""

        name = "wrong"
        input_names = ("x",)
        formula = r"y_i = x_i^2"

        def forward(self, x):
            return x * x

        @rule(r"\bar x_i = \bar y_i x_i")
        def x(self, y_bar, y, x):
            return y_bar * x

    monkeypatch.setitem(Op.registry, "wrong", Wrong)
    assert main(["check", "exp", "wrong"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED" in printed
    assert "likely cause: a factor 2 is missing" in printed
    assert "1 of 2 ops passed" in printed


def test_the_closest_name_is_proposed(capsys):
    assert main(["check", "sofmax"]) == 2
    assert "did you mean 'softmax'?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--order", "0"], ["--seeds", "-1"], ["--order", "two"]])
def test_counts_are_positive(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["check", *arguments])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def square(name, right, wrong):
    return gradient(name, "A mistake.", lambda x: x * x, right, wrong, signed(3))


def right(g, x):
    return 2 * g * x


def half(g, x):
    return g * x


def test_the_kill_rate(capsys, monkeypatch):
    monkeypatch.setattr(check, "CATALOGUE", mutants.CATALOGUE[:2])
    assert main(["check", "--mutants"]) == 0
    assert "kill rate 100.0%: 2 of 2 mistakes caught; 0 of 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "mutant, word",
    [(square("missed", right, right), "MISSED"), (square("accused", half, half), "ACCUSED")],
)
def test_a_missed_mistake_or_a_false_accusation_fails(mutant, word, capsys, monkeypatch):
    monkeypatch.setattr(check, "CATALOGUE", [*mutants.CATALOGUE[:1], mutant])
    assert main(["check", "--mutants"]) == 1
    assert word in capsys.readouterr().out


def test_the_page_of_ops(capsys):
    assert main(["ops"]) == 0
    page = capsys.readouterr().out
    for name in Op.registry:
        assert f"## `{name}(" in page
    assert main(["ops", "log"]) == 0
    page = capsys.readouterr().out
    assert r"$$y_i = \ln x_i$$" in page
    assert "defined from 0 to inf" in page
    assert main(["ops", "lgo"]) == 2
