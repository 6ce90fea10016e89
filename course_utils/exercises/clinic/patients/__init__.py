"""The ten patients, by number."""

from course_utils.exercises.clinic.patient import Patient
from course_utils.exercises.clinic.patients import (
    average_without_buffers,
    averaged_kl,
    covariance_of_samples,
    large_epsilon,
    leftover_gradients,
    norm_per_pixel,
    softmax_twice,
    turned_sign,
    two_ranges,
    wrong_optimizer,
)

PATIENTS: dict[int, Patient] = {
    module.PATIENT.number: module.PATIENT
    for module in (
        turned_sign,
        leftover_gradients,
        wrong_optimizer,
        softmax_twice,
        norm_per_pixel,
        average_without_buffers,
        large_epsilon,
        two_ranges,
        averaged_kl,
        covariance_of_samples,
    )
}
