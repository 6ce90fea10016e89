"""Latents by search against least squares; a round with an encoder against the course's own loop."""

import copy

import torch
from torch import nn

from course_utils.losses import LOSSES, exchanged
from course_utils.training import GAN, bidirectional
from course_utils.training.inverse import bidirectional_round, nearest_latents
from course_utils.training.machine import Machine


def test_of_a_linear_generator_the_search_finds_the_least_squares_solution():
    rng = torch.Generator().manual_seed(0)
    generator = nn.Linear(3, 8)
    images, start = torch.randn(5, 8, generator=rng), torch.randn(5, 3, generator=rng)
    with torch.no_grad():
        right = torch.linalg.lstsq(generator.weight, (images - generator.bias).T).solution.T
    before = start.clone()
    found = nearest_latents(generator, images, start, 2_000, 0.02)
    assert torch.allclose(found, right, atol=1e-2)
    assert torch.equal(start, before) and not found.requires_grad
    assert generator.weight.grad is None  # the generator's weights get no gradients
    assert torch.equal(nearest_latents(generator, images, start, 0, 0.02), start)


class Pairs(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(6, 1)

    def forward(self, images, latents):
        return self.net(torch.cat([images, latents], 1)).flatten()


class Players(nn.Module):
    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.generator, self.encoder = nn.Linear(2, 4), nn.Linear(4, 2)

    def forward(self, latents):
        return self.generator(latents)

    def encode(self, images):
        return self.encoder(images)


def test_a_round_moves_all_three_networks_as_the_loop_does():
    torch.manual_seed(0)
    players, discriminator = Players(), Pairs()
    mine = copy.deepcopy((players, discriminator))
    machine = Machine(batch_size=8, device="cpu", precision="float32", threads=1, seed=0)
    gan = GAN(players, discriminator, loss=exchanged(LOSSES["non_saturating"]), shown=bidirectional)
    gan.prepare(machine)
    images = torch.randn(8, 4, generator=torch.Generator().manual_seed(1))
    state = machine.rng.get_state()
    numbers = gan.training_step(lambda: (images,), machine)
    machine.rng.set_state(state)
    adam = {"lr": 2e-3, "betas": (0.0, 0.99)}
    losses = bidirectional_round(
        mine[0].generator,
        mine[0].encoder,
        mine[1],
        torch.optim.Adam(mine[0].parameters(), **adam),
        torch.optim.Adam(mine[1].parameters(), **adam),
        images,
        machine.latents(2),
    )
    assert torch.allclose(losses[0], numbers["discriminator_loss"])
    assert torch.allclose(losses[1], numbers["generator_loss"])
    for one, other in zip((players, discriminator), mine, strict=True):
        for weight, same in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.allclose(weight, same, atol=1e-6)
