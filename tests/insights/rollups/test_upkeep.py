"""The sums against the jobs that they are of, whatever happens to these."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from insights.models import ErrorRollup, OutcomeRollup, PresetRollup, RollupState, Span
from insights.rollups import upkeep
from insights.rollups.histogram import Histogram
from insights.rollups.spans import FIRST, day_of, days_between, floor, start_of
from jobs.models import Job, MovedEnd, Preset, ProviderAccount
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
from tests.jobs.factories import make_account
from tests.threads import together

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LATER = END + timedelta(hours=1)


def keep_up(now: datetime = LATER) -> RollupState:
    upkeep.keep_up(now)
    return RollupState.objects.get()


def place(span: Span, zone: ZoneInfo) -> Callable[[datetime], datetime]:
    if span == Span.QUARTER:
        return floor
    return lambda at: start_of(day_of(at, zone), zone)


def assert_right(studio: Organization, zone_name: str = "") -> None:
    """Each sum of each table is that of its jobs, and each job is in one."""
    state = RollupState.objects.get(pk=studio.pk)
    zone = ZoneInfo(zone_name or studio.time_zone)
    jobs = [
        job
        for job in Job.objects.filter(organization=studio).prefetch_related("outputs")
        if job.ended_at and FIRST <= job.ended_at < state.reached_to
    ]
    for span in Span:
        at = place(span, zone)
        # a day is summed up when it is over
        over = [
            job
            for job in jobs
            if job.ended_at
            and (span == Span.QUARTER or at(job.ended_at) + timedelta(hours=25) < state.reached_to)
        ]
        limit = {} if span == Span.QUARTER else {"at__lt": state.reached_to - timedelta(hours=25)}
        outcomes: dict[tuple[object, ...], list[Job]] = {}
        errors: dict[tuple[object, ...], list[Job]] = {}
        presets: Counter[tuple[object, ...]] = Counter()
        for job in over:
            assert job.ended_at is not None
            where = (job.account_id, at(job.ended_at))
            outcomes.setdefault((*where, job.status), []).append(job)
            if job.error_class:
                errors.setdefault((*where, job.error_class), []).append(job)
            used = {output.preset_id for output in job.outputs.all() if output.preset_id}
            presets.update((*where, preset, job.status) for preset in used)
        for model, name, expected in (
            (OutcomeRollup, "status", outcomes),
            (ErrorRollup, "error_class", errors),
        ):
            rows = model.objects.filter(organization=studio, span=span, **limit)
            found = {(row.account_id, row.at, getattr(row, name)): row for row in rows}
            assert found.keys() == expected.keys()
            for key, row in found.items():
                assert_sums(row, expected[key])
        counted = {
            (row.account_id, row.at, row.preset_id, row.status): row.jobs
            for row in PresetRollup.objects.filter(organization=studio, span=span, **limit)
        }
        assert counted == dict(presets)


def assert_sums(row: OutcomeRollup | ErrorRollup, jobs: list[Job]) -> None:
    assert row.jobs == len(jobs)
    assert row.output_ms == made_ms(jobs)
    for packed, lengths in (
        (row.wait, lengths_ms(jobs, "created_at", "started_at")),
        (row.run, lengths_ms(jobs, "started_at", "finished_at")),
    ):
        histogram = Histogram.unpack(packed)
        assert histogram.count == len(lengths)
        for part in (0.5, 0.95) if lengths else ():
            assert histogram.percentile(part) == pytest.approx(
                percentile(lengths, part), rel=0.05, abs=0.6
            )


@pytest.mark.parametrize("zone", ZONES)
def test_sums_are_those_of_the_jobs_in_every_zone(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset], zone: str
) -> None:
    Organization.objects.filter(pk=studio.pk).update(time_zone=zone)
    stranger = make_account(Organization.objects.create(name="Other", slug="other"))
    make_jobs([*accounts, stranger], presets, 300)
    upkeep.keep_up(LATER)
    assert_right(studio, zone)
    assert RollupState.objects.get(pk=studio.pk).reached_from == FIRST


def test_days_of_a_changed_zone_are_made_anew(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset]
) -> None:
    make_jobs(accounts, presets, 60)
    keep_up()
    Organization.objects.filter(pk=studio.pk).update(time_zone="Asia/Kathmandu")
    keep_up(LATER + timedelta(minutes=1))
    assert_right(studio, "Asia/Kathmandu")


def test_what_ends_changes_and_arrives_later_is_summed_up(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset]
) -> None:
    middle = START + (END - START) / 2
    make_jobs(accounts, presets, 60, seed=1, end=middle)
    assert keep_up(middle + timedelta(hours=1)).reached_to < middle + timedelta(hours=1)
    make_jobs(accounts, presets, 60, seed=2, start=middle)
    keep_up()
    assert_right(studio)
    # an import finds old jobs, and others are corrected
    old = make_jobs(accounts, presets, 20, seed=3, start=START - timedelta(days=400), end=START)
    failed = Job.objects.filter(status="failed").first()
    assert failed is not None
    now = LATER + timedelta(minutes=2)
    Job.objects.filter(pk__in=[*(job.pk for job in old), failed.pk]).update(changed_at=now)
    Job.objects.filter(pk=failed.pk).update(error_class="input.corrupt", started_at=None)
    keep_up(now)
    assert_right(studio)


def test_a_change_that_is_committed_late_is_summed_up(
    studio: Organization, accounts: list[ProviderAccount]
) -> None:
    keep_up()
    make_jobs(accounts, [], 5)
    Job.objects.update(changed_at=LATER - timedelta(minutes=1))
    keep_up(LATER + timedelta(minutes=1))
    assert OutcomeRollup.objects.exists()
    assert_right(studio)


def test_ends_that_moved_or_were_deleted_are_taken_out(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset]
) -> None:
    make_jobs(accounts, presets, 60, end=END - timedelta(days=3))
    keep_up()
    moved, deleted = Job.objects.filter(ended_at__isnull=False)[:2]
    MovedEnd.record(studio.pk, [moved.ended_at, None, deleted.ended_at])
    deleted.delete()
    now = LATER + timedelta(minutes=1)
    Job.objects.filter(pk=moved.pk).update(ended_at=END, changed_at=now)
    keep_up(now)
    assert_right(studio)
    assert not MovedEnd.objects.exists()


def test_what_nobody_noted_is_corrected_too(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset]
) -> None:
    make_jobs(accounts, presets, 60)
    keep_up()
    recent = Job.objects.filter(ended_at__gt=END - timedelta(days=1)).first()
    old = Job.objects.filter(ended_at__lt=END - timedelta(days=4)).first()
    assert recent is not None
    assert old is not None
    recent.delete()
    keep_up(LATER + timedelta(minutes=20))
    assert_right(studio)
    old.delete()
    for number in range(2, 12):
        keep_up(LATER + timedelta(minutes=20 * number))
    assert_right(studio)


def test_odd_times_stop_nothing(studio: Organization, accounts: list[ProviderAccount]) -> None:
    first, last, *_ = make_jobs(accounts, [], 20)
    odd = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    for job, at in zip((first, last), odd, strict=True):
        Job.objects.filter(pk=job.pk).update(
            status="succeeded", ended_at=at, ended_at_source="provider", created_at=odd[0],
            started_at=odd[0], finished_at=odd[1],
        )  # fmt: skip
    MovedEnd.record(studio.pk, odd)
    keep_up(START)
    Job.objects.update(changed_at=LATER)
    keep_up()
    assert_right(studio)


def test_more_than_a_step_may_do_is_done_in_several(
    studio: Organization,
    accounts: list[ProviderAccount],
    presets: list[Preset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "MAX_HOURS", 3)
    monkeypatch.setattr(upkeep, "MAX_MOVED", 2)
    monkeypatch.setattr(upkeep, "MAX_WINDOW", timedelta(hours=5))
    keep_up(START)
    make_jobs(accounts, presets, 30, seed=1, start=START - timedelta(days=2), end=START)
    make_jobs(accounts, presets, 30, seed=2)
    Job.objects.update(changed_at=LATER)
    keep_up()
    assert_right(studio)
    assert not MovedEnd.objects.exists()


def test_a_run_that_is_killed_anywhere_leaves_what_the_next_one_completes(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset]
) -> None:
    make_jobs(accounts, presets, 40)

    class Killed(BaseException):
        pass

    for statements in (1, 7, 12, 20, 33):
        left = iter(range(statements))

        def execute(run: object, sql: str, *rest: object, left: object = left) -> object:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise Killed
            return run(sql, *rest)  # type: ignore[operator]

        with connection.execute_wrapper(execute), pytest.raises(Killed):
            upkeep.keep_up(LATER)
    keep_up()
    assert_right(studio)


def test_a_run_with_nothing_new_costs_a_few_queries(
    studio: Organization,
    accounts: list[ProviderAccount],
    presets: list[Preset],
    django_assert_num_queries: Any,
) -> None:
    make_jobs(accounts, presets, 40)
    keep_up()
    keep_up(LATER + timedelta(minutes=5))
    with django_assert_num_queries(12):
        upkeep.keep_up(LATER + timedelta(minutes=5))


def test_hours_and_days_meet_in_every_zone() -> None:
    for name in ZONES:
        days = list(days_between(START, END, ZoneInfo(name)))
        assert all(end == start for (_, end), (start, _) in zip(days, days[1:], strict=False))
        assert all(at == floor(at) for day in days for at in day)
        assert days[0][0] <= START < days[0][1]
        assert days[-1][0] < END <= days[-1][1]


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_are_harmless(
    studio: Organization, accounts: list[ProviderAccount], presets: list[Preset]
) -> None:
    make_jobs(accounts, presets, 80)
    together(*[lambda: upkeep.keep_up(LATER)] * 3)
    keep_up()
    make_jobs(accounts, presets, 20, seed=1)
    now = LATER + timedelta(minutes=20)
    Job.objects.update(changed_at=now)
    together(*[lambda: upkeep.keep_up(now)] * 3)
    keep_up(now)
    assert_right(studio)
