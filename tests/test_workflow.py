"""GitHub's workflow is one that GitHub can read, and covers what the README promises."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "test.yml"
TEXT = WORKFLOW.read_text(encoding="utf-8")
JOBS = yaml.safe_load(TEXT)["jobs"]


def violations(*paths):
    """What the published schema of workflow files, a copy of which the checker brings along, objects to."""
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *paths,
    ]
    run = subprocess.run(command, capture_output=True, text=True)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def test_it_keeps_the_schema():
    assert violations(WORKFLOW) == ""


def test_the_schema_objects_to_every_slip(tmp_path):
    slips = {
        "runs-on:": "run-on:",
        "uses: actions/checkout@v4": "use: actions/checkout@v4",
        "timeout-minutes: 60": "timeout-minutes: an hour",
        "pull_request:": "pull_requests:",
    }
    files = [tmp_path / f"slip{number}.yml" for number in range(len(slips))]
    for file, (right, wrong) in zip(files, slips.items(), strict=True):
        assert right in TEXT
        file.write_text(TEXT.replace(right, wrong))
    found = violations(*files)
    assert [file.name for file in files if str(file) not in found] == []


def test_every_matrix_value_that_is_used_is_declared_and_the_other_way_round():
    for job in JOBS.values():
        used = set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", str(job)))
        assert used == set(job.get("strategy", {}).get("matrix", {}))
        assert set(job.get("needs", "").split()) <= set(JOBS)


def test_it_runs_make_test_where_the_readme_promises_that_it_works():
    job, readme = JOBS["test"], (ROOT / "README.md").read_text(encoding="utf-8")
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make test"]
    promised = {"ubuntu-latest": "Linux", "macos-latest": "macOS"}
    assert set(job["strategy"]["matrix"]["system"]) == set(promised)
    assert all(system in readme for system in promised.values())
    oldest = re.search(r"Python (\d\.\d+) or newer", readme)[1]
    assert job["strategy"]["matrix"]["python"][0] == oldest


def test_what_was_never_run_is_said_in_the_file_and_in_the_docs():
    contributing = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
    for text in (TEXT, contributing):
        assert re.search(r"schema of[\s#]+workflow files, not[\s#]+been[\s#]+run", text)
