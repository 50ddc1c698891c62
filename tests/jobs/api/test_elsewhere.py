"""Running a job at another account by the API."""

import pytest

from jobs.models import Job, ProviderAccount
from jobs.submission.service import submit
from providers.core.types import JobRequest, Rendition
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(account: ProviderAccount) -> Job:
    request = JobRequest(
        "https://rushes.example/harbour.mov",
        destination="s3://site/harbour/",
        renditions=(Rendition("mp4", (360,)),),
    )
    job = submit(organization=account.organization, account=account, request=request).job
    Job.objects.filter(pk=job.pk).update(status="failed", remote_id="9")
    return job


def test_it_runs_there_once_and_the_answer_says_what_changed(
    operator: ApiClient, account: ProviderAccount, failed: Job
) -> None:
    credentials = {"api_key": "k", "secret": "s"}
    other = make_account(
        account.organization, provider="videosdk", name="V", credentials=credentials
    )
    body = {"account": "V", "reason": "Failed twice", "priority": 3}
    path = f"/jobs/{failed.pk}/resubmit"
    answers = [operator.call("POST", path, body, idempotency_key="k") for _ in range(2)]
    assert [one.status for one in answers] == [202, 200]
    made = answers[0].body
    assert made["account"]["id"] == str(other.pk)
    assert (made["retry_of"], made["priority"]) == (str(failed.pk), 3)
    assert any("stores outputs itself" in warning for warning in made["warnings"])
    assert answers[1].body["id"] == made["id"]
    again = operator.call("POST", path, body)
    assert (again.status, again.body["error"]["code"]) == (409, "retry_running")


@pytest.mark.parametrize("name", ["nowhere", "own"])
def test_an_account_that_is_not_there_and_its_own_are_refused(
    operator: ApiClient, account: ProviderAccount, failed: Job, name: str
) -> None:
    body = {"account": account.name if name == "own" else name}
    answer = operator.call("POST", f"/jobs/{failed.pk}/resubmit", body)
    assert "account" in answer.fields
    assert Job.objects.count() == 1
