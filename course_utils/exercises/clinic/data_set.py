"""The data set "ten sick GANs": each patient's run recorded twice, ill and cured.

`python -m course_utils.exercises.clinic` makes it anew; ten_sick_gans/README.md says what is in it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from functools import cache
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from course_utils.exercises.clinic import recording as recording_module
from course_utils.exercises.clinic import samples as samples_module
from course_utils.exercises.clinic.patient import Patient
from course_utils.exercises.clinic.patients import PATIENTS
from course_utils.exercises.clinic.recording import Recording, record
from course_utils.files import replacing

FILE = Path(__file__).parent / "ten_sick_gans" / "recordings.safetensors"
ENTRIES, SNAPSHOTS, SAMPLES = 100, 8, 24  # of a history; of a run; of a snapshot
START = 0


def make(path: Path = FILE) -> None:
    """Records every patient, ill and cured, and writes the file."""
    torch.set_num_threads(1)  # one thread adds up in the same order everywhere
    tensors: dict[str, Tensor] = {}
    for number, patient in PATIENTS.items():
        for state, program in (("ill", patient.program), ("cured", patient.cured())):
            tensors |= _as_tensors(f"{number:02d}/{state}", recorded(patient, program))
    digests = {str(number): digest(patient) for number, patient in PATIENTS.items()}
    with replacing(path) as partial:
        save_file(tensors, partial, {"digests": json.dumps(digests), "start": str(START)})
        partial.chmod(0o644)  # safetensors writes files that only their owner may read


def recorded(patient: Patient, program) -> Recording:
    """The whole run of a patient, as it goes into the data set."""
    moments = {round(1 + (patient.rounds - 1) * place / (SNAPSHOTS - 1)) for place in range(SNAPSHOTS)}
    return record(
        program,
        patient.draw,
        patient.rounds,
        START,
        every=max(1, patient.rounds // ENTRIES),
        snapshots_at=sorted(moments),
        samples=SAMPLES if patient.draw is samples_module.digits else 128,
        measures=patient.measures,
    )


def digest(patient: Patient) -> str:
    """Identifies what a recording was made with: both programs, the watch, the data, the number of rounds."""
    parts = [
        inspect.getsource(patient.program),
        repr(sorted(patient.cure.items())),
        inspect.getsource(recording_module),
        inspect.getsource(samples_module),
        repr((patient.rounds, sorted(patient.measures), ENTRIES, SNAPSHOTS, SAMPLES)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def recorded_digests() -> dict[int, str]:
    """What the file's recordings were made with, by patient."""
    with safe_open(FILE, framework="pt") as file:
        return {int(number): value for number, value in json.loads(file.metadata()["digests"]).items()}


@cache
def load(number: int, state: str) -> tuple[Recording, Tensor]:
    """A recorded run, and samples of the data as its program saw them.

    Args:
        number: of the patient, 1 to 10.
        state: "ill" or "cured".

    Raises:
        ValueError: there is no such recording.
    """
    prefix, found = f"{number:02d}/{state}/", Recording()
    with safe_open(FILE, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118, a method of the file
        if not names:
            raise ValueError(
                f"there is no recording {number}, {state!r}; patients are 1 to 10, 'ill' or 'cured'."
            )
        for name in names:
            kind, _, column = name.removeprefix(prefix).partition("/")
            if kind == "history":
                found.history[column] = file.get_tensor(name).double().tolist()
        images, shown = (
            file.get_tensor(f"{prefix}snapshots/images"),
            file.get_tensor(f"{prefix}snapshots/samples"),
        )
        real = _as_floats(file.get_tensor(f"{prefix}data"))
    found.snapshots = [(int(seen), _as_floats(some)) for seen, some in zip(images, shown, strict=True)]
    return found, real


def _as_tensors(prefix: str, run: Recording) -> dict[str, Tensor]:
    tensors = {f"{prefix}/history/{name}": torch.tensor(values) for name, values in run.history.items()}
    tensors[f"{prefix}/history/images"] = torch.tensor(run.history["images"], dtype=torch.int32)
    tensors[f"{prefix}/snapshots/images"] = torch.tensor(
        [seen for seen, _ in run.snapshots], dtype=torch.int32
    )
    tensors[f"{prefix}/snapshots/samples"] = _as_stored(torch.stack([some for _, some in run.snapshots]))
    tensors[f"{prefix}/data"] = _as_stored(run.shown["real"].detach())
    return tensors


def _as_stored(samples: Tensor) -> Tensor:
    """Images in [−1, 1] as bytes, points in 16 bits."""
    if samples.shape[-1] == 2:
        return samples.half().contiguous()
    return ((samples.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).contiguous()


def _as_floats(stored: Tensor) -> Tensor:
    return stored.float() / 127.5 - 1 if stored.dtype == torch.uint8 else stored.float()
