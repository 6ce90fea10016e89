"""The subcommands for who teaches with the course: assignments, learners' own numbers, a class on trial.

Assignment and class are tools of the checkout, with options of their own; here they are only called.
"""

import argparse
import importlib
import sys
from pathlib import Path

import course_utils

CHECKOUT = Path(course_utils.__file__).resolve().parents[1]
TOOLS = {
    "assignment": ("tools.assignment", "notebooks to hand out, collect and mark with nbgrader"),
    "class": ("tools.classroom", "how this machine bears a class: so many learners' kernels at once"),
}


def register(commands) -> None:
    """Add the subcommands."""
    for name, (module, what) in TOOLS.items():
        tool = commands.add_parser(
            name, help=what, add_help=False, prefix_chars="\0"
        )  # `--help` is the tool's
        tool.add_argument("options", nargs=argparse.REMAINDER)
        tool.set_defaults(run=_run, module=module)
    variants = commands.add_parser("variants", help="which numbers of their own learners get in exercises")
    variants.add_argument("learners", nargs="*", metavar="NAME", help="as COURSE_VARIANT has it")
    variants.set_defaults(run=_variants)


def _run(arguments: argparse.Namespace) -> int:
    sys.path.insert(0, str(CHECKOUT))  # tools/ is no part of the package
    return importlib.import_module(arguments.module).main(arguments.options)


def _variants(arguments: argparse.Namespace) -> int:
    from course_utils.checks.variants import question_for, variants

    if not arguments.learners:
        print(f"These exercises have variants: {', '.join(variants())}.")
        print("`course variants NAME …` shows what each of these learners is asked.")
    for learner in arguments.learners:
        print(f"{learner}:")
        for number in variants():
            print(f"  {number:5} {question_for(learner, number)}")
    return 0
