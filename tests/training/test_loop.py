"""The training loop: reproducible, resumable, interruptible, and clear about what it cannot train."""

import copy
import os
import signal
import time
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from course_utils.data import image_sampler, ring
from course_utils.losses import LOSSES, GANLoss, get_loss
from course_utils.models import (
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
    sample,
)
from course_utils.runtime import has_fast_bfloat16
from course_utils.training import MNIST_DCGAN, TrainingDiverged, constant_then_linear, train
from course_utils.training.history import Recorder
from tests.training.games import train_gan

RING = ring()
QUIET = {"progress": False, "device": "cpu"}
SHORT = {"images": 640, "batch_size": 32, "snapshot_every": 320, "snapshot_samples": 8, **QUIET}


def players(dropout: float = 0.0) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    discriminator = mlp_discriminator((2,), hidden=(16,))
    if dropout:
        discriminator.insert(2, nn.Dropout(dropout))
    return mlp_generator((2,), 2, hidden=(16,)), discriminator


def image_players() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return dcgan_generator((1, 8, 8), latent_dim=4, width=4), dcgan_discriminator((1, 8, 8), width=4)


def bright_squares(n, rng):
    return torch.rand(n, 1, 1, 1, generator=rng).expand(n, 1, 8, 8) * 2 - 1


def weights(*networks: nn.Module) -> torch.Tensor:
    return torch.cat([tensor.double().flatten() for net in networks for tensor in net.state_dict().values()])


def press_stop() -> None:
    os.kill(os.getpid(), signal.SIGINT)


# --- the updates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [None, constant_then_linear])
@pytest.mark.parametrize("loss", LOSSES)
def test_three_rounds_are_the_algorithm_written_out(loss, schedule):
    """Same draws, same losses, same weights as a loop in plain torch."""
    generator, discriminator = players()
    plain_generator, plain_discriminator = copy.deepcopy((generator, discriminator))
    run = train_gan(
        generator, discriminator, RING.sample, loss=loss, schedule=schedule, **{**SHORT, "images": 96}
    )

    objective = get_loss(loss)
    adam_g = torch.optim.Adam(plain_generator.parameters(), 2e-3, betas=(0.0, 0.99))
    adam_d = torch.optim.Adam(plain_discriminator.parameters(), 2e-3, betas=(0.0, 0.99))
    rng = torch.Generator().manual_seed(0)
    torch.randn(8, 2, generator=rng)  # the snapshots' latents
    for step in range(3):
        for optimizer in (adam_g, adam_d):
            optimizer.param_groups[0]["lr"] = 2e-3 * (schedule(step / 3) if schedule else 1)
        real, latents = RING.sample(32, rng), torch.randn(32, 2, generator=rng)
        fake = plain_generator(latents)
        loss_d = objective.discriminator(plain_discriminator(real), plain_discriminator(fake.detach()))
        adam_d.zero_grad()
        loss_d.backward()
        adam_d.step()
        loss_g = objective.generator(plain_discriminator(real), plain_discriminator(plain_generator(latents)))
        adam_g.zero_grad()
        loss_g.backward()
        adam_g.step()
        assert run.history["discriminator_loss"][step] == pytest.approx(loss_d.item(), abs=1e-5)
        assert run.history["generator_loss"][step] == pytest.approx(loss_g.item(), abs=1e-5)
    torch.testing.assert_close(
        weights(generator, discriminator), weights(plain_generator, plain_discriminator), rtol=1e-4, atol=1e-6
    )


def test_it_learns_a_ring_of_eight_modes():
    torch.manual_seed(0)
    generator, discriminator = mlp_generator((2,), 2), mlp_discriminator((2,))
    run = train_gan(generator, discriminator, RING.sample, images=128_000, batch_size=128, **QUIET)
    distances = torch.cdist(sample(run.average, 1000), RING.modes.float())
    near, mode = distances.min(1)
    assert (near < 4 * RING.std).float().mean() > 0.5
    assert len(mode.unique()) >= 6


