import csv
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tinydl.__main__ import main
from tinydl.datasets import mnist
from tinydl.saving import load_model

QUICK = ["train", "--epochs=1", "--limit=320"]


@pytest.fixture
def small_test_set(monkeypatch):
    """A tenth of the test images, for runs where evaluating them all would take longest."""
    training, (x_test, y_test) = mnist.load_data()
    monkeypatch.setattr(mnist, "load_data", lambda: (training, (x_test[:1000], y_test[:1000])))


def status_of(arguments):
    """What the shell would see; argparse exits by itself."""
    try:
        return main(arguments)
    except SystemExit as stopped:
        return stopped.code


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_it_leaves_a_model_a_history_and_a_page(trained):
    assert sorted(path.name for path in trained.iterdir()) == [
        "history.csv",
        "model.safetensors",
        "training.png",
    ]
    rows = rows_of(trained / "history.csv")
    assert [row["images"] for row in rows] == ["2000", "2000"]
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])
    assert load_model(trained / "model.safetensors").get_weights()[0].shape == (3, 3, 1, 32)
    with Image.open(trained / "training.png") as page:
        assert len(page.convert("RGB").getcolors(maxcolors=1 << 20)) > 50


def test_it_reports_accuracy_classes_and_mistakes(tmp_path, capsys, small_test_set):
    assert main([*QUICK, "--output", str(tmp_path)]) == 0
    report = capsys.readouterr().out
    accuracy = float(report.split("Test accuracy: ")[1].split()[0])
    assert 0.4 < accuracy < 1
    table = report.split("support\n")[1].splitlines()[:10]
    scores = np.array([line.split() for line in table], float)
    assert scores[:, 0].tolist() == list(range(10))
    assert scores[:, 4].sum() == 1000
    recalled = scores[:, 2] * scores[:, 4]
    assert recalled.sum() / 1000 == pytest.approx(accuracy, abs=1e-3)
    assert report.count("seen as") == 5


def test_the_same_seed_gives_the_same_model(tmp_path, monkeypatch, small_test_set):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)  # drawing takes longest
    weights = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        main([*QUICK, f"--seed={seed}", "--output", str(tmp_path / folder)])
        weights.append(load_model(tmp_path / folder / "model.safetensors").get_weights())
    for a, b, c in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.any(a != c)


def test_without_matplotlib_there_is_a_sentence_for_a_picture(
    tmp_path, monkeypatch, capsys, small_test_set
):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main([*QUICK, "--output", str(tmp_path)]) == 0
    assert "pip install 'tinydl[plots]'" in capsys.readouterr().out
    assert not (tmp_path / "training.png").exists()


def test_a_diverging_loss_is_one_sentence_and_keeps_the_history(tmp_path, capsys):
    arguments = ["--optimizer=sgd", "--learning-rate=1e30", "--output", str(tmp_path)]
    assert main([*QUICK, *arguments]) == 1
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "there are no weights" in complaint
    assert len(rows_of(tmp_path / "history.csv")) == 1
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--epochs=0"], "--epochs"),
        (["--batch-size=-1"], "--batch-size"),
        (["--batch-size=1.5"], "--batch-size"),
        (["--learning-rate=nan"], "--learning-rate"),
        (["--learning-rate=fast"], "--learning-rate"),
        (["--seed=-1"], "seed is -1"),
        (["--limit=0"], "--limit"),
        (["--threads=none"], "--threads"),
        (["--optimizer=adm"], "did you mean 'adam'"),
        (["--kernels=fortran"], "fortran"),
        (["--output=/dev/null/folder"], "--output"),
        (["--colour"], "--colour"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_work(
    tmp_path, monkeypatch, capsys, arguments, expected
):
    monkeypatch.chdir(tmp_path)
    assert status_of([*QUICK, *arguments]) == 2
    output = capsys.readouterr()
    assert output.err.count("\n") == 1
    assert expected in output.err
    assert output.out == ""


def test_ctrl_c_saves_what_there_is(tmp_path):
    command = [sys.executable, "-m", "tinydl", "train", "--epochs=100000", "--limit=320"]
    process = subprocess.Popen(
        [*command, "--output", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaint.count("\n") == 1
    assert load_model(tmp_path / "model.safetensors").get_weights()[0].shape == (3, 3, 1, 32)
    assert rows_of(tmp_path / "history.csv")[0]["images"] == "320"
