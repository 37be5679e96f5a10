"""Stories in a real browser: the system's chromium, driven by Playwright."""

import json
import os
import re
import shutil

import pytest

from tests.explain.networks import convolutional, cut_short, fan_out, of_ops
from tinydl.explain import STORIES, ready_made
from tinydl.explain.html import SHOWN_TERMS
from tinydl.explain.laws import law_of
from tinydl.explain.page import indices, number

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(
        os.environ.get("TINYDL_KERNELS") == "numpy",
        reason="what a browser shows does not depend on the kernels: once is enough",
    ),
]

WICKED = "<script>window.wicked = 1</script><img src=x onerror='window.wicked = 1'>"


@pytest.fixture(scope="module")
def tab():
    """One page of one browser, which all tests use, and what it has complained about."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page, complaints = browser.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        yield page, complaints
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stories")
    stories = {
        "convolutional": convolutional(),
        "fan-out": fan_out(),
        "ops": of_ops(),
        "wicked": convolutional(title=WICKED, name=WICKED),
        "cut": cut_short(),
    }
    stories |= {f"ready-made {name}": ready_made(name) for name in STORIES}
    for name, story in stories.items():
        story.to_html(folder / f"{name}.html")
    return {name: (story, folder / f"{name}.html") for name, story in stories.items()}


@pytest.fixture
def visit(tab, files):
    """Opens a story; in the end the page may not have complained, or asked for anything."""
    page, complaints = tab
    complaints.clear()
    opened = []

    def open_story(name, place="", width=1280, **media):
        address = files[name][1].as_uri()
        page.set_viewport_size({"width": width, "height": 720})
        page.emulate_media(**{"media": "screen", "color_scheme": "light"} | media)
        page.goto("about:blank")  # leaves nothing of a former visit
        page.goto(address + place)
        opened.append(address)
        return page

    yield open_story
    own = ("about:blank", *opened)
    assert [complaint for complaint in complaints if not complaint.startswith(own)] == []


def number_in(text):
    return float(text.replace("−", "-"))


def sum_of_terms(page):
    return page.evaluate(
        "[...document.querySelectorAll('.line:last-of-type .term, .line:last-of-type .elided')]"
        ".reduce((sum, term) => sum + Number(term.dataset.value), 0)"
    )


LEAFED_THROUGH = """async () => {
  const seen = [];
  for (const { number } of story.steps) {
    const turned = new Promise((done) => addEventListener("hashchange", done, { once: true }));
    location.hash = `#step-${number}`;
    await turned;
    const article = document.querySelector(`article[data-step="${number}"]`);
    const count = (what) => article.querySelectorAll(what).length;
    seen.push({
      title: article.querySelector("h2").textContent,
      formulas: count(".display math"),
      picked: count(".picked-name"),
      current: document.querySelector("nav [aria-current]").dataset.step,
    });
  }
  return seen;
}"""


@pytest.mark.parametrize(
    "name", ["convolutional", "fan-out", "ops", *(f"ready-made {name}" for name in STORIES)]
)
def test_every_step_opens_and_shows_its_formula(visit, files, name):
    seen = visit(name).evaluate(LEAFED_THROUGH)
    for step, shown in zip(files[name][0], seen, strict=True):
        assert shown["title"] == step.title
        assert shown["formulas"] >= 2
        assert shown["picked"] == 1
        assert shown["current"] == str(step.number)


def test_the_mnist_story_is_small_and_opens_at_once(visit, files):
    assert files["ready-made mnist"][1].stat().st_size < 5_000_000
    page = visit("ready-made mnist")
    entry = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    assert 0 < page.evaluate(entry) < 2000


def test_keys_buttons_and_links_turn_the_pages(visit, files):
    page = visit("convolutional")
    steps = len(files["convolutional"][0])

    def shown():
        return int(page.get_attribute("article", "data-step"))

    page.keyboard.press("ArrowRight")
    page.wait_for_selector("article[data-step='2']")
    page.click("#next")
    page.wait_for_selector("article[data-step='3']")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("article[data-step='2']")
    page.keyboard.press("End")
    page.wait_for_selector(f"article[data-step='{steps}']")
    assert page.is_disabled("#next")
    page.click("nav a[data-step='4']")
    page.wait_for_selector("article[data-step='4']")
    page.go_back()
    page.wait_for_selector(f"article[data-step='{steps}']")
    assert page.url.endswith(f"#step-{shown()}")
    assert f"Step {steps}" in page.inner_text("#announcement")


def test_play_turns_pages_until_it_is_stopped(visit):
    page = visit("convolutional")
    page.evaluate("""() => {
      const calm = setInterval;
      window.setInterval = (act, milliseconds) => calm(act, milliseconds / 10);
    }""")
    page.click("#play")
    assert page.get_attribute("#play", "aria-pressed") == "true"
    page.wait_for_selector("article:not([data-step='1'])")
    page.click("#play")
    assert page.get_attribute("#play", "aria-pressed") == "false"


def test_a_click_shows_the_terms_that_add_up_to_the_cell(visit):
    page = visit("convolutional", "#step-1")
    for place in (0, 7, 13):
        cell = page.locator("figure[data-value='conv2d/conv'] .cell").nth(place)
        value = number_in(cell.get_attribute("aria-label").split(": ")[1].split(",")[0])
        cell.click()
        assert page.locator("figure[data-value='images'] .lit").count() == 9
        assert sum_of_terms(page) == pytest.approx(value, rel=1e-4)
        assert number_in(page.inner_text(".picked-name .value")) == pytest.approx(value, rel=1e-4)


def test_a_click_on_an_input_lights_what_it_feeds(visit):
    page = visit("convolutional", "#step-1")
    page.locator("figure[data-value='images'] .cell").nth(0).click()
    assert page.locator("figure[data-value='conv2d/conv'] .fed").count() == 1
    page.locator("figure[data-value='images'] .cell").nth(14).click()
    assert page.locator("figure[data-value='conv2d/conv'] .fed").count() == 9
    assert "feeds 18 elements" in page.inner_text(".probe")


def test_the_page_computes_what_python_computes(visit, files):
    story, _ = files["ops"]
    page = visit("ops")
    for step in story:
        if step.op not in ("conv", "max_pool", "transpose", "add", "relu", "flip"):
            continue
        written = page.evaluate(
            """number => {
              const step = story.steps[number - 1];
              const size = sizeOf(story.values[step.outputs[0]].shape);
              return JSON.stringify(Array.from({ length: size }, (_, i) =>
                termsOf(viewOf(step, 0, i).parts.at(-1)).map((t) => [t[1], t[2]])));
            }""",
            step.number,
        )
        has_law = law_of(step) is not None
        for index, terms in zip(indices(step.output.shape), json.loads(written), strict=True):
            result = step.element(index).result
            first, _, last = result.shown(SHOWN_TERMS)
            true = result.terms if has_law else first + last
            for term, (numbers, value) in zip(true, terms, strict=True):
                assert all(number in term.text for number in numbers)
                assert value == pytest.approx(term.value, rel=1e-5)


def test_numbers_are_written_as_python_writes_them(visit):
    numbers = [0.1234567, -2.0, 1.5e-7, 1e-7, -1e-5, 123456.7, 99999.7, 1e8, 0.5, 1e300]
    shown = visit("fan-out").evaluate("numbers => numbers.map(numberText)", numbers)
    assert shown == [number(x) for x in numbers]


def test_the_keyboard_walks_through_cells_and_picks(visit):
    page = visit("convolutional", "#step-1")
    page.locator("figure[data-value='conv2d/conv'] .cell[tabindex='0']").focus()
    before = page.evaluate("document.activeElement.dataset.flat")
    page.keyboard.press("ArrowRight")
    after = page.evaluate("document.activeElement.dataset.flat")
    assert before != after
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.flat") == after
    assert page.get_attribute("article", "data-step") == "1"
    for group in page.locator("[role=grid]").all():
        assert group.locator("[tabindex='0']").count() == 1


def test_two_paths_add_up(visit, files):
    story, _ = files["fan-out"]
    page = visit("fan-out", f"#step-{len(story)}")
    assert page.locator(".path").count() == 2
    assert "12 + 12 = 24" in " ".join(page.inner_text(".total").split())
    assert page.inner_text(".difference").endswith("agrees")


def test_an_element_has_a_link(visit):
    page = visit("convolutional", "#step-1:1,2,3,0")
    assert "[1, 2, 3, 0]" in page.inner_text(".picked-name")


def test_what_is_in_a_name_is_shown_not_run(visit):
    page = visit("wicked")
    for step in (1, 2, 3):
        page.evaluate(f"location.hash = '#step-{step}'")
        page.wait_for_selector(f"article[data-step='{step}']")
        assert WICKED in page.inner_text("main")
    assert page.inner_text("h1") == WICKED
    assert page.evaluate("window.wicked") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_numbers_stand_out(visit, scheme):
    """WCAG AA: a contrast of at least 4.5 between text and what is behind it."""
    page = visit("convolutional", color_scheme=scheme)
    for step in (1, 4, 9, 12, 16, 19):
        page.evaluate(f"location.hash = '#step-{step}'")
        page.wait_for_selector(f"article[data-step='{step}']")
        pale = page.evaluate(CONTRASTS)
        assert pale == []


CONTRASTS = """() => {
  const channels = (css) => css.match(/[\\d.]+/g).map(Number);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(e).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const hasText = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const words = [...document.querySelectorAll('body *')].filter((e) =>
    !e.disabled && e.checkVisibility() && hasText(e));
  return words.flatMap((e) => {
    const [a, b] = [luminance(channels(getComputedStyle(e).color)), luminance(behind(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return contrast < 4.5 ? [`${contrast.toFixed(2)}: ${e.outerHTML.slice(0, 120)}`] : [];
  });
}"""


def test_a_telephone_shows_it_without_scrolling_sideways(visit):
    page = visit("convolutional", width=360)
    for step in (1, 6, 9, 14, 20):
        page.evaluate(f"location.hash = '#step-{step}'")
        page.wait_for_selector(f"article[data-step='{step}']")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_landscape_is_walked_with_a_slider(visit, files):
    page = visit("ready-made landscape", "#landscape")
    seen = files["ready-made landscape"][0].landscape
    assert page.locator("#landscape polyline").count() == 4
    assert page.locator("#landscape th[scope=row]").all_inner_texts() == [
        f" {p}" for p in seen.paths
    ]

    def losses():
        return [number_in(text) for text in page.locator("#landscape td").all_inner_texts()]

    assert losses() == pytest.approx([path.losses[-1] for path in seen.paths.values()], rel=1e-4)
    page.fill("#walked", "1")
    assert losses() == pytest.approx([path.losses[1] for path in seen.paths.values()], rel=1e-4)
    assert page.inner_text("#landscape output") == "1 of 40 steps"
    drawn = page.evaluate(
        "[...document.querySelectorAll('#landscape polyline')].map((line) => line.points.length)"
    )
    assert drawn == [2, 2, 2, 2]


def test_what_is_left_out_is_said(visit):
    page = visit("ready-made mnist", "#step-25")
    assert "the numbers of 160 of 54080 elements" in page.inner_text(".sample")
    assert not page.is_visible("#missing")
    page = visit("cut")
    assert "2 more ops" in page.inner_text("#missing")
    assert page.locator(".sample").count() == 0


def test_paper_shows_all_pages_in_order(visit, files):
    page = visit("convolutional")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown = page.locator("#paper article")
    assert shown.count() == len(files["convolutional"][0])
    titles = [
        re.search(r"step (\d+)", text)[1] for text in page.locator("#paper .kind").all_inner_texts()
    ]
    assert [int(number) for number in titles] == list(range(1, shown.count() + 1))
    assert not page.is_visible("nav")


def test_parts_of_the_page_have_their_roles(visit):
    page = visit("convolutional")
    for landmark in ("header", "nav[aria-label]", "main", "[aria-live=polite]"):
        assert page.locator(f"body > {landmark}").count() == 1
    assert page.locator("button:not([aria-label])", has_text=re.compile("^$")).count() == 0
    assert page.get_attribute("html", "lang") == "en"
