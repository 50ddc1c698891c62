"""The process tree of `make demo` and `make run`, with programs of the tests' own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from scripts import supervise
from scripts.supervise import (
    read_procfile,
    supervisor_config,
    supervisor_environment,
    write_supervisor_config,
)
from tests.waiting import PATIENCE_S, wait_until

# Writes its process id, one a line, each time it is started; will not end when asked to.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1], "a") as file:
    print(os.getpid(), file=file)
time.sleep(600)
"""


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
    programs = {name: f"python {script} {tmp_path / name}.pids" for name in names}
    command = write_supervisor_config(programs, tmp_path, "log/{name}.log")
    process = subprocess.Popen(command, cwd=tmp_path, env=supervisor_environment())
    yield process
    process.kill()
    process.wait()


def started(tmp_path: Path, name: str) -> list[int]:
    file = tmp_path / f"{name}.pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_killed_program_is_started_again_and_the_end_leaves_none(
    tree: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    wait_until(lambda: bool(started(tmp_path, "first") and started(tmp_path, "second")))
    time.sleep(1.1)  # what ends within its first second counts as not started
    os.kill(started(tmp_path, "first")[0], signal.SIGKILL)
    wait_until(lambda: len(started(tmp_path, "first")) == 2)

    tree.send_signal(signal.SIGTERM)
    tree.wait(timeout=PATIENCE_S)
    survivors = [*started(tmp_path, "first"), *started(tmp_path, "second")]
    assert not any(is_alive(process_id) for process_id in survivors)


def test_what_is_written_to_a_socket_arrives(tmp_path: Path) -> None:
    """systemd gives a socket to write to, which nobody can open by its path."""
    code = (
        "import os; from pathlib import Path; from scripts import supervise\n"
        "supervise.give_terminal_a_path()\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "programs = {'first': 'echo we are up'}\n"
        "command = supervise.write_supervisor_config(programs, folder, supervise.TERMINAL)\n"
        "os.chdir(folder)\n"
        "os.execve(command[0], command, supervise.supervisor_environment())"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(PATIENCE_S)
        process = subprocess.Popen([sys.executable, "-c", code], stdout=theirs.fileno())
        try:
            assert b"we are up" in ours.recv(100)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)


def test_procfile_starts_modules_and_no_scripts() -> None:
    """The scripts of a virtual environment name its folder, and break when that is renamed."""
    assert {name: command.split()[:3] for name, command in read_procfile().items()} == {
        "web": ["python", "-m", "gunicorn"],
        "worker": ["python", "-m", "celery"],
        "beat": ["python", "-m", "celery"],
    }


def test_percent_signs_reach_the_program() -> None:
    config = supervisor_config({"clock": "date +%H"}, "log/{name}.log")

    assert config["program:clock"]["command"] == "date +%%H"
