"""What was measured, where and with what, kept as JSON: one file a subject, one record a run."""

import json
import math
import platform
import subprocess
from datetime import date
from pathlib import Path

import psutil
import torch

from course_utils.cli.doctor import processor_name
from course_utils.files import replacing
from course_utils.runtime import usable_cores

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
QUICK = "quick: for the tests' sanity, never for a claim"


def load(path: Path) -> dict[str, dict]:
    """Key → record; nothing where there is no file yet.

    Raises:
        ValueError: the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))["records"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} holds no readable results; delete it, or restore it.") from error


def add(path: Path, key: str, record: dict) -> None:
    """Puts one record into the file, in one move: an interruption leaves the old file or the new one."""
    records = {**load(path), key: record}
    with replacing(path) as partial:
        text = json.dumps({"records": dict(sorted(records.items()))}, indent=1, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")


def circumstances(device: torch.device, quick: bool) -> dict:
    """Machine, versions, code and day of a measurement: nothing that names a person, a host or a folder."""
    memory = psutil.virtual_memory().total / 2**30
    machine = {
        "processor": processor_name(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "memory_gigabytes": round(memory, 1),
        "system": platform.system(),
    }
    if device.type == "cuda":
        machine["gpu"] = torch.cuda.get_device_name(device)
    return {
        "device": device.type,
        "machine": machine,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "revision": revision(),
        "date": date.today().isoformat(),
        "quick": QUICK if quick else None,
    }


def revision() -> dict:
    """The commit that last changed what is measured, and whether it has been changed since."""

    def git(*arguments: str) -> str:
        result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    try:
        code = ("--", "course_utils", "benchmarks/*.py")
        changed = git("status", "--porcelain", "--untracked-files=no", *code)
        return {"commit": git("log", "-1", "--abbrev=12", "--format=%h", *code), "changed": bool(changed)}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "changed": None}


def number(value: float) -> str:
    """Three digits that count: 0.912, 3.46, 34.6, 346, 3,460."""
    if math.isinf(value):
        return "never"
    rounded = float(f"{value:.3g}")
    digits = 2 - math.floor(math.log10(abs(rounded))) if rounded else 0
    return f"{rounded:,.{max(0, digits)}f}"


def rounded(value: object) -> object:
    """Numbers with five digits that count, in lists and dictionaries too, so that a file can be read."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
