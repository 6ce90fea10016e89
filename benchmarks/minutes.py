"""What can a learner's few minutes bring in colour? Ways to spend them, at equal seconds of a processor:

python -m benchmarks.minutes                          # all of them, 150 seconds each
python -m benchmarks.minutes four_classes --seeds 0 1 2
python -m benchmarks.minutes --page                   # renews the table of docs/colour.md

The seconds are the process's own, on one thread, so that a busy machine disturbs little; scoring does not
count. Two classifiers score the samples against the test images of the classes that were trained on: the
course's, and the referee, by which nothing was chosen. Records go to benchmarks/results/minutes.json.
"""

import argparse
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import flops
from benchmarks.records import RESULTS, ROOT, add, circumstances, load
from benchmarks.report import spread, table
from course_utils import data
from course_utils.metrics import (
    agreement,
    classifier_score,
    diversity_within,
    feature_statistics,
    frechet_distance,
    in_batches,
    load_classifier,
)
from course_utils.metrics.referee import load_referee
from course_utils.models import load_generator, sample
from course_utils.models.residual import ClassBatchNorm, UpBlock
from course_utils.training import (
    CIFAR10_CLASSES,
    CIFAR10_DCGAN,
    GAN,
    Recipe,
    Run,
    train,
    train_for,
)
from tools.class_generator import real_images

FILE = RESULTS / "minutes.json"
PAGE = ROOT / "docs" / "colour.md"
BEGIN, END = "<!-- results: written by python -m benchmarks.minutes --page -->\n", "<!-- end of minutes -->\n"
TEN = tuple(range(10))
FOUR = (0, 1, 7, 8)  # airplane, automobile, horse, ship
MARKS = (0.2, 0.5, 1.0)  # of the seconds: where samples are scored
JUDGES = {"course": load_classifier, "referee": load_referee}


# --- the ways ----------------------------------------------------------------------------------------------


