"""Jobs are put into a batch, whose figures stay right, and no provider is asked."""

from itertools import permutations

import pytest

from jobs.batches.figures import read_figures
from jobs.bulk import left_out, pacing
from jobs.bulk.actions.registry import build_action
from jobs.bulk.left_out import add_counts, describe_left_out
from jobs.bulk.left_out_queries import find_queries
from jobs.bulk.service import BulkRefused
from jobs.bulk.worker import run_bulk
from jobs.models import Batch, BulkAction, BulkKind, BulkState, Job, ProviderAccount
from jobs.query.jobs import JobFilter
from jobs.query.visibility import Visibility
from organizations.models import AuditEntry, Organization
from tests.factories import make_organization
from tests.jobs.bulk.conftest import Start, outcomes, work
from tests.jobs.bulk.test_left_out import select
from tests.jobs.factories import make_account, make_batch, make_job
from tests.jobs.fake_zencoder import FakeZencoder

pytestmark = pytest.mark.django_db


def find(organization: Organization, query: str) -> set[int]:
    filters = JobFilter.parse({"q": [query]}, Visibility(organization))
    assert not filters.errors
    return set(
        filters.apply(Job.objects.for_organization(organization)).values_list("pk", flat=True)
    )


def test_jobs_are_added_counted_and_found(
    account: ProviderAccount,
    organization: Organization,
    zencoder: FakeZencoder,
    begin: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "AT_ONCE", 1)
    other = make_account(organization, name="archive", enabled=False)
    jobs = [
        make_job(account),
        make_job(other, status="failed"),
        make_job(account, status="running"),
    ]
    batch = make_batch(account, name="reels", total=4, submitted=2, refused=1, state="stopped")
    inside = make_job(account, batch=batch)
    bulk = work(begin("add_to_batch", "status:succeeded,failed,running", batch="reels"))
    assert outcomes(bulk) == {job.pk: "done" for job in jobs}
    assert (bulk.state, bulk.done) == (BulkState.DONE, 3)
    batch.refresh_from_db()
    assert (batch.total, batch.added, batch.unsent) == (7, 3, 1)
    figures = read_figures(Visibility(organization), [batch])[batch.pk]
    assert (figures.succeeded, figures.failed, figures.active) == (2, 2, 1)
    ids = {job.pk for job in (*jobs, inside)}
    assert find(organization, "batch:reels") == ids
    assert find(organization, "reels") >= {job.pk for job in jobs}
    assert [Job.objects.get(pk=job.pk).version - job.version for job in jobs] == [1, 1, 1]
    entries = AuditEntry.objects.filter(action="job.added_to_batch", action_id=bulk.audit_id)
    assert [entry.details for entry in entries] == [{"batch": "reels"}] * 3
    assert AuditEntry.objects.get(action="bulk.started").details["batch"] == "reels"
    assert not zencoder.asked


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_job_and_its_retries_count_once_in_whatever_order_they_are_added(
    account: ProviderAccount, begin: Start, order: tuple[int, ...]
) -> None:
    first = make_job(account, status="failed")
    second = make_job(account, status="failed", retry_of=first)
    chain = [first, second, make_job(account, retry_of=second)]
    # as long as that one is in no batch
    make_job(account, retry_of=first, status="failed")
    batch = make_batch(account, name="reels")
    for place in order:
        work(begin("add_to_batch", f"id:{chain[place].pk}", batch=str(batch.pk)))
    batch.refresh_from_db()
    figures = read_figures(Visibility(account.organization), [batch])[batch.pk]
    assert (batch.total, batch.added, batch.unsent) == (1, 1, 0)
    assert (figures.succeeded, figures.failed) == (1, 0)


def test_what_is_in_a_batch_is_left_out_and_the_reason_says_in_which(
    account: ProviderAccount, organization: Organization, begin: Start
) -> None:
    spring, winter = (make_batch(account, name=name) for name in ("spring", "winter"))
    inside = [make_job(account, batch=batch) for batch in (spring, winter, winter)]
    free = make_job(account)
    bulk = work(begin("add_to_batch", "status:succeeded", batch="spring"))
    assert outcomes(bulk) == {free.pk: "done"}
    visible = Visibility(organization)
    rows = describe_left_out(visible, bulk.left_out)
    assert [(row.reason, row.sentence, row.count) for row in rows] == [
        ("in_batch", "Already in the batch “winter”", 2),
        ("in_batch", "Already in the batch “spring”", 1),
    ]
    selection = select(organization, "status:succeeded")
    queries = find_queries(
        "status:succeeded", build_action(BulkKind.ADD_TO_BATCH), selection.accounts, bulk.left_out
    )
    assert find(organization, queries[f"in_batch:{winter.pk}"]) == {job.pk for job in inside[1:]}
    with pytest.raises(BulkRefused, match="Already in the batch “winter”: 2"):
        begin("add_to_batch", "batch:winter", batch="spring")


def test_of_many_batches_the_rest_is_counted_together(
    account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_out, "MAX_NAMED", 1)
    batch = make_batch(account, name="spring")
    counts = add_counts({f"in_batch:{batch.pk}": 2}, {"in_batch:71": 1, "in_batch:72": 3})
    assert counts == {f"in_batch:{batch.pk}": 2, "in_batch": 4}
    rows = describe_left_out(Visibility(account.organization), counts)
    assert [row.sentence for row in rows] == [
        "Already in another batch",
        "Already in the batch “spring”",
    ]


def test_a_job_that_somebody_else_has_added_meanwhile_is_refused(
    account: ProviderAccount, begin: Start
) -> None:
    job = make_job(account)
    first = begin("add_to_batch", f"id:{job.pk}", new_batch="first")
    second = begin("add_to_batch", f"id:{job.pk}", new_batch="second")
    # found before the other one has it
    second.targets.create(job=job, account=account)
    BulkAction.objects.filter(pk=second.pk).update(
        state="running", accounts={str(account.pk): 1}, prepared_at=second.created_at
    )
    work(first)
    work(second)
    target = second.targets.get()
    assert (target.outcome, target.reason) == ("refused", "It is already in the batch “first”.")
    assert dict(Batch.objects.values_list("name", "total")) == {"first": 1, "second": 0}


def test_a_batch_that_was_deleted_stops_it(account: ProviderAccount, begin: Start) -> None:
    job = make_job(account)
    bulk = begin("add_to_batch", f"id:{job.pk}", new_batch="reels")
    Batch.objects.all().delete()
    run_bulk(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.note) == (BulkState.STOPPED, "The batch has been deleted.")
    assert Job.objects.get(pk=job.pk).batch is None


def test_a_batch_of_others_is_none(account: ProviderAccount, begin: Start) -> None:
    job = make_job(account)
    foreign = make_batch(make_account(make_organization()), name="theirs")
    for reference in (str(foreign.pk), "theirs", "99999999", "a\x00"):
        with pytest.raises(BulkRefused) as refused:
            begin("add_to_batch", f"id:{job.pk}", batch=reference)
        assert refused.value.fields == {"batch": "No batch has this id or name."}
    # whatever others call theirs
    begin("add_to_batch", f"id:{job.pk}", new_batch="theirs")
    assert Batch.objects.get(organization=account.organization).name == "theirs"
