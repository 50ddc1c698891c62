"""Figures and times as text."""

from datetime import timedelta

import pytest

from jobs.display import formats
from jobs.display.phases import phases
from jobs.models import Job
from providers.core.status import JobStatus
from tests.jobs.factories import NOON


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, ""),
        (0, "0:00"),
        (400, "0.4 s"),
        (7_999, "0:07"),
        (4_329_000, "1:12:09"),
        (-5, "0:00"),
    ],
)
def test_durations(milliseconds: int | None, text: str) -> None:
    assert formats.duration(milliseconds) == text


def test_a_span_is_a_duration_too() -> None:
    assert formats.duration(timedelta(minutes=61, seconds=1)) == "1:01:01"


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (311_600_000, "312 MB"),
     (999_960, "1 MB"), (2_000_000_000, "2 GB")],
)  # fmt: skip
def test_sizes_are_in_si_units(size: int | None, text: str) -> None:
    assert formats.size(size) == text


@pytest.mark.parametrize(
    ("kilobits", "text"), [(None, ""), (0, "0 bit/s"), (96, "96 kbit/s"), (2_400, "2.4 Mbit/s")]
)
def test_bitrates(kilobits: int | None, text: str) -> None:
    assert formats.bitrate(kilobits) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [(timedelta(seconds=-3), "0 s"), (timedelta(seconds=59), "59 s"), (timedelta(hours=25), "1 d"),
     (timedelta(minutes=119), "1 h"), (timedelta(days=400), "1 y"), (timedelta(days=45), "1 mo")],
)  # fmt: skip
def test_ages_are_in_the_largest_whole_unit(span: timedelta, text: str) -> None:
    assert formats.age(span) == text


def job(status: JobStatus, *minutes: int | None) -> Job:
    created, started, finished = (
        None if minute is None else NOON + timedelta(minutes=minute) for minute in minutes
    )
    return Job(
        status=status,
        created_at=created,
        started_at=started,
        finished_at=finished,
        first_seen_at=NOON,
    )


@pytest.mark.parametrize(
    ("found", "lengths"),
    [
        (job(JobStatus.SUCCEEDED, 0, 2, 10), {"Waiting": 2, "Running": 8}),
        (job(JobStatus.SUCCEEDED, 0, None, 10), {"Waiting and running": 10}),
        (job(JobStatus.FAILED, None, None, None), {"Waiting and running": None}),
        (job(JobStatus.RUNNING, 0, 2, None), {"Waiting": 2, "Running": 28}),
        (job(JobStatus.RUNNING, 0, None, None), {"Waiting and running": 30}),
        (job(JobStatus.UNKNOWN, 0, None, None), {"Waiting and running": None}),
        (job(JobStatus.QUEUED, 10, None, None), {"Waiting": 20, "Running": None}),
        (job(JobStatus.SUBMITTING, None, None, None), {"Waiting": 30, "Running": None}),
        # two clocks: the end is before the start
        (job(JobStatus.SUCCEEDED, 0, 2, 1), {"Waiting": 2, "Running": None}),
    ],
)
def test_phases_are_as_long_as_was_reported(found: Job, lengths: dict[str, int | None]) -> None:
    now = NOON + timedelta(minutes=30)
    in_minutes = {
        phase.name: phase.length and int(phase.length.total_seconds() / 60)
        for phase in phases(found, now)
    }
    assert in_minutes == lengths


def test_shares_are_reported_only_when_every_phase_is_known() -> None:
    known = phases(job(JobStatus.SUCCEEDED, 0, 2, 10), NOON)
    assert [phase.share for phase in known] == [20, 80]
    half = phases(job(JobStatus.SUCCEEDED, None, 2, 10), NOON)
    assert [phase.share for phase in half] == [None, None]
