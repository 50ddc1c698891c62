"""Searching: three organizations with 80, 19 and 1 % of the jobs, at ten thousand and at very many.

Each search is a request for the list's results, and its cost the work of the server: CPU of this
process and of the session at the database. A plan that reads a large table from end to end, which
none should, is printed.
"""

import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs.mirror.search import build_text, write_search
from jobs.mirror.statements import JOB_COLUMNS
from jobs.models import Job, Output, ProviderAccount
from jobs.models.search import indexes
from jobs.models.search.trigrams import trigrams_of
from organizations.models import Membership, Organization, Role, User
from providers.core import registry
from providers.core.status import JobStatus
from providers.core.types import OutputKind

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SMALL = 10_000
SHARES = {"large": 80, "middle": 19, "minor": 1}
CHUNK = 10_000

# by name: the organization, and what is searched for; `{n}` is the number of an old job of it
SEARCHES = {
    "match": ("large", "reel-77"),
    "common": ("large", "mp4"),
    "rare": ("large", "order-{n}x"),
    "several ids": ("large", "{n}7 {m}7"),
    "no match": ("large", "nowhere"),
    "no such number": ("large", "order-99999999"),
    "common elsewhere": ("minor", "nightshift"),
    "two characters": ("large", "zq"),
    "two, absent": ("large", "qx"),
    "two digits": ("large", "77"),
}

TIMES = 10


def run(jobs: int) -> None:
    user = User.objects.create_user("search@example.com")
    client = Client(headers={"HX-Request": "true"})
    client.force_login(user)
    accounts = {slug: _account(slug, user) for slug in SHARES}
    _seed(accounts, 0, SMALL)
    few = {name: _work(client, name, SMALL) for name in SEARCHES}
    _seed(accounts, SMALL, jobs)
    print(f"search, {SMALL:,} against {jobs:,} jobs (milliseconds and queries of a request):")
    for name in SEARCHES:
        taken, queries = _work(client, name, jobs)
        print(
            f"  {name:17} {few[name][0] * 1000:6.1f} and {few[name][1]}, {taken * 1000:6.1f} and "
            f"{queries}: {taken / few[name][0]:.2f} times as long"
        )
        _explain(client, name, jobs)


