"""The pages for instructors say what the notebooks, the checkers and the measurements say."""

import re
from pathlib import Path

import pytest

from course_utils.checks import Wrong
from course_utils.checks.verdict import Exercise, exercises_of
from tools import classroom, instructor, misconceptions, teaching_plans, timing
from tools.lint import anchors_of_course
from tools.misconceptions import Mistake, ask_back, mistakes
from tools.run import ROOT
from tools.teaching_plans import PLANS, SHOW, Pause, Plan, Step

NUMBERS = instructor.numbers()
MEETINGS = [(name, plan) for name, plans in PLANS.items() for plan in plans]
EXERCISES = [one for number in NUMBERS for one in exercises_of(int(number))]


@pytest.mark.generated
def test_the_pages_are_up_to_date():
    assert instructor.drift() == []


def test_an_edited_or_missing_page_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(
        instructor, "generated", lambda folder: {folder / "a.md": "new", folder / "b.md": "same"}
    )
    (tmp_path / "a.md").write_text("old")
    (tmp_path / "b.md").write_text("same")
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "99_gone.md").write_text("")
    found = instructor.drift(tmp_path)
    assert len(found) == 2
    assert found[0].startswith("docs/instructor/a.md is out of date") and "99_gone.md" in found[1]


def test_a_page_without_marks_is_an_error_and_what_is_written_by_hand_stays():
    page = f"above\n\n{instructor.BEGIN}\nold\n\n{instructor.END}\n\nbelow\n"
    assert instructor.with_part(page, "new") == page.replace("old", "new")
    with pytest.raises(ValueError, match="needs the marks"):
        instructor.with_part("above\n", "new")


# --- minutes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS)
def test_minutes_add_up_to_what_the_notebook_states(number):
    script = (ROOT / "solutions" / f"{instructor.name_of(number)}.py").read_text(encoding="utf-8")
    stated = int(re.search(r"^# \| Reading time \| (\d+) min", script, re.MULTILINE)[1])
    sections = timing.sections(number)
    assert sum(section.reading for section in sections) == stated
    headings = re.findall(r"^# ### Exercise ([\d.]+) — .*, (\d+) min\)$", script, re.MULTILINE)
    found = [(one.number, one.minutes) for section in sections for one in section.exercises]
    assert found == [(number, int(minutes)) for number, minutes in headings]
    declared = {one.number: one.minutes for one in exercises_of(int(number))}
    assert dict(found) == declared


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [(10, [1, 1], [5, 5]), (10, [1, 1, 1], [4, 3, 3]), (3, [1, 100], [0, 3]), (7, [0, 2, 5], [0, 2, 5])],
)
def test_minutes_are_shared_in_whole_numbers_that_add_up(total, weights, shares):
    assert timing.shared(total, weights) == shares


# --- plans ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "plan"), MEETINGS, ids=lambda value: getattr(value, "title", value))
def test_a_plan_fits_its_time_with_a_reserve(name, plan):
    assert plan.minutes * 0.6 <= plan.planned <= plan.minutes - 5


@pytest.mark.parametrize(("name", "plan"), MEETINGS, ids=lambda value: getattr(value, "title", value))
def test_a_plan_takes_sections_and_exercises_that_there_are_in_the_notebooks_order(name, plan):
    taken = [step for step in plan.steps if isinstance(step, Step)]
    places = []
    for step in taken:
        titles = [section.title for section in timing.sections(step.notebook)]
        assert step.section in titles
        in_section = {one.number for one in timing.section(step.notebook, step.section).exercises}
        assert set(step.numbers) <= in_section
        assert not (step.how == SHOW and step.exercises), "what is shown is not worked"
        places.append((step.notebook, titles.index(step.section)))
    assert places == sorted(set(places))


