"""What Prometheus reads: every account's state, as the database has it at that moment."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from dashboard.metrics import exposition
from jobs.models import Submission, SubmissionState
from organizations.models import Organization
from providers.core.status import JobStatus
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account, make_delivery, make_job

pytestmark = pytest.mark.database

SYNCED = {"next_sync_at": NOON + timedelta(seconds=60)}


@pytest.fixture
def harbour(db: None) -> Organization:
    return make_organization("harbour")


def samples(name: str, **labels: str) -> list[float]:
    """The values of the gauge `name` whose labels include `labels`."""
    families = text_string_to_metric_families(exposition(NOON).decode())
    return [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"reelboard_{name}" and labels.items() <= sample.labels.items()
    ]


def states(account: str) -> set[str]:
    families = text_string_to_metric_families(exposition(NOON).decode())
    return {
        sample.labels["state"]
        for family in families
        for sample in family.samples
        if sample.name == "reelboard_account_state"
        and sample.labels["account"] == account
        and sample.value == 1
    }


def make_submission(account_name: str, harbour: Organization, state: SubmissionState) -> None:
    account = harbour.accounts.get(name=account_name)
    job = make_job(account, status=JobStatus.SUBMITTING, remote_id=None)
    Submission.objects.create(
        job=job, account=account, organization=harbour, key=f"key-{job.pk}",
        fingerprint="same", request={},
        state=state, next_at=NOON,
    )  # fmt: skip


def test_each_account_is_in_one_state(harbour: Organization) -> None:
    make_account(harbour, name="well", **SYNCED)
    make_account(harbour, name="failing", consecutive_failures=3, **SYNCED)
    make_account(harbour, name="refused", refused_at=NOON, consecutive_failures=1, **SYNCED)
    make_account(harbour, name="paused", enabled=False, **SYNCED)
    make_account(harbour, name="new", imported_at=None, **SYNCED)
    make_account(harbour, name="left alone", expected_at=NOON - timedelta(minutes=5))

    found = {name: states(name) for name in ("well", "failing", "refused", "paused", "new")}
    assert found == {
        "well": {"ok"},
        "failing": {"failing"},
        "refused": {"refused"},
        "paused": {"paused"},
        "new": {"importing"},
    }
    assert states("left alone") == {"late"}
    assert samples("account_consecutive_failures", account="failing") == [3]
    assert samples("account_late", account="left alone") == [1]
    assert samples("account_late", account="well") == [0]


def test_a_success_is_reported_by_its_time_and_none_before_the_first(harbour: Organization) -> None:
    make_account(harbour, name="main", last_success_at=NOON - timedelta(seconds=30), **SYNCED)
    make_account(harbour, name="new", last_success_at=None, **SYNCED)

    name = "account_last_success_timestamp_seconds"
    assert samples(name, account="main") == [NOON.timestamp() - 30]
    assert samples(name, account="new") == []
    assert samples("account_next_sync_timestamp_seconds", account="main") == [NOON.timestamp() + 60]


def test_unfinished_jobs_are_counted_by_account_and_status(harbour: Organization) -> None:
    main, other = make_account(harbour, name="main"), make_account(harbour, name="other")
    for status in (JobStatus.RUNNING, JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.UNKNOWN):
        make_job(main, status=status)
    make_job(main, status=JobStatus.SUCCEEDED)
    make_job(other, status=JobStatus.RUNNING)

    assert samples("jobs_unfinished", account="main", status="running") == [2]
    assert samples("jobs_unfinished", account="main", status="queued") == [1]
    assert samples("jobs_unfinished", account="main", status="unknown") == [1]
    assert samples("jobs_unfinished", account="other", status="running") == [1]
    assert samples("jobs_unfinished", account="other", status="queued") == [0]
    assert sum(samples("jobs_unfinished")) == 5


def test_submissions_are_counted_until_they_are_settled(harbour: Organization) -> None:
    make_account(harbour, name="main")
    for state in ("due", "unconfirmed", "unconfirmed", "done", "refused"):
        make_submission("main", harbour, SubmissionState(state))

    assert samples("submissions_open", state="due") == [1]
    assert samples("submissions_open", state="unconfirmed") == [2]
    assert sum(samples("submissions_open")) == 3


def test_deliveries_wait_until_they_are_handled(harbour: Organization) -> None:
    account = make_account(harbour, name="main")
    for handled_at in (None, None, NOON):
        make_delivery(account, handled_at=handled_at, next_at=NOON)
    in_hand = timezone.now() + timedelta(minutes=1)
    make_delivery(account, handled_at=None, next_at=in_hand)

    assert samples("webhook_deliveries_waiting") == [3]


def test_accounts_of_one_name_stay_apart(harbour: Organization) -> None:
    make_account(harbour, name="main", consecutive_failures=2)
    make_account(make_organization("elsewhere"), name="main", provider="xvid")

    assert samples("account_consecutive_failures", organization="harbour") == [2]
    assert samples("account_consecutive_failures", organization="elsewhere", provider="xvid") == [0]


def test_number_of_queries_is_fixed_and_no_credential_is_reported(
    harbour: Organization, client: Client, settings: LazySettings
) -> None:
    for number in range(5):
        account = make_account(harbour, name=f"account {number}")
        make_job(account, status=JobStatus.RUNNING)
    settings.METRICS_TOKEN = "s3cret"
    settings.CREDENTIALS_KEYS = ["another-key-than-the-one-of-the-rows"]
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/metrics", headers={"Authorization": "Bearer s3cret"})

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    assert len(queries) == 6
    text = response.content.decode()
    assert text.count("reelboard_account_consecutive_failures{") == 5
    assert not any(f"key-of-account {number}" in text for number in range(5))
