"""`/bulk` with `add_to_batch`: many jobs are put into a batch."""

from typing import Any

import pytest

from jobs.bulk.worker import run_bulk
from jobs.models import Batch, BulkAction, ProviderAccount
from organizations.models import ApiToken, Organization, Scope
from tests.factories import make_organization
from tests.jobs.api.conftest import Answer, ApiClient
from tests.jobs.factories import make_account, make_batch, make_job

pytestmark = pytest.mark.django_db


def start(client: ApiClient, key: str = "one", **body: Any) -> Answer:
    return client.post("/bulk", {"action": "add_to_batch", **body}, Idempotency_Key=key)


def test_jobs_are_put_into_a_batch_that_is_there(
    operator: ApiClient, account: ProviderAccount
) -> None:
    batch = make_batch(account, name="reels")
    job, inside = make_job(account), make_job(account, batch=batch)
    shown = {"id": str(batch.pk), "name": "reels"}
    for reference in ("reels", str(batch.pk)):
        dry = start(operator, q="status:succeeded", batch=reference, dry_run=True)
        assert (dry.status, dry.body["batch"], dry.body["remaining"]) == (200, shown, 1)
        left_out = {"reason": "in_batch", "message": "Already in the batch “reels”", "count": 1}
        assert dry.body["left_out"] == [left_out]
    assert not BulkAction.objects.exists()
    answer = start(operator, q="status:succeeded", batch="reels")
    assert (answer.status, answer.body["batch"]) == (202, shown)
    run_bulk(int(answer.body["id"]))
    body = operator.get(f"/bulk/{answer.body['id']}").body
    assert (body["state"], body["done"], body["batch"]) == ("done", 1, shown)
    assert operator.get(f"/jobs/{job.pk}").body["batch"] == shown
    listed = operator.get("/jobs?batch=reels").body["results"]
    assert {one["id"] for one in listed} == {str(job.pk), str(inside.pk)}


def test_a_new_batch_is_made_once_for_each_key(
    operator: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account)
    dry = start(operator, ids=[str(job.pk)], new_batch="reels", dry_run=True)
    assert (dry.status, dry.body["batch"], Batch.objects.count()) == (200, None, 0)
    made = [start(operator, ids=[str(job.pk)], new_batch="reels") for _ in range(2)]
    assert {answer.status for answer in made} == {202}
    assert len({answer.body["id"] for answer in made}) == 1
    run_bulk(int(made[0].body["id"]))
    batch = operator.get(f"/batches/{made[0].body['batch']['id']}").body
    assert (batch["account"], batch["state"], batch["total"]) == (None, "done", 1)
    assert (batch["succeeded"], batch["submitted_by"]) == (1, "token:operate token")
    other = start(operator, "two", q="status:succeeded", new_batch="reels")
    assert other.fields == {"new_batch": "Another batch has this name."}


def test_a_new_batch_is_not_made_where_nothing_can_be_added(
    operator: ApiClient, account: ProviderAccount
) -> None:
    assert start(operator, q="status:succeeded", new_batch="reels").fields.keys() == {"q"}
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "batch"),
        ({"batch": "reels", "new_batch": "other"}, "batch"),
        ({"batch": "unknown"}, "batch"),
        ({"batch": ""}, "batch"),
        ({"batch": "theirs"}, "batch"),
        ({"new_batch": "  "}, "batch"),
        ({"new_batch": "a\x00b"}, "new_batch"),
        ({"new_batch": "n" * 101}, "new_batch"),
        ({"action": "cancel", "batch": "reels"}, "batch"),
        ({"action": "resubmit", "new_batch": "other"}, "new_batch"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_field(
    operator: ApiClient, account: ProviderAccount, body: dict[str, Any], field: str
) -> None:
    make_job(account)
    make_batch(account, name="reels")
    foreign = make_batch(make_account(make_organization()), name="theirs")
    assert start(operator, q="status:succeeded", **body).fields.keys() == {field}
    answer = start(operator, q="status:succeeded", batch=str(foreign.pk))
    assert answer.fields == {"batch": "No batch has this id or name."}
    assert (BulkAction.objects.count(), Batch.objects.count()) == (0, 2)


def test_readers_add_nothing_and_foreign_ids_are_named(
    operator: ApiClient, reader: ApiClient, account: ProviderAccount
) -> None:
    job, foreign = make_job(account), make_job(make_account(make_organization()))
    assert start(reader, ids=[str(job.pk)], new_batch="reels").status == 403
    answer = start(operator, ids=[str(job.pk), str(foreign.pk)], new_batch="reels")
    assert answer.fields == {"ids": f"No job has one of these ids: {foreign.pk}."}
    assert not Batch.objects.exists()


def test_a_token_of_some_accounts_adds_to_batches_of_these_alone(
    organization: Organization, account: ProviderAccount
) -> None:
    job = make_job(account)
    own, hidden = make_batch(account), make_batch(make_account(organization))
    token = ApiToken.issue(organization, "limited", Scope.OPERATE, account_ids=[account.pk])[1]
    limited = ApiClient(token)
    assert start(limited, ids=[str(job.pk)], batch=hidden.name).fields.keys() == {"batch"}
    assert start(limited, ids=[str(job.pk)], new_batch="reels").fields.keys() == {"new_batch"}
    assert start(limited, ids=[str(job.pk)], batch=own.name).status == 202
