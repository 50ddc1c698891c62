"""Each input of a batch becomes one job, or says why not."""

from typing import Any

import pytest
from celery import current_app

from jobs.actions.resubmission import request_resubmit
from jobs.batches import sending, worker
from jobs.batches.lines import Line
from jobs.batches.service import BatchEnded, BatchRefused, resume, stop
from jobs.batches.worker import continue_after, run_batch
from jobs.mirror.rules.merge import job_changes
from jobs.models import Batch, BatchState, Job, JobSecret, ProviderAccount, Submission
from jobs.submission.idempotency import KeyRefused, caller_key
from jobs.submission.stored_request import find_sent_request
from organizations.models import AuditEntry, Membership, Role, User
from providers.core.status import JobStatus
from providers.core.types import RemoteJob, Rendition
from tests.jobs.batches.conftest import Begin, work
from tests.jobs.fake_zencoder import FakeZencoder

pytestmark = pytest.mark.django_db


def test_each_input_becomes_a_job_with_what_is_its_own(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Begin, operator: User
) -> None:
    heights = {"renditions": [{"packaging": "mp4", "heights": [1080]}]}
    lines = [
        Line("s3://rushes/one.mov"),
        Line("https://in.example/two.mov?token=hunter2", "Reel two", {"reel": 2}, heights),
    ]
    batch = work(begin(lines))
    first, second = Job.objects.order_by("pk")
    assert (first.name, second.name, second.is_named) == ("one.mov", "Reel two", True)
    assert {job.batch_id for job in (first, second)} == {batch.pk}
    assert (first.metadata, second.metadata) == ({"show": "night"}, {"show": "night", "reel": 2})
    assert second.submitted_by == operator
    requests = [find_sent_request(job) for job in (first, second)]
    assert [one and one.renditions for one in requests] == [
        (Rendition("mp4", (720,)),), (Rendition("mp4", (1080,)),)
    ]  # fmt: skip
    assert zencoder.sent[1]["input"] == "https://in.example/two.mov?token=hunter2"
    assert JobSecret.objects.get(job=second).input_url == lines[1].input
    rows = batch.inputs.order_by("position")
    assert [(one.outcome, one.job, one.line) for one in rows] == [
        ("submitted", first, None), ("submitted", second, None)
    ]  # fmt: skip
    assert "hunter2" not in rows[1].url
    assert (batch.state, batch.submitted, batch.unsent) == (BatchState.SENT, 2, 0)
    entries = AuditEntry.objects.filter(action_id=batch.audit_id)
    assert sorted(entries.values_list("action", flat=True)) == [
        "batch.started", "job.submitted", "job.submitted"
    ]  # fmt: skip


def test_a_name_that_was_given_stays_whatever_the_provider_calls_it(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Begin
) -> None:
    work(begin([Line("s3://rushes/one.mov", "Reel one")]))
    job = Job.objects.get()
    remote = RemoteJob(remote_id="7", status=JobStatus.RUNNING, name="0001.mov")
    assert "name" not in job_changes(job, remote, job.changed_at, job.changed_at)
    job.is_named = False
    assert job_changes(job, remote, job.changed_at, job.changed_at)["name"] == "0001.mov"


