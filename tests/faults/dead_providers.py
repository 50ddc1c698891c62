"""What dead providers cost the others: submissions to a live one go on beside them.

Real workers against small HTTP servers on loopback, where each 127.x.y.z is a host of its own:
live ones, some that accept and never answer, and some that refuse. Measured are how far apart the
passes of the live accounts are, as their hosts see them, and how long a submission takes until its
job is known at the provider.
"""

import json
import socket
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

from jobs.models import Job, ProviderAccount
from organizations.models import Organization
from tests.factories import make_organization
from tests.faults.stack import Stack
from tests.faults.table import Row, compare

LIVE, SILENT, REFUSING = 5, 30, 10
BURST = 40
WARM_UP_S = 15
SITUATION_S = 100
SUBMIT_EVERY_S = 1.5
# What is not known by then counts as lost.
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
            jobs.append(_job(len(jobs) + 1, "finished", body["input"], body.get("pass_through")))
        self._answer(201, {"id": jobs[-1]["id"], "outputs": [{"id": 1, "url": None}]})

    def _begin(self) -> tuple[str, str]:
        host = self.headers["Host"].partition(":")[0]
        if host in self.muted:
            time.sleep(120)
        return host, urlsplit(self.path).path

    def _jobs(self, host: str) -> list[dict[str, Any]]:
        jobs = self.jobs[host]
        if not jobs:
            jobs.append(_job(1, "processing", "s3://rushes/1.mov", None))
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
        """Nothing."""


def _job(number: int, state: str, url: str, pass_through: Any) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": number,
        "state": state,
        "created_at": now,
        "submitted_at": now,
        "updated_at": now,
        "finished_at": now if state == "finished" else None,
        "pass_through": pass_through,
        "input_media_file": {"id": 9_000 + number, "url": url},
        "output_media_files": [{"id": 10 * number, "state": state, "url": None}],
        "thumbnails": [],
    }


@dataclass
class Situation:
    """Seconds measured in one situation; `files` were submitted to a live host."""

    name: str
    intervals: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    # by job: when it was submitted
    pending: dict[int, float] = field(default_factory=dict)

    def describe(self) -> str:
        return (
            f"{self.name}: passes {_describe(self.intervals)} apart, submissions known after"
            f" {_describe(self.known)}"
        )


def _describe(values: list[float]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    p95 = ordered[min(round(0.95 * len(ordered)), len(ordered) - 1)]
    return f"{statistics.median(values):.1f} s (p95 {p95:.1f}, at most {ordered[-1]:.1f})"


PORTS: dict[str, int] = {}


def run(stack: Stack, names: Sequence[str]) -> Iterator[Row]:
    lost = doubled = 0
    recovery_s = 0.0
    notes = []
    with ExitStack() as hosts:
        _open_hosts(hosts)
        for number, (name, prepare) in enumerate(SITUATIONS):
            situation = _measure(stack, number, name, prepare)
            host = _host("live", number + 1, 100)
            there = Counter(
                str(job["input_media_file"]["url"]).rpartition("/")[2]
                for job in LiveHosts.jobs[host][1:]
            )
            comparison = compare(situation.files, there)
            lost += comparison.lost + len(situation.pending)
            doubled += comparison.doubled
            recovery_s = max([recovery_s, *situation.known])
            notes.append(situation.describe())
    yield Row(names[0], lost, doubled, 0, recovery_s, "; ".join(notes))


def _open_hosts(stack: ExitStack) -> None:
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


def _measure(stack: Stack, number: int, name: str, prepare: "Prepare") -> Situation:
    ProviderAccount.objects.update(enabled=False)
    organization = make_organization()
    LiveHosts.muted.clear()
    live = [_account(organization, "live", number + 1, place) for place in range(LIVE)]
    target = _account(organization, "live", number + 1, 100)
    situation = Situation(name)
    stack.workers.start()
    try:
        time.sleep(WARM_UP_S)
        prepare(stack, organization)
        started = time.monotonic()
        _submit_for(stack, SITUATION_S * min(stack.share, 1), target, situation)
        ended = time.monotonic()
        for account in live:
            host = str(urlsplit(account.base_url).hostname)
            times = [at for at in LiveHosts.listed_at[host] if started - 15 <= at <= ended]
            # an interval that is still open counts as far as it has come
            situation.intervals += [b - a for a, b in zip(times, times[1:], strict=False)]
            if not times or ended - times[-1] > 15:
                situation.intervals.append(ended - (times[-1] if times else started))
        give_up_at = time.monotonic() + PATIENCE_S
        while situation.pending and time.monotonic() < give_up_at:
            _note_known(situation)
            time.sleep(0.02)
    finally:
        stack.workers.kill()
    return situation


def _host(kind: str, number: int, place: int) -> str:
    net = {"live": 1, "silent": 2, "refusing": 3}[kind]
    return f"127.{net}.{number}.{place + 1}"


def _account(organization: Organization, kind: str, number: int, place: int) -> ProviderAccount:
    return ProviderAccount.objects.create(
        organization=organization,
        provider="zencoder",
        name=f"{kind} {place}",
        base_url=f"http://{_host(kind, number, place)}:{PORTS[kind]}/api/v2",
        credentials={"api_key": "key"},
        options={"requests_per_minute": "100000"},
    )


def _submit_for(
    stack: Stack, seconds: float, account: ProviderAccount, situation: Situation
) -> None:
    """Submit one job after the other."""
    ends_at = time.monotonic() + seconds
    next_at = time.monotonic()
    while time.monotonic() < ends_at:
        if time.monotonic() >= next_at:
            next_at += SUBMIT_EVERY_S
            begun = time.monotonic()
            situation.files.append(f"clip-{begun:.3f}.mov")
            (pk,) = stack.workers.submit(account, situation.files[-1])
            situation.pending[pk] = begun
        _note_known(situation)
        time.sleep(0.02)


def _note_known(situation: Situation) -> None:
    if not situation.pending:
        return
    known = Job.objects.filter(pk__in=list(situation.pending), remote_id__isnull=False)
    for pk in known.values_list("pk", flat=True):
        situation.known.append(time.monotonic() - situation.pending.pop(pk))


Prepare = Callable[[Stack, Organization], None]


def _nothing(stack: Stack, organization: Organization) -> None:
    """The five live accounts alone."""


def _dead_accounts(stack: Stack, organization: Organization) -> None:
    for kind, count in (("silent", SILENT), ("refusing", REFUSING)):
        for place in range(count):
            _account(organization, kind, 1, place)


def _burst_to_untried(stack: Stack, organization: Organization) -> None:
    account = _account(organization, "silent", 9, 0)
    stack.workers.submit(account, *(f"burst-{place}.mov" for place in range(BURST)))


def _burst_to_muted(stack: Stack, organization: Organization) -> None:
    """The host has answered well until now."""
    account = _account(organization, "live", 90, 110)
    time.sleep(8)
    LiveHosts.muted.add(str(urlsplit(account.base_url).hostname))
    stack.workers.submit(account, *(f"burst-{place}.mov" for place in range(BURST)))


SITUATIONS: list[tuple[str, Prepare]] = [
    (f"{LIVE} live accounts", _nothing),
    (f"and {SILENT} silent, {REFUSING} refusing accounts", _dead_accounts),
    (f"and {BURST} submissions to one silent host", _burst_to_untried),
    ("the same, to one that answered until then", _burst_to_muted),
]
