"""Images and toy densities: the course's data, and the one convention that all of it follows."""

from course_utils.data.binary import binarise, binarised
from course_utils.data.convention import (
    Sampler,
    check_images,
    describe,
    image_sampler,
    labelled_sampler,
    stacked_sampler,
    to_model_range,
    to_uint8,
)
from course_utils.data.formats import DataError
from course_utils.data.images import (
    ImageData,
    Status,
    data_folder,
    fetch,
    load,
    load_cifar10,
    load_mnist,
    status,
)
from course_utils.data.labels import few_labels, spread_labels, with_wrong_labels
from course_utils.data.sources import SOURCES, DownloadError, Source
from course_utils.data.toy import (
    Density,
    gaussian,
    gaussian_mixture,
    grid,
    labelled_modes,
    ring,
    spiral,
    two_moons,
)

__all__ = [
    "SOURCES",
    "DataError",
    "Density",
    "DownloadError",
    "ImageData",
    "Sampler",
    "Source",
    "Status",
    "binarise",
    "binarised",
    "check_images",
    "data_folder",
    "describe",
    "fetch",
    "few_labels",
    "gaussian",
    "gaussian_mixture",
    "grid",
    "image_sampler",
    "labelled_modes",
    "labelled_sampler",
    "load",
    "load_cifar10",
    "load_mnist",
    "ring",
    "spiral",
    "spread_labels",
    "stacked_sampler",
    "status",
    "to_model_range",
    "to_uint8",
    "two_moons",
    "with_wrong_labels",
]
