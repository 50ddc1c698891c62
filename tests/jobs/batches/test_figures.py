"""How far a batch has got: each job once, however often it was retried."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.batches.figures import minutes_left, read_figures, state_of
from jobs.models import Job, ProviderAccount
from jobs.query.visibility import Visibility
from tests.jobs.factories import NOON, make_account, make_batch, make_job

pytestmark = pytest.mark.django_db


def test_counts_each_job_once_with_its_newest_attempt(
    account: ProviderAccount, django_assert_num_queries: object
) -> None:
    batch = make_batch(account, total=9, refused=1, submitted=7)
    other = make_batch(account, total=1)
    for status in ("succeeded", "running", "queued", "cancelled", "unknown"):
        make_job(account, batch=batch, status=status)
    failed = make_job(account, batch=batch, status="failed")
    again = make_job(account, batch=batch, status="failed", retry_of=failed)
    make_job(account, batch=batch, status="succeeded", retry_of=again)
    still = make_job(account, batch=batch, status="failed")
    # a retry elsewhere makes up for nothing here
    make_job(account, status="running", retry_of=still)
    make_job(account, batch=batch, status="running", gone_at=NOON)
    make_job(account, batch=other, status="failed")
    with django_assert_num_queries(2):  # type: ignore[operator]
        found = read_figures(Visibility(account.organization), [batch, other])
    figures = found[batch.pk]
    assert (figures.total, figures.succeeded, figures.failed, figures.cancelled) == (9, 2, 2, 1)
    assert (figures.active, figures.unsent, figures.gone, figures.remaining) == (3, 1, 1, 4)
    assert (found[other.pk].succeeded, found[other.pk].failed) == (0, 1)
    assert state_of(batch, figures) == "running"


def test_a_token_of_some_accounts_counts_the_jobs_of_these(account: ProviderAccount) -> None:
    batch = make_batch(account, total=2, submitted=1, added=1)
    make_job(account, batch=batch)
    make_job(make_account(account.organization), batch=batch)
    visible = Visibility(account.organization, frozenset({account.pk}))
    assert read_figures(visible, [batch])[batch.pk].succeeded == 1


@pytest.mark.parametrize(
    ("state", "status", "shown"),
    [
        ("sending", "succeeded", "sending"),
        ("stopped", "succeeded", "stopped"),
        ("sent", "running", "running"),
        ("sent", "failed", "done"),
    ],
)
def test_a_batch_is_done_when_its_last_job_has_ended(
    account: ProviderAccount, state: str, status: str, shown: str
) -> None:
    batch = make_batch(account, state=state, total=1, submitted=1)
    make_job(account, batch=batch, status=status)
    figures = read_figures(Visibility(account.organization), [batch])[batch.pk]
    assert state_of(batch, figures) == shown


def test_the_rest_takes_as_long_as_the_rate_of_the_last_minutes_says(
    account: ProviderAccount,
) -> None:
    now = timezone.now()
    batch = make_batch(account, total=30, submitted=30, created_at=now - timedelta(hours=1))
    for minute in range(20):
        job = make_job(account, batch=batch)
        Job.objects.filter(pk=job.pk).update(ended_at=now - timedelta(minutes=minute, seconds=1))
    for _ in range(10):
        make_job(account, batch=batch, status="running")
    figures = read_figures(Visibility(account.organization), [batch])[batch.pk]
    # ten in ten minutes, and ten are left
    assert minutes_left(batch, figures, now) == 10
    Job.objects.filter(status="succeeded").update(ended_at=NOON)
    assert minutes_left(batch, figures, now) is None
