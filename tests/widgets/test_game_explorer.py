"""The game explorer, without a browser: what render draws and says, and what the controls' callbacks do."""

import math

import pytest

from course_utils.plots import alt_text
from course_utils.theory.game_dynamics import GAMES, RULES, alternating, dirac_gan, play
from course_utils.widgets.game_explorer import FAR, FIRST_STEPS, MOST_STEPS, fate, game_explorer, render


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("game", GAMES)
def test_every_game_and_rule_renders(game, rule):
    figure, numbers = render(game=game, rule=rule, steps=10)
    assert numbers["step"] == 10
    assert all(math.isfinite(number) for number in numbers.values())
    assert game in alt_text(figure) and rule in alt_text(figure)


def test_the_numbers_are_those_of_the_run():
    _, numbers = render("non-saturating Dirac-GAN", "alternating", 0.3, r1=0.5, steps=40)
    last = play(dirac_gan(r1=0.5), alternating, 0.3, 40, start=(1.0, 1.0))[-1]
    assert [numbers["θ"], numbers["ψ"]] == pytest.approx(last.tolist())
    assert numbers["Re λ"] == pytest.approx(-0.25)


def test_a_run_that_leaves_stops_outside_the_picture():
    _, numbers = render("bilinear", "simultaneous", 0.5, steps=MOST_STEPS)
    assert FAR < numbers["distance"] < 2 * FAR
    assert numbers["step"] < MOST_STEPS


def test_fates():
    assert [fate(factor).split()[0] for factor in (1.01, 1.0, 0.99)] == ["leaves", "circles", "arrives"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"game": "chess"}, "choose one of bilinear"),
        ({"rule": "random"}, "choose one of simultaneous"),
        ({"step_size": 0}, "got 0 and 0"),
        ({"steps": -1}, "got 0.2 and -1"),
        ({"r1": -0.5}, "≥ 0"),
    ],
)
def test_bad_input_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        render(**wrong)


def test_play_step_and_start_again_move_the_run():
    explorer = game_explorer()
    before = explorer.picture.value
    explorer.run.value = 30  # what the play button does, in the browser, tick by tick
    assert explorer.controls["steps"].value == 30
    assert "<strong" in explorer.numbers.value and explorer.picture.value != before
    playing = explorer.picture.value
    explorer.one_step.click()
    assert explorer.controls["steps"].value == explorer.run.value == 31
    assert explorer.picture.value != playing
    explorer.reset.click()
    assert explorer.run.value == explorer.controls["steps"].value == FIRST_STEPS
    assert explorer.picture.value == before


def test_one_step_stops_at_the_end():
    explorer = game_explorer()
    explorer.run.value = MOST_STEPS
    explorer.one_step.click()
    assert explorer.run.value == MOST_STEPS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("game", "Dirac-WGAN"),
        ("rule", "extragradient"),
        ("step_size", 0.5),
        ("r1", 0.5),
        ("noise_std", 1.0),
        ("average", True),
    ],
)
def test_every_control_changes_the_picture(name, value):
    explorer = game_explorer()
    explorer.run.value = 20
    before = explorer.picture.value
    explorer.controls[name].value = value
    assert explorer.picture.value != before


def test_cures_are_off_for_the_bilinear_game():
    explorer = game_explorer()
    explorer.controls["game"].value = "bilinear"
    assert explorer.controls["r1"].disabled and explorer.controls["noise_std"].disabled
    explorer.controls["game"].value = "Dirac-WGAN"
    assert not explorer.controls["r1"].disabled


def test_an_error_is_shown_and_raised(monkeypatch):
    explorer = game_explorer()
    monkeypatch.setattr("course_utils.widgets.game_explorer._about", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        explorer.controls["step_size"].value = 0.4
    assert "out of date" in explorer.problem.value


def test_the_page_without_a_kernel_shows_a_described_picture():
    data, metadata = game_explorer()._repr_mimebundle_()
    assert "image/png" in data
    assert "alt=" in data["text/html"]
    assert metadata["image/png"]["alt"]
