"""Figures: what they draw is what they were given, and everyone can read them."""

import base64
import html
import io
import itertools
import re

import nbformat
import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from course_utils import plots
from course_utils.plots import style

HISTORY = {
    "images": [64, 128, 192],
    "discriminator_loss": [1.4, 1.2, 1.1],
    "generator_loss": [0.7, 0.9, 1.0],
    "real_accuracy": [0.5, 0.6, 0.7],
    "fake_accuracy": [0.4, 0.6, 0.8],
}
X = torch.linspace(-3, 3, 61, dtype=torch.float64)
BELL = torch.exp(-(X**2) / 2)


def images(count, channels=1, seed=0):
    return 2 * torch.rand(count, channels, 8, 6, generator=torch.Generator().manual_seed(seed)) - 1


FIGURES = {
    "image_grid": lambda note="": plots.image_grid(images(10), note=note),
    "beside_nearest": lambda note="": plots.beside_nearest(
        images(4), images(4, seed=1), column_labels=["cat", "dog"], note=note
    ),
    "loss_curves": lambda note="": plots.loss_curves(HISTORY, note=note),
    "accuracy_curves": lambda note="": plots.accuracy_curves(HISTORY, note=note),
    "curve": lambda note="": plots.curve(HISTORY, "generator_loss", label="loss of G", note=note),
    "lines": lambda note="": plots.lines(
        X, {"bell": BELL, "half": BELL / 2}, x_label="x", y_label="y", alt="two bells", note=note
    ),
    "densities": lambda note="": plots.density_and_discriminator(X, BELL, BELL, BELL / 2, note=note),
    "evolution": lambda note="": plots.sample_evolution([(0, images(8)), (500, images(8))], note=note),
    "points": lambda note="": plots.sample_evolution(
        [(0, torch.randn(9, 2))], note=note, real=torch.randn(9, 2)
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_alternative_text_and_says_where_its_data_is_from(name):
    figure = FIGURES[name](note="stand-in: drawn shapes")
    assert len(plots.alt_text(figure)) > 20
    assert "stand-in: drawn shapes" in plots.alt_text(figure)
    assert "stand-in: drawn shapes" in figure.get_supxlabel()


@pytest.mark.parametrize("name", ["loss_curves", "accuracy_curves", "curve", "densities", "points"])
def test_axes_are_named(name):
    figure = FIGURES[name]()
    assert any(axes.get_xlabel() for axes in figure.axes)
    assert any(axes.get_ylabel() for axes in figure.axes)


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_legible_at_100_percent_and_inside_the_picture(name):
    figure = FIGURES[name](note="MNIST, first 10,000 training digits")
    for text in figure.findobj(Text):
        pixels_on_the_page = text.get_fontsize() * plots.CSS_PIXELS_PER_INCH / 72
        assert pixels_on_the_page >= 12, text.get_text()
    figure.draw_without_rendering()
    used, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert used.x0 > -0.02 and used.y0 > -0.02 and used.x1 < width + 0.02 and used.y1 < height + 0.02


# --- alternative text reaches the reader ---


def test_the_picture_carries_its_alternative_text_in_every_form():
    figure = plots.describe(FIGURES["loss_curves"](), 'Losses: "D" < "G"')
    data, metadata = plots.mime_bundle(figure)
    assert metadata["image/png"]["alt"] == 'Losses: "D" < "G"'
    assert html.unescape(re.search(r'alt="([^"]*)"', data["text/html"])[1]) == 'Losses: "D" < "G"'
    assert data["text/plain"] == 'Figure: Losses: "D" < "G"'
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG"
    assert picture.width / metadata["image/png"]["width"] == pytest.approx(1.5, abs=0.01)  # finer than shown


@pytest.mark.parametrize("name", ["loss_curves", "image_grid"])
def test_the_page_and_the_plain_picture_show_every_pixel(name):
    figure = FIGURES[name]()
    data, _ = plots.mime_bundle(figure)
    drawn = np.asarray(plots.to_picture(figure), dtype=int)
    page = picture_in(re.search(r'src="data:image/webp;base64,([^"]+)"', data["text/html"])[1])
    plain = picture_in(data["image/png"])
    assert np.array_equal(page, drawn)
    assert np.array_equal(plain, drawn)


@pytest.mark.parametrize("name", FIGURES)
def test_the_picture_is_the_one_that_matplotlib_saves(name):
    figure, saved = seeded(FIGURES[name]), io.BytesIO()
    picture = plots.to_picture(figure)
    again = seeded(FIGURES[name])  # the layout moves a little each time that a figure is drawn
    again.savefig(saved, dpi=style.PNG_PIXELS_PER_INCH)
    expected = Image.open(saved).convert("RGB")
    difference = np.abs(np.asarray(picture, dtype=int) - np.asarray(expected, dtype=int)).max()
    assert difference <= (1 if any(axes.images for axes in figure.axes) else 2)  # of 255
    assert figure.dpi == style.CSS_PIXELS_PER_INCH


def seeded(make):
    torch.manual_seed(0)
    return make()


def picture_in(encoded):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), dtype=int)


