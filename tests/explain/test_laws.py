"""What a step's elements have in common, against the view of every one of them."""

import numpy as np
import pytest

from tests.explain.networks import convolutional, of_ops
from tinydl.explain.laws import law_of
from tinydl.explain.page import indices

WITH_A_LAW = {"conv", "max_pool", "transpose", "reshape", "add", "multiply", "relu", "flip", "sum"}


@pytest.fixture(scope="module")
def steps():
    return [
        step for story in (of_ops(), convolutional()) for step in story if step.kind == "forward"
    ]


def test_a_law_says_of_every_element_what_its_own_view_says(steps):
    for step in steps:
        law = law_of(step)
        arrays = {value.name: value.array for value in step.inputs}
        for index in indices(step.output.shape) if law else ():
            true = step.element(index)
            found = law.view(index, arrays, true.value)
            assert found.result.symbol == true.result.symbol
            assert [(t.text, t.refs) for t in found.terms] == [(t.text, t.refs) for t in true.terms]
            values = [[t.value for t in view.terms] for view in (found, true)]
            np.testing.assert_allclose(*values, rtol=1e-6)


def test_what_is_computed_everywhere_alike_has_a_law(steps):
    assert {step.op for step in steps if law_of(step)} >= WITH_A_LAW


def test_what_depends_on_the_values_or_on_the_place_has_none(steps):
    assert all(law_of(step) is None for step in steps if step.op in ("softmax", "cumsum"))
