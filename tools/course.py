"""The course's notebooks, in their order: the one table that the maps and the linter are made from."""

from typing import NamedTuple


class Notebook(NamedTuple):
    """One notebook of the course, written or planned."""

    name: str  # of its files; begins with its number
    title: str  # short, for maps; a notebook that is there says its full title itself
    question: str  # that it answers

    @property
    def number(self) -> str:
        return self.name[:2]


# The numbering is fixed, so that links hold. A notebook that is not there yet is named, not linked.
COURSE = (
    Notebook("00_start_here", "Start here", "what does a generator do, and how does the course work?"),
    Notebook("01_minimax_objective", "The minimax objective", "what do the two players play for?"),
    Notebook("02_game_dynamics", "Game dynamics", "why do they go round in circles?"),
    Notebook("03_first_gan", "A first GAN", "what does a GAN look like from inside, on a plane?"),
    Notebook("04_mlp_gan_mnist", "An MLP GAN on MNIST", "what do five bugs look like in the samples?"),
    Notebook("05_dcgan_mnist", "DCGAN on MNIST", "how do you get good digits in a minute?"),
    Notebook("06_dcgan_cifar10", "DCGAN on CIFAR-10", "what changes with colour?"),
    Notebook("07_when_training_fails", "When training fails", "what went wrong, and how do you see it?"),
    Notebook("08_losses_and_penalties", "Losses and penalties", "which loss, which penalty, and why?"),
    Notebook("09_judging_generators", "Judging generators", "how good is it, in numbers?"),
    Notebook("10_vae", "Variational autoencoders", "what if you maximise a likelihood instead?"),
    Notebook("11_gan_vs_vae", "GAN vs. VAE", "which of the two, and when?"),
    Notebook("12_asking_for_a_digit", "Asking for a digit", "how do you tell a generator what to draw?"),
    Notebook("13_from_image_to_image", "From image to image", "how does one picture become another?"),
)
NAMES = tuple(notebook.name for notebook in COURSE)
