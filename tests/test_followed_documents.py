"""The documents' commands, followed literally by somebody with a fresh checkout and no demo."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sysconfig
import time
import venv
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from sandbox.server import RunningSandbox, start

ROOT = Path(__file__).parents[1]
WAIT_S = 300


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project with an installed virtual environment, which takes minutes to make anew."""
    folder = tmp_path / "reelboard"
    ignored = shutil.ignore_patterns(".*", "var", "data", "tests", "node_modules", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=ignored)
    venv.create(folder / ".venv", symlinks=True)
    (site,) = (folder / ".venv").glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(sysconfig.get_path("purelib"))
    (folder / ".venv" / ".installed").touch()
    return folder


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with start(encode=False, rate_limit=0, seed_jobs=3) as sandbox:
        yield sandbox


def commands(document: str, heading: str) -> str:
    """The shell blocks of a section."""
    text = (ROOT / document).read_text()
    section = re.split(rf"^## {heading}$", text, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    return "".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


def follow(script: str, checkout: Path, port: int) -> str:
    """Run the commands, of which the last stays in the foreground; what they print until the
    board is ready."""
    url = f"http://127.0.0.1:{port}/readyz"
    log = checkout / "followed.log"
    with log.open("w") as output:
        shell = subprocess.Popen(
            ["/bin/sh", "-e", "-c", script],
            cwd=checkout,
            env={"PATH": os.defpath, "PORT": str(port), "ALLOW_PRIVATE_ADDRESSES": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + WAIT_S
        while not is_ready(url):
            assert shell.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(timeout=60)
    return log.read_text()


def is_ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def count(checkout: Path, table: str) -> int:
    with closing(sqlite3.connect(checkout / "data" / "reelboard.sqlite3")) as database:
        return int(database.execute(f"select count(*) from {table}").fetchone()[0])  # noqa: S608


@pytest.mark.release
def test_readme_leads_to_a_board_with_an_account(checkout: Path, sandbox: RunningSandbox) -> None:
    script = commands("README.md", "Your own accounts")
    assert "YOUR_API_KEY" in script
    # The only difference to what a reader does: the provider is the sandbox.
    script = script.replace("YOUR_API_KEY", sandbox.keys["zencoder_api_key"]).replace(
        "--provider zencoder", f"--provider zencoder --base-url {sandbox.api_url('zencoder')}"
    )

    output = follow(script, checkout, free_port())

    assert "/accounts/password/reset/key/" in output
    assert count(checkout, "jobs_provideraccount") == 1
    assert count(checkout, "jobs_job") >= 3


@pytest.mark.release
def test_guide_to_deploying_leads_to_a_board(checkout: Path) -> None:
    output = follow(commands("docs/deploying.md", "Without Docker"), checkout, free_port())

    assert "https://board.example.org/accounts/password/reset/key/" in output
    assert "System check identified no issues" in output
    assert count(checkout, "organizations_organization") == 1


def test_every_setting_of_the_example_for_docker_exists() -> None:
    # the password is read by compose.yaml alone
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) - {"POSTGRES_PASSWORD"}
    guide = (ROOT / "docs" / "deploying.md").read_text()
    assert {name for name in named if f"`{name}`" not in guide} == set()
