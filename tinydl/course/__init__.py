"""Assignments whose points are properties, and a grader that runs submissions apart from itself.

- `Assignment` is a task: functions to write, and properties, each with its points;
- `expect_close` and its like are what a property expects of an answer; a `Draw` gives its inputs;
- `grade` runs one submission in a process of its own, tries all properties, and returns a `Grade`.

>>> assignment = Assignment("00-double", title="Twice", functions=["double(x)"])
>>> @assignment.property("double: value", points=1, formula="y_i = 2 x_i")
... def value(student, draw):
...     x = draw.normal(draw.integer(1, 5))
...     expect_close(student.double(x), 2 * x)
>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     _ = pathlib.Path(folder, "assignment.py").write_text("def double(x): return x + x")
...     print(grade(assignment, folder).earned)
1

What holds a submission, and what does not, is told in docs/grading-isolation.md.
"""

from tinydl.course.assignment import Assignment, Mistake, Property, load_assignment
from tinydl.course.draws import Draw
from tinydl.course.expectations import (
    expect,
    expect_array,
    expect_close,
    expect_dtype,
    expect_equal,
    expect_shape,
    is_close,
)
from tinydl.course.failures import Failure
from tinydl.course.grades import CounterExample, Grade, PropertyResult
from tinydl.course.grading import grade
from tinydl.course.layers import layers
from tinydl.course.likely import either
from tinydl.course.process import Limits
from tinydl.course.student import Student, expect_unchanged

__all__ = [
    "Assignment",
    "CounterExample",
    "Draw",
    "Failure",
    "Grade",
    "Limits",
    "Mistake",
    "Property",
    "PropertyResult",
    "Student",
    "either",
    "expect",
    "expect_array",
    "expect_close",
    "expect_dtype",
    "expect_equal",
    "expect_shape",
    "expect_unchanged",
    "grade",
    "is_close",
    "layers",
    "load_assignment",
]
