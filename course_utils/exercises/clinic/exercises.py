"""The clinic's exercises: for each patient a diagnosis, from the chart alone, and a cure."""

from course_utils.checks import Part, exercise
from course_utils.exercises.clinic.patient import Patient, check_cure, check_diagnosis
from course_utils.exercises.clinic.patients import PATIENTS

NOTEBOOK, BEFORE = 7, 5  # the notebook, and how many exercises it has before the clinic
SECONDS = 600  # three runs compute for two seconds; minutes where the machine is busy


def number_of(patient: Patient) -> str:
    """The exercise of a patient, such as "7.6"."""
    return f"{NOTEBOOK}.{BEFORE + patient.number}"


def admit(patient: Patient) -> None:
    """Declares a patient's exercise."""

    def diagnosis(answer):
        return check_diagnosis(patient, answer)

    @exercise(
        number_of(patient),
        title=f"Patient {patient.number}: {patient.title}",
        difficulty=patient.difficulty,
        minutes=patient.minutes,
        hints=patient.hints,
        seconds=SECONDS,
        parts={"diagnosis": Part(diagnosis, patient.where_to_look)},
    )
    def cure(answer):
        return check_cure(patient, answer)


for one in PATIENTS.values():
    admit(one)
