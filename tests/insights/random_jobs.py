"""Many jobs of any outcome and time, made at once, and what pages should say of them."""

import math
import random
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from jobs.models import Job, Output, Preset, ProviderAccount
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind

# Zones whose days begin at a full, a half and a quarter hour of UTC, with summer times of an hour
# and of half an hour, and with none.
ZONES = ("America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
# A week in which one of them leaves summer time, and the other had just begun it.
START = datetime(2025, 10, 29, 3, 7, 11, tzinfo=UTC)
END = START + timedelta(days=7)
ENDED = (JobStatus.SUCCEEDED, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)
CLASSES = ("input.not_found", "encode.failed", "quota.plan")


def make_jobs(
    accounts: Sequence[ProviderAccount],
    presets: Sequence[Preset],
    number: int,
    *,
    seed: int = 0,
    start: datetime = START,
    end: datetime = END,
) -> list[Job]:
    """Jobs that ended at random times from `start` to `end`, a tenth of them not at all."""
    rng = random.Random(seed)  # noqa: S311 - the same each time
    jobs = [
        make_random_job(rng, rng.choice(accounts), start, end, f"r{seed}-{n}")
        for n in range(number)
    ]
    Job.objects.bulk_create(jobs)
    outputs = [output for job in jobs for output in _outputs(rng, job, presets)]
    Output.objects.bulk_create(outputs)
    return jobs


def make_random_job(
    rng: random.Random, account: ProviderAccount, start: datetime, end: datetime, name: str
) -> Job:
    at = start + (end - start) * rng.random()
    if rng.random() < 0.1:
        # on a bound, where a job belongs to what begins there
        at = at.replace(minute=0, second=0, microsecond=0)
    run, wait = (timedelta(seconds=math.exp(rng.uniform(-3, 9))) for _ in range(2))
    is_ended = rng.random() > 0.1
    status = rng.choice(ENDED) if is_ended else JobStatus.RUNNING
    has_times = rng.random() > 0.1
    started_at = at - run if has_times else None
    return Job(
        organization_id=account.organization_id,
        account=account,
        remote_id=name,
        name=f"{name}.mov",
        status=status,
        error_class=rng.choice(CLASSES) if status == JobStatus.FAILED else "",
        created_at=at - run - wait,
        started_at=started_at,
        sort_started_at=started_at,
        # a provider's end may be another one than the one that counts
        finished_at=at if has_times and is_ended else None,
        ended_at=at if is_ended else None,
        ended_at_source="provider" if is_ended else "",
        first_seen_at=at,
        changed_at=at,
        sort_at=at - run - wait,
    )


def _outputs(rng: random.Random, job: Job, presets: Sequence[Preset]) -> Iterable[Output]:
    for n in range(rng.randrange(4)):
        own = [preset for preset in presets if preset.account_id == job.account_id]
        yield Output(
            job=job,
            organization_id=job.organization_id,
            account_id=job.account_id,
            sort_at=job.sort_at,
            remote_id=f"{job.remote_id}-{n}",
            kind=rng.choice([OutputKind.VIDEO, OutputKind.IMAGE, OutputKind.PLAYLIST]),
            status=rng.choice([OutputStatus.SUCCEEDED, OutputStatus.FAILED]),
            duration_ms=rng.choice([None, rng.randrange(10**7)]),
            preset=rng.choice([*own, None]),
        )


def percentile(values: Iterable[float], part: float) -> float | None:
    """The value at `part` of all in their order, between two by how near each is."""
    ordered = sorted(values)
    if len(ordered) < 2:
        return ordered[0] if ordered else None
    return statistics.quantiles(ordered, n=100, method="inclusive")[round(part * 100) - 1]


def lengths_ms(jobs: Iterable[Job], begun: str, ended: str) -> list[float]:
    pairs = ((getattr(job, begun), getattr(job, ended)) for job in jobs)
    return [(b - a) / timedelta(milliseconds=1) for a, b in pairs if a and b and b >= a]


def made_ms(jobs: Iterable[Job]) -> int:
    """The duration of what was made, without images."""
    return sum(
        output.duration_ms or 0
        for job in jobs
        for output in job.outputs.all()
        if output.status == OutputStatus.SUCCEEDED and output.kind != OutputKind.IMAGE
    )
