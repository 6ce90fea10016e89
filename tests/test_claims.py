"""Sentences of the prose are held against runs: each rule, seen broken once."""

import json

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import claims, notebooks, prose_numbers
from tools.claims import Claim, ClaimError
from tools.lint import UNCONVERTED, anchors_of_course, cross_references, literal_seeds, strict
from tools.readme import CLAIMS
from tools.run import ROOT

PRESENT = [script.stem for script in notebooks.choose_scripts([])]


# --- the course's own sentences -------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in PRESENT if name not in UNCONVERTED])
def test_what_a_converted_notebook_says_is_accounted_for(name):
    script = ROOT / "solutions" / f"{name}.py"
    assert claims.read(script), "a converted notebook states results: they are claims"
    assert strict(script, anchors_of_course()) == []


def test_only_notebooks_that_there_are_wait_to_be_converted():
    assert set(UNCONVERTED) <= set(PRESENT)


@pytest.mark.generated
def test_the_page_of_claims_is_up_to_date():
    assert CLAIMS.read_text(encoding="utf-8") == claims.page(ROOT / "solutions"), (
        "call `python -m tools.readme`"
    )


# --- a small course -------------------------------------------------------------------------------------

SCRIPT = """# %% [markdown]
# # A title
#
# A sentence about *what* comes
# out: it is at least 3. In this run it is 7.

# %%
import os

numbers = [3, 4 + 1000 * int(os.environ["COURSE_SEED"])]
print(*numbers)

# %% tags=["claim"]
numbers_copy = numbers[:]
claim("about what comes out: it is at least 3", min(numbers) >= 3, every_seed=True)
claim("In this run it is 7", sum(numbers) == 7)

# %%
assert "numbers_copy" not in globals()
"""
NAME = "01_minimax_objective"


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "solutions" / f"{NAME}.py"
    path.parent.mkdir()
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_claims_run_in_the_notebook_and_leave_no_trace_in_it(script):
    result = notebooks.execute_solution(script)
    assert result.problem == ""
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert "claim" not in json.dumps(notebook)
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2]
    kept = claims.load(script)
    assert [one["results"] for one in kept["claims"]] == [
        {"0": {"holds": True, "values": {"min(numbers)": 3}}},
        {"0": {"holds": True, "values": {"sum(numbers)": 7}}},
    ]
    notebooks.build(root=script.parents[1])
    learner = (script.parents[1] / "notebooks" / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "claim" not in learner
    assert notebooks.drift(script.parents[1]) == [
        f"solutions/{NAME}.claims.json has results of 1 seed(s) where 3 are the least; "
        "run `make claims NOTEBOOKS=01 SEEDS=3`."
    ]


@pytest.mark.slow
def test_other_seeds_are_run_once_and_tell_what_holds_in_every_run(script):
    notebooks.execute_solution(script)
    before = script.with_suffix(".ipynb").read_bytes()
    assert notebooks.seeds_to_run(script, 3) == [1, 2]
    for seed in (1, 2):
        assert notebooks.repeat_claims(script, seed).problem == ""
    assert script.with_suffix(".ipynb").read_bytes() == before
    assert notebooks.seeds_to_run(script, 3) == []
    assert notebooks.seeds_to_run(script, 3, again=True) == [0, 1, 2]
    assert [line.split("  ")[1:] for line in notebooks.claims_table(script)] == [
        ["3 of 3", "every seed", "", " about what comes out: it is at least 3"],
        ["1 of 3", "the run shown", "In this run it is 7"],
    ]
    table = claims.page(script.parent)
    assert "| about what comes out: it is at least 3 | every seed | `min(numbers)` = 3 | 3 of 3 |" in table
    assert "| In this run it is 7 | the run shown | `sum(numbers)` = 7 | 1 of 3 |" in table
    notebooks.build(root=script.parents[1])
    assert notebooks.drift(script.parents[1]) == []


@pytest.mark.slow
def test_a_false_claim_fails_the_execution_with_its_place_and_values_and_keeps_the_former_outputs(script):
    notebooks.execute_solution(script)
    former = {path: path.read_bytes() for path in script.parent.glob("*.*") if path != script}
    edit(script, "[3, 4", "[2, 4")
    problem = notebooks.execute_solution(script).problem
    assert problem.splitlines() == [
        f"solutions/{NAME}.py:15: this does not hold: 'about what comes out: it is at least 3' "
        "(`min(numbers)` = 2)",
        f"solutions/{NAME}.py:16: this does not hold: 'In this run it is 7' (`sum(numbers)` = 6)",
    ]
    assert {path: path.read_bytes() for path in former} == former


@pytest.mark.slow
def test_a_claim_of_every_seed_that_one_seed_refutes_fails_and_is_remembered(script):
    edit(script, "sum(numbers) == 7)", "sum(numbers) == 7, every_seed=True)")
    notebooks.execute_solution(script)
    problem = notebooks.repeat_claims(script, 1).problem
    assert problem == (
        f"solutions/{NAME}.py:16: this does not hold: 'In this run it is 7' (`sum(numbers)` = 1007)"
    )
    found = claims.stale(script, notebooks.claims_digest(script))
    assert any("does not hold with seed 1: 'In this run it is 7'" in one for one in found)


@pytest.mark.slow
def test_an_error_in_a_claim_cell_is_a_failure_and_so_is_one_that_is_never_reached(script):
    edit(script, "min(numbers)", "min(nowhere)")
    assert "NameError" in notebooks.execute_solution(script).problem
    edit(script, "min(nowhere)", "min(numbers)")
    edit(script, 'claim("In this', 'if not numbers:\n    claim("In this')
    with pytest.raises(ClaimError, match="In this run it is 7' was never reached"):
        notebooks.execute_solution(script)


@pytest.mark.slow
def test_results_follow_a_new_wording_and_are_out_of_date_after_a_new_condition(script):
    root = script.parents[1]
    notebooks.execute_solution(script)
    for seed in (1, 2):
        notebooks.repeat_claims(script, seed)
    notebooks.build(root=root)
    edit(script, "it is at least 3. In", "the least is 3. In")
    edit(
        script,
        '"about what comes out: it is at least 3", min',
        '\n    # shorter\n    "the least "\n    "is 3",\n    min',
    )
    edit(script, "every_seed=True)", "every_seed=True,\n)")
    assert f"solutions/{NAME}.claims.json does not agree with {NAME}.py" in " ".join(notebooks.drift(root))
    notebooks.build(root=root)
    assert notebooks.drift(root) == []
    assert claims.load(script)["claims"][0]["sentence"] == "the least is 3"
    edit(script, "min(numbers) >= 3", "min(numbers) >= 2")
    notebooks.build(root=root)
    assert notebooks.drift(root) == [
        f"solutions/{NAME}.claims.json does not hold the results of the script's claims; run `make execute`."
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("a < b < 4", {"a": 1, "b": 2.5}),
        ("about(b, 2.4) and not a > b", {"a": 1, "b": 2.5}),
        ("(t > 0).all()", {}),
        ("t.max() > 0.5", {"t.max()": 0.6667}),
        ("all(x > 0 for x in t)", {}),
    ],
)
def test_what_a_condition_compares_is_kept_with_the_result(script, condition, values):
    edit(script, "print(*numbers)", "import torch\na, b, t = 1, 2.5, torch.tensor([1 / 3, 2 / 3])")
    edit(script, "sum(numbers) == 7)", f'{condition}, values={{"given": [1, 2]}})')
    assert notebooks.execute_solution(script).problem == ""
    assert claims.load(script)["claims"][1]["results"]["0"]["values"] == {**values, "given": [1, 2]}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("sum(numbers) == 7)", "True)", r":16: the condition is a constant"),
        ('claim("In this run', 'claim(f"In {this} run', r":16: write claim\("),
        ("sum(numbers) == 7)", "sum(numbers) == 7, seeds=3)", "and no seeds"),
        ("every_seed=True", "every_seed=bool(1)", "written out"),
    ],
)
def test_what_cannot_be_a_claim_is_refused_with_its_line(script, old, new, complaint):
    edit(script, old, new)
    with pytest.raises(ClaimError, match=complaint):
        claims.read(script)


