"""Compute the statistics of the real test sets that ship with the course, for the Fréchet distance:

python -m tools.ship_statistics          # both sets: 15 seconds on one core

Run it with the real data in place, and again after a classifier was trained anew. It writes
course_utils/assets/NAME_statistics_IMAGES_CLASSIFIER.safetensors, named by the sums of what they were made
from, and removes those that were made with another classifier. Statistics of several copies of a data set may
ship side by side: the official files, and files that differ in some pixels.
"""

import argparse
import time

from course_utils import data
from course_utils.files import ASSETS
from course_utils.metrics.classifiers import ARCHITECTURES
from course_utils.metrics.frechet import (
    compute_statistics,
    statistics_file,
    statistics_source,
    write_statistics,
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=sorted(ARCHITECTURES), metavar="NAME")
    for name in parser.parse_args().names:
        test = data.load(name, "test")
        if test.is_stand_in:
            raise SystemExit(
                f"statistics for the course need the real {name}, but there is only: {test.note}"
            )
        start = time.perf_counter()
        source = statistics_source(test)
        path = ASSETS / statistics_file(name, source)
        write_statistics(path, compute_statistics(test), source)
        for other in ASSETS.glob(f"{name}_statistics_*"):
            if not other.stem.endswith(source["classifier"][:8]):
                other.unlink()
        print(
            f"{len(test.images):,} images in {time.perf_counter() - start:.1f} s; written to {path} "
            f"({path.stat().st_size / 1e3:.0f} kB)"
        )


if __name__ == "__main__":
    main()
