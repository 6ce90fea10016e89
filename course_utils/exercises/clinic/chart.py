"""A patient's chart: the recorded run on the dashboard."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.exercises.clinic.data_set import load
from course_utils.exercises.clinic.patient import Patient
from course_utils.exercises.clinic.patients import PATIENTS
from course_utils.exercises.clinic.recording import Recording
from course_utils.metrics import sample_diversity
from course_utils.plots import COLORS, dashboard
from course_utils.plots.dashboard import Curve, Panel


def chart(number: int) -> Figure:
    """What was seen of a patient, with the cured run in grey, in the same panels.

    Raises:
        ValueError: there is no such patient.
    """
    if number not in PATIENTS:
        raise ValueError(f"there is no patient {number!r}; they are 1 to {max(PATIENTS)}.")
    patient = PATIENTS[number]
    (ill, ill_data), (cured, cured_data) = load(number, "ill"), load(number, "cured")
    real = _stretched(ill_data, patient.black)

    def own_panels(run: Recording) -> list[Panel]:
        return [_panel(patient, place, run) for place in range(len(patient.charts))]

    return dashboard(
        _in_view(ill, patient.black),
        beside=_rescaled(cured, sample_diversity(real) / sample_diversity(cured_data)),
        real=real,
        extra=own_panels,
        title=f"Patient {number}; in grey, the same program without the mistake",
    )


def _panel(patient: Patient, place: int, run: Recording) -> Panel:
    wanted = patient.charts[place]
    x = np.asarray(run.history["images"], dtype=float)
    curves = [
        Curve(one.label, x, np.asarray(run.history[one.column]), COLORS[one.colour], one.dashes)
        for one in wanted.curves
    ]
    return Panel(wanted.title, curves, log=wanted.log, level=wanted.level)


def _in_view(run: Recording, black: float) -> Recording:
    """With its images stretched from [black, 1] to [−1, 1]; points stay as they are."""
    if black == -1:
        return run
    return Recording(run.history, [(seen, _stretched(samples, black)) for seen, samples in run.snapshots])


def _rescaled(run: Recording, factor: float) -> Recording:
    """With its samples in the units of other data: of a run beside, only their diversity is drawn."""
    return Recording(run.history, [(seen, factor * samples) for seen, samples in run.snapshots])


def _stretched(samples: Tensor, black: float) -> Tensor:
    return 2 * (samples - black) / (1 - black) - 1
