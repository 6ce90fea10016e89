"""Notebook 06's checkers, with right answers, right ones in another form, stubs, and typical mistakes."""

import pytest
import torch
from torch import nn

from course_utils.checks import run_check
from course_utils.models import largest_singular_value
from course_utils.training import augmentation


def stub(*_):
    raise NotImplementedError("your code here")


def is_wrong(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower(), verdict


@pytest.mark.parametrize("number", ["6.1", "6.2", "6.4", "6.5", "6.6"])
def test_an_untouched_stub_is_not_attempted(number):
    assert run_check(number, stub).status == "not attempted"


def test_an_unanswered_prediction_is_not_attempted():
    assert run_check("6.3", ...).status == "not attempted"


# --- 6.1: the side of the picture --------------------------------------------------------------------------


def side_by(layer, which=lambda layers: layers):
    def final_side(start, layers):
        for description in which(layers):
            start = layer(start, *description)
        return start

    return final_side


def right_layer(n, k, s, p, o):
    return (n - 1) * s + k - 2 * p + o


def three_layers(start, layers):
    first, second, third = layers
    return side_by(right_layer)(start, [first, second, third])


def by_pytorch(start, layers):
    maps = torch.zeros(1, 1, start)
    for layer in layers:
        maps = nn.ConvTranspose1d(1, 1, *layer)(maps)
    return torch.tensor(maps.shape[-1])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (side_by(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p), "`output_padding` is missing"),
        (side_by(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + 2 * o), "at one end only"),
        (side_by(lambda n, k, s, p, o: (n - 1) * s + k - p + o), "both ends, not at one"),
        (side_by(lambda n, k, s, p, o: n * s), "multiplies the strides"),
        (side_by(lambda n, k, s, p, o: n * s + k - 2 * p + o), "one stride too many"),
        (side_by(lambda n, k, s, p, o: (n + 2 * p - k) // s + 1), "ordinary convolutions"),
        (side_by(right_layer, lambda layers: layers[:1]), "after the first layer"),
        (side_by(right_layer, lambda layers: layers[-1:]), "the last layer was given"),
        (lambda start, layers: 16, "does not change when the arguments do"),
        (side_by(right_layer, lambda layers: layers[::-1]), "from the last to the first"),
        (side_by(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p * s + o), "look at `padding`"),
        (three_layers, "however long it is"),
        (side_by(right_layer, lambda layers: layers[:3]), "however long it is"),
        (lambda start, layers: None, "None"),
    ],
)
def test_mistakes_about_sides_are_told_apart(answer, words):
    is_wrong("6.1", answer, words)


# --- 6.2: the fixed generator -----------------------------------------------------------------------------


def generator(strides=(2, 2, 2), start=4, added=None, channels=3, ending=nn.Tanh, middle=64):
    added = [stride - 1 for stride in strides] if added is None else added
    sizes = [256, 128, middle, channels]
    layers = [nn.Linear(100, 256 * start * start), nn.Unflatten(1, (256, start, start))]
    for (inputs, outputs), stride, extra in zip(
        [(256, 128), (128, 64), (64, sizes[3])], strides, added, strict=True
    ):
        layers += [nn.BatchNorm2d(inputs), nn.LeakyReLU(0.2)]
        layers += [nn.ConvTranspose2d(inputs, outputs, 5, stride, padding=2, output_padding=extra)]
    return nn.Sequential(*layers, ending())


def by_four():
    layers = [nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in [(256, 128), (128, 64), (64, 3)]]
    return nn.Sequential(nn.Linear(100, 256 * 16), nn.Unflatten(1, (256, 4, 4)), *layers, nn.Tanh())


class Painter(nn.Module):
    """Pictures that have nothing to do with the latents, by three transposed convolutions all the same."""

    def __init__(self):
        super().__init__()
        self.layers = by_four()

    def forward(self, latents):
        return self.layers(torch.randn(latents.shape))


class Shouting(nn.Module):
    def forward(self, images):
        return 100 * images


def test_a_right_generator_is_not_told_sizes_that_it_may_not_have():
    message = run_check("6.2", lambda: generator(strides=(1, 2, 4))).message
    assert "32×32" in message and "8" not in message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: generator(strides=(1, 2, 2)), "still 16×16"),
        (lambda: generator(added=(0, 0, 0)), "one pixel short"),
        (lambda: generator(added=(0, 1, 1)), "number 1 makes 7 of 4, one pixel short"),
        (lambda: generator(added=(1, 0, 1)), "number 2 makes 15 of 8, one pixel short"),
        (lambda: generator(strides=(1, 2, 2), start=8), "start of 256 maps of 4×4"),
        (
            lambda: nn.Sequential(generator(strides=(1, 2, 2)), nn.ConvTranspose2d(3, 3, 2, 2), nn.Tanh()),
            "keep the three",
        ),
        (lambda: generator().requires_grad_(False), "left frozen"),
        (lambda: generator().eval(), "left in evaluation mode"),
        (Painter, "do not depend on the latents"),
        (lambda: generator(strides=(2, 2, 4), added=(1, 1, 3)), "the side is 64"),
        (
            lambda: nn.Sequential(generator(strides=(1, 2, 2)), nn.Upsample(scale_factor=2)),
            "stands there four times",
        ),
        (lambda: generator(ending=Shouting), "tanh"),
        (lambda: generator(ending=nn.Sigmoid), "below 0"),
        (lambda: generator(channels=1), "six colour pictures"),
        (lambda: nn.Sequential(nn.Linear(100, 3), nn.Linear(4, 3)), "fails on latents"),
        (lambda: "nonsense", "return a network"),
        (lambda: None, "None"),
    ],
)
def test_mistakes_in_mending_are_told_apart(answer, words):
    is_wrong("6.2", answer, words)


