"""What a workshop takes of the course: which sections, who works, and what may fall away.

Only the choice stands here. The minutes come from the notebooks themselves (tools/timing.py), and
`python -m tools.instructor` writes both into docs/instructor/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tools import timing
from tools.timing import TimedExercise

WORK, SHOW = "they work", "you show"
ALL = ("all",)
LEAST = 2  # minutes: so long it takes until all look at another section, and have seen something there


class Step(NamedTuple):
    """A section that is taken: everybody works it, or the instructor shows it."""

    notebook: str  # its number
    section: str  # its heading
    how: str
    exercises: tuple[str, ...] = ()  # those of the section that are done, by number; ALL of them
    say: str = ""  # what to ask, or to point at
    stop: str = ""  # where one may end after this: what everybody takes home then
    may_fall: bool = False  # the first to leave out where time runs short

    @property
    def numbers(self) -> tuple[str, ...]:
        """The exercises that are done."""
        in_section = timing.section(self.notebook, self.section).exercises
        return tuple(one.number for one in in_section) if self.exercises == ALL else self.exercises

    @property
    def minutes(self) -> int:
        """To read or show the section, and to do the exercises chosen.

        Raises:
            KeyError: no such section or exercise.
        """
        section = timing.section(self.notebook, self.section)
        by_number = {one.number: one.minutes for one in section.exercises}
        return max(LEAST, section.reading + sum(by_number[number] for number in self.numbers))


class Pause(NamedTuple):
    """Minutes that belong to no notebook: opening, coffee, closing."""

    what: str
    minutes: int


class Plan(NamedTuple):
    """A meeting: what happens in it, in order."""

    title: str
    minutes: int  # that there are
    steps: tuple[Step | Pause, ...]

    @property
    def planned(self) -> int:
        return sum(step.minutes for step in self.steps)


_FIRST_DIGITS = (
    Step("00", "Who made these digits?", SHOW, say="Let them guess before you tell."),
    Step(
        "00",
        "How an exercise goes",
        WORK,
        ("0.1",),
        say="Everybody sees one verdict of each kind: untouched, wrong, right. Show where the hints unfold.",
    ),
    Step(
        "00",
        "What goes in: the latent",
        WORK,
        ("0.3",),
        say="Collect the predictions by a show of hands before anybody runs the next cell.",
    ),
)

NINETY = Plan(
    "90 minutes: what a GAN is",
    90,
    (
        Pause("Opening: `course doctor` on every machine, what today is about", 5),
        *_FIRST_DIGITS,
        Step("01", "Two players, one number", SHOW, say="Write V on the board; it stays there."),
        Step("01", "The value on a die", WORK, ("1.1",), say="Ask for the order of the four players first."),
        Step(
            "01",
            "The best discriminator",
            WORK,
            ("1.2",),
            say="Half of the room derives, half of it searches; then compare.",
            stop="V, and the discriminator that makes most of it.",
        ),
        Step(
            "01",
            "What is left for the generator",
            SHOW,
            say="Only the result: JS, and its smallest value.",
            may_fall=True,
        ),
        Step(
            "01",
            "The whole game, played by two perfect players",
            SHOW,
            say="Draw the name of the place you are in.",
            stop="A GAN without networks, seen to the end.",
        ),
        Step("05", "How do the two learn?", SHOW, say="Find V of the board in the two steps.", may_fall=True),
        Step(
            "05",
            "The real training",
            WORK,
            ("5.4",),
            say="Start the training first; predict while it runs.",
            stop="Digits, drawn by a network that everybody has trained.",
        ),
        Step(
            "05",
            "What lies between two digits?",
            SHOW,
            say="Move the slider; ask what would be a sudden jump.",
            may_fall=True,
        ),
        Pause("Closing: where to go on at home, how to keep the progress file", 5),
    ),
)

HALF_DAY = Plan(
    "Half a day: write the two steps, and mend them",
    210,
    (
        Pause("Opening: `course doctor` on every machine, what today is about", 10),
        *_FIRST_DIGITS,
        Step("01", "Two players, one number", SHOW, say="Write V on the board; it stays there."),
        Step("01", "The value on a die", WORK, ("1.1",), say="Ask for the order of the four players first."),
        Step(
            "01", "The best discriminator", WORK, ("1.2",), say="Half derives, half searches; then compare."
        ),
        Step(
            "01",
            "From dice to densities",
            WORK,
            ("1.3",),
            say="What goes wrong with `log(sigmoid(t))` at t = −300? Let them try.",
            stop="The objective, and the loss that every later notebook imports.",
        ),
        Step("01", "What is left for the generator", SHOW, say="JS, and its smallest value.", may_fall=True),
        Step("01", "The generator's gradient", SHOW, say="Which of the two slopes helps a beginner?"),
        Pause("Break", 15),
        Step("03", "A GAN on a line", SHOW),
        Step(
            "03",
            "Two steps, and that is all",
            WORK,
            ("3.1", "3.2"),
            say="In pairs, one step each; then they explain theirs to the other.",
            stop="Both steps of every GAN, written by themselves.",
        ),
        Step(
            "03", "The loop around them", SHOW, say="Point at the two steps in the loop; 3.3 is for at home."
        ),
        Step("03", "A GAN on a plane", SHOW, say="Read the arrows aloud: where does D pull?", may_fall=True),
        Step(
            "04",
            "Five bugs, a run each",
            WORK,
            ("4.3",),
            say="Show the five pictures without their captions first. Who has seen one of them at home?",
            stop="Five published bugs, by their looks.",
        ),
        Step("05", "How does a network make a map larger?", SHOW, say="Stamps on paper do.", may_fall=True),
        Step(
            "05", "The real training", WORK, ("5.4",), say="Start the training first; predict while it runs."
        ),
        Step(
            "05",
            "What lies between two digits?",
            SHOW,
            say="Move the slider; ask what would be a sudden jump.",
            stop="Digits, and a way from one to the next.",
        ),
        Pause("Closing: where to go on at home, how to keep the progress file", 10),
    ),
)

DAY = Plan(
    "A day: from the objective to a clinic",
    480,
    (
        Pause("Opening: `course doctor` on every machine, what today is about", 10),
        Step("00", "Who made these digits?", SHOW, say="Let them guess before you tell."),
        Step("00", "How an exercise goes", WORK, ("0.1",), say="One verdict of each kind for everybody."),
        Step("00", "What goes in: the latent", WORK, ("0.2", "0.3"), say="Collect the predictions first."),
        Step("00", "A number that you will meet everywhere", WORK, ("0.4",)),
        Step("01", "Two players, one number", SHOW, say="Write V on the board; it stays there."),
        Step("01", "The value on a die", WORK, ("1.1",), say="Ask for the order of the four players first."),
        Step(
            "01", "The best discriminator", WORK, ("1.2",), say="Half derives, half searches; then compare."
        ),
        Step("01", "From dice to densities", WORK, ("1.3",), say="Why not `log(sigmoid(t))`?"),
        Pause("Break", 15),
        Step("01", "What is left for the generator", WORK, ("1.4",)),
        Step(
            "01",
            "How far apart? Four measures",
            WORK,
            ("1.5",),
            say="Collect the predictions first.",
            may_fall=True,
        ),
        Step(
            "01", "The generator's gradient", WORK, ("1.6",), say="Which of the two slopes helps a beginner?"
        ),
        Step(
            "01",
            "The whole game, played by two perfect players",
            SHOW,
            say="Draw the name of the place you are in.",
            stop="All of the theory that the rest of the day needs.",
        ),
        Step("02", "How small can a GAN be?", SHOW),
        Step(
            "02",
            "The game as arrows on a plane",
            SHOW,
            say="Will it arrive? Ask before the path is drawn.",
            may_fall=True,
        ),
        Step("02", "What carries over, and what does not", SHOW),
        Step("03", "A GAN on a line", SHOW),
        Step("03", "Two steps, and that is all", WORK, ("3.1", "3.2"), say="In pairs, one step each."),
        Step("03", "The loop around them", SHOW, stop="Both steps of every GAN, written by themselves."),
        Pause("Lunch", 60),
        Step("03", "A GAN on a plane", SHOW, say="Read the arrows aloud: where does D pull?"),
        Step("03", "How good is it? Count", WORK, ("3.5",)),
        Step("03", "A harder one: 25 modes", SHOW, may_fall=True),
        Step("03", "Too many turns for one player", WORK, ("3.6",), say="Collect the predictions first."),
        Step("03", "Repair one: give D its turn", SHOW),
        Step(
            "03",
            "Repair two: let D see two samples at once",
            SHOW,
            stop="Mode collapse: caused, seen, cured.",
            may_fall=True,
        ),
        Step("04", "What is a batch of images?", WORK, ("4.1",)),
        Step("04", "The networks that most people meet first", SHOW),
        Step("04", "How do we measure digits?", SHOW),
        Step("04", "The first digits", SHOW),
        Step(
            "04",
            "Five bugs, a run each",
            WORK,
            ("4.2", "4.3"),
            say="Show the five pictures without their captions first.",
            stop="Five published bugs, by their looks.",
        ),
        Pause("Break", 15),
        Step("05", "How does a network make a map larger?", WORK, ("5.1",), say="Stamps on paper do."),
        Step("05", "What did DCGAN get right?", SHOW),
        Step("05", "How do the two learn?", SHOW),
        Step("05", "Why show another generator than the one that is trained?", SHOW, may_fall=True),
        Step("05", "How good is a picture?", SHOW),
        Step(
            "05", "The real training", WORK, ("5.4",), say="Start the training first; predict while it runs."
        ),
        Step("05", "What lies between two digits?", SHOW, stop="Digits, and a way from one to the next."),
        Step(
            "07", "One page for every training", SHOW, say="This is the page they take home.", may_fall=True
        ),
        Step(
            "07",
            "The clinic",
            WORK,
            ("7.6", "7.8"),
            say="In pairs: the chart first, a diagnosis in writing, only then the program.",
            stop="A way to look for bugs.",
        ),
        Pause("Closing: where to go on at home, how to keep the progress file", 15),
    ),
)


def homework(plans: Sequence[Plan]) -> list[list[TimedExercise]]:
    """For each of several meetings, the exercises left for at home: every one that is not done in class.

    Those of the sections taken belong to their meeting, those of other sections to the last meeting with
    their notebook.
    """
    taken = [[step for step in plan.steps if isinstance(step, Step)] for plan in plans]
    meeting_of = {(step.notebook, step.section): place for place, steps in enumerate(taken) for step in steps}
    last = {notebook: place for (notebook, _), place in meeting_of.items()}
    done = {number for steps in taken for step in steps for number in step.numbers}
    home: list[list[TimedExercise]] = [[] for _ in plans]
    for notebook in last:
        for section in timing.sections(notebook):
            place = meeting_of.get((notebook, section.title), last[notebook])
            home[place] += [one for one in section.exercises if one.number not in done]
    return home


def _week(title: str, *steps: Step | Pause) -> Plan:
    return Plan(title, 90, steps)


SEMESTER = (
    _week(
        "Start, and the objective",
        Pause("Opening: `course doctor` on every machine, how marks come about", 10),
        *_FIRST_DIGITS,
        Step("01", "Two players, one number", SHOW),
        Step("01", "The value on a die", WORK, ("1.1",)),
        Step("01", "The best discriminator", WORK, ("1.2",)),
        Step("01", "From dice to densities", SHOW),
    ),
    _week(
        "What the generator minimises",
        Pause("What came up at home", 10),
        Step("01", "What is left for the generator", WORK, ("1.4",)),
        Step("01", "How far apart? Four measures", WORK, ("1.5",)),
        Step("01", "The generator's gradient", WORK, ("1.6",)),
        Step("01", "The whole game, played by two perfect players", SHOW),
        Step("01", "Misconceptions", SHOW),
    ),
    _week(
        "Why two good players go round in circles",
        Pause("What came up at home", 10),
        Step("02", "How small can a GAN be?", SHOW),
        Step("02", "The game as arrows on a plane", WORK, ("2.1",)),
        Step("02", "From arrows to steps", WORK, ("2.2",)),
        Step("02", "What eigenvalues tell", WORK, ("2.3",)),
        Step("02", "First cure: change the rule", SHOW),
        Step("02", "Second cure: change the game", SHOW),
        Step("02", "Third cure: keep the average", SHOW),
        Step("02", "What carries over, and what does not", SHOW),
    ),
    _week(
        "A first GAN",
        Pause("What came up at home", 10),
        Step("03", "A GAN on a line", SHOW),
        Step("03", "Two steps, and that is all", WORK, ("3.1", "3.2")),
        Step("03", "The loop around them", SHOW),
        Step("03", "A GAN on a plane", WORK, ("3.4",)),
        Step("03", "How good is it? Count", SHOW),
        Step("03", "Too many turns for one player", WORK, ("3.6",)),
        Step("03", "Repair one: give D its turn", SHOW),
        Step("03", "Repair two: let D see two samples at once", SHOW),
    ),
    _week(
        "Digits, and five bugs",
        Pause("What came up at home", 10),
        Step("04", "What is a batch of images?", WORK, ("4.1",)),
        Step("04", "The networks that most people meet first", SHOW),
        Step("04", "How do we measure digits?", SHOW),
        Step("04", "The first digits", SHOW),
        Step("04", "Five bugs, a run each", WORK, ("4.2", "4.3")),
        Step("04", "What can a fully connected network not know?", WORK, ("4.5",)),
    ),
    _week(
        "DCGAN on digits",
        Pause("What came up at home", 10),
        Step("05", "How does a network make a map larger?", WORK, ("5.1",)),
        Step("05", "What did DCGAN get right?", SHOW),
        Step("05", "How do the two learn?", WORK, ("5.2",)),
        Step("05", "Why show another generator than the one that is trained?", SHOW),
        Step("05", "How good is a picture?", SHOW),
        Step("05", "The real training", WORK, ("5.4",)),
        Step("05", "What lies between two digits?", SHOW),
    ),
    _week(
        "Colour",
        Pause("What came up at home", 10),
        Step("06", "Why is the picture too small?", WORK, ("6.1", "6.2")),
        Step("06", "Where does a checkerboard come from?", WORK, ("6.3",)),
        Step("06", "What may the discriminator memorise?", SHOW),
        Step("06", "How steep may a discriminator be?", WORK, ("6.5",)),
        Step("06", "What does each of them buy?", SHOW),
        Step("06", "The real training", SHOW),
        Step("06", "Are the colours right?", SHOW),
        Step("06", "Are the edges sharp?", SHOW),
    ),
    _week(
        "When training fails",
        Pause("What came up at home", 10),
        Step("07", "One page for every training", WORK, ("7.1",)),
        Step("07", "A field guide of failures", WORK, ("7.2", "7.3")),
        Step("07", "What cures mode collapse?", SHOW),
    ),
    _week(
        "The clinic",
        Pause("What came up at home", 10),
        Step("07", "The clinic", WORK, ("7.6", "7.8", "7.9", "7.11", "7.13")),
    ),
    _week(
        "Losses and penalties",
        Pause("What came up at home", 10),
        Step("08", "One interface for all", WORK, ("8.1",)),
        Step("08", "What does each loss say to a sample?", SHOW),
        Step("08", "What does each loss measure?", SHOW),
        Step("08", "What does Wasserstein fix?", WORK, ("8.3", "8.4")),
        Step("08", "A slope of 1, or of 0?", SHOW),
        Step("08", "The table", SHOW),
    ),
    _week(
        "Judging generators",
        Pause("What came up at home", 10),
        Step("09", "What is there to compare?", SHOW),
        Step("09", "How far is one heap from another?", WORK, ("9.1", "9.2")),
        Step("09", "Is each image clear, and are all kinds there?", SHOW),
        Step("09", "Bad images, or missing ones?", SHOW),
        Step("09", "Which number sees which failure?", WORK, ALL),
    ),
    _week(
        "How to cheat, and how to ask people",
        Pause("What came up at home", 15),
        Step("09", "Has it only learnt by heart?", SHOW),
        Step("09", "Why not simply compare pixels?", SHOW),
        Step("09", "How do you cheat?", WORK, ALL),
        Step("09", "Ask people", WORK),
        Step("09", "The report card", SHOW),
        Pause("Each judges another's generator of 05 or 06", 15),
    ),
    _week(
        "A likelihood with a bound",
        Pause("What came up at home", 10),
        Step("10", "How probable is a digit?", SHOW),
        Step("10", "A bound that can be computed", SHOW),
        Step("10", "The rate, three ways", WORK, ("10.1",)),
        Step("10", "A gradient through a draw", WORK, ("10.2",)),
        Step("10", "The whole step", SHOW),
        Step("10", "How good can it be in a minute?", SHOW),
        Step("10", "Nats of what?", SHOW),
        Step("10", "Posterior collapse, and what helps", SHOW),
        Step("10", "A plane full of digits", SHOW),
    ),
    _week(
        "What they made",
        Pause(
            "Each shows a generator of their own (5.6, 6.6 or 8.5), its report card, and one bug it had", 80
        ),
    ),
)

PLANS = {"90_minutes": (NINETY,), "half_day": (HALF_DAY,), "day": (DAY,), "semester": SEMESTER}