@pytest.mark.parametrize("rows", [1, 2, 8])
@pytest.mark.parametrize("labels", [None, list("abcdefghijklmnop")])
def test_the_title_of_a_grid_is_not_cut_off(rows, labels):
    figure = plots.image_grid(images(16 * rows), columns=16, title="Tall", note="x", column_labels=labels)
    figure.draw_without_rendering()
    title = figure.axes[0].title.get_window_extent()
    assert figure.bbox.y1 - title.y1 > 3  # pixels


def test_the_words_beside_the_rows_keep_off_the_edge():
    figure = plots.image_grid(images(24), columns=12, row_labels=["a", "relativistic, R1 + R2"], width=9)
    figure.draw_without_rendering()
    left = min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels())
    assert left > 0.1 * figure.dpi  # inches


def test_nbconvert_keeps_the_alternative_text_and_shows_the_picture_once():
    HTMLExporter = pytest.importorskip("nbconvert").HTMLExporter
    data, metadata = plots.mime_bundle(plots.describe(FIGURES["curve"](), "A falling line"))
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show()", outputs=[output])])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert page.count("<img") == page.count('alt="A falling line"') == 1


def test_a_figure_without_alternative_text_cannot_be_shown():
    figure, _ = plots.new_figure()
    with pytest.raises(ValueError, match="no alternative text"):
        plots.show(figure)
    with pytest.raises(ValueError, match="empty"):
        plots.describe(figure, "  ")


def test_outside_jupyter_the_text_is_printed(capsys):
    plots.show(plots.describe(FIGURES["curve"](), "A falling line"))
    assert capsys.readouterr().out == "Figure: A falling line\n"


def test_a_live_figure_is_replaced_in_its_place(monkeypatch):
    import IPython

    calls = []

    class Handle:
        def update(self, data, metadata, raw):
            calls.append(("update", data["text/plain"]))

    def display(data, metadata, raw, display_id):
        calls.append(("display", data["text/plain"]))
        return Handle()

    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", display)
    live = plots.Live()
    for text in ("one", "two", "three"):
        live.show(plots.describe(FIGURES["curve"](), text))
    assert calls == [("display", "Figure: one"), ("update", "Figure: two"), ("update", "Figure: three")]


def test_a_pyplot_figure_is_closed_once_shown():
    from matplotlib import pyplot

    figure, _ = pyplot.subplots()
    plots.show(plots.describe(figure, "An empty figure"))
    assert not pyplot.fignum_exists(figure.number)


# --- colours ---


NAMED = {**plots.COLORS, **plots.PALETTE, **{f"cycle {n}": colour for n, colour in enumerate(plots.CYCLE)}}
TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # from linear RGB
EYES = {  # what linear RGB looks like to them: Machado, Oliveira and Fernandes (2009), severity 1
    "all cones": np.eye(3),
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no red cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}


def linear_rgb(colour):
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast_to_white(colour):
    """(1 + 0.05) / (relative luminance + 0.05), as the Web Content Accessibility Guidelines define it."""
    return 1.05 / (TO_XYZ[1] @ linear_rgb(colour) + 0.05)


