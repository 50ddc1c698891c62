"""How the use of a preset is counted, and its page of a list."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, Preset, ProviderAccount
from jobs.query.jobs import JobFilter
from jobs.query.presets import Usage, count_usage, page
from jobs.query.visibility import Visibility
from providers.core.status import JobStatus
from tests.jobs.factories import NOON, make_job, make_output, make_preset

SINCE = NOON - timedelta(days=30)


@pytest.mark.django_db
def test_a_job_counts_once_for_each_preset_however_many_outputs_it_has(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    small, large, unused = (make_preset(account) for _ in range(3))
    for status in (*JobStatus, JobStatus.SUCCEEDED):
        job = make_job(account, status=status)
        make_output(job, preset=small)
        make_output(job, preset=small, status="failed")
        make_output(job)
    make_output(job, preset=large)
    make_output(make_job(account, created_at=SINCE - timedelta(seconds=1)), preset=small)
    with django_assert_num_queries(1):
        usage = count_usage([small.pk, large.pk, unused.pk], SINCE)
    assert usage == {
        small.pk: Usage(jobs=8, succeeded=2, failed=1, cancelled=1),
        large.pk: Usage(jobs=1, succeeded=1),
    }
    assert usage[small.pk].success_rate == 0.5


@pytest.mark.django_db
def test_each_figure_is_the_length_of_the_list_of_jobs_under_the_same_filter(
    account: ProviderAccount,
) -> None:
    preset = make_preset(account)
    for status in ("failed", "succeeded", "succeeded", "running"):
        make_output(make_job(account, status=status), preset=preset)
    make_output(make_job(account, created_at=SINCE - timedelta(days=1)), preset=preset)
    usage = count_usage([preset.pk], SINCE)[preset.pk]

    def listed(query: str) -> int:
        query = f"preset={preset.pk}&created_after={SINCE.isoformat()}&{query}"
        filters = JobFilter.parse(QueryDict(query), Visibility(account.organization))
        assert not filters.errors
        return filters.apply(Job.objects.for_organization(account.organization)).count()

    assert usage.jobs == listed("") == 4
    assert usage.succeeded == listed("status=succeeded") == 2
    assert usage.failed == listed("status=failed") == 1


def test_nothing_is_said_of_success_while_none_has_ended() -> None:
    assert Usage(jobs=3).success_rate is None


@pytest.mark.django_db
def test_pages_follow_each_other_by_name_in_two_queries_each(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # no letters: databases differ in how these sort
    made = [make_preset(account, name=name) for name in ("3", "1", "2", "2", "", "ä")]
    made[1].outputs.add(make_output(make_job(account, created_at=SINCE - timedelta(days=99))))
    seen: list[Preset] = []
    cursor: str | None = ""
    while cursor is not None:
        with django_assert_num_queries(2):
            found = page(Preset.objects.all(), SINCE, 2, cursor)
        seen += [preset for preset, _ in found.rows]
        cursor = found.next
    assert sorted(preset.pk for preset in seen) == sorted(preset.pk for preset in made)
    assert [preset.name for preset in seen][:5] == ["", "1", "2", "2", "3"]
    used = {preset.pk: preset.last_used_at for preset in seen}  # type: ignore[attr-defined]
    assert used.pop(made[1].pk) == SINCE - timedelta(days=99)
    assert set(used.values()) == {None}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cursor", ["x", "%%%", "ä", "W10", "WyIiLCIxIl0", "WyJcdWQ4MDAiLDFd", "A" * 999]
)
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="start from the first page"):
        page(Preset.objects.all(), SINCE, 2, cursor)
