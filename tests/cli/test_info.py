import platform
import subprocess
import sys

import numpy as np
import pytest

import tinydl
from tinydl import kernels
from tinydl.__main__ import main


def test_info_names_versions_and_kernels(capsys):
    assert main(["info"]) == 0
    report = capsys.readouterr().out
    for fact in (tinydl.__version__, platform.python_version(), np.__version__):
        assert fact in report
    for name, served_by in kernels.active().items():
        assert f"{name:<22}{served_by}" in report


@pytest.mark.parametrize("arguments", [[], ["trian"], ["info", "more"]])
def test_an_unknown_command_is_one_sentence(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_reader_that_leaves_is_no_error_worth_a_traceback():
    with subprocess.Popen(
        [sys.executable, "-m", "tinydl", "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
