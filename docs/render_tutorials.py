"""Write each lesson of tutorials/ as a page that shows what it prints: docs/tutorials/*.md.

    python docs/render_tutorials.py

Links lead from where the page is, and other lessons to their pages. A picture stands after the cell
that draws it, unless the text itself shows it.
"""

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tinydl.course.cells import Cell, read_cells

DOCS = Path(__file__).parent
LESSONS = sorted((DOCS.parent / "tutorials").glob("*.py"))


def page_of(lesson: Path) -> Path:
    return DOCS / "tutorials" / f"{lesson.stem}.md"


def from_the_page(text: str) -> str:
    """The text, with its relative links as they have to be on the page."""
    text = re.sub(r"\]\((\d\d_\w+)\.py\)", r"](\1.md)", text)
    text = text.replace("](../docs/", "](../")
    return re.sub(r"\]\((?!https?:|#|\.\./|\d\d_\w+\.md)", "](../../tutorials/", text)


def source_of(cell: Cell) -> str:
    """What the page shows of a cell, before it was run."""
    if cell.kind == "markdown":
        return from_the_page(cell.source)
    return f"```python\n{cell.source}\n```"


def rendered(lesson: Path) -> Iterator[str]:
    """The parts of the page, running the cells one by one."""
    names = {"__name__": "__main__"}
    shown_in_text = set(re.findall(r"images/tutorials/(\w+\.png)", lesson.read_text()))
    with tempfile.TemporaryDirectory() as pictures:
        os.environ["TINYDL_PICTURES"] = pictures
        for cell in read_cells(lesson):
            yield source_of(cell)
            if cell.kind == "markdown":
                continue
            before = set(os.listdir(pictures))
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(cell.source, str(lesson), "exec"), names)
            if printed.getvalue():
                yield f"```text\n{printed.getvalue().rstrip()}\n```"
            for name in sorted(set(os.listdir(pictures)) - before - shown_in_text):
                yield f"![The picture that this draws](../images/tutorials/{name})"


def main() -> None:
    for lesson in LESSONS:
        page = page_of(lesson)
        page.parent.mkdir(exist_ok=True)
        page.write_text("\n\n".join(rendered(lesson)) + "\n")
        print(page)


if __name__ == "__main__":
    main()
