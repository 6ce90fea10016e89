"""The VAE on the loop: the step written out, what it learns, β, warm-up, stop and resume."""

import copy

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from course_utils.likelihoods import BERNOULLI, gaussian
from course_utils.metrics import elbo
from course_utils.models import conv_decoder, conv_encoder, mlp_decoder, mlp_encoder, sample
from course_utils.theory import LinearGaussian
from course_utils.training import VAE, train
from course_utils.training.machine import Machine

QUIET = {"progress": False, "device": "cpu", "threads": 1}
SHORT = {"images": 640, "batch_size": 32, "snapshot_every": 320, "snapshot_samples": 8, **QUIET}
CENTRES = torch.tensor([[-1.0] * 8 + [1.0] * 8, [1.0] * 8 + [-1.0] * 8, [1.0, -1.0] * 8, [-1.0] * 16])


def four_patterns(n, rng):
    """One of four binary images of 4×4, with every pixel flipped with probability 0.05."""
    chosen = CENTRES[torch.randint(4, (n,), generator=rng)]
    return (chosen * (1 - 2 * (torch.rand(n, 16, generator=rng) < 0.05).float())).view(n, 1, 4, 4)


def networks(latent_dim: int = 2, seed: int = 0) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(seed)
    shape = (1, 4, 4)
    return mlp_encoder(shape, latent_dim, (32,)), mlp_decoder(shape, latent_dim, (32,))


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([tensor.double().flatten() for tensor in network.state_dict().values()])


@pytest.mark.parametrize(("beta", "warm_up"), [(1.0, 0), (4.0, 0), (2.0, 64)])
def test_three_steps_are_the_algorithm_written_out(beta, warm_up):
    """Same draws, same numbers, same weights as a loop in plain torch with torch.distributions."""
    encoder, decoder = networks()
    plain = nn.ModuleList(copy.deepcopy((encoder, decoder)))
    model = VAE(encoder, decoder, beta=beta, warm_up=warm_up)
    run = train(model, four_patterns, **{**SHORT, "images": 96})

    adam = torch.optim.Adam(plain.parameters(), 1e-3)
    rng = torch.Generator().manual_seed(0)
    torch.randn(8, 2, generator=rng)  # the snapshots' latents
    for step in range(3):
        images, noise = four_patterns(32, rng), torch.randn(32, 2, generator=rng)
        mean, log_variance = plain[0](images).unbind(1)
        q = Independent(Normal(mean, (log_variance / 2).exp()), 1)
        logits = plain[1](mean + (log_variance / 2).exp() * noise)
        distortion = -Independent(Bernoulli(logits=logits), 3).log_prob((images + 1) / 2).mean()
        rate = kl_divergence(q, Independent(Normal(torch.zeros(2), torch.ones(2)), 1)).mean()
        adam.zero_grad()
        (distortion + (min(1, 32 * step / warm_up) if warm_up else 1) * beta * rate).backward()
        adam.step()
        assert run.history["distortion"][step] == pytest.approx(distortion.item(), rel=1e-5)
        assert run.history["rate"][step] == pytest.approx(rate.item(), rel=1e-4)
        assert run.history["negative_elbo"][step] == pytest.approx((distortion + rate).item(), rel=1e-5)
    torch.testing.assert_close(weights(model.autoencoder), weights(plain), rtol=1e-4, atol=1e-6)


def test_it_learns_the_four_patterns_to_within_a_nat_of_their_entropy():
    """log 4 + 16·H(0.05) = 4.56 nats is the entropy of the data: no code is shorter on average."""
    run = train(VAE(*networks()), four_patterns, images=64_000, batch_size=64, **QUIET)
    images = four_patterns(1_000, torch.Generator().manual_seed(1))
    measured = elbo(run.average, images)
    flip = Bernoulli(0.05).entropy().item()
    entropy = torch.tensor(4.0).log().item() + 16 * flip
    assert entropy - 4 * measured.standard_error < measured.negative < entropy + 1
    near = (sample(run.average, 200).sign().flatten(1) @ CENTRES.T).max(1).values == 16
    assert near.float().mean() > 0.8


def test_a_larger_beta_buys_a_lower_rate_with_a_higher_distortion():
    measured = []
    for beta in (0.3, 1.0, 3.0):
        run = train(VAE(*networks(), beta=beta), four_patterns, images=32_000, batch_size=64, **QUIET)
        measured.append(elbo(run.average, four_patterns(1_000, torch.Generator().manual_seed(1)), draws=4))
    rates, distortions = [each.rate for each in measured], [each.distortion for each in measured]
    assert rates[0] > rates[1] + 0.2 and rates[1] > rates[2] + 0.2
    assert distortions[0] < distortions[1] - 0.1 and distortions[1] < distortions[2] - 0.1


