"""The tutorials run, as scripts and as notebooks, and show the numbers of which they speak."""

import contextlib
import io
import os
import re
import runpy
import warnings
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tinydl.course.cells import read_cells
from tinydl.engine import Op
from tinydl.explain import STORIES

ROOT = Path(__file__).parent.parent
TUTORIALS = sorted((ROOT / "tutorials").glob("*.py"))
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\w])")


class Shown(NamedTuple):
    """A cell that was run: its text or program, and what it printed."""

    is_text: bool
    source: str
    printed: str


@cache
def run(path):
    """The cells of a lesson, run one by one, as a notebook does."""
    names = {"__name__": "__main__"}
    shown = []
    for cell in read_cells(path):
        printed = io.StringIO()
        if cell.kind == "code":
            with contextlib.redirect_stdout(printed):
                exec(compile(cell.source, str(path), "exec"), names)
        shown.append(Shown(cell.kind == "markdown", cell.source, printed.getvalue()))
    if "plt" in names:
        names["plt"].close("all")
    return shown


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """The folder for the pictures of all lessons."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, pictures):
    """Save pictures; and leave the registry as it was, to which one of the lessons adds ops."""
    monkeypatch.setenv("TINYDL_PICTURES", str(pictures))
    monkeypatch.setattr(Op, "registry", dict(Op.registry))


def numbers_in(text):
    return [number.replace(",", "") for number in NUMBER.findall(text)]


def claimed_numbers(text):
    """The numbers of a text that are results or data: not those of formulas, links and sources."""
    for other in (
        r"\$\$.*?\$\$",  # a formula of its own
        r"[_^]\{?[-\d]+\}?",  # an index or an exponent within the text
        r"\]\(.*?\)",
        r"^Sources?: .*?(\n\n|\Z)",
        r"[Ll]essons? \d+( (to|and) \d+)?|[Aa]ssignment \d+",
    ):
        text = re.sub(other, " ", text, flags=re.M | re.S)
    return numbers_in(text)


def agrees(claim, shown):
    """Whether the number in the text is the one shown, rounded to as many digits."""
    digits = len(claim.partition(".")[2])
    exact = digits == 0 or "e" in claim
    return abs(float(claim) - float(shown)) <= (0 if exact else 0.5001 * 10**-digits)


@pytest.mark.parametrize(
    ("claim", "shown", "same"),
    [
        ("0.62", "0.6225", True),
        ("0.63", "0.6225", False),
        ("12", "12.0", True),
        ("12", "12.3", False),
        ("-3", "3", False),
    ],
)
def test_numbers_agree_as_far_as_they_are_given(claim, shown, same):
    assert agrees(claim, shown) is same


def test_sources_and_indices_are_no_claims():
    text = "For $w_1 = 3^2$ it is 1,024, as [here](02.md).\n\nSources: 1986;\n323.\n\nThen -0.5."
    assert claimed_numbers(text) == ["3", "1024", "-0.5"]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_shows_the_numbers_it_speaks_of(path):
    cells = run(path)
    for place, cell in enumerate(cells):
        if cell.is_text and not cell.source.startswith("## Exercises"):
            beside = cells[max(place - 1, 0) : place + 2]
            shown = numbers_in(" ".join(c.source + c.printed for c in beside if not c.is_text))
            missing = [
                n for n in claimed_numbers(cell.source) if not any(agrees(n, s) for s in shown)
            ]
            assert missing == [], f"in the cell that begins {cell.source[:60]!r}"


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_ends_with_three_exercises_that_lead_to_assignments(path):
    last = read_cells(path)[-1].source
    assert last.startswith("## Exercises")
    assert re.findall(r"^(\d)\. ", last, re.M) == ["1", "2", "3"]
    assert re.search(r"\(assignments/0[1-8]-[a-z-]+/\)", last)


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_opens_as_a_notebook(path):
    jupytext = pytest.importorskip("jupytext")
    nbformat = pytest.importorskip("nbformat")
    notebook = jupytext.read(path, fmt="py:percent")
    nbformat.validate(notebook)
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    assert cells == [(cell.kind, cell.source) for cell in read_cells(path)]


@pytest.mark.parametrize(
    "path",
    [TUTORIALS[0], *[pytest.param(path, marks=pytest.mark.slow) for path in TUTORIALS[1:]]],
    ids=lambda path: path.stem,
)
def test_it_runs_as_a_notebook(path, monkeypatch):
    jupytext = pytest.importorskip("jupytext")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    notebook = jupytext.read(path, fmt="py:percent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Jupyter's own, about its folders and loops
        nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    printed = [
        "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    assert printed[0] == next(cell.printed for cell in run(path) if not cell.is_text)


def test_the_pictures_of_the_docs_are_those_the_lessons_draw(pictures):
    pytest.importorskip("matplotlib")
    for path in TUTORIALS:
        run(path)
    drawn = {picture.name for picture in pictures.iterdir()}
    assert drawn == {picture.name for picture in (ROOT / "docs/images/tutorials").iterdir()}


def test_they_are_numbered_in_reading_order():
    numbers = [re.match(r"(\d\d)_", path.stem)[1] for path in TUTORIALS]
    assert numbers == [f"{k:02}" for k in range(1, len(TUTORIALS) + 1)]


def test_the_index_lists_them_in_order():
    index = (ROOT / "docs" / "tutorials.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(\.\./tutorials/(\d\d\w+\.py)\)", index)
    assert linked == [path.name for path in TUTORIALS]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_the_page_of_the_docs_is_the_lesson(path):
    renderer = runpy.run_path(str(ROOT / "docs" / "render_tutorials.py"))
    page = renderer["page_of"](path).read_text(encoding="utf-8")
    place = 0
    for cell in read_cells(path):
        place = page.find(renderer["source_of"](cell), place)
        assert place >= 0, f"docs/render_tutorials.py has not seen {cell.source[:60]!r}"


def test_the_stories_they_name_are_there():
    pages = [*TUTORIALS, ROOT / "tutorials" / "README.md"]
    texts = [page.read_text(encoding="utf-8") for page in pages]
    named = {name for text in texts for name in re.findall(r"explain ([a-z-]+)`", text)}
    assert len(named) > 5
    assert named <= set(STORIES)


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "docs" / "tutorials.md",
        ROOT / "tutorials" / "README.md",
        *sorted((ROOT / "docs" / "tutorials").glob("*.md")),
        *TUTORIALS,
    ],
    ids=lambda path: path.stem,
)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = "\n".join(cell.source for cell in read_cells(path) if cell.kind == "markdown")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    local = [link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in link]
    assert local
    assert [link for link in local if not (path.parent / link).exists()] == []
