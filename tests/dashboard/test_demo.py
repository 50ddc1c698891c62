"""`make demo`, as somebody at a fresh checkout meets it."""

import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from providers.core import registry
from scripts.demo import Place, greeting, prepare_environment

PROJECT_DIR = Path(__file__).resolve().parents[2]


def test_keys_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    place = Place(tmp_path / "var", 8000, 9000)
    first = prepare_environment(place)
    key_file = Path(first["CREDENTIALS_KEYS_FILE"])
    key = key_file.read_text()
    prepare_environment(place)

    assert key_file.read_text() == key
    assert len(key) >= 32
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_the_line_for_the_command_line_works_in_any_folder(tmp_path: Path) -> None:
    place = Place(tmp_path / "a newcomer's $HOME" / "var", 8000, 9000)
    prepare_environment(place)
    (line,) = re.findall("set -a; .* set [+]a;", greeting(place, "secret"))
    done = subprocess.run(
        ["/bin/sh", "-c", f'{line} printf %s "$VAR_DIR"'], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (str(place.var_dir), "")


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_port_in_use_is_told_in_one_sentence(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        free = {"PORT": free_port(), "SANDBOX_PORT": free_port()}
        result = start_demo(tmp_path, **{**free, name: str(port)})
        output, _ = result.communicate(timeout=30)

    assert result.returncode == 1
    assert output == f"Port {port} is in use: try make demo {name}={port + 1}.\n"


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("exit 1", "No Python of version 3.11 or newer was found; install it with: "),
        ('case "$2" in *version*) exit 0;; *) exit 1;; esac', "cannot make a virtual environment"),
    ],
)
def test_missing_python_is_told_in_one_sentence(python: str, sentence: str, tmp_path: Path) -> None:
    program = tmp_path / "python3"
    program.write_text(f"#!/bin/sh\n{python}\n")
    program.chmod(0o755)
    result = subprocess.run(
        ["/bin/sh", str(PROJECT_DIR / "scripts" / "find-python")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def start_demo(var_dir: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.demo"],
        cwd=PROJECT_DIR,
        env={"PATH": os.defpath, "VAR_DIR": str(var_dir), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    # What a developer's own shell may point to, and the demo must leave alone.
    foreign = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/production", "SECRET_KEY_FILE": "/x"}
    process = start_demo(tmp_path, PORT=free_port(), SANDBOX_PORT=free_port(), **foreign)
    yield process
    process.terminate()
    process.communicate(timeout=20)


def read_greeting(demo: subprocess.Popen[str]) -> str:
    text = ""
    assert demo.stdout
    for line in demo.stdout:
        text += line
        if "Ctrl-C" in line:
            break
    return text


def is_alive(process_id: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process_id, 0)
        return True
    return False


def read_board(var_dir: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(var_dir / "reelboard.sqlite3")) as database:
        return database.execute(query).fetchall()


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False


ACCOUNTS = """
    select o.slug, a.provider from jobs_provideraccount a
    join organizations_organization o on o.id = a.organization_id
"""
STATUSES = """
    select a.provider, j.status from jobs_job j
    join jobs_provideraccount a on a.id = j.account_id
    join organizations_organization o on o.id = j.organization_id
    where o.slug = 'harbor' group by 1, 2
"""
SUBMITTED = """
    select a.provider, j.input_url, j.status, j.error_class from jobs_submission s
    join jobs_job j on j.id = s.job_id
    join jobs_provideraccount a on a.id = j.account_id
"""
DELIVERED = """
    select distinct a.provider from jobs_webhookdelivery d
    join jobs_provideraccount a on a.id = d.account_id
    where d.verdict = 'accepted' and d.handled_at is not null
"""
PROVIDERS = {slug for slug, _ in registry.choices()}


@pytest.mark.demo
def test_printed_sign_in_opens_a_living_board_and_the_end_leaves_no_process(
    demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    greeting = read_greeting(demo)
    address, email, password = re.findall(r"(?:Address|E-mail|Password) +(\S+)", greeting)

    browser = requests.Session()
    page = browser.get(f"{address}accounts/login/", timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    page = browser.post(
        f"{address}accounts/login/",
        {"login": email, "password": password, "csrfmiddlewaretoken": token.group(1)},
        timeout=10,
    )
    assert "/accounts/login/" not in page.url
    assert page.status_code == 200

    assert {tuple(row) for row in read_board(tmp_path, ACCOUNTS)} == {
        *(("harbor", provider) for provider in PROVIDERS),
        ("northlight", "zencoder"),
    }

    # What was submitted to each provider goes its way to the end, and each hook that there is
    # tells of it; around it are jobs of every status.
    def is_settled() -> bool:
        rows = read_board(tmp_path, SUBMITTED)
        return len(rows) == 8 and all(row[2] in ("succeeded", "failed") for row in rows)

    assert wait_for(is_settled), read_board(tmp_path, SUBMITTED)
    for provider, url, status, error in read_board(tmp_path, SUBMITTED):
        assert status == ("failed" if "corrupt" in url else "succeeded"), provider
        assert bool(error) is (status == "failed")
    assert wait_for(
        lambda: {row[0] for row in read_board(tmp_path, DELIVERED)} == PROVIDERS - {"xvid"}
    )
    every_status = {"queued", "running", "succeeded", "failed", "cancelled", "unknown"}
    assert wait_for(lambda: every_status <= {row[1] for row in read_board(tmp_path, STATUSES)})
    stays = ("succeeded", "failed", "unknown")
    ever_there = {(provider, word) for provider in PROVIDERS for word in stays}
    assert ever_there <= set(read_board(tmp_path, STATUSES))

    process_ids = {
        int(found)
        for found in re.findall(r"with pid (\d+)", (tmp_path / "log/supervisord.log").read_text())
    }
    began = time.monotonic()
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert len(process_ids) == 5  # supervisord, web, worker, beat and sandbox
    assert not any(map(is_alive, process_ids))
