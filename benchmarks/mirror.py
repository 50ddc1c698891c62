"""The writer: new rows, the same answers again, and answers that changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

from jobs.mirror import writer
from jobs.mirror.payload import Shape
from jobs.models import EventSource, ProviderAccount
from organizations.models import Organization
from providers.core import registry
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput

JOBS = 5_000
PAGE = 50
FAILED = 10  # one in so many, for one of so many causes
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def run() -> None:
    organization = Organization.objects.create(name="Mirror bench", slug="mirror-bench")
    account = ProviderAccount.objects.create(
        organization=organization,
        provider=registry.choices()[0][0],  # any will do
        name="bench",
        base_url="https://example.com",
        credentials={},
    )
    jobs = [_job(number) for number in range(JOBS)]
    new = _write(account, jobs, NOON)
    same = _write(account, jobs, NOON + timedelta(minutes=1))
    changed = _write(
        account,
        [replace(job, finished_at=NOON + timedelta(hours=1)) for job in jobs],
        NOON + timedelta(minutes=2),
    )
    print(f"mirror, {JOBS:,} jobs of two outputs in pages of {PAGE}, one in {FAILED} failed:")
    print(f"  new        {JOBS / new:8,.0f} jobs/s")
    print(f"  changed    {JOBS / changed:8,.0f} jobs/s, {new / changed:.1f} times as fast as new")
    print(f"  unchanged  {JOBS / same:8,.0f} jobs/s, {new / same:.1f} times as fast as new")


def _write(account: ProviderAccount, jobs: list[RemoteJob], at: datetime) -> float:
    started = perf_counter()
    for first in range(0, len(jobs), PAGE):
        writer.apply(
            account,
            jobs[first : first + PAGE],
            source=EventSource.POLL,
            observed_at=at,
            shape=Shape.LIST,
        )
    return perf_counter() - started


def _job(number: int) -> RemoteJob:
    failed = number % FAILED == 0
    cause = "abcdefghij"[number // FAILED % FAILED]
    error = RemoteError("encode.failed", "Error", f"Step {cause} ended at frame {number}.")
    return RemoteJob(
        remote_id=str(number),
        status=JobStatus.FAILED if failed else JobStatus.SUCCEEDED,
        provider_status="failed" if failed else "finished",
        errors=(error,) if failed else (),
        name=f"reel-{number}.mov",
        created_at=NOON - timedelta(seconds=number),
        finished_at=NOON,
        input=RemoteInput(url=f"s3://bench/reel-{number}.mov", duration_ms=60_000),
        outputs=tuple(
            RemoteOutput(
                remote_id=f"{number}-{height}",
                kind=OutputKind.VIDEO,
                status=OutputStatus.SUCCEEDED,
                label=f"mp4-{height}",
                height=height,
                duration_ms=60_000,
                size_bytes=1_000_000,
            )
            for height in (360, 720)
        ),
        raw={"id": number, "state": "finished"},
    )
