"""Where the data sets' official files can be had, and how to know that they are whole."""

from typing import NamedTuple


class Source(NamedTuple):
    """One official file."""

    file: str
    mirrors: tuple[str, ...]  # tried in turn; the address is mirror + file
    sha256: str
    size: int  # bytes


MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
CIFAR10_MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)

SOURCES: dict[str, tuple[Source, ...]] = {
    "mnist": (
        Source(
            "train-images-idx3-ubyte.gz",
            MNIST_MIRRORS,
            sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            size=9_912_422,
        ),
        Source(
            "train-labels-idx1-ubyte.gz",
            MNIST_MIRRORS,
            sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            size=28_881,
        ),
        Source(
            "t10k-images-idx3-ubyte.gz",
            MNIST_MIRRORS,
            sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            size=1_648_877,
        ),
        Source(
            "t10k-labels-idx1-ubyte.gz",
            MNIST_MIRRORS,
            sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            size=4_542,
        ),
    ),
    "cifar10": (
        Source(
            "cifar-10-binary.tar.gz",
            CIFAR10_MIRRORS,
            sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            size=170_052_171,
        ),
    ),
}


class DownloadError(OSError):
    """A file could not be fetched; the message says why and what to do."""
