"""Flow matching on the loop: the step written out, what it learns, stop and resume, what is refused."""

import copy

import pytest
import torch

from course_utils.data import ring
from course_utils.models import GaussianCorrected, mlp_velocity, sample
from course_utils.theory import GaussianFlow
from course_utils.training import FlowMatching, flow_matching_loss, train
from course_utils.training.machine import Machine

QUIET = {"progress": False, "device": "cpu", "threads": 1}
SHORT = {"images": 640, "batch_size": 32, "snapshot_every": 320, "snapshot_samples": 8, **QUIET}
TRUTH = GaussianFlow(torch.tensor([1.0, -0.5]), torch.tensor([0.3, 1.5]))


def gaussian_points(n, rng):
    return TRUTH.transport(torch.randn(n, 2, generator=rng))


def model(seed: int = 0, **options) -> FlowMatching:
    torch.manual_seed(seed)
    return FlowMatching(mlp_velocity((2,), 32), (2,), **options)


def weights(network):
    return torch.cat([tensor.double().flatten() for tensor in network.state_dict().values()])


def test_three_steps_are_the_algorithm_written_out():
    trained = model(lr=1e-2)
    plain = copy.deepcopy(trained.velocity)
    run = train(trained, gaussian_points, **{**SHORT, "images": 96})
    adam = torch.optim.Adam(plain.parameters(), 1e-2, (0.9, 0.99))
    rng = torch.Generator().manual_seed(0)
    torch.randn(8, 2, generator=rng)  # the snapshots' latents
    for step in range(3):
        x, noise = gaussian_points(32, rng), torch.randn(32, 2, generator=rng)
        t = torch.distributions.Normal(0.0, 1.0).cdf(torch.randn(32, 1, generator=rng))
        loss = torch.nn.functional.mse_loss(plain(noise + t * (x - noise), t[:, 0]), x - noise)
        adam.zero_grad()
        loss.backward()
        adam.step()
        assert run.history["flow_matching_loss"][step] == pytest.approx(loss.item(), rel=1e-4)
    torch.testing.assert_close(weights(trained.velocity), weights(plain), rtol=1e-4, atol=1e-6)


def test_the_loss_of_the_exact_velocity_is_the_least_one():
    rng = torch.Generator().manual_seed(0)
    samples, noise = gaussian_points(100_000, rng), torch.randn(100_000, 2, generator=rng)
    for time in (0.2, 0.9):
        found = flow_matching_loss(TRUTH.velocity, samples, noise, torch.full((100_000,), time))
        assert found.item() == pytest.approx(TRUTH.least_loss(time).item(), rel=0.02)


def test_it_learns_the_velocity_of_a_gaussian_and_with_it_the_gaussian():
    run = train(
        model(lr=5e-3), gaussian_points, images=256 * 400, batch_size=256, ema_half_life=5_000, **QUIET
    )
    rng = torch.Generator().manual_seed(1)
    for time in (0.1, 0.5, 0.9):
        mean, std = TRUTH.marginal(time)
        points, times = mean + std * torch.randn(500, 2, generator=rng), torch.full((500,), time)
        with torch.no_grad():
            error = (run.average.velocity(points, times) - TRUTH.velocity(points, times)).square().mean()
        assert error < 0.05
    made = sample(run.average, 4_000)
    torch.testing.assert_close(made.mean(0), TRUTH.mean, atol=0.12, rtol=0)
    torch.testing.assert_close(made.std(0), TRUTH.std, atol=0.12, rtol=0.1)


@pytest.mark.slow
def test_it_learns_a_ring_of_eight():
    density = ring()
    torch.manual_seed(0)
    velocity = GaussianCorrected(mlp_velocity((2,), 64), torch.full((2,), 1.4))
    trained = FlowMatching(velocity, (2,), lr=2e-3, steps=32)
    run = train(trained, density.sample, images=256 * 2_000, batch_size=256, ema_half_life=20_000, **QUIET)
    made = sample(run.average, 2_000)
    distances = torch.cdist(made, density.modes)
    assert (distances.min(1).values < 0.5).float().mean() > 0.8
    assert (distances.argmin(1).bincount(minlength=8) > 100).all()


def test_snapshots_are_what_the_average_makes_of_the_same_latents():
    run = train(model(), gaussian_points, **SHORT)
    seen, made = run.snapshots[-1]
    assert seen == 640
    latents = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(made, run.average(latents))


def test_stop_and_resume_is_the_same_as_going_on(tmp_path):
    def trained(*lengths):
        for images in lengths:
            run = train(
                model(),
                gaussian_points,
                checkpoint=tmp_path / f"{len(lengths)}.pt",
                resume=True,
                **{**SHORT, "images": images, "snapshot_every": 64},
            )
        return run

    straight, stopped = trained(640), trained(192, 640)
    assert straight.history["flow_matching_loss"] == stopped.history["flow_matching_loss"]
    assert torch.equal(weights(straight.average), weights(stopped.average))


OTHERS = {
    "sample_shape": None,
    "bounded": True,
    "steps": 5,
    "method": "euler",
    "lr": 2e-3,
    "betas": (0.5, 0.9),
}


@pytest.mark.parametrize("name", [name for name, other in OTHERS.items() if other is not None])
def test_a_run_with_another_setting_is_refused_by_name(tmp_path, name):
    path = tmp_path / "run.pt"
    train(model(), gaussian_points, checkpoint=path, **SHORT)
    with pytest.raises(ValueError, match=rf"run\.pt was made with {name}=.*, this run has {name}=.*"):
        train(model(**{name: OTHERS[name]}), gaussian_points, checkpoint=path, resume=True, **SHORT)


def test_every_setting_is_among_those_that_are_compared():
    assert set(model().settings) == set(OTHERS)


def test_a_copy_trains_apart_from_the_original():
    original = model(steps=3)
    twin, before = original.copy(), weights(original.flow)
    machine = Machine("cpu", batch_size=8)
    twin.prepare(machine)
    twin.training_step(lambda: machine.draw(gaussian_points), machine)
    assert twin.steps == 3
    assert torch.equal(before, weights(original.flow)) and not torch.equal(before, weights(twin.flow))


def test_images_are_bounded_and_points_are_not():
    assert FlowMatching(mlp_velocity((1, 4, 4)), (1, 4, 4)).flow.bounded
    assert not model().flow.bounded


def test_shapes_that_do_not_fit_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"sample_shape is \(3,\), but draw_real returns samples of \(2,\)"):
        train(FlowMatching(mlp_velocity((3,)), (3,)), gaussian_points, **SHORT)
    with pytest.raises(ValueError, match=r"noise must have the samples' shape \(4, 2\)"):
        flow_matching_loss(TRUTH.velocity, torch.zeros(4, 2), torch.zeros(4, 1), torch.zeros(4))
    with pytest.raises(ValueError, match=r"and times \(4,\), got .* \(4, 1\)"):
        flow_matching_loss(TRUTH.velocity, torch.zeros(4, 2), torch.zeros(4, 2), torch.zeros(4, 1))