def test_each_step_of_the_generator_follows_several_of_the_discriminator():
    drawn = []

    def draw(n, rng):
        drawn.append(n)
        return RING.sample(n, rng)

    run = train_gan(*players(), draw, discriminator_steps=4, **SHORT)
    assert run.images_seen == 640
    assert len(run.history["images"]) == 640 // (4 * 32)  # rounds
    assert drawn[1:] == [32] * 20  # the first is the check


def test_the_penalty_is_added_to_the_discriminators_loss_and_sees_its_samples():
    seen = []

    def penalty(discriminator, real, fake):
        seen.append((real[0].shape, fake[0].shape, fake[0].requires_grad))
        return 100 * sum(weight.square().sum() for weight in discriminator.parameters())

    plain, penalised = players()[1], players()[1]
    train_gan(players()[0], plain, RING.sample, **SHORT)
    train_gan(players()[0], penalised, RING.sample, penalty=penalty, **SHORT)
    assert seen == [((32, 2), (32, 2), False)] * 20
    assert weights(penalised).norm() < weights(plain).norm()


def test_a_gradient_penalty_works_beside_low_precision():
    def r1(discriminator, real, fake):
        real = real[0].detach().requires_grad_()
        (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
        assert slope.dtype == torch.float32
        return slope.square().sum((1, 2, 3)).mean()

    run = train_gan(*image_players(), bright_squares, penalty=r1, precision="bfloat16", **SHORT)
    assert run.images_seen == 640


def test_augmentation_changes_what_the_discriminator_sees_real_and_fake_alike():
    batches = []

    def hide(images, rng):
        batches.append(images.requires_grad)
        return 0 * images  # real and fake look the same: nobody can tell them apart

    run = train_gan(*players(), RING.sample, augment=hide, **SHORT)
    assert batches == [False, False, True] * 20
    for real, fake in zip(run.history["real_accuracy"], run.history["fake_accuracy"], strict=True):
        assert real + fake == 1


def test_accuracies_count_the_right_side_of_the_losss_own_middle():
    """Least squares aims at 1 and 0: a logit of 0.4 says fake."""
    undecided = mlp_discriminator((2,), hidden=())
    for parameter in undecided.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(undecided[-2].bias, 0.4)
    frozen = {"discriminator_lr": 0.0, "images": 32}
    least_squares = train_gan(
        players()[0], undecided, RING.sample, loss="least_squares", **{**SHORT, **frozen}
    )
    logistic = train_gan(players()[0], undecided, RING.sample, **{**SHORT, **frozen})
    assert (least_squares.history["real_accuracy"], least_squares.history["fake_accuracy"]) == ([0.0], [1.0])
    assert (logistic.history["real_accuracy"], logistic.history["fake_accuracy"]) == ([1.0], [0.0])


def test_the_learning_rate_stays_then_falls_by_images():
    assert [constant_then_linear(share) for share in (0, 0.3)] == [1, 1]
    assert constant_then_linear(0.65) == pytest.approx(0.525)
    assert constant_then_linear(1) == pytest.approx(0.05)


def test_a_run_that_had_a_schedule_is_not_resumed_without_it(tmp_path):
    options = {**SHORT, "checkpoint": tmp_path / "run.pt"}
    train_gan(*players(), RING.sample, schedule=constant_then_linear, **{**options, "images": 320})
    with pytest.raises(ValueError, match=r"schedule=course_utils\.training\.loop\.constant_then_linear"):
        train_gan(*players(), RING.sample, resume=True, **options)


def test_a_loss_of_your_own():
    wasserstein = GANLoss(lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean())
    assert train_gan(*players(), RING.sample, loss=wasserstein, **SHORT).images_seen == 640


# --- reproducible, resumable ---------------------------------------------------------------------------


def test_same_seed_same_weights_whatever_the_surroundings():
    runs = []
    for surroundings in (0, 1):
        generator, discriminator = players(dropout=0.3)
        torch.manual_seed(surroundings)
        before = torch.get_rng_state()
        run = train_gan(
            generator,
            discriminator,
            RING.sample,
            on_snapshot=lambda run, n=surroundings: torch.rand(n),
            **SHORT,
        )
        assert torch.equal(torch.get_rng_state(), before)  # nor are the surroundings disturbed
        runs.append(weights(run.average, generator, discriminator))
    assert torch.equal(*runs)
    generator, discriminator = players(dropout=0.3)
    other = train_gan(generator, discriminator, RING.sample, seed=1, **SHORT)
    assert not torch.equal(runs[0], weights(other.average, generator, discriminator))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_stop_and_resume_equals_going_on(tmp_path, precision):
    def train(stop_at=None, **options):
        generator, discriminator = image_players()
        discriminator.insert(3, nn.Dropout(0.2))
        steps = 0

        def draw(n, rng):
            nonlocal steps
            steps += 1
            if steps == stop_at:
                press_stop()
            return bright_squares(n, rng)

        run = train_gan(generator, discriminator, draw, precision=precision, **options, **SHORT)
        return run, weights(run.average, generator, discriminator)

    path = tmp_path / "run.pt"
    straight, expected = train()
    stopped, half = train(stop_at=8, checkpoint=path)  # between two snapshots
    assert stopped.interrupted and 0 < stopped.images_seen < 640
    resumed, found = train(checkpoint=path, resume=True)
    assert not resumed.interrupted and resumed.images_seen == 640
    assert not torch.equal(half, expected)
    assert torch.equal(found, expected)
    for name in ("images", "discriminator_loss", "generator_loss", "real_accuracy"):
        assert resumed.history[name] == straight.history[name]
    late = dict(resumed.snapshots)
    assert all(torch.equal(late[images], samples) for images, samples in straight.snapshots)


def test_a_finished_run_resumes_to_itself(tmp_path):
    path = tmp_path / "run.pt"
    run = train_gan(*players(), RING.sample, checkpoint=path, **SHORT)
    again = train_gan(*players(), RING.sample, checkpoint=path, resume=True, **SHORT)
    assert torch.equal(weights(run.average), weights(again.average))
    assert again.history["images"] == run.history["images"]
    assert [images for images, _ in again.snapshots] == [0, 320, 640]


def test_resuming_with_other_settings_says_which(tmp_path):
    path = tmp_path / "run.pt"
    train_gan(*players(), RING.sample, checkpoint=path, **SHORT)
    with pytest.raises(ValueError, match=r"run\.pt was made with batch_size=32, this run has batch_size=16"):
        train_gan(*players(), RING.sample, checkpoint=path, resume=True, **{**SHORT, "batch_size": 16})


def test_resuming_from_a_damaged_file_or_another_network_says_so(tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ValueError, match=r"run\.pt is not a readable checkpoint"):
        train_gan(*players(), RING.sample, checkpoint=path, resume=True, **SHORT)
    path.unlink()
    train_gan(*image_players(), bright_squares, checkpoint=path, precision="float32", **SHORT)
    with pytest.raises(ValueError, match=r"run\.pt holds the state of another generator"):
        train_gan(*players(), RING.sample, checkpoint=path, resume=True, **SHORT)


# --- stopping ------------------------------------------------------------------------------------------


def test_the_stop_button_ends_after_the_step_and_keeps_the_run():
    def draw(n, rng):
        press_stop()
        return RING.sample(n, rng)

    before = signal.getsignal(signal.SIGINT)
    first = True

    def late(n, rng):
        nonlocal first
        if first:  # the check before training
            first = False
            return RING.sample(n, rng)
        return draw(n, rng)

    run = train_gan(*players(), late, **SHORT)
    assert run.interrupted
    assert run.images_seen == 32
    assert len(run.history["images"]) == 1
    assert run.snapshots[-1][0] == 32
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("where", ["loss", "optimiser", "snapshot"])
def test_an_interrupt_in_the_middle_of_anything_keeps_the_run(monkeypatch, where):
    calls = 0

    def interrupt(*_):
        nonlocal calls
        calls += 1
        if calls == 7:
            raise KeyboardInterrupt

    options = dict(SHORT)
    if where == "loss":
        own = get_loss("minimax")
        options["loss"] = GANLoss(
            lambda real, fake: interrupt() or own.discriminator(real, fake), own.generator
        )
    elif where == "snapshot":
        options |= {"on_snapshot": interrupt, "snapshot_every": 32}
    else:
        step = torch.optim.Adam.step
        monkeypatch.setattr(torch.optim.Adam, "step", lambda self: interrupt() or step(self))
    run = train_gan(*players(), RING.sample, **options)
    assert run.interrupted
    assert 0 < run.images_seen < 640
    assert len(run.history["images"]) == run.images_seen // 32
    assert sample(run.average, 5).isfinite().all()


# --- what is returned ----------------------------------------------------------------------------------


def test_the_run_tells_what_happened():
    seen = []
    generator, discriminator = players()
    run = train_gan(
        generator, discriminator, RING.sample, on_snapshot=lambda run: seen.append(run.images_seen), **SHORT
    )
    assert seen == [0, 320, 640] == [images for images, _ in run.snapshots]
    assert run.snapshots[0][1].shape == (8, 2)
    assert not torch.equal(run.snapshots[0][1], run.snapshots[1][1])
    assert {len(column) for column in run.history.values()} == {20}
    assert run.history["images"] == list(range(32, 641, 32))
    assert all(speed > 0 for speed in run.history["images_per_second"])
    assert run.seconds > 0
    assert run.networks["discriminator"] is discriminator and not discriminator.training
    assert run.average is not generator and not run.average.training
    assert not any(parameter.requires_grad for parameter in run.average.parameters())


def test_the_clock_stands_still_during_callbacks():
    run = train_gan(*players(), RING.sample, on_snapshot=lambda run: time.sleep(0.4), **SHORT)
    assert run.seconds < 0.4  # three callbacks took 1.2 s


def test_the_check_for_finite_weights_counts_as_training(monkeypatch):
    now = 0

    class TakesASecond(nn.Linear):
        def parameters(self, recurse=True):
            nonlocal now
            now += 1
            return super().parameters(recurse)

    monkeypatch.setattr("course_utils.training.history.time", SimpleNamespace(perf_counter=lambda: now))
    recorder = Recorder({name: [] for name in ("images", "images_per_second", "loss")}, ["loss"])
    seconds = []
    for images_seen in (64, 128, 192):
        recorder.add(images_seen, {"loss": torch.zeros(())})
        now += 2
        seconds.append(recorder.fetch({"generator": TakesASecond(2, 2)}))
    assert seconds == [2, 3, 3]


def test_bfloat16_is_close_to_float32():
    if not has_fast_bfloat16(torch.device("cpu")):
        pytest.skip(
            "this processor has no bfloat16 instructions: the numbers would be the same, the run slow"
        )
    runs = [
        train_gan(*image_players(), bright_squares, precision=precision, **{**SHORT, "images": 1600})
        for precision in ("float32", "bfloat16")
    ]
    for name in ("discriminator_loss", "generator_loss"):
        exact, rounded = (torch.tensor(run.history[name]) for run in runs)
        assert not torch.equal(exact, rounded)  # it did compute in bfloat16
        torch.testing.assert_close(rounded[:5], exact[:5], rtol=0.03, atol=0.01)
        assert (rounded - exact).abs().mean() < 0.1


def test_samples_repeat_with_the_seed_and_leave_the_mode_alone():
    generator, _ = image_players()
    generator.train()
    first = sample(generator, 7, seed=3, batch_size=2)
    assert torch.equal(first, sample(generator, 7, seed=3, batch_size=2))
    assert not torch.equal(first, sample(generator, 7, seed=4))
    torch.testing.assert_close(first, sample(generator, 7, seed=3))  # in one batch
    assert generator.training and first.shape == (7, 1, 8, 8) and not first.requires_grad


# --- what cannot be trained ----------------------------------------------------------------------------


def test_divergence_is_told_with_step_cause_and_cure():
    def draw(n, rng):
        draw.calls += 1
        return RING.sample(n, rng) * (float("nan") if draw.calls == 6 else 1)  # call 1 is the check

    draw.calls = 0
    with pytest.raises(
        TrainingDiverged, match=r"discriminator loss became nan at step 5 \(160 images.*lower learning rates"
    ) as caught:
        train_gan(*players(), draw, **SHORT)
    assert caught.value.run.history["images"] == [32, 64, 96, 128, 160]


def test_a_gradient_that_is_no_number_is_noticed_even_if_no_loss_shows_it():
    own = get_loss("non_saturating")
    poisoned = GANLoss(
        own.discriminator,
        lambda real, fake: own.generator(real, fake) + 0 * (fake - fake.detach()).sqrt().sum(),
    )
    with pytest.raises(TrainingDiverged, match="the generator gradient became nan at step 1 "):
        train_gan(*players(), RING.sample, loss=poisoned, **{**SHORT, "images": 32})


def test_weights_that_are_no_numbers_are_noticed_even_if_nothing_measured_shows_it():
    with pytest.raises(TrainingDiverged, match="generator's weights are no longer finite at step 1 "):
        train_gan(*players(), RING.sample, generator_lr=float("inf"), **{**SHORT, "images": 32})


def without_latent_dim():
    return nn.Linear(2, 2), players()[1], RING.sample


def with_a_tensor_for_data():
    return *players(), torch.zeros(10, 2)


def with_other_shape():
    return players()[0], players()[1], lambda n, rng: torch.zeros(n, 3)


def with_bytes():
    return *image_players(), lambda n, rng: torch.zeros(n, 1, 8, 8, dtype=torch.uint8)


def with_pixels_up_to_255():
    return *image_players(), lambda n, rng: torch.full((n, 1, 8, 8), 255.0)


def with_logits_in_a_column():
    return players()[0], players()[1][:-1], RING.sample


@pytest.mark.parametrize(
    ("game", "error", "message"),
    [
        (without_latent_dim, TypeError, "latent_dim"),
        (with_a_tensor_for_data, TypeError, "draw_real must be a sampler.*got Tensor.*image_sampler"),
        (with_other_shape, ValueError, r"\(8, 3\) and the generator \(8, 2\)"),
        (with_bytes, TypeError, "must return a float tensor on cpu, got torch.uint8"),
        (with_pixels_up_to_255, ValueError, r"\[-1, 1\].*255"),
        (with_logits_in_a_column, ValueError, r"logits of shape \(N,\).*got \(8, 1\).*Flatten"),
    ],
)
def test_games_that_cannot_be_played_are_refused_in_one_sentence(game, error, message):
    with pytest.raises(error, match=message):
        train_gan(*game(), **SHORT)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"loss": "wasserstien"}, "minimax, non_saturating, least_squares"),
        ({"images": 0}, "images must be at least 1, got 0"),
        ({"batch_size": -2}, "batch_size must be at least 1, got -2"),
        ({"ema_half_life": -1}, "ema_half_life must be at least 0, got -1"),
        ({"precision": "half"}, "auto, float32, bfloat16"),
        ({"device": "gpu"}, "cuda, mps, cpu"),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        train_gan(*players(), RING.sample, **{**SHORT, **setting})


