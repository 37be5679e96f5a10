"""Submissions in C: compiled apart, run under sanitizers, and told which line was wrong."""

import os
import shutil

import numpy as np
import pytest

from tinydl.course import Assignment, Limits, expect_close, grade
from tinydl.course.compiling import check_text, compile_c
from tinydl.course.programs import run_held
from tinydl.course.sanitizers import sanitizer
from tinydl.course.sources import Unreadable
from tinydl.errors import ArgumentError

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
sanitized = pytest.mark.skipif(sanitizer() is None, reason="the compiler has no sanitizers")

RIGHT = """#include "tinydl.h"

int relu(const real *x, real *y, const table *s, int threads)
{
    int64_t count = s->rows * s->columns;
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] > 0 ? x[i] : 0;
    return 0;
}
"""


@pytest.fixture
def graded(tmp_path):
    toy = Assignment(
        "00", title="", file="kernels.c", functions=["relu(x)"], limits=Limits(seconds=1)
    )

    @toy.property("relu: value", points=1, cases=6)
    def value(student, draw):
        x = draw.normal(draw.shape(2, 6), dtype=draw.choice((np.float64, np.float32)))
        expect_close(student.relu(x), np.maximum(x, 0), name="y", dtype=x.dtype)

    def graded(text):
        (tmp_path / "kernels.c").write_text(text)
        result = grade(toy, tmp_path)
        return result, result.properties[0]

    return graded


def test_a_right_kernel_passes(graded):
    result, value = graded(RIGHT)
    assert value.passed and result.notes == []


def test_a_wrong_one_fails_with_a_counter_example(graded):
    _, value = graded(RIGHT.replace(": 0", ": x[i] / 8"))
    assert (value.kind, value.counter_example.call) == ("value", "relu(x)")


@sanitized
def test_an_access_out_of_bounds_is_told_with_its_line(graded):
    _, value = graded(RIGHT.replace("i < count", "i <= count"))
    assert (value.kind, value.line) == ("crashed", 7)
    assert "kernels.c, line 7: it reads 8 bytes outside an array" in value.message


@sanitized
def test_undefined_behaviour_is_told_with_its_line(graded):
    _, value = graded(RIGHT.replace("return 0", "int *p = 0; return *p"))
    assert value.line == 8 and "null pointer" in value.message


@sanitized
def test_an_element_that_is_never_set_is_found(graded):
    _, value = graded(RIGHT.replace("i = 0; i < count", "i = 0; i < count - 1"))
    assert "never set" in value.message


def test_without_a_compiler_nobody_gets_a_grade(graded, monkeypatch):
    monkeypatch.setattr("tinydl.course.compiling.compiler", lambda: None)
    with pytest.raises(ArgumentError, match="a C compiler called cc"):
        graded(RIGHT)


def test_without_sanitizers_guard_pages_stop_it(graded, monkeypatch):
    monkeypatch.setattr("tinydl.course.compiling.sanitizer", lambda: None)
    _, value = graded(RIGHT.replace("y[i] = x[i]", "y[i + 1] = x[i]"))
    assert (value.kind, value.message) == ("crashed", "relu: it was ended by a segmentation fault")


def test_a_kernel_that_never_returns(graded, monkeypatch):
    monkeypatch.setattr("tinydl.course.compiling.sanitizer", lambda: None)
    _, value = graded(RIGHT.replace("return 0", "for (;;); return 0"))
    assert value.kind == "timed out"


def test_what_does_not_compile_is_told_with_its_line(graded):
    result, _ = graded(RIGHT.replace("x[i] : 0;", "x[i] : 0"))
    assert result.state == "does not compile" and "kernels.c:7:" in result.message


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("int relu", "static int relu", 3, "static declaration of"),
        ("const real *x", "const int *x", 3, "conflicting types for"),
        ("return 0", "return helper()", 8, "helper"),
    ],
)
def test_what_does_not_fit_the_header_is_told_with_its_line(graded, old, new, line, said):
    result, _ = graded(RIGHT.replace(old, new))
    assert result.state == "does not compile"
    assert f"kernels.c:{line}:" in result.message and said in result.message


def test_a_kernel_by_another_name_is_missing(graded, monkeypatch):
    monkeypatch.setattr("tinydl.course.compiling.sanitizer", lambda: None)
    result, value = graded(RIGHT.replace("relu", "sum_rows"))
    assert value.kind == "missing" and "does not define relu" in result.notes[0]


@pytest.mark.parametrize(
    "line",
    [
        '#include "/etc/passwd"',
        '#include "../properties.py"',
        "#include </etc/passwd>",
        "# include <../../etc/passwd>",
        "#include NAME",
        '#include \\\n"secret.h"',
        '%:include "/etc/passwd"',
        '??=include "/etc/passwd"',
        '#??/\ninclude "/etc/passwd"',
        '/* first */ #include "/etc/passwd"',
        '#/* or */include "/etc/passwd"',
        'char *s = "/*";\n#include "/etc/passwd"\nchar *t = "*/";',
        'asm(".incbin \\"/etc/passwd\\"");',
    ],
)
def test_including_other_files_is_refused(line):
    with pytest.raises(Unreadable, match="not allowed"):
        check_text(f"{line}\n{RIGHT}", "kernels.c")


def test_words_in_comments_are_no_assembler():
    check_text("// what asm would do\n#include <math.h>  // sqrt\n", "kernels.c")


@pytest.mark.skipif(not os.path.exists("/sys/kernel"), reason="Landlock is Linux's")
def test_the_compiler_itself_cannot_read_elsewhere(tmp_path):
    secret = tmp_path / "secret.h"
    secret.write_text("int secret;")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.c").write_text(f'#include "{secret}"\n')
    code, said = run_held([shutil.which("cc"), "-E", "a.c"], str(folder))
    assert code != 0 and "ermission denied" in said


def test_a_warning_is_a_note(graded):
    result, _ = graded(RIGHT.replace("int64_t count", "int unused; int64_t count"))
    assert any("unused" in note for note in result.notes)


def test_compiling_without_end_is_ended(monkeypatch):
    monkeypatch.setattr("tinydl.course.programs.SECONDS", 1)
    doubled = "\n".join(f"#define A{i} A{i + 1} A{i + 1}" for i in range(40))
    with pytest.raises(Unreadable):
        compile_c(f"{doubled}\n#define A40 ;\nint f(void) {{ A0 }}", "kernels.c")
