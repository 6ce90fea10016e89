"""What people run today: each configuration as it was published, in code of our own.

Architectures, losses, optimisers, batch and image sizes, initial weights and the order of the steps are facts
taken from the sources named. To add a competitor, write one function that builds it, and list it in PEERS.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

Step = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]  # (real, rng) -> both losses


class Peer(NamedTuple):
    """A published configuration. `build()` returns a generator with `latent_dim`, a discriminator, a step."""

    label: str  # in tables and pictures
    source: str  # whose it is, and where it stands
    data: str  # "mnist" or "cifar10"
    batch_size: int  # real images in one step
    image_size: int  # height and width of the images that its networks see
    build: Callable[[], tuple[nn.Module, nn.Module, Step]]


def tensorflow_dcgan() -> tuple[nn.Module, nn.Module, Step]:
    """Keras's defaults belong to it: Glorot's weights, slope 0.3, slow batch statistics (0.99).

    Both gradients are taken before either network moves. Of an odd padding, TensorFlow puts the larger half
    behind, PyTorch before.
    """
    normalised = {"momentum": 0.01, "eps": 1e-3}
    generator = nn.Sequential(
        nn.Linear(100, 7 * 7 * 256, bias=False),
        nn.BatchNorm1d(7 * 7 * 256, **normalised),
        nn.LeakyReLU(0.3),
        nn.Unflatten(1, (256, 7, 7)),
        nn.ConvTranspose2d(256, 128, 5, padding=2, bias=False),
        nn.BatchNorm2d(128, **normalised),
        nn.LeakyReLU(0.3),
        nn.ConvTranspose2d(128, 64, 5, stride=2, padding=2, output_padding=1, bias=False),
        nn.BatchNorm2d(64, **normalised),
        nn.LeakyReLU(0.3),
        nn.ConvTranspose2d(64, 1, 5, stride=2, padding=2, output_padding=1, bias=False),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 5, stride=2, padding=2),
        nn.LeakyReLU(0.3),
        nn.Dropout(0.3),
        nn.Conv2d(64, 128, 5, stride=2, padding=2),
        nn.LeakyReLU(0.3),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(7 * 7 * 128, 1),
        nn.Flatten(0),
    )
    for layer in (*generator, *discriminator):
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    generator.latent_dim = 100
    generator_optimizer = torch.optim.Adam(generator.parameters(), 1e-4, eps=1e-7)
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), 1e-4, eps=1e-7)

    def step(real: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        fake = generator(latents(len(real), 100, rng))
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        generator_loss = F.softplus(-fake_logits).mean()
        discriminator_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        generator_gradients = torch.autograd.grad(
            generator_loss, list(generator.parameters()), retain_graph=True
        )
        discriminator_gradients = torch.autograd.grad(discriminator_loss, list(discriminator.parameters()))
        move(generator, generator_gradients, generator_optimizer)
        move(discriminator, discriminator_gradients, discriminator_optimizer)
        return discriminator_loss, generator_loss

    return generator, discriminator, step


def pytorch_examples_dcgan() -> tuple[nn.Module, nn.Module, Step]:
    """64×64, probabilities and binary cross-entropy; D's step, then G's on the same fakes."""
    channels = (100, 512, 256, 128, 64)
    layers = [nn.Unflatten(1, (100, 1, 1))]
    for index in range(4):
        stride, padding = (1, 0) if index == 0 else (2, 1)
        layers += [
            nn.ConvTranspose2d(channels[index], channels[index + 1], 4, stride, padding, bias=False),
            nn.BatchNorm2d(channels[index + 1]),
            nn.ReLU(),
        ]
    generator = nn.Sequential(*layers, nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh())
    layers = [nn.Conv2d(1, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for width in (64, 128, 256):
        layers += [
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
        ]
    discriminator = nn.Sequential(*layers, nn.Conv2d(512, 1, 4, bias=False), nn.Sigmoid(), nn.Flatten(0))
    dcgan_weights(generator), dcgan_weights(discriminator)
    generator.latent_dim = 100
    generator_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))

    def step(real: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        discriminator_optimizer.zero_grad()
        real_loss = cross_entropy(discriminator(real), 1)
        real_loss.backward()
        fake = generator(latents(len(real), 100, rng))
        fake_loss = cross_entropy(discriminator(fake.detach()), 0)
        fake_loss.backward()
        discriminator_optimizer.step()
        generator_optimizer.zero_grad()
        generator_loss = cross_entropy(discriminator(fake), 1)
        generator_loss.backward()
        generator_optimizer.step()
        return real_loss + fake_loss, generator_loss

    return generator, discriminator, step


def pytorch_gan_dcgan() -> tuple[nn.Module, nn.Module, Step]:
    """32×32; G moves first, D second, on half its loss. `BatchNorm2d(c, 0.8)` sets ε, not the momentum."""
    generator = nn.Sequential(
        nn.Linear(100, 128 * 8 * 8),
        nn.Unflatten(1, (128, 8, 8)),
        nn.BatchNorm2d(128),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(128, 128, 3, padding=1),
        nn.BatchNorm2d(128, eps=0.8),
        nn.LeakyReLU(0.2),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(128, 64, 3, padding=1),
        nn.BatchNorm2d(64, eps=0.8),
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 3, padding=1),
        nn.Tanh(),
    )
    layers, inputs = [], 1
    for width in (16, 32, 64, 128):
        layers += [nn.Conv2d(inputs, width, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)]
        if width > 16:
            layers += [nn.BatchNorm2d(width, eps=0.8)]
        inputs = width
    discriminator = nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(128 * 2 * 2, 1), nn.Sigmoid(), nn.Flatten(0)
    )
    dcgan_weights(generator), dcgan_weights(discriminator)
    generator.latent_dim = 100
    return generator, discriminator, generator_first(generator, discriminator)


def mlp_gan() -> tuple[nn.Module, nn.Module, Step]:
    """The source's settings, PyTorch's own initialisation. Its layers are wider than these 128."""
    generator = nn.Sequential(
        nn.Linear(100, 128),
        nn.LeakyReLU(0.2),
        nn.Linear(128, 128),
        nn.BatchNorm1d(128, eps=0.8),
        nn.LeakyReLU(0.2),
        nn.Linear(128, 784),
        nn.Tanh(),
        nn.Unflatten(1, (1, 28, 28)),
    )
    discriminator = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 128),
        nn.LeakyReLU(0.2),
        nn.Linear(128, 128),
        nn.LeakyReLU(0.2),
        nn.Linear(128, 1),
        nn.Sigmoid(),
        nn.Flatten(0),
    )
    generator.latent_dim = 100
    return generator, discriminator, generator_first(generator, discriminator)


def generator_first(generator: nn.Module, discriminator: nn.Module) -> Step:
    """PyTorch-GAN's step: G moves, then D on the same fakes and half its loss."""
    generator_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))

    def step(real: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        generator_optimizer.zero_grad()
        fake = generator(latents(len(real), 100, rng))
        generator_loss = cross_entropy(discriminator(fake), 1)
        generator_loss.backward()
        generator_optimizer.step()
        discriminator_optimizer.zero_grad()
        real_loss = cross_entropy(discriminator(real), 1)
        fake_loss = cross_entropy(discriminator(fake.detach()), 0)
        discriminator_loss = (real_loss + fake_loss) / 2
        discriminator_loss.backward()
        discriminator_optimizer.step()
        return discriminator_loss, generator_loss

    return step


def sn_cnn() -> tuple[nn.Module, nn.Module, Step]:
    """Hinge loss; one step of D for one of G, which has twice the batch; real pixels get a little noise.

    The learning rates fall to 0 in 100,000 steps.
    """
    layers, width = [], 512
    for _ in range(3):
        layers += [
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1),
        ]
        width //= 2
    generator = nn.Sequential(
        nn.Linear(100, 512 * 4 * 4),
        nn.Unflatten(1, (512, 4, 4)),
        *layers,
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 3, 3, padding=1),
        nn.Tanh(),
    )
    layers = [nn.Conv2d(3, 64, 3, padding=1), nn.LeakyReLU(0.1)]
    for width in (64, 128, 256):
        layers += [
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.LeakyReLU(0.1),
        ]
    discriminator = nn.Sequential(*layers, nn.Flatten(), nn.Linear(512 * 4 * 4, 1), nn.Flatten(0))
    for layer in (*generator, *discriminator):
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
    for layer in discriminator:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            spectral_norm(layer)
    generator.latent_dim = 100
    generator_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.0, 0.9))
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.0, 0.9))
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / 100_000)
        for optimizer in (generator_optimizer, discriminator_optimizer)
    ]

    def step(real: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            fake = generator(latents(len(real), 100, rng))
        noise = torch.rand(real.shape, generator=rng, device=real.device) / 128
        discriminator_loss = F.relu(1 - discriminator(real + noise)).mean()
        discriminator_loss = discriminator_loss + F.relu(1 + discriminator(fake)).mean()
        discriminator_optimizer.zero_grad()
        discriminator_loss.backward()
        discriminator_optimizer.step()
        generator_loss = -discriminator(generator(latents(2 * len(real), 100, rng))).mean()
        generator_optimizer.zero_grad()
        generator_loss.backward()
        generator_optimizer.step()
        for schedule in schedules:
            schedule.step()
        return discriminator_loss, generator_loss

    return generator, discriminator, step


def latents(n: int, size: int, rng: torch.Generator) -> Tensor:
    return torch.randn(n, size, generator=rng, device=rng.device)


def cross_entropy(probabilities: Tensor, label: int) -> Tensor:
    return F.binary_cross_entropy(probabilities, torch.full_like(probabilities, label))


def move(network: nn.Module, gradients: tuple[Tensor, ...], optimizer: torch.optim.Optimizer) -> None:
    for weight, gradient in zip(network.parameters(), gradients, strict=True):
        weight.grad = gradient
    optimizer.step()


def dcgan_weights(network: nn.Sequential) -> None:
    """Convolutions N(0, 0.02²), batch normalisation N(1, 0.02²); all else stays PyTorch's own."""
    for layer in network:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)


