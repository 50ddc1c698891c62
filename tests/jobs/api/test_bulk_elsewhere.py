"""`/bulk` with `resubmit_elsewhere`: many jobs are run at another account."""

from typing import Any

import pytest

from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, Job, ProviderAccount
from organizations.models import ApiToken, Organization, Scope
from tests.factories import make_organization
from tests.jobs.api.conftest import Answer, ApiClient
from tests.jobs.bulk.conftest import fail
from tests.jobs.factories import make_account, make_job

pytestmark = pytest.mark.django_db


def start(client: ApiClient, key: str = "one", **body: Any) -> Answer:
    sent = {"action": "resubmit_elsewhere", "q": "status:failed", **body}
    return client.post("/bulk", sent, Idempotency_Key=key)


@pytest.fixture
def videosdk(organization: Organization) -> ProviderAccount:
    credentials = {"api_key": "k", "secret": "s"}
    return make_account(organization, provider="videosdk", name="V", credentials=credentials)


def test_a_dry_run_says_what_changes_there(
    operator: ApiClient, account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    fail(account)
    make_job(videosdk, status="failed")
    answer = start(operator, account="V", dry_run=True)
    assert answer.status == 200
    shown = {"id": str(videosdk.pk), "name": "V", "provider": "videosdk"}
    assert (answer.body["account"], answer.body["remaining"]) == (shown, 1)
    assert [one["name"] for one in answer.body["accounts"]] == ["main"]
    assert answer.body["left_out"] == [
        {"reason": "same_account", "message": "Ran at this account", "count": 1}
    ]
    sample = answer.body["sample"]
    assert (sample["jobs"], sample["unchanged"], sample["refused"]) == (1, 0, [])
    [change] = sample["approximated"]
    assert (change["jobs"], change["before"], change["after"]) == (1, "MP4 540p", "MP4 480p")
    [dropped] = sample["dropped"]
    assert (dropped["before"], dropped["after"]) == ("Destination s3://site/harbour/", None)
    assert not BulkAction.objects.exists()


def test_each_result_says_what_changed_and_leads_to_the_new_job(
    operator: ApiClient, account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    job = fail(account)
    made = [start(operator, account=str(videosdk.pk)) for _ in range(2)]
    assert [answer.status for answer in made] == [202, 202]
    pk = made[0].body["id"]
    assert made[1].body["id"] == pk
    assert made[0].body["account"]["name"] == "V"
    run_bulk(int(pk))
    [result] = operator.get(f"/bulk/{pk}/results").body["results"]
    new = Job.objects.get(retry_of=job)
    assert (result["job"], result["new_job"]) == (str(job.pk), str(new.pk))
    assert "MP4 540p → MP4 480p" in result["reason"]
    assert operator.get(f"/jobs/{new.pk}").body["retry_of"] == str(job.pk)


def test_an_account_that_cannot_be_chosen_is_refused_by_its_field(
    operator: ApiClient, organization: Organization, account: ProviderAccount
) -> None:
    fail(account)
    foreign = make_account(make_organization(), name="theirs")
    make_account(organization, name="paused", enabled=False)
    for body in (
        {},
        {"account": "theirs"},
        {"account": str(foreign.pk)},
        {"account": "paused"},
        {"account": "main", "action": "cancel"},
    ):
        assert start(operator, **body).fields.keys() == {"account"}, body
    made = make_account(organization, name="free")
    assert start(operator, account="free", presets=["p"]).fields.keys() == {"presets"}
    assert start(operator, account="main").fields.keys() == {"q"}
    foreign_job = make_job(foreign, status="failed")
    answer = start(operator, account=made.name, ids=[str(foreign_job.pk)], q=None)
    assert answer.fields == {"ids": f"No job has one of these ids: {foreign_job.pk}."}
    assert not BulkAction.objects.exists()


def test_readers_and_tokens_of_other_accounts_send_nothing(
    reader: ApiClient,
    organization: Organization,
    account: ProviderAccount,
    videosdk: ProviderAccount,
) -> None:
    fail(account)
    assert start(reader, account="V").status == 403
    token = ApiToken.issue(organization, "limited", Scope.OPERATE, account_ids=[account.pk])[1]
    answer = start(ApiClient(token), account="V")
    assert answer.fields == {"account": "No account has this id or name."}
    assert not BulkAction.objects.exists()
