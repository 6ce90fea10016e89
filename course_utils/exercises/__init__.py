"""The exercises of each notebook, `exNN_topic.py`, one function for each.

`course_utils.checks` imports such a file when one of its numbers is asked for. `docs/authoring.md` says how
to write one.
"""