def test_the_check_before_training_changes_nothing():
    generator, discriminator = image_players()
    before = weights(generator, discriminator)
    train_gan(
        generator,
        discriminator,
        bright_squares,
        **{**SHORT, "generator_lr": 0, "discriminator_lr": 0, "images": 1, "batch_size": 1},
    )
    counters = [name for name in generator.state_dict() if "num_batches" in name]
    assert all(generator.state_dict()[name] == 1 for name in counters)
    assert before.shape == weights(generator, discriminator).shape


def test_a_half_life_may_be_a_function_of_the_images_seen():
    seen = []

    def noted(images_seen):
        seen.append(images_seen)
        return 200

    runs = [train_gan(*players(), RING.sample, **SHORT, ema_half_life=each) for each in (200, noted, 0)]
    fixed, by_function, last = (weights(run.average) for run in runs)
    assert seen == list(range(32, 641, 32))
    assert torch.equal(fixed, by_function)
    assert not torch.equal(fixed, last)


def test_the_digits_recipe_trains_the_digits_pair():
    torch.manual_seed(0)
    images = image_sampler(torch.randint(0, 256, (100, 1, 28, 28), dtype=torch.uint8), "cpu")
    run = train(MNIST_DCGAN.gan(), images, images=128, **MNIST_DCGAN.training, **QUIET)
    assert sample(run.average, 2).shape == (2, 1, 28, 28)