def lab(linear):
    """CIELAB: a distance of 2.3 in it is just noticeable."""
    ratio = TO_XYZ @ np.clip(linear, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_measures_of_colour_know_the_ends_and_the_known_values():
    assert contrast_to_white("#FFFFFF") == pytest.approx(1) and contrast_to_white("#000000") == pytest.approx(
        21
    )
    assert contrast_to_white("#E69F00") == pytest.approx(2.25, abs=0.01)  # Okabe and Ito's orange: too light
    assert lab(linear_rgb("#FFFFFF")) == pytest.approx([100, 0, 0], abs=0.1)
    assert lab(linear_rgb("#FF0000")) == pytest.approx([53.2, 80.1, 67.2], abs=0.3)


@pytest.mark.parametrize("name", NAMED)
def test_every_line_and_fill_stands_out_from_white(name):
    assert contrast_to_white(NAMED[name]) >= 3


@pytest.mark.parametrize("eyes", EYES)
def test_no_two_colours_look_alike_to_colour_blind_eyes(eyes):
    for one, other in itertools.combinations(sorted(set(NAMED.values())), 2):
        seen = [lab(EYES[eyes] @ linear_rgb(colour)) for colour in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > 15, (one, other)


def test_the_arrows_of_a_field_stand_out_from_white():
    places = torch.cartesian_prod(torch.linspace(-1, 1, 3), torch.linspace(-1, 1, 3))
    _, axes = plots.new_figure()
    arrows = plots.games.draw_field(axes, places, places)
    assert contrast_to_white(to_hex(arrows.get_facecolor()[0])) >= 3


SCREEN = 16 / 9
CAPITAL = 0.73  # height of a capital letter of DejaVu Sans, of its font size
LAST_ROW = 6  # heights of the screen: the farthest that rules of thumb for classrooms allow


def farthest_reader(figure):
    """From how many heights of a 16:9 screen the smallest text is read, where the figure fills its width.

    200 times the text's height: ANSI/AVIXA V202.01, for viewing that is not the inspection of details.
    """
    sizes = [
        one.get_fontsize() for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip()
    ]
    return 200 * CAPITAL * min(sizes, default=99) / 72 / figure.get_figwidth() * SCREEN


def hangs_over(figure):
    """By how many inches something that is drawn is cut off at an edge of the figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box, (width, height) = figure.get_tightbbox(canvas.get_renderer()), figure.get_size_inches()
    return max(-box.x0, -box.y0, box.x1 - width, box.y1 - height, 0)


def width_on_page(figure):
    return plots.mime_bundle(figure)[1]["image/png"]["width"]


@pytest.mark.parametrize("name", FIGURES)
def test_figure_text_is_read_from_a_last_row_where_large_text_is_asked_for(name, monkeypatch):
    """As with COURSE_TEXT=1.5, which is read when the module is imported."""
    usual = width_on_page(FIGURES[name]())
    for name_of_size in ("TEXT_SCALE", "CSS_PIXELS_PER_INCH", "PNG_PIXELS_PER_INCH"):
        monkeypatch.setattr(plots.display, name_of_size, 1.5 * getattr(plots.display, name_of_size))
    figure = FIGURES[name]()
    assert farthest_reader(figure) >= LAST_ROW
    assert hangs_over(figure) < 0.02
    assert abs(width_on_page(figure) - usual) <= 1


@pytest.mark.parametrize("name", FIGURES)
def test_figure_text_is_read_from_four_heights_of_the_screen_without_asking(name):
    figure = FIGURES[name]()
    assert farthest_reader(figure) >= 4
    assert hangs_over(figure) < 0.02


@pytest.mark.parametrize(("given", "scale"), [(None, 1), ("", 1), ("1.5", 1.5), ("2", 2)])
def test_the_scale_of_text_is_read(given, scale, monkeypatch):
    monkeypatch.setenv("COURSE_TEXT", given) if given is not None else monkeypatch.delenv(
        "COURSE_TEXT", raising=False
    )
    assert style.text_scale() == scale


@pytest.mark.parametrize("given", ["large", "0.5", "3", "nan"])
def test_a_scale_of_text_that_is_none_is_told(given, monkeypatch):
    monkeypatch.setenv("COURSE_TEXT", given)
    with pytest.raises(ValueError, match=r"a number from 1 to 2, such as 1\.5"):
        style.text_scale()


def test_small_grey_text_has_enough_contrast():
    assert contrast_to_white(plots.COLORS["reference"]) >= 4.5


def test_a_smooth_shading_keeps_all_its_colours_in_every_form():
    figure, axes = plots.new_figure()
    axes.pcolormesh(np.linspace(0, 1, 400)[None].repeat(2, axis=0), cmap="viridis")
    data, _ = plots.mime_bundle(plots.describe(figure, "From blue to yellow"))
    page = picture_in(re.search(r'src="data:image/webp;base64,([^"]+)"', data["text/html"])[1])
    plain = picture_in(data["image/png"])
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) > 256  # no palette has so many
    assert np.array_equal(plain, page)


# --- images ---


def test_a_grid_shows_each_image_in_its_place():
    batch = images(5, channels=3)
    page = plots.tile(batch, columns=2)
    assert page.shape == (3 * (8 + 2) + 2, 2 * (6 + 2) + 2, 3)
    third = page[12:20, 2:8]  # second row, first column
    assert np.abs(third / 127.5 - 1 - batch[2].permute(1, 2, 0).numpy()).max() < 1 / 127
    assert (page[22:30, 10:16] == 255).all()  # no sixth image: paper


def test_black_is_minus_one_and_white_is_one():
    ends = torch.stack([torch.full((1, 4, 4), -1.0), torch.full((1, 4, 4), 1.0)])
    page = plots.tile(ends, columns=2)
    assert (page[2:6, 2:6] == 0).all() and (page[2:6, 8:12] == 255).all()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (torch.randint(255, (4, 1, 8, 8), dtype=torch.uint8), TypeError, "to_model_range"),
        (torch.rand(4, 1, 8, 8) * 255, ValueError, r"\[-1, 1\]"),
        (torch.zeros(8, 8), ValueError, r"\(N, C, H, W\)"),
        (torch.zeros(4, 2, 8, 8), ValueError, "1 or 3 channels, got 2"),
        (torch.full((4, 1, 8, 8), float("nan")), ValueError, "nan|finite"),
    ],
)
def test_unusable_images_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        plots.image_grid(given)


def test_evolution_shows_first_and_last_snapshot_and_the_same_latents_below_each_other():
    snapshots = [(1000 * k, torch.full((8, 1, 4, 4), -1 + k / 10)) for k in range(20)]
    figure = plots.sample_evolution(snapshots, columns=4, most=3)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "10k", "19k"]
    page = axes.images[0].get_array()
    assert [int(page[4 + 6 * row, 4, 0]) for row in range(3)] == [0, 128, 242]
    with pytest.raises(ValueError, match="snapshot_every"):
        plots.sample_evolution([])


# --- curves ---


def test_curves_show_the_history():
    axes = plots.loss_curves(HISTORY, equilibrium=(1.386, 0.693)).axes[0]
    by_label = {line.get_label(): line for line in axes.lines}
    assert by_label["discriminator loss"].get_ydata().tolist() == HISTORY["discriminator_loss"]
    assert by_label["generator loss"].get_xdata().tolist() == HISTORY["images"]
    assert {1.386, 0.693} <= {line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1}


def test_long_noisy_curves_are_smoothed_without_shifting_them():
    steps = np.arange(1000)
    history = {"images": steps, "real_accuracy": steps / 1000, "fake_accuracy": np.full(1000, 0.5)}
    line = next(
        line for line in plots.accuracy_curves(history).axes[0].lines if line.get_label() == "on real samples"
    )
    assert np.allclose(
        line.get_ydata(), line.get_xdata() / 1000, atol=1e-3
    )  # a straight line stays where it is


def test_the_alternative_text_tells_where_curves_go():
    assert "discriminator loss goes from 1.4 to 1.1" in plots.alt_text(plots.loss_curves(HISTORY))
    assert "on fake samples goes from 0.4 to 0.8" in plots.alt_text(plots.accuracy_curves(HISTORY))


def test_an_empty_history_can_be_drawn():
    plots.to_png(plots.loss_curves({"images": [], "discriminator_loss": [], "generator_loss": []}))


def test_both_densities_and_every_discriminator_are_drawn():
    figure = plots.density_and_discriminator(X, BELL, BELL.roll(10), {"$D^*$": BELL / 2, "network": BELL / 3})
    above, below = figure.axes
    assert np.allclose(above.lines[0].get_ydata(), BELL)
    assert np.allclose(above.lines[1].get_ydata(), BELL.roll(10))
    assert {"$D^*$", "network"} <= {line.get_label() for line in below.lines}
    assert (
        len({line.get_linestyle() for line in below.lines if line.get_label() in ("$D^*$", "network")}) == 2
    )


def test_a_logarithmic_axis_holds_its_curves():
    figure = plots.lines(
        X, {"steep": 10 ** (2 * X)}, x_label="x", y_label="y", log=True, alt="a straight line"
    )
    low, high = figure.axes[0].get_ylim()
    assert 1e-8 < low < 1e-6 and 1e6 < high < 1e8


def test_curves_and_points_take_the_colours_that_they_have_in_other_figures():
    figure = plots.lines(
        X,
        {"bell": BELL, "half": BELL / 2},
        points={"top": (X[:1], BELL[:1])},
        colors={"half": plots.COLORS["value"], "top": plots.COLORS["discriminator"]},
        x_label="x",
        y_label="y",
        alt="two bells",
    )
    colours = {line.get_label(): line.get_color() for line in figure.axes[0].lines}
    assert colours == {
        "bell": plots.CYCLE[0],
        "half": plots.COLORS["value"],
        "top": plots.COLORS["discriminator"],
    }


def test_below_each_row_of_generated_images_is_the_row_of_those_nearest_to_them():
    generated, nearest = images(4), images(4, seed=1)
    figure = plots.beside_nearest(generated, nearest, column_labels=["cat", "dog"])
    drawn = figure.axes[0].get_images()[0].get_array()
    order = torch.cat([generated[:2], nearest[:2], generated[2:], nearest[2:]])
    assert np.array_equal(drawn, plots.tile(order, 2))
    with pytest.raises(ValueError, match="full rows of 3"):
        plots.beside_nearest(generated, nearest, column_labels=["cat", "dog", "frog"])