# --- 6.3: the prediction -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "words"), [("a", "other layer"), ("b", "smooths"), ("d", "noise"), ("x", "Answer with")]
)
def test_each_other_prediction_has_its_own_answer(letter, words):
    is_wrong("6.3", letter, words)


# --- 6.4: mirrored images ----------------------------------------------------------------------------------


def coins(images, rng, fraction=0.5):
    return torch.rand(len(images), 1, 1, 1, generator=rng) < fraction


def by_index(images, rng):
    chosen = torch.rand(len(images), generator=rng) < 0.5
    result = images.clone()
    result[chosen] = images[chosen].flip(-1)
    return result


def one_by_one(images, rng):
    coins = [torch.rand(1, generator=rng) < 0.5 for _ in images]
    return torch.stack([image.flip(2) if coin else image for image, coin in zip(images, coins, strict=True)])


def with_a_history_of_its_own(images, rng):
    return augmentation.flip(images, rng).detach().requires_grad_()


def exactly_half(images, rng):
    chosen = torch.randperm(len(images), generator=rng)[: len(images) // 2]
    result = images.clone()
    result[chosen] = images[chosen].flip(3)
    return result


def in_place(images, rng):
    chosen = coins(images, rng).flatten()
    images.data[chosen] = images.data[chosen].flip(3)
    return images


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, rng: torch.where(coins(x, rng), x.flip(2), x), "upside down"),
        (lambda x, rng: torch.where(coins(x, rng), x.flip(1), x), "channels"),
        (lambda x, rng: torch.where(coins(x, rng), x.flip(2, 3), x), "180°"),
        (lambda x, rng: torch.where(coins(x, rng), x.flip(0), x), "*batch*"),
        (lambda x, rng: x.flip(3), "all images are mirrored"),
        (lambda x, rng: x.flip(3) if torch.rand(1, generator=rng) < 0.5 else x, "one coin"),
        (lambda x, rng: x.flip(3) if torch.rand(1, generator=rng) > 0.5 else x, "one coin"),
        (lambda x, rng: torch.where(coins(x, rng), x.flip(3), x).double(), "float64"),
        (lambda x, rng: x, "no image has changed"),
        (lambda x, rng: torch.where(coins(x, rng, 0.1), x.flip(3), x), "half of them"),
        (lambda x, rng: torch.where(coins(x, rng, 0.35), x.flip(3), x), "half of them"),
        (lambda x, rng: torch.where(coins(x, rng, 0.65), x.flip(3), x), "half of them"),
        (exactly_half, "coin"),
        (lambda x, rng: torch.where(coins(x, None), x.flip(3), x), "generator=rng"),
        (
            lambda x, rng: torch.where(coins(x, torch.Generator().manual_seed(3)), x.flip(3), x),
            "another `rng`",
        ),
        (lambda x, rng: torch.where(coins(x, rng), x.flip(3), x).detach(), "history"),
        (with_a_history_of_its_own, "does not come back to the pixels"),
        (lambda x, rng: torch.where(torch.rand(x.shape, generator=rng) < 0.5, x.flip(3), x), "each *pixel*"),
        (in_place, "changed the images"),
        (lambda x, rng: torch.where(coins(x, rng), x.flip(3), x)[:10], "shape"),
        (lambda x, rng: None, "None"),
        (lambda x, rng: "nonsense", "return a tensor"),
    ],
)
def test_mistakes_in_mirroring_are_told_apart(answer, words):
    is_wrong("6.4", answer, words)