@pytest.mark.slow
def test_a_condition_with_many_answers_is_refused(script):
    edit(script, "sum(numbers) == 7)", "__import__('torch').ones(2) > 0)")
    assert "reduce it with .all()" in notebooks.execute_solution(script).problem


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "out: it is at least 3.",
            "out: it is at least 4.",
            "'about what comes out: it is at least 3' stands nowhere",
        ),
        ("In this run it is 7", "It is 7", "'In this run it is 7' stands nowhere"),
        ('claim("In this run it is 7"', 'claim("it is 7"', None),
        ("7.\n", "7.\n#\n# And 9 later.\n", None),
        ('claim("In this run it is 7", sum(numbers) == 7', 'claim("it is at least", numbers', None),
        (
            '"In this run it is 7", sum(numbers) == 7',
            '"seven", numbers[0], where="README.md"',
            "no file README.md",
        ),
        ('"In this run it is 7", sum(numbers) == 7', '"it", numbers[0], where="solutions/NO.md"', "no file"),
    ],
)
def test_a_sentence_that_has_drifted_is_named_with_the_closest_one(script, old, new, complaint):
    edit(script, old, new)
    found = claims.drifted(script, notebooks.read_script(script), script.parents[1])
    if complaint is None:
        assert found == []
    else:
        assert len(found) == 1 and complaint in found[0]
    if "at least 4" in new:
        assert "the closest is 'A sentence about what comes out: it is at least 4.'" in found[0]


