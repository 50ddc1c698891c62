"""Running a job again: once for each key, and not beside a retry that has not ended."""

from typing import Any, ClassVar

import pytest
from django.db import connection

from jobs.models import IdempotencyKey, Job, JobAction, ProviderAccount, Submission
from organizations.models import Organization, Scope
from providers.core import registry
from providers.core.types import Capability
from providers.zencoder.adapter import Zencoder
from tests.jobs.api.conftest import Answer, ApiClient, make_client
from tests.jobs.factories import make_account, make_job
from tests.threads import together

pytestmark = pytest.mark.django_db

SUBMISSION = {
    "account": "plain",
    "input": "https://media.example.com/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [360]}],
    "extra": {"a": 1},
}


class Plain(Zencoder):
    """Runs nothing again under its own id."""

    slug = "plain"
    label = "Plain"
    capabilities: ClassVar[Any] = Zencoder.capabilities - {Capability.RESUBMIT}


@pytest.fixture
def failed(organization: Organization, operator: ApiClient, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setitem(registry._PROVIDERS, "plain", Plain)
    make_account(organization, name="plain", provider="plain")
    job = Job.objects.get(pk=operator.post("/jobs", SUBMISSION).body["id"])
    end(job)
    return job


def end(job: Job, status: str = "failed") -> None:
    Job.objects.filter(pk=job.pk).update(status=status, error_class="unknown")


def again(client: ApiClient, job: Job, key: str = "", body: Any = None) -> Answer:
    headers = {"Idempotency_Key": key} if key else {}
    return client.post(f"/jobs/{job.pk}/resubmit", body, **headers)


def test_a_key_makes_one_retry_even_while_it_runs(operator: ApiClient, failed: Job) -> None:
    first = again(operator, failed, "retry-1")
    assert (first.status, first.body["status"]) == (202, "submitting")
    assert first.body["retry_of"] == str(failed.pk)
    spelt_out = {"allow_duplicate": False}
    for body in (None, {}, spelt_out):
        repeat = again(operator, failed, "retry-1", body)
        assert (repeat.status, repeat.body["id"]) == (200, first.body["id"])
    end(Job.objects.get(pk=first.body["id"]))
    assert again(operator, failed, "retry-1").status == 200
    assert Submission.objects.count() == 2


def test_an_unfinished_retry_is_in_the_way_until_it_has_ended(
    operator: ApiClient, failed: Job
) -> None:
    first = again(operator, failed)
    refused = again(operator, failed, "another")
    assert (refused.status, refused.body["error"]["code"]) == (409, "retry_running")
    assert refused.body["job"] == {k: v for k, v in first.body.items() if k != "warnings"}
    assert operator.get(f"/jobs/{failed.pk}").body["retries"] == [first.body["id"]]
    beside = again(operator, failed, body={"allow_duplicate": True})
    assert (beside.status, beside.body["id"] != first.body["id"]) == (202, True)
    for status in ("queued", "running", "unknown"):
        Job.objects.filter(retry_of=failed).update(status=status)
        assert again(operator, failed).status == 409
    for retry in Job.objects.filter(retry_of=failed):
        end(retry)
    # the key of a call that was refused is free
    assert again(operator, failed, "another").status == 202


def test_a_retry_of_a_retry_is_in_the_way_too(operator: ApiClient, failed: Job) -> None:
    second = Job.objects.get(pk=again(operator, failed).body["id"])
    end(second)
    third = again(operator, second)
    assert again(operator, failed).body["job"]["id"] == third.body["id"]


def test_a_key_of_another_job_call_or_body_is_refused(operator: ApiClient, failed: Job) -> None:
    other = make_job(failed.account, status="failed", request=failed.request)
    again(operator, failed, "retry-1")
    for refused in (
        again(operator, other, "retry-1"),
        again(operator, failed, "retry-1", {"allow_duplicate": True}),
        operator.post("/jobs", SUBMISSION, Idempotency_Key="retry-1"),
    ):
        assert "already used for another request" in refused.fields["Idempotency-Key"]
    assert Job.objects.filter(retry_of__isnull=False).count() == 1


def test_a_key_belongs_to_its_token(
    operator: ApiClient, organization: Organization, failed: Job
) -> None:
    again(operator, failed, "retry-1")
    colleague = make_client(organization, Scope.OPERATE)
    assert again(colleague, failed, "retry-1").status == 409
    assert IdempotencyKey.objects.count() == 1


def test_the_key_is_looked_up_before_the_job(operator: ApiClient, failed: Job) -> None:
    retry = again(operator, failed, "retry-1")
    Job.objects.filter(pk=failed.pk).delete()
    assert again(operator, failed, "retry-1").body["id"] == retry.body["id"]
    Job.objects.all().delete()
    assert again(operator, failed, "retry-1").body["error"]["code"] == "job_deleted"
    assert again(operator, failed).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [({"allow_duplicates": True}, "allow_duplicates"), ({"allow_duplicate": 1}, "allow_duplicate")],
)
def test_an_unknown_field_is_refused(
    operator: ApiClient, failed: Job, body: Any, field: str
) -> None:
    assert list(again(operator, failed, body=body).fields) == [field]


def test_a_job_says_what_can_be_done_with_it(operator: ApiClient, failed: Job) -> None:
    actions = operator.get(f"/jobs/{failed.pk}").body["actions"]
    assert actions["resubmit"] == {"allowed": True, "reason": None}
    assert actions["cancel"]["reason"] == "It has already ended: it is failed."
    retry = again(operator, failed).body
    assert retry["actions"]["cancel"] == {"allowed": True, "reason": None}
    blocked = operator.get(f"/jobs/{failed.pk}").body["actions"]["resubmit"]
    assert blocked == {"allowed": False, "reason": f"Already retried as job {retry['id']}."}


def test_what_a_token_submitted_is_found_by_its_name(
    operator: ApiClient, account: ProviderAccount, failed: Job
) -> None:
    retry = again(operator, failed).body["id"]
    rerun = again(operator, make_job(account, status="failed")).body["id"]
    found = operator.get("/jobs?submitted_by=token:operate%20token").body["results"]
    assert {job["id"] for job in found} == {str(failed.pk), retry, rerun}


def test_a_native_resubmit_answers_the_attempt_that_will_run(
    operator: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account, status="failed")
    first = again(operator, job, "retry-1")
    assert (first.status, first.body["status"], first.body["attempt"]) == (202, "submitting", 2)
    assert (first.body["remote_id"], first.body["retry_of"]) == (job.remote_id, str(job.pk))
    assert first.body["synced_at"] is None
    assert again(operator, job, "retry-1").body["id"] == first.body["id"]
    for body in (None, {"allow_duplicate": True}):
        refused = again(operator, job, body=body)
        assert (refused.status, refused.body["job"]["id"]) == (409, first.body["id"])
    assert JobAction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("key", ["", "retry-1"])
def test_of_four_at_once_one_makes_a_retry(
    operator: ApiClient, failed: Job, native: bool, key: str
) -> None:
    job = failed
    if native:
        job = make_job(make_account(failed.organization), status="failed")
    answers: list[Answer] = []

    def call() -> None:
        try:
            answers.append(again(operator, job, key))
        finally:
            connection.close()

    together(*[call] * 4)
    assert sorted(answer.status for answer in answers) == (
        [200, 200, 200, 202] if key else [202, 409, 409, 409]
    )
    (retry,) = Job.objects.filter(retry_of=job)
    made = {
        answer.body["id"] if key else answer.body.get("job", answer.body)["id"]
        for answer in answers
    }
    assert made == {str(retry.pk)}
