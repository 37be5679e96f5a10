"""Submissions as they come: notebooks, other names, Windows, links, nothing at all."""

import json

import pytest

from tinydl.course.sources import Unreadable, read_extras, read_source

CODE = "def f(x):\n    return x\n"


def notebook(*sources):
    cells = [{"cell_type": kind, "metadata": {}, "source": text} for kind, text in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    "content",
    [
        CODE.encode(),
        CODE.replace("\n", "\r\n").encode(),
        CODE.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + CODE.encode(),
        CODE.encode("utf-16"),
    ],
)
def test_however_it_was_saved_the_text_is_the_same(tmp_path, content):
    (tmp_path / "assignment.py").write_bytes(content)
    assert read_source(tmp_path, "assignment.py").text == CODE
    assert read_source(tmp_path / "assignment.py", "assignment.py").text == CODE


def test_a_notebook_is_read_as_a_script(tmp_path):
    cells = [
        ("markdown", "# Title"),
        ("code", ["%matplotlib inline\n", "!pip list\n", "np.ones?\n", "??len"]),
        ("code", CODE),
    ]
    (tmp_path / "assignment.ipynb").write_text(notebook(*cells))
    source = read_source(tmp_path, "assignment.py")
    space = {}
    exec(source.text, space)
    assert space["f"](3) == 3 and "Title" not in source.text
    assert "notebook" in source.notes[0]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"cells": 5}',
        '{"cells": [5]}',
        '{"cells": [{}]}',
        "[" * 10**5,
        '{"cells": []}',
    ],
)
def test_a_damaged_notebook_is_explained(tmp_path, content):
    (tmp_path / "assignment.ipynb").write_text(content)
    with pytest.raises(Unreadable) as caught:
        read_source(tmp_path, "assignment.py")
    assert caught.value.state == "unreadable"


def test_a_script_goes_before_a_notebook(tmp_path):
    (tmp_path / "assignment.ipynb").write_text(notebook(("code", "other = 1")))
    (tmp_path / "assignment.py").write_text(CODE)
    assert read_source(tmp_path, "assignment.py").text == CODE


def test_another_name_is_noted(tmp_path):
    (tmp_path / "Assignment (1).py").write_text(CODE)
    source = read_source(tmp_path, "assignment.py")
    assert source.text == CODE and "Assignment (1).py" in source.notes[0]


def test_several_other_names_are_listed(tmp_path):
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(CODE)
    with pytest.raises(Unreadable, match=r"a\.py, b\.py"):
        read_source(tmp_path, "assignment.py")


@pytest.mark.parametrize("content", [b"", b"  \n", b"x = '\xe9'", b"x = 1\0", b"x" * 5_000_001])
def test_what_is_no_script_is_explained(tmp_path, content):
    (tmp_path / "assignment.py").write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        read_source(tmp_path, "assignment.py")
    assert caught.value.state == "unreadable"


def test_what_is_not_there_is_missing(tmp_path):
    (tmp_path / "assignment.py").mkdir()
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "assignment.py"):
        with pytest.raises(Unreadable) as caught:
            read_source(path, "assignment.py")
        assert caught.value.state == "missing"
    (tmp_path / "work.zip").touch()
    for path, what in ((tmp_path, "file assignment.py"), (tmp_path / "01", "folder 01")):
        with pytest.raises(Unreadable, match=f"no {what}.*; found: .*work.zip"):
            read_source(path, "assignment.py")


def test_links_are_not_followed(tmp_path):
    (tmp_path / "properties.py").write_text("the reference")
    folder = tmp_path / "eve"
    folder.mkdir()
    for name in ("assignment.py", "engine.py"):
        (folder / name).symlink_to(tmp_path / "properties.py")
    with pytest.raises(Unreadable, match="no file"):
        read_source(folder, "assignment.py")
    assert read_extras(folder, ["engine.py"]) == {}


def test_extras_are_those_asked_for(tmp_path):
    for name in ("assignment.py", "engine.py", "other.py"):
        (tmp_path / name).write_text(name)
    assert read_extras(tmp_path, ["engine.py", "absent.py"]) == {"engine.py": b"engine.py"}


def test_c_may_be_saved_as_latin_1(tmp_path):
    (tmp_path / "kernels.c").write_bytes("/* für */\r\nint x;\n".encode("latin-1"))
    source = read_source(tmp_path, "kernels.c")
    assert source.text == "/* für */\nint x;\n" and "Latin-1" in source.notes[0]
