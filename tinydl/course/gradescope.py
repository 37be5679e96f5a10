"""``results.json``, as Gradescope reads it: a grade with the feedback of each property.

Source: Gradescope's autograder documentation, *Autograder specifications*.
"""

from __future__ import annotations

import json
from typing import Any

from tinydl.course.feedback import Feedback, markdown, section
from tinydl.course.grades import PropertyResult


def results_json(feedback: Feedback) -> str:
    """The file's content.

    Parameters
    ----------
    feedback : Feedback

    Returns
    -------
    str
    """
    grade = feedback.grade
    whole = {
        "score": grade.earned,
        "output": markdown(feedback) if feedback.verdict else f"Seed {grade.seed}.",
        "output_format": "md",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(feedback, result) for result in grade.properties],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _test(feedback: Feedback, result: PropertyResult) -> dict[str, Any]:
    tried = result in feedback.failed
    return {
        "name": result.name,
        "score": result.earned,
        "max_score": result.points,
        "status": "passed" if result.passed else "failed",
        "output": section(result, feedback.grade.seed) if tried else "",
        "output_format": "md",
        "visibility": "visible",
    }
