"""REDACTED is never sent: refused where a request enters, and stopped where one leaves."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jobs.actions.resubmission import request_resubmit
from jobs.models import Job, ProviderAccount, Submission
from jobs.submission.service import submit
from jobs.submission.stored_request import dump_request
from jobs.submission.validation import SubmissionRefused
from jobs.submission.worker import run_submission
from providers.core.errors import Rejected
from providers.core.types import JobRequest, Rendition
from providers.http.client import HttpClient
from tests.jobs.fake_zencoder import FakeZencoder

pytestmark = pytest.mark.django_db

REDACTED_FIELDS: list[tuple[str, Any]] = [
    ("input", "https://media.example/dawn.mov?token=REDACTED"),
    ("input", "https://REDACTED@media.example/dawn.mov"),
    ("destination", "s3://REDACTED@results/dawn/"),
    ("metadata", "REDACTED"),
    ("metadata", {"ticket": [{"api_key": "REDACTED"}]}),
    ("extra", {"credentials": "REDACTED"}),
    ("extra", {"notifications": [{"url": "https://hooks.example/?sig=REDACTED"}]}),
    ("extra", {"headers": {"REDACTED": "a"}}),
]


def a_request(field: str, value: Any) -> JobRequest:
    fields = {"input": "s3://footage/dawn.mov", "renditions": (Rendition("mp4", (360,)),)}
    return JobRequest(**(fields | {field: value}))


@pytest.mark.parametrize(("field", "value"), REDACTED_FIELDS)
def test_no_submission_is_written_with_a_redacted_value(
    account: ProviderAccount, field: str, value: Any
) -> None:
    with pytest.raises(SubmissionRefused) as refused:
        submit(organization=account.organization, account=account, request=a_request(field, value))
    assert [issue.field for issue in refused.value.issues] == [field]
    assert not Job.objects.exists()


def test_the_command_names_what_to_enter(account: ProviderAccount) -> None:
    phrase = ["--organization", account.organization.slug, "--account", account.name]
    with pytest.raises(CommandError, match="Enter the original value"):
        call_command("submit", *phrase, "--input", "https://a.example/b.mov?sig=REDACTED")
    with pytest.raises(CommandError, match="Enter the original value"):
        call_command("submit", *phrase, "--input=s3://a/b", "--extra", '{"key": "REDACTED"}')
    assert not Job.objects.exists()


@pytest.mark.parametrize(("field", "value"), REDACTED_FIELDS)
def test_a_stored_request_with_a_redacted_value_is_neither_sent_nor_retried(
    account: ProviderAccount, zencoder: FakeZencoder, field: str, value: Any
) -> None:
    job = submit(
        organization=account.organization, account=account, request=a_request("metadata", None)
    ).job
    # as a version before this rule could have stored it
    Submission.objects.filter(pk=job.pk).update(request=dump_request(a_request(field, value)))
    run_submission(job.pk)
    job.refresh_from_db()
    assert job.status == "failed"
    assert "stands for a secret" in job.error_message
    assert zencoder.sent == []

    with pytest.raises(SubmissionRefused):
        request_resubmit(job)


@pytest.mark.parametrize("way", ["json", "form"])
def test_no_request_body_leaves_with_the_marker(way: str) -> None:
    body = {"settings": "token=REDACTED"}
    client = HttpClient(allow_private_addresses=False)
    with pytest.raises(Rejected, match="was not sent") as refused:
        client.send("POST", "https://provider.example/jobs", **{way: body})  # type: ignore[arg-type]
    assert not refused.value.ambiguous
    assert client.requests == 0
