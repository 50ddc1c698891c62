"""What the sandbox remembers over a restart: jobs, ids, settings and notifications, in SQLite."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.jobs import documents
from sandbox.jobs.model import ACTIVE_JOB, TERMINAL_JOB, Job, Media, Mode, Origin

# Above 32 bits, as the providers' will be (outputs of one passed 1.6e9 in 2018): a client
# that keeps them in 32 bits shall notice here.
FIRST_JOB_ID = 2_400_000_000
FIRST_FILE_ID = 5_100_000_000
RETENTION_S = 60 * 86_400

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL,
    mode TEXT NOT NULL, origin TEXT NOT NULL, token TEXT NOT NULL UNIQUE,
    created_at REAL NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_of_account ON jobs (provider, account, id);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, mode);
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, role TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL, url TEXT NOT NULL,
    headers TEXT NOT NULL, body TEXT NOT NULL, created_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due_at REAL, outcome TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at);
"""

Ended = Callable[[Job, list[Media], bool], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification to one URL; `due_at` is None once it is delivered or given up."""

    id: int
    url: str
    headers: dict[str, str]
    body: str
    created_at: float
    attempts: int


class Store:
    """One connection under one lock: requests are many, but each holds it for a moment only.

    `on_end` is called with what a change has ended: the job, its outputs that ended, and whether
    the job itself did. It runs inside the lock and must only write rows.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)
        self._next_job = self._highest("SELECT max(id) FROM jobs", FIRST_JOB_ID) + 1
        self._next_file = self._highest("SELECT max(id) FROM files", FIRST_FILE_ID) + 1
        self.on_end: Ended = lambda job, outputs, job_ended: None

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def add(self, jobs: Iterable[Job]) -> None:
        """Give the jobs and their files ids, in order, and keep them."""
        rows, files = [], []
        with self._transaction():
            for job in jobs:
                job.id, self._next_job = self._next_job, self._next_job + 1
                for role, media in [("input", job.input), *(("output", o) for o in job.outputs)]:
                    media.id = self.new_file_id()
                    files.append((media.id, job.id, role))
                rows.append((job.id, *self._columns(job)))
            self._connection.executemany(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            self._connection.executemany("INSERT INTO files VALUES (?, ?, ?)", files)

    def new_file_id(self) -> int:
        with self._lock:
            file_id, self._next_file = self._next_file, self._next_file + 1
            return file_id

    @contextmanager
    def edit(self, job_id: int) -> Iterator[Job]:
        """Change one job as one step; nobody else changes it meanwhile. KeyError if unknown."""
        with self._transaction():
            job = self._one("SELECT document FROM jobs WHERE id = ?", job_id)
            if job is None:
                raise KeyError(job_id)
            active_before = job.is_active
            open_before = {output.id for output in job.outputs if not output.is_terminal}
            yield job
            self._connection.execute(
                "UPDATE jobs SET provider = ?, account = ?, state = ?, mode = ?, origin = ?,"
                " token = ?, created_at = ?, document = ? WHERE id = ?",
                (*self._columns(job), job.id),
            )
            ended = [o for o in job.outputs if o.id in open_before and o.is_terminal]
            job_ended = active_before and job.state in TERMINAL_JOB
            if ended or job_ended:
                self.on_end(job, ended, job_ended)

    def get(self, job_id: int) -> Job | None:
        return self._one("SELECT document FROM jobs WHERE id = ?", job_id)

    def by_token(self, token: str) -> Job | None:
        return self._one("SELECT document FROM jobs WHERE token = ?", token)

    def by_file(self, file_id: int, role: str) -> Job | None:
        """The job that the input or output with this id belongs to."""
        return self._one(
            "SELECT document FROM jobs WHERE id = (SELECT job_id FROM files WHERE id = ?"
            " AND role = ?)",
            file_id,
            role,
        )

    def newest(
        self, provider: str, account: str, limit: int, offset: int, since: float
    ) -> list[Job]:
        return self._many(
            "SELECT document FROM jobs WHERE provider = ? AND account = ? AND created_at >= ?"
            " ORDER BY id DESC LIMIT ? OFFSET ?",
            *(provider, account, since, limit, offset),
        )

    def select(
        self,
        provider: str,
        account: str,
        limit: int,
        offset: int,
        *,
        states: Iterable[str] = (),
        own: Mapping[str, object] | None = None,
        since: float = 0,
        until: float = 1e12,
        oldest_first: bool = False,
    ) -> tuple[list[Job], int]:
        """Some jobs in order of creation, and how many there are in all. No `states` are any;
        `own` are values that the job's own facts must have."""
        where = "provider = ? AND account = ? AND created_at >= ? AND created_at < ?"
        values: list[object] = [provider, account, since, until]
        if chosen := list(states):
            where += f" AND state IN ({', '.join('?' * len(chosen))})"
            values += chosen
        for name, value in (own or {}).items():
            where += " AND json_extract(document, ?) = ?"
            values += [f"$.own.{name}", value]
        with self._lock:
            (total,) = self._connection.execute(
                f"SELECT count(*) FROM jobs WHERE {where}",  # noqa: S608 (only marks are put in)
                values,
            ).fetchone()
        jobs = self._many(
            f"SELECT document FROM jobs WHERE {where}"  # noqa: S608 (as above)
            f" ORDER BY id {'ASC' if oldest_first else 'DESC'} LIMIT ? OFFSET ?",
            *(*values, limit, offset),
        )
        return jobs, total

    def active(self, mode: Mode) -> list[Job]:
        """Jobs that are yet to end, oldest first."""
        return self._many(
            "SELECT document FROM jobs WHERE state IN (?, ?, ?) AND mode = ? ORDER BY id",
            *(*ACTIVE_JOB, mode),
        )

    def finished_between(
        self, provider: str, account: str, start: float, end: float
    ) -> Iterable[Job]:
        return self._many(
            "SELECT document FROM jobs WHERE provider = ? AND account = ? AND state = 'finished'"
            " AND created_at >= ? AND created_at < ? ORDER BY id",
            *(provider, account, start, end),
        )

    def counts(self) -> dict[str, dict[str, int]]:
        """Jobs by provider and state."""
        counts: dict[str, dict[str, int]] = {}
        with self._lock:
            rows = self._connection.execute(
                "SELECT provider, state, count(*) FROM jobs GROUP BY provider, state"
            ).fetchall()
        for provider, state, number in rows:
            counts.setdefault(provider, {})[state] = number
        return counts

    def recent(self, limit: int = -1) -> list[Job]:
        """The newest jobs of all providers, newest first; without a limit all of them."""
        return self._many("SELECT document FROM jobs ORDER BY id DESC LIMIT ?", limit)

    def prune(self, before: float, keep_trickled: int) -> list[str]:
        """Forget jobs older than `before` and all but the newest trickled ones that ended;
        returns the tokens of what went."""
        with self._transaction():
            gone = self._connection.execute(
                "SELECT id, token FROM jobs WHERE created_at < ? OR id IN (SELECT id FROM jobs"
                " WHERE origin = ? AND state NOT IN (?, ?, ?) ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (before, Origin.TRICKLE, *ACTIVE_JOB, keep_trickled),
            ).fetchall()
            ids = [(job_id,) for job_id, _ in gone]
            self._connection.executemany("DELETE FROM files WHERE job_id = ?", ids)
            self._connection.executemany("DELETE FROM jobs WHERE id = ?", ids)
        return [token for _, token in gone]

    def remove(self, job_id: int) -> None:
        """Forget one job, as a provider does whose customer deletes it."""
        with self._transaction():
            self._connection.execute("DELETE FROM files WHERE job_id = ?", (job_id,))
            self._connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def setting(self, name: str, default: str = "") -> str:
        with self._lock:
            row = self._connection.execute(
                "SELECT value FROM settings WHERE name = ?", (name,)
            ).fetchone()
        return row[0] if row else default

    def set(self, name: str, value: str) -> None:
        with self._transaction():
            self._connection.execute(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE"
                " SET value = excluded.value",
                (name, value),
            )

    def add_delivery(
        self, job: Job, url: str, headers: dict[str, str], body: str, now: float
    ) -> None:
        with self._transaction():
            self._connection.execute(
                "INSERT INTO deliveries (provider, account, url, headers, body, created_at,"
                " due_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (job.provider, job.account, url, json.dumps(headers), body, now, now),
            )

    def due_deliveries(self, now: float) -> list[Delivery]:
        return self._deliveries(
            "SELECT id, url, headers, body, created_at, attempts FROM deliveries"
            " WHERE due_at <= ? ORDER BY due_at LIMIT 20",
            now,
        )

    def deliveries_of(
        self, provider: str, account: str, since: float, limit: int, offset: int
    ) -> list[Delivery]:
        return self._deliveries(
            "SELECT id, url, headers, body, created_at, attempts FROM deliveries"
            " WHERE provider = ? AND account = ? AND created_at >= ?"
            " ORDER BY id DESC LIMIT ? OFFSET ?",
            *(provider, account, since, limit, offset),
        )

    def settle_delivery(self, delivery: Delivery, outcome: str, due_at: float | None) -> None:
        with self._transaction():
            self._connection.execute(
                "UPDATE deliveries SET attempts = attempts + 1, outcome = ?, due_at = ?"
                " WHERE id = ?",
                (outcome, due_at, delivery.id),
            )

    def delivery_counts(self) -> dict[str, int]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT coalesce(outcome, 'due'), count(*) FROM deliveries GROUP BY 1"
            ).fetchall()
        return dict(rows)

    @staticmethod
    def _columns(job: Job) -> tuple[object, ...]:
        return (
            *(job.provider, job.account, job.state, job.mode, job.origin, job.token),
            *(job.created_at, documents.dump(job)),
        )

    def _highest(self, query: str, floor: int) -> int:
        row = self._connection.execute(query).fetchone()
        return max(row[0] or 0, floor)

    def _one(self, query: str, *values: object) -> Job | None:
        with self._lock:
            row = self._connection.execute(query, values).fetchone()
        return documents.load(row[0]) if row else None

    def _many(self, query: str, *values: object) -> list[Job]:
        with self._lock:
            rows = self._connection.execute(query, values).fetchall()
        return [documents.load(row[0]) for row in rows]

    def _deliveries(self, query: str, *values: object) -> list[Delivery]:
        with self._lock:
            rows = self._connection.execute(query, values).fetchall()
        return [Delivery(row[0], row[1], json.loads(row[2]), *row[3:]) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Nested use joins the outer transaction."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
