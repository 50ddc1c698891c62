"""The connection to the database is cut while a provider is asked, as by a restart."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
import requests
from django.db import OperationalError, connection
from django.utils import timezone

from jobs.actions.cancellation import request_cancel
from jobs.actions.worker import run_action
from jobs.models import ActionState, JobAction, ProviderAccount, Submission, SubmissionState
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from jobs.sync.outcome import ACTIVE_INTERVAL_S
from jobs.sync.runner import sync_account
from jobs.webhooks.handler import handle_delivery
from providers.core.types import JobRequest, Rendition
from tests import services
from tests.jobs.factories import make_delivery, make_job
from tests.jobs.fake_zencoder import Answer, FakeZencoder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def cut() -> Callable[[requests.PreparedRequest], Answer | None]:
    """A fault of the provider's that ends our own backend, once, before it answers well."""
    if connection.vendor != "postgresql":
        pytest.skip("this run is on SQLite, whose connection nobody cuts")
    connection.ensure_connection()
    pids = [connection.connection.info.backend_pid]

    def fault(request: requests.PreparedRequest) -> Answer | None:
        with psycopg.connect(services.POSTGRES.address, autocommit=True) as other:
            while pids:
                other.execute("select pg_terminate_backend(%s, 5000)", [pids.pop()])
        return None

    return fault


Cut = Callable[[requests.PreparedRequest], Answer | None]


def test_a_pass_goes_on(account: ProviderAccount, zencoder: FakeZencoder, cut: Cut) -> None:
    zencoder.add(71, "processing")
    zencoder.faults["list"] = cut
    report = sync_account(account.pk)
    account.refresh_from_db()
    assert (report and report.ok, account.lease) == (True, None)
    assert account.jobs.get().remote_id == "71"


def test_a_pass_that_cannot_go_on_gives_its_account_back_and_blames_nobody(
    account: ProviderAccount, zencoder: FakeZencoder, cut: Cut
) -> None:
    """It is cut while other threads read, where only the next query notices."""
    zencoder.add(71, "processing")
    zencoder.faults["progress"] = cut
    with pytest.raises(OperationalError):
        sync_account(account.pk)
    account.refresh_from_db()
    assert (account.lease, account.leased_until, account.consecutive_failures) == (None, None, 0)
    assert account.next_sync_at <= timezone.now() + timedelta(seconds=ACTIVE_INTERVAL_S)
    assert sync_account(account.pk)


def test_an_answer_to_a_submission_is_kept(
    account: ProviderAccount, zencoder: FakeZencoder, cut: Cut
) -> None:
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(organization=account.organization, account=account, request=request).job
    zencoder.faults["create"] = cut
    run_submission(job.pk)
    job.refresh_from_db()
    submission = Submission.objects.get()
    assert (job.remote_id, zencoder.asked["create"]) == ("501", 1)
    assert (submission.state, submission.leased_until) == (SubmissionState.DONE, None)


def test_an_action_is_carried_out(
    account: ProviderAccount, zencoder: FakeZencoder, cut: Cut
) -> None:
    zencoder.add(71, "processing")
    zencoder.faults["cancel"] = cut
    run_action(request_cancel(make_job(account, remote_id="71", status="running")).pk)
    action = JobAction.objects.get()
    assert (action.state, action.leased_until) == (ActionState.DONE, None)


def test_a_delivery_is_answered(account: ProviderAccount, zencoder: FakeZencoder, cut: Cut) -> None:
    zencoder.add(71)
    delivery = make_delivery(account, handled_at=None, received_at=timezone.now())
    zencoder.faults["details"] = cut
    handle_delivery(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.handled_at
