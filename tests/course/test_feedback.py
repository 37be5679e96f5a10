"""Feedback in Markdown and HTML: what a student must find there, and what no one may put there."""

import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tinydl.course.feedback import Feedback, markdown
from tinydl.course.feedback_html import html
from tinydl.course.grades import CounterExample, Grade, PropertyResult

WICKED = "<script>window.wicked = 1</script><img src=x onerror='window.wicked = 1'>"
EXAMPLE = CounterExample(
    "mse(y, t)", (("y", "[[1.],\n [2.]]"), ("t", "0.")), "5.", "2.5", r"L = \frac{1}{2} \cdot 5", 3
)
LOST = PropertyResult(
    "mse: value", 2.0, 0.5, True, False, r"L = \frac{1}{n} \sum_i (y_i - t_i)^2", "Look again.", 4,
    "value", "L is 5, expected 2.5", "a sum for the mean", 7, "return x.sum()", EXAMPLE,
)  # fmt: skip
WON = PropertyResult("relu: value", 1.0, 1.0, False, True)
GRADE = Grade("00-toy", "graded", 11, [LOST, WON], notes=["Use arrays."], output="hello\n")
FEEDBACK = Feedback(GRADE, "A toy", "ada", "05_mean_squared_error", "https://example.org/")


def text_of(page):
    parts = []
    parser = HTMLParser()
    parser.handle_data = parts.append
    parser.feed(page[page.index("<body>") :])
    return " ".join("".join(parts).split())


@pytest.mark.parametrize("told", [markdown(FEEDBACK), text_of(html(FEEDBACK))], ids=["md", "html"])
def test_it_tells_all_that_helps(told):
    for part in (
        "A toy", "ada", "1.5 of 3 points", "mse: value", "L is 5, expected 2.5",
        "Likely mistake: a sum for the mean.", "Line 7 of your file: return x.sum()", "Look again.",
        "mse(y, t)", "[[1.],", "2.5", "hidden", "Use arrays.", "hello", "seed 11, in case 4",
        "Tutorial 5: mean squared error",
    ):  # fmt: skip
        assert part in told


def test_formulas_are_formulas():
    page = html(FEEDBACK)
    assert page.count("<math") == 2
    assert r"$$L = \frac{1}{2} \cdot 5$$" in markdown(FEEDBACK)
    assert 'href="https://example.org/05_mean_squared_error"' in page
    assert "](https://example.org/05_mean_squared_error)" in markdown(FEEDBACK)


def test_what_is_no_formula_is_shown_as_it_is():
    odd = replace(LOST, formula=r"\begin{wrong", counter_example=replace(EXAMPLE, numbers="<n>{"))
    page = html(Feedback(replace(GRADE, properties=[odd]), "A toy"))
    assert r"<code>\begin{wrong</code>" in page and "&lt;n&gt;{" in page


@pytest.mark.parametrize("state", ["missing", "syntax error", "timed out", "grader failed", "new"])
def test_what_was_not_graded_is_explained_and_links_nowhere(state):
    feedback = Feedback(replace(GRADE, state=state, message="line 3: no"), "A toy")
    for told in (markdown(feedback), html(feedback)):
        assert feedback.verdict in told and "line 3: no" in told
        assert "Likely" not in told and "#property" not in told


def test_points_add_up_to_the_grade():
    feedback = Feedback(replace(GRADE, properties=[WON]), "A toy")
    assert feedback.points == "1 of 1 point" and feedback.failed == []


def test_a_block_cannot_be_left():
    text = markdown(Feedback(replace(GRADE, output="```\n# Full marks\n````"), "A toy"))
    assert "`````text\n```\n# Full marks\n````\n`````" in text


def wicked():
    example = CounterExample(WICKED, ((WICKED, WICKED),), WICKED, WICKED, WICKED)
    lost = replace(LOST, message=WICKED, text=WICKED, counter_example=example)
    return Feedback(Grade("00-toy", "graded", 0, [lost], WICKED, [WICKED], WICKED), "A toy", WICKED)


def test_nothing_of_a_submission_is_html():
    assert "<script" not in html(wicked()) and "<img" not in html(wicked())
    outside = markdown(wicked()).replace(f"`{WICKED}`", "")
    lines = [line for line in outside.splitlines() if "<script" in line]
    assert lines and all(
        line == WICKED or line.startswith((WICKED, "your", "right")) for line in lines
    )


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("feedback", [FEEDBACK, wicked()], ids=["ordinary", "wicked"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_can_be_read_in_the_dark(browser, tmp_path, feedback, scheme):
    path = tmp_path / "feedback.html"
    path.write_text(html(feedback))
    page = browser.new_page(viewport={"width": 360, "height": 640}, color_scheme=scheme)
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("window.wicked") is None
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 27)"
    assert dark == (scheme == "dark")
    page.close()
