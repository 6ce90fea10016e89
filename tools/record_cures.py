"""Measure the cures for mode collapse on stacked MNIST, for the table of notebook 07:

python -m tools.record_cures          # five games, three seeds each: about five minutes on one core

Run it with the real MNIST in place. It writes course_utils/assets/stacked_mnist_cures.json, run by run; what
is there already, made with as many images, is kept, so that an interrupted measurement continues.
"""

import argparse
import json
import time

import torch

from benchmarks.records import circumstances
from course_utils import data
from course_utils.files import replacing
from course_utils.metrics import kl_to_uniform, load_classifier, stacked_coverage
from course_utils.models import sample
from course_utils.training import train
from course_utils.training.collapse import CURES, RECORD, STACKED_TRAINING, recorded, stacked_game

IMAGES, SAMPLES, SEEDS = 32_000, 5_000, (0, 1, 2)


def measure(cure: str, seed: int, images: int, samples: int, draw) -> dict:
    """One training from this seed, and the modes of its samples; CPU seconds of the training."""
    torch.manual_seed(seed)
    start = time.process_time()
    run = train(
        stacked_game(CURES[cure]), draw, images=images, **STACKED_TRAINING, seed=seed, device="cpu",
        threads=1, snapshot_every=images, progress=False,
    )  # fmt: skip
    seconds = time.process_time() - start
    found = stacked_coverage(sample(run.average, samples, seed=seed), load_classifier("mnist"))
    return {
        "cure": cure,
        "seed": seed,
        "images": images,
        "samples": samples,
        "covered": found.covered,
        "kl": round(kl_to_uniform(found.counts), 4),
        "cpu_seconds": round(seconds, 1),
    }


def markdown_table(records: list[dict]) -> str:
    """The record as a table for prose: a row for each cure, in its cells the three starts."""
    kl = "KL to uniform <!-- numbers: a test holds them against the record -->"
    rows = [f"| cure | modes covered, of 1,000 | {kl} |", "| --- | --- | --- |"]
    for cure in CURES:
        runs = [one for one in records if one["cure"] == cure]
        modes, kls = (
            ", ".join(f"{one[what]:{form}}" for one in runs)
            for what, form in (("covered", ""), ("kl", ".2f"))
        )
        rows.append(f"| {cure} | {modes} | {kls} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    mnist = data.load_mnist("train")
    if mnist.is_stand_in:
        raise SystemExit(f"the record needs the real MNIST, but there is only: {mnist.note}")
    draw = data.stacked_sampler(mnist.images)
    torch.set_num_threads(1)
    kept = [one for one in recorded() if one["images"] == IMAGES] if RECORD.exists() else []
    there = {(one["cure"], one["seed"]) for one in kept}
    for seed in SEEDS:
        for cure in CURES:
            if (cure, seed) in there:
                continue
            record = measure(cure, seed, IMAGES, SAMPLES, draw)
            kept.append({**record, "data": mnist.note, **circumstances(torch.device("cpu"), quick=False)})
            with replacing(RECORD) as partial:
                text = json.dumps({"made_by": "python -m tools.record_cures", "records": kept}, indent=1)
                partial.write_text(text + "\n", encoding="utf-8")
            print(record, flush=True)
    print(markdown_table(recorded()))


if __name__ == "__main__":
    main()
