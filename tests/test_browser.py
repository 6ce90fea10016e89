"""A walk through notebook 01 in a real JupyterLab and browser, cut off from every other machine."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from tools.run import ROOT

pytestmark = pytest.mark.slow
NOTEBOOK = "01_minimax_objective.ipynb"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
SECONDS = 1_000  # in the browser's milliseconds

# JupyterLab's own objects, reachable because Lab is started with expose_app_in_browser.
READY = """() => {
    const session = window.jupyterapp?.shell?.currentWidget?.sessionContext
    const kernel = session?.session?.kernel
    return Boolean(session?.isReady && kernel?.connectionStatus === 'connected' && kernel?.status === 'idle')
}"""
CELLS = """() => jupyterapp.shell.currentWidget.content.widgets.map(cell => ({
    kind: cell.model.type,
    source: cell.model.sharedModel.getSource(),
    count: cell.model.type === 'code' ? cell.model.executionCount : null,
    outputs: cell.model.type === 'code' ? cell.model.outputs.toJSON() : [],
}))"""
ALL_RAN = """() => jupyterapp.shell.currentWidget.content.widgets.every(
    cell => cell.model.type !== 'code' || cell.model.executionCount !== null
        || !cell.model.sharedModel.getSource().trim()
) && jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"""
# Never awaited: a command that runs cells returns only once they have run, and not always then.
RUN_ALL = "() => { void jupyterapp.commands.execute('notebook:run-all-cells') }"
RUN_CELL = """([place, source]) => {
    const notebook = jupyterapp.shell.currentWidget.content
    const model = notebook.widgets[place].model
    if (source !== null) model.sharedModel.setSource(source)
    model.executionCount = null
    notebook.activeCellIndex = place
    void jupyterapp.commands.execute('notebook:run-cell')
}"""


@pytest.fixture
def lab(tmp_path, request):
    """JupyterLab's address, serving a copy of the notebook; nothing of the user's own settings takes part.

    A parameter is the source of a notebook's only cell, in place of the notebook.
    """
    folder = tmp_path / "notebooks"
    folder.mkdir()
    source = getattr(request, "param", None)
    if source is None:
        shutil.copy(ROOT / "notebooks" / NOTEBOOK, folder)
    else:
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        cells = [nbformat.v4.new_code_cell(source)]  # without a kernel's name Lab would ask for one
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / NOTEBOOK)
    settings = {
        "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # all cells are in the page
        "@jupyterlab/apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
    }
    for name, content in settings.items():
        file = tmp_path / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "COURSE_PROGRESS": str(tmp_path / "progress.json"),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token=test"]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(f"{address}/api/status?token=test", server, tmp_path / "lab.log")
        yield f"{address}/lab/tree/{NOTEBOOK}?token=test"
    finally:
        server.terminate()  # takes its kernels along
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_for_server(address, server, log):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # a proxy does not know this machine
    deadline = time.monotonic() + 180  # a busy machine takes its time
    while time.monotonic() < deadline and server.poll() is None:
        try:
            opener.open(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture
def page(tmp_path):
    """An empty page, and the list of all addresses that it asks for."""
    if CHROMIUM is None:
        pytest.skip(f"no Chromium on this machine: none of {', '.join(BROWSERS)} is on the path")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        options = [*OPTIONS, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
        browser = running.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.asked_for = []
        page.on("request", lambda request: page.asked_for.append(request.url))
        page.on("websocket", lambda socket: page.asked_for.append(socket.url))
        yield page
        browser.close()


def run_cell(page, place, source=None):
    page.evaluate(RUN_CELL, [place, source])
    page.wait_for_function(ALL_RAN, timeout=60 * SECONDS)


def verdict(page, place):
    return page.locator(".jp-Notebook-cell").nth(place).locator(".course-verdict")


def test_a_learners_walk_through_notebook_01(page, lab):
    from playwright.sync_api import expect

    page.goto(lab)
    page.wait_for_function(READY, timeout=60 * SECONDS)
    page.evaluate(RUN_ALL)
    page.wait_for_function(ALL_RAN, timeout=120 * SECONDS)
    cells = page.evaluate(CELLS)

    # Run All runs through, unsolved.
    assert [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"] == []
    assert verdict(page, place_of(cells, 'check("1.2"')).inner_text().startswith("○ Exercise 1.2")

    # The explorer: an arrow key on the slider changes the figure and the numbers.
    explorer = page.locator(".jp-Notebook-cell").nth(place_of(cells, "discriminator_explorer()"))
    picture, numbers = explorer.locator("img"), explorer.locator("[role=status]")
    picture.wait_for(timeout=30 * SECONDS)
    before = picture.get_attribute("src"), numbers.inner_text()
    assert "V(D*, G)" in before[1]
    handle = explorer.get_by_role("slider", name="generator: mean")  # as a screen reader finds it
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    # looked up again each time: the widget puts a new <img> in the place of the old one
    expect(picture).not_to_have_attribute("src", before[0], timeout=20 * SECONDS)
    expect(numbers).not_to_have_text(before[1], timeout=20 * SECONDS)
    assert explorer.locator("[role=alert]").count() == 0

    # The course's own source is shown in a font for code, and highlighted.
    source = page.locator(".jp-Notebook-cell").nth(place_of(cells, "show_source(")).locator("pre").last
    assert source.evaluate("pre => getComputedStyle(pre).fontFamily").endswith("monospace")
    assert source.locator("span").count() > 10

    # Alternative texts reach the page.
    alts = page.eval_on_selector_all(".jp-OutputArea-output img", "all => all.map(one => one.alt)")
    assert len(alts) >= 2
    assert all(len(alt) > 20 for alt in alts), alts

    # An exercise, answered wrongly and then rightly, shows both verdicts.
    check = place_of(cells, 'check("1.2"')
    stub = max(place for place in range(check) if "NotImplementedError" in cells[place]["source"])
    real, fake = "real_fraction * p_data", "(1 - real_fraction) * p_model"
    for answer, status, words in (
        ("p_data / p_model", "not right yet", "ratio"),
        (f"{real} / ({real} + {fake})", "right", ""),
    ):
        stubbed = re.compile(r"raise NotImplementedError\(.*\)")
        run_cell(page, stub, stubbed.sub(f"return {answer}", cells[stub]["source"]))
        run_cell(page, check)
        headline = verdict(page, check).locator("strong").first.inner_text()
        assert headline.endswith(f": {status}")
        assert words in verdict(page, check).inner_text()
        assert verdict(page, check).locator("> details").count() == (status != "right")

    # And all of it came from this machine.
    outside = [
        url for url in page.asked_for if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:|about:", url)
    ]
    assert outside == []
    assert len(page.asked_for) > 10


def place_of(cells, text):
    found = [place for place, cell in enumerate(cells) if cell["kind"] == "code" and text in cell["source"]]
    assert found, f"no cell of notebook 01 contains {text}"
    return found[0]


QUIZ = """
import torch
from course_utils.widgets.quiz import real_or_fake_quiz
white, black = torch.ones(4, 1, 28, 28), -torch.ones(4, 1, 28, 28)
real_or_fake_quiz(white, black, subject="black", trials=4, file="quiz.jsonl", player="Ada")
"""


@pytest.mark.parametrize("lab", [QUIZ], indirect=True)
def test_the_quiz_is_played_by_keys_and_by_clicks(page, lab, tmp_path):
    """The image vanishes by itself, each answer lands in the file, R and G change no cell of the notebook."""
    from playwright.sync_api import expect

    page.goto(lab)
    page.wait_for_function(READY, timeout=60 * SECONDS)
    run_cell(page, 0)
    quiz = page.get_by_role("group", name="Real or generated?")
    quiz.wait_for(timeout=60 * SECONDS)
    status = quiz.locator("[role=status]")
    expect(status).to_have_text("Image 1 of 4", timeout=20 * SECONDS)
    page.evaluate("() => { void jupyterapp.commands.execute('notebook:enter-command-mode') }")
    page.wait_for_function("document.querySelector('.jp-Notebook.jp-mod-commandMode') !== null")
    quiz.focus()
    page.keyboard.press("r")  # too early: nothing was shown
    page.keyboard.press("Enter")
    for number, said in ((1, "r"), (2, "g"), (3, None), (4, None)):
        expect(status).to_have_text(f"Image {number} of 4", timeout=20 * SECONDS)
        if number > 2:  # by the mouse, while the image is there or after it has gone
            quiz.get_by_role("button", name="Real (R)").click(timeout=20 * SECONDS)
            continue
        expect(quiz.get_by_role("button", name="Real (R)")).to_be_enabled(timeout=20 * SECONDS)
        expect(quiz.locator("img")).to_have_count(0, timeout=20 * SECONDS)  # gone after half a second
        page.keyboard.press(said)
    expect(status).to_have_text("Done. Your result is below.", timeout=20 * SECONDS)
    page.locator("img[alt*='images as they were shown']").first.wait_for(timeout=20 * SECONDS)

    lines = (tmp_path / "notebooks" / "quiz.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer["said_real"] for answer in answers] == [True, False, True, True]
    assert sum(answer["real"] for answer in answers) == 2
    assert all(answer["player"] == "Ada" and answer["exposure"] == 500 for answer in answers)
    for answer in answers[:2]:
        assert 450 < answer["shown"] <= answer["response"]
    assert [cell["kind"] for cell in page.evaluate(CELLS)] == ["code"]  # R would have made it a raw cell


WIDGETS = """
import torch
from IPython.display import display
from course_utils.likelihoods import bernoulli_mean
from course_utils.metrics import load_classifier
from course_utils.models import Autoencoder, conditional_dcgan, load_generator, mlp_decoder, mlp_encoder
from course_utils.widgets.critic_explorer import critic_explorer
from course_utils.widgets.discriminator_explorer import discriminator_explorer
from course_utils.widgets.game_explorer import game_explorer
from course_utils.widgets.gan_playground import gan_playground
from course_utils.widgets.latent_map import latent_map
from course_utils.widgets.latent_slider import latent_slider
from course_utils.widgets.number_writer import number_writer
from course_utils.widgets.quiz import real_or_fake_quiz
images = torch.rand(10, 1, 8, 8) * 2 - 1
autoencoder = Autoencoder(mlp_encoder((1, 8, 8), 2), mlp_decoder((1, 8, 8), 2), bernoulli_mean).eval()
playground = gan_playground()
display(
    discriminator_explorer(),
    critic_explorer(),
    game_explorer(),
    latent_slider(load_generator("mnist"), load_classifier("mnist")),
    latent_map(autoencoder, images, range(10)),
    number_writer(conditional_dcgan()[0].eval(), load_classifier("mnist")),
    real_or_fake_quiz(images, images, subject="noise", trials=4),
    playground,
)
"""
# Numbers all that can be operated: sliders, menus, fields, buttons, and areas with keys of their own.
NUMBER_CONTROLS = """() => {
    const kinds = "select, button:not(:disabled), input:not([type=hidden]), [role=slider], [role=application]"
    const all = [...document.querySelectorAll(`.jp-OutputArea-output :is(${kinds})`)]
        .filter(one => one.checkVisibility())
    all.forEach((one, place) => one.dataset.control = place)
    return all.length
}"""
FOCUSED = """() => {
    const one = document.activeElement
    const name = one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent
    return {
        place: one.dataset.control,
        kind: one.getAttribute("role") ?? one.type ?? one.nodeName,
        name: (name.trim() || one.title || "").trim(),
        value: one.closest(".widget-slider")?.querySelector(".widget-readout")?.textContent
            ?? (one.type === "checkbox" ? String(one.checked) : one.value),
    }
}"""
USED_BY = {
    "slider": ("ArrowLeft", "ArrowRight"),
    "select-one": ("ArrowDown", "ArrowUp"),
    "checkbox": ("Space",),
}


@pytest.mark.parametrize("lab", [WIDGETS], indirect=True)
def test_every_control_of_every_widget_is_reached_and_used_by_keys_alone(page, lab):
    from playwright.sync_api import expect

    page.set_default_timeout(240 * SECONDS)  # eight widgets draw at once
    page.goto(lab)
    page.wait_for_function(READY)
    page.evaluate(RUN_CELL, [0, None])
    page.wait_for_function(ALL_RAN)
    page.get_by_role("application").wait_for()
    page.wait_for_function("document.querySelectorAll('.widget-slider [aria-label]').length >= 23")
    count = page.evaluate(NUMBER_CONTROLS)
    assert count > 45  # eight widgets

    # JupyterLab's command mode, in which it has meanings of its own for most keys
    page.evaluate("() => { void jupyterapp.commands.execute('notebook:enter-command-mode') }")
    page.wait_for_function("document.querySelectorAll('select[data-lm-suppress-shortcuts]').length >= 6")
    page.evaluate("document.querySelector('[data-control=\"0\"]').focus()")
    reached, unnamed, dead = {}, [], []
    for _ in range(3 * count):
        there = page.evaluate(FOCUSED)
        if there["place"] is not None and there["place"] not in reached:
            reached[there["place"]] = there
            unnamed += [] if there["name"] else [there]
            values = {there["value"]}
            for key in USED_BY.get(there["kind"], ()):
                page.keyboard.press(key)
                values.add(page.evaluate(FOCUSED)["value"])
            dead += [there] if there["kind"] in USED_BY and len(values) == 1 else []
        if there["kind"] == "application":  # the last one: drawing, by keys alone
            for key in ("Space", "Shift+ArrowRight", "ArrowUp", "Space"):
                page.keyboard.press(key)
            break
        page.keyboard.press("Tab")
    missed = page.evaluate(
        "all => [...document.querySelectorAll('[data-control]')]"
        ".filter(one => !all.includes(one.dataset.control)).map(one => one.outerHTML.slice(0, 200))",
        [*reached],
    )
    assert missed == []
    assert (unnamed, dead) == ([], [])
    menus = page.locator("select").filter(has_text="your drawing")
    expect(menus).to_have_value("your drawing", timeout=240 * SECONDS)


WRITER = """
from course_utils.metrics import load_classifier
from course_utils.models import load_generator
from course_utils.widgets.number_writer import number_writer
number_writer(load_generator("mnist_classes"), load_classifier("mnist"))
"""


@pytest.mark.parametrize("lab", [WRITER], indirect=True)
def test_a_number_is_typed_and_written_as_it_is_typed(page, lab):
    """Letter keys reach the field, none of JupyterLab's commands; picture and reading follow each digit."""
    from playwright.sync_api import expect

    page.goto(lab)
    page.wait_for_function(READY, timeout=60 * SECONDS)
    run_cell(page, 0)
    output = page.locator(".jp-OutputArea-output")
    field, status = output.get_by_role("textbox"), output.locator("[role=status]")
    expect(status).to_contain_text("asked for 2026", timeout=60 * SECONDS)
    page.evaluate("() => { void jupyterapp.commands.execute('notebook:enter-command-mode') }")
    page.wait_for_function("document.querySelector('input[data-lm-suppress-shortcuts]') !== null")
    field.focus()
    page.keyboard.press("End")
    for _ in range(4):
        page.keyboard.press("Backspace")
    for typed in ("1", "a", "7", "d", "d"):  # JupyterLab's a: insert a cell; dd: delete it
        page.keyboard.press(typed)
    expect(status).to_contain_text("asked for 17", timeout=20 * SECONDS)
    expect(status).to_contain_text("read as 17", timeout=20 * SECONDS)
    assert "The number 17" in output.locator("img").get_attribute("alt")
    assert len(page.evaluate(CELLS)) == 1
    style = output.get_by_role("slider", name="style")
    before = output.locator("img").get_attribute("src")
    style.focus()
    style.press("ArrowRight")
    expect(output.locator("img")).not_to_have_attribute("src", before, timeout=20 * SECONDS)


