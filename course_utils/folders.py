"""Where the course lies, and where what one person did in it is kept. Imports nothing heavy."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def personal_folder() -> Path:
    """`.course` in a checkout of one's own; `~/.gan-course` where the checkout is another's or read-only.

    So a room that shares one checkout has one file of progress for each person, and nobody sees another's.
    Whoever may write everywhere (root, in a container) works in a checkout of their own, too.
    """
    here = CHECKOUT / ".course"
    if not hasattr(os, "getuid"):  # Windows: nobody shares a checkout there
        return here
    own = os.getuid() in (0, CHECKOUT.stat().st_uid)
    if own and os.access(CHECKOUT, os.W_OK):
        return here
    try:
        return Path.home() / ".gan-course"
    except RuntimeError:  # somebody without a home, as some containers have them
        return here