PEERS = {
    "tensorflow": Peer(
        "TensorFlow tutorial's DCGAN",
        "The TensorFlow Authors, tensorflow/docs, site/en/tutorials/generative/dcgan.ipynb, "
        "https://www.tensorflow.org/tutorials/generative/dcgan",
        "mnist",
        256,
        28,
        tensorflow_dcgan,
    ),
    "pytorch_examples": Peer(
        "pytorch/examples DCGAN",
        "PyTorch, https://github.com/pytorch/examples, dcgan/main.py, with --dataset mnist",
        "mnist",
        64,
        64,
        pytorch_examples_dcgan,
    ),
    "pytorch_gan": Peer(
        "PyTorch-GAN DCGAN",
        "Erik Linder-Norén, https://github.com/eriklindernoren/PyTorch-GAN, implementations/dcgan/dcgan.py",
        "mnist",
        64,
        32,
        pytorch_gan_dcgan,
    ),
    "mlp": Peer(
        "MLP GAN 784-128-128",
        "Erik Linder-Norén, https://github.com/eriklindernoren/PyTorch-GAN, implementations/gan/gan.py, "
        "with two hidden layers of 128",
        "mnist",
        64,
        28,
        mlp_gan,
    ),
    "sn_cnn": Peer(
        "pytorch-gan-collections SN-CNN",
        "Yi-Lun Wu, https://github.com/w86763777/pytorch-gan-collections, configs/SNGAN_CIFAR10_CNN.txt",
        "cifar10",
        128,
        32,
        sn_cnn,
    ),
}
