"""Which failures count as resolved, in whatever order their attempts' outcomes arrive."""

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.mirror.attempts import fail_attempt, open_attempt
from jobs.mirror.endings import fail_unsent
from jobs.models import EventSource, Job, ProviderAccount
from organizations.models import Organization
from providers.core.errors import ProviderError
from providers.core.status import JobStatus
from tests.jobs.answers import after, apply, failed, newest, reported
from tests.jobs.factories import make_account, make_job
from tests.threads import together

OUTCOMES = [JobStatus.FAILED, JobStatus.SUCCEEDED, JobStatus.CANCELLED]


def end(job: Job, status: JobStatus, at: float = 0) -> None:
    remote_id = job.remote_id or ""
    remote = failed(remote_id) if status is JobStatus.FAILED else reported(remote_id, status)
    apply(job.account, remote, at=at)


def unresolved() -> set[int]:
    return set(Job.objects.filter(is_unresolved=True).values_list("pk", flat=True))


@pytest.fixture
def elsewhere(organization: Organization) -> ProviderAccount:
    return make_account(organization, name="elsewhere")


@pytest.mark.django_db
@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    data=st.data(),
    parents=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=7, max_size=7),
    corrected=st.dictionaries(st.integers(0, 5), st.sampled_from(OUTCOMES), max_size=2),
)
def test_a_failure_is_resolved_by_the_first_success_after_it(
    account: ProviderAccount,
    elsewhere: ProviderAccount,
    data: st.DataObject,
    parents: list[int],
    outcomes: list[JobStatus],
    corrected: dict[int, JobStatus],
) -> None:
    """Retries of retries and retries beside each other, at two accounts, in any order."""
    Job.objects.all().delete()
    running = {"status": JobStatus.RUNNING, "observed_at": after(-60)}
    alone = make_job(account, **running)
    tree = [make_job(account, **running)]
    for number, parent in enumerate(parents):
        place = elsewhere if number % 2 else account
        tree.append(make_job(place, retry_of=tree[parent % len(tree)], **running))
    ends = dict(zip([*tree, alone], outcomes, strict=False))
    for job in data.draw(st.permutations(list(ends))):
        end(job, ends[job])
    for number, status in corrected.items():
        job = tree[number % len(tree)]
        ends[job] = status
        end(job, status, at=60)
    for number, job in enumerate(tree):
        later = [one.pk for one in tree[number + 1 :] if ends[one] is JobStatus.SUCCEEDED]
        is_failed = ends[job] is JobStatus.FAILED
        job.refresh_from_db()
        assert job.status == ends[job]
        assert job.resolved_by_id == (later[0] if is_failed and later else None)
        assert job.is_unresolved is (is_failed and not later)
    alone.refresh_from_db()
    assert alone.is_unresolved is (alone.status == JobStatus.FAILED)


@pytest.mark.django_db
def test_the_attempts_of_a_native_resubmit_resolve_each_other(account: ProviderAccount) -> None:
    apply(account, failed(), at=300)
    first = newest(account)
    assert unresolved() == {first.pk}
    apply(account, failed(updated_at=after(900), finished_at=after(900)), at=910)
    second = newest(account)
    assert unresolved() == {first.pk, second.pk}
    apply(account, reported(updated_at=after(1200)), at=1210)  # seen running first
    assert unresolved() == {first.pk, second.pk}
    apply(account, reported(status=JobStatus.SUCCEEDED, finished_at=after(1500)), at=1510)
    assert unresolved() == set()
    assert set(Job.objects.filter(status="failed").values_list("resolved_by", flat=True)) == {
        newest(account).pk
    }


@pytest.mark.django_db
def test_an_attempt_that_is_refused_late_is_resolved_by_a_later_one(
    account: ProviderAccount, elsewhere: ProviderAccount
) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    rerun = open_attempt(job, source=EventSource.ACTION, actor=None)
    unsent = make_job(account, status=JobStatus.SUBMITTING, remote_id=None, retry_of=job)
    retry = make_job(elsewhere, status=JobStatus.RUNNING, retry_of=job)
    end(retry, JobStatus.SUCCEEDED)
    error = ProviderError("No.")
    fail_attempt(rerun, error, source=EventSource.ACTION, actor=None)
    fail_unsent(unsent, error, source=EventSource.SUBMIT)
    resolved = Job.objects.filter(status=JobStatus.FAILED, resolved_by=retry)
    assert set(resolved) == {job, rerun, unsent}


@pytest.mark.django_db
def test_a_resolved_failure_is_a_change_that_lists_and_scripts_see(
    account: ProviderAccount, elsewhere: ProviderAccount
) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    retry = make_job(elsewhere, status=JobStatus.RUNNING, retry_of=job)
    before = ProviderAccount.objects.get(pk=account.pk).revision
    end(retry, JobStatus.SUCCEEDED, at=60)
    resolved = Job.objects.get(pk=job.pk)
    assert resolved.version == job.version + 1
    assert resolved.changed_at > job.changed_at
    assert ProviderAccount.objects.get(pk=account.pk).revision > before


@pytest.mark.django_db
def test_jobs_without_retries_cost_one_query_more_at_their_end(
    account: ProviderAccount, django_assert_max_num_queries: Any
) -> None:
    jobs = [reported(str(number)) for number in range(20)]
    apply(account, *jobs)
    with django_assert_max_num_queries(19):
        apply(account, *(failed(str(number)) for number in range(20)), at=60)


@pytest.mark.django_db(transaction=True)
def test_workers_that_end_two_attempts_at_once_agree(
    account: ProviderAccount, elsewhere: ProviderAccount
) -> None:
    for number in range(5):
        job = make_job(account, status=JobStatus.RUNNING, remote_id=f"first {number}")
        retry = make_job(
            elsewhere, status=JobStatus.RUNNING, remote_id=f"second {number}", retry_of=job
        )
        together(partial(end, job, JobStatus.FAILED), partial(end, retry, JobStatus.SUCCEEDED))
        job.refresh_from_db()
        assert job.resolved_by_id == retry.pk