def test_no_more_than_some_are_under_way_at_an_account(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Begin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (sending, worker):
        monkeypatch.setattr(module, "UNDER_WAY", 4)
    first, second = begin(6, "first"), begin(3, "second")
    run_batch(first.pk)
    run_batch(second.pk)
    assert list(Job.objects.values_list("batch", flat=True)) == [first.pk] * 4
    job = Job.objects.first()
    assert job
    # the next run is not until the tick, unless enough of them have been accepted
    continue_after(job.pk)
    assert Job.objects.count() == 4
    accepted = list(Job.objects.values_list("pk", flat=True)[:2])
    Submission.objects.filter(pk__in=accepted).update(state="done")
    continue_after(job.pk)
    run_batch(first.pk)
    assert Job.objects.count() == 6


def test_jobs_of_a_batch_are_left_to_dispatching(
    account: ProviderAccount,
    begin: Begin,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, *args, **options: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        run_batch(begin(30).pk)
    # no more at a time than there are threads for at one host
    assert (Job.objects.count(), sent.count("jobs.tasks.run_submission")) == (20, 4)


def test_what_cannot_be_submitted_says_why_and_the_others_go_on(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Begin
) -> None:
    twice = Line("s3://rushes/one.mov")
    odd = Line("s3://rushes/REDACTED?token=REDACTED")
    batch = work(begin([twice, odd, twice, Line("s3://rushes/two.mov")]))
    rows = batch.inputs.order_by("position")
    assert [row.outcome for row in rows] == ["submitted", "refused", "refused", "submitted"]
    assert "Enter the original value" in rows[1].reason
    first = Job.objects.order_by("pk")[0]
    assert rows[2].reason == f"The same job was submitted within 24 hours: job {first.pk}."
    assert (batch.submitted, batch.refused, batch.state) == (2, 2, BatchState.SENT)


def test_duplicates_are_submitted_where_that_is_meant(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Begin
) -> None:
    batch = work(begin([Line("s3://rushes/one.mov")] * 2, allow_duplicates=True))
    assert batch.submitted == 2


def test_a_stopped_batch_keeps_the_rest_until_somebody_has_it_submitted(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Begin,
    operator: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "UNDER_WAY", 2)
    batch = begin(5)
    run_batch(batch.pk)
    for _ in range(2):
        stop(batch, actor=operator)
    assert work(batch).unsent == 3
    assert (batch.state, Job.objects.count(), len(zencoder.sent)) == (BatchState.STOPPED, 2, 2)
    for _ in range(2):
        resume(batch, actor=operator)
    work(batch)
    assert (batch.state, batch.submitted, len(zencoder.sent)) == (BatchState.SENT, 5, 5)
    for act in (stop, resume):
        with pytest.raises(BatchEnded, match="All of its inputs"):
            act(batch, actor=operator)
    actions = AuditEntry.objects.filter(target_kind="batch").values_list("action", flat=True)
    assert sorted(actions) == ["batch.resumed", "batch.started", "batch.stopped"]


def test_it_stops_with_the_right_of_who_started_it(
    account: ProviderAccount, begin: Begin, operator: User
) -> None:
    batch = begin()
    Membership.objects.filter(user=operator).update(role=Role.VIEWER)
    work(batch)
    assert (batch.state, Job.objects.count()) == (BatchState.STOPPED, 0)
    assert "may no longer" in batch.note


def test_it_stops_where_the_account_cannot_be_used(
    account: ProviderAccount, begin: Begin, settings: object
) -> None:
    batch = begin()
    ProviderAccount.objects.update(provider="removed")
    work(batch)
    assert (batch.state, batch.unsent) == (BatchState.STOPPED, 3)
    assert batch.note


def test_the_same_key_makes_one_batch_and_a_name_is_given_once(
    account: ProviderAccount, begin: Begin, operator: User
) -> None:
    key = caller_key("nightly", "batch", ["a"], user=operator)
    first = begin(key=key)
    assert begin(key=key) == first
    with pytest.raises(KeyRefused):
        begin(name="other", key=caller_key("nightly", "batch", ["b"], user=operator))
    with pytest.raises(BatchRefused, match="Another batch has this name"):
        begin()
    assert Batch.objects.get() == first


def test_a_retry_takes_the_place_of_the_job_in_its_batch(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Begin, operator: User
) -> None:
    batch = work(begin([Line("s3://rushes/one.mov", "Reel one")]))
    job = Job.objects.get()
    zencoder.move(int(job.remote_id or ""), "failed")
    Job.objects.update(status="failed")
    native = request_resubmit(job, user=operator).job
    assert (native.attempt, native.batch, native.name, native.is_named) == (
        *(2, batch, "Reel one", True),
    )
    # at a provider that runs no job again: a new one
    Job.objects.update(status="failed", remote_id=None, is_newest=True)
    made = request_resubmit(job, user=operator, allow_duplicate=True).job
    assert (made.attempt, made.batch, made.name, made.is_named) == (1, batch, "Reel one", True)


def test_it_stops_after_internal_errors_in_a_row(
    account: ProviderAccount, begin: Begin, monkeypatch: pytest.MonkeyPatch, operator: User
) -> None:
    monkeypatch.setattr(sending, "MAX_INTERNAL_ERRORS", 2)
    # as a stored line of another version might be
    batch = begin(4)
    for stored in batch.inputs.all():
        stored.line = {"input": "s3://a/b.mov", "overrides": {}, "metadata": None, "lost": 1}
        stored.save()
    work(batch)
    assert (batch.state, batch.refused, batch.unsent) == (BatchState.STOPPED, 2, 2)
    assert "internal errors in a row" in batch.note
    resume(batch, actor=operator)
    batch.refresh_from_db()
    assert batch.internal_errors == 0


def test_a_part_of_the_rate_is_left_to_people(account: ProviderAccount, begin: Begin) -> None:
    ProviderAccount.objects.update(options={"requests_per_minute": "10"})
    batch = begin(15)
    run_batch(batch.pk)
    assert Job.objects.count() == 9