def test_a_semester_gives_every_exercise_of_its_notebooks_once_in_class_or_at_home():
    weeks = PLANS["semester"]
    steps = [[step for step in plan.steps if isinstance(step, Step)] for plan in weeks]
    home = [[one.number for one in exercises] for exercises in teaching_plans.homework(weeks)]
    given = [number for week in home for number in week]
    given += [number for week in steps for step in week for number in step.numbers]
    used = {step.notebook for week in steps for step in week}
    theirs = [one.number for one in EXERCISES if f"{int(one.number.split('.')[0]):02}" in used]
    assert sorted(given) == sorted(theirs)
    for week, exercises in zip(steps, home, strict=True):  # nothing is asked before its notebook was begun
        assert {number.split(".")[0] for number in exercises} <= {str(int(step.notebook)) for step in week}


@pytest.mark.parametrize("name", ["90_minutes", "half_day", "day"])
def test_a_workshop_says_where_to_stop_and_what_may_fall(name):
    (plan,) = PLANS[name]
    steps = [step for step in plan.steps if isinstance(step, Step)]
    assert sum(bool(step.stop) for step in steps) >= 3
    falling = [step for step in steps if step.may_fall]
    assert falling and all(len(step.numbers) <= 1 for step in falling)
    page = (instructor.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    saved = sum(step.minutes for step in falling)
    assert f"All of them save {saved} minutes" in page and "## Where you can stop" in page


def test_the_schedule_runs_on_without_gaps():
    plan = Plan(
        "",
        60,
        (
            Pause("Opening", 10),
            Step("01", "The value on a die", teaching_plans.WORK, ("1.1",)),
            Step("01", "The best discriminator", SHOW),
        ),
    )
    die, best = (timing.section("01", step.section) for step in plan.steps[1:])
    (exercise,) = die.exercises
    table, summary = instructor._schedule(plan)
    clocks = re.findall(r"^\| (\d+:\d\d) \| (\d+) \|", table, re.MULTILINE)
    first = die.reading + exercise.minutes
    assert clocks == [
        ("0:00", "10"),
        ("0:10", str(first)),
        (instructor.clock(10 + first), str(best.reading)),
    ]
    assert summary.startswith(f"{10 + first + best.reading} of 60 minutes are planned")


def test_unknown_sections_and_exercises_are_refused():
    with pytest.raises(KeyError, match=r"has no section .*The coin"):
        _ = Step("01", "The coin", SHOW).minutes
    with pytest.raises(KeyError):
        _ = Step("01", "The value on a die", SHOW, ("1.2",)).minutes


def test_links_lead_to_headings_and_pages_that_there_are():
    anchors = anchors_of_course()
    for page in instructor.FOLDER.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        for name, anchor in re.findall(r"solutions/(\w+)\.ipynb(?:#(.*?))?\)(?= |\n|;)", text):
            assert not anchor or anchor in anchors[name], f"{page.name}: {name}#{anchor}"
        for target in re.findall(r"\]\((?!http)([^)#]+\.md)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


# --- wrong answers ----------------------------------------------------------------------------------------


def test_every_exercise_has_its_wrong_answers_each_with_a_question():
    for one in EXERCISES:
        for part in [*one.parts, ""]:
            found = mistakes(one, part)
            assert found, f"{one.number} {part}"
            assert all(mistake.message.strip("… .") for mistake in found)
            assert all(ask_back(mistake)[0].endswith("?") for mistake in found)


def _checker(answer):
    """A docstring is no message."""
    name = "the value of it all"
    table = {"a": "that is the ratio; what do you divide by?", "b": f"off by {answer}. Look again."}
    if answer == 1:
        raise Wrong("the sign is turned. Which " + "way is up?")
    _helper(answer, [(-answer, "what is meant is its square.")], name=name)
    return "right, and this is praise for it." if answer else table


def _helper(found, cases, name):
    raise Wrong(f"{found} is {'too large' if found else 'small'} for the case.")


def test_messages_are_read_off_a_checker_and_what_it_calls(monkeypatch):
    """Docstrings, names and praise are left out; what is filled in is shown as a gap."""
    monkeypatch.setattr(misconceptions, "EXERCISES", __name__)
    monkeypatch.setitem(__import__("sys").modules, __name__, _module())
    misconceptions._names_of.cache_clear()
    found = mistakes(Exercise("99.1", "", 1, 1, (), _checker))
    assert found == [
        Mistake("a", "that is the ratio; what do you divide by?"),
        Mistake("b", "off by …. Look again."),
        Mistake("", "the sign is turned. Which way is up?"),
        Mistake("", "what is meant is its square."),
        Mistake("", "… is too large for the case."),
    ]
    assert (found[2].statement, found[2].question) == ("The sign is turned.", "Which way is up?")
    assert ask_back(found[2]) == ("Which way is up?", True)
    assert ask_back(found[1]) == (misconceptions.OF_A_CHOICE, False)
    assert ask_back(found[3]) == (
        "Put the simplest numbers in, by hand: which step gives another number than yours?",
        False,
    )
    assert ask_back(Mistake("", "that is purple.")) == (misconceptions.OTHERWISE, False)
    assert ask_back(Mistake("", "divided by the number of faces."))[0].startswith("Over what do you sum")


def _module():
    import sys

    return sys.modules[_checker.__module__]


def test_the_sheets_quote_messages_that_learners_see():
    """What 1.2 says of the density ratio, as it stands on the sheet and as the check says it."""
    from course_utils.checks import run_check

    said = run_check("1.2", lambda p, q, real_fraction=0.5: p / q).message
    sheet = (instructor.FOLDER / "sheets" / "01_minimax_objective.md").read_text(encoding="utf-8")
    statement, question = re.split(r"(?<=\.) (?=What)", said)
    assert f"| {statement} | {question} |" in sheet


def test_results_stand_in_the_section_that_shows_them():
    found = instructor.results_by_section("01")
    assert "Too much trust in it is worse than none" in found["The value on a die"]
    assert "of four sixes, three come from the loaded die" in found["The best discriminator"]


# --- the room ---------------------------------------------------------------------------------------------


def row(**changes):
    base = {
        "notebook": "05_dcgan_mnist",
        "scale": "cpu",
        "kernels": 2,
        "threads": None,
        "seconds": 100.0,
        "free_cores": 2,
    }
    memory = {"megabytes_together": 1700, "megabytes_own": 900, "megabytes_resident": 1000, "problems": []}
    cell = {"slowest_cell_seconds": 40.0, "slowest_cell_in": "The real training", "section_seconds": {}}
    return {
        **base,
        "cpu_seconds": 150.0,
        **memory,
        **cell,
        "machine": "M, 2 cores",
        "date": "2026-01-01",
        **changes,
    }


def test_memory_counts_shared_libraries_once(monkeypatch):
    monkeypatch.setattr(classroom, "load", lambda: [row(megabytes_resident=2000, megabytes_own=1900)])
    assert instructor.shared_megabytes() == 100
    assert instructor.memory_of_class("05", 1) == 2000
    assert instructor.memory_of_class("05", 30) == 100 + 30 * 1900


def test_seconds_of_a_core_are_measured_or_a_bound(monkeypatch):
    monkeypatch.setattr(classroom, "load", lambda: [row()])
    assert instructor.core_seconds("05") == (150, True)
    monkeypatch.setattr(classroom, "load", lambda: [])
    ran = timing.measured("05")
    assert instructor.core_seconds("05") == (
        ran["seconds"] * int(re.search(r"(\d+) core", ran["machine"])[1]),
        False,
    )


def test_seconds_by_section_are_those_of_one_kernel_on_a_quiet_machine(monkeypatch):
    alone = row(kernels=1, section_seconds={"": 2.0, "The real training": 118.0})
    assert instructor.section_seconds("99") == {}
    for others in (row(scale="ci"), row(kernels=4), {**alone, "free_cores": 1}):
        monkeypatch.setattr(classroom, "load", lambda others=others: [others])
        assert instructor.section_seconds("05") == {}
    monkeypatch.setattr(classroom, "load", lambda: [row(kernels=4), alone])
    assert instructor.section_seconds("05") == {timing.BEFORE: 2.0, "The real training": 118.0}
    assert re.search(
        r"^\| The real training \| \d+ min \| 5\.4 \(.*\) \| 118 s \|$", instructor.sheet("05"), re.MULTILINE
    )


def test_kept_figures_replace_those_of_the_same_class(tmp_path):
    path = tmp_path / "folder" / "room.json"
    classroom.keep([row(), row(kernels=30)], path)
    classroom.keep([row(seconds=50.0), row(scale="ci")], path)
    kept = classroom.load(path)
    assert [(one["scale"], one["kernels"], one["seconds"]) for one in kept] == [
        ("ci", 2, 100.0),
        ("cpu", 2, 50.0),
        ("cpu", 30, 100.0),
    ]
    assert classroom.load(tmp_path / "none.json") == []


def test_what_a_class_tells():
    text = classroom.told(row())
    assert "2 × 05_dcgan_mnist at the cpu scale, on M, 2 cores" in text
    assert "all done after 100 s, 72 notebooks an hour; 150 s of a core each" in text
    assert "1.70 GB together at most; the largest kernel 1000 MB, 900 MB of them its own" in text
    assert "40 s, in “The real training”" in text and text.endswith("all ran")
    assert "free cores" not in text
    assert "free cores when it began: 1." in classroom.told(row(free_cores=1))
    assert "FAILED        NameError" in classroom.told(row(problems=["NameError"]))


@pytest.mark.slow
def test_two_learners_work_a_notebook_at_once(tmp_path, monkeypatch, capsys):
    """The first cells of a notebook that computes and one that fails, in two kernels each."""
    import nbformat

    new = nbformat.v4
    cells = [
        new.new_markdown_cell("# A title"),
        new.new_code_cell("import os, time, torch\ntorch.ones(25_000_000)"),
        new.new_markdown_cell("## The long one\n\n### Part"),
        new.new_code_cell("end = time.process_time() + 1.5\nwhile time.process_time() < end: pass"),
        new.new_code_cell(
            "assert os.environ['COURSE_THREADS'] == '3' and os.environ['COURSE_SCALE'] == 'ci'"
        ),
    ]
    nbformat.write(new.new_notebook(cells=cells), tmp_path / "01_small.ipynb")
    monkeypatch.setattr(classroom, "FOLDER", tmp_path)
    monkeypatch.setattr(classroom, "KEPT", tmp_path / "room.json")
    assert classroom.main(["01", "--kernels", "2", "--scale", "ci", "--threads", "3"]) == 0
    assert "2 × 01_small at the ci scale, 3 thread(s) each" in capsys.readouterr().out
    found = classroom.hold(tmp_path / "01_small.ipynb", 2, "ci", 3)
    assert found["problems"] == []
    assert found["cpu_seconds"] >= 1.5 and found["slowest_cell_seconds"] >= 1.5
    assert found["seconds"] >= found["slowest_cell_seconds"]
    assert found["slowest_cell_in"] == "The long one"
    assert found["section_seconds"]["The long one"] >= 1.5
    assert found["megabytes_own"] > 100 and found["megabytes_resident"] >= found["megabytes_own"]
    assert found["megabytes_together"] <= 2 * found["megabytes_resident"]

    cells[1].source = "raise ValueError('a bad day')"
    nbformat.write(new.new_notebook(cells=cells), tmp_path / "01_small.ipynb")
    assert classroom.main(["01", "--kernels", "2", "--scale", "ci"]) == 1
    assert capsys.readouterr().out.count("FAILED        ValueError: a bad day") == 2


@pytest.mark.slow
def test_two_learners_run_the_first_notebook_at_once():
    found = classroom.hold(ROOT / "solutions" / "00_start_here.ipynb", 2, "ci", 1)
    assert found["problems"] == []
    assert set(found["section_seconds"]) >= {"Who made these digits?", "What goes in: the latent"}
    assert found["megabytes_own"] < found["megabytes_resident"] < found["megabytes_together"]


def test_a_class_has_a_learner(capsys):
    with pytest.raises(SystemExit):
        classroom.main(["00", "--kernels", "0"])
    assert "one kernel at least" in capsys.readouterr().err


def test_sections_of_cells():
    import nbformat

    new = nbformat.v4
    cells = [new.new_code_cell(""), new.new_markdown_cell("## A\n\n### a"), new.new_code_cell("")]
    assert classroom.sections(new.new_notebook(cells=cells)) == ["", "A", "A"]


def test_room_is_where_the_page_says():
    assert Path(classroom.KEPT).relative_to(ROOT).as_posix() == "docs/instructor/room.json"
