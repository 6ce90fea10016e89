"""People as judges: what they answered in the real-or-fake quiz, and how often they were wrong.

The idea is HYPE's (Zhou et al. 2019, arXiv:1904.01121): show real and generated images, ask which is which,
and report how often people err. Half of the time means that they cannot tell.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from course_utils.folders import personal_folder

UNNAMED = "me"  # a player who gave no name


class Answer(NamedTuple):
    """One image of the quiz, and what was said of it. A line of the quiz's file."""

    player: str
    subject: str  # which generator the images that are not real came from
    real: bool
    said_real: bool
    exposure: float  # milliseconds for which the image was to be shown; 0: until the answer
    shown: float  # milliseconds for which it was shown, by the browser's clock
    response: float  # milliseconds from its appearing to the answer

    @property
    def wrong(self) -> bool:
        return self.real != self.said_real


class HumanScore(NamedTuple):
    """How often people were wrong, and between which limits that fraction lies."""

    answers: int
    errors: int
    error_rate: (
        float  # ½: cannot tell; 0: always can; above ½: the generated ones look more real than the real
    )
    low: float  # of the interval
    high: float
    errors_on_real: float  # fraction of the real images that were called generated; NaN without any
    errors_on_fake: float  # fraction of the generated images that were called real; NaN without any


def wilson_interval(errors: int, answers: int, confidence: float = 0.95) -> tuple[float, float]:
    """Limits of a fraction, from `errors` of `answers`  (Wilson 1927, JASA 22).

    Unlike p ± 1.96·√(p(1 − p)/n) it never leaves [0, 1], and 0 errors of 10 do not prove that there are none.

    Raises:
        ValueError: no answers, or more errors than answers.
    """
    from scipy.stats import binomtest  # imported here: it takes longer than all of the metrics

    if not 0 <= errors <= answers or answers == 0:
        raise ValueError(f"errors must be between 0 and answers, which at least 1, got {errors} of {answers}")
    interval = binomtest(errors, answers).proportion_ci(confidence, method="wilson")
    return interval.low, interval.high


def human_score(answers: Sequence[Answer], confidence: float = 0.95) -> HumanScore:
    """The error rate of all the answers, with its Wilson interval.

    The interval takes the answers for independent. Those of one person are not quite: where a few people gave
    many answers each, it is too narrow for "people in general".

    Raises:
        ValueError: no answers.
    """
    if not answers:
        raise ValueError("there are no answers yet; play the quiz first")
    errors = sum(answer.wrong for answer in answers)
    low, high = wilson_interval(errors, len(answers), confidence)
    sides = {real: [answer.wrong for answer in answers if answer.real == real] for real in (True, False)}
    on_real, on_fake = (
        sum(sides[real]) / len(sides[real]) if sides[real] else float("nan") for real in (True, False)
    )
    return HumanScore(len(answers), errors, errors / len(answers), low, high, on_real, on_fake)


def class_scores(answers: Sequence[Answer], confidence: float = 0.95) -> dict[str, HumanScore]:
    """A score for each player, in the order of their names, and one for "everybody" at the end."""
    players = sorted({answer.player for answer in answers})
    scores = {
        player: human_score([one for one in answers if one.player == player], confidence)
        for player in players
    }
    return {**scores, "everybody": human_score(answers, confidence)}


def score_table(scores: dict[str, HumanScore]) -> str:
    """Scores as lines of text, one for each name."""
    lines = [f"{'':16s}{'answers':>8s}{'wrong':>7s}{'error rate':>12s}   95 % interval"]
    for name, score in scores.items():
        lines.append(
            f"{name[:15]:16s}{score.answers:8d}{score.errors:7d}{score.error_rate:12.0%}   "
            f"{score.low:.0%} to {score.high:.0%}"
        )
    return "\n".join(lines)


# --- the file: one answer a line, appended, so that a closed browser loses nothing ---


def quiz_file() -> Path:
    """Where the quiz keeps its answers: `COURSE_QUIZ`, else `quiz.jsonl` in the `personal_folder`."""
    chosen = os.environ.get("COURSE_QUIZ")
    return Path(os.path.expanduser(chosen)) if chosen else personal_folder() / "quiz.jsonl"


def record_answer(answer: Answer, path: str | Path) -> None:
    """Append an answer to a file, as one line of JSON.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(answer._asdict(), ensure_ascii=False) + "\n")


def read_answers(paths: str | Path | Iterable[str | Path]) -> list[Answer]:
    """All answers of one file, of a folder's `*.jsonl`, or of several of these: a whole class.

    Returns:
        The answers, file by file; none where a file is not there yet. In a folder, players without a name
        are called after their file.

    Raises:
        ValueError: a line is no answer; says which.
    """
    if isinstance(paths, (str, Path)) and Path(paths).is_dir():
        # Who left the name as it was is called after the file: a class of twenty "me" would be one player.
        return [
            answer._replace(player=path.stem) if answer.player == UNNAMED else answer
            for path in sorted(Path(paths).glob("*.jsonl"))
            for answer in _answers_of(path)
        ]
    if isinstance(paths, (str, Path)):
        paths = [paths]
    answers = []
    for path in map(Path, paths):
        answers += read_answers(path) if path.is_dir() else _answers_of(path)
    return answers


def _answers_of(path: Path) -> list[Answer]:
    try:
        text = path.read_text(encoding="utf-8-sig") if path.exists() else ""  # -sig: editors on Windows
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error.reason}); fetch the file again") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return [_answer(line, f"{path}, line {number}") for number, line in lines]


def _answer(line: str, place: str) -> Answer:
    try:
        answer = Answer(**json.loads(line))
        kinds = [str, str, bool, bool, (int, float), (int, float), (int, float)]
        if not all(isinstance(value, kind) for value, kind in zip(answer, kinds, strict=True)):
            raise TypeError("a value of another type")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{place} is not an answer of the quiz ({error}); remove the line") from None
    return answer
