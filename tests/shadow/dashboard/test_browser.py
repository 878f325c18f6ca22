"""
The page as a person sees it, in headless Chromium.

Skipped where there is no Chromium, unless REQUIRE_CHROMIUM=1 makes that an error.
"""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import threading
from dataclasses import replace

import pytest

from fast_litellm.shadow.dashboard import page
from fast_litellm.shadow.dashboard.model import Picture
from fast_litellm.shadow.dashboard.server import Dashboard, web

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
DEADLINE_S = 90
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}

# WCAG 2.2, 1.4.3: relative luminance and contrast of every text against the nearest ground that is painted.
CONTRASTS = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, style")) continue;
    const style = getComputedStyle(element);
    const inDrawing = element instanceof SVGElement;
    const [one, other] = [rgba(inDrawing ? style.fill : style.color), ground(element)].map(luminance);
    found.push([(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), walker.currentNode.data.trim()]);
  }
  return found;
}"""


def program():
    """Where Chromium is; without one the test is skipped, or fails where it is required."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        missing = f"none of {', '.join(PROGRAMS)} is installed"
        (pytest.fail if os.environ.get("REQUIRE_CHROMIUM") == "1" else pytest.skip)(missing)
    return found


@pytest.fixture(scope="module")
def chromium():
    """One browser for all tests."""
    found = program()
    driver = pytest.importorskip("playwright.sync_api", reason="playwright needs Python 3.10")
    with driver.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """One tab, and what went over the wire and into its console."""

    def __init__(self, tab):
        self.tab = tab
        self.complaints = []
        self.requests = []
        tab.set_default_timeout(DEADLINE_S * 1_000)
        tab.on("console", lambda message: self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", lambda request: self.requests.append(request.url))

    def width(self):
        """How wide the content is, and the window."""
        return self.tab.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")


@pytest.fixture
def open_tab(chromium, tmp_path):
    """Opens a picture as a file, or an address, in a tab of its own."""
    contexts = []

    def open_it(shown, *, size="desktop", scheme="light", anchor="", script=True):
        contexts.append(chromium.new_context(viewport=SIZES[size], color_scheme=scheme, java_script_enabled=script))
        visit = Visit(contexts[-1].new_page())
        if isinstance(shown, Picture):
            path = tmp_path / "report.html"
            path.write_text(page.render(shown), encoding="utf-8")
            shown = path.as_uri()
        visit.tab.goto(f"{shown}{anchor}")
        return visit

    yield open_it
    for context in contexts:
        context.close()


class Camera:
    """Shows what it is told."""

    def __init__(self, picture):
        self.picture = picture

    def __call__(self):
        return self.picture


@pytest.fixture
def served(picture):
    """A live dashboard: its address, and the camera whose picture can be changed."""
    camera, started, ended = Camera(picture), queue.Queue(), queue.Queue()

    async def serve():
        runner = web.AppRunner(Dashboard(camera, "127.0.0.1").application(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started.put(runner.addresses[0][1])
        await asyncio.get_running_loop().run_in_executor(None, ended.get)
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    yield f"http://127.0.0.1:{started.get(timeout=DEADLINE_S)}/", camera
    ended.put(None)
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize(("required", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_a_missing_browser_is_never_silent(monkeypatch, required, outcome):
    """The tests are skipped with a reason, or fail where they must run."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("REQUIRE_CHROMIUM", required)

    with pytest.raises(outcome, match="chromium, chromium-browser, google-chrome"):
        program()


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_every_feature_is_a_row(open_tab, picture, size, script):
    """On a desk and on a phone, with and without JavaScript, and not one complaint or request beside the page."""
    visit = open_tab(picture, size=size, script=script)
    rows = visit.tab.locator("tr[data-feature]")

    assert [one.name for one in picture.features] == [row.get_attribute("data-feature") for row in rows.all()]
    assert all(row.is_visible() for row in rows.all())
    assert ([], 1) == (visit.complaints, len(visit.requests))


@pytest.mark.parametrize("anchor", ["", "#feature-token_counting", "#feature-cost_calculation"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_window(open_tab, picture, size, anchor):
    """The page never scrolls sideways; a wide map of cells scrolls by itself."""
    content, window = open_tab(picture, size=size, anchor=anchor).width()

    assert SIZES[size]["width"] == window == content


def test_long_names_do_not_widen_it_either(open_tab, picture):
    """A name of 200 characters is broken where it must be."""
    long = replace(picture.features[1], name="x" * 200, build="y" * 200)
    visit = open_tab(replace(picture, features=(long,)), size="phone")

    assert [390, 390] == visit.width()


@pytest.mark.parametrize("anchor", ["", "#feature-token_counting", "#feature-cost_calculation"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(open_tab, picture, scheme, anchor):
    """4.5 to 1 or more, by day and by night."""
    found = open_tab(picture, scheme=scheme, anchor=anchor).tab.evaluate(CONTRASTS)

    assert len(found) > 50
    assert [] == [(round(ratio, 2), text) for ratio, text in found if ratio < 4.5]


def test_night_is_dark(open_tab, picture):
    """The page follows the system's preference."""
    grounds = [
        open_tab(picture, scheme=scheme).tab.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]

    assert ["rgb(246, 247, 249)", "rgb(17, 19, 23)"] == grounds


def test_a_feature_is_opened_and_left_by_keyboard(open_tab, picture):
    """Tab to its name, Enter; Tab to the way back, Enter."""
    tab = open_tab(picture, script=True).tab
    feature, overview = tab.locator("#feature-token_counting"), tab.locator("#overview")
    assert (False, True) == (feature.is_visible(), overview.is_visible())

    for _ in range(3):  # the way to the features, the first feature, the second
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert (True, False) == (feature.is_visible(), overview.is_visible())
    assert tab.locator("#feature-cost_calculation").is_hidden()

    tab.keyboard.press("Tab")
    assert "← All features" == tab.evaluate("document.activeElement.textContent")
    tab.keyboard.press("Enter")
    assert (False, True) == (feature.is_visible(), overview.is_visible())


def test_a_page_of_a_feature_shows_all_there_is(open_tab, picture):
    """Checklist, line, map, classes, identity, audit and epoch."""
    tab = open_tab(picture, anchor="#feature-token_counting").tab
    titles = tab.locator("#feature-token_counting h3").all_inner_texts()

    assert 7 == len(titles) == len(set(titles))
    assert 8 == tab.locator("#feature-token_counting .checks tbody tr").count()
    assert tab.locator("#feature-token_counting svg.pygal-chart").is_visible()
    assert "● 5% present" == tab.locator("#feature-token_counting .rail [aria-current=step]").text_content()


def test_paper_has_every_feature(open_tab, picture):
    """A print holds the overview and all features' pages."""
    tab = open_tab(picture, anchor="#feature-token_counting").tab
    tab.emulate_media(media="print")

    assert all(part.is_visible() for part in tab.locator("article.feature, #overview").all())
    assert len(tab.pdf()) > 10_000


def test_hostile_names_run_nothing(open_tab, picture):
    """Markup in a name is read as letters."""
    name = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    visit = open_tab(replace(picture, features=(replace(picture.features[1], name=name),)))

    assert [name] == visit.tab.locator("tr[data-feature] th").all_inner_texts()
    assert ([], 1) == (visit.complaints, len(visit.requests))


def test_the_live_page_follows_the_ledger(open_tab, served, picture):
    """What changes is shown; the opened feature, the focus and the opened parts stay."""
    address, camera = served
    visit = open_tab(address, anchor="#feature-token_counting")
    visit.tab.locator("#feature-token_counting summary").first.click()
    second = replace(picture.features[1], stage="paused", audit=())
    camera.picture = replace(picture, features=(picture.features[0], second, *picture.features[2:]))
    visit.tab.locator("#feature-token_counting .stage.paused").wait_for()

    assert visit.tab.locator("#feature-token_counting").is_visible()
    assert visit.tab.locator("#feature-token_counting details").first.get_attribute("open") is not None
    assert "SUMMARY" == visit.tab.evaluate("document.activeElement.nodeName")
    assert [] == visit.complaints
    assert {address} == {url.partition("#")[0] for url in visit.requests}


def test_a_server_that_has_gone_is_said(open_tab, served):
    """What is shown stays, and is called old."""
    address, _ = served
    visit = open_tab(address)
    visit.tab.route("**/*", lambda route: route.abort())
    visit.tab.get_by_text("the server does not answer; what is shown is old").wait_for()

    assert 5 == visit.tab.locator("tr[data-feature]").count()


def test_a_check_is_named_in_one_line(open_tab, picture):
    """However long the words beside it are, a name is neither broken nor parted from its mark."""
    long = "3,009 distinct inputs in a cell whose name is long enough to ask for every pixel of the window " * 2
    checks = tuple(replace(check, saw=long, needs=long, missing=long) for check in picture.features[1].checks)
    feature = replace(picture.features[1], checks=checks)
    tab = open_tab(replace(picture, features=(feature,)), anchor="#feature-token_counting").tab
    heights = tab.locator(".checks tbody th").evaluate_all(
        "all => all.map(one => { const text = document.createRange(); text.selectNodeContents(one);"
        " return text.getBoundingClientRect().height })"
    )

    assert len(checks) == len(heights)
    assert max(heights) < 30


def test_only_the_first_things_missing_are_said_in_a_sentence(open_tab, picture):
    """The rest is in the table."""
    checks = tuple(
        replace(check, holds=False, missing=f"{number} more") for number, check in enumerate(picture.features[1].checks)
    )
    feature = replace(picture.features[1], checks=checks)
    tab = open_tab(replace(picture, features=(feature,)), anchor="#feature-token_counting").tab
    sentence = tab.locator("#feature-token_counting section p").first.inner_text()

    assert sentence.startswith("0 of 8 checks hold. Missing: divergence, 0 more")
    assert sentence.endswith("timeouts, 2 more; and 5 more.")
