"""Write what is generated of docs/instructor/: `python -m tools.instructor` (`make notebooks` calls it).

    90_minutes.md, half_day.md, day.md, semester.md   the plans of tools/teaching_plans.py, with minutes
    sheets/NN_topic.md                                for each notebook: minutes, results, wrong answers
    room.md                                           kernels × memory × cores, from what was measured
    grading.md                                        points of each notebook, and the variants
    README.md                                         the plans and the sheets

In each page but the sheets, the generated part stands between two marks; the rest is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from course_utils.checks.variants import variants
from course_utils.checks.verdict import exercises_of
from tools import assignment, claims, classroom, misconceptions, timing
from tools.notebooks import choose_scripts
from tools.run import ROOT
from tools.teaching_plans import PLANS, SHOW, Pause, Plan, Step, homework

FOLDER = ROOT / "docs" / "instructor"
BEGIN, END = "<!-- results: written by tools/instructor.py -->\n", "<!-- end of results -->"
CLASSES = (10, 20, 30)  # learners
CORES = (8, 16, 32, 64)


def numbers() -> list[str]:
    """The numbers of the notebooks that there are."""
    return [script.name[:2] for script in choose_scripts([])]


def name_of(number: str) -> str:
    """The name of a notebook's files."""
    return choose_scripts([number])[0].stem


def link(number: str, section: str = "", depth: int = 2) -> str:
    """A link to a section of the executed solution, from a page so many folders deep."""
    target = f"{'../' * depth}solutions/{name_of(number)}.ipynb"
    if not section or section == timing.BEFORE:
        return f"[{number}]({target})"
    anchor = re.sub(r"[*`]", "", section).replace(" ", "-")
    return f"[{section}]({target}#{anchor})"


def clock(minutes: int) -> str:
    """Minutes since the beginning, as h:mm."""
    return f"{minutes // 60}:{minutes % 60:02}"


def cell(text: str) -> str:
    """A text as a cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


# --- plans ------------------------------------------------------------------------------------------------


def plan_part(plans: Sequence[Plan]) -> str:
    """The generated part of a plan's page."""
    if len(plans) == 1:
        return "\n\n".join([*_schedule(plans[0]), *_ends(plans[0]), *_left_out(plans), _needs(plans)])
    parts = []
    for week, (plan, home) in enumerate(zip(plans, homework(plans), strict=True), start=1):
        parts += [f"## Week {week}: {plan.title}", *_schedule(plan)]
        if home:
            listed = ", ".join(f"{one.number} ({one.dots})" for one in home)
            parts.append(f"At home: exercises {listed}, {sum(one.minutes for one in home)} min.")
    return "\n\n".join([*parts, *_left_out(plans), _needs(plans)])


def _schedule(plan: Plan) -> list[str]:
    rows = [
        "| clock | min | who | notebook, section | exercises | ask, point at |",
        "| ---: | ---: | --- | --- | --- | --- |",
    ]
    time = 0
    for step in plan.steps:
        if isinstance(step, Pause):
            rows.append(f"| {clock(time)} | {step.minutes} | | *{cell(step.what)}* | | |")
        else:
            falls = " *(may fall)*" if step.may_fall else ""
            exercises = ", ".join(step.numbers)
            where = f"{step.notebook} {link(step.notebook, step.section)}{falls}"
            rows.append(
                f"| {clock(time)} | {step.minutes} | {step.how} | {where} | {exercises} | {cell(step.say)} |"
            )
        time += step.minutes
    shown = sum(step.minutes for step in _steps(plan) if step.how == SHOW)
    worked = sum(step.minutes for step in _steps(plan) if step.how != SHOW)
    summary = (
        f"{plan.planned} of {plan.minutes} minutes are planned, {plan.minutes - plan.planned} are reserve. "
        f"You show for {shown} minutes, they work for {worked}."
    )
    return ["\n".join(rows), summary]


def _steps(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if isinstance(step, Step)]


