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
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests

from scripts.demo import Place, prepare_environment

PROJECT_DIR = Path(__file__).resolve().parents[2]


def test_keys_are_made_once_and_for_the_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@elsewhere/production")
    place = Place(tmp_path / "var", 8000, 9000)
    first = prepare_environment(place)
    key_file = Path(first["CREDENTIALS_KEYS_FILE"])
    key = key_file.read_text()
    prepare_environment(place)

    assert "DATABASE_URL" not in {**os.environ, **first}
    assert key_file.read_text() == key
    assert len(key) >= 32
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


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
    process = start_demo(tmp_path, PORT=free_port(), SANDBOX_PORT=free_port())
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


def mirrored(var_dir: Path) -> int:
    with closing(sqlite3.connect(var_dir / "reelboard.sqlite3")) as database:
        row = database.execute("select count(*) from jobs_job").fetchone()
    return int(row[0])


def is_alive(process_id: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process_id, 0)
        return True
    return False


def wait_until_mirrored(var_dir: Path, at_least: int) -> int:
    deadline = time.monotonic() + 60
    while (count := mirrored(var_dir)) < at_least and time.monotonic() < deadline:
        time.sleep(0.3)
    return count


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

    count = wait_until_mirrored(tmp_path, 400)
    assert count >= 400

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