class SmallGenerator(nn.Module):
    """(z, y) → 16×16 pixels, enlarged to 32×32: `ResidualGenerator` without its second block."""

    def __init__(self, latent_dim: int = 64, classes: int = 10, widths: tuple[int, int] = (256, 128)):
        super().__init__()
        self.latent_dim = latent_dim
        self.label = nn.Embedding(classes, 32)
        self.first = nn.Linear(latent_dim + 32, widths[0] * 4 * 4)
        self.block = UpBlock(*widths, classes)
        self.norm = ClassBatchNorm(widths[1], classes)
        self.last = nn.Conv2d(widths[1], 4 * 3, kernel_size=3, padding=1)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Latents (N, latent_dim) and labels (N,) → images (N, 3, 32, 32) in [-1, 1]."""
        maps = self.first(torch.cat([latents, self.label(labels)], dim=1)).unflatten(1, (-1, 4, 4))
        maps = self.last(F.leaky_relu(self.norm(self.block(maps, labels), labels), 0.2))
        return enlarged(torch.tanh(F.pixel_shuffle(maps, 2)))


def enlarged(images: Tensor) -> Tensor:
    """(N, C, 16, 16) → (N, C, 32, 32), by straight lines between the pixels."""
    return F.interpolate(images, scale_factor=2, mode="bilinear")


def coarse(images: Tensor) -> Tensor:
    """The images as they are at 16×16 pixels, enlarged again."""
    return enlarged(F.avg_pool2d(images, 2))


def small_gan(seconds: float, seed: int) -> GAN:
    """The recipe of the classes, with a small generator; D sees coarse photographs."""
    gan = CIFAR10_CLASSES.gan()
    return GAN(SmallGenerator(), gan.discriminator, **CIFAR10_CLASSES.game)


def fine_tuned(seconds: float, seed: int) -> GAN:
    """From both networks as they are after the same seconds on all ten classes."""
    way = WAYS["ten_classes"]
    run = FINISHED.get((way.title, seconds, seed)) or trained(way, seconds, seed, None)[0]
    return GAN(run.average.requires_grad_(True), run.networks["discriminator"], **CIFAR10_CLASSES.game)


def from_shipped(seconds: float, seed: int) -> GAN:
    """From the generator that ships, and a D whose heads have learnt nothing."""
    gan = CIFAR10_CLASSES.gan()
    gan.generator.load_state_dict(load_generator("cifar10_classes").state_dict())
    return gan


class Way(NamedTuple):
    """A way to spend the seconds."""

    title: str
    recipe: Recipe
    classes: tuple[int, ...] = FOUR
    build: Callable[[float, int], GAN] | None = None  # (seconds, seed) -> the GAN; None: the recipe's own
    see: Callable[[Tensor], Tensor] | None = None  # what becomes of the photographs before D sees them


WAYS = {
    "ten_plain": Way("DCGAN, ten classes, none asked for", CIFAR10_DCGAN, TEN),
    "ten_classes": Way("frozen features, ten classes", CIFAR10_CLASSES, TEN),
    "four_classes": Way("frozen features, four classes", CIFAR10_CLASSES),
    "four_small": Way("four classes at 16×16, enlarged", CIFAR10_CLASSES, FOUR, small_gan, coarse),
    "fine_tuned": Way("four classes, from G and D of the row of ten", CIFAR10_CLASSES, FOUR, fine_tuned),
    "from_shipped": Way("four classes, from the G that ships", CIFAR10_CLASSES, FOUR, from_shipped),
}


FINISHED: dict[tuple[str, float, int], Run] = {}  # where another way may start


def trained(way: Way, seconds: float, seed: int, look: Callable[[Run, float], None] | None):
    """The run, and the seconds that it took."""
    torch.manual_seed(seed)
    gan = way.recipe.gan() if way.build is None else way.build(seconds, seed)
    run, spent = train_for(seconds, gan, sampler(way), look=look, every=10, seed=seed, **way.recipe.training)
    FINISHED[way.title, seconds, seed] = run
    return run, spent


def flop_per_image(way: Way) -> float:
    """Of a round, as `benchmarks.flops` counts; what a snapshot takes falls out."""

    def rounds(number: int) -> None:
        gan = small_gan(0, 0) if way.build is small_gan else way.recipe.gan()
        once = {"images": 64 * number, "snapshot_every": 64 * number, "snapshot_samples": 1}
        train(gan, sampler(way), device="cpu", threads=1, progress=False, **once, **way.recipe.training)

    return (flops.count(lambda: rounds(2)) - flops.count(lambda: rounds(1))) / 64


def sampler(way: Way) -> data.Sampler:
    """Draws photographs of the way's classes, with labels where its recipe asks for a class."""
    photographs = real_images("train")
    chosen = torch.isin(photographs.labels, torch.tensor(way.classes))
    images, labels = photographs.images[chosen], photographs.labels[chosen]
    draw = data.labelled_sampler(images, labels)
    if way.recipe is not CIFAR10_CLASSES:
        draw = data.image_sampler(images)
    return draw if way.see is None else seen(draw, way.see)


