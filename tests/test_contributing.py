"""What CONTRIBUTING.md asks people to type exists, and every marker selects something."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import SELECTS

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
PYTEST = sorted(set(re.findall(r"\.venv/bin/pytest ([^`\n]+)", GUIDE)))
MAKE = sorted(set(re.findall(r"\bmake ([a-z-]+)", GUIDE)))


def is_whole(config: pytest.Config) -> bool:
    return config.args in (config.getini("testpaths"), [str(ROOT)])


@pytest.mark.parametrize("arguments", PYTEST)
def test_an_example_of_pytest_selects_tests(arguments: str, pytestconfig: pytest.Config) -> None:
    arguments_given = shlex.split(arguments)
    if arguments_given[0] == "-m":  # of all tests, which take long to collect once more
        if not is_whole(pytestconfig):
            pytest.skip("only a part of the tests was collected")
        assert pytestconfig.stash[SELECTS][arguments_given[1]]
        return
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *arguments_given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("target", MAKE)
def test_an_example_of_make_is_a_target(target: str) -> None:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, env=environment, check=False)  # noqa: S607
    assert done.returncode == 0


def markers() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]
    return {line.partition(":")[0] for line in settings["ini_options"]["markers"]}


def test_every_marker_selects_tests(pytestconfig: pytest.Config) -> None:
    if not is_whole(pytestconfig):
        pytest.skip("only a part of the tests was collected")
    assert {name for name in markers() if not pytestconfig.stash[SELECTS][name]} == set()


def test_every_marker_is_in_the_table() -> None:
    named = re.findall(r"^\| (`.*?) \|", GUIDE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", "".join(named))) == markers()