def _ends(plan: Plan) -> Iterator[str]:
    """Where one may stop, and what may fall."""
    rows = ["| at | after | what everybody takes home |", "| ---: | --- | --- |"]
    time = 0
    for step in plan.steps:
        time += step.minutes
        if isinstance(step, Step) and step.stop:
            rows.append(f"| {clock(time)} | {step.notebook} {step.section} | {cell(step.stop)} |")
    yield "## Where you can stop\n\n" + "\n".join(rows)
    falling = [step for step in _steps(plan) if step.may_fall]
    rows = [f"- {step.notebook} {step.section}: {step.minutes} min" for step in falling]
    saved = sum(step.minutes for step in falling)
    late = f"Leave these out, the next of them first. All of them save {saved} minutes."
    yield f"## If you run late\n\n{late}\n\n" + "\n".join(rows)
    taken = {number for step in _steps(plan) for number in step.numbers}
    sections = {(step.notebook, step.section) for step in _steps(plan)}
    rows = [
        f"- {one.number} {one.title} ({one.dots}, {one.minutes} min)"
        for number in sorted({number for number, _ in sections})
        for section in timing.sections(number)
        if (number, section.title) in sections
        for one in section.exercises
        if one.number not in taken
    ]
    yield (
        "## For whoever is early, and for at home\n\nThe other exercises of the sections taken.\n\n"
        + "\n".join(rows)
    )


def _left_out(plans: Sequence[Plan]) -> Iterator[str]:
    """What the notebooks have besides, so that nobody looks for it in the hour."""
    taken = {(step.notebook, step.section) for plan in plans for step in _steps(plan)}
    rows = ["| notebook | left out | min |", "| --- | --- | ---: |"]
    for number in sorted({notebook for notebook, _ in taken}):
        left = [
            one
            for one in timing.sections(number)
            if (number, one.title) not in taken and one.title != timing.BEFORE
        ]
        titles = "; ".join(cell(one.title) for one in left)
        rows.append(f"| {link(number)} | {titles} | {sum(one.minutes for one in left)} |")
    yield "## What is left out\n\nMinutes with all exercises of these sections.\n\n" + "\n".join(rows)


def _needs(plans: Sequence[Plan]) -> str:
    used = sorted({step.notebook for plan in plans for step in _steps(plan)})
    rows = [
        "| notebook | Run All, alone | slowest cell | memory of a kernel | measured on |",
        "| --- | ---: | ---: | ---: | --- |",
        *(_measured_row(number) for number in used),
    ]
    largest = max(used, key=lambda number: timing.measured(number)["peak_megabytes"])
    needed = memory_of_class(largest, max(CLASSES)) / 1000
    return (
        "## What it asks of machines\n\n"
        + "\n".join(rows)
        + f"\n\n{max(CLASSES)} kernels on one machine: {needed:.0f} GB where all of them are in {largest} at "
        "once, and nobody leaves another notebook's kernel running. More: [room.md](room.md)."
    )


def _measured_row(number: str) -> str:
    ran = timing.measured(number)
    return (
        f"| {link(number)} | {ran['seconds']:.0f} s | {ran['slowest_cell_seconds']:.0f} s "
        f"| {ran['peak_megabytes']} MB | {ran['machine']}, {ran['date']} |"
    )


# --- sheets -----------------------------------------------------------------------------------------------