# --- 6.5: power iteration ----------------------------------------------------------------------------------


def iterate(weight, steps, final=lambda weight, u, v: u @ weight @ v, start=torch.randn, back=torch.t):
    v = start(weight.shape[1])
    for _ in range(steps):
        u = weight @ v
        u = u / u.norm()
        v = back(weight) @ u
        v = v / v.norm()
    return final(weight, u, v)


def forth_and_forth(weight):
    """The mistake W u for Wᵀ u, where the shapes let it pass."""
    return weight if weight.shape[0] == weight.shape[1] else weight.T


def without_division(weight, steps):
    v = torch.randn(weight.shape[1])
    for _ in range(steps):
        v = weight.T @ (weight @ v)
    return (weight @ v).norm() / v.norm()


def first_unit_vector(size):
    return torch.eye(size)[0]


def square_only(weight, steps):
    v = torch.ones(weight.shape[1])
    for _ in range(steps):
        v = weight @ v
        v = v / v.norm()
    return (weight @ v).norm()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda w, steps: iterate(w, steps) ** 2, "σ²"),
        (lambda w, steps: w.norm(), "Frobenius"),
        (lambda w, steps: torch.linalg.svdvals(w).sum(), "sum of all singular values"),
        (lambda w, steps: (w @ torch.randn(w.shape[1])).norm() / 2, "two random starts"),
        (lambda w, steps: iterate(w, steps).reshape(1, 1), "`.squeeze()`"),
        (lambda w, steps: w.abs().max(), "largest entry"),
        (lambda w, steps: torch.linalg.svdvals(w)[-1], "smallest"),
        (lambda w, steps: iterate(w, steps, lambda w, u, v: v.norm()), "just divided by its length"),
        (lambda w, steps: torch.linalg.svdvals(w)[0], "after a single step"),
        (lambda w, steps: torch.linalg.eigvalsh(w @ w.T)[-1].sqrt(), "after a single step"),
        (lambda w, steps: iterate(w, 200), "after a single step"),
        (lambda w, steps: iterate(w, steps, start=torch.ones), "*random* v"),
        (lambda w, steps: iterate(w, steps, start=first_unit_vector), "*random* v"),
        (lambda w, steps: iterate(w, steps, back=forth_and_forth), "way back"),
        (without_division, "beyond all bounds"),
        (lambda w, steps: w.abs().sum(1).max(), "row sum"),
        (lambda w, steps: iterate(w, 1), "all `steps`"),
        (square_only, "shapes do not fit"),
        (lambda w, steps: -iterate(w, steps), "turned in its sign"),
        (lambda w, steps: iterate(w, steps) if w.shape[0] == 12 else w[0, 0], "never negative"),
        (lambda w, steps: torch.linalg.svdvals(w), "single number"),
        (lambda w, steps: iterate(w, steps) * float("nan"), "not a number"),
        (lambda w, steps: None, "None"),
    ],
)
def test_mistakes_about_spectral_norms_are_told_apart(answer, words):
    is_wrong("6.5", answer, words)


# --- 6.6: a generator without a grid -----------------------------------------------------------------------


def own(doubled, *, ending=nn.Tanh, latent_dim=64, width=48):
    generator = nn.Sequential(
        nn.Linear(64, 2 * width * 64, bias=False),
        nn.Unflatten(1, (2 * width, 8, 8)),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        doubled(2 * width, width),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        doubled(width, 3),
        ending(),
    )
    if latent_dim:
        generator.latent_dim = latent_dim
    return generator


