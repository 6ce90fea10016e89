"""The drawable picture's script in a bare page: drawn on by keyboard alone, and by pointer."""

import importlib.util
import sys
from pathlib import Path

import pytest

from course_utils.files import ASSETS

pytestmark = pytest.mark.slow

PAGE = """async script => {
    const source = new Blob([script], { type: "text/javascript" })
    const { default: widget } = await import(URL.createObjectURL(source))
    const traits = { alt: "a plane", width: 400, area: [0.1, 0.5, 0.1, 0.9], start: [0.3, 0.5] }
    traits.jpeg = Uint8Array.from(atob(PICTURE), one => one.charCodeAt(0))
    window.sent = []
    const model = { get: name => traits[name], on() {}, off() {}, send: one => window.sent.push(one) }
    document.body.replaceChildren()
    widget.render({ model, el: document.body })
}"""


def browser_walk():
    path = Path(__file__).parents[1] / "test_browser.py"
    spec = importlib.util.spec_from_file_location("browser_walk", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["browser_walk"] = module
    spec.loader.exec_module(module)
    return module


def square():
    """A black picture, 400 by 400, in base64."""
    import base64
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (400, 400)).save(buffer, "jpeg")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def page():
    walk = browser_walk()
    if walk.CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=walk.CHROMIUM, args=[*walk.OPTIONS, "--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        script = (ASSETS / "drawable_picture.js").read_text(encoding="utf-8")
        page.evaluate(PAGE.replace("PICTURE", f"'{square()}'"), script)
        page.wait_for_function("document.querySelector('img').naturalWidth === 400")
        yield page
        browser.close()


def drawn(page):
    """The points of all strokes so far, once the last one has been reported as done."""
    page.wait_for_function("window.sent.length > 0 && window.sent.at(-1).done")
    return [point for message in page.evaluate("window.sent") for point in message["stroke"]]


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_space_and_arrows_draw_a_line(page):
    press(page, "Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    press(page, "ArrowRight", "ArrowRight")  # the pen is up: nothing is drawn
    assert page.evaluate("window.sent") == []
    press(page, "Space", "ArrowRight", "Shift+ArrowDown", "Space", "ArrowDown")
    step = 1 / 80
    line = [[0.3 + 2 * step, 0.5], [0.3 + 3 * step, 0.5], [0.3 + 3 * step, 0.5 + 5 * step]]
    assert drawn(page) == [pytest.approx(point) for point in line]
    assert page.locator("[role=status]").inner_text() == "Pen up."


def test_enter_makes_one_dot_and_leaving_lifts_the_pen(page):
    press(page, "Tab", "Enter")
    assert drawn(page) == [pytest.approx([0.3, 0.5])]
    press(page, "Space", "ArrowLeft", "Tab")
    assert len(drawn(page)) == 3
    assert page.evaluate("window.sent.at(-1).done")


def test_the_pen_stays_where_drawing_means_something(page):
    press(page, "Tab", *["Shift+ArrowLeft"] * 8, *["Shift+ArrowUp"] * 12, "Enter")
    assert drawn(page) == [pytest.approx([0.1, 0.1])]


def test_the_pen_is_shown_to_the_keyboard_and_the_keys_are_named(page):
    frame = page.locator("[role=application]")
    pen = frame.locator("div").first
    assert not pen.is_visible()
    press(page, "Tab")
    assert pen.is_visible()
    assert all(
        key in frame.get_attribute("aria-label") for key in ("Arrow", "Shift", "Space", "Enter", "Escape")
    )


def test_the_pointer_draws_as_before(page):
    box = page.locator("img").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 200)
    page.mouse.up()
    points = drawn(page)
    assert points[0] == pytest.approx([0.25, 0.5], abs=0.01)
    assert points[-1] == pytest.approx([0.3, 0.5], abs=0.01)
