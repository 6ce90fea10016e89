"""Each checker of every notebook is fed its own right answers, spoilt by machine, one fault at a time.

The right answers are the list RIGHT of each notebook's own test file, so a new exercise is here by itself,
and one without right answers fails. A spoilt answer has to be refused, with a message of its own; or HARMLESS
says why this exercise may let it pass.
"""

import functools
import importlib.util
import random
import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from course_utils.checks import devices, run_check
from course_utils.checks.verdict import exercise_modules, exercises_of

TESTS = Path(__file__).parents[1]

# What a checker says when it has no idea what is wrong.
RAISES = re.compile("error|Untouchable|fails at every touch")  # here the error is what is wrong
GENERIC = re.compile(r"where .* was expected|could not use what|stopped with an error")


def right_answers() -> dict[str, list]:
    """Number of an exercise → its right answers, for every exercise of every notebook."""
    found = {}
    for notebook in exercise_modules():
        (path,) = TESTS.rglob(f"test_ex{notebook:02d}*.py")
        spec = importlib.util.spec_from_file_location(f"right_answers_{notebook:02d}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for one in exercises_of(notebook):
            found[one.number] = [answer for number, answer in module.RIGHT if number == one.number]
    return found


ANSWERS = right_answers()


# --- how an answer is spoilt: each takes (result, arguments), and returns what is handed back instead ---


def tree(change, value):
    """`change` at every tensor and number of a result."""
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(tree(change, part) for part in value)
    if isinstance(value, nn.Module) or value is None:
        return value
    return change(value)


def of_result(change):
    return lambda result, arguments: tree(change, result)


def detached(part):
    return part.detach() if isinstance(part, torch.Tensor) and part.requires_grad else part


def float64(part):
    if isinstance(part, torch.Tensor) and part.dtype == torch.float32:
        return part.double()
    return part


def float32(part):
    return part.float() if isinstance(part, torch.Tensor) and part.dtype == torch.float64 else part


def numpy(part):
    return part.detach().numpy() if isinstance(part, torch.Tensor) else part


def python_numbers(part):
    return part.tolist() if isinstance(part, torch.Tensor) else part


def constant(part):
    if isinstance(part, torch.Tensor):
        return torch.full_like(part, 3).requires_grad_(part.requires_grad)
    return 3


def drawn(part):
    if isinstance(part, torch.Tensor):
        return torch.rand(part.shape).mul(10**6).to(part.dtype).requires_grad_(part.requires_grad)
    return random.randrange(2, 10**6)


def one_element(part):
    return part.reshape(1) if isinstance(part, torch.Tensor) and part.dim() == 0 else part


def transposed(part):
    return part.transpose(0, 1) if isinstance(part, torch.Tensor) and part.dim() > 1 else part


def shorter(part):
    return part[:-1] if isinstance(part, torch.Tensor) and part.dim() else part


def nan(part):
    if isinstance(part, torch.Tensor):
        return part * float("nan") if part.is_floating_point() else part
    return float("nan")


def arguments_changed(result, arguments):
    result = tree(lambda part: part.clone() if isinstance(part, torch.Tensor) else part, result)
    changed = False
    with torch.no_grad():
        for one in arguments:
            if isinstance(one, torch.Tensor):
                one.copy_(one.flip(0) + 1)
                changed = True
            elif isinstance(one, (list, dict)) and one:
                one.pop() if isinstance(one, list) else one.popitem()
                changed = True
    return result if changed else UNTOUCHED


def of_networks(change):
    """`change` at every network that was handed over or handed back."""

    def spoil(result, arguments):
        networks = [one for one in (result, *arguments) if isinstance(one, nn.Module)]
        for network in networks:
            change(network)
        return result if networks else UNTOUCHED

    return spoil


def frozen(network):
    network.requires_grad_(False)


@torch.no_grad()
def other_weights(network):
    for weight in network.parameters():
        weight.copy_(torch.rand_like(weight))


@torch.no_grad()
def constant_network(network):
    for weight in network.parameters():
        weight.zero_()


class Untouchable:
    """Fails at every touch."""

    def _fail(self, *arguments, **keywords):
        raise RuntimeError("do not touch")

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __float__ = _fail
    __getattr__ = __getitem__ = __array__ = _fail


UNTOUCHED = object()
SPOILT = {
    "detached": of_result(detached),
    "float64 for float32": of_result(float64),
    "float32 for float64": of_result(float32),
    "NumPy": of_result(numpy),
    "Python numbers": of_result(python_numbers),
    "constant": of_result(constant),
    "drawn at random": of_result(drawn),
    "one element for none": of_result(one_element),
    "transposed": of_result(transposed),
    "last row missing": of_result(shorter),
    "NaN": of_result(nan),
    "arguments changed": arguments_changed,
    "networks frozen": of_networks(frozen),
    "networks in evaluation mode": of_networks(nn.Module.eval),
    "networks of another type": of_networks(nn.Module.double),
    "networks with other weights": of_networks(other_weights),
    "networks without weights": of_networks(constant_network),
    "a string": lambda result, arguments: "nonsense",
    "a pair": lambda result, arguments: (result, "and more"),
    "an object that fails at every touch": lambda result, arguments: Untouchable(),
    "nothing": lambda result, arguments: None,
}


BY_EFFECT = {"arguments changed", *(name for name in SPOILT if name.startswith("networks"))}


def spoil(answer, name, touched: list):
    """The answer with one fault; `touched` notes whether that made any difference."""

    def spoilt(*arguments):
        result = answer(*arguments)
        handed_back = SPOILT[name](result, arguments)
        if handed_back is UNTOUCHED:
            return result
        if name in BY_EFFECT or not same(handed_back, result):
            touched.append(True)
        return handed_back

    return spoilt


def same(one, other) -> bool:
    if type(one) is type(other) and isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other


def remembering(answer):
    """Works out its first result, and hands it back ever after."""
    results = []

    def spoilt(*arguments):
        if not results:
            results.append(answer(*arguments))
        return results[0]

    return spoilt


class Drawing(TorchFunctionMode):
    """While it is on, random numbers of one shape are drawn once, and are the same ever after."""

    def __init__(self, touched):
        super().__init__()
        self.touched, self.drawn = touched, {}

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        keywords = keywords or {}
        if function not in (torch.randn, torch.rand):
            return function(*arguments, **keywords)
        if arguments in self.drawn:
            self.touched.append(True)
        else:
            self.drawn[arguments] = function(*arguments, **keywords)
        return self.drawn[arguments].clone()


class Forgetting(TorchFunctionMode):
    """While it is on, what makes a tensor is not told on which device."""

    def __init__(self, touched):
        super().__init__()
        self.touched = touched

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        keywords = dict(keywords or {})
        if function in devices.MAKERS and keywords.pop("device", None) is not None:
            self.touched.append(True)
        return function(*arguments, **keywords)


INSIDE = {"random numbers drawn once": Drawing, "devices forgotten": Forgetting}


def within(mode, answer, touched: list):
    """The answer with all of torch's functions passing through the mode."""

    def spoilt(*arguments):
        with mode(touched):
            return answer(*arguments)

    return spoilt


def raising(*arguments):
    raise ValueError("by machine")


def spoilt_values(answer):
    """What might be given in place of a value or a letter."""
    yield "a function", lambda: answer
    yield "an object that fails at every touch", Untouchable()
    yield "nonsense", "nonsense"
    if isinstance(answer, str):
        yield "a number", 3
        for letter in "abcdef":
            if letter != answer.strip().lower():
                yield f"the letter {letter}", letter
    elif isinstance(answer, dict):
        yield "a list", list(answer.values())
        for key in answer:
            yield f"without {key}", {name: value for name, value in answer.items() if name != key}
            yield f"nonsense for {key}", {**answer, key: "nonsense"}
            yield f"Untouchable for {key}", {**answer, key: Untouchable()}
    else:
        number = float(answer)
        yield from [("twice", 2 * number), ("minus", -number), ("zero", 0.0), ("ten", 10.0)]
        yield from [("a thousandth", number / 1000), ("a little more", 1.3 * number)]
        yield from [("NaN", float("nan")), ("infinity", float("inf")), ("complex", complex(number, 1))]
        yield from [("two of them", [number, number]), ("one element", torch.tensor([number]))]


SILENT = {f"7.{place}" for place in range(6, 16)}  # programs that return nothing: they tell it to their watch
OF_SILENT = (
    "a string",
    "a pair",
    "an object that fails at every touch",
)  # faults that nothing returned can have

# (exercises, faults, why they may pass there). What does not pass has no place here, and the test says so.
TYPES = ("detached", "float64 for float32", "float32 for float64", "NumPy", "Python numbers")
NOT_USED = "nothing that follows in the notebook uses the answer"
PRINTED = "the notebook only prints it as a number"
HARMLESS = [
    ("0.1", TYPES[1:3], "the notebook makes float32 of it"),
    ("0.5", TYPES, "the notebook makes int() of each place"),
    ("1.1 6.5", TYPES[1:], PRINTED),
    ("1.3", TYPES[1:3], "backward() goes through any type"),
    ("1.7", TYPES[1:3], "the notebook only looks at the rows"),
    ("1.4", TYPES[2:], "only compared with another number, to 1e-6, and printed"),
    ("2.1 2.2 2.3 2.5 5.1 6.1", TYPES, NOT_USED),
    ("3.7", TYPES[1:3], NOT_USED),
    ("2.7", ["float32 for float64"], PRINTED),
    ("3.1 3.2", TYPES, "the notebook makes float() of the loss"),
    ("3.4", ["detached"], "arrows of the reference are without history, too"),
    ("4.4", TYPES, "its number is printed"),
    ("5.3", OF_SILENT, "what it returns is not used"),
    ("7.1 7.5", TYPES[1:], PRINTED),
    *((number, OF_SILENT, "what it returns is not used") for number in sorted(SILENT)),
    (
        " ".join(sorted(SILENT)),
        ["devices forgotten", "random numbers drawn once"],
        "a patient is asked about its own illness, on the CPU",
    ),
    (
        "0.1 3.3 4.1 4.6 5.5 6.4 6.5 8.4 9.7",
        ["devices forgotten"],
        "the notebook hands over what is on the CPU",
    ),
    ("10.3", [*TYPES, "devices forgotten"], "the notebook makes float() of both parts"),
    ("10.4 10.5", TYPES, PRINTED),
    (
        "9.1 9.2 9.3 9.4 9.5 9.6 9.7 9.8 9.11 9.12 9.13",
        TYPES[1:],
        "the notebook makes float() of each number",
    ),
    ("11.4", ["networks in evaluation mode"], "the generator comes in evaluation mode, and stays in it"),
    ("11.4", ["devices forgotten"], "only Adam's own counters are made with a device"),
    ("11.5", TYPES, "the notebook uses neither loss"),
    ("12.5", TYPES[1:], "the notebook makes float() of it"),
    ("13.7", TYPES[3:], PRINTED),
]


# One network, one objective is all that these ask for: nothing is wrong with the same one at each call.
ONE_RESULT = {"6.2", "8.5"}


def harmless(number: str) -> set[str]:
    return {fault for exercises, some, _ in HARMLESS if number in exercises.split() for fault in some}


@functools.cache
def faults(number):
    """(fault, verdict) for everything that up to three right answers of an exercise become when spoilt."""
    return [found for answer in ANSWERS[number][:4] for found in faults_of(number, answer)]


def faults_of(number, answer):
    if not callable(answer):
        return [(name, run_check(number, value)) for name, value in spoilt_values(answer)]
    found = [("an error", run_check(number, raising))]
    for name in OF_SILENT if number in SILENT else SPOILT:
        touched: list = []
        verdict = run_check(number, spoil(answer, name, touched))
        if touched:
            found.append((name, verdict))
        else:
            assert verdict.status == "right", f"{name} changes nothing, and is refused: {verdict}"
    for name, mode in INSIDE.items():
        touched = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(devices, "pick_device", lambda: torch.device("cuda"))
            verdict = run_check(number, within(mode, answer, touched))
        if touched:
            found.append((name, verdict))
    if number not in ONE_RESULT:
        found.append(("its first result remembered", run_check(number, remembering(answer))))
    return found


def test_every_exercise_has_right_answers():
    assert [number for number, answers in ANSWERS.items() if not answers] == []


# Whole trainings and analyses, many networks, many draws: each of some forty mutations runs one.
LONG = [
    "2.2",
    "2.7",
    "3.3",
    "4.1",
    "4.6",
    "5.2",
    "5.3",
    "5.6",
    "6.4",
    "6.5",
    "6.6",
    "8.4",
    "8.5",
    "11.4",
    *SILENT,
]


@pytest.mark.parametrize(
    "number",
    [pytest.param(one, marks=pytest.mark.slow) if one in LONG else one for one in ANSWERS],
)
def test_a_spoilt_right_answer_is_refused_with_a_message_of_its_own(number):
    accepted, generic = {}, {}
    for fault, verdict in faults(number):
        if verdict.status == "right":
            accepted[fault] = verdict.message
        elif GENERIC.search(verdict.message) and not RAISES.search(fault):
            generic[fault] = verdict.message
    assert set(accepted) - harmless(number) == set(), accepted
    assert generic == {}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(one, marks=pytest.mark.slow, id=one[0]) if set(one[0].split()) & set(LONG) else one
        for one in HARMLESS
    ],
    ids=lambda entry: entry[0],
)
def test_what_is_said_to_be_harmless_passes(entry):
    exercises, some, _ = entry
    passed = {
        fault
        for number in exercises.split()
        for fault, verdict in faults(number)
        if verdict.status == "right"
    }
    assert set(some) & passed, "a stale entry"
