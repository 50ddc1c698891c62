"""What dead providers cost the others: `python -m tests.faults.silence`, a table at its end.

Real processes (the Procfile's worker and beat) against small HTTP servers on loopback, where
each 127.x.y.z is a host of its own: live ones, some that accept and never answer, and some that
refuse. Prints how far apart the passes of the live accounts are, as their hosts see them, and how
long a submission takes until its job is known at the provider. DATABASE_URL (PostgreSQL; a
database of its own is made there and dropped) and CELERY_BROKER_URL say where; without them all
of it is embedded. Other work on the machine shows in the figures: run it more than once.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import psycopg

PROJECT_DIR = Path(__file__).resolve().parents[2]
LIVE, SILENT, REFUSING = 5, 30, 10
BURST = 40
WARM_UP_S = 15
SUBMIT_EVERY_S = 1.5
# What is not known by then is reported as that.
PATIENCE_S = 60


class LiveHosts(BaseHTTPRequestHandler):
    """Zencoder as far as it is needed here: one job that runs for ever, and those submitted."""

    protocol_version = "HTTP/1.1"
    jobs: ClassVar[dict[str, list[dict[str, Any]]]] = defaultdict(list)
    listed_at: ClassVar[dict[str, list[float]]] = defaultdict(list)
    muted: ClassVar[set[str]] = set()
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_GET(self) -> None:
        host, path = self._begin()
        if path == "/api/v2/account":
            return self._answer(200, {"account_state": "active"})
        if path == "/api/v2/jobs":
            self.listed_at[host].append(time.monotonic())
            return self._answer(200, [{"job": job} for job in reversed(self._jobs(host))])
        number = int(path.split("/")[4])
        job = next((job for job in self._jobs(host) if job["id"] == number), None)
        if job is None:
            return self._answer(404, {"errors": ["Not found"]})
        if path.endswith("/progress"):
            return self._answer(200, {"state": job["state"], "progress": 40.0})
        return self._answer(200, {"job": job})

    def do_POST(self) -> None:
        host, _ = self._begin()
        body = json.loads(self._read())
        with self.lock:
            jobs = self._jobs(host)
            jobs.append(_job(len(jobs) + 1, "finished", body.get("pass_through")))
        self._answer(201, {"id": jobs[-1]["id"], "outputs": [{"id": 1, "url": None}]})

    def _begin(self) -> tuple[str, str]:
        host = self.headers["Host"].partition(":")[0]
        if host in self.muted:
            time.sleep(120)
        return host, urlsplit(self.path).path

    def _jobs(self, host: str) -> list[dict[str, Any]]:
        jobs = self.jobs[host]
        if not jobs:
            jobs.append(_job(1, "processing", None))
        return jobs

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: the table is what this prints."""


def _job(number: int, state: str, pass_through: Any) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": number,
        "state": state,
        "created_at": now,
        "submitted_at": now,
        "updated_at": now,
        "finished_at": now if state == "finished" else None,
        "pass_through": pass_through,
        "input_media_file": {"id": 9_000 + number, "url": f"s3://rushes/{number}.mov"},
        "output_media_files": [{"id": 10 * number, "state": state, "url": None}],
        "thumbnails": [],
    }


@dataclass
class Figures:
    """Seconds of one situation; `waiting` are submissions that nobody knew in time."""

    name: str
    intervals: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    waiting: int = 0

    def row(self) -> str:
        def of(values: list[float]) -> str:
            if not values:
                return f"{'-':>8} {'-':>8} {'-':>8}"
            ordered = sorted(values)
            p95 = ordered[min(round(0.95 * len(ordered)), len(ordered) - 1)]
            return f"{statistics.median(values):8.2f} {p95:8.2f} {ordered[-1]:8.2f}"

        return (
            f"{self.name:44} {of(self.intervals)} {of(self.known)} {len(self.known):6}"
            f" {self.waiting:7}"
        )


THREE = f"{'median':>8} {'p95':>8} {'max':>8}"
HEADER = (
    f"{'seconds':44} {'pass interval of live':^26} {'submitted until known':^26} {'known':>6}"
    f" {'waiting':>7}\n{'':44} {THREE} {THREE}"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.silence", description=__doc__)
    parser.add_argument("--seconds", type=int, default=100, help="of each situation")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the processes below go along
    with ExitStack() as stack:
        _prepare(stack)
        sys.stdout.write(f"{HEADER}\n")
        figures = []
        for number, (name, prepare) in list(enumerate(SITUATIONS)) * options.rounds:
            figures.append(_run(number, name, prepare, options.seconds))
            sys.stdout.write(f"{figures[-1].row()}\n")
            sys.stdout.flush()
    return 0 if all(each.known and not each.waiting for each in figures) else 1


def _prepare(stack: ExitStack) -> None:
    """A database and a folder of its own, and the hosts; Django is set up on them."""
    var_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="reelboard-silence-"))
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        os.environ["DATABASE_URL"] = stack.enter_context(_database(url))
    os.environ |= {
        "VAR_DIR": var_dir,
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "SECRET_KEY": "a-secret-key-of-one-run-that-protects-nothing-at-all",
        "CREDENTIALS_KEYS": "a-credentials-key-of-one-run-alone",
        "ALLOW_PRIVATE_ADDRESSES": "1",
        "LOG_LEVEL": "WARNING",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    server = ThreadingHTTPServer(("0.0.0.0", 0), LiveHosts)  # noqa: S104 - each 127.x.y.z
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    silent = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=4096))  # noqa: S104
    with socket.create_server(("127.0.0.1", 0)) as closed:
        PORTS.update(
            live=server.server_address[1],
            silent=silent.getsockname()[1],
            refusing=closed.getsockname()[1],
        )


