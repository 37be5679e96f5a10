"""Assignments as nbgrader, Otter-Grader and Gradescope take them."""

from tinydl.course.exporting.gradescope import export_gradescope
from tinydl.course.exporting.nbgrader import export_nbgrader
from tinydl.course.exporting.otter import export_otter

__all__ = ["export_gradescope", "export_nbgrader", "export_otter"]
