"""The playground, without a browser: what render draws and says, and what each control's callback does."""

import io
import time

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.data.toy import ring, spiral
from course_utils.losses import LOSSES
from course_utils.metrics import data_cells
from course_utils.plots import alt_text
from course_utils.training.threads import on_threads
from course_utils.widgets import gan_playground as module
from course_utils.widgets.gan_playground import DATA, DRAWN, MOST_POINTS, gan_playground, new_game, render


@pytest.fixture(autouse=True)
def single_thread():
    with on_threads(1):
        yield


@pytest.fixture
def playground():
    return gan_playground()


def weights(game):
    parameters = [weights for network in game.gan.networks.values() for weights in network.parameters()]
    return torch.cat([parameter.detach().flatten() for parameter in parameters])


def tick(playground, times=1):
    """What the play button does, in the browser."""
    for _ in range(times):
        playground.play.value += 1


def draw(playground, points, done=True):
    """A stroke, as the browser reports it."""
    playground.picture._handle_custom_msg({"stroke": points, "done": done}, [])


def test_render_describes_the_game():
    game = new_game(ring())
    figure, numbers = render(game, data_cells(game.density))
    assert numbers["modes covered"] == "0 of 8" and numbers["good samples"] == "0%"
    assert numbers["JS on cells"] == pytest.approx(0.6931, abs=1e-4)  # log 2: all samples in the middle
    assert "ring" in alt_text(figure) and "0.6931" in alt_text(figure)


def test_render_changes_nothing_and_hides_the_arrows_when_asked():
    game = new_game(spiral())
    before = weights(game)
    stage = module._new_stage()
    _, numbers = render(game, data_cells(game.density), pulls=False, stage=stage)
    assert torch.equal(weights(game), before)
    assert stage.moving["pulls"].get_segments() == []
    assert "modes covered" not in numbers


def test_running_plays_the_chosen_rounds(playground):
    playground.controls["rounds"].value = 3
    playground.controls["discriminator_steps"].value = 2
    before = playground.picture.jpeg
    tick(playground, 2)
    assert (playground.game.discriminator_steps, playground.game.generator_steps) == (12, 6)
    assert playground.picture.jpeg != before
    assert ">12</strong>" in playground.numbers.value


def test_the_frame_is_a_picture_as_large_as_it_is_shown(playground):
    frame = Image.open(io.BytesIO(playground.picture.jpeg))
    assert frame.width == playground.picture.width
    assert np.asarray(frame).std() > 10


def test_single_steps_move_one_player(playground):
    generator = playground.game.gan.generator[0].weight.detach().clone()
    playground.discriminator_button.click()
    assert torch.equal(playground.game.gan.generator[0].weight, generator)
    assert (playground.game.discriminator_steps, playground.game.generator_steps) == (1, 0)
    playground.generator_button.click()
    assert not torch.equal(playground.game.gan.generator[0].weight, generator)
    assert playground.game.generator_steps == 1


def test_start_again_starts_the_same_game(playground):
    first = weights(playground.game)
    tick(playground, 2)
    once = weights(playground.game)
    playground.reset.click()
    assert torch.equal(weights(playground.game), first) and playground.game.generator_steps == 0
    tick(playground, 2)
    assert torch.equal(weights(playground.game), once)


def test_settings_reach_the_running_game(playground):
    tick(playground)
    game = playground.game
    playground.controls["generator_lr"].value = 1e-4
    playground.controls["discriminator_lr"].value = 1e-3
    playground.controls["loss"].value = "minimax"
    assert playground.game is game
    assert game.gan.optimizers["generator"].param_groups[0]["lr"] == 1e-4
    assert game.gan.optimizers["discriminator"].param_groups[0]["lr"] == 1e-3
    assert game.gan.objective is LOSSES["minimax"]
    playground.reset.click()  # and the next one
    assert playground.game.gan.optimizers["generator"].param_groups[0]["lr"] == 1e-4


def test_showing_d_two_at_once_is_a_new_game(playground):
    tick(playground)
    playground.controls["packing"].value = 2
    assert playground.game.gan.discriminator.packing == 2 and playground.game.generator_steps == 0
    tick(playground)


@pytest.mark.parametrize("name", [*DATA, DRAWN])
def test_the_data_can_be_changed_under_a_running_game(playground, name):
    tick(playground)
    before = weights(playground.game)
    playground.controls["data"].value = name
    assert torch.equal(weights(playground.game), before)
    tick(playground)
    assert playground.game.density.name in alt_text(playground._stage.figure)


