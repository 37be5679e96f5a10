"""Percent scripts and notebooks are read as jupytext reads them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl.course.cells import (
    Cell,
    format_notebook,
    format_script,
    parse_notebook,
    parse_script,
    read_cells,
    script_of,
)
from tinydl.errors import FileFormatError

SCRIPT = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Losses
#
# The mean of $x$.

# %% The answer nbgrader={"grade": false, "grade_id": "mean", "locked": false, "solution": true}
import numpy as np


def mean(x):
    return np.mean(x)  # %% this is no marker

# %% tags=["a", "b = c"] deletable=false
# %matplotlib inline
assert mean([1, 3]) == 2

# %% [raw]
# as it is

# %%
"""
CELLS = [
    Cell("markdown", "# Losses\n\nThe mean of $x$."),
    Cell(
        "code",
        "import numpy as np\n\n\ndef mean(x):\n    return np.mean(x)  # %% this is no marker",
        {
            "title": "The answer",
            "nbgrader": {"grade": False, "grade_id": "mean", "locked": False, "solution": True},
        },
    ),
    Cell(
        "code",
        "%matplotlib inline\nassert mean([1, 3]) == 2",
        {"tags": ["a", "b = c"], "deletable": False},
    ),
    Cell("raw", "as it is"),
    Cell("code", ""),
]


def test_a_script_has_these_cells():
    assert parse_script(SCRIPT) == CELLS


def test_what_is_written_is_read_again():
    assert parse_script(format_script(CELLS)) == CELLS
    assert parse_notebook(format_notebook(CELLS)) == CELLS


LINES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12).filter(
    lambda line: not line.startswith(("#", "%", "!", "?")) and not line.endswith("?")
)
SOURCES = st.lists(LINES, max_size=4).map(lambda lines: "\n".join(lines).strip("\n"))
METADATA = st.dictionaries(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(lambda name: name != "title"),
    st.recursive(
        st.booleans() | st.integers() | st.text(),
        lambda values: st.lists(values) | st.dictionaries(st.text(), values),
        max_leaves=5,
    ),
    max_size=3,
)


@settings(max_examples=25)
@given(st.lists(st.builds(Cell, st.sampled_from(["code", "markdown", "raw"]), SOURCES, METADATA)))
def test_any_cells_survive_both_spellings(cells):
    assert parse_script(format_script(cells)) == cells
    for cell in cells:
        cell.metadata.pop("nbgrader", None)
    assert parse_notebook(format_notebook(cells)) == cells


def plain(notebook):
    """jupytext's cells as ours; it also notes how many empty lines follow a cell."""
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
    return [Cell(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]


@pytest.mark.parametrize("text", [SCRIPT, format_script(CELLS)], ids=["jupytext's", "ours"])
def test_jupytext_reads_the_same(text):
    jupytext = pytest.importorskip("jupytext")
    assert plain(jupytext.reads(text, fmt="py:percent")) == CELLS


def test_jupytexts_scripts_are_read():
    jupytext = pytest.importorskip("jupytext")
    notebook = jupytext.reads(format_notebook(CELLS), fmt="ipynb")
    assert plain(notebook) == CELLS
    assert parse_script(jupytext.writes(notebook, fmt="py:percent")) == CELLS


def test_our_notebooks_are_valid():
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.reads(format_notebook(CELLS * 2), as_version=4)
    nbformat.validate(notebook)


def test_a_script_may_come_from_windows(tmp_path):
    path = tmp_path / "assignment.py"
    path.write_bytes(b"\xef\xbb\xbf" + SCRIPT.replace("\n", "\r\n").encode())
    assert read_cells(path) == CELLS
    assert script_of(path) == SCRIPT


def test_a_notebooks_script_runs(tmp_path):
    path = tmp_path / "assignment.ipynb"
    sources = ["%%time\nx = 1", "!pip install numpy", "%%bash\nls *", "y = x + 1"]
    path.write_text(format_notebook([Cell("code", source) for source in sources]))
    names = {}
    exec(script_of(path), names)
    assert names["y"] == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [3]}', '{"worksheets": []}', "[" * 100_000]
)
def test_a_damaged_notebook_is_an_error_that_says_so(tmp_path, text):
    path = tmp_path / "assignment.ipynb"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=r"assignment\.ipynb"):
        read_cells(path)


def test_what_is_no_text_is_an_error_that_says_so(tmp_path):
    path = tmp_path / "assignment.py"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(FileFormatError, match="no UTF-8 text"):
        script_of(path)


def test_metadata_that_is_no_json_is_an_error_that_shows_it():
    with pytest.raises(FileFormatError, match="'grade': True"):
        parse_script("# %% nbgrader={'grade': True}\n")


def test_each_cell_of_a_notebook_has_an_identity():
    notebook = json.loads(format_notebook(CELLS * 3))
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
