"""`make demo`, as somebody with a fresh checkout meets it."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from providers.core import registry
from scripts.demo.__main__ import greeting
from scripts.demo.place import CLIPS, FOREIGN, Place, prepare_environment
from tests.clips import make_clip
from tests.test_documents import READS
from tests.waiting import PATIENCE_S

PROJECT_DIR = Path(__file__).resolve().parents[2]
# Each of these characters means something to a shell, a URL, an INI file or supervisord.
ODD_NAME = "a newcomer's Büro + 100% #1"


def test_keys_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    place = Place(tmp_path, 8000, 9000)
    first = prepare_environment(place)
    key_file = Path(first["CREDENTIALS_KEYS_FILE"])
    key = key_file.read_text()
    prepare_environment(place)

    assert key_file.read_text() == key
    assert len(key) >= 32
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_every_variable_is_set_by_the_demo_or_removed(tmp_path: Path) -> None:
    sources = [PROJECT_DIR / "dashboard" / "settings.py", PROJECT_DIR / "gunicorn.conf.py"]
    read = {name for source in sources for name in READS.findall(source.read_text())}
    environment = prepare_environment(Place(tmp_path, 8000, 9000))

    assert read <= {*FOREIGN, *(name.removesuffix("_FILE") for name in environment)}


def test_printed_command_line_works_from_any_folder(tmp_path: Path) -> None:
    place = Place(tmp_path / ODD_NAME, 8000, 9000)
    place.var_dir.mkdir()
    prepare_environment(place)
    (line,) = re.findall("^ +(cd .* set [+]a)$", greeting(place, "me", "secret"), re.MULTILINE)
    done = subprocess.run(
        ["/bin/sh", "-c", f'{line} && printf "%s %s" "$PWD" "$VAR_DIR"'],
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (f"{PROJECT_DIR} {place.var_dir}", "")


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_port_in_use_gives_one_sentence_with_a_free_one(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        free = {"PORT": free_port(), "SANDBOX_PORT": free_port()}
        code, output = run_demo(tmp_path, **{**free, name: str(port)})

    assert code == 1
    found = re.fullmatch(rf"Port {port} is in use: try make demo {name}=(\d+)\.\n", output)
    assert found
    assert found.group(1) not in (str(port), free["PORT"], free["SANDBOX_PORT"])


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"PORT": "8123", "SANDBOX_PORT": "8123"},
            "PORT and SANDBOX_PORT are both 8123: give them different numbers.\n",
        ),
        ({"PORT": "http"}, "PORT must be a number from 1 to 65535.\n"),
        ({"SANDBOX_PORT": "65536"}, "SANDBOX_PORT must be a number from 1 to 65535.\n"),
        (
            {"VAR_DIR": "/dev/null/var"},
            "VAR_DIR /dev/null/var cannot be created: Not a directory.\n",
        ),
    ],
)
def test_wrong_setting_gives_one_sentence(
    environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    assert run_demo(tmp_path, **environment) == (1, sentence)


def test_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "reelboard.sqlite3").touch()
    sentence = f"{tmp_path} holds a database that is not the demo's: set another VAR_DIR.\n"
    assert run_demo(tmp_path) == (1, sentence)


def test_port_that_needs_privileges_gives_one_sentence(tmp_path: Path) -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("this machine lets everybody use port 80")
    as_user = ("setpriv", "--bounding-set=-net_bind_service") if os.geteuid() == 0 else ()
    code, output = run_demo(tmp_path, *as_user, PORT="80", SANDBOX_PORT=free_port())
    assert code == 1
    assert re.fullmatch(r"Port 80 needs root privileges: try make demo PORT=80\d\d\.\n", output)


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("exit 1", "No Python of version 3.11 or newer was found; install it with: "),
        ('case "$2" in *version*) exit 0;; *) exit 1;; esac', "cannot make a virtual environment"),
    ],
)
def test_missing_python_gives_one_sentence(python: str, sentence: str, tmp_path: Path) -> None:
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


@pytest.mark.demo
def test_demo_works_in_an_odd_folder_and_leaves_no_process(odd_checkout: Path) -> None:
    """The folder's virtual environment has no scripts, as one that was moved has none that work."""
    var_dir = odd_checkout / "var"
    # What a developer's own shell may point to, and the demo must leave alone.
    foreign = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/production",
        "SECRET_KEY_FILE": "/x",
        "ALLOWED_HOSTS_FILE": "/x",
    }
    demo = start_demo(odd_checkout, PORT=free_port(), SANDBOX_PORT=free_port(), **foreign)
    try:
        greeting = read_greeting(demo)
        list_is_filled(var_dir)
        sign_in_opens_the_board(greeting)
        second_demo_is_refused(odd_checkout, var_dir)
        jobs_come_to_their_end(var_dir)
        log = (var_dir / "log/supervisord.log").read_text()
        process_ids = [int(found) for found in re.findall(r"with pid (\d+)", log)]

        demo.send_signal(signal.SIGHUP)  # the terminal is closed
        demo.communicate(timeout=PATIENCE_S)
    finally:
        demo.kill()
        demo.communicate()
    assert len(process_ids) == 5  # supervisord, web, worker, beat and sandbox
    assert not any(map(is_alive, process_ids))


