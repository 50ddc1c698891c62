"""The process tree of `make demo` and `make run`, with programs of the tests' own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from scripts import supervise
from scripts.supervise import read_procfile, supervisor_config, supervisord_command

# Writes its process id, one a line, each time it is started; will not end when asked to.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1], "a") as file:
    print(os.getpid(), file=file)
time.sleep(600)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_alive(process_id: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process_id, 0)
        return True
    return False


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    monkeypatch.setattr(supervise, "STOP_SECONDS", 3)
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    names = ("first", "second")
    programs = {name: f"{sys.executable} {script} {tmp_path / name}.pids" for name in names}
    command = supervisord_command(programs, tmp_path, str(tmp_path / "{name}.log"))
    process = subprocess.Popen(command)
    yield process
    process.kill()
    process.wait()


def started(tmp_path: Path, name: str) -> list[int]:
    file = tmp_path / f"{name}.pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_killed_program_is_started_again_and_the_end_leaves_none(
    tree: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert wait_for(lambda: bool(started(tmp_path, "first") and started(tmp_path, "second")))
    time.sleep(1.1)  # what ends within its first second counts as not started
    os.kill(started(tmp_path, "first")[0], signal.SIGKILL)
    assert wait_for(lambda: len(started(tmp_path, "first")) == 2)

    began = time.monotonic()
    tree.send_signal(signal.SIGTERM)
    tree.wait(timeout=15)
    # Both ignore SIGTERM: they are killed side by side, not one after the other.
    assert time.monotonic() - began < 2 * supervise.STOP_SECONDS
    survivors = [*started(tmp_path, "first"), *started(tmp_path, "second")]
    assert not any(is_alive(process_id) for process_id in survivors)


def test_what_is_written_to_a_socket_arrives(tmp_path: Path) -> None:
    """systemd gives a socket to write to, which nobody can open by its path."""
    code = (
        "import os; from pathlib import Path; from scripts import supervise\n"
        "supervise.give_terminal_a_path()\n"
        "command = supervise.supervisord_command({'first': 'echo we are up'}, "
        f"Path({str(tmp_path)!r}), supervise.TERMINAL)\n"
        "os.execv(command[0], command)"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(15)
        process = subprocess.Popen([sys.executable, "-c", code], stdout=theirs.fileno())
        try:
            assert b"we are up" in ours.recv(100)
        finally:
            process.terminate()
            process.wait(timeout=15)


def test_procfile_names_the_three_processes() -> None:
    assert {name: command.split()[0] for name, command in read_procfile().items()} == {
        "web": "gunicorn",
        "worker": "celery",
        "beat": "celery",
    }


def test_percent_signs_reach_the_program(tmp_path: Path) -> None:
    config = supervisor_config({"clock": "date +%H"}, tmp_path, str(tmp_path / "{name}.log"))

    assert config["program:clock"]["command"] == "date +%%H"
