"""The `course` command: the doctor, the exercises solved, the data.

What a subcommand needs is imported when it is called: `course --help` answers at once, and `course doctor`
works where PyTorch does not.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.cli import pack, serve, teaching
from course_utils.folders import CHECKOUT

DATA_SETS = ("mnist", "cifar10")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 where all is well, else 1 and a sentence to act on.

    Args:
        argv: the words after `course`; None takes those of the command line.
    """
    if copied := _copied_checkout():
        print(
            f"This `course` stands in {copied}, but its .venv was copied and runs the course in {CHECKOUT}; "
            f"call `make setup` in {copied}, which makes it anew.",
            file=sys.stderr,
        )
        return 1
    arguments = _parser().parse_args(argv)
    if sys.stdout:  # it may be closed
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no ✔ shows a ? in its place
    try:
        return arguments.run(arguments)
    except ModuleNotFoundError as error:
        print(f"The package {error.name} is missing: `make setup` installs it.", file=sys.stderr)
    except BrokenPipeError:  # `course doctor | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
    return 1


def _copied_checkout() -> Path | None:
    """The checkout whose `.venv/bin/course` was called, where that runs the package of another one."""
    called = Path(os.path.abspath(sys.argv[0]))
    if called.parts[-3:-1] != (".venv", "bin"):
        return None
    package = called.parents[2] / "course_utils"
    return package.parent if package.is_dir() and not package.samefile(CHECKOUT / "course_utils") else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description="The GAN course's helper.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    doctor = commands.add_parser(
        "doctor", help="what this machine has, what is wrong, and what to do about it"
    )
    doctor.set_defaults(run=_doctor)

    progress = commands.add_parser("progress", help="which exercises are solved")
    progress.set_defaults(run=_progress)

    data = commands.add_parser(
        "data", help="which data sets are here; `course data fetch` gets what is missing"
    )
    data.add_argument("action", nargs="?", choices=("show", "fetch"), default="show")
    data.add_argument("names", nargs="*", metavar="NAME", help=f"{' or '.join(DATA_SETS)}; by default both")
    data.set_defaults(run=_data)

    teaching.register(commands)
    pack.register(commands)
    serve.register(commands)
    return parser


def _doctor(_arguments: argparse.Namespace) -> int:
    from course_utils.cli.doctor import report

    answer = report()
    print(answer)
    return 0 if answer.healthy else 1


def _progress(_arguments: argparse.Namespace) -> int:
    from course_utils.checks.progress import report

    print(report())
    return 0


def _data(arguments: argparse.Namespace) -> int:
    unknown = [name for name in arguments.names if name not in DATA_SETS]
    if unknown:
        print(f"There is no data set {unknown[0]!r}; the course has {', '.join(DATA_SETS)}.", file=sys.stderr)
        return 1

    from course_utils import data

    healthy = True
    for name in arguments.names or DATA_SETS:
        if arguments.action == "fetch":
            try:
                data.fetch(name)
            except (data.DownloadError, data.DataError) as error:
                print(error, file=sys.stderr)
                healthy = False
        status = data.status(name)
        print(f"{name}: {status.state}. {status.sentence}")
        healthy = healthy and status.state not in ("corrupt", "unusable")
    return 0 if healthy else 1
