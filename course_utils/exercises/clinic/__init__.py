"""The clinic of notebook 07: ten programs, each with one published mistake, and their recorded runs.

patients/       a file for each: the program, its symptom, its diagnosis, its cure, where it was published
patient.py      what belongs to a patient, and how a diagnosis and a cure are checked
recording.py    the watch that a program reports to, once a round
samples.py      the data: points of five hills, digits of 8×8 pixels
ten_sick_gans/  the recorded runs, sick and cured: a data set of its own, with a README
data_set.py     writes and reads it: `python -m course_utils.exercises.clinic`
"""

from course_utils.exercises.clinic.patient import REMARK, Chart, Curve, Patient, check_cure, check_diagnosis
from course_utils.exercises.clinic.patients import PATIENTS
from course_utils.exercises.clinic.recording import Recording, Watch, record

__all__ = [
    "PATIENTS",
    "REMARK",
    "Chart",
    "Curve",
    "Patient",
    "Recording",
    "Watch",
    "check_cure",
    "check_diagnosis",
    "record",
]