def sheet(number: str) -> str:
    """The whole page about one notebook."""
    script = choose_scripts([number])[0]
    title = re.search(r"^# # (.+)$", script.read_text(encoding="utf-8"), re.MULTILINE)[1]
    sections = timing.sections(number)
    reading = sum(one.reading for one in sections)
    minutes = sum(one.minutes for one in sections)
    declared = {one.number: one for one in exercises_of(int(number))}
    results = results_by_section(number)
    runs = section_seconds(number)
    rows = ["| section | to read | exercises | to run |", "| --- | ---: | --- | ---: |"]
    for one in sections:
        exercises = ", ".join(f"{each.number} ({each.dots}, {each.minutes} min)" for each in one.exercises)
        run = f"{runs[one.title]:.0f} s" if one.title in runs else ""
        rows.append(f"| {cell(one.title)} | {one.reading} min | {exercises} | {run} |")
    parts = [
        f"# {number} {title}",
        "Written by `python -m tools.instructor`, from "
        f"[the notebook](../../../solutions/{script.stem}.ipynb) and its checkers. "
        "[How to use it](../README.md#the-sheets).",
        "## Minutes\n\n"
        f"{reading} min to read, and {minutes - reading} min for all exercises, as the notebook states. The "
        "reading is shared among the sections by their words; running is measured, where a number "
        "stands, by one kernel alone.\n\n" + "\n".join(rows),
        "## Results and wrong answers, section by section",
    ]
    for one in sections:
        if not one.exercises and not results.get(one.title):
            continue
        parts.append(f"### {one.title}")
        if found := results.get(one.title):
            listed = "\n".join(f"- {cell(text)}" for text in found)
            executed = link(number, one.title, 3).replace(f"[{one.title}]", "[executed]")
            parts.append(f"Who fell behind reads it {executed} and goes on. It shows:\n\n{listed}")
        for exercise in one.exercises:
            parts += _wrong_answers(declared[exercise.number])
    return "\n\n".join(parts) + "\n"


def section_seconds(number: str) -> dict[str, float]:
    """Section -> seconds that its cells ran alone on a quiet machine; empty where nobody measured them."""
    for row in classroom.load():
        alone = row["notebook"][:2] == number and row["scale"] == "cpu" and row["kernels"] == 1
        if alone and classroom.quiet(row):
            return {title or timing.BEFORE: seconds for title, seconds in row["section_seconds"].items()}
    return {}


def results_by_section(number: str) -> dict[str, list[str]]:
    """Section -> the sentences about results that were held against a run, in their order."""
    script = choose_scripts([number])[0]
    starts = [
        (line, text[5:].strip())
        for line, text in enumerate(script.read_text(encoding="utf-8").splitlines(), start=1)
        if text.startswith("# ## ")
    ]
    found: dict[str, list[str]] = {}
    for one in claims.read(script):
        if not one.where:
            above = [title for line, title in starts if line < one.line]
            found.setdefault(above[-1] if above else timing.BEFORE, []).append(one.sentence)
    return found


def _wrong_answers(one) -> Iterator[str]:
    dots = "●" * one.difficulty + "○" * (3 - one.difficulty)
    yield f"#### Exercise {one.number} — {one.title} ({dots}, {one.minutes} min)"
    for part in [*one.parts, ""]:
        hints = one.parts[part].hints if part else one.hints
        rows = [f"| {'`' + part + '`: ' if part else ''}what is wrong | ask back |", "| --- | --- |"]
        for mistake in misconceptions.mistakes(one, part):
            answer = f"**{mistake.answer}**: " if mistake.answer else ""
            question, own = misconceptions.ask_back(mistake)
            ask = cell(question) if own else f"*{cell(question)}*"
            rows.append(f"| {answer}{cell(mistake.statement)} | {ask} |")
        numbered = "\n".join(f"{place}. {hint}" for place, hint in enumerate(hints, start=1))
        if hints:
            what = f"Hints for the {part}" if part else "Hints"
            yield f"{what}, from a nudge to nearly the answer:\n\n{numbered}"
        if len(rows) > 2:
            yield "\n".join(rows)


# --- the room ---------------------------------------------------------------------------------------------


def shared_megabytes() -> int:
    """What kernels on one machine share, by the classes held: libraries, mostly. 0 where none was held."""
    return min((row["megabytes_resident"] - row["megabytes_own"] for row in classroom.load()), default=0)


