"""What a student gets of properties.py, and references that repeat recorded answers."""

import numpy as np
import pytest

from tinydl.course.inside import frames
from tinydl.course.public import public_part
from tinydl.course.references import NotRecorded, Reference
from tinydl.errors import DataError

SOURCE = '''"""Secret plans."""

from __future__ import annotations

import json
import numpy as np
from course import (
    Assignment,
    Mistake,
)

assignment = Assignment("toy")
SMALL, LARGE = 3, 10 ** 6


@assignment.reference
def right(x: np.ndarray) -> np.ndarray:
    """The secret is to double it."""
    return json.loads("2") * x


def sizes(n):
    return [n, helper_of_sizes(n)]  # a comment


def helper_of_sizes(n):
    return n + 1


@assignment.property(
    "public", points=1, public=True,
    likely={"secretly tripled": lambda x: json.dumps(x)},
)
def public(student, draw):
    hidden = "a local name"
    for n in sizes(SMALL):
        assert student.f(n) == right(n)


@assignment.property("hidden", points=1)
def hidden(student, draw):
    assert student.f(LARGE) == sizes(LARGE)


MISTAKES = [Mistake("f", "2", "3")]
'''


def test_it_is_what_public_properties_need_and_nothing_else():
    text = public_part(SOURCE, ["annotations", "assignment", "public"], ["right"])
    assert "def hidden" not in text
    assert "MISTAKES" not in text
    assert "secret" not in text.lower()
    assert "json" not in text
    for kept in (
        "import numpy as np",
        "# a comment",
        "def helper_of_sizes",
        "SMALL, LARGE = 3",
        "@assignment.property('public', points=1, public=True)\ndef public(student, draw):",
        "@assignment.reference\ndef right(x: np.ndarray) -> np.ndarray:\n    ...",
    ):
        assert kept in text
    compile(text, "public_properties.py", "exec")


def scaled(x, factor=2):
    return {"scaled": x * factor, "size": x.size, "words": ["a", None, True]}


def recorded(*questions):
    reference = Reference(scaled)
    with reference.recording() as calls:
        for arguments, named in questions:
            reference(*arguments, **named)
    silent = Reference(lambda x, factor=2: None)
    silent.answer_from(frames.decode(frames.encode(calls)))
    return silent


def test_a_record_answers_what_was_asked():
    x, y = np.arange(3.0), np.arange(3.0, dtype="float32")
    silent = recorded(([x], {}), ([x], {"factor": 3}), ([y], {}))
    np.testing.assert_array_equal(silent(x)["scaled"], x * 2)
    np.testing.assert_array_equal(silent(x, factor=3)["scaled"], x * 3)
    assert silent(y)["scaled"].dtype == "float32"
    assert silent(x)["words"] == ["a", None, True]


def test_the_last_bit_of_a_question_may_differ():
    x = np.array([1.0, 2.0, np.nan])
    silent = recorded(([x], {}))
    assert silent(x * (1 + 1e-15))["size"] == 3
    with pytest.raises(NotRecorded, match="not recorded"):
        silent(x * 1.01)


@pytest.mark.parametrize(
    "question",
    [np.arange(4.0), np.arange(3), np.arange(3.0).reshape(3, 1), [0.0, 1.0, 2.0], None],
    ids=["length", "dtype", "shape", "list", "nothing"],
)
def test_what_was_not_asked_has_no_answer(question):
    with pytest.raises(NotRecorded):
        recorded(([np.arange(3.0)], {}))(question)


def test_an_answer_is_the_askers_own():
    x = np.arange(3.0)
    silent = recorded(([x], {}))
    silent(x)["scaled"][:] = 7
    np.testing.assert_array_equal(silent(x)["scaled"], x * 2)


def test_the_record_is_what_was_asked_at_the_time():
    def clears(x):
        x[:] = 0
        return x

    reference, x = Reference(clears), np.arange(3.0)
    with reference.recording() as calls:
        reference(x)
    reference(x)
    ((arguments, _, answer),) = calls
    np.testing.assert_array_equal(arguments[0], [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(answer, [0.0, 0.0, 0.0])


def test_objects_cannot_be_recorded():
    reference = Reference(lambda: {"one": [object()]})
    with reference.recording(), pytest.raises(DataError, match="object"):
        reference()
