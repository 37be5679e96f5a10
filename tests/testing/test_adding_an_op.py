"""docs/adding-an-op.md keeps its word: one class, and everything else picks it up."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "adding-an-op.md").read_text()
THE_CLASS, THE_CHECK = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

AFTERWARDS = """
import doctest
from tinydl import ops
from tinydl.__main__ import main

assert "logaddexp" in dir(ops)
help_page = ops.logaddexp.__doc__
assert Logaddexp.formula in help_page and Logaddexp.rules[0].formula in help_page
y = ops.logaddexp([-1000.0, 0.0], [-1000.0, -1000.0])
assert np.allclose(y, [-1000.0 + np.log(2.0), 0.0])
assert doctest.testmod().failed == 0
assert main(["check", "logaddexp", "--order", "3", "--seeds", "2"]) == 0
assert main(["ops", "logaddexp"]) == 0
"""


def test_the_class_on_the_page_is_all_it_takes(tmp_path):
    script = tmp_path / "page.py"
    script.write_text(THE_CLASS + THE_CHECK + AFTERWARDS)
    process = subprocess.run(
        [sys.executable, "-W", "error", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "1 of 1 ops passed" in process.stdout
    assert "## `logaddexp(x1, x2)`" in process.stdout
    assert re.search(r"logaddexp +9 +\d+ +0\.\d+ +3 +passed", process.stdout)


def test_the_page_forgets_a_rule_and_the_checker_notices():
    """What the page invites the reader to try."""
    wrong = THE_CLASS.replace("(x1 - y)", "x1")
    assert wrong != THE_CLASS
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            wrong + "from tinydl.__main__ import main\nexit(main(['check', 'logaddexp']))",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "the gradient of x1" in process.stdout
