"""`/bulk`: starting, reading and stopping actions on many jobs."""

from typing import Any

import pytest

from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, JobAction, ProviderAccount
from organizations.models import ApiToken, AuditEntry, Organization, Scope
from tests.factories import make_organization
from tests.jobs.api.conftest import Answer, ApiClient
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = pytest.mark.django_db


def start(client: ApiClient, key: str = "one", **body: Any) -> Answer:
    return client.post("/bulk", {"action": "cancel", **body}, Idempotency_Key=key)


def test_a_bulk_action_is_started_and_read(operator: ApiClient, account: ProviderAccount) -> None:
    jobs = [make_job(account, status="queued") for _ in range(3)]
    make_job(account, status="failed")
    answer = start(operator, q="status:queued,failed", reason="Wrong preset")
    assert answer.status == 202
    assert answer.body["state"] == "preparing"
    assert answer.body["requested_by"] == "token:operate token"
    run_bulk(int(answer.body["id"]))
    body = operator.get(f"/bulk/{answer.body['id']}").body
    shown = {
        name: body[name]
        for name in ("action", "state", "matched", "complete", "done", "remaining", "q", "reason")
    }
    assert shown == {
        "action": "cancel",
        "state": "running",
        "matched": 4,
        "complete": True,
        "done": 0,
        "remaining": 3,
        "q": "status:queued,failed",
        "reason": "Wrong preset",
    }
    assert body["left_out"] == [{"reason": "finished", "message": "Already ended", "count": 1}]
    main = {"id": str(account.pk), "name": "main", "provider": "zencoder", "jobs": 3}
    assert body["accounts"] == [main]
    results = operator.get(f"/bulk/{body['id']}/results?limit=2").body
    assert results["results"] == [
        {"job": str(job.pk), "outcome": "pending", "reason": None, "new_job": None}
        for job in jobs[::-1][:2]
    ]
    rest = operator.get(f"/bulk/{body['id']}/results?limit=2&cursor={results['next']}").body
    assert [one["job"] for one in rest["results"]] == [str(jobs[0].pk)]
    assert rest["next"] is None
    assert operator.get(f"/bulk/{body['id']}/results?outcome=done").body["results"] == []


def test_a_dry_run_says_what_would_be_done(operator: ApiClient, account: ProviderAccount) -> None:
    make_job(account, status="queued")
    make_job(account)
    answer = start(operator, q="status:queued,succeeded", dry_run=True)
    assert answer.status == 200
    assert (answer.body["matched"], answer.body["remaining"]) == (2, 1)
    assert not {"id", "state"} & answer.body.keys()
    assert not BulkAction.objects.exists()
    # nor has it used the key up
    assert start(operator, q="status:queued,succeeded").status == 202


def test_the_same_call_again_is_the_same_bulk_action(
    operator: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account, status="queued")
    first = start(operator, q="status:queued")
    # as a later attempt of the caller, when nothing is left to do
    job.status = "succeeded"
    job.save()
    again = start(operator, q="status:queued")
    assert (again.status, again.body["id"]) == (202, first.body["id"])
    assert BulkAction.objects.count() == 1
    other = start(operator, q="status:running")
    assert "already used" in other.fields["Idempotency-Key"]


def test_a_key_is_required(operator: ApiClient, account: ProviderAccount) -> None:
    make_job(account, status="queued")
    answer = operator.post("/bulk", {"action": "cancel", "q": "status:queued"})
    assert answer.fields == {"Idempotency-Key": "This field is required."}
    assert not BulkAction.objects.exists()


def test_a_key_of_another_call_is_refused(operator: ApiClient, account: ProviderAccount) -> None:
    make_job(account, status="queued")
    assert start(operator, "shared", q="status:queued").status == 202
    body = {"account": "main", "input": "s3://rushes/harbour.mov"}
    answer = operator.post("/jobs", body, Idempotency_Key="shared")
    assert "already used" in answer.fields["Idempotency-Key"]


