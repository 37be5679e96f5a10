"""The public properties as students get them."""

import shutil

import pytest

from tests.course.toy import RIGHT, write_toy
from tinydl.course import grade
from tinydl.course.publishing import load_public, publish
from tinydl.errors import ArgumentError, FileFormatError


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return write_toy(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="module")
def published(toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    publish(toy, toy, folder)
    return folder


def check(published, tmp_path, source):
    (tmp_path / "assignment.py").write_text(source)
    known = load_public(published)
    assert known.hidden_points == 1
    return grade(known.assignment, tmp_path)


def test_a_right_submission_passes_them(published, tmp_path):
    result = check(published, tmp_path, RIGHT)
    assert [(p.name, p.passed) for p in result.properties] == [
        ("mse: value", True),
        ("relu: value", True),
    ]


def test_a_mistake_is_found_and_named_without_its_text(published, tmp_path):
    value, _ = check(published, tmp_path, RIGHT.replace("np.mean", "np.sum")).properties
    assert value.likely == "a sum for the mean"
    assert value.counter_example.numbers == r"L = \frac{1}{2} ((-1 - 1)^2 + (0 - -1)^2)"
    text = (published / "public_properties.py").read_text()
    for secret in ("np.sum", "sum(", "likely", "matrices", "MISTAKES", "only rows", "secret"):
        assert secret not in text


def test_the_answers_tell_no_names_of_hidden_properties(published):
    content = (published / "public_answers.bin").read_bytes()
    assert b"mse: value" in content
    assert b"mse: matrices" not in content


def test_a_counter_example_is_made_as_small_as_what_is_recorded_allows(published, tmp_path):
    source = RIGHT.replace("np.mean((y - t) ** 2)", "0.0 if y.size > 3 else np.mean((y - t) ** 2)")
    value, _ = check(published, tmp_path, source).properties
    assert not value.passed and value.kind == "value"


@pytest.mark.parametrize("content", [b"", b"\0" * 100])
def test_damaged_answers_are_an_error_that_says_so(published, tmp_path, content):
    (tmp_path / "public_properties.py").write_bytes(
        (published / "public_properties.py").read_bytes()
    )
    (tmp_path / "public_answers.bin").write_bytes(content)
    with pytest.raises(FileFormatError, match="damaged"):
        load_public(tmp_path)


def test_two_functions_of_one_name_are_refused(tmp_path):
    toy = write_toy(tmp_path)
    path = toy / "properties.py"
    path.write_text(path.read_text().replace("def matrices", "def value"))
    with pytest.raises(ArgumentError, match="a name of its own"):
        publish(toy, toy, tmp_path)


def test_properties_that_were_edited_are_an_error_that_says_so(published, tmp_path):
    (tmp_path / "public_properties.py").write_text("1 / 0")
    with pytest.raises(FileFormatError, match="ZeroDivisionError"):
        load_public(tmp_path)


def test_answers_that_were_left_behind_are_an_error_that_says_so(published, tmp_path):
    shutil.copy(published / "public_properties.py", tmp_path)
    with pytest.raises(FileFormatError, match=r"public_answers.bin is missing"):
        load_public(tmp_path)