def test_a_sentence_may_stand_in_another_file_or_in_an_alternative_text(script):
    (script.parents[1] / "README.md").write_text("It needs **ten\nseconds** in this run.\n", encoding="utf-8")
    edit(script, '"In this run it is 7"', '"It needs ten seconds"')
    edit(script, "sum(numbers) == 7", 'sum(numbers) == 7, where="README.md"')
    edit(script, '"about what comes out: it is at least 3"', '"The curve falls to 3"')
    edit(script, "print(*numbers)", 'print(dict(alt=f"{numbers} are shown. The curve " "falls to 3."))')
    assert claims.drifted(script, notebooks.read_script(script), script.parents[1]) == []


def test_a_sentence_of_one_run_must_say_so(script):
    edit(script, "In this run it is 7", "There it is 7")
    edit(script, "In this run it is 7", "There it is 7")
    (complaint,) = claims.drifted(script, notebooks.read_script(script), script.parents[1])
    assert (
        f"solutions/{NAME}.py:16: the paragraph of 'There it is 7' must say that it is of one run"
        in complaint
    )
    edit(script, "There it is 7.", "There it is 7. Other seeds give others, this is one run.")
    assert claims.drifted(script, notebooks.read_script(script), script.parents[1]) == []


@pytest.mark.slow
def test_claims_draw_no_random_numbers_from_the_notebook(script):
    edit(script, "import os\n", "import os\n\nimport torch\n\ntorch.manual_seed(0)\n")
    edit(script, "numbers_copy = numbers[:]", "torch.rand(9)")
    edit(script, 'assert "numbers_copy" not in globals()', "print(torch.rand(1).item())")
    assert notebooks.execute_solution(script).problem == ""
    last = nbformat.read(script.with_suffix(".ipynb"), as_version=4).cells[-1]
    generator = torch.Generator().manual_seed(0)
    assert float(last.outputs[0].text) == pytest.approx(torch.rand(1, generator=generator).item())


