"""The dashboard: what it draws is what the run holds, and what is not there is left out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from course_utils import data, plots
from course_utils.metrics import mode_coverage
from course_utils.plots.dashboard import Curve, Panel
from course_utils.training import toy_gan, train

RING = data.ring()
STEPS = 200


def a_run(columns=("discriminator_loss", "generator_loss"), images=False, steps=STEPS):
    shape = (6, 1, 8, 8) if images else (6, 2)
    samples = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0)) - 0.5
    history = {name: list(np.linspace(1 + place, 2, steps)) for place, name in enumerate(columns)}
    history["images"] = list(range(64, 64 * (steps + 1), 64))
    return SimpleNamespace(history=history, snapshots=[(64 * 100 * n, samples[n]) for n in range(3)])


def titles(figure):
    return [axes.get_title() for axes in every_axes(figure) if axes.get_title()]


def every_axes(figure):
    return [axes for part in figure.subfigs for axes in part.axes]


def test_a_real_run_has_all_panels_and_words_for_each():
    run = train(
        toy_gan(hidden=(8,)), RING.sample, images=320, batch_size=32, snapshot_every=160, snapshot_samples=8,
        device="cpu", threads=1, progress=False,
    )  # fmt: skip
    real = RING.sample(20, torch.Generator().manual_seed(0))
    figure = plots.dashboard(
        run, real=real, coverage=lambda points: mode_coverage(points, RING.modes, RING.std), title="small"
    )
    found = titles(figure)
    for title in ("losses", "D's accuracy", "length of the gradients", "diversity of the samples"):
        assert title in found and title in plots.alt_text(figure)
    assert "modes covered, of 8" in found and "after 320" in found
    plots.to_png(figure)


def test_what_a_run_has_no_data_for_is_left_out():
    found = titles(plots.dashboard(a_run(("generator_loss",))))
    assert "losses" in found and "diversity of the samples" in found
    assert not {"D's accuracy", "length of the gradients"} & set(found)
    bare = SimpleNamespace(history=a_run().history, snapshots=[])
    assert titles(plots.dashboard(bare)) == ["losses"]
    plots.to_png(plots.dashboard(bare))


def test_curves_are_the_history_and_smoothed_beside_it():
    run = a_run()
    (axes,) = [one for one in every_axes(plots.dashboard(run)) if one.get_title() == "losses"]
    raw, smooth = axes.lines[:2]
    np.testing.assert_allclose(raw.get_ydata(), run.history["discriminator_loss"])
    assert len(smooth.get_ydata()) < STEPS and raw.get_alpha() < 0.5
    expected = np.interp(smooth.get_xdata(), raw.get_xdata(), raw.get_ydata())
    np.testing.assert_allclose(smooth.get_ydata(), expected, atol=0.02)


def test_the_diversity_is_relative_to_that_of_the_data():
    run, real = a_run(), torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    (axes,) = [one for one in every_axes(plots.dashboard(run, real=real)) if "diversity" in one.get_title()]
    expected = torch.pdist(run.snapshots[1][1]).mean() / 2
    assert axes.lines[0].get_ydata()[1] == pytest.approx(expected.item(), rel=1e-5)


def test_a_run_beside_it_is_grey_and_extra_panels_are_drawn_of_both():
    def extra(run):
        return [Panel("slope", [Curve("D", np.arange(3.0), np.arange(3.0) + len(run.history), "black")])]

    figure = plots.dashboard(a_run(), beside=a_run(("generator_loss",)), extra=extra)
    (axes,) = [one for one in every_axes(figure) if one.get_title() == "slope"]
    grey, black = axes.lines
    assert grey.get_color() == plots.COLORS["reference"] and black.get_color() == "black"
    assert grey.get_ydata()[0] == 2 and black.get_ydata()[0] == 3
    plots.to_png(figure)


@pytest.mark.parametrize("images", [True, False])
def test_the_latest_samples_are_shown_with_a_note_of_where_the_data_are_from(images):
    figure = plots.dashboard(a_run(images=images), note="stand-in: drawn shapes")
    assert "stand-in: drawn shapes" in plots.alt_text(figure) and figure.get_supxlabel().startswith(
        "stand-in"
    )
    axes = figure.subfigs[1].axes
    shown = (
        [label.get_text() for label in axes[0].get_yticklabels()] if images else [a.get_title() for a in axes]
    )
    assert shown == ["after 0", "after 6.4k", "after 12.8k"]
    plots.to_png(figure)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (torch.randn(40, 2) + 50, "all 40 samples lie outside this frame"),
        (torch.randn(40, 2) * torch.linspace(0, 100, 40)[:, None], "samples lie outside this frame"),
        (torch.full((40, 2), float("nan")), "all 40 samples are NaN"),
    ],
)
def test_an_empty_plane_says_why_on_the_picture_and_in_words(samples, words):
    run = SimpleNamespace(history={"images": []}, snapshots=[(0, torch.randn(40, 2)), (64, samples)])
    figure = plots.dashboard(run, real=torch.randn(40, 2))
    planes = every_axes(figure)[-2:]
    seen, unseen = (axes.get_xlabel().replace("\n", " ") for axes in planes)
    assert seen == ""
    assert words in unseen
    assert "After 64" in plots.alt_text(figure)
    assert words in plots.alt_text(figure)
    plots.to_png(figure)


def test_a_curve_without_a_name_needs_no_comma():
    run = SimpleNamespace(history={"images": [1.0, 2.0]}, snapshots=[])
    panel = Panel("slope", [Curve("", np.array([1.0, 2.0]), np.array([3.0, 4.0]), "black")])
    assert "slope: from 3 to 4" in plots.alt_text(plots.dashboard(run, extra=lambda _: [panel]))


def test_gradients_of_nothing_but_zeros_and_a_history_cut_short_can_be_drawn():
    run = a_run(("discriminator_gradient", "generator_gradient"), steps=3)
    run.history = {**run.history, "generator_gradient": [0.0, 0.0, 0.0], "discriminator_gradient": [0.0] * 3}
    plots.to_png(plots.dashboard(run))
    run.history = {"images": [64, 128], "generator_loss": [1.0, float("inf")], "discriminator_loss": [1.0]}
    plots.to_png(plots.dashboard(run))
