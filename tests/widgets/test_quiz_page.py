"""The quiz's script in a bare page: it keeps the time, hears the keys, and sends each answer once."""

import base64
import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from course_utils.files import ASSETS
from course_utils.widgets.quiz import _png

pytestmark = pytest.mark.slow

# A kernel's part, played by the page: it keeps the traits, and takes the next image when an answer arrives.
PAGE = """async ([script, png]) => {
    const source = new Blob([script], { type: "text/javascript" })
    const { default: widget } = await import(URL.createObjectURL(source))
    const bytes = Uint8Array.from(atob(png), one => one.charCodeAt(0))
    const traits = { png: bytes, place: 0, round: 1, total: 3, exposure: 300, size: 112 }
    traits.message = "Image 1 of 3"
    const heard = {}
    window.sent = []
    window.seen = [] // a picture of 300 ms may be gone before a busy machine asks for it
    new MutationObserver(all => all.forEach(one => one.addedNodes.forEach(
        node => node.nodeName === "IMG" && window.seen.push(node.alt)))
    ).observe(document.body, { childList: true, subtree: true })
    window.set = (name, value) => {
        traits[name] = value
        const actions = heard["change:" + name] ?? []
        actions.forEach(one => one())
    }
    const model = {
        get: name => traits[name],
        on: (name, action) => (heard[name] ??= []).push(action),
        off: (name, action) => { heard[name] = (heard[name] ?? []).filter(one => one !== action) },
        send: message => {
            window.sent.push(message)
            window.set("message", message.place === 2 ? "Done" : `Image ${message.place + 2} of 3`)
            window.set("place", message.place + 1)
        },
    }
    document.body.replaceChildren()
    widget.render({ model, el: document.body })
}"""


@pytest.fixture
def page():
    browser_walk = _browser_walk()
    if browser_walk.CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=browser_walk.CHROMIUM, args=[*browser_walk.OPTIONS, "--no-sandbox"]
        )
        page = browser.new_page()
        page.set_default_timeout(120_000)
        playwright.expect.set_options(timeout=120_000)
        script = (ASSETS / "quiz.js").read_text(encoding="utf-8")
        picture = base64.b64encode(_png(torch.ones(1, 4, 4))).decode()
        page.evaluate(PAGE, [script, picture])
        yield page
        browser.close()


def _browser_walk():
    path = Path(__file__).parents[1] / "test_browser.py"
    spec = importlib.util.spec_from_file_location("browser_walk", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["browser_walk"] = module
    spec.loader.exec_module(module)
    return module


def sent(page, count):
    page.wait_for_function(f"window.sent.length === {count}")
    return json.loads(page.evaluate("JSON.stringify(window.sent)"))


def test_keys_answer_and_the_image_is_gone_after_its_time(page):
    from playwright.sync_api import expect

    box = page.get_by_role("group")
    box.focus()
    page.keyboard.press("r")  # nothing is shown yet
    page.keyboard.press("Enter")
    real, generated = (page.get_by_role("button", name=name) for name in ("Real (R)", "Generated (G)"))
    expect(real).to_be_enabled()
    assert page.evaluate("window.seen") == ["Image 1 of 3"]
    page.wait_for_function("document.querySelector('img') === null")  # vanished by itself
    page.keyboard.press("R")
    (first,) = sent(page, 1)
    assert (first["place"], first["said_real"]) == (0, True)
    assert 280 <= first["shown"] <= first["response"]

    expect(generated).to_be_enabled()  # the next one comes without Enter
    page.keyboard.press("g")
    page.keyboard.press("g")  # once too often: the third image is not there yet
    second = sent(page, 2)[1]
    assert (second["place"], second["said_real"]) == (1, False)

    real.click()  # waits until it may be clicked
    assert sent(page, 3)[2]["place"] == 2
    assert page.get_by_role("status").inner_text() == "Done"
    assert page.get_by_role("button", name="Show (Enter)").is_disabled()


def test_without_a_limit_the_image_stays_until_the_answer(page):
    page.evaluate("window.set('exposure', 0)")
    page.get_by_role("button", name="Show (Enter)").click()
    page.locator("img").wait_for()
    page.wait_for_timeout(700)
    assert page.locator("img").count() == 1
    page.keyboard.press("g")
    (answer,) = sent(page, 1)
    assert answer["shown"] == answer["response"] >= 600


def test_a_new_quiz_takes_away_what_is_shown_and_waits_for_enter(page):
    page.evaluate("window.set('exposure', 0)")
    page.get_by_role("button", name="Show (Enter)").click()
    page.locator("img").wait_for()
    page.evaluate("window.set('round', 2)")
    assert page.locator("img").count() == 0
    page.keyboard.press("r")
    page.wait_for_timeout(300)
    assert page.evaluate("window.sent.length") == 0
    page.get_by_role("button", name="Show (Enter)").click()
    page.locator("img").wait_for()