def list_is_filled(var_dir: Path) -> None:
    assert read_board(var_dir, "select count(*) from jobs_job") > [(150 * len(PROVIDERS),)]
    assert set(read_board(var_dir, ACCOUNTS)) == {
        *(("harbor", provider) for provider in PROVIDERS),
        ("northlight", "zencoder"),
    }


def sign_in_opens_the_board(greeting: str) -> None:
    url, email, password = re.findall(r"(?:URL|E-mail|Password) +(\S+)", greeting)
    browser = requests.Session()
    page = browser.get(f"{url}accounts/login/", timeout=PATIENCE_S)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    page = browser.post(
        f"{url}accounts/login/",
        {"login": email, "password": password, "csrfmiddlewaretoken": token.group(1)},
        timeout=PATIENCE_S,
    )
    assert "/accounts/login/" not in page.url
    assert page.status_code == 200


def second_demo_is_refused(checkout: Path, var_dir: Path) -> None:
    second = start_demo(checkout, PORT=free_port(), SANDBOX_PORT=free_port())
    output, _ = second.communicate(timeout=PATIENCE_S)
    assert output == f"A demo is already running in {var_dir}: stop that one first.\n"
    assert second.returncode == 1


def jobs_come_to_their_end(var_dir: Path) -> None:
    """Each provider encodes what was submitted, and its webhook, if it has one, reports it."""

    def is_settled() -> bool:
        rows = read_board(var_dir, SUBMITTED)
        return len(rows) == 8 and all(row[2] in ("succeeded", "failed") for row in rows)

    assert wait_for(is_settled, 240), read_board(var_dir, SUBMITTED)
    for provider, url, status, error in read_board(var_dir, SUBMITTED):
        assert status == ("failed" if "corrupt" in url else "succeeded"), provider
        assert bool(error) is (status == "failed")
    assert wait_for(
        lambda: {row[0] for row in read_board(var_dir, DELIVERED)} == PROVIDERS - {"xvid"}
    )
    every_status = {"queued", "running", "succeeded", "failed", "cancelled", "unknown"}
    assert wait_for(lambda: every_status <= {row[1] for row in read_board(var_dir, STATUSES)})
    stays = ("succeeded", "failed", "unknown")
    ever_there = {(provider, status) for provider in PROVIDERS for status in stays}
    assert ever_there <= set(read_board(var_dir, STATUSES))


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


@pytest.fixture
def odd_checkout(tmp_path: Path) -> Path:
    """A copy of the project, with the packages of this virtual environment but none of its
    scripts, in a folder with an odd name."""
    folder = tmp_path / ODD_NAME
    ignored = shutil.ignore_patterns(".*", "var", "tests", "docs", "node_modules")
    shutil.copytree(PROJECT_DIR, folder, ignore=ignored)
    # in place of the 20 s that the sandbox would make: it is encoded ten times
    make_clip(folder / "var" / "sandbox" / "media" / "in" / CLIPS[0], seconds=3)
    venv.create(folder / ".venv", symlinks=True)
    (site,) = (folder / ".venv").glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def start_demo(folder: Path, *prefix: str, **environment: str) -> subprocess.Popen[str]:
    python = folder / ".venv" / "bin" / "python"
    return subprocess.Popen(
        [*prefix, python if python.exists() else sys.executable, "-m", "scripts.demo"],
        cwd=folder,
        env={"PATH": os.defpath, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_demo(var_dir: Path, *prefix: str, **environment: str) -> tuple[int, str]:
    """Of this checkout, where it is expected to end by itself."""
    environment = {"VAR_DIR": str(var_dir), **environment}
    process = start_demo(PROJECT_DIR, *prefix, **environment)
    output, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode, output


def read_greeting(demo: subprocess.Popen[str]) -> str:
    text = ""
    assert demo.stdout
    for line in demo.stdout:
        text += line
        if "Ctrl-C" in line:
            return text
    raise AssertionError(text)


def is_alive(process_id: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process_id, 0)
        return True
    return False


def read_board(var_dir: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(var_dir / "reelboard.sqlite3")) as database:
        return database.execute(query).fetchall()


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False
