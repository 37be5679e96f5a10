import numpy as np
import pytest
from PIL import Image

from tinydl.__main__ import main
from tinydl.datasets import mnist
from tinydl.layers import Dense, Flatten, Input, Rescaling
from tinydl.models import Sequential

(_, _), (DIGITS, LABELS) = mnist.load_data()


@pytest.fixture
def pictures(tmp_path):
    """Twenty test digits as files: 84 x 84, dark on light."""
    paths = []
    for index, digit in enumerate(DIGITS[:20]):
        paths.append(str(tmp_path / f"{index}.png"))
        Image.fromarray(255 - digit).resize((84, 84)).save(paths[-1])
    return paths


def test_most_digits_are_recognised_line_by_line(trained, pictures, capsys):
    assert main(["predict", str(trained / "model.safetensors"), *pictures]) == 0
    lines = capsys.readouterr().out.splitlines()
    answers = []
    for path, line in zip(pictures, lines, strict=True):
        name, answer = line.split(": ")
        assert name == path
        answers.append(int(answer.split()[0]))
    assert np.sum(answers == LABELS[:20]) >= 17


def test_pixels_reach_the_model_as_it_was_trained(tmp_path, pictures, capsys):
    takes_fractions = Sequential([Input((28, 28, 1)), Flatten(), Dense(10, "softmax")])
    takes_pixels = Sequential([Input((28, 28, 1)), Rescaling(1 / 255), *takes_fractions.layers])
    for model in (takes_fractions, takes_pixels):
        path = tmp_path / "model.safetensors"
        model.save(path)
        assert main(["predict", str(path), pictures[0]]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_a_bad_picture_does_not_stop_the_others(trained, pictures, tmp_path, capsys):
    (tmp_path / "bad.png").write_text("not a picture")
    files = [str(tmp_path / "bad.png"), str(tmp_path / "nowhere.png"), str(tmp_path), pictures[0]]
    assert main(["predict", str(trained / "model.safetensors"), *files]) == 1
    output = capsys.readouterr()
    assert output.out.startswith(f"{pictures[0]}: 7 ")
    complaints = output.err.splitlines()
    assert len(complaints) == 3
    assert "bad.png" in complaints[0]
    assert "nowhere.png: No such file" in complaints[1]
    assert "Is a directory" in complaints[2]


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_model_that_cannot_be_read_is_one_sentence(tmp_path, pictures, capsys, content):
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    assert main(["predict", str(path), pictures[0]]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "layers", [[Input((5,)), Dense(10)], [Input((28, 28, 1)), Flatten(), Dense(3)]]
)
def test_a_model_for_something_else_is_refused(tmp_path, pictures, capsys, layers):
    path = tmp_path / "model.safetensors"
    Sequential(layers).save(path)
    assert main(["predict", str(path), pictures[0]]) == 2
    assert capsys.readouterr().err.count("\n") == 1
