"""`/batches`: submitting many inputs, and reading how far that has got."""

from typing import Any

import pytest
import responses

from jobs.batches.worker import run_batch
from jobs.models import Batch, Job, ProviderAccount
from organizations.models import ApiToken, AuditEntry, Organization, Scope
from tests.factories import make_organization
from tests.jobs.api.conftest import Answer, ApiClient
from tests.jobs.factories import make_account, make_batch, make_job, make_location

pytestmark = pytest.mark.django_db

MP4 = {"renditions": [{"packaging": "mp4", "heights": [720]}]}
WEBP = {"count": 1, "formats": ["webp"]}
INPUTS: list[dict[str, Any]] = [
    {"input": "s3://rushes/one.mov"},
    {"input": "s3://rushes/two.mov", "name": "Two", "metadata": {"reel": 2}, "overrides": {
        "renditions": [{"packaging": "mp4", "heights": [360]}], "test": True}},
]  # fmt: skip


def start(client: ApiClient, key: str = "one", **body: Any) -> Answer:
    whole = {"account": "main", "name": "reels", "request": MP4, "inputs": INPUTS, **body}
    return client.post("/batches", whole, Idempotency_Key=key)


def test_a_batch_is_started_and_read(operator: ApiClient, account: ProviderAccount) -> None:
    answer = start(operator)
    assert answer.status == 202
    shown = {
        "id": str(Batch.objects.get().pk),
        "name": "reels",
        "account": {"id": str(account.pk), "name": "main", "provider": "zencoder"},
        "state": "sending",
        "note": None,
        "total": 2,
        "succeeded": 0,
        "failed": 0,
        "cancelled": 0,
        "remaining": 2,
        "submitted_by": "token:operate token",
        "created_at": answer.body["created_at"],
    }
    assert answer.body == shown
    run_batch(int(answer.body["id"]))
    job = operator.get("/jobs?batch=reels&sort=-created").body["results"][0]
    assert (job["name"], job["metadata"], job["test"]) == ("Two", {"reel": 2}, True)
    assert job["batch"] == {"id": answer.body["id"], "name": "reels"}
    assert len(operator.get(f"/jobs?batch={answer.body['id']}").body["results"]) == 2
    Job.objects.update(status="succeeded")
    read = operator.get(f"/batches/{answer.body['id']}").body
    done = {**shown, "state": "done", "succeeded": 2, "remaining": 0}
    assert read == {**done, "refused": []}
    assert operator.get("/batches").body == {"results": [done], "next": None}


def test_the_same_call_again_is_the_same_batch(
    operator: ApiClient, account: ProviderAccount
) -> None:
    first, again = start(operator), start(operator)
    assert (again.status, again.body["id"]) == (202, first.body["id"])
    assert Batch.objects.count() == 1
    assert "already used" in start(operator, name="other").fields["Idempotency-Key"]
    assert start(operator, "two").fields == {"name": "Another batch has this name."}
    Batch.objects.all().delete()
    answer = start(operator)
    assert (answer.status, answer.body["error"]["code"]) == (409, "batch_deleted")


