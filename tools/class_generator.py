"""The class-conditional CIFAR-10 generator that ships: trained in stretches, written at any time.

python -m tools.class_generator features              # once: the frozen network of the discriminator
python -m tools.class_generator train --hours 8       # trains on from the checkpoint; Ctrl-C stops it as well
python -m tools.class_generator picture               # ten classes, none chosen, beside the training images
python -m tools.class_generator ship                  # writes assets/cifar10_classes_generator.safetensors
python -m tools.class_generator page                  # what `ship` measured, into docs/colour.md

Run it from the repository's root with the real data in place. Everything but the frozen features, which
ship, is kept in `.course/colour/` (git ignores it): `checkpoint.pt`, and `curve.jsonl`, the quality against
images and hours.
`train` may be killed at any moment: it loses what came after the last checkpoint, some minutes. The learning
rates fall over the last 30 % of `--images`; a later call may choose another number, and so begin or put off
the fall.

The recipe is `CIFAR10_CLASSES`: a generator (`ResidualGenerator`) meets a discriminator that sees through the
frozen features of a small classifier (`ProjectedDiscriminator`), trained by `features` on the same training
images. It is not one of the classifiers that judge.
"""

import argparse
import json
import time
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.report import table
from course_utils import data, plots
from course_utils.files import ASSETS, replacing, save_weights
from course_utils.metrics import (
    FrechetEvaluator,
    conditional_scores,
    frechet_evaluator,
    nearest,
    thumbnails,
)
from course_utils.metrics.classifiers import Classifier, convolution, in_batches
from course_utils.metrics.referee import referee
from course_utils.metrics.train_classifier import Recipe as ClassifierRecipe
from course_utils.metrics.train_classifier import accuracy
from course_utils.metrics.train_classifier import train as train_classifier
from course_utils.models import ResidualGenerator, feature_stages, load_generator, sample
from course_utils.models.shipped import FEATURES
from course_utils.training import CIFAR10_CLASSES, Run, constant_then_linear, train
from course_utils.training.checkpoint import load_checkpoint, save_checkpoint

FOLDER = Path(".course/colour")
NAME = "cifar10_classes"
NETWORK = {"latent_dim": 64, "classes": 10, "widths": [256, 192, 64], "label_dim": 32}  # of CIFAR10_CLASSES
TRAINING = {  # for hours where the recipe is for minutes
    **CIFAR10_CLASSES.training,
    "ema_half_life": 20_000,
    "schedule": partial(constant_then_linear, constant=0.7),
}

SNAPSHOT_EVERY, SCORE_EVERY = (
    25_600,
    102_400,
)  # images between two checkpoints, between two points of the curve


# --- the frozen features -----------------------------------------------------------------------------------


