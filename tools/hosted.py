"""Launch buttons for the starts without an installation: their addresses are those of docs/hosted.md.

Which repository they open is told by `repository-code` in CITATION.cff, or by GitHub while its CI builds the
book. Where neither tells, the page says so and asks; for the address of a hub it always asks.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from pathlib import Path

NAMES = {  # the host in docs/hosted.md -> what the button says
    "mybinder.org": "Binder",
    "colab.research.google.com": "Colab",
    "HUB": "your JupyterHub",
}
UNKNOWN = """<p>This copy of the book does not know which repository it was built from. Fill in yours, and the
buttons lead there.</p>
<label>repository on GitHub <input name="repository" placeholder="account/name" autocomplete="off"></label>
"""
HUB = """<label>JupyterHub, if you have one
<input name="hub" placeholder="hub.example.org" autocomplete="off"></label>
"""


def addresses(page: str) -> dict[str, str]:
    """What docs/hosted.md shows for each start, with OWNER/REPO and HUB as they stand there."""
    found = re.findall(r"^    (https://([^/]+)/.*)$", page, re.MULTILINE)
    return {NAMES[host]: address for address, host in found}


def repository(root: Path, environment: Mapping[str, str] = os.environ) -> str:
    """ "owner/name" on GitHub, or "" where nothing tells."""
    citation = root / "CITATION.cff"
    text = citation.read_text(encoding="utf-8") if citation.exists() else ""
    found = re.search(
        r"^repository-code:\s*[\"']?https://github\.com/([\w.-]+/[\w.-]+?)/?[\"']?\s*$", text, re.M
    )
    return found[1] if found else environment.get("GITHUB_REPOSITORY", "")


def buttons(root: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The buttons as HTML. book/static/page.js completes those whose address is asked for."""
    known = repository(root, environment)
    links = []
    for name, address in addresses((root / "docs" / "hosted.md").read_text(encoding="utf-8")).items():
        owner, _, repo = known.partition("/")
        complete = address.replace("OWNER", owner).replace("REPO", repo)
        href = f' href="{html.escape(complete)}"' if known and "HUB" not in address else ""
        links.append(f'<a class="button" data-address="{html.escape(address)}"{href}>{name}</a>')
    asks = UNKNOWN if not known else f'<input name="repository" type="hidden" value="{html.escape(known)}">'
    return f'<form class="launch">{asks}{HUB}<p class="buttons">{" ".join(links)}</p></form>'
