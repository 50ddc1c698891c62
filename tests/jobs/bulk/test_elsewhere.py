"""Jobs are retried at another account, each once, in the terms of that account's provider."""

from dataclasses import replace

import pytest
from django.utils import timezone

from jobs.bulk import counting, pacing
from jobs.bulk.actions.base import Options
from jobs.bulk.actions.registry import build_action
from jobs.bulk.counting import preview
from jobs.bulk.left_out_queries import find_queries
from jobs.bulk.pacing import count_room
from jobs.bulk.service import BulkRefused
from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, BulkKind, BulkState, Job, ProviderAccount, Submission
from jobs.models.work import precedence
from jobs.workqueue.short_runs import UNDER_WAY
from organizations.models import AuditEntry, Organization
from providers.core.types import Rendition
from tests.factories import make_organization
from tests.jobs.bulk.conftest import REQUEST, Start, fail, make_backup, outcomes, work
from tests.jobs.bulk.test_add_to_batch import find
from tests.jobs.bulk.test_left_out import select
from tests.jobs.factories import make_account, make_batch, make_job
from tests.jobs.fake_zencoder import FakeZencoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def videosdk(organization: Organization) -> ProviderAccount:
    credentials = {"api_key": "k", "secret": "s"}
    return make_account(organization, provider="videosdk", name="V", credentials=credentials)


@pytest.fixture
def backup(organization: Organization) -> ProviderAccount:
    return make_backup(organization)


def test_each_job_becomes_one_at_the_other_account(
    account: ProviderAccount, backup: ProviderAccount, zencoder: FakeZencoder, begin: Start
) -> None:
    batch = make_batch(account)
    failed = [fail(account) for _ in range(3)]
    Job.objects.filter(pk=failed[0].pk).update(batch=batch)
    there = fail(backup)
    bulk = begin("resubmit_elsewhere", "status:failed", account="backup", reason="Outage")
    work(bulk)
    assert outcomes(bulk) == {job.pk: "done" for job in failed}
    assert (bulk.state, bulk.left_out) == (BulkState.DONE, {"same_account": 1})
    assert bulk.accounts == {str(account.pk): 3}
    made = Job.objects.filter(account=backup).exclude(pk=there.pk)
    assert set(made.values_list("retry_of", flat=True)) == {job.pk for job in failed}
    assert set(bulk.targets.values_list("new_job", flat=True)) == {job.pk for job in made}
    assert made.get(retry_of=failed[0].pk).batch == batch
    # as behind what a person submits with this priority
    submissions = Submission.objects.filter(job__in=made)
    assert {one.precedence for one in submissions} == {precedence(3, is_bulk=True)}
    assert zencoder.asked["create"] == 3
    entries = AuditEntry.objects.filter(action_id=bulk.audit_id)
    assert {
        (entry.details["account"], entry.reason)
        for entry in entries.filter(action="job.retried_elsewhere")
    } == {("backup", "Outage")}
    assert entries.get(action="bulk.started").details["account"] == "backup"


def test_each_result_says_what_changed_without_secrets(
    account: ProviderAccount, videosdk: ProviderAccount, begin: Start
) -> None:
    job = fail(account)
    bulk = begin("resubmit_elsewhere", f"id:{job.pk}", account="V")
    run_bulk(bulk.pk)
    expected = "Approximated: MP4 540p → MP4 480p. Left out: Destination s3://site/harbour/."
    assert bulk.targets.get().reason == expected
    # also once it has been accepted there
    Submission.objects.filter(job__retry_of=job).update(state="done")
    work(bulk)
    target = bulk.targets.get()
    assert (target.outcome, target.reason) == ("done", expected)


def test_a_request_that_the_provider_cannot_take_is_refused_with_its_reason(
    account: ProviderAccount, videosdk: ProviderAccount, begin: Start
) -> None:
    test, job = fail(account, replace(REQUEST, test=True)), fail(account)
    bulk = begin("resubmit_elsewhere", "status:failed", account="V")
    run_bulk(bulk.pk)
    refused = bulk.targets.get(job=test)
    assert refused.outcome == "refused"
    assert "test" in refused.reason
    assert not Job.objects.filter(retry_of=test).exists()
    Job.objects.filter(pk=job.pk).update(status="running")
    with pytest.raises(BulkRefused, match="None of the jobs can be sent there"):
        begin("resubmit_elsewhere", "status:failed", account="V")