HOLES = """
from course_utils.data import load_mnist, to_model_range
from course_utils.models import load_translator
from course_utils.widgets.hole_painter import hole_painter
networks = [load_translator(f"mnist_inpainting_{kind}") for kind in ("regression", "gan")]
hole_painter(*networks, to_model_range(load_mnist("test").images[:10]))
"""


@pytest.mark.parametrize("lab", [HOLES], indirect=True)
def test_a_hole_is_painted_by_mouse_and_by_keys_and_filled(page, lab):
    from playwright.sync_api import expect

    page.set_default_timeout(240 * SECONDS)
    page.goto(lab)
    page.wait_for_function(READY)
    page.evaluate(RUN_CELL, [0, None])
    page.wait_for_function(ALL_RAN)
    frame = page.get_by_role("application")
    picture, numbers = frame.locator("img"), page.locator("[role=status]").filter(has_text="missing pixels")
    picture.wait_for()
    page.get_by_role("button", name="Mend the digit").click()
    expect(numbers).to_contain_text("missing pixels 0")

    def changes(action):
        before, counted = picture.get_attribute("src"), numbers.inner_text()
        action()
        expect(picture).not_to_have_attribute("src", before, timeout=240 * SECONDS)
        return counted

    def by_mouse():
        box = picture.bounding_box()
        left, top = box["x"] + 0.12 * box["width"], box["y"] + 0.5 * box["height"]
        page.mouse.move(left, top)
        page.mouse.down()
        page.mouse.move(left + 40, top, steps=4)
        page.mouse.up()

    def by_keys():
        frame.focus()
        for key in ("Shift+ArrowUp", "Space", "Shift+ArrowLeft", "Shift+ArrowDown", "Space"):
            page.keyboard.press(key)

    for draw in (by_mouse, by_keys):
        counted = changes(draw)
        expect(numbers).not_to_have_text(counted, timeout=240 * SECONDS)
    assert "with a hole of" in picture.get_attribute("alt")
    changes(lambda: page.get_by_role("button", name="Another completion").click())
    slider = page.get_by_role("slider", name="test digit")
    slider.focus()
    changes(lambda: slider.press("ArrowRight"))
    assert page.locator("[role=alert]").count() == 0