def seen(draw: data.Sampler, change: Callable[[Tensor], Tensor]) -> data.Sampler:
    """A sampler of changed images, with their labels."""

    def changed(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        images, labels = draw(n, rng)
        return change(images), labels

    return changed


# --- what it brought ---------------------------------------------------------------------------------------


@cache
def real_features(judge: str) -> tuple[Tensor, Tensor]:
    """Features of all test images, and their labels."""
    test = real_images("test")
    return in_batches(JUDGES[judge]("cifar10").features, data.to_model_range(test.images)), test.labels


def scores(images: Tensor, classes: tuple[int, ...], asked: Tensor | None) -> dict[str, dict[str, float]]:
    """{judge: scores} of the samples, against the test images of these classes.

    frechet, inception: the distance, and the analogue of the inception score.
    agreement, diversity: the fraction read as asked, and the spread within a class, where one was asked for.
    among: the fraction read as one of the classes.
    """
    found = {}
    for judge, load_judge in JUDGES.items():
        classifier, (real, labels) = load_judge("cifar10"), real_features(judge)
        of_these = torch.isin(labels, torch.tensor(classes))
        features = in_batches(classifier.features, images)
        with torch.no_grad():
            logits = classifier.head(features)
        found[judge] = {
            "frechet": frechet_distance(feature_statistics(real[of_these]), features),
            "inception": classifier_score(logits),
            "among": torch.isin(logits.argmax(1), torch.tensor(classes)).double().mean().item(),
        }
        if asked is not None:
            found[judge] |= {
                "agreement": agreement(logits, asked),
                "diversity": diversity_within(features, asked, real, labels),
            }
    return {judge: {name: round(value, 4) for name, value in one.items()} for judge, one in found.items()}


def measure(name: str, seconds: float, seed: int, samples: int = 2_000) -> dict:
    """Trains one way for so many seconds, and scores its samples on the way."""
    torch.set_num_threads(1)
    way, points = WAYS[name], []
    asked = torch.tensor(way.classes).repeat(-(-samples // len(way.classes)))[:samples]
    asked = asked if way.recipe is CIFAR10_CLASSES else None
    marks = [0.0] * (way.build in (fine_tuned, from_shipped)) + [mark * seconds for mark in MARKS]

    def look(run: Run, spent: float) -> None:
        if len(points) < len(marks) and spent >= marks[len(points)]:
            images = sample(run.average, samples, labels=asked, seed=12_345)
            found = scores(images, way.classes, asked)
            points.append({"cpu_seconds": round(spent, 1), "images": run.images_seen, **found})
            print(name, seed, points[-1], flush=True)

    run, spent = trained(way, seconds, seed, look)
    record = {"kind": "minutes", "name": name, "seed": seed, "samples": samples, "seconds": seconds}
    last = {"cpu_seconds": round(spent, 1), "images": run.images_seen}
    last["flop_per_image"] = flop_per_image(way)
    return {**record, **last, "points": points, **circumstances(torch.device("cpu"), quick=False)}


# --- the page ----------------------------------------------------------------------------------------------


def by_name(records: dict[str, dict]) -> dict[str, list[dict]]:
    """The records of each way that was measured, in the order of `WAYS`."""
    found = {name: [one for one in records.values() if one["name"] == name] for name in WAYS}
    return {name: some for name, some in found.items() if some}


def report(records: dict[str, dict]) -> str:
    """The table of docs/colour.md: medians, and ranges where there are several seeds."""
    rows = []
    for name, some in by_name(records).items():
        ends = [one["points"][-1] for one in some]
        cells = [spread([end["images"] for end in ends], lambda value: f"{value:,.0f}")]
        for score in ("frechet", "agreement", "diversity"):
            for judge in JUDGES:
                values = [end[judge].get(score) for end in ends]
                cells.append("" if values[0] is None else spread(values, lambda value: f"{value:.2f}"))
        rows.append((WAYS[name].title, *cells))
    whats = ("Fréchet distance", "read as asked", "spread within a class")
    head = [f"{what}{of}" for what in whats for of in ("", ", referee")]
    return table(("way", "images", *head), rows)


def with_table(page: str, records: dict[str, dict]) -> str:
    """The page with the records' table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{report(records)}\n\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *WAYS], metavar="NAME")
    parser.add_argument("--seconds", type=float, default=150, help="of the processor (150)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--page", action="store_true", help="only renew the table of docs/colour.md")
    arguments = parser.parse_args()
    if arguments.page:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), load(FILE)), encoding="utf-8")
        return
    for seed in arguments.seeds:
        for name in arguments.names or WAYS:
            add(FILE, f"{name}, seed {seed}", measure(name, arguments.seconds, seed))


if __name__ == "__main__":
    main()
