"""The files that tools outside of `make` read say what `make` does."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_commits_are_checked_with_the_pinned_versions() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    pinned = (ROOT / "requirements-dev.txt").read_text()
    for repository in config["repos"]:
        tool = repository["hooks"][0]["id"].split("-")[0]
        version = repository["rev"].removeprefix("v")
        assert re.search(rf"^{tool}=={re.escape(version)} ", pinned, re.MULTILINE), tool


def test_the_workflow_is_what_every_other_machine_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["test"]
    assert job["container"] == "debian:12"
    assert job["steps"][-1]["run"] == "bash .ci/run"