def _url(name: str, jobs: int) -> str:
    slug, text = SEARCHES[name]
    text = text.format(n=jobs // 2 // 100 * 100, m=jobs // 3 // 100 * 100)
    return f"{reverse('jobs:list', args=[slug])}?{urlencode({'q': text})}"


def _work(client: Client, name: str, jobs: int) -> tuple[float, int]:
    """Seconds of CPU of a request, and its queries, after a first one that is not counted."""
    url = _url(name, jobs)
    connection.queries_log.clear()  # which seeding has filled
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    if response.status_code != 200:
        raise RuntimeError(f"{url} answered {response.status_code}")
    before = time.process_time() + _session_s()
    for _ in range(TIMES):
        client.get(url)
    return (time.process_time() + _session_s() - before) / TIMES, len(captured)


def _session_s() -> float:
    """CPU of the session at a PostgreSQL on this machine, in steps of 10 ms."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _explain(client: Client, name: str, jobs: int) -> None:
    connection.queries_log.clear()
    with CaptureQueriesContext(connection) as captured:
        client.get(_url(name, jobs))
    prefix = "explain" if connection.vendor == "postgresql" else "explain query plan"
    for query in captured.captured_queries:
        with suppress(Exception), connection.cursor() as cursor:
            cursor.execute(f"{prefix} {query['sql']}")
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            if re.search(r"Seq Scan on jobs_job|SCAN jobs_job\w*(?! USING)$", plan, re.MULTILINE):
                print(f"    reads a large table:\n{plan}")


def _account(slug: str, user: User) -> ProviderAccount:
    organization = Organization.objects.create(name=slug.title(), slug=slug)
    Membership.objects.create(organization=organization, user=user, role=Role.OPERATOR)
    return ProviderAccount.objects.create(
        organization=organization,
        provider=registry.choices()[0][0],  # any will do
        name="bench",
        base_url="https://example.com",
        credentials={},
        imported_at=NOON,
    )


def _seed(accounts: dict[str, ProviderAccount], first: int, end: int) -> None:
    """Jobs number `first` to `end`, oldest first, by SQL; then their search texts."""
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if is_postgresql:  # sooner made anew than kept
            cursor.execute(f"drop index {indexes.TABLE}_trigrams")
        known = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        _insert_jobs(cursor, accounts, first, end)
        newest = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for start in range(known + 1, newest + 1, CHUNK):
            _write_texts(cursor, start, start + CHUNK)
    if is_postgresql:
        indexes.install()
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze" if is_postgresql else "analyze")


def _insert_jobs(cursor: Any, accounts: dict[str, ProviderAccount], first: int, end: int) -> None:
    large, middle, minor = accounts.values()
    model = _model_job(large)
    part = "case when n % 100 < 80 then {} when n % 100 < 99 then {} else {} end"
    changed = {
        "account_id": part.format(large.pk, middle.pk, minor.pk),
        "organization_id": part.format(*(one.organization_id for one in accounts.values())),
        "remote_id": "'' || (90000000 + n)",
        "name": "'reel-' || n || '.mov'",
        "input_url": "'s3://footage/customers/' || n % 500 || '/reel-' || n || '.mov'",
        **dict.fromkeys(("created_at", "sort_at", "first_seen_at", "changed_at"), _at("n * 31")),
        **dict.fromkeys(("finished_at", "ended_at"), _at("n * 31 + 200")),
    }
    columns = [
        str(field.column) for field in Job._meta.concrete_fields if field.name in JOB_COLUMNS
    ]
    values = ", ".join(changed.get(name, f"model.{name}") for name in columns)
    cursor.execute(
        f"with recursive numbers (n) as (select {first} union all select n + 1 from numbers "
        f"where n < {end - 1}) insert into jobs_job ({', '.join(columns)}) "
        f"select {values} from numbers cross join jobs_job model where model.id = {model.pk}"
    )
    model.delete()


def _at(seconds: str) -> str:
    if connection.vendor == "postgresql":
        return f"timestamptz '2025-03-01 12:00Z' + ({seconds}) * interval '1 s'"
    return f"datetime('2025-03-01 12:00:00', '+' || ({seconds}) || ' seconds')"


def _model_job(account: ProviderAccount) -> Job:
    return Job.objects.create(
        account=account,
        organization=account.organization,
        status=JobStatus.SUCCEEDED,
        provider_status="finished",
        outputs_total=2,
        outputs_succeeded=2,
        has_listed_outputs=True,
        ended_at=NOON,
        ended_at_source="provider",
        sort_at=NOON,
        first_seen_at=NOON,
        changed_at=NOON,
        observed_at=NOON,
    )


def _write_texts(cursor: Any, first: int, end: int) -> None:
    columns = ("pk", "organization_id", "account_id", "name", "remote_id", "input_url")
    rows = Job.objects.filter(pk__gte=first, pk__lt=end).order_by("pk").values_list(*columns)
    jobs = [Job(**dict(zip(columns, row, strict=True))) for row in rows]
    for job in jobs:
        _complete(job)
    if connection.vendor != "postgresql":
        write_search((job, _outputs(job)) for job in jobs)
        return
    with cursor.copy(f"copy {indexes.TABLE} (job_id, text, trigrams) from stdin") as copy:
        for job in jobs:
            text = build_text(job, _outputs(job))
            copy.write_row((job.pk, text, f"{{{','.join(map(str, trigrams_of(text)))}}}"))


def _complete(job: Job) -> None:
    """What is searched of it beside its columns, which alone the list shows."""
    number = int(job.remote_id or 0) - 90_000_000
    job.metadata = {"order": f"order-{number}x", "customer": f"customer {number % 500}"}
    if number % 100 < 80:
        job.metadata["crew"] = "nightshift"
    if number == 7_700:
        job.metadata["remark"] = "zq"
    if number % 9 == 0:
        job.error_class, job.error_code = "input.not_found", "FileNotFoundError"
        job.error_message = "The file could not be downloaded from the server."


def _outputs(job: Job) -> list[Output]:
    return [
        Output(
            kind=OutputKind.VIDEO,
            remote_id=f"{int(job.remote_id or 0) * 5 + height}",
            label=f"mp4-{height}",
            url=f"https://cdn.example.com/vod/{job.name}_{height}p.mp4",
        )
        for height in (720, 1080)
    ]