def test_what_is_left_out_and_the_queries_that_find_it(
    account: ProviderAccount, backup: ProviderAccount, organization: Organization
) -> None:
    request = {"input": "s3://rushes/harbour.mov"}
    acted_on = make_job(account, status="failed", request=request)
    succeeded = make_job(account, request=request)
    fixed = make_job(account, status="failed", request=request, resolved_by=succeeded)
    retried = make_job(account, status="failed", request=request)
    running = make_job(account, status="running", request=request, retry_of=retried)
    expected = {
        acted_on.pk: "",
        succeeded.pk: "",
        fixed.pk: "resolved",
        retried.pk: "retry_running",
        running.pk: "not_finished",
        make_job(account, status="failed").pk: "not_submitted_here",
        make_job(account, status="failed", request=request, is_newest=False).pk: "not_current",
        make_job(backup, status="running", request=request).pk: "same_account",
    }
    action = build_action(BulkKind.RESUBMIT_ELSEWHERE, Options(account=backup))
    selection = select(organization)
    assert {job.pk: job.refusal for job in selection.read(action, 100).jobs} == expected
    left_out = {"same_account": 1, "resolved": 1, "not_finished": 1}
    queries = find_queries("", action, selection.accounts, left_out)
    assert queries.keys() == left_out.keys()
    for reason, query in queries.items():
        found = {pk for pk in find(organization, query) if expected[pk] != "retry_running"}
        assert found == {pk for pk, one in expected.items() if one == reason}, reason


def test_the_sample_sums_up_what_changes(
    account: ProviderAccount,
    videosdk: ProviderAccount,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = replace(REQUEST, renditions=(Rendition("mp4", (360,)),), destination=None, priority=0)
    for request in (plain, REQUEST, REQUEST, replace(REQUEST, test=True)):
        fail(account, request)
    action = build_action(BulkKind.RESUBMIT_ELSEWHERE, Options(account=videosdk))
    found = preview(select(organization), action)
    assert found.sample is not None
    assert (found.sample.jobs, found.sample.unchanged) == (4, 1)
    [change] = found.sample.approximated
    assert (change.jobs, change.before, change.after) == (2, "MP4 540p", "MP4 480p")
    [dropped] = found.sample.dropped
    assert (dropped.jobs, dropped.before) == (2, "Destination s3://site/harbour/")
    assert [one.jobs for one in found.sample.refused] == [1]
    assert "abcdef0123" not in repr(found.sample)
    monkeypatch.setattr(counting, "SAMPLE", 3)
    assert preview(select(organization), action).sample.jobs == 3  # type: ignore[union-attr]


def test_the_pace_is_that_of_the_other_account(
    account: ProviderAccount,
    backup: ProviderAccount,
    begin: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "UNDER_WAY", 2)
    third = make_account(account.organization, name="third")
    jobs = [fail(one) for one in (account, account, third, third)]
    bulk = begin("resubmit_elsewhere", "status:failed", account="backup")
    run_bulk(bulk.pk)
    assert list(outcomes(bulk).values()).count("sent") == 2
    other = begin("resubmit_elsewhere", f"id:{jobs[0].pk}", account=str(third.pk))
    bulk.refresh_from_db()
    assert count_room(bulk, timezone.now()) == {backup.pk: 0}
    assert count_room(other, timezone.now()) == {third.pk: 2}
    assert UNDER_WAY > 2


def test_an_account_that_was_deleted_stops_it(
    account: ProviderAccount, backup: ProviderAccount, begin: Start
) -> None:
    job = fail(account)
    bulk = begin("resubmit_elsewhere", f"id:{job.pk}", account="backup")
    ProviderAccount.objects.filter(pk=backup.pk).delete()
    run_bulk(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.note) == (BulkState.STOPPED, "The account has been deleted.")
    assert not Job.objects.filter(retry_of=job).exists()


def test_an_account_that_cannot_be_sent_to_is_refused(
    account: ProviderAccount, organization: Organization, begin: Start
) -> None:
    job = fail(account)
    make_account(make_organization(), name="theirs")
    make_account(organization, name="paused", enabled=False)
    make_account(organization, name="removed", provider="removed-since")
    for name, sentence in (
        ("", "Choose the account"),
        ("theirs", "No account has this id or name."),
        ("paused", "paused is paused. Resume it first."),
        ("removed", "Jobs cannot be submitted to"),
        # where it ran
        ("main", "No job that matches can be acted on. Ran at this account: 1."),
    ):
        with pytest.raises(BulkRefused, match=sentence):
            begin("resubmit_elsewhere", f"id:{job.pk}", account=name)
    assert not BulkAction.objects.exists()