def test_a_key_is_required(operator: ApiClient, account: ProviderAccount) -> None:
    body = {"account": "main", "name": "reels", "request": MP4, "inputs": INPUTS}
    answer = operator.post("/batches", body)
    assert answer.fields == {"Idempotency-Key": "This field is required."}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account": "nowhere"}, "account"),
        ({"name": " "}, "name"),
        ({"inputs": []}, "inputs"),
        ({"inputs": None}, "body"),
        ({"inputs_from": {"source": "far"}}, "body"),
        ({"inputs": None, "inputs_from": {"source": "nowhere"}}, "inputs_from.source"),
        ({"inputs": None, "inputs_from": {"source": "a", "prefix": "\x00"}}, "inputs_from.prefix"),
        ({"inputs": [INPUTS[0], {"input": "no url"}]}, "inputs.1.input"),
        ({"inputs": [{"input": "s3://a/b.mov", "nmae": "x"}]}, "inputs.0.nmae"),
        ({"inputs": [{"input": "s3://a/b.mov", "name": "a\nb"}]}, "inputs.0.name"),
        (
            {"inputs": [{**INPUTS[1], "overrides": {"renditions": [{"packaging": "mp4"}]}}]},
            "inputs.0.overrides.renditions.0.heights",
        ),
        ({"inputs": [{**INPUTS[0], "overrides": {"metadata": {}}}]}, "inputs.0.overrides.metadata"),
        # what the provider says
        (
            {"inputs": [{**INPUTS[0], "overrides": {"thumbnails": WEBP}}]},
            "inputs.0.overrides.thumbnails.formats",
        ),
        ({"request": {}}, "request.renditions"),
        ({"inputs": [INPUTS[0], INPUTS[0]]}, "inputs.1.input"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_sent(
    operator: ApiClient, account: ProviderAccount, changes: dict[str, Any], field: str
) -> None:
    if field == "request.renditions":
        changes["inputs"] = [INPUTS[0]]
    answer = start(operator, **changes)
    assert (answer.status, list(answer.fields)) == (422, [field])
    assert not Batch.objects.exists()
    assert not AuditEntry.objects.filter(action="batch.started").exists()
    # nor has it used the key up
    assert start(operator).status == 202


@responses.activate
def test_a_bucket_is_listed_before_the_answer_and_once(
    operator: ApiClient, account: ProviderAccount, organization: Organization
) -> None:
    make_location(organization, "ingest", endpoint="https://store.example", prefix="in")
    make_location(make_organization("elsewhere"), "theirs")
    wanted: dict[str, Any] = {
        "inputs": None,
        "inputs_from": {"source": "ingest", "pattern": "*.mov"},
    }

    def serve(*keys: str, more: str = "") -> None:
        listed = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
        url = "https://store.example/site/"
        responses.upsert("GET", url, body=f"<ListBucketResult>{listed}{more}</ListBucketResult>")

    def refusal(**changes: Any) -> dict[str, str]:
        return start(operator, **{**wanted, **changes}).fields

    serve("in/a.mov", "in/../b.mov")
    assert refusal() == {"inputs_from.1": "ingest/../b.mov: The path after ingest/ is not valid."}
    serve("in/a&#10;.mov")
    assert list(refusal()) == ["inputs_from.pattern"]
    serve("out/a.mov")
    assert list(refusal()) == ["inputs_from.source"]
    assert list(refusal(inputs_from={"source": "theirs"})) == ["inputs_from.source"]
    assert not Batch.objects.exists()
    serve("in/a.mov", "in/b.txt", "in/c.MOV")
    first = start(operator, **wanted)
    asked = len(responses.calls)
    again = start(operator, **wanted)
    assert (first.status, again.status, again.body) == (202, 202, first.body)
    assert (Batch.objects.count(), len(responses.calls)) == (1, asked)
    run_batch(int(first.body["id"]))
    urls = Job.objects.order_by("pk").values_list("input_url", flat=True)
    assert list(urls) == ["s3://site/in/a.mov", "s3://site/in/c.MOV"]


def test_inputs_that_were_refused_later_are_listed(
    operator: ApiClient, account: ProviderAccount
) -> None:
    batch = make_batch(account, total=2, submitted=1, refused=1)
    make_job(account, batch=batch)
    batch.inputs.create(position=2, url="s3://a/b.mov", outcome="refused", reason="No.")
    body = operator.get(f"/batches/{batch.pk}").body
    assert body["refused"] == [{"index": 1, "input": "s3://a/b.mov", "reason": "No."}]
    assert (body["failed"], body["state"]) == (1, "done")


def test_the_list_is_paged(operator: ApiClient, account: ProviderAccount) -> None:
    made = [make_batch(account) for _ in range(3)]
    make_batch(make_account(make_organization()))
    page = operator.get("/batches?limit=2").body
    assert [one["id"] for one in page["results"]] == [str(made[2].pk), str(made[1].pk)]
    rest = operator.get(f"/batches?limit=2&cursor={page['next']}").body
    assert ([one["id"] for one in rest["results"]], rest["next"]) == ([str(made[0].pk)], None)
    assert operator.get("/batches?cursor=x").status == 422


def test_a_reader_reads_and_a_stranger_sees_nothing(
    reader: ApiClient, stranger: ApiClient, account: ProviderAccount
) -> None:
    batch = make_batch(account)
    assert reader.get(f"/batches/{batch.pk}").status == 200
    assert start(reader).status == 403
    assert stranger.get(f"/batches/{batch.pk}").status == 404
    assert stranger.get("/batches").body["results"] == []
    assert "account" in start(stranger).fields
    assert stranger.get(f"/jobs?batch={batch.pk}").fields == {
        "batch": f"No batch has the id or the name {batch.pk}."
    }


def test_a_token_of_some_accounts_sees_their_batches(
    organization: Organization, account: ProviderAccount
) -> None:
    other = make_account(organization, name="other")
    hidden, own = make_batch(other), make_batch(account)
    _, secret = ApiToken.issue(organization, "some", Scope.OPERATE, account_ids=[account.pk])
    client = ApiClient(secret)
    assert [one["id"] for one in client.get("/batches").body["results"]] == [str(own.pk)]
    assert client.get(f"/batches/{hidden.pk}").status == 404
    assert "account" in start(client, account="other").fields
