"""A bulk action acts on each of its jobs once, and says what became of each."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.actions.outcome import INTERNAL_ERROR
from jobs.bulk import pacing, preparing, requesting
from jobs.bulk.service import BulkEnded, BulkRefused, resume, stop
from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, BulkState, Job, JobAction, ProviderAccount
from organizations.models import AuditEntry, Membership, Role, User
from tests.factories import make_membership
from tests.jobs.bulk.conftest import Start, outcomes, work
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.fake_zencoder import FakeZencoder, failing
from tests.jobs.taking_turns import answer_all

pytestmark = pytest.mark.django_db


def add_running(account: ProviderAccount, zencoder: FakeZencoder, count: int) -> list[Job]:
    for number in range(71, 71 + count):
        zencoder.add(number, "processing")
    return [
        make_job(account, remote_id=str(number), status="running")
        for number in range(71, 71 + count)
    ]


def test_a_bulk_cancel_cancels_each_job_once(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "CHUNK", 2)
    running = add_running(account, zencoder, 5)
    make_job(account, status="failed")
    bulk = begin("cancel", "status:running,failed", reason="Wrong preset")
    assert (bulk.state, bulk.targets.count()) == (BulkState.PREPARING, 0)
    work(bulk)
    assert outcomes(bulk) == {job.pk: "done" for job in running}
    assert (bulk.state, bulk.matched, bulk.left_out) == (BulkState.DONE, 6, {"finished": 1})
    assert (bulk.accounts, bulk.done, bulk.remaining) == ({str(account.pk): 5}, 5, 0)
    assert zencoder.asked["cancel"] == 5
    entries = AuditEntry.objects.filter(action_id=bulk.audit_id)
    assert entries.filter(action="job.cancel_requested").count() == 5
    started = entries.get(action="bulk.started")
    assert (started.reason, started.details["query"]) == ("Wrong preset", "status:running,failed")


def test_a_bulk_retry_makes_a_new_attempt_of_each_job(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start
) -> None:
    zencoder.add(71, "failed")
    failed = make_job(account, remote_id="71", status="failed")
    bulk = work(begin("resubmit", "status:failed"))
    target = bulk.targets.get()
    assert (target.outcome, target.job_id) == ("done", failed.pk)
    assert target.new_job is not None
    assert (target.new_job.retry_of_id, target.new_job.attempt) == (failed.pk, 2)


def test_no_more_than_some_are_under_way_at_an_account(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "UNDER_WAY", 2)
    add_running(account, zencoder, 5)
    other = make_account(account.organization)
    make_job(other, status="running", remote_id="99")
    first, second = begin("cancel", "status:running"), begin("cancel", "status:running")
    run_bulk(first.pk)
    run_bulk(second.pk)
    sent = JobAction.objects.values_list("job__account", flat=True)
    assert sorted(sent) == [account.pk, account.pk, other.pk]


def test_a_job_that_comes_later_is_not_touched(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start
) -> None:
    running = add_running(account, zencoder, 1)
    bulk = begin("cancel", "status:running")
    zencoder.add(99, "processing")
    later = make_job(account, remote_id="99", status="running")
    work(bulk)
    assert outcomes(bulk) == {running[0].pk: "done"}
    later.refresh_from_db()
    assert later.status == "running"


def test_relative_times_count_back_from_the_request(account: ProviderAccount, begin: Start) -> None:
    old = make_job(account, status="running", created_at=NOON - timedelta(hours=1))
    with time_machine.travel(NOON, tick=False) as clock:
        bulk = begin("cancel", "created:>2h")
        clock.shift(timedelta(hours=5))
        run_bulk(bulk.pk)
    assert outcomes(bulk) == {old.pk: "sent"}


def test_a_limit_acts_on_the_first_of_the_list(
    account: ProviderAccount, begin: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "CHUNK", 2)
    jobs = [
        make_job(account, status="queued", created_at=NOON + timedelta(minutes=minute))
        for minute in range(5)
    ]
    bulk = begin("cancel", "status:queued", limit=3)
    run_bulk(bulk.pk)
    assert sorted(outcomes(bulk)) == [job.pk for job in jobs[2:]]
    bulk.refresh_from_db()
    assert (bulk.matched, bulk.prepared_at is not None) == (3, True)


def test_only_jobs_with_the_ids_are_touched(account: ProviderAccount, begin: Start) -> None:
    jobs = [make_job(account, status="queued") for _ in range(3)]
    bulk = begin("cancel", ids=[jobs[0].pk, jobs[2].pk, jobs[0].pk])
    run_bulk(bulk.pk)
    assert sorted(outcomes(bulk)) == [jobs[0].pk, jobs[2].pk]


@pytest.mark.parametrize("query", ["status:running", "status:succeeded"])
def test_nothing_starts_where_nothing_is_to_be_done(
    account: ProviderAccount, begin: Start, query: str
) -> None:
    make_job(account)
    with pytest.raises(BulkRefused, match="No job"):
        begin("cancel", query)
    assert not BulkAction.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_was_refused_says_why(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start
) -> None:
    ended, changed = add_running(account, zencoder, 2)
    bulk = begin("cancel", "status:running")
    zencoder.move(int(ended.remote_id or ""), "finished")
    preparing.prepare_chunk(_taken(bulk))
    BulkAction.objects.update(lease=None, leased_until=None)
    Job.objects.filter(pk=changed.pk).update(status="succeeded")
    work(bulk)
    reasons = dict(bulk.targets.values_list("job", "reason"))
    assert outcomes(bulk) == {ended.pk: "refused", changed.pk: "refused"}
    assert "cannot be cancelled any more" in reasons[ended.pk]
    assert reasons[changed.pk] == "It has already ended: it is succeeded."
    assert (bulk.state, bulk.refused) == (BulkState.DONE, 2)


def test_what_had_no_clear_answer_has_failed(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start
) -> None:
    add_running(account, zencoder, 1)
    zencoder.faults["cancel"] = failing(400)
    bulk = begin("cancel", "status:running")
    run_bulk(bulk.pk)
    JobAction.objects.update(state="refused", failures=6, note="No answer.")
    work(bulk)
    target = bulk.targets.get()
    assert (target.outcome, target.reason, bulk.failed) == ("failed", "No answer.", 1)


def test_internal_errors_in_a_row_stop_it(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    operator: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requesting, "MAX_INTERNAL_ERRORS", 2)
    monkeypatch.setattr(pacing, "UNDER_WAY", 3)
    add_running(account, zencoder, 7)
    bulk = begin("cancel", "status:running")
    failed = {"state": "refused", "failures": 6, "note": INTERNAL_ERROR}

    def end_those_under_way(*failing: int) -> None:
        due = list(JobAction.objects.filter(state="due").order_by("pk").values_list("pk"))
        for place, (pk,) in enumerate(due):
            values = failed if place in failing else {"state": "done"}
            JobAction.objects.filter(pk=pk).update(**values)
        BulkAction.objects.update(next_at=bulk.created_at)
        run_bulk(bulk.pk)
        bulk.refresh_from_db()

    run_bulk(bulk.pk)
    end_those_under_way(0, 2)  # not in a row
    assert (bulk.state, bulk.failed, bulk.done) == (BulkState.RUNNING, 2, 1)
    end_those_under_way(0)
    assert (bulk.state, bulk.failed, bulk.remaining) == (BulkState.STOPPED, 3, 1)
    assert bulk.note.startswith("Stopped after")
    assert bulk.targets.filter(outcome="pending").count() == 1
    resume(bulk, actor=operator)
    work(bulk)
    assert (bulk.state, bulk.done, bulk.failed, bulk.note) == (BulkState.DONE, 4, 3, "")


def test_a_stop_requests_nothing_more_and_the_rest_can_be_run(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    operator: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "UNDER_WAY", 2)
    running = add_running(account, zencoder, 5)
    bulk = begin("cancel", "status:running")
    run_bulk(bulk.pk)
    stop(bulk, actor=operator)
    stop(bulk, actor=operator)
    work(bulk)
    assert (bulk.state, bulk.done, bulk.remaining) == (BulkState.STOPPED, 2, 3)
    assert sorted(outcomes(bulk).values()) == ["done", "done", "pending", "pending", "pending"]
    resume(bulk, actor=operator)
    work(bulk)
    assert outcomes(bulk) == {job.pk: "done" for job in running}
    assert (bulk.state, zencoder.asked["cancel"]) == (BulkState.DONE, 5)
    with pytest.raises(BulkEnded):
        stop(bulk, actor=operator)
    actions = AuditEntry.objects.filter(action__startswith="bulk.").order_by("pk")
    assert [entry.action for entry in actions] == ["bulk.started", "bulk.stopped", "bulk.resumed"]


def test_it_stops_once_who_started_it_may_no_longer_act(
    account: ProviderAccount, begin: Start, operator: User
) -> None:
    make_job(account, status="queued")
    bulk = begin("cancel", "status:queued")
    Membership.objects.filter(user=operator).update(role=Role.VIEWER)
    work(bulk)
    assert (bulk.state, bulk.note) == (
        BulkState.STOPPED,
        "The person who started it may no longer act on jobs here.",
    )
    assert not JobAction.objects.exists()
    # somebody else may have the rest of it run, in their own name
    colleague = make_membership(account.organization, Role.OPERATOR).user
    resume(bulk, actor=colleague)
    run_bulk(bulk.pk)
    assert JobAction.objects.get().actor == colleague


def test_a_query_that_cannot_be_read_any_more_stops_it(
    account: ProviderAccount, begin: Start
) -> None:
    make_job(account, status="queued")
    bulk = begin("cancel", "account:main")
    ProviderAccount.objects.update(name="renamed")
    work(bulk)
    assert bulk.state == BulkState.STOPPED
    assert "No account has the id or the name" in bulk.note


def test_jobs_of_a_deleted_account_are_no_reason_to_wait(
    account: ProviderAccount, begin: Start
) -> None:
    other = make_account(account.organization)
    make_job(other, status="queued")
    bulk = begin("cancel", "status:queued")
    run_bulk(bulk.pk)
    answer_all()
    JobAction.objects.all().delete()
    Job.objects.filter(account=other).delete()
    work(bulk)
    assert (bulk.state, bulk.remaining) == (BulkState.DONE, 0)


def _taken(bulk: BulkAction) -> BulkAction:
    from jobs.workqueue import leases

    taken = leases.take(
        BulkAction.objects.due(timezone.now()), bulk.pk, timedelta(seconds=9), "organization"
    )
    assert taken is not None
    return taken
