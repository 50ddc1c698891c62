"""The group of a failure is written with the failure, and only then."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs.mirror.attempts import fail_attempt, open_attempt
from jobs.mirror.endings import fail_unsent
from jobs.models import EventSource, Job, JobErrorGroup, ProviderAccount
from organizations.models import Organization
from providers.core.errors import ProviderError
from providers.core.status import JobStatus
from providers.core.types import RemoteError, RemoteJob
from tests.factories import make_organization
from tests.jobs.answers import after, apply, failed, newest, reported
from tests.jobs.factories import make_account, make_job
from tests.threads import together


def failing(
    remote_id: str, message: str, name: str = "input.not_found", **fields: Any
) -> RemoteJob:
    return failed(remote_id, errors=(RemoteError(name, "Code", message),), **fields)


def group_of(account: ProviderAccount, remote_id: str) -> JobErrorGroup | None:
    return newest(account, remote_id).error_group


@pytest.mark.django_db
def test_failures_of_one_cause_share_a_group_across_accounts_of_one_organization(
    account: ProviderAccount, organization: Organization
) -> None:
    elsewhere, foreign = make_account(organization), make_account(make_organization())
    apply(account, failing("1", "No file a/1.mov (404)"), failing("2", "No file b/2.mov (403)"))
    apply(elsewhere, failing("1", "No file https://x.example/y (1)."), failing("2", "Damaged"))
    apply(foreign, failing("1", "No file a/1.mov (404)"))
    apply(elsewhere, failing("3", "No file a/1.mov (404)", "input.corrupt"))
    first = group_of(account, "1")
    assert first is not None
    assert (first.organization, first.error_class) == (organization, "input.not_found")
    assert (first.message, first.version) == ("No file <path> (<n>)", 1)
    assert group_of(account, "2") == group_of(elsewhere, "1") == first
    others = [group_of(elsewhere, "2"), group_of(elsewhere, "3"), group_of(foreign, "1")]
    assert len({first, *others}) == 4


@pytest.mark.django_db
def test_a_job_leaves_its_group_when_it_recovers_or_fails_otherwise(
    account: ProviderAccount,
) -> None:
    apply(account, failing("1", "No file"), failing("2", "No file"))
    before = group_of(account, "1")
    apply(account, failing("1", "Damaged", "input.corrupt"), at=60)
    changed = group_of(account, "1")
    assert changed is not None
    assert (changed.error_class, group_of(account, "2")) == ("input.corrupt", before)
    apply(account, reported("1", JobStatus.SUCCEEDED), at=120)
    assert group_of(account, "1") is None


@pytest.mark.django_db
def test_failures_that_no_payload_reports_have_a_group(account: ProviderAccount) -> None:
    unsent = make_job(account, status=JobStatus.SUBMITTING, remote_id=None)
    rerun = open_attempt(make_job(account, status="failed"), source=EventSource.ACTION)
    error = ProviderError("Job 71 is too old.", error_class="settings.invalid")
    fail_unsent(unsent, error, source=EventSource.SUBMIT)
    fail_attempt(rerun, error, source=EventSource.ACTION, actor=None)
    group = JobErrorGroup.objects.get(message="Job <n> is too old.")
    assert set(group.jobs.all()) == {unsent, rerun}


@pytest.mark.django_db
def test_what_a_first_import_finds_is_neither_new_nor_returned(account: ProviderAccount) -> None:
    apply(account, failing("1", "Old"), source=EventSource.IMPORT)
    apply(account, failing("2", "Old"), failing("3", "Recent"))
    apply(account, failing("4", "Recent"), source=EventSource.IMPORT)
    marks = dict(JobErrorGroup.objects.values_list("message", "mark"))
    assert marks == {"Old": "", "Recent": "new"}
    assert set(JobErrorGroup.objects.marked(timezone.now())) == {group_of(account, "3")}
    late = timezone.now() + timedelta(days=8)
    assert not JobErrorGroup.objects.marked(late)


@pytest.mark.django_db
@pytest.mark.parametrize("is_merged", [False, True])
def test_a_resolved_group_opens_again_by_a_failure_that_happened_later(
    account: ProviderAccount, is_merged: bool
) -> None:
    apply(account, failing("1", "No file"))
    group = JobErrorGroup.objects.get()
    root = group
    if is_merged:
        root = JobErrorGroup.objects.create(
            organization=group.organization, fingerprint="f" * 32, version=1, created_at=after(0)
        )
        JobErrorGroup.objects.filter(pk=group.pk).update(merged_into=root)
    JobErrorGroup.objects.filter(pk=root.pk).update(state="resolved", resolved_at=after(3600))
    # heard of later, and failed before; and one of another cause
    apply(account, failing("2", "No file", finished_at=after(3599)), at=7200)
    apply(account, failing("3", "Other", finished_at=after(3700)), at=7200)
    root.refresh_from_db()
    assert (root.state, root.mark) == ("resolved", root.mark)
    returned = failing("4", "No file", finished_at=after(3601))
    apply(account, returned, failing("5", "No file", finished_at=after(60)), at=7300)
    root.refresh_from_db()
    assert (root.state, root.mark) == ("open", "returned")
    assert set(JobErrorGroup.objects.roots().marked(timezone.now())) >= {root}


@pytest.mark.django_db
def test_a_batch_of_failures_costs_the_same_however_many_they_are(
    account: ProviderAccount, django_assert_max_num_queries: Any
) -> None:
    apply(account, *(failing(str(number), f"Cause {chr(97 + number)}") for number in range(20)))
    for first, number in ((100, 2), (200, 40)):
        answers = [
            failing(str(first + index), f"Cause {chr(97 + index % 20)}") for index in range(number)
        ]
        with django_assert_max_num_queries(30) as queries:
            apply(account, *answers)
        statements = [found["sql"] for found in queries.captured_queries]
        assert sum('FROM "jobs_joberrorgroup"' in sql for sql in statements) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_at_any_statement_leaves_no_failure_without_its_group(
    account: ProviderAccount,
) -> None:
    apply(account, *(reported(str(number)) for number in range(3)))
    answers = [failing(str(number), f"Cause {chr(97 + number)}") for number in range(3)]
    for allowed in count():
        try:
            with connection.execute_wrapper(_Killer(allowed)):
                apply(account, *answers, at=600)
            break
        except Killed:
            assert not Job.objects.filter(status="failed")
            assert not JobErrorGroup.objects.exists()
    assert allowed > 10
    assert Job.objects.filter(status="failed", error_group__isnull=False).count() == 3
    assert JobErrorGroup.objects.count() == 3


class Killed(Exception):
    pass


class _Killer:
    """Lets so many statements through."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        if not self._allowed:
            raise Killed
        self._allowed -= 1
        return execute(*arguments)


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_the_same_causes_at_once_agree_on_the_groups(
    account: ProviderAccount, organization: Organization
) -> None:
    elsewhere = make_account(organization)
    for turn in range(5):
        causes = [f"{turn} Cause {chr(97 + number)} {'x' * turn}" for number in range(8)]
        here = [failing(f"{turn}-{number}", cause) for number, cause in enumerate(causes)]
        there = [failing(f"{turn}-{number}", cause) for number, cause in enumerate(causes)]
        together(partial(apply, account, *here), partial(apply, elsewhere, *reversed(there)))
    failures = Job.objects.filter(status="failed")
    assert failures.filter(error_group__isnull=False).count() == 5 * 8 * 2
    assert JobErrorGroup.objects.count() == 5 * 8
    assert {group.jobs.count() for group in JobErrorGroup.objects.all()} == {2}
