"""Solutions and hidden tests are cut out, as nbgrader would do it."""

import pytest

from tinydl.course.cells import Cell, parse_notebook, parse_script
from tinydl.course.stripping import student_cells, without_c_solutions, without_hidden_tests
from tinydl.errors import ArgumentError

SOLUTION = {"grade": False, "grade_id": "f", "locked": False, "schema_version": 3}
SOLUTION |= {"solution": True, "task": False}
TESTS = SOLUTION | {"grade": True, "grade_id": "t", "locked": True, "solution": False, "points": 2}
FUNCTION = """def f(x):
    if x:
        ### BEGIN SOLUTION
        y = 2 * x

        return y
        ### END SOLUTION
    ### BEGIN SOLUTION
    return 0
    ### END SOLUTION"""
ASSERTS = """assert f(1) == 2
### BEGIN HIDDEN TESTS
assert f(7) == 14
### END HIDDEN TESTS
assert f(2) == 4"""
CELLS = [
    Cell("markdown", "# Twice"),
    Cell("code", FUNCTION, {"nbgrader": SOLUTION}),
    Cell("code", ASSERTS, {"nbgrader": TESTS}),
]


def test_solutions_become_stubs_and_hidden_tests_nothing():
    text, function, tests = student_cells(CELLS)
    assert text == CELLS[0]
    assert function.source == (
        "def f(x):\n"
        "    if x:\n"
        "        # YOUR CODE HERE\n"
        "        raise NotImplementedError()\n"
        "    # YOUR CODE HERE\n"
        "    raise NotImplementedError()"
    )
    assert tests.source == "assert f(1) == 2\nassert f(2) == 4"


def test_nbgrader_cuts_out_the_same():
    preprocessors = pytest.importorskip("nbgrader.preprocessors")
    import nbformat

    from tinydl.course.cells import format_notebook

    notebook = nbformat.reads(format_notebook(CELLS), as_version=4)
    for step in (preprocessors.ClearSolutions(), preprocessors.ClearHiddenTests()):
        notebook, _ = step.preprocess(notebook, {})
    assert parse_notebook(nbformat.writes(notebook)) == student_cells(CELLS)


def test_c_that_returns_nothing_is_a_comment():
    text = "void f(void) {\n  // ### BEGIN SOLUTION\n  g();\n  return;\n  // ### END SOLUTION\n}"
    assert without_c_solutions(text) == "void f(void) {\n  // YOUR CODE HERE\n}"


@pytest.mark.parametrize(
    "text",
    [
        "### BEGIN SOLUTION",
        "### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_marks_come_in_pairs(text):
    with pytest.raises(ArgumentError, match="partner"):
        student_cells([Cell("code", text, {"nbgrader": SOLUTION})])


@pytest.mark.parametrize("source", [FUNCTION, ASSERTS])
def test_metadata_must_know_of_them(source):
    with pytest.raises(ArgumentError, match="nbgrader metadata"):
        student_cells([Cell("code", source)])


def test_hidden_tests_may_fill_a_cell():
    assert without_hidden_tests("### BEGIN HIDDEN TESTS\nf\n### END HIDDEN TESTS") == ""
    assert parse_script("# %%\n")[0].source == ""