def memory_of_class(number: str, kernels: int) -> float:
    """Megabytes of so many kernels in a notebook at once: what is shared once, what is their own each."""
    shared = shared_megabytes()
    peaks = [timing.measured(number)["peak_megabytes"]]
    peaks += [
        row["megabytes_resident"]
        for row in classroom.load()
        if row["notebook"][:2] == number and row["scale"] == "cpu"
    ]
    return shared + kernels * (max(peaks) - shared)


def core_seconds(number: str) -> tuple[float, bool]:
    """Seconds of a core that a notebook takes at the cpu scale; True where they were measured.

    Where no class was held yet, all that is known is that the solution ran alone on its machine's cores: then
    it is at most its seconds times these cores.
    """
    held = [
        row["cpu_seconds"]
        for row in classroom.load()
        if row["notebook"][:2] == number and row["scale"] == "cpu"
    ]
    if held:
        return min(held), True
    ran = timing.measured(number)
    cores = int(re.search(r"(\d+) cores?$", ran["machine"])[1])
    return ran["seconds"] * cores, False


def room_part() -> str:
    """The generated part of the room sheet."""
    alone = [
        "| notebook | Run All, alone | slowest cell | memory of a kernel | measured on |",
        "| --- | ---: | ---: | ---: | --- |",
        *map(_measured_row, numbers()),
    ]
    kernels = [f"{count} kernels" for count in CLASSES]
    memory = [f"| notebook | {' | '.join(kernels)} |", f"| --- |{' ---: |' * len(CLASSES)}"]
    memory += [
        f"| {link(number)} | "
        + " | ".join(f"{memory_of_class(number, n) / 1000:.1f} GB" for n in CLASSES)
        + " |"
        for number in numbers()
    ]
    cores = [
        f"| notebook | seconds of a core | {' | '.join(f'{n} cores' for n in CORES)} |",
        f"| --- | ---: |{' ---: |' * len(CORES)}",
    ]
    for number in numbers():
        seconds, known = core_seconds(number)
        alone_seconds = timing.measured(number)["seconds"]
        waits = [max(alone_seconds, max(CLASSES) * seconds / n) / 60 for n in CORES]
        bound = "" if known else "at most "
        cores.append(
            f"| {link(number)} | {bound}{seconds:.0f} s | "
            + " | ".join(f"{wait:.0f} min" for wait in waits)
            + " |"
        )
    held = [
        "| notebook | scale | kernels | threads | all done after | notebooks an hour "
        "| seconds of a core each | memory together | largest kernel (its own) | slowest cell "
        "| measured on |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for row in classroom.load():
        threads = row["threads"] or "the course chooses"
        times = ["", "", ""]  # on a machine that has other things to do they say nothing
        if classroom.quiet(row):
            times = [
                f"{row['seconds']:.0f} s",
                f"{3600 * row['kernels'] / row['seconds']:.0f}",
                f"{row['slowest_cell_seconds']:.0f} s, {cell(row['slowest_cell_in'])}",
            ]
        held.append(
            f"| {row['notebook']} | {row['scale']} | {row['kernels']} | {threads} | {times[0]} | {times[1]} "
            f"| {row['cpu_seconds']:.0f} s | {row['megabytes_together'] / 1000:.1f} GB "
            f"| {row['megabytes_resident']} MB ({row['megabytes_own']} MB) | {times[2]} "
            f"| {row['machine']}, {row['date']} |"
        )
    return "\n\n".join(
        [
            "## One kernel\n\nThe last run of each solution at the `cpu` scale, nothing else running.\n\n"
            + "\n".join(alone),
            "## Memory of a class on one machine\n\nAll of them at the notebook's highest point in the same "
            f"moment. Of each kernel's memory, {shared_megabytes()} MB are libraries that all kernels of a "
            "machine share, and counted once.\n\n" + "\n".join(memory),
            "## Cores of a class on one machine\n\n"
            f"After how many minutes all {max(CLASSES)} are through if all press Run All at one moment: "
            "seconds of a core, times learners, divided by cores, and never less than one needs alone. *At "
            "most*: not measured yet; the solution's own run, times its machine's cores.\n\n"
            + "\n".join(cores),
            "## Classes that were held\n\nBy `course class … --keep`. Where other programs computed at the "
            "same time, memory and seconds of a core are shown, and the times left out.\n\n"
            + "\n".join(held),
        ]
    )


# --- marks ------------------------------------------------------------------------------------------------


def grading_part() -> str:
    """The generated part of the page on marks."""
    points = ["| notebook | answers that are marked | points |", "| --- | ---: | ---: |"]
    for number in numbers():
        made = assignment.assignment(choose_scripts([number])[0])
        marks = [one.metadata.nbgrader for one in made.cells if one.metadata.get("nbgrader", {}).get("grade")]
        points.append(f"| {link(number)} | {len(marks)} | {sum(mark.points for mark in marks)} |")
    titles = {one.number: one.title for number in numbers() for one in exercises_of(int(number))}
    drawn = [
        "| exercise | what is asked in its place, for one of the learners | different ones |",
        "| --- | --- | ---: |",
    ]
    for number, known in variants().items():
        asked = cell(known.asked(known.choices[0]))
        drawn.append(f"| {number} {cell(titles[number])} | {asked} | {len(known.choices)} |")
    return "\n\n".join(
        [
            "## Points\n\nAs many as an exercise has dots, and 1 for each part of it, such as a "
            "diagnosis.\n\n" + "\n".join(points),
            "## The variants\n\n" + "\n".join(drawn),
        ]
    )


def index_part() -> str:
    """The generated part of the folder's first page."""
    rows = ["| plan | meetings | minutes | planned | notebooks |", "| --- | ---: | ---: | ---: | --- |"]
    for name, plans in PLANS.items():
        used = sorted({step.notebook for plan in plans for step in _steps(plan)})
        title = plans[0].title if len(plans) == 1 else f"A semester: {len(plans)} weeks"
        rows.append(
            f"| [{title}]({name}.md) | {len(plans)} | {sum(plan.minutes for plan in plans)} "
            f"| {sum(plan.planned for plan in plans)} | {', '.join(used)} |"
        )
    sheets = ["| sheet | to read | exercises |", "| --- | ---: | ---: |"]
    for number in numbers():
        sections = timing.sections(number)
        reading = sum(one.reading for one in sections)
        total = sum(one.minutes for one in sections)
        sheets.append(
            f"| [{name_of(number)}](sheets/{name_of(number)}.md) | {reading} min | {total - reading} min |"
        )
    return "\n".join(rows) + "\n\n" + "\n".join(sheets)


# --- files ------------------------------------------------------------------------------------------------


def with_part(page: str, part: str) -> str:
    """A page with that part between its two marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page needs the marks {BEGIN.strip()!r} and {END!r}.")
    return f"{before}{BEGIN}\n{part}\n\n{END}{after}"


def generated(folder: Path = FOLDER) -> dict[Path, str]:
    """What each file must contain, given what is written by hand around the generated parts."""
    parts = {f"{name}.md": plan_part(plans) for name, plans in PLANS.items()}
    parts |= {"room.md": room_part(), "grading.md": grading_part(), "README.md": index_part()}
    files = {
        folder / name: with_part((folder / name).read_text(encoding="utf-8"), part)
        for name, part in parts.items()
    }
    return files | {folder / "sheets" / f"{name_of(number)}.md": sheet(number) for number in numbers()}


def drift(folder: Path = FOLDER) -> list[str]:
    """What is out of date, a sentence each."""
    files = generated(folder)
    problems = [
        f"docs/instructor/{path.relative_to(folder)} is out of date; call `python -m tools.instructor`."
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    return problems + [
        f"docs/instructor/sheets/{path.name} belongs to no notebook; delete it."
        for path in sorted((folder / "sheets").glob("*.md"))
        if path not in files
    ]


def main() -> int:
    """Write what is out of date."""
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
