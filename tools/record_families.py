"""Trains every family of models on MNIST with three seeds, and keeps what came out for notebook 11:

nice python -m tools.record_families                     # all of it: about half an hour of one core
nice python -m tools.record_families --only families     # the comparison alone: about twenty minutes

The comparison: each family for 45 CPU seconds, on the same digits. The sweeps: the GAN and the VAE with other
sizes of the latent, and the VAE with other β, for 20 seconds each. Writes
course_utils/assets/families_mnist.json, a record for each training, as soon as it is made; what the file has
already is not trained again. At the end the README's table and docs/images/families.png follow it.
"""

import argparse
from pathlib import Path

import torch
from matplotlib.figure import Figure

from benchmarks.records import add, circumstances, load, rounded
from course_utils import data, plots
from course_utils.metrics import frechet_evaluator
from course_utils.models import sample
from course_utils.training.families import (
    FAMILIES,
    RECORDED,
    SECONDS,
    load_families,
    measure_family,
    train_family,
)
from tools.readme import FAMILIES_PICTURE, renew

SEEDS = (0, 1, 2)
SAMPLES = 5_000
MARKS = (3, 6, 10, 15, 20, 30)  # seconds at which the generator is judged, beside the end
SWEEP_SECONDS = 20.0
SWEEPS = (
    *(("GAN", {"latent_dim": dims}) for dims in (2, 8, 32, 128)),
    *(("VAE", {"latent_dim": dims}) for dims in (2, 8, 32, 128)),
    *(("VAE", {"beta": beta}) for beta in (0.25, 4.0, 16.0)),
)


def jobs(parts: tuple[str, ...], seeds: list[int]) -> dict[str, tuple]:
    """Key → (part, family, seed, seconds, setting), in the order of their importance."""
    found = {}
    for seed in seeds * ("families" in parts):
        for family in FAMILIES:
            found[f"{family}/seed {seed}"] = ("families", family, seed, SECONDS, {})
    for seed in seeds[:1] * ("sweeps" in parts):  # a trend over settings needs fewer runs than a ranking
        for family, setting in SWEEPS:
            words = ", ".join(f"{name} {value:g}" for name, value in setting.items())
            key = f"{family}, {words.replace('_dim', '')}/seed {seed}"
            found[key] = ("sweeps", family, seed, SWEEP_SECONDS, setting)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--only", nargs="+", choices=("families", "sweeps"), default=("families", "sweeps"))
    parser.add_argument("--output", type=Path, default=RECORDED)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    now = circumstances(torch.device("cpu"), quick=False)
    mnist = data.load_mnist()
    if mnist.is_stand_in:
        raise SystemExit(f"the comparison needs the real MNIST, but there is only: {mnist.note}")
    frechet = frechet_evaluator("mnist")

    def judge(generator) -> float:
        return frechet(sample(generator, SAMPLES))

    for key, (part, family, seed, seconds, setting) in jobs(arguments.only, [*arguments.seeds]).items():
        if key in load(arguments.output):
            continue
        marks = MARKS if part == "families" else ()
        trained = train_family(
            family, mnist.images, seconds=seconds, seed=seed, marks=marks, judge=judge, **setting
        )
        found = None if trained.diverged else measure_family(trained, samples=SAMPLES)
        record = {
            "part": part,
            "family": family,
            "seed": seed,
            "seconds": seconds,
            "latent_dim": trained.generator.latent_dim,
            "beta": setting.get("beta", 1.0) if family == "VAE" else None,
            "weights": trained.weights,
            "cpu_seconds": round(trained.cpu_seconds, 2),
            "images": trained.images,
            "samples": SAMPLES,
            "curve": [[round(spent, 2), round(distance, 4)] for spent, distance in trained.curve],
            "found": found and {name: rounded(value) for name, value in found.items()},
            "training_data": mnist.note or "MNIST, full training set",
            **now,
        }
        add(arguments.output, key, record)
        print(key, record["cpu_seconds"], found and round(found["frechet"], 2), flush=True)
    if arguments.output == RECORDED:
        FAMILIES_PICTURE.write_bytes(
            plots.to_png(picture([one for one in load_families() if one["part"] == "families"]))
        )
        renew()


def picture(runs: list[dict]) -> Figure:
    """Fréchet distance against CPU seconds: a line of medians over the seeds, and their range."""
    figure, axes = plots.new_figure(width=7.0, height=4.0)
    said = []
    for family, colour, dashes in zip(FAMILIES, plots.CYCLE, plots.DASHES, strict=False):
        curves = [one["curve"] for one in runs if one["family"] == family and one["curve"]]
        if not curves:
            continue
        shortest = min(map(len, curves))
        points = torch.tensor([curve[:shortest] for curve in curves])  # (seeds, marks, 2)
        seconds, distances = points[..., 0].median(0).values, points[..., 1]
        low, middle, high = distances.min(0).values, distances.median(0).values, distances.max(0).values
        axes.fill_between(seconds, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(seconds, middle, color=colour, linestyle=dashes, marker="o", label=family)
        said.append(f"{family} {middle[-1]:.1f} after {seconds[-1]:.0f} s")
    axes.set(xscale="log", yscale="log", xlabel="CPU seconds of training, one thread")
    axes.set_ylabel("Fréchet distance (lower is better)")
    ticks = (*MARKS, SECONDS)
    axes.set_xticks(ticks, [f"{mark:g}" for mark in ticks])
    axes.minorticks_off()
    axes.set_yticks([3, 5, 10, 20, 50, 100, 200], ["3", "5", "10", "20", "50", "100", "200"])
    axes.legend()
    return plots.describe(figure, f"Fréchet distance against seconds of training. {', '.join(said)}.")


if __name__ == "__main__":
    main()
