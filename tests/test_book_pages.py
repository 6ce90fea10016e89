"""The built book in a real browser, without a network: wide and narrow, light and dark, by keyboard."""

import os
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("myst_nb", reason="the extra for the book is not installed: make book")
pytest.importorskip("axe_playwright_python")

import axe_playwright_python
from playwright.sync_api import expect, sync_playwright

from tools import book
from tools.book_source import SLIDES

pytestmark = pytest.mark.slow
expect.set_options(timeout=300_000)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
OPTIONS = ["--disable-gpu", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`)"""
SETTLED = """() => {
    const explorers = [...document.querySelectorAll("[data-explorer]")];
    const formulas = document.querySelectorAll(".math").length;
    return explorers.every((one) => one.querySelector("canvas"))
        && document.querySelectorAll("mjx-container").length >= formulas;
}"""
SHOWN = """(label) => {
    const words = document.querySelector("[data-explorer=playground] .numbers").textContent;
    return Number(new RegExp(label + " ([\\\\d.]+)").exec(words)[1]);
}"""
TOO_TALL = """async () => {
    await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
    const found = [];
    for (const [number, slide] of [...document.querySelectorAll(".slides > section")].entries()) {
        Reveal.slide(number);
        const frame = document.querySelector(".slides").getBoundingClientRect();
        const size = parseFloat(getComputedStyle(slide).fontSize);
        if (size < 24) found.push(`${number + 1} has letters of ${size} pixels`);
        for (const formula of slide.querySelectorAll(":scope > .math")) {
            const letters = parseFloat(getComputedStyle(formula).fontSize);
            if (letters < 20) found.push(`${number + 1} has a formula of ${letters} pixels`);
        }
        for (const part of slide.querySelectorAll(":scope > :not(.notes)")) {
            const below = part.getBoundingClientRect().bottom - frame.bottom;
            const over = Math.max(below, part.scrollWidth - part.clientWidth - 1);
            if (over > 0) found.push(`${number + 1}, ${slide.querySelector("h1, h2").textContent}: ${over}`);
        }
    }
    return found;
}"""
READ = [
    *("index", "play", "01_minimax_objective", "05_dcgan_mnist", "00_start_here.zh"),
    *("references", "glossary", "api_losses", "benchmarks", "teaching", "sheet_05_dcgan_mnist"),
]


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """The folder of the built book: COURSE_BOOK, if it is set, or one that is built now."""
    if "COURSE_BOOK" in os.environ:
        return Path(os.environ["COURSE_BOOK"]).resolve()
    folder = tmp_path_factory.mktemp("book")
    assert book.build(folder=folder) == []
    return folder / "html"


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip(f"no Chromium on this machine: none of {', '.join(BROWSERS)} is on the path")
    with sync_playwright() as running:
        options = [*OPTIONS, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
        browser = running.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


def is_outside(address):
    return not address.startswith(("file:", "data:", "blob:", "about:"))


@pytest.fixture
def visit(html, browser):
    """visit("play", width=…, dark=…): the open page, with lists of what failed."""
    contexts = []

    def visit(name, width=1280, height=900, dark=False, calm=True):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if calm else "no-preference",
        )
        contexts.append(context)
        context.set_default_timeout(300_000)
        page = context.new_page()
        page.failed, page.outside, page.errors = [], [], []
        page.on("requestfailed", lambda request: page.failed.append(request.url))
        page.on(
            "request", lambda request: page.outside.append(request.url) if is_outside(request.url) else None
        )
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto((html / f"{name}.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()


def settled(page):
    """Formulas are set, explorers are drawn."""
    page.wait_for_function(SETTLED)
    return page


def sound(page):
    assert page.failed == []
    assert page.outside == []
    assert page.errors == []


def test_every_page_opens_without_a_network_and_its_formulas_are_set(html, browser):
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(300_000)
    page = context.new_page()
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("request", lambda request: failed.append(request.url) if is_outside(request.url) else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    formulas = 0
    for file in sorted(html.glob("*.html")):
        page.goto(file.as_uri())
        wanted = page.locator(".math").count()
        if wanted:
            page.wait_for_function(
                "wanted => document.querySelectorAll('mjx-container').length >= wanted", arg=wanted
            )
            formulas += wanted
            assert page.locator("mjx-merror, [data-mjx-error]").count() == 0, file.name
        mute = page.eval_on_selector_all("img:not([alt]), img[alt='']", "all => all.map(one => one.src)")
        assert mute == [], file.name
    assert failed == []
    assert formulas > 150
    context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", [*READ, f"slides/{SLIDES[1]}"])
def test_no_page_has_serious_findings_of_axe(visit, name, dark):
    page = settled(visit(name, dark=dark))
    sound(page)  # before axe, which asks for the style sheets once more, and may not from a file
    page.evaluate(AXE)
    assert page.evaluate(SERIOUS) == []


@pytest.mark.parametrize("name", READ)
def test_a_narrow_screen_scrolls_only_down(visit, name):
    page = settled(visit(name, width=360, height=740))
    wide, screen = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= screen
    sound(page)


def test_on_a_phone_the_maps_numbers_stay_whole_and_wide_figures_can_be_read(visit):
    page = visit("index", width=390, height=844)
    lines = page.eval_on_selector_all(
        ".map td:first-child p",
        "all => all.map((one) => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight))",
    )
    assert len(lines) > 10
    assert max(lines) < 1.5
    page = visit("00_start_here", width=390, height=844)
    widths = page.eval_on_selector_all("img.wide", "all => all.map((one) => one.clientWidth)")
    assert len(widths) > 3
    assert min(widths) > 500


def numbers(explorer):
    return explorer.locator(".numbers").text_content()


def pixels(explorer):
    return explorer.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")


@pytest.mark.parametrize(
    "explorer, slider",
    [
        ("discriminator", "generator: mean"),
        ("game", "step size h"),
        ("latent", "direction 1"),
    ],
)
def test_a_slider_is_found_by_its_name_and_moves_picture_and_numbers_by_keys(visit, explorer, slider):
    page = settled(visit("play"))
    place = page.locator(f"[data-explorer={explorer}]")
    before = numbers(place), pixels(place), place.locator("canvas").first.get_attribute("aria-label")
    handle = place.get_by_role("slider", name=slider)
    handle.focus()
    for _ in range(8):
        handle.press("ArrowRight")
    expect(place.locator(".numbers")).not_to_have_text(before[0])
    assert pixels(place) != before[1]
    assert place.locator("canvas").first.get_attribute("aria-label") != before[2]
    place.get_by_role("button", name="Start again").press("Enter")
    expect(place.locator(".numbers")).to_have_text(before[0])
    sound(page)


def test_the_game_plays_and_takes_single_steps(visit):
    page = settled(visit("play"))
    game = page.locator("[data-explorer=game]")
    steps = game.get_by_role("slider", name="steps taken")
    assert steps.input_value() == "150"
    game.get_by_role("button", name="One step").press("Enter")
    expect(steps).to_have_value("151")
    game.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function(
        "() => document.querySelector('[data-explorer=game] input[max=\"400\"]').value > 155"
    )
    game.get_by_role("button", name="Pause").press("Enter")
    game.get_by_role("combobox", name="game").select_option("bilinear")
    expect(game.get_by_role("slider", name="noise")).to_be_disabled()
    sound(page)


def test_the_playground_learns_the_ring_and_takes_a_drawing_by_keys(visit):
    page = settled(visit("play"))
    play = page.locator("[data-explorer=playground]")
    assert "modes covered 0 of 8" in " ".join(numbers(play).split())
    before = page.evaluate(SHOWN, "JS on cells")
    play.get_by_role("button", name="One D step").press("Enter")
    expect(play.locator(".numbers")).to_contain_text("D steps 1")
    play.get_by_role("slider", name="rounds per frame").press("End")
    play.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function(f"() => ({SHOWN})('G steps') >= 300")
    play.get_by_role("button", name="Pause").press("Enter")
    assert page.evaluate(SHOWN, "JS on cells") < before - 0.05
    drawing = play.locator("canvas").first
    drawing.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", " ", "ArrowLeft", " "):
        page.keyboard.press(key)
    expect(play.get_by_label("data", exact=True)).to_have_value("your drawing")
    expect(play.locator(".problem")).to_be_empty()
    sound(page)


def test_the_front_page_moves_and_can_be_stopped_and_stands_still_where_motion_is_not_wanted(visit):
    page = settled(visit("index", calm=False))
    ring = page.locator("[data-explorer=learning-ring]")
    first = pixels(ring)
    page.wait_for_timeout(1500)
    assert pixels(ring) != first
    ring.get_by_role("button", name="Pause").press("Enter")
    page.wait_for_timeout(500)
    still = pixels(ring)
    page.wait_for_timeout(500)
    assert pixels(ring) == still
    sound(page)
    calm = settled(visit("index"))
    assert calm.locator(".pause").count() == 0


def test_launch_buttons_lead_where_the_form_says(visit):
    page = settled(visit("index"))
    form = page.locator("form.launch")
    hub = form.locator(".button", has_text="your JupyterHub")
    assert hub.get_attribute("href") is None
    form.get_by_label("JupyterHub, if you have one").fill("https://hub.example.org/")
    if form.get_by_label("repository on GitHub").count():  # this build does not know its repository
        assert form.locator(".button[href]").count() == 0
        form.get_by_label("repository on GitHub").fill("https://github.com/somebody/gan-course")
        expect(form.locator(".button", has_text="Binder")).to_have_attribute(
            "href", re.compile(r"^https://mybinder\.org/v2/gh/somebody/gan-course/HEAD\?")
        )
    expect(hub).to_have_attribute(
        "href", re.compile(r"^https://hub\.example\.org/hub/user-redirect/git-pull\?")
    )
    assert "REPO" not in hub.get_attribute("href") and "OWNER" not in hub.get_attribute("href")
    sound(page)


def test_what_scrolls_sideways_takes_the_focus_and_the_arrow_keys_turn_no_page(visit):
    page = settled(visit("benchmarks", width=600))
    table = page.locator(".table-wrapper[tabindex='0']").first
    table.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("(table) => table.scrollLeft > 0", arg=table.element_handle())
    assert page.url.endswith("benchmarks.html")
    sound(page)


def test_answers_are_folded_until_they_are_asked_for(visit):
    page = visit("01_minimax_objective")
    answer = page.locator("details", has_text="Show an answer").first
    code = answer.locator("pre").first
    assert not code.is_visible()
    answer.locator("summary").press("Enter")
    assert code.is_visible()


def test_the_explorer_stands_in_its_notebook(visit):
    page = settled(visit("01_minimax_objective"))
    place = page.locator("[data-explorer=discriminator]")
    before = numbers(place)
    place.get_by_role("slider", name="data: mean").press("ArrowRight")
    expect(place.locator(".numbers")).not_to_have_text(before)


def test_the_search_finds_a_word(visit):
    page = visit("index", calm=True)
    page.goto(page.url.replace("index.html", "search.html?q=saturating"))
    page.wait_for_function("() => document.querySelectorAll('#search-results li').length > 2")


@pytest.mark.parametrize("name", SLIDES)
def test_no_slide_overflows_at_1280_by_720(visit, name):
    page = visit(f"slides/{name}", width=1280, height=720)
    page.wait_for_function("() => document.body.dataset.ready === 'yes'")
    assert page.evaluate(TOO_TALL) == []
    assert page.locator(".slides > section").count() > 20
    sound(page)