def test_foreign_and_unknown_ids_are_named_and_nothing_starts(
    operator: ApiClient, account: ProviderAccount
) -> None:
    own = make_job(account, status="queued")
    foreign = make_job(make_account(make_organization()), status="queued")
    answer = start(operator, ids=[str(own.pk), str(foreign.pk), "999999999"])
    assert answer.fields == {"ids": f"No job has one of these ids: {foreign.pk}, 999999999."}
    assert not BulkAction.objects.exists()
    assert not AuditEntry.objects.filter(action="bulk.started").exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"q": "status:running"}, "q"),
        ({"q": "created:>"}, "q"),
        ({"q": "account:other"}, "q"),
        ({"q": "  "}, "body"),
        ({}, "body"),
        ({"q": "status:queued", "ids": ["1"]}, "body"),
        ({"ids": []}, "ids"),
        ({"ids": ["1"] * 1001}, "ids"),
        ({"ids": ["x"]}, "ids.0"),
        ({"q": "status:queued", "limit": 0}, "limit"),
        ({"q": "status:queued", "action": "delete"}, "action"),
        ({"q": "status:queued", "reason": "a\x00b"}, "reason"),
        ({"q": "status:queued", "reason": "r" * 501}, "reason"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_field(
    operator: ApiClient, account: ProviderAccount, body: dict[str, Any], field: str
) -> None:
    make_job(account, status="queued")
    assert start(operator, **body).fields.keys() == {field}
    assert not BulkAction.objects.exists()


def test_a_stop_is_answered_with_the_stopped_action(
    operator: ApiClient, account: ProviderAccount
) -> None:
    make_job(account, status="queued")
    pk = start(operator, q="status:queued").body["id"]
    for _ in range(2):
        answer = operator.post(f"/bulk/{pk}/stop")
        assert (answer.status, answer.body["state"]) == (200, "stopped")
    run_bulk(int(pk))
    assert not JobAction.objects.exists()
    BulkAction.objects.update(state="done")
    answer = operator.post(f"/bulk/{pk}/stop")
    assert (answer.status, answer.body["error"]["code"]) == (409, "finished")


def test_the_rest_of_a_stopped_action_is_run_once_for_each_key(
    operator: ApiClient, account: ProviderAccount
) -> None:
    make_job(account, status="queued")
    pk = start(operator, q="status:queued").body["id"]
    operator.post(f"/bulk/{pk}/stop")
    for _ in range(2):
        answer = operator.post(f"/bulk/{pk}/rest", Idempotency_Key="again")
        assert (answer.status, answer.body["state"]) == (202, "preparing")
    # a call that is repeated late starts nothing that has been stopped since
    operator.post(f"/bulk/{pk}/stop")
    answer = operator.post(f"/bulk/{pk}/rest", Idempotency_Key="again")
    assert (answer.status, answer.body["state"]) == (202, "stopped")
    assert operator.post(f"/bulk/{pk}/rest", Idempotency_Key="one").status == 422
    for _ in range(2):
        assert operator.post(f"/bulk/{pk}/rest").body["state"] == "preparing"
    run_bulk(int(pk))
    assert JobAction.objects.count() == 1
    actions = AuditEntry.objects.filter(action="bulk.resumed")
    assert actions.count() == 2
    for values in ({"state": "done"}, {"state": "stopped", "results_deleted_at": NOON}):
        BulkAction.objects.update(**values)
        answer = operator.post(f"/bulk/{pk}/rest", Idempotency_Key="late")
        assert (answer.status, answer.body["error"]["code"]) == (409, "finished")


def test_readers_may_read_and_start_nothing(
    operator: ApiClient, reader: ApiClient, account: ProviderAccount
) -> None:
    make_job(account, status="queued")
    assert start(reader, q="status:queued").status == 403
    assert start(reader, q="status:queued", dry_run=True).status == 403
    pk = start(operator, q="status:queued").body["id"]
    assert reader.get(f"/bulk/{pk}").status == 200
    assert reader.get(f"/bulk/{pk}/results").status == 200
    assert reader.post(f"/bulk/{pk}/stop").status == 403
    assert reader.post(f"/bulk/{pk}/rest", Idempotency_Key="one").status == 403


def test_strangers_find_nothing(
    operator: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    make_job(account, status="queued")
    pk = start(operator, q="status:queued").body["id"]
    assert stranger.get(f"/bulk/{pk}").status == 404
    assert stranger.get(f"/bulk/{pk}/results").status == 404
    assert stranger.post(f"/bulk/{pk}/stop").status == 404
    assert stranger.post(f"/bulk/{pk}/rest", Idempotency_Key="one").status == 404
    assert "No job" in start(stranger, q="status:queued").fields["q"]


def test_a_token_of_some_accounts_touches_and_sees_those_alone(
    operator: ApiClient, organization: Organization, account: ProviderAccount
) -> None:
    other = make_account(organization, name="other")
    own, hidden = (make_job(one, status="queued") for one in (account, other))
    limited = ApiClient(
        ApiToken.issue(organization, "limited", Scope.OPERATE, account_ids=[account.pk])[1]
    )
    answer = start(limited, q="status:queued")
    run_bulk(int(answer.body["id"]))
    assert list(JobAction.objects.values_list("job", flat=True)) == [own.pk]
    assert limited.get(f"/bulk/{answer.body['id']}").body["matched"] == 1
    assert start(limited, "two", ids=[str(hidden.pk)]).fields.keys() == {"ids"}
    assert start(limited, "three", q="account:other").fields.keys() == {"q"}
    # what others have started may be about any account
    everything = start(operator, q="status:queued").body["id"]
    assert limited.get(f"/bulk/{everything}").status == 404
    assert limited.post(f"/bulk/{everything}/stop").status == 404