def interpolated(mode):
    return lambda inputs, outputs: nn.Sequential(
        nn.Upsample(scale_factor=2, mode=mode), nn.Conv2d(inputs, outputs, 3, padding=1)
    )


def shuffled(inputs, outputs, which=lambda weight: weight[::4].repeat_interleave(4, 0), bias=False):
    convolution = nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=bias)
    with torch.no_grad():
        convolution.weight.copy_(which(convolution.weight))
    return nn.Sequential(convolution, nn.PixelShuffle(2))


class Blur(nn.Module):
    def forward(self, maps):
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        kernel = (row[:, None] * row).expand(maps.shape[1], 1, 3, 3)
        return nn.functional.conv2d(maps, kernel, padding=1, groups=maps.shape[1])


def blurred(inputs, outputs):
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), Blur())


def stamped(inputs, outputs):
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)


def enlarged_last():
    generator = own(interpolated("bilinear"))
    generator[-2] = nn.Sequential(
        nn.Conv2d(48, 3, 3, padding=1), nn.Upsample(scale_factor=2, mode="bilinear")
    )
    return generator


def fully_connected():
    generator = nn.Sequential(nn.Linear(64, 3072), nn.Unflatten(1, (3, 32, 32)), nn.Tanh())
    generator.latent_dim = 64
    return generator


def with_an_idle_layer():
    generator = own(interpolated("bilinear"))
    generator.idle = nn.Linear(2, 2)
    generator.forward = lambda z: nn.Sequential(*list(generator)[:-1])(z)
    return generator


ALWAYS_THE_SAME = own(interpolated("bilinear"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: own(stamped), "stamps odd and even"),
        (lambda: own(lambda i, o: shuffled(i, o, lambda weight: weight)), "which four"),
        (
            lambda: own(lambda i, o: shuffled(i, o, lambda weight: weight[:o].repeat(4, 1, 1, 1))),
            "of colours",
        ),
        (lambda: own(lambda i, o: shuffled(i, o, bias=True)), "biases"),
        (lambda: own(interpolated("nearest")), "resize-convolution of the table"),
        (lambda: own(interpolated("bilinear"), latent_dim=None), "latent_dim"),
        (lambda: own(interpolated("bilinear"), ending=nn.Identity), "outside"),
        (lambda: own(interpolated("bilinear"), ending=nn.Sigmoid), "below 0"),
        (lambda: own(interpolated("bilinear"), width=96), "weights, and 600,000"),
        (lambda: own(interpolated("bilinear")).eval(), "evaluation mode"),
        (lambda: own(interpolated("bilinear")).requires_grad_(False), "frozen"),
        (lambda: ALWAYS_THE_SAME, "the same weights"),
        (enlarged_last, "no weights"),
        (fully_connected, "shared weights"),
        (with_an_idle_layer, "no part in the pictures"),
        (lambda: fixed_size(), "but give"),
        (lambda: None, "None"),
        (lambda: "nonsense", "return a network"),
    ],
)
def test_mistakes_about_grids_are_told_apart(answer, words):
    is_wrong("6.6", answer, words)


def fixed_size():
    generator = own(interpolated("bilinear"))
    generator[4] = nn.Conv2d(96, 48, 3, padding=1)
    return generator


# --- right answers, in several forms; `test_mutations.py` reads them, too ----------------------------------

RIGHT = [
    ("6.1", side_by(right_layer)),
    ("6.1", by_pytorch),
    ("6.2", generator),
    ("6.2", by_four),
    ("6.3", "c"),
    ("6.3", " C "),
    ("6.4", augmentation.flip),
    ("6.4", by_index),
    ("6.4", one_by_one),
    ("6.4", lambda x, rng: torch.lerp(x, x.flip(3), coins(x, rng).float())),
    ("6.5", iterate),
    ("6.5", lambda weight, steps: iterate(weight, steps, lambda weight, u, v: (weight @ v).norm().item())),
    ("6.5", lambda weight, steps: iterate(weight, steps, start=torch.rand)),
    ("6.5", largest_singular_value),
    ("6.6", lambda: own(interpolated("bilinear"))),
    ("6.6", lambda: own(shuffled)),
    ("6.6", lambda: own(blurred)),
    ("6.6", lambda: own(interpolated("bicubic"))),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass_in_every_form(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict
