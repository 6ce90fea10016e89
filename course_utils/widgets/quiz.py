"""The real-or-fake quiz: images for a fraction of a second each; which are real, and which are generated?

The picture of the result is a pure function of the answers. The browser shows the images and keeps the time
(assets/quiz.js); every answer is appended to a file at once, so that a closed page loses nothing.
"""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from pathlib import Path

import anywidget
import ipywidgets
import torch
import traitlets
from PIL import Image
from torch import Tensor

from course_utils import plots
from course_utils.data import check_images, to_uint8
from course_utils.files import ASSETS
from course_utils.metrics.people import UNNAMED, Answer, human_score, quiz_file, record_answer
from course_utils.widgets._shell import Accessible, Rendering

EXPOSURES = {"100 ms": 100, "250 ms": 250, "500 ms": 500, "1 second": 1000, "as long as I want": 0}
PIXELS = 224  # wide and high on the page: 8 pixels for one of MNIST's, 7 for one of CIFAR-10's
SHEET = 16  # images of the still page


class Timed(anywidget.AnyWidget):
    """One picture at a time, shown for `exposure` milliseconds; answers come back as messages."""

    _esm = ASSETS / "quiz.js"
    png = traitlets.Bytes().tag(sync=True)
    place = traitlets.Int(0).tag(sync=True)  # which image is next, from 0
    round = traitlets.Int(0).tag(sync=True)  # counts the quizzes played
    total = traitlets.Int().tag(sync=True)
    exposure = traitlets.Int(500).tag(sync=True)  # milliseconds; 0: until the answer
    size = traitlets.Int(PIXELS).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)


def shuffled(real: Tensor, fake: Tensor, trials: int, seed: int) -> tuple[Tensor, list[bool]]:
    """The images of one quiz in their order, and which of them are real: half of each, none twice.

    Args:
        real, fake: images (N, C, H, W) in [-1, 1], at least trials/2 of each.
        trials: how many to show; even.
        seed: which ones, and in which order.

    Raises:
        ValueError: an odd number, or too few images.
    """
    check_images(real, name="real")
    check_images(fake, shape=tuple(real.shape[1:]), name="fake")
    half = trials // 2
    if trials < 2 or trials % 2 or min(len(real), len(fake)) < half:
        raise ValueError(
            f"trials must be even and at most twice the smaller set ({min(len(real), len(fake))} images), "
            f"got {trials}"
        )
    rng = torch.Generator().manual_seed(seed)
    chosen = [side[torch.randperm(len(side), generator=rng)[:half]] for side in (real, fake)]
    order = torch.randperm(trials, generator=rng)
    return torch.cat(chosen)[order], (order < half).tolist()


def render(images: Tensor, answers: Sequence[Answer], title: str = "Your answers") -> Rendering:
    """The images that were answered, wrong ones marked, and the error rate with its Wilson interval.

    Args:
        images: (N, C, H, W) in [-1, 1], in the order in which they were shown.
        answers: those given so far, at most N; none shows a sheet of images, to guess on paper.
    """
    if not answers:
        sheet = images[:SHEET]
        figure = plots.image_grid(
            sheet,
            columns=8,
            title="Which are real?",
            alt=f"A sheet of {len(sheet)} images, real and generated ones mixed, without answers.",
        )
        return Rendering(figure, {"images": len(images)})
    score = human_score(answers)
    labels = [("real" if one.real else "generated") + (", wrong" if one.wrong else "") for one in answers]
    columns = min(10, len(answers))
    rows = -(-len(answers) // columns)
    figure, (top, bottom) = plots.new_figure(
        2, 1, width=7.5, height=0.85 * rows + 1.9, height_ratios=[0.85 * rows, 1.1]
    )
    top.imshow(plots.tile(images[: len(answers)], columns), interpolation="nearest")
    height, width = images.shape[2] + 2, images.shape[3] + 2  # `tile` leaves 2 pixels between images
    for place, one in enumerate(answers):
        row, column = divmod(place, columns)
        x, y = column * width + 2, row * height + 2
        word = "R" if one.real else "G"
        top.text(
            x + 1, y + 1, word, ha="left", va="top", fontsize=8, color="black",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
        if one.wrong:
            left, right, up, down = x - 1, x + width - 2, y - 1, y + height - 2
            top.plot(
                [left, right, right, left, left], [up, up, down, down, up],
                color=plots.COLORS["model"], linewidth=3,
            )  # fmt: skip
    top.set_title(f"{title}: R real, G generated; framed: you were wrong")
    top.set_axis_off()
    bottom.plot([score.low, score.high], [0, 0], color=plots.COLORS["second"], linewidth=6)
    bottom.plot(score.error_rate, 0, "o", color=plots.COLORS["highlight"], markersize=9)
    bottom.axvline(0.5, color=plots.COLORS["reference"], linestyle="--", linewidth=1.5)
    bottom.annotate("guessing", (0.51, 0.3), fontsize=9, color=plots.COLORS["reference"])
    bottom.set(xlim=(0, 1), ylim=(-0.6, 0.6), yticks=[], xlabel="error rate, with its 95 % interval")
    bottom.grid(axis="y", visible=False)
    plots.describe(
        figure,
        f"{len(answers)} images as they were shown, with what they are: {'; '.join(labels)}. Below, the "
        f"error rate {score.error_rate:.0%} with its interval from {score.low:.0%} to {score.high:.0%}.",
    )
    numbers = {
        "answers": score.answers, "wrong": score.errors, "error rate": score.error_rate,
        "from": score.low, "to": score.high,
    }  # fmt: skip
    return Rendering(figure, numbers)


class Quiz:
    """The quiz with its controls. Display it by leaving it on a cell's last line.

    Keys, while the grey square has the focus: Enter shows the first image, R says real, G says generated.
    Where no kernel runs, the page shows a sheet of images to guess on.

    Args:
        real, fake, trials, seed: as `shuffled` takes them.
        subject: what the fakes came from, kept with each answer.
        file: where answers are appended; None: `quiz_file()`.
        player: a first name for the file.
    """

    def __init__(
        self,
        real: Tensor,
        fake: Tensor,
        *,
        subject: str,
        trials: int = 20,
        file: str | Path | None = None,
        player: str = UNNAMED,
        seed: int = 0,
    ):
        self.subject, self.trials, self.seed = subject, trials, seed
        self.file = Path(file or quiz_file())
        self._sides = real, fake
        self.player = ipywidgets.Text(value=player, description="your name")
        self.exposure = ipywidgets.Dropdown(options=EXPOSURES, value=500, description="each image for")
        self.again = ipywidgets.Button(description="New quiz", tooltip="Other images, from the beginning")
        for control in (self.player, self.exposure):
            control.style.description_width = "8em"
        self.timed = Timed(total=trials)
        self.problem, self.result = ipywidgets.HTML(), ipywidgets.HTML()
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HBox([self.player, self.exposure, self.again], layout={"flex_flow": "row wrap"}),
                self.problem,
                self.timed,
                self.result,
                Accessible(),
            ]
        )
        self.exposure.observe(lambda _change: self._set_exposure(), "value")
        self.again.on_click(lambda _button: self.start())
        self.timed.on_msg(lambda _widget, content, _buffers: self.answer(content))
        self.timed.exposure = self.exposure.value
        self._begin()

    def start(self) -> None:
        """Begin again, with other images."""
        self.seed += 1
        self._begin()

    def answer(self, message: dict) -> None:
        """Take an answer from the page, record it, and go on. One that comes twice counts once."""
        if (
            message.get("place") != self.timed.place
            or self.timed.place >= self.trials
            or "said_real" not in message
        ):
            return
        place = self.timed.place
        answer = Answer(
            player=self.player.value.strip() or UNNAMED,
            subject=self.subject,
            real=self.are_real[place],
            said_real=bool(message["said_real"]),
            exposure=float(self.timed.exposure),
            shown=round(float(message["shown"]), 1),
            response=round(float(message["response"]), 1),
        )
        self.answers.append(answer)
        try:
            record_answer(answer, self.file)
        except OSError as error:  # the quiz goes on; the result on the page is right all the same
            words = f"Your answers are not kept: {self.file.name} cannot be written ({error.strerror})."
            self.problem.value = f'<div role="alert">{html.escape(words)}</div>'
        self._show(place + 1)

    def _begin(self) -> None:
        self.images, self.are_real = shuffled(*self._sides, self.trials, self.seed)
        self.answers: list[Answer] = []
        self.result.value = ""
        self._show(0)
        self.timed.round += 1

    def _show(self, place: int) -> None:
        with self.timed.hold_sync():
            if place < self.trials:
                self.timed.png = _png(self.images[place])
                self.timed.message = f"Image {place + 1} of {self.trials}"
            else:
                self.timed.message = "Done. Your result is below."
                self.result.value = plots.mime_bundle(self.render().figure)[0]["text/html"]
            self.timed.place = place

    def render(self) -> Rendering:
        """The picture of the answers so far."""
        return render(self.images, self.answers)

    def _set_exposure(self) -> None:
        self.timed.exposure = self.exposure.value

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The live widget, and a sheet of images for pages where no widget can run."""
        live = self.box._repr_mimebundle_()
        still, metadata = plots.mime_bundle(self.render().figure)
        real = ", ".join(str(place) for place, real in enumerate(self.are_real[:SHEET], 1) if real)
        still["text/html"] += (
            f"<details><summary>Answer</summary>Real, counted row by row: {real}.</details>"
            "<p><em>A still picture: run this cell in JupyterLab to play, with the time running.</em></p>"
        )
        still["text/plain"] = f"Real or generated? {still['text/plain']}"
        return {**live, **still}, metadata


def real_or_fake_quiz(
    real: Tensor,
    fake: Tensor,
    *,
    subject: str,
    trials: int = 20,
    file: str | Path | None = None,
    player: str = UNNAMED,
    seed: int = 0,
) -> Quiz:
    """The widget. Leave it on a cell's last line; the arguments are `Quiz`'s."""
    return Quiz(real, fake, subject=subject, trials=trials, file=file, player=player, seed=seed)


def _png(image: Tensor) -> bytes:
    """One image (C, H, W) in [-1, 1] as a PNG file of its own pixels; the page enlarges it."""
    pixels = to_uint8(image).expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()