# --- numbers --------------------------------------------------------------------------------------------


def page(prose, printed="", code="show()", claimed=(), alt=None):
    outputs = [new_output("stream", text=printed)] if printed else []
    if alt:
        code = f"show(alt={alt!r})"
        outputs.append(
            new_output("display_data", data={"image/png": "A"}, metadata={"image/png": {"alt": alt}})
        )
    first = new_code_cell("0", outputs=[new_output("stream", text="out of another section: 0.77\n")])
    cells = [
        first,
        new_markdown_cell("## Section\n\n99 before any output of it"),
        new_code_cell(code, outputs=outputs),
    ]
    written = [claims.Claim(sentence, True, "", 1, "") for sentence in claimed]
    found = prose_numbers.unaccounted(new_notebook(cells=[*cells, new_markdown_cell(prose)]), written)
    return [one.number for one in found if one.number != "99"]


@pytest.mark.parametrize(
    ("prose", "printed"),
    [
        ("It falls to 0.50.", "0.4967"),
        ("It is **50 %** of them, and 49.7 %.", "0.4967"),
        ("about 1,700 of them", "1684"),
        ("about 10⁻³", "1e-3"),
        ("It falls to −3.2.", "-3.21"),
        ("Goodfellow (2014, section 3.2.5), in 2017, exercise 1.3, notebooks 02 and 03, theorem 2.5", ""),
        ("28×28 pixels of CIFAR-10 in float32, $s = 4$, `x = 5`, $$7 + x$$, W_12, 3D, log 4", ""),
        ("[here](https://some.where/12/34) and arXiv:1406.2661", ""),
        ("1. first\n2. second (3)", ""),
        ("It is 0 or 1.", ""),
        ("It is 300. <!-- number 300: of the paper's table 2 -->", ""),
        ("It is 300 or 400. <!-- numbers: settings of the sliders -->", ""),
        ("### Exercise 1.7 — With 25 words (●●●, 25 min)", ""),
        ("It falls ten times.", "10 rounds"),
    ],
)
def test_numbers_that_something_accounts_for(prose, printed):
    assert page(prose, printed or "nothing") == []


@pytest.mark.parametrize(
    ("prose", "printed", "number"),
    [
        ("It falls to 0.48.", "0.4967", "0.48"),
        ("It is 51 % of them.", "0.4967", "51 %"),
        ("about 1,800 of them", "1684", "1,800"),
        ("It falls to 12.", "13", "12"),
        ("the run of $13$ steps", "14", "13"),
        ("It is 0.77.", "nothing", "0.77"),
        ("It falls ten times.", "9 rounds", "ten times"),
        ("It is twice as far.", "3", "twice as"),
        ("It is 300. <!-- number 301: another -->", "0", "300"),
        ("It is 300. <!-- number 300: -->", "0", "300"),
        ("In 5 of 8 games.", "8 games", "5"),
    ],
)
def test_numbers_that_nothing_accounts_for(prose, printed, number):
    assert page(prose, printed) == [number]


def test_a_claim_accounts_for_the_numbers_of_its_sentence_only():
    assert page("It falls to 0.48, and *then* to\n0.33. Not to 0.2.", "none", claimed=["then to 0.33"]) == [
        "0.48",
        "0.2",
    ]


def test_settings_in_the_code_beside_it_account_for_a_number():
    assert page("We try 41 means.", "none", code="torch.linspace(-4, 4, 41)") == []
    assert page("We try 42 means.", "none", code="torch.linspace(-4, 4, 41)") == ["42"]


def test_an_alternative_text_does_not_account_for_itself():
    assert page("The curve falls.", "nothing", alt="It falls from 1.6 to 0.15.") == ["1.6", "0.15"]
    assert page("It falls to 0.15.", "1.61, 0.149", alt="It falls from 1.6 to 0.15.") == []
    assert page("The curve falls.", "-", alt="It falls to 0.15.", claimed=["It falls to 0.15"]) == []