def test_the_arrows_can_be_hidden(playground):
    before = playground.picture.jpeg
    playground.controls["pulls"].value = False
    assert playground.picture.jpeg != before


def test_a_stroke_becomes_data_where_it_was_drawn(playground):
    axes = playground._stage.moving["heat"].axes
    stage = playground._stage.figure

    def fraction(x, y):
        across, up = stage.transFigure.inverted().transform(axes.transData.transform((x, y)))
        return [float(across), float(1 - up)]

    draw(playground, [fraction(-1.0, 2.0), fraction(1.5, -0.5)], done=False)
    draw(playground, [fraction(2.0, -1.0), [0.99, 0.5], [0.0, 0.0]])  # the last two are outside the plane
    assert playground.controls["data"].value == DRAWN
    assert np.array(playground.drawn) == pytest.approx(np.array([[-1, 2], [1.5, -0.5], [2, -1]]), abs=1e-6)
    samples = playground.game.density.sample(300, torch.Generator().manual_seed(0))
    nearest = torch.cdist(samples, torch.tensor(playground.drawn)).min(1)
    assert nearest.values.max() < 5 * module.PEN and len(nearest.indices.unique()) == 3
    torch.testing.assert_close(playground.p_data, data_cells(playground.game.density))
    tick(playground)
    playground.clear.click()
    assert playground.drawn == []
    tick(playground)


def test_the_keys_draw_on_the_whole_plane_and_begin_in_its_middle(playground):
    left, right, top, bottom = playground.picture.area
    corners = [
        playground._on_the_plane(corner)
        for corner in ((left + 1e-9, bottom - 1e-9), (right - 1e-9, top + 1e-9))
    ]
    assert np.array(corners) == pytest.approx(np.array([[-1, -1], [1, 1]]) * module.RADIUS, abs=1e-5)
    assert playground._on_the_plane(playground.picture.start) == pytest.approx((0, 0), abs=1e-6)


def test_a_long_drawing_forgets_its_oldest_points(playground):
    draw(playground, [[0.25, 0.4]] * (MOST_POINTS + 50))
    assert len(playground.drawn) == MOST_POINTS


def test_a_stroke_outside_the_plane_changes_no_chosen_data(playground):
    draw(playground, [[0.99, 0.5]])
    assert playground.controls["data"].value != DRAWN


def test_an_error_stops_the_run_and_is_shown_and_raised(playground):
    playground.play.playing = True
    with torch.no_grad():
        playground.game.gan.discriminator[2][1].weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="lower the learning rates"):
        tick(playground)
    assert not playground.play.playing
    assert 'role="alert"' in playground.problem.value and "no longer finite" in playground.problem.value
    playground.reset.click()
    assert playground.problem.value == ""


@pytest.mark.parametrize("button", ["discriminator_button", "generator_button", "reset", "clear"])
def test_a_buttons_error_is_shown(playground, button, monkeypatch):
    playground.controls["data"].value = DRAWN
    monkeypatch.setattr(module, "render", lambda *_: 1 / 0)
    getattr(playground, button).click()
    assert "ZeroDivisionError" in playground.problem.value


def test_torch_keeps_its_threads(playground):
    torch.set_num_threads(2)
    tick(playground)
    assert torch.get_num_threads() == 2


def test_ten_frames_a_second(playground):
    """In processor time, which other programs disturb little; half of the tenth is left to the browser."""
    tick(playground, 3)
    start = time.process_time()
    tick(playground, 15)
    assert (time.process_time() - start) / 15 < 0.05


def test_the_page_without_a_kernel_shows_a_described_picture(playground):
    tick(playground)
    data, metadata = playground._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data and "image/png" in data
    assert "alt=" in data["text/html"] and "JS on cells" in data["text/html"]
    assert metadata["image/png"]["alt"]


def test_the_script_is_shipped_and_asks_for_nothing_from_elsewhere():
    script = str(module.DrawablePicture._esm)
    assert "pointerdown" in script
    assert "http" not in script and "import " not in script


def test_threads_are_given_back_after_an_error():
    threads = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), on_threads(1):
        assert torch.get_num_threads() == 1
        raise ZeroDivisionError
    assert torch.get_num_threads() == threads