PORTS: dict[str, int] = {}


@contextmanager
def _database(url: str) -> Iterator[str]:
    name = f"reelboard_silence_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            from django.db import connections

            connections.close_all()
            connection.execute(f"drop database {name} with (force)".encode())


def _run(number: int, name: str, prepare: Callable[[Any], None], seconds: int) -> Figures:
    from jobs.models import ProviderAccount
    from organizations.models import Organization

    Organization.objects.filter(slug__startswith="run-").update(slug=f"old-{time.time_ns()}")
    ProviderAccount.objects.update(enabled=False)
    organization = Organization.objects.create(name="Run", slug=f"run-{time.time_ns()}")
    LiveHosts.muted.clear()
    live = [_account(organization, "live", number + 1, place) for place in range(LIVE)]
    target = _account(organization, "live", number + 1, 100)
    figures = Figures(name)
    with _processes():
        time.sleep(WARM_UP_S)
        prepare(organization)
        started = time.monotonic()
        pending = _submit_for(seconds, target, figures)
        ended = time.monotonic()
        for account in live:
            host = str(urlsplit(account.base_url).hostname)
            times = [at for at in LiveHosts.listed_at[host] if started - 15 <= at <= ended]
            # an interval that is still open counts as far as it has come
            figures.intervals += [b - a for a, b in zip(times, times[1:], strict=False)]
            if not times or ended - times[-1] > 15:
                figures.intervals.append(ended - (times[-1] if times else started))
        _await(pending, figures, PATIENCE_S)
    figures.waiting = len(pending)
    return figures


def _account(organization: Any, kind: str, number: int, place: int) -> Any:
    from jobs.models import ProviderAccount

    net = {"live": 1, "silent": 2, "refusing": 3}[kind]
    return ProviderAccount.objects.create(
        organization=organization,
        provider="zencoder",
        name=f"{kind} {place}",
        base_url=f"http://127.{net}.{number}.{place + 1}:{PORTS[kind]}/api/v2",
        credentials={"api_key": "key"},
        options={"requests_per_minute": "100000"},
    )


def _submit(account: Any, name: str) -> int:
    from jobs.submission.service import submit
    from providers.core.types import JobRequest, Rendition

    job = submit(
        organization=account.organization,
        account=account,
        request=JobRequest(f"s3://rushes/{name}.mov", renditions=(Rendition("mp4", (360,)),)),
        allow_duplicate=True,
    ).job
    return int(job.pk)


def _submit_for(seconds: int, account: Any, figures: Figures) -> dict[int, float]:
    """Submit one job after the other; those that are not known at the end."""
    pending: dict[int, float] = {}
    ends_at = time.monotonic() + seconds
    next_at = time.monotonic()
    while time.monotonic() < ends_at:
        if time.monotonic() >= next_at:
            next_at += SUBMIT_EVERY_S
            begun = time.monotonic()
            pending[_submit(account, f"clip-{begun:.3f}")] = begun
        _note_known(pending, figures)
        time.sleep(0.02)
    return pending


def _await(pending: dict[int, float], figures: Figures, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while pending and time.monotonic() < ends_at:
        _note_known(pending, figures)
        time.sleep(0.02)


def _note_known(pending: dict[int, float], figures: Figures) -> None:
    from jobs.models import Job

    if not pending:
        return
    known = Job.objects.filter(pk__in=list(pending), remote_id__isnull=False)
    for pk in known.values_list("pk", flat=True):
        figures.known.append(time.monotonic() - pending.pop(pk))


@contextmanager
def _processes() -> Iterator[None]:
    log_path = Path(os.environ.get("SILENCE_LOG") or os.devnull)
    with log_path.open("ab") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "dashboard", name],
                cwd=PROJECT_DIR,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            for name in ("worker", "beat")
        ]
        try:
            yield
        finally:
            for process in processes:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _nothing(organization: Any) -> None:
    """The five live accounts alone."""


def _dead_accounts(organization: Any) -> None:
    for kind, count in (("silent", SILENT), ("refusing", REFUSING)):
        for place in range(count):
            _account(organization, kind, 1, place)


def _burst_to_untried(organization: Any) -> None:
    account = _account(organization, "silent", 9, 0)
    for place in range(BURST):
        _submit(account, f"burst-{place}")


def _burst_to_muted(organization: Any) -> None:
    """The host has answered well until now."""
    account = _account(organization, "live", 90, 110 + time.time_ns() % 90)
    time.sleep(8)
    LiveHosts.muted.add(str(urlsplit(account.base_url).hostname))
    for place in range(BURST):
        _submit(account, f"burst-{place}")


SITUATIONS: list[tuple[str, Callable[[Any], None]]] = [
    (f"{LIVE} live accounts", _nothing),
    (f"and {SILENT} silent, {REFUSING} refusing accounts", _dead_accounts),
    (f"and {BURST} submissions to one silent host", _burst_to_untried),
    ("the same, to one that answered until then", _burst_to_muted),
]


if __name__ == "__main__":
    sys.exit(main())
