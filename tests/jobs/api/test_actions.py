"""What can be done with a job: shown in lists and details, and refused for the same reason."""

from typing import Any, ClassVar

import pytest
from django.conf import settings

from jobs.actions.offers import Refusal
from jobs.models import Job, JobAction, ProviderAccount, Submission
from organizations.models import Organization
from providers.core import registry
from providers.core.status import JobStatus
from providers.core.types import Capability
from providers.zencoder.adapter import Zencoder
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = pytest.mark.django_db

SUBMISSION = {
    "account": "main",
    "input": "https://media.example.com/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [360]}],
}


class Plain(Zencoder):
    """Cancels nothing, and runs nothing again under its own id."""

    slug = "plain"
    label = "Plain"
    capabilities: ClassVar[Any] = Zencoder.capabilities - {Capability.RESUBMIT, Capability.CANCEL}


@pytest.fixture
def plain(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> ProviderAccount:
    monkeypatch.setitem(registry._PROVIDERS, "plain", Plain)
    return make_account(organization, name="plain", provider="plain")


def test_cancelling_what_is_cancelled_is_no_error(
    operator: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account, status="cancelled")
    for _ in range(2):
        answer = operator.post(f"/jobs/{job.pk}/cancel")
        assert (answer.status, answer.body["status"]) == (202, "cancelled")
    assert not JobAction.objects.exists()
    job.refresh_from_db()
    assert job.version == 1

    unsent = operator.post("/jobs", SUBMISSION).body["id"]
    answers = [operator.post(f"/jobs/{unsent}/cancel") for _ in range(2)]
    assert [(one.status, one.body["status"]) for one in answers] == [(202, "cancelled")] * 2


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("cancel", {"status": "succeeded"}, "finished"),
        ("cancel", {"status": "failed"}, "finished"),
        ("cancel", {"status": "unknown"}, "wrong_status"),
        ("cancel", {"status": "running", "gone_at": NOON}, "gone"),
        ("cancel", {"status": "running", "remote_id": None}, "not_accepted"),
        ("cancel", {"status": "submitting", "remote_id": None}, "being_sent"),
        ("resubmit", {"status": "running"}, "not_finished"),
        ("resubmit", {"status": "succeeded"}, "wrong_status"),
        ("resubmit", {"status": "failed", "gone_at": NOON}, "gone"),
        ("resubmit", {"status": "failed", "is_newest": False}, "not_current"),
        ("resubmit", {"status": "failed", "remote_id": None}, "not_submitted_here"),
    ],
)
def test_each_reason_has_a_code_and_is_told_beforehand(
    operator: ApiClient, account: ProviderAccount, action: str, fields: Any, code: str
) -> None:
    job = make_job(account, **fields)
    (listed,) = operator.get("/jobs").body["results"]
    error = operator.post(f"/jobs/{job.pk}/{action}").body["error"]
    assert error["code"] == code
    assert listed["actions"][action] == {"allowed": False, "reason": error["message"]}
    assert not JobAction.objects.exists()


def test_what_a_provider_cannot_do_is_not_supported(
    operator: ApiClient, plain: ProviderAccount
) -> None:
    job = make_job(plain, status="running")
    answer = operator.post(f"/jobs/{job.pk}/cancel")
    assert (answer.status, answer.body["error"]["code"]) == (409, "not_supported")
    cancelled = make_job(plain, status="cancelled")
    assert operator.post(f"/jobs/{cancelled.pk}/cancel").status == 202


def test_a_paused_account_cancels_nothing_more_but_keeps_what_was_asked_for(
    operator: ApiClient, account: ProviderAccount
) -> None:
    asked, job = make_job(account, status="running"), make_job(account, status="running")
    operator.post(f"/jobs/{asked.pk}/cancel")
    ProviderAccount.objects.update(enabled=False)
    answer = operator.post(f"/jobs/{job.pk}/cancel")
    assert (answer.status, answer.body["error"]["code"]) == (409, "paused")
    assert answer.body["error"]["message"] == "main is paused. Resume it first."
    assert operator.post(f"/jobs/{asked.pk}/cancel").status == 202


@pytest.mark.parametrize("size", [1, 5])
def test_actions_in_lists_are_those_of_the_details_for_a_few_queries_in_all(
    operator: ApiClient,
    account: ProviderAccount,
    plain: ProviderAccount,
    django_assert_num_queries: Any,
    size: int,
) -> None:
    for number in range(size):
        for one in (account, plain):
            failed = make_job(one, status="failed", request={"input": "s3://a/b"})
            again = make_job(one, status="failed", request={}, retry_of=failed)
            make_job(one, status="queued", retry_of=again)
            frozen = make_job(one, status="failed", is_newest=False, attempt=2)
            make_job(one, status="failed", remote_id=frozen.remote_id)
            for status in JobStatus:
                make_job(one, status=status)
        body = SUBMISSION | {"input": f"https://media.example.com/{number}.mov"}
        assert operator.post("/jobs", body).status == 201
    # the token, the jobs, their direct retries; whether they have requests, which of them wait to
    # be sent, which attempt is the current one, and retries that have not ended; which accounts
    # have a limit of unfinished jobs
    with django_assert_num_queries(8):
        listed = operator.get("/jobs?limit=200").body["results"]
    assert len(listed) == Job.objects.count() == size * 25
    for job in listed:
        assert job["actions"] == operator.get(f"/jobs/{job['id']}").body["actions"]
    reasons = {job["actions"]["resubmit"]["reason"] for job in listed}
    assert any("Already retried as job" in (reason or "") for reason in reasons)
    assert any("It never ran" in (reason or "") for reason in reasons)
    allowed = [job["id"] for job in listed if job["actions"]["cancel"]["allowed"]]
    assert len(allowed) == 4 * size  # queued twice, running, and the one that waits to be sent
    assert Submission.objects.count() == size


def test_every_reason_is_in_the_guide() -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text()
    # what only pages answer
    for code in set(Refusal) - {Refusal.OUT_OF_DATE}:
        assert f"`{code}`" in guide
