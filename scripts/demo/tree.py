"""The demo's processes: supervisord and what it runs, for as long as a `with` block lasts."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO

from scripts.demo.place import HOST, Place, stop
from scripts.supervise import (
    STOP_SECONDS,
    read_procfile,
    supervisor_environment,
    write_supervisor_config,
)

START_SECONDS = 90
# Ctrl-C, `kill`, and a terminal that is closed.
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1


class ProcessTree:
    def __init__(self, place: Place, lock: TextIO) -> None:
        self._var_dir = place.var_dir
        self._log_dir = place.var_dir / "log"
        self._lock = lock
        programs = {"sandbox": _sandbox_command(place), **read_procfile()}
        self._command = write_supervisor_config(programs, place.var_dir, "log/{name}.log")

    def __enter__(self) -> "ProcessTree":
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.default_int_handler)
        self._process = subprocess.Popen(
            self._command,
            cwd=self._var_dir,
            env=supervisor_environment(),
            start_new_session=True,
            # While one process is left, no second demo starts.
            pass_fds=[self._lock.fileno()],
            preexec_fn=_end_with_parent,  # safe: there are no threads yet
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        # A second Ctrl-C must not interrupt this.
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._process.terminate()
        with suppress(OSError):  # the terminal may be gone
            print("\nStopping ...", flush=True)
        try:
            self._process.wait(timeout=STOP_SECONDS + 2)
        except subprocess.TimeoutExpired:
            _kill_session(self._process.pid)
            self._process.wait()
        return kind is KeyboardInterrupt

    def wait(self) -> NoReturn:
        self._process.wait()
        stop(f"The processes exited; see the logs in {self._log_dir}/.")

    def wait_until(self, condition: Callable[[], bool]) -> None:
        if not self.wait_for(condition, START_SECONDS):
            stop(f"The board is not responding; see the logs in {self._log_dir}/.")

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether the condition came true within that time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None:
                self.wait()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True


def _sandbox_command(place: Place) -> str:
    # The history is seeded once; new jobs keep coming. All numbers are per provider.
    return (
        f"python -m sandbox --host {HOST} --port {place.sandbox_port} "
        "--seed-jobs 150 --seed-second 600 --seed-unknown 1 --seed-moving 4 --trickle 25"
    )


def _end_with_parent() -> None:
    """Let SIGKILL of the demo end its processes too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_session(session_id: int) -> None:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(entry.name)) == session_id:
                os.kill(int(entry.name), signal.SIGKILL)
