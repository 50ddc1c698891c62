"""A key carries one call out once: whose it is, what it was used for, and how long it is known."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs.api.http.idempotency_key import read_key
from jobs.api.requests import SubmitRequest
from jobs.models import IdempotencyKey, Job, ProviderAccount, Submission
from organizations.models import ApiToken, Organization, Scope
from tests.jobs.api.conftest import Answer, ApiClient, make_client

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BODY: dict[str, Any] = {
    "account": "main",
    "input": "https://media.example.com/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [360]}],
}


def send(client: ApiClient, body: Any = BODY, key: str = "order-7") -> Answer:
    return client.post("/jobs", body, Idempotency_Key=key)


def test_a_key_with_another_body_is_refused(operator: ApiClient, account: ProviderAccount) -> None:
    first = send(operator)
    spelt_out = BODY | {"test": False, "metadata": None}
    again = send(operator, spelt_out)
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    for change in ({"input": "https://media.example.com/b.mov"}, {"allow_duplicate": True}):
        refused = send(operator, BODY | change)
        assert "already used for another request" in refused.fields["Idempotency-Key"]
    assert Job.objects.count() == 1


def test_a_field_that_a_later_version_adds_changes_no_key(organization: Organization) -> None:
    class Later(SubmitRequest):
        added: list[str] = []

    request = SimpleNamespace(auth=ApiToken.issue(organization, "nightly")[0])
    keys = {read_key(request, "k", "submit", kind(**BODY)) for kind in (SubmitRequest, Later)}  # type: ignore[arg-type]
    assert len(keys) == 1


def test_a_key_belongs_to_its_token(
    operator: ApiClient, organization: Organization, account: ProviderAccount
) -> None:
    other = make_client(organization, Scope.OPERATE)
    body = BODY | {"allow_duplicate": True}
    mine, theirs = send(operator, body), send(other, body)
    assert (mine.status, theirs.status) == (201, 201)
    assert mine.body["id"] != theirs.body["id"]


def test_a_refused_call_uses_no_key_up(operator: ApiClient, account: ProviderAccount) -> None:
    send(operator, key="first")
    assert send(operator).body["error"]["code"] == "duplicate"
    assert send(operator, BODY | {"allow_duplicate": True}).status == 201


def test_the_key_is_looked_up_before_anything_is_checked(
    operator: ApiClient, account: ProviderAccount
) -> None:
    first = send(operator)
    ProviderAccount.objects.update(name="renamed", enabled=False)
    again = send(operator)
    assert (again.status, again.body["id"]) == (200, first.body["id"])


@pytest.mark.parametrize("deleted", ["job", "account"])
def test_a_key_outlives_what_it_made(
    operator: ApiClient, account: ProviderAccount, deleted: str
) -> None:
    job = Job.objects.get(pk=send(operator).body["id"])
    (job if deleted == "job" else account).delete()
    again = send(operator)
    assert (again.status, again.body["error"]["code"]) == (409, "job_deleted")
    assert not Job.objects.exists()


def test_a_key_outlives_its_caller_and_the_submission(
    operator: ApiClient, account: ProviderAccount
) -> None:
    send(operator)
    owner = f"token:{ApiToken.objects.get().pk}"
    ApiToken.objects.all().delete()
    Submission.objects.all().delete()
    assert IdempotencyKey.objects.get().owner == owner


@pytest.mark.parametrize("key", ["", "   ", "k" * 256, "a\x7fb", "a\tb", "schlüssel", "\xa0"])
def test_what_is_no_key_is_refused_with_the_rule(
    operator: ApiClient, account: ProviderAccount, key: str
) -> None:
    assert "printable ASCII" in send(operator, key=key).fields["Idempotency-Key"]
    assert not Job.objects.exists()