def test_a_claim_must_look_at_its_own_numbers():
    written = [claims.Claim("falls to 0.15 and ten times", True, "", 7, "distance < 1; {'x': 10}")]
    assert prose_numbers.hollow(written, None) == [
        "line 7: the claim 'falls to 0.15 and ten times' never looks at its number 0.15."
    ]
    kept = {"claims": [{"results": {"0": {"values": {"distance": 0.147}}}}]}
    assert prose_numbers.hollow(written, kept) == []
    unrun = claims.Claim("falls to 2", True, "", 9, "x < 2")  # written since the last execution
    assert prose_numbers.hollow([*written, unrun], kept) == []


# --- seeds and links ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("torch.manual_seed(0)", 1),
        ("rng = torch.Generator(device).manual_seed(3)", 1),
        ("sample(generator, 40, seed=0)", 1),
        ("seeds = by_scale(ci=(0,), cpu=(0, 1))", 1),
        ("rng = np.random.default_rng(5)", 1),
        ("torch.manual_seed(seed(0))", 0),
        ("seeds = [seed(number) for number in range(3)]", 0),
        ("torch.manual_seed(start)", 0),
        ("noise = torch.Generator().manual_seed(0)  # fixed: compared with a stored number", 0),
        ("noise = torch.Generator().manual_seed(0)  # fixed", 1),
    ],
)
def test_seeds_that_do_not_pass_through_seed_are_named(code, count):
    found = literal_seeds(new_notebook(cells=[new_code_cell(code)]))
    assert len(found) == count
    assert all("COURSE_SEED does not reach" in one and code in one for one in found)


ANCHORS = {"01_x": ["A-title"], "05_y": ["How-do-the-*two*-learn?".replace("*", ""), "It's-50-%"]}


@pytest.mark.parametrize(
    ("prose", "complaint"),
    [
        ("[notebook 05](05_y.ipynb#How-do-the-two-learn?) derives it", None),
        ("[notebook 05](05_y.ipynb#It's-50-%25)", None),
        ("notebook 01 is this one, and notebook 07 is to come", None),
        ("<!-- notebook 05 -->", None),
        ("[notebook 05](05_y.ipynb#How-do-they-learn?)", "05_y has no such heading"),
        ("[notebook 05](05_y.ipynb)", "without a heading"),
        ("as Notebook 05 derives", "names notebook 05 without a link"),
    ],
)
def test_cross_references_lead_to_headings(prose, complaint):
    notebook = new_notebook(cells=[new_markdown_cell("| You need | notebook 05 |"), new_markdown_cell(prose)])
    found = cross_references(notebook, "01_x", ANCHORS)
    assert [complaint in one for one in found] == [True] if complaint else found == []


# --- the pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It takes 37 steps.", ["37"]),
        ("It takes 37 steps, as `test_so_many` says.", []),
        ("| a | b |\n| --- | --- |\n| 37 | `test_so_many` |\n| 38 | nothing |", ["38"]),
        ("It takes 37 steps <!-- number 37: by eye -->.", []),
        ("It takes 37 steps <!-- number 37: settings.py -->.", []),
        ("It takes 38 steps <!-- number 38: settings.py -->.", ["38"]),
        ("It takes 38 steps <!-- number 38: nowhere.py -->.", ["38"]),
        ("It takes 39 steps.\n\n<!-- map: by a program -->\n| 39 |\n<!-- end of map -->\n", []),
        ("It takes 40 steps.", []),
    ],
)
def test_numbers_of_a_page_need_a_test_a_file_a_claim_or_a_table(tmp_path, text, found):
    (tmp_path / "settings.py").write_text("STEPS = 37\n", encoding="utf-8")
    claimed = [Claim("It takes 40 steps", False, "page.md", 1, "steps == 40")]
    assert [one.number for one in prose_numbers.of_page(text, claimed, tmp_path)] == found