def feature_network() -> Classifier:
    """32×32 colour → 192 features: a plain network of six convolutions, the first on pixels taken 2×2."""
    layers = nn.Sequential(
        nn.PixelUnshuffle(2),  # 12×16×16
        *convolution(12, 64),
        *convolution(64, 64),  # 64×16×16
        *convolution(64, 128, stride=2),
        *convolution(128, 128),  # 128×8×8
        *convolution(128, 192, stride=2),
        *convolution(192, 192),  # 192×4×4
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Classifier((3, 32, 32), layers, num_features=192)


def train_features(output: Path, seed: int = 101, epochs: int = 8) -> None:
    """Trains the feature network as a classifier, and writes its stages."""
    training, test = real_images("train"), real_images("test")
    torch.manual_seed(seed)
    classifier = feature_network()
    recipe = ClassifierRecipe(epochs, learning_rate=0.2, shift=4, flip=True)
    train_classifier(classifier, training.images, training.labels, recipe, seed)
    reached = accuracy(classifier, test.images, test.labels)
    metadata = {
        "test_accuracy": f"{reached:.4f}",
        "trained_on": training.note or "CIFAR-10, full training set",
        "command": f"python -m tools.class_generator features --seed {seed}",
    }
    save_weights(stages(classifier), output, metadata, half=True)
    print(f"test accuracy {reached:.2%}")


def stages(classifier: Classifier) -> nn.ModuleList:
    """Its layers as `feature_stages`: every batch normalisation becomes part of the convolution before it."""
    layers = list(classifier.eval().layers)[1:-2]
    folded = [
        fuse_conv_bn_eval(weights, norm) for weights, norm in zip(layers[::3], layers[1::3], strict=True)
    ]
    found = feature_stages()
    convolutions = [layer for layer in found.modules() if isinstance(layer, nn.Conv2d)]
    for layer, trained in zip(convolutions, folded, strict=True):
        layer.load_state_dict(trained.state_dict())
    return found


# --- the data ----------------------------------------------------------------------------------------------


def real_images(split: str) -> data.ImageData:
    images = data.load("cifar10", split)
    if images.is_stand_in:
        raise SystemExit(f"a generator for the course needs the real CIFAR-10, but there is: {images.note}")
    return images


# --- how good it is ----------------------------------------------------------------------------------------


def scores(generator: nn.Module, samples: int = 2_000, seed: int = 12_345) -> dict[str, float]:
    """What a classifier says about equally many samples of each class.

    frechet: the Fréchet distance to all test images.
    inception: exp E KL(p(k | x) ‖ p(k)), the analogue of the inception score (arXiv:1606.03498).
    agreement: the fraction read as the class that was asked for.
    diversity: spread of the features within a class, samples' over test images': 1 where they spread alike.
    """
    labels = torch.arange(samples) % 10
    images = sample(generator, samples, labels=labels, seed=seed)
    return scores_of(images, labels, frechet_evaluator("cifar10"))


def scores_of(images: Tensor, labels: Tensor, evaluator: FrechetEvaluator) -> dict[str, float]:
    """The same of images that are there, (N, 3, 32, 32), which were asked to be of the classes `labels`."""
    return conditional_scores(images, labels, evaluator, *real_features(evaluator.classifier))


@cache
def real_features(classifier: Classifier) -> tuple[Tensor, Tensor]:
    """The test images' features, and their labels."""
    test = real_images("test")
    return in_batches(classifier.features, data.to_model_range(test.images)), test.labels


# --- training ----------------------------------------------------------------------------------------------


def train_on(folder: Path, images: int, hours: float, seed: int, threads: int | None = None) -> Run:
    """Trains on from the checkpoint, and notes the quality in `curve.jsonl`."""
    if threads is not None and (folder / "checkpoint.pt").exists():
        state = load_checkpoint(folder / "checkpoint.pt")  # it would insist on the threads it was made with
        save_checkpoint(folder / "checkpoint.pt", {**state, "threads": threads})
    training, curve = real_images("train"), Curve(folder / "curve.jsonl", hours)

    def look(run: Run) -> None:
        if run.images_seen % SCORE_EVERY == 0:
            curve.add(run)
        curve.stop_if_over(run)

    torch.manual_seed(seed)
    return train(
        CIFAR10_CLASSES.gan(),
        data.labelled_sampler(training.images, training.labels),
        images=images,
        seed=seed,
        snapshot_every=SNAPSHOT_EVERY,
        snapshot_samples=10,
        conditions=torch.arange(10),
        on_snapshot=look,
        checkpoint=folder / "checkpoint.pt",
        resume=True,
        progress=False,
        threads=threads,
        **TRAINING,
    )


class Curve:
    """The quality against images and hours: a line of `path` for each time it was measured.

    Args:
        path: continued where it exists.
        hours: of this call, after which `stop_if_over` stops the training.
    """

    def __init__(self, path: Path, hours: float):
        self.path, self.hours = path, hours
        self.records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        self.began, self.cpu_began = time.perf_counter(), time.process_time()
        self.started_at: int | None = None  # images
        self.cpu_before = self.records[-1]["cpu_seconds"] if self.records else 0.0

    def add(self, run: Run) -> None:
        if self.records and run.images_seen <= self.records[-1]["images"]:
            return  # a resumed run pauses where it was stopped
        record = {
            "images": run.images_seen,
            "seconds": round(run.seconds),
            "cpu_seconds": round(self.cpu_before + time.process_time() - self.cpu_began),
            **{name: round(value, 4) for name, value in scores(run.average).items()},
        }
        self.records.append(record)
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)

    def stop_if_over(self, run: Run) -> None:
        """Ends the training once its hours are over, but not at the first look, before it has begun."""
        over = time.perf_counter() - self.began > 3600 * self.hours
        self.started_at = run.images_seen if self.started_at is None else self.started_at
        if over and run.images_seen > self.started_at:
            raise KeyboardInterrupt  # the checkpoint of this pause is written already


# --- looking -----------------------------------------------------------------------------------------------


def picture(folder: Path, rows: int = 4, seed: int = 0) -> None:
    """Writes `picture.png`: the first samples of each class, above the training images nearest to them."""
    generator, state = averaged_generator(folder)
    training = real_images("train")
    images = sample(generator, 10 * rows, labels=torch.arange(10).repeat(rows), seed=seed)
    figure = plots.beside_nearest(
        images,
        nearest_of(images, data.to_model_range(training.images)),
        column_labels=[SHORT.get(name, name) for name in training.classes],
        title=f"After {state['images_seen']:,} images",
        note=training.note,
    )
    PICTURE.write_bytes(plots.to_png(figure))
    print(f"written to {PICTURE}")


SHORT = {"airplane": "plane", "automobile": "car"}  # fits above a column


def nearest_of(images: Tensor, training: Tensor) -> Tensor:
    """The training image nearest to each, by the Euclidean distance of images at half the size."""
    return training[nearest(thumbnails(images), thumbnails(training)).places]


def averaged_generator(folder: Path) -> tuple[ResidualGenerator, dict]:
    """The averaged generator of the checkpoint, and the whole checkpoint."""
    state = load_checkpoint(folder / "checkpoint.pt")
    generator = ResidualGenerator(**NETWORK)
    generator.load_state_dict(state["average"])
    return generator.eval(), state


