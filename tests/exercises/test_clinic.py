"""The clinic: each patient is ill in three seeds, and cured in three; what cures half is told so."""

import functools
import importlib
import inspect
import re
from pathlib import Path

import pytest
import torch

from course_utils.checks import run_check
from course_utils.exercises import clinic
from course_utils.exercises.clinic import PATIENTS, data_set, record
from course_utils.exercises.clinic.chart import chart
from course_utils.exercises.clinic.exercises import number_of
from course_utils.exercises.clinic.patient import is_untouched, same_code, unusable
from course_utils.plots import alt_text
from tools.notebooks import stub_source

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "solutions" / "07_when_training_fails.py"
SEEDS = (0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def treated(number, changes):
    """The program of a patient with other lines, as a learner might write it."""
    return PATIENTS[number]._replace(cure=changes).cured()


# --- ill, and cured ---


@pytest.mark.parametrize("number", PATIENTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_program_shows_its_symptom_in_every_seed(number, seed):
    patient = PATIENTS[number]
    recording = patient.run(patient.program, seed)
    assert patient.symptom(recording).startswith("still ill")
    assert unusable(recording, patient.rounds_to_tell) == ""  # nothing but the symptom


@pytest.mark.parametrize("number", PATIENTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_cure_takes_the_symptom_away_in_every_seed(number, seed):
    patient = PATIENTS[number]
    recording = patient.run(patient.cured(), seed)
    assert patient.symptom(recording) == ""
    assert unusable(recording, patient.rounds_to_tell) == ""


def test_there_are_ten_each_with_a_source_that_names_repository_and_year():
    assert list(PATIENTS) == list(range(1, 11))
    for patient in PATIENTS.values():
        assert re.search(r"^[\w.-]+/[\w.-]+, .*\b20\d\d\b", patient.source), patient.source
        lines = len(inspect.getsource(patient.program).splitlines())
        assert 20 <= lines <= 75, (patient.name, lines)


# --- diagnoses ---

DIAGNOSES = [(number, letter) for number, patient in PATIENTS.items() for letter in patient.otherwise]


@pytest.mark.parametrize("number", PATIENTS)
def test_the_right_diagnosis_passes_and_the_others_are_three(number):
    patient = PATIENTS[number]
    assert run_check(number_of(patient), f" ({patient.diagnosis.upper()}) ", "diagnosis").status == "right"
    assert {patient.diagnosis, *patient.otherwise} == set("abcd")
    assert run_check(number_of(patient), ..., "diagnosis").status == "not attempted"


@pytest.mark.parametrize(("number", "letter"), DIAGNOSES)
def test_each_wrong_diagnosis_has_an_answer_of_its_own(number, letter):
    verdict = run_check(number_of(PATIENTS[number]), letter, "diagnosis")
    assert verdict.status == "wrong"
    assert "hen " in verdict.message  # then it would have looked like …
    assert verdict.hints


def test_no_two_wrong_diagnoses_are_answered_alike():
    answers = [PATIENTS[number].otherwise[letter] for number, letter in DIAGNOSES]
    assert len(set(answers)) == len(answers) == 30


@pytest.mark.parametrize("nonsense", ["x", 3, len, ["b"], ""])
def test_a_diagnosis_is_one_of_four_letters(nonsense):
    assert '"a", "b", "c", "d"' in run_check("7.6", nonsense, "diagnosis").message


# --- cures in other forms ---

OTHER_CURES = [
    (1, {"critic(real).mean() - critic(fake).mean()": "critic(fake).mean() - critic(real).mean()"}),
    (1, {"g_loss.backward()": "(-g_loss).backward()"}),
    (2, {"        d_loss.backward()": "        discriminator.zero_grad()\n        d_loss.backward()"}),
    (2, {"g_loss.backward()": "g_loss.backward(inputs=list(generator.parameters()))"}),
    (2, {"g_optimizer.zero_grad()": "g_optimizer.zero_grad()\n        d_optimizer.zero_grad()"}),
    (3, {'optimizers["generator"], optimizers["generator"])': "*optimizers.values())"}),
    (4, {"nn.Softmax(dim=1)": "nn.Identity()"}),
    (4, {"nn.Softmax(dim=1)": "nn.LogSoftmax(dim=1)"}),  # softmax of a log-softmax is the softmax
    (5, {"gradients.norm(2, dim=1)": "gradients.norm(2, dim=(1, 2, 3))"}),
    (5, {"gradients.norm(2, dim=1)": "(gradients.square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()"}),
    (5, {"gradients.norm(2, dim=1)": 'torch.einsum("nchw,nchw->n", gradients, gradients).sqrt()'}),
    (5, {"(gradients.norm(2, dim=1) - 1).square().mean()":
         "sum((g.norm() - 1) ** 2 for g in gradients) / len(gradients)"}),
    (6, {"average.parameters(), generator.parameters()": (
        "(v for v in average.state_dict().values() if v.is_floating_point()), "
        "(v for v in generator.state_dict().values() if v.is_floating_point())"
    )}),
    (7, {"128, 0.8": "128, momentum=0.8"}),
    (7, {"128, 0.8": "128, eps=1e-5, momentum=0.2"}),
    (8, {"nn.Tanh()": "nn.Sigmoid()"}),
    (8, {"images.float() / 255": "(images.float() - 127.5) / 127.5"}),
    (8, {"images.float() / 255": "images.float() / 127.5 - 1",
         "            fake=fake": "            fake=fake.detach()"}),
    (8, {"fake = generator(torch.randn(64, 16))": "fake = (generator(torch.randn(64, 16)) + 1) / 2"}),
    (9, {"log_variance).mean()": "log_variance).sum() / 64"}),
    (9, {"kl = 0.5": "kl = 16 * 0.5"}),
    (10, {"torch.cov(one), torch.cov(other)": "(torch.cov(x.mT, correction=0) for x in (one, other))"}),
    (10, {"torch.cov(one), torch.cov(other)": "torch.cov(one.T), torch.cov(other.T)",
          "root(root(first) @ second @ root(first))":
          "torch.linalg.eigvals(first @ second).real.clamp(min=0).sqrt().diag()"}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("number", "changes"), OTHER_CURES)
def test_a_cure_in_another_form_passes(number, changes):
    verdict = run_check(number_of(PATIENTS[number]), treated(number, changes))
    assert verdict.status == "right", verdict.message
    assert "Published: " in verdict.message


# --- half cures ---

HALF_CURES = [
    (1, {"g_loss = -critic": "g_loss = critic", "critic(real).mean() - critic(fake).mean()":
         "critic(fake).mean() - critic(real).mean()"}, "still ill: after 60 rounds the samples lie"),
    (1, {"generator.parameters(), lr=1e-3": "generator.parameters(), lr=1e-6"}, "stay where they started"),
    (1, {"g_loss = -critic(fake).mean()": "g_loss = (fake**2).mean()"}, "stay where they started"),
    (2, {"g_optimizer.zero_grad()": "g_optimizer.zero_grad()\n        g_optimizer.zero_grad()"},
     "takes both for real"),
    (2, {"parameters(), lr=3e-3": "parameters(), lr=1e-3"}, "takes both for real"),
    (3, {"d_optimizer.step()": "d_optimizer.step()\n        optimizers['discriminator'].step()"},
     "D learns now. But"),
    (3, {'optimizers["generator"], optimizers["generator"])':
         'optimizers["discriminator"], optimizers["discriminator"])'}, "generator's weights have not moved"),
    (4, {"nn.Softmax(dim=1)": "nn.Sigmoid()"}, "It cannot get below 1.461"),
    (4, {"+ class_loss": "+ 5 * class_loss"}, "It cannot get below 1.461"),
    (4, {" + class_loss": "", "nn.Softmax(dim=1)": "nn.Identity()"}, "no longer teaches it"),
    (5, {"gradients.norm(2, dim=1)": "gradients.flatten(1).square().mean(dim=1).sqrt()"}, "gradient is 7"),
    (5, {"10 * penalty": "100 * penalty"}, "should be about 1. Of `gradients`"),
    (5, {"gradients.norm(2, dim=1)": "gradients.norm(2)"}, "for each image"),
    (5, {"            penalty=penalty,\n": "", "norm(2, dim=1)": "flatten(1).norm(2, dim=1)"},
     "no longer shows"),
    (6, {"deepcopy(generator).eval()": "deepcopy(generator)"}, "made in training mode"),
    (6, {"mean.lerp_(latest, 0.05)": "mean.copy_(latest)"}, "still ill: the samples of `average` are"),
    (6, {"average=average": "average=generator", "saved = average(": "saved = generator("},
     "no average of it"),
    (7, {"nn.Linear(16, 128), nn.BatchNorm1d(128, 0.8)": "nn.Linear(16, 128), nn.BatchNorm1d(128)"},
     "behind batch normalisation 2"),
    (7, {"128, 0.8": "128, 0.1"}, "behind batch normalisation 1"),
    (7, {"nn.BatchNorm1d(128, 0.8)": "nn.Identity()"}, "0 batch normalisations left of 3"),
    (8, {"            real=real": "            real=2 * real - 1"}, "for the picture only"),
    (8, {"images.float() / 255": "images.float() / 255 - 0.5"}, "[-0.5, 0.5]"),
    (8, {"nn.Tanh()": "nn.Tanh(), nn.Hardtanh(0, 0.4)"}, "cannot be black and white"),
    (8, {"float() / 255": "float() / 127.5 - 1", "generator.parameters(), lr=1e-3":
         "generator.parameters(), lr=1e-7"}, "generator hardly moves"),
    (9, {"log_variance).mean()": "log_variance).sum()"}, "the codes say nothing"),
    (9, {"sum(dim=(1, 2, 3)).mean()": "mean()"}, "the codes say nothing"),
    (9, {"lr=3e-3": "lr=6e-3"}, "how many does `kl` count"),
    (10, {"torch.cov(one), torch.cov(other)": "torch.eye(64), torch.eye(64)"}, "nly the means are compared"),
    (10, {"torch.cov(one), torch.cov(other)": "one.var(dim=0).diag(), other.var(dim=0).diag()"}, "together"),
    (10, {"torch.cov(one), torch.cov(other)": "torch.cov(one.T), torch.cov(other.T)",
          "- 2 * mixed": "- mixed"}, "counts twice"),
    (10, {"torch.cov(one), torch.cov(other)": "torch.cov(one) / 8, torch.cov(other) / 8"}, "still ill"),
    (1, {"nn.Linear(64, 2))": "nn.Linear(64, 2), nn.Tanh())"}, "gathered in one place"),
    (3, {"torch.optim.Adam(generator.parameters()": "torch.optim.Adam([*generator.parameters(), "
         "*discriminator.parameters()]", 'optimizers["generator"], optimizers["generator"])':
         "*optimizers.values())"}, "moves D for G's sake"),
    (4, {"scores, labels)": "scores, labels) - 1.46"}, "not to be shifted"),
    (4, {"scores, labels)": "scores.log(), labels)"}, "D's class loss is cured"),
    (6, {"saved = average(": "saved = generator("}, "still ill: the samples of `average` are"),
    (5, {"(gradients.norm(2, dim=1) - 1).square().mean()":
         "(gradients.flatten(1).norm(2, dim=1).mean() - 1).square()"}, "mean of the lengths"),
    (5, {"(gradients.norm(2, dim=1) - 1).square().mean()":
         "(1 - gradients.square().sum(dim=(1, 2, 3)).sqrt().sum() / 64) ** 2"}, "mean of the lengths"),
    (8, {"fake = generator(torch.randn(64, 16))": "fake = generator(torch.randn(64, 16)).clamp(min=0)"},
     "cut off"),
    (8, {"nn.Tanh()": "nn.Tanh(), nn.ReLU()"}, "cut off"),
    (10, {"torch.cov(one), torch.cov(other)": "torch.cov(one.T), torch.cov(other.T)",
          "root(first) @ second @ root(first)": "first @ second"}, "`eigh` takes its matrix for symmetric"),
    (10, {"torch.cov(one), torch.cov(other)": "torch.cov(one.T), torch.cov(other.T)",
          "root(first) @ second @ root(first)": "second @ first"}, "`eigh` takes its matrix for symmetric"),
    (10, {"torch.cov(one), torch.cov(other)": "torch.cov(one.T), torch.cov(other.T)",
          "root(root(first) @ second @ root(first))": "root(first) @ root(second)"}, "not Σ₁^½Σ₂^½"),
    # cured, and something else is lost
    (2, {"        d_loss.backward()": "        d_optimizer.zero_grad()\n        d_loss.backward()",
         "        g_optimizer.step()\n": ""}, "generator does not move"),
    (7, {"128, 0.8": "128", "        g_optimizer.step()\n": ""}, "generator does not move"),
    (7, {"128, 0.8": "128", "        d_optimizer.step()\n": ""}, "discriminator does not move"),
    (7, {"128, 0.8": "128", "generator(torch.randn(64, 16))": "generator(torch.ones(64, 16))"},
     "ll samples of a round are the same"),
    (1, {"            fake=fake": "            fake=real"}, "not made by the generator"),
    (8, {"            fake=fake": "            fake=real"}, "not made by the generator"),
    (8, {"            fake=fake": "            fake=torch.rand_like(fake)"}, "not made by the generator"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "changes", "words"), HALF_CURES)
def test_a_half_cure_is_refused_with_its_own_message(number, changes, words):
    verdict = run_check(number_of(PATIENTS[number]), treated(number, changes))
    assert verdict.status == "wrong"
    assert words in verdict.message.replace("Still", "still"), verdict.message
    assert verdict.hints


def stops_early(draw, rounds, start, watch):
    PATIENTS[1].cured()(draw, rounds // 2, start, watch)


def breaks(draw, rounds, start, watch):
    return PATIENTS[1].cured()(lambda n, rng: draw(n, rng) * float("nan"), rounds, start, watch)


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (PATIENTS[1].program, "not attempted", ""),
        (lambda draw, rounds, start, watch: None, "wrong", "never calls its `watch`"),
        (stops_early, "wrong", "has shown 30"),
        (breaks, "wrong", "infinite, or no number"),
        ("b", "wrong", "the function `patient_1`"),
        (lambda draw: None, "wrong", "TypeError"),
        (PATIENTS[2].cured(), "right", ""),  # another healthy program on the same data
    ],
)
def test_what_is_no_treatment_is_told_so(answer, status, words):
    verdict = run_check("7.6", answer)
    assert verdict.status == status
    assert words in verdict.message


def test_the_program_as_it_was_found_is_known_by_its_code_alone(tmp_path, monkeypatch):
    source = inspect.getsource(PATIENTS[3].program)
    commented = source.replace("    for _", "    # a comment\n    for _")
    moved = f"import torch\n\n# moved, and commented\n{commented}"
    (tmp_path / "a_cell.py").write_text(moved, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert is_untouched(importlib.import_module("a_cell").patient_3, PATIENTS[3].program)
    assert not is_untouched(len, PATIENTS[3].program)
    only_a_number = PATIENTS[7].cured_source()
    assert not same_code(only_a_number, inspect.getsource(PATIENTS[7].program))


def test_a_cure_whose_lines_are_gone_is_noticed():
    with pytest.raises(ValueError, match="out of date"):
        PATIENTS[1]._replace(cure={"no such line": ""}).cured()


# --- the watch ---


def test_the_watch_notes_steps_gradients_and_ways():
    def program(draw, rounds, start, watch):
        network = torch.nn.Linear(1, 1, bias=False)
        network.weight.data.fill_(5.0)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
        for _ in range(rounds):
            for _ in range(2):
                loss = 2 * network.weight.sum()  # gradient 2, so each step is −1
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            fake = torch.tensor([[0.0], [3.0]])
            watch(
                real=fake, fake=fake, generator=network, loss=loss, real_logits=torch.tensor([1.0, 2.0, -3.0])
            )

    found = record(
        program, None, 3, 0, every=2, snapshots_at=[3], measures={"judged": lambda s: len(s["judged"])}
    )
    assert found.history["images"] == [2, 4]
    assert found.history["loss"] == [8.0, 4.0]  # before the second step of each round
    assert found.history["generator_gradient"] == [2.0, 2.0]
    assert found.history["generator_moved"] == [0.0, pytest.approx(2 / 3)]  # from 3 to 1
    assert found.history["real_accuracy"] == pytest.approx([2 / 3, 2 / 3])
    assert found.history["fake_diversity"] == [3.0, 3.0]
    assert (found.rounds, found.steps) == (3, {"generator": 6})
    assert [seen for seen, _ in found.snapshots] == [6]


# --- the data set ---


def test_the_recordings_are_of_the_programs_as_they_are():
    wanted = {number: data_set.digest(patient) for number, patient in PATIENTS.items()}
    assert data_set.recorded_digests() == wanted, "record anew: python -m course_utils.exercises.clinic"


@pytest.mark.parametrize("state", ["ill", "cured"])
def test_a_recording_agrees_with_another_run(state):
    patient = PATIENTS[3]
    program = patient.program if state == "ill" else patient.cured()
    kept, real = data_set.load(3, state)
    again = data_set.recorded(patient._replace(rounds=patient.rounds), program)
    for column, values in again.history.items():
        # The beginning: later, the machines' last digits have grown.
        assert kept.history[column][:10] == pytest.approx(values[:10], rel=0.02, abs=0.02), column
    assert [seen for seen, _ in kept.snapshots] == [seen for seen, _ in again.snapshots]
    assert torch.allclose(kept.snapshots[0][1], again.snapshots[0][1], atol=0.01)
    assert real.shape == (128, 2)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 8, 9, 10])  # that of 6 and 7 is read off the networks
def test_the_recorded_runs_show_and_do_not_show_the_symptom(number):
    patient = PATIENTS[number]
    (ill, _), (cured, _) = data_set.load(number, "ill"), data_set.load(number, "cured")
    ill.rounds = cured.rounds = patient.rounds
    ill.steps = cured.steps = {"generator": patient.rounds, "discriminator": patient.rounds}
    assert patient.symptom(ill).startswith("still ill")
    assert patient.symptom(cured) == ""


def test_the_data_set_is_small_and_documented():
    assert data_set.FILE.stat().st_size < 500_000
    text = (data_set.FILE.parent / "README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    for number, patient in PATIENTS.items():
        assert f"| {number} | `{patient.name}`" in text
        for state in ("ill", "cured"):
            for column in data_set.load(number, state)[0].history:
                assert f"`{column}`" in text, column


def test_there_is_no_eleventh_recording():
    with pytest.raises(ValueError, match="no recording 11"):
        data_set.load(11, "ill")
    with pytest.raises(ValueError, match="no patient 11"):
        chart(11)


@pytest.mark.parametrize("number", PATIENTS)
def test_a_chart_says_in_words_what_it_shows_and_names_no_mistake(number):
    said = alt_text(chart(number))
    assert f"Patient {number}" in said
    for panel in PATIENTS[number].charts:
        assert panel.title in said
    assert PATIENTS[number].name.replace("_", " ") not in said.lower()


# --- the notebook shows the programs that are tested ---


@functools.cache
def programs_of_the_notebook():
    cells = SCRIPT.read_text(encoding="utf-8").split("\n# %%")
    return {
        int(match[1]): cell[cell.index("def patient_") :].rstrip() + "\n"
        for cell in cells
        if (match := re.search(r"^def patient_(\d+)\(", cell, re.MULTILINE))
    }


@pytest.mark.parametrize("number", PATIENTS)
def test_learners_find_the_program_that_was_recorded_and_the_solution_its_cure(number):
    patient, cell = PATIENTS[number], programs_of_the_notebook()[number]
    remark = f"    # {clinic.REMARK}\n"
    assert remark in cell
    assert stub_source(cell).replace(remark, "").rstrip() == inspect.getsource(patient.program).rstrip()
    assert same_code(cell, patient.cured_source())
