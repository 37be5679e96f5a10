"""The HTML file: complete, small, and nothing of the user's in it can be run."""

import json
import re
from html.parser import HTMLParser

import pytest

from tests.explain.networks import convolutional
from tinydl import ops, tensor
from tinydl.explain import record
from tinydl.explain.blanks import blanks_of
from tinydl.explain.html import data_of, to_html

WICKED = "</script><script>alert(1)</script><!--"


@pytest.fixture(scope="module")
def story():
    return convolutional()


class _Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]


def outline_of(page):
    outline = _Outline()
    outline.feed(page)
    return outline


def test_every_step_has_a_formula_and_an_element_to_begin_with(story):
    data = data_of(story)
    assert [step["number"] for step in data["steps"]] == list(range(1, len(story) + 1))
    for step in data["steps"]:
        assert all("<math" in data["formulas"][which] for which in step["formula"])
        assert step["law"] or str(step["picks"][0]) in map(str, step["views"][0])


def test_no_formula_shows_latex(story):
    shown = [re.sub(r"<[^>]*>", " ", markup) for markup in data_of(story)["formulas"]]
    assert not [text for text in shown if re.search(r"\\|\$|_\{|&amp;", text)]


def test_rules_of_stretched_inputs_are_formulas_too():
    x = tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    row = tensor([2.0, 4.0], requires_grad=True)
    with record() as story:
        y = (x - row) / row + row * x
        y.sum().backward()
    assert not [markup for markup in data_of(story)["formulas"] if "<code>" in markup]


def test_the_file_loads_nothing(story):
    outline = outline_of(to_html(story))
    assert [link for link in outline.links if not link.startswith("#")] == []
    assert not {"img", "link", "iframe", "object"} & set(outline.tags)


def test_names_cannot_leave_the_data():
    story = convolutional(title=WICKED, name=WICKED)
    page = to_html(story)
    assert outline_of(page).tags == outline_of(to_html(convolutional())).tags
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', page, re.DOTALL)[1])
    assert data["title"] == WICKED
    assert any(WICKED in value["name"] for value in data["values"])


def test_numbers_that_json_lacks_are_written_as_words():
    x = tensor([float("inf"), float("nan"), 1.0], requires_grad=True)
    with record() as story:
        x * 2.0
    assert "NaN" not in json.dumps(data_of(story)["steps"], allow_nan=False)


def test_equal_arrays_are_written_once(story):
    values = {value["name"]: value["array"] for value in data_of(story)["values"]}
    assert values["grad conv2d/add"] == values["grad conv2d/conv"] != values["grad conv2d/relu"]


def test_an_empty_tensor_has_a_page():
    x = tensor([[]], requires_grad=True)
    with record() as story:
        x + x
    assert data_of(story)["steps"][0]["views"] == [{}]


def test_conditions_have_pages():
    x = tensor([1.0, -1.0, 2.0])
    with record() as story:
        ops.where(x > 0.0, x, 0.0)
        ops.argmax(x)
    assert [step["op"] for step in data_of(story)["steps"]] == ["greater", "where", "argmax"]


def test_differences_that_take_too_long_are_left_out_and_said_so():
    x = tensor([0.5], requires_grad=True)
    with record() as story:
        y = x
        for _ in range(200):
            y = y * 1.01
        y.backward()
    views = [step["views"][0][0] for step in data_of(story)["steps"] if step["kind"] == "backward"]
    assert views[0]["difference"]["outcome"] == "agrees"
    assert views[-1]["difference"] == "omitted" and views[-1]["paths"]


@pytest.mark.parametrize(
    "latex",
    [r"0.5 \cdot (-1.2)", r"e^{-3} + 10^{-7}", r"1.5 \cdot 10^{-7} - x_{2,3}", r"\text{2 of 3}"],
)
def test_blanks_and_numbers_make_the_formula_again(latex):
    blank, numbers = blanks_of(latex)
    for number in numbers:
        blank = blank.replace(r"\blank", number, 1)
    assert blank == latex
