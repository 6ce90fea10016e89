"""The `course` command and the doctor."""

from course_utils.cli.commands import main

__all__ = ["main"]
