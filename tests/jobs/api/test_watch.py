"""Jobs that are added by the provider's id."""

import pytest

from jobs.models import Job, JobPoll, ProviderAccount
from organizations.models import AuditEntry
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import make_job

pytestmark = pytest.mark.django_db


def test_a_job_is_added_once_and_is_unknown_until_it_was_read(
    operator: ApiClient, account: ProviderAccount
) -> None:
    body = {"account": "main", "remote_id": "881200"}
    first, again = operator.post("/jobs/watch", body), operator.post("/jobs/watch", body)
    assert (first.status, again.status) == (202, 202)
    assert first.body["id"] == again.body["id"]
    watched = {name: first.body[name] for name in ("status", "remote_id", "synced_at", "gone_at")}
    assert watched == {
        "status": "unknown",
        "remote_id": "881200",
        "synced_at": None,
        "gone_at": None,
    }
    assert JobPoll.objects.filter(job=first.body["id"]).count() == 1
    entry = AuditEntry.objects.get(action="job.watched")
    assert entry.actor_name == "token:operate token"
    assert entry.target == "881200"


def test_a_known_job_stays_as_it_is(operator: ApiClient, account: ProviderAccount) -> None:
    job = make_job(account, remote_id="881200")
    found = operator.post("/jobs/watch", {"account": str(account.pk), "remote_id": "881200"})
    assert (found.status, found.body["id"], found.body["status"]) == (200, str(job.pk), "succeeded")


@pytest.mark.parametrize("remote_id", ["", " ", "..", "a b", "a\u0000b", "x" * 256, 71])
def test_what_is_no_id_is_refused(
    operator: ApiClient, account: ProviderAccount, remote_id: object
) -> None:
    refused = operator.post("/jobs/watch", {"account": "main", "remote_id": remote_id})
    assert (refused.status, [*refused.body["error"]["fields"]]) == (422, ["remote_id"])
    assert not Job.objects.exists()


def test_a_foreign_account_is_none_and_a_reader_may_not(
    stranger: ApiClient, reader: ApiClient, account: ProviderAccount
) -> None:
    body = {"account": str(account.pk), "remote_id": "881200"}
    refused = stranger.post("/jobs/watch", body)
    assert (refused.status, [*refused.body["error"]["fields"]]) == (422, ["account"])
    assert reader.post("/jobs/watch", body).status == 403
    assert not Job.objects.exists()