def test_a_linear_vae_reaches_the_exact_evidence_of_its_own_decoder():
    """A linear decoder makes a linear-Gaussian model; a linear encoder can hold its posterior's mean."""
    truth = LinearGaussian(torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), torch.zeros(3), 0.2)
    torch.manual_seed(0)
    model = VAE(mlp_encoder((3,), 2, ()), mlp_decoder((3,), 2, ()), likelihood=gaussian(0.2), lr=1e-2)
    run = train(model, truth.sample, images=64_000, batch_size=64, **QUIET)
    layer = run.average.decoder[0]
    learnt = LinearGaussian(layer.weight, layer.bias, 0.2)
    samples = truth.sample(2_000, torch.Generator().manual_seed(1))
    measured = elbo(run.average, samples, gaussian(0.2), draws=16)
    exact, best = -learnt.log_evidence(samples).mean().item(), -truth.log_evidence(samples).mean().item()
    assert exact - 1e-4 < -learnt.elbo(samples, *run.average.encode(samples)).mean().item() < exact + 0.02
    assert abs(measured.negative - exact) < 0.05
    assert exact < best + 0.02


def test_the_average_holds_both_networks_and_snapshots_are_its_samples():
    run = train(VAE(*networks()), four_patterns, **SHORT)
    assert {name.split(".")[0] for name in run.average.state_dict()} == {"encoder", "decoder"}
    seen, images = run.snapshots[-1]
    assert seen == 640 and images.shape == (8, 1, 4, 4) and images.abs().max() <= 1
    latents = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(images, run.average(latents))


def test_stop_and_resume_is_the_same_as_going_on(tmp_path):
    def trained(*lengths):
        for images in lengths:
            run = train(
                VAE(*networks(), warm_up=400),
                four_patterns,
                checkpoint=tmp_path / f"{len(lengths)}.pt",
                resume=True,
                **{**SHORT, "images": images, "snapshot_every": 64},
            )
        return run

    straight, stopped = trained(640), trained(192, 640)
    assert straight.history["negative_elbo"] == stopped.history["negative_elbo"]
    assert torch.equal(weights(straight.average), weights(stopped.average))
    assert torch.equal(weights(straight.networks["autoencoder"]), weights(stopped.networks["autoencoder"]))


OTHERS = {
    "likelihood": [gaussian(0.1), gaussian(0.2)],
    "beta": [2.0],
    "warm_up": [100],
    "lr": [2e-3],
    "betas": [(0.5, 0.999)],
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_run_with_another_setting_is_refused_by_name(tmp_path, name):
    path = tmp_path / "run.pt"
    first, *others = [*OTHERS[name], None]
    train(VAE(*networks(), **{name: first}), four_patterns, checkpoint=path, **SHORT)
    for other in others:
        changed = {} if other is None else {name: other}
        with pytest.raises(ValueError, match=rf"run\.pt was made with {name}=.*, this run has {name}=.*"):
            train(VAE(*networks(), **changed), four_patterns, checkpoint=path, resume=True, **SHORT)


def test_every_setting_is_among_those_that_are_compared():
    assert set(VAE(*networks()).settings) == set(OTHERS)


def test_the_weight_of_the_rate_grows_in_a_straight_line():
    model = VAE(*networks(), beta=2.0, warm_up=100)
    assert [model.rate_weight(seen) for seen in (0, 25, 100, 1_000)] == [0, 0.5, 2, 2]
    assert VAE(*networks(), beta=3.0).rate_weight(0) == 3


def test_convolutional_networks_train_in_either_number_format():
    def draw(n, rng):
        return torch.randint(2, (n, 1, 8, 8), generator=rng).float() * 2 - 1

    finals = []
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        model = VAE(conv_encoder((1, 8, 8), 4, 4), conv_decoder((1, 8, 8), 4, 4))
        run = train(model, draw, precision=precision, **SHORT)
        finals.append(run.history["negative_elbo"][-1])
    assert finals[1] == pytest.approx(finals[0], rel=0.02)


def test_a_copy_trains_apart_from_the_original():
    model = VAE(*networks(), beta=2.0)
    twin, before = model.copy(), weights(model.autoencoder)
    machine = Machine("cpu", batch_size=8)
    twin.prepare(machine)
    twin.training_step(lambda: machine.draw(four_patterns), machine)
    assert twin.beta == 2.0 and twin.density == BERNOULLI
    assert torch.equal(before, weights(model.autoencoder))
    assert not torch.equal(before, weights(twin.autoencoder))


@pytest.mark.parametrize(
    ("encoder", "decoder", "message"),
    [
        (
            mlp_encoder((1, 4, 4), 3),
            mlp_decoder((1, 4, 4), 2),
            r"\(8, 2, 2\), got \(8, 2, 3\)",
        ),
        (mlp_encoder((1, 4, 4), 2)[:-1], mlp_decoder((1, 4, 4), 2), r"got \(8, 4\)"),
        (mlp_encoder((1, 4, 4), 2), mlp_decoder((16,), 2), r"and the decoder \(8, 16\)"),
        (mlp_encoder((1, 4, 4), 2), nn.Linear(2, 16), "the decoder needs an integer attribute latent_dim"),
    ],
)
def test_networks_that_do_not_fit_are_refused_before_the_first_step(encoder, decoder, message):
    with pytest.raises(ValueError if "attribute" not in message else TypeError, match=message):
        train(VAE(encoder, decoder), four_patterns, **SHORT)


@pytest.mark.parametrize("options", [{"beta": -1.0}, {"warm_up": -1}, {"lr": -1e-3}])
def test_settings_below_zero_are_refused(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be at least 0"):
        VAE(*networks(), **options)
