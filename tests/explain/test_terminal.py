"""The pages in the terminal, and turning them by letters."""

import numpy as np
import pytest

from tests.explain.networks import convolutional, fan_out
from tinydl import tensor
from tinydl.errors import ArgumentError
from tinydl.explain import record
from tinydl.explain.terminal import index_of, read_along


@pytest.fixture(scope="module")
def story():
    return convolutional()


def printed(story, capsys, **settings):
    story.print(**settings)
    return capsys.readouterr().out


def reading(story, capsys, *answers):
    """What is printed when these answers are typed, and then the input ends."""
    lines = iter(answers)

    def ask(prompt):
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    read_along(story, ask)
    return capsys.readouterr().out


def test_what_is_left_out_is_said(capsys):
    w = tensor(np.ones((300, 400)), requires_grad=True)
    with record(limit=1) as story:
        y = w * 2.0
        y.sum()
    text = printed(story, capsys)
    assert "1 more op" in text
    assert "300 rows × 400 columns, float64; the largest of the first 125 × 400 is shown" in text


def test_all_pages_in_order(story, capsys):
    text = printed(story, capsys)
    places = [text.index(f"step {number} of {len(story)}") for number in range(1, len(story) + 1)]
    assert places == sorted(places)
    assert story.note in text
    assert "\\" not in text


def test_the_picked_element_with_its_terms(story, capsys):
    text = printed(story, capsys, step=1, element=(0, 1, 2, 0))
    view = story[1].element((0, 1, 2, 0))
    assert "[0, 1, 2, 0] = " in text
    assert text.count("images[0, ") == len(view.terms) == 9


def test_every_path_of_a_gradient_and_the_difference(capsys):
    story = fan_out()
    text = printed(story, capsys, step=len(story))
    assert "all paths: 12 + 12 = 24" in text
    assert "agrees" in text


def test_a_name_in_brackets_is_no_style(capsys):
    x = tensor([1.0], requires_grad=True, name="[red]x[/blue]")
    with record() as story:
        x + x
    assert "[red]x[/blue]" in printed(story, capsys)


def test_an_element_that_is_not_there(story):
    with pytest.raises(ArgumentError):
        story.print(step=1, element=(9, 9))


def test_letters_turn_the_pages(story, capsys):
    text = reading(story, capsys, "n", "p", "4", "q")
    steps = [line.split(" of")[0] for line in text.splitlines() if line.startswith("step ")]
    assert steps == ["step 1", "step 2", "step 1", "step 4"]


def test_an_element_is_picked_by_letters(story, capsys):
    assert "[1, 0, 0, 1] = " in reading(story, capsys, "e 1,0,0,1", "q")


def test_what_cannot_be_is_said_and_reading_goes_on(story, capsys):
    text = reading(story, capsys, "e 99", "what", "e x", "n", "q")
    assert "expected" in text
    assert "what does 'what' mean?" in text
    assert "step 2" in text


@pytest.mark.parametrize("text", ["0,2", "(0, 2)", "[0 2]"])
def test_an_index_as_it_is_typed(text):
    assert index_of(text) == (0, 2)


def test_names_of_gradients_may_have_spaces(story, capsys):
    step = next(step for step in story if step.kind == "backward" and step.op == "matmul")
    name = step.outputs[1].name
    short = name.removeprefix("grad ")
    text = reading(story, capsys, str(step.number), f"g {name}", f"g {short} 0,1", "e one")
    assert f"{name}[0, 1] = " in text
    assert "'one' is no index" in text and "invalid literal" not in text


def test_an_empty_tensor_has_a_page(capsys):
    w = tensor(np.ones((3, 2)), requires_grad=True)
    with record() as story:
        (tensor(np.zeros((0, 3))) @ w).sum().backward()
    assert printed(story, capsys).count("No elements.") == 2
