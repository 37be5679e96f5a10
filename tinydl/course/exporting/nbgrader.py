"""Assignments as the source folder of an nbgrader course.

nbgrader itself makes the student's version of a notebook (``nbgrader generate_assignment``). Other
files it hands out as they are, so these are written without their solutions; and the student's own
must not be overwritten when they are graded, which the configuration says.

Source: the documentation of nbgrader, *The philosophy and the approach*.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinydl.course.assignment import load_assignment
from tinydl.course.cells import format_notebook, read_cells
from tinydl.course.releasing import SCRIPT, student_files

CONFIGURATION = """c = get_config()
c.CourseDirectory.course_id = "tinydl"
c.ExecutePreprocessor.timeout = 600
c.Autograde.exclude_overwriting = {kept!r}
"""


def export_nbgrader(sources: Sequence[Path], target: Path) -> list[Path]:
    """Write ``nbgrader_config.py`` and ``source/NAME/NAME.ipynb`` for each assignment.

    Parameters
    ----------
    sources : sequence of Path
        The folders of assignments.
    target : Path
        The folder of the nbgrader course.

    Returns
    -------
    list of Path
        The notebooks.
    """
    notebooks = []
    kept = {}
    for source in sources:
        folder = target / "source" / source.name
        folder.mkdir(parents=True, exist_ok=True)
        notebook = folder / f"{source.name}.ipynb"
        notebook.write_text(format_notebook(read_cells(source / SCRIPT)), encoding="utf-8")
        notebooks.append(notebook)
        others = student_files(source, load_assignment(source))
        del others[SCRIPT]
        kept[source.name] = list(others)
        for name, text in others.items():
            (folder / name).write_text(text, encoding="utf-8")
    configuration = CONFIGURATION.format(
        kept={name: files for name, files in kept.items() if files}
    )
    (target / "nbgrader_config.py").write_text(configuration, encoding="utf-8")
    return notebooks