# --- shipping ----------------------------------------------------------------------------------------------


def ship(folder: Path, output: Path, machine: str) -> None:
    """Writes the averaged generator of the checkpoint in half precision, scored as it ships, and its page."""
    generator, state = averaged_generator(folder)
    generator = generator.half().float()
    note = real_images("train").note or "CIFAR-10, full training set"
    metadata = {
        "architecture": "ResidualGenerator",
        "network": json.dumps(NETWORK),
        "made_by": f"python -m tools.class_generator, on {note}; {state['images_seen']:,} images in "
        f"{state['seconds'] / 3600:.1f} h on {machine}",
        "images": str(state["images_seen"]),
        "seconds": f"{state['seconds']:.0f}",
        "machine": machine,
    }
    save_weights(generator, output, metadata, half=True)
    curve = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    results = {**metadata, "curve": curve, "judges": judged(generator)}
    with replacing(RESULTS) as path:
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_page()
    print(f"written to {output} ({output.stat().st_size / 1e6:.2f} MB), and to {PAGE}")


def judged(generator: nn.Module, samples: int = 10_000) -> dict[str, dict[str, dict[str, float]]]:
    """{judge: {whose samples: scores}} of the generator, of the hour's and of training photographs."""
    training = real_images("train")
    labels = torch.arange(samples) % 10
    places = [(training.labels == one).nonzero().flatten()[: (labels == one).sum()] for one in range(10)]
    photographs = training.images[torch.stack(places, 1).flatten()]  # of classes 0, 1, …, 9, 0, 1, …
    images = {
        "the generator of ten classes": sample(generator, samples, labels=labels, seed=1),
        "the hour's generator": sample(load_generator("cifar10"), samples, seed=1),
        "training photographs": data.to_model_range(photographs),
    }
    judges = {"the course's classifier": frechet_evaluator("cifar10"), "a second one": referee("cifar10")}
    found = {}
    for judge, evaluator in judges.items():
        found[judge] = {}
        for what, some in images.items():
            score = scores_of(some, labels, evaluator)
            if what == "the hour's generator":  # it was asked for no class
                score = {name: score[name] for name in ("frechet", "inception")}
            found[judge][what] = {name: round(value, 4) for name, value in score.items()}
    return found


# --- the page ----------------------------------------------------------------------------------------------

SCORES = ("frechet", "inception", "agreement", "diversity")
RESULTS = Path("benchmarks/results/cifar10_classes.json")
PAGE = Path("docs/colour.md")
PICTURE = Path("docs/images/cifar10_classes.png")
BEGIN, END = (
    "<!-- results: written by python -m tools.class_generator page -->\n",
    "<!-- end of results -->\n",
)


def write_page() -> None:
    """Renews the measured part of docs/colour.md."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_results(page, json.loads(RESULTS.read_text(encoding="utf-8"))), encoding="utf-8")


def with_results(page: str, results: dict) -> str:
    """The page with these results between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(results)}\n{END}{after}"


def tables(results: dict) -> str:
    """What the judges say, and the quality along the way, as Markdown."""
    rows = [
        (
            judge,
            what,
            *(_cell(score.get(name)) for name in ("frechet", "inception", "agreement", "diversity")),
        )
        for judge, found in results["judges"].items()
        for what, score in found.items()
    ]
    names = ("Fréchet distance", "classifier score", "read as asked", "spread within a class")
    along = [
        (f"{point['images']:,}", f"{point['seconds'] / 60:.0f}", *(_cell(point[name]) for name in SCORES))
        for point in results["curve"]
    ]
    return "\n".join(
        [
            f"Shipped: {results['made_by']}. Of 10,000 samples each:",
            "",
            table(("judge", "samples of", *names), rows) + "\n",
            "Along the way, by the course's classifier, of 2,000 samples, 200 of each class:",
            "",
            table(("images", "minutes of training", *names), along) + "\n",
        ]
    )


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("features", "train", "picture", "ship", "page"))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where everything is kept")
    parser.add_argument("--images", type=int, default=8_000_000, help="train: how many in all")
    parser.add_argument("--hours", type=float, default=float("inf"), help="train: stop after so many")
    parser.add_argument("--threads", type=int, help="train: on so many from here on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--machine", default="an unnamed machine", help="ship: that it ran on")
    parser.add_argument("--output", type=Path, default=ASSETS / f"{NAME}_generator.safetensors")
    arguments = parser.parse_args()
    folder = arguments.folder
    if arguments.what == "features":
        train_features(FEATURES)
    elif arguments.what == "train":
        train_on(folder, arguments.images, arguments.hours, arguments.seed, arguments.threads)
    elif arguments.what == "picture":
        picture(folder)
    elif arguments.what == "page":
        write_page()
    else:
        ship(folder, arguments.output, arguments.machine)


if __name__ == "__main__":
    main()
