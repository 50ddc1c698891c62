"""Statistics against the lists of jobs that they count."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from insights.models import OutcomeRollup
from insights.rollups import upkeep
from insights.statistics.filter import StatsFilter
from insights.statistics.reading import Statistics, read_statistics
from jobs.models import Job, MovedEnd, Preset, ProviderAccount
from jobs.query.jobs import JobFilter
from jobs.query.paging import windows
from jobs.query.visibility import Visibility
from organizations.models import Organization
from tests.insights.random_jobs import (
    END,
    START,
    ZONES,
    lengths_ms,
    made_ms,
    make_jobs,
    percentile,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]

# Of so many hours or days, one has its own list compared: that takes longest.
LISTED_EVERY = 7
QUERIES = (
    "",
    "status:failed",
    "status:failed,cancelled",
    "status:running",
    "provider:zencoder",
    "account:one,three error:input.*",
    "error:encode.failed",
    "error:quota.plan status:succeeded",
    "finished:2025-10-31T07:07..2025-11-03",
    "finished:>9999-12-30",
    "finished:<0002-01-01",
    # beyond the sums
    "-status:failed",
    "ran:>1m",
    "r0-7",
    "account:one or status:cancelled",
)


def ask(visible: Visibility, start: datetime, end: datetime, group: str, q: str) -> StatsFilter:
    asked = {"from": [start.isoformat()], "to": [end.isoformat()], "group": [group], "q": [q]}
    filters = StatsFilter.parse(asked, visible)
    assert not filters.errors
    return filters


def listed(visible: Visibility, start: datetime, end: datetime, q: str) -> QuerySet[Job]:
    """The jobs of the list that statistics lead to, which have ended."""
    asked = {
        "q": [q],
        "finished_after": [start.isoformat()],
        "finished_before": [end.isoformat()],
    }
    filters = JobFilter.parse(asked, visible)
    return filters.apply(visible.jobs()).filter(status__in=["succeeded", "failed", "cancelled"])


def assert_right(visible: Visibility, filters: StatsFilter, found: Statistics, q: str) -> None:
    every = listed(visible, filters.start, filters.end, q).prefetch_related("outputs").in_bulk()
    for number, bucket in enumerate(found.buckets):
        start, end = max(bucket.at, filters.start), min(bucket.end, filters.end)
        jobs = [job for job in every.values() if job.ended_at and start <= job.ended_at < end]
        if number % LISTED_EVERY == 0:
            lists = set(listed(visible, start, end, q).values_list("pk", flat=True))
            assert lists == {job.pk for job in jobs}
        counts = Counter(job.status for job in jobs)
        outcomes = bucket.outcomes
        assert counts == Counter(
            succeeded=outcomes.succeeded, failed=outcomes.failed, cancelled=outcomes.cancelled
        )
        assert outcomes.output_ms == made_ms(jobs)
        for histogram, begun, ended in (
            (outcomes.wait, "created_at", "started_at"),
            (outcomes.run, "started_at", "finished_at"),
        ):
            lengths = lengths_ms(jobs, begun, ended)
            assert histogram.count == len(lengths)
            for part in (0.5, 0.95) if lengths else ():
                real = percentile(lengths, part)
                assert histogram.percentile(part) == pytest.approx(real, rel=0.05, abs=0.6)
    jobs = list(every.values())
    errors = Counter((job.error_class, job.account_id) for job in jobs if job.error_class)
    assert dict(found.errors) == dict(errors)
    presets = Counter(
        (preset, job.status)
        for job in jobs
        for preset in {output.preset_id for output in job.outputs.all() if output.preset_id}
    )
    if not filters.jobs.error:
        assert dict(found.presets) == dict(presets)


@pytest.mark.parametrize("zone", ZONES)
def test_every_figure_is_that_of_the_list_it_counts(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset], zone: str
) -> None:
    Organization.objects.filter(pk=studio.pk).update(time_zone=zone)
    studio.refresh_from_db()
    make_jobs(accounts, presets, 150)
    # what ends after that is counted from the jobs
    upkeep.keep_up(END - timedelta(hours=9))
    narrow = Visibility(studio, frozenset({accounts[0].pk, accounts[2].pk}))
    rng = random.Random(zone)  # noqa: S311
    for number, q in enumerate(QUERIES):
        visible = Visibility(studio) if number % 3 else narrow
        if visible is narrow and "account:" in q:
            q = q.replace("one", "three")
        start = START - timedelta(hours=3) + timedelta(minutes=rng.randrange(2_000))
        end = END + timedelta(hours=3) - timedelta(minutes=rng.randrange(2_000))
        filters = ask(visible, start, end, "hour" if number % 2 else "day", q)
        found = read_statistics(visible, filters, with_causes=True)
        assert found.is_complete
        assert_right(visible, filters, found, q)


def test_sums_are_read_where_they_tell_apart_what_is_asked_for(
    studio: Organization, accounts: list[ProviderAccount]
) -> None:
    visible = Visibility(studio)
    found = {q: ask(visible, START, END, "day", q).is_summed_up for q in QUERIES}
    beyond = ("-status:failed", "ran:>1m", "r0-7", "account:one or status:cancelled")
    assert found == {q: q not in beyond for q in QUERIES}


def test_days_are_read_from_sums_of_days(
    studio: Organization,
    accounts: list[ProviderAccount],
    django_assert_num_queries: Any,
) -> None:
    visible = Visibility(studio)
    make_jobs(accounts, [], 40)
    upkeep.keep_up(END + timedelta(days=2))
    filters = ask(visible, START - timedelta(days=300), END, "day", "")
    # state, changes (2), sums; the jobs of the quarter hours that the time begins and ends in
    with django_assert_num_queries(4 + 2 * 2):
        found = read_statistics(visible, filters)
    with django_assert_num_queries(4 + 2 + 2 * 3):
        read_statistics(visible, filters, with_causes=True)
    # nobody reads quarters for whole days
    OutcomeRollup.objects.filter(span=1, at__lt=END - timedelta(days=1)).delete()
    assert read_statistics(visible, filters).total == found.total


def test_what_is_not_summed_up_yet_is_not_complete(
    studio: Organization, accounts: list[ProviderAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    visible = Visibility(studio)
    jobs = make_jobs(accounts, [], 40)
    ended = [job for job in jobs if job.ended_at]
    filters = ask(visible, START, END, "day", "")
    # nothing is summed up so far, so all are looked at
    assert read_statistics(visible, filters).is_complete
    assert read_statistics(visible, filters).total.total == len(ended)
    upkeep.keep_up(END + timedelta(days=2))
    assert read_statistics(visible, filters).is_complete
    MovedEnd.record(studio.pk, [ended[0].ended_at])
    assert not read_statistics(visible, filters).is_complete
    MovedEnd.objects.all().delete()
    Job.objects.filter(pk=ended[0].pk).update(changed_at=END + timedelta(days=3))
    assert not read_statistics(visible, filters).is_complete
    elsewhere = ask(visible, START - timedelta(days=9), START, "day", "")
    assert read_statistics(visible, elsewhere).is_complete
    monkeypatch.setattr(windows, "FIRST_WINDOW", 3)
    monkeypatch.setattr(windows, "SEARCH_S", 0)
    slow = read_statistics(visible, replace(filters, jobs=ask_jobs(visible, "ran:>0s")))
    assert not slow.is_complete
    assert slow.total.total <= 3


def ask_jobs(visible: Visibility, q: str) -> JobFilter:
    return JobFilter.parse({"q": [q]}, visible)


@pytest.mark.parametrize(
    ("given", "field", "part"),
    [
        ({"from": "soon"}, "from", "Enter a time"),
        ({"to": "2026-13-01"}, "to", "Write a date"),
        ({"from": "1999-12-31"}, "from", "Statistics begin with 2000-01-01."),
        ({"from": "2026-05-04", "to": "2026-05-04"}, "from", "before the end"),
        ({"from": "2026-01-01", "to": "2026-03-01", "group": "hour"}, "from", "14 days at most"),
        ({"from": "2024-01-01", "to": "2026-03-01"}, "from", "366 days at most"),
        ({"to": "9999-12-30T00:00:00Z"}, "to", "a year ahead"),
        ({"to": "0001-01-02T00:00:00Z"}, "from", "Statistics begin"),
        ({"group": "week"}, "group", "Use hour or day."),
        ({"q": "nonsense:"}, "q", "At character"),
        ({"q": "account:nowhere"}, "q", "No account"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    studio: Organization, given: dict[str, str], field: str, part: str
) -> None:
    filters = StatsFilter.parse({name: [text] for name, text in given.items()}, Visibility(studio))
    assert list(filters.errors) == [field]
    assert part in filters.errors[field]
    assert read_statistics(Visibility(studio), filters).total.total == 0


def test_dates_are_days_of_the_organization(studio: Organization) -> None:
    asked = {"from": ["2026-03-29"], "to": ["2026-03-31"]}
    filters = StatsFilter.parse(asked, Visibility(studio))
    assert filters.start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert filters.group == "hour"
    assert len(filters.buckets) == 47
    assert [at for at, _ in replace(filters, group="day").buckets] == [
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    ]
    usual = StatsFilter.parse({}, Visibility(studio))
    assert usual.end - usual.start == timedelta(days=7)
    assert usual.group == "day"
    assert abs(usual.end - timezone.now()) < timedelta(minutes=1)
