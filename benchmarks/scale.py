"""What the evaluator's numbers mean: the distance of images whose quality is known."""

import torch
from torch.nn import functional as F

from benchmarks.quality import training_images
from benchmarks.records import circumstances
from course_utils import data
from course_utils.metrics import frechet_evaluator
from course_utils.runtime import pick_device


def run(data_name: str, samples: int = 5_000, quick: bool = False) -> dict:
    """The first training images, the same blurred 3×3, and black ones, each against all test images."""
    now = circumstances(pick_device(), quick)
    real = data.to_model_range(training_images(data_name, quick).images[:samples])
    blurred = F.avg_pool2d(real, 3, stride=1, padding=1, count_include_pad=False)
    evaluate = frechet_evaluator(data_name)
    return {
        "data": data_name,
        "samples": len(real),
        "distances": {
            "real training images": evaluate(real),
            "blurred": evaluate(blurred),
            "black": evaluate(torch.full_like(real, -1)),
        },
        **now,
    }
