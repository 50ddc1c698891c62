"""Running the scenarios, each in a process of its own, and printing the table."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from tests import services
from tests.faults.registry import choose
from tests.faults.scenario import Scenario
from tests.faults.stack import open_stack
from tests.faults.table import HEADER, Row, format_row
from tests.workers import PROJECT_DIR


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", help="names or patterns such as kills-*; all without")
    parser.add_argument("--share", type=float, default=1, help="of the kills and jobs, to try it")
    parser.add_argument("--json", action="store_true", help="run in this process; print rows alone")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped
    try:
        chosen = choose(options.rows)
    except ValueError as error:
        parser.error(str(error))
    for service in (services.POSTGRES, services.REDIS):
        if not service.is_there():
            parser.error(f"{service.name} was not found: {service.how_to_get}.")
    if options.json:
        for scenario, names in chosen:
            _run_here(scenario, names, options.share)
        return 0
    return _run_all(chosen, options.share)


def _run_here(scenario: Scenario, names: list[str], share: float) -> None:
    with open_stack(names[0], scenario.settings, share) as stack:
        for row in scenario.run(stack, names):
            if tracebacks := stack.count_tracebacks():
                row = row.with_note(f"{tracebacks} tracebacks in the workers' log")
            _write(json.dumps(asdict(row)))


def _run_all(chosen: list[tuple[Scenario, list[str]]], share: float) -> int:
    started = time.monotonic()
    _write(f"{_describe_place()}\n\n{HEADER}")
    background = [Child(*one, share) for one in chosen if one[0].in_background]
    is_good = True
    try:
        for scenario, names in chosen:
            if not scenario.in_background:
                is_good &= Child(scenario, names, share).report()
        for child in background:
            is_good &= child.report()
    finally:
        for child in background:
            child.stop()
    _write(f"\n{'Good' if is_good else 'NOT GOOD'}, in {(time.monotonic() - started) / 60:.0f} min")
    return 0 if is_good else 1


class Child:
    """A scenario in a process of its own, which begins at once."""

    def __init__(self, scenario: Scenario, names: list[str], share: float) -> None:
        self._scenario, self._names = scenario, names
        # no pipe, which would be full before it is read
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - read when it has ended
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults", "--json", f"--share={share}", *names],
            cwd=PROJECT_DIR,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def report(self) -> bool:
        """Wait for its end, and print its rows; whether all are there and good."""
        limit = ""
        try:
            output, _ = self._process.communicate(timeout=self._scenario.limit_s)
        except subprocess.TimeoutExpired:
            self.stop()
            output, _ = self._process.communicate()
            limit = f"\nended after {self._scenario.limit_s} s"
        except BaseException:  # Ctrl-C
            self.stop()
            raise
        self._errors.seek(0)
        errors = self._errors.read() + limit
        rows = {row.name: row for row in _read(output)}
        for name in self._names:
            row = rows.get(name)
            _write(format_row(row) if row else f"| {name} | {_last_line(errors)} |")
        if self._process.returncode:
            _write(errors)
        return len(rows) == len(self._names) and all(row.is_good for row in rows.values())

    def stop(self) -> None:
        """Let it stop what it has started."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(60)


def _read(output: str) -> Iterator[Row]:
    for line in output.splitlines():
        values: dict[str, Any] = json.loads(line)
        yield Row(**values)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no row"])[-1]


def _describe_place() -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=PROJECT_DIR, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    load = os.getloadavg()[0]
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%d %H:%M} UTC, {commit}, {os.cpu_count()} cores with a load of {load:.1f}"


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
