"""What belongs to a patient of the clinic: a sick program, its symptom, its cure."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from course_utils.checks import Wrong, choose
from course_utils.exercises.clinic.leftovers import gradients_that_add_up
from course_utils.exercises.clinic.recording import Measure, Recording, record

Program = Callable  # (draw, rounds, start, watch) -> None
REMARK = "One mistake in here made this patient ill."  # what the notebook says in each program


class Curve(NamedTuple):
    """A column of the history, as a line of the chart."""

    column: str
    label: str
    colour: str  # a key of plots.COLORS
    dashes: str = "-"


class Chart(NamedTuple):
    """A panel that this patient's chart has beside the usual ones."""

    title: str
    curves: Sequence[Curve]
    log: bool = False
    level: tuple[float, str] | None = None  # a thin line at this height, with a word


class Patient(NamedTuple):
    """A program with one published mistake."""

    number: int
    title: str  # the complaint, in a few words that do not give it away
    difficulty: int  # as an exercise's
    minutes: int
    program: Program
    cure: Mapping[str, str]  # lines of the program → what stands there in health
    source: str  # where it was published: repository, file or issue, year
    draw: Callable  # the data: (n, rng) -> samples, or (images, labels)
    diagnosis: str  # the right letter
    finding: str  # what the chart shows, said to the right diagnosis
    otherwise: Mapping[str, str]  # each other letter → what the run would have looked like instead
    where_to_look: tuple[str, ...]  # hints for the diagnosis
    symptom: Callable[[Recording], str]  # what is still wrong with a run, in a sentence; "" in health
    hints: tuple[str, ...]  # for the cure
    praise: str  # what a cure earns
    rounds: int  # of the recorded run
    rounds_to_tell: int  # after so many, the symptom shows, or is gone
    black: float = -1.0  # the value of a pixel without ink, as the chart shows it
    charts: Sequence[Chart] = ()
    measures: Mapping[str, Measure] = {}
    probe: Callable[[Program], str] = lambda program: ""  # what is wrong with a program that shows no symptom

    @property
    def name(self) -> str:
        """The mistake, as its file is called."""
        return self.program.__module__.rsplit(".", 1)[-1]

    def cured_source(self) -> str:
        """The program's source with the lines of the cure.

        Raises:
            ValueError: the program has no such lines.
        """
        source = inspect.getsource(self.program)
        for ill, well in self.cure.items():
            if ill not in source:
                raise ValueError(f"patient {self.number} has no line {ill!r}; its cure is out of date.")
            source = source.replace(ill, well)
        return source

    def cured(self) -> Program:
        """The program in health."""
        names = dict(vars(sys.modules[self.program.__module__]))
        exec(compile(self.cured_source(), f"<patient {self.number}, cured>", "exec"), names)
        return names[self.program.__name__]

    def run(self, program: Program, start: int) -> Recording:
        """A short run, long enough for the symptom."""
        every = max(1, self.rounds_to_tell // 20)
        return record(program, self.draw, self.rounds_to_tell, start, every=every, measures=self.measures)


def check_diagnosis(patient: Patient, answer) -> str:
    """For an exercise's part: praise, or Wrong with what the run would have looked like."""
    choose(answer, patient.diagnosis, patient.otherwise)
    return f"{patient.finding} Now find it in the program, below."


def check_cure(patient: Patient, answer) -> str:
    """For an exercise: runs the answer with three seeds; praise, or Wrong with what is still to be seen."""
    if not callable(answer):
        raise Wrong(f"hand over the program itself, the function `patient_{patient.number}`.")
    if is_untouched(answer, patient.program):
        raise NotImplementedError  # the program as it was found
    for start in (0, 1, 2):
        recording = patient.run(answer, start)
        complaint = (
            unusable(recording, patient.rounds_to_tell)
            or patient.symptom(recording)
            or standing_still(recording)
        )
        if complaint:
            raise Wrong(complaint)
    if complaint := patient.probe(answer):
        raise Wrong(complaint)
    for network in gradients_that_add_up(answer, patient.draw, start=0):
        raise Wrong(
            f"the symptom is gone, and another mistake has come: the {network}'s gradients of all rounds add "
            "up. `backward` adds to what stands in `grad`: who empties it, between one step of this network "
            "and its next `backward`?"
        )
    return f"{patient.praise} Published: {patient.source}."


def is_untouched(answer, program: Program) -> bool:
    """Whether an answer is the program as it was found; comments and blank lines do not count."""
    try:
        return same_code(inspect.getsource(answer), inspect.getsource(program))
    except (OSError, TypeError, SyntaxError):  # not a function of a file or a cell: it was made, so it is new
        return False


def same_code(one: str, other: str) -> bool:
    """Whether two sources have the same syntax tree."""
    return ast.dump(ast.parse(textwrap.dedent(one))) == ast.dump(ast.parse(textwrap.dedent(other)))


def unusable(recording: Recording, rounds: int) -> str:
    """What makes a run no treatment: it shows nothing, stops early, or breaks."""
    if recording.rounds == 0:
        return "the program never calls its `watch`: keep the call at the end of each round."
    if recording.rounds != rounds:
        return (
            f"asked for {rounds} rounds, the program has shown {recording.rounds} to its `watch`: one call "
            "in each round, and as many rounds as asked for."
        )
    if recording.foreign:
        return (
            "what `watch` gets as `fake` was not made by the generator. Show it what the generator made in "
            "this round, as it is."
        )
    if not recording.is_finite():
        broken = [name for name, values in recording.history.items() if not all(map(_is_number, values))]
        return (
            f"`{broken[0]}` becomes infinite, or no number at all. Is something divided by 0, such as the "
            "spread of a pixel that never changes, is a root taken of a negative number, or has a loss got a "
            "sign with which it falls without end?"
        )
    return ""


def standing_still(recording: Recording) -> str:
    """What is said where the symptom went with the training: a network stands still, samples are alike."""
    for network in ("generator", "discriminator", "encoder", "decoder"):
        moved = recording.history.get(f"{network}_moved")
        if moved is not None and moved[-1] < MOVED_AT_LEAST:
            what = (
                f"hardly moves any more: its weights have changed by {100 * moved[-1]:.2g} %"
                if recording.steps[network]
                else "does not move: no optimiser takes a step with its weights"
            )
            return (
                f"the {network} {what}. The symptom is gone, and the training with it. Change what is wrong, "
                "and leave the rest."
            )
    if recording.last("fake_diversity") < ALIKE:
        return (
            "all samples of a round are the same: are their latents? The symptom is gone, and the task with "
            "it. Change what is wrong, and leave the rest."
        )
    return ""


ALIKE = 1e-4  # a distance of pairs below this is that of equal samples
MOVED_AT_LEAST = 0.02  # of its length: what weights do in the shortest of the runs is three times that


def _is_number(value: float) -> bool:
    return abs(value) < float("inf")
