"""Actions on the job page: asked for once, refused where the job has moved on, and said clearly."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.mirror.attempts import fail_attempt
from jobs.models import EventSource, Job, JobAction, ProviderAccount, Submission, SubmissionState
from jobs.submission.service import submit
from organizations.models import Role
from providers.core import registry
from providers.core.errors import Conflict
from providers.core.status import JobStatus
from providers.core.types import Capability, JobRequest, Rendition
from providers.zencoder.adapter import Zencoder
from tests.jobs.factories import make_account, make_job

POLLED = {"HX-Request": "true"}


class Plain(Zencoder):
    """Runs nothing again under its own id."""

    slug = "plain"
    label = "Plain"
    capabilities: ClassVar[Any] = Zencoder.capabilities - {Capability.RESUBMIT}


@pytest.fixture
def plain(account: ProviderAccount, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A failed job of an account that retries by submitting anew."""
    monkeypatch.setitem(registry._PROVIDERS, "plain", Plain)
    own = make_account(account.organization, name="Plain main", provider="plain")
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(organization=account.organization, account=own, request=request).job
    Job.objects.filter(pk=job.pk).update(status="failed", error_class="unknown", remote_id="71")
    return Job.objects.get(pk=job.pk)


def url(job: Job, name: str = "detail") -> str:
    return reverse(f"jobs:{name}", args=["harbour-studio", job.pk])


def act(client: Client, job: Job, name: str) -> str:
    return client.post(url(job, name), follow=True).content.decode()


def form(client: Client, job: Job, form_id: str) -> dict[str, str]:
    """The hidden fields of one form on the job's page."""
    html = client.get(url(job)).content.decode()
    found = re.search(rf'<form[^>]*\bid="{form_id}".*?</form>', html, re.DOTALL)
    assert found, form_id
    fields = re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', found[0])
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


def test_a_job_cancelled_before_it_was_sent_says_nothing_of_its_provider(
    operator: Client, account: ProviderAccount
) -> None:
    ProviderAccount.objects.update(enabled=False)
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(organization=account.organization, account=account, request=request).job
    html = act(operator, job, "cancel")
    assert f"{job} was cancelled before it was sent." in html
    assert "Not created at the provider" in html
    for wrong in ("is asked to", "confirmed by", "reports no usable", "did not report"):
        assert wrong not in html
    assert "observed" not in operator.get("/o/harbour-studio/jobs/").content.decode()


def test_a_cancelled_job_is_asked_for_and_said_so(
    operator: Client, account: ProviderAccount
) -> None:
    job = make_job(account, status=JobStatus.RUNNING)
    html = act(operator, job, "cancel")
    assert f"Asked Zencoder to cancel {job}." in html
    assert "Cancel requested" in html
    action = JobAction.objects.get()
    assert (action.job, action.kind, action.actor is not None) == (job, "cancel", True)


def test_a_refusal_says_why(operator: Client, account: ProviderAccount) -> None:
    job = make_job(account)
    response = operator.post(url(job, "cancel"))
    assert response.status_code == 409
    assert f"{job} was not cancelled. It has already ended" in response.content.decode()
    assert not JobAction.objects.exists()


def test_a_failed_job_is_run_again(operator: Client, account: ProviderAccount) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    assert "Retrying " in act(operator, job, "resubmit")
    action = JobAction.objects.get()
    assert (action.kind, action.job.retry_of) == ("resubmit", job)


def test_a_form_that_is_sent_twice_is_carried_out_once(operator: Client, plain: Job) -> None:
    values = form(operator, plain, "action-resubmit")
    first, second = (operator.post(url(plain, "resubmit"), values) for _ in range(2))
    retry = Job.objects.get(retry_of=plain)
    assert first["Location"] == second["Location"] == url(retry)
    Job.objects.filter(pk=retry.pk).update(status="failed", error_class="unknown")
    assert operator.post(url(plain, "resubmit"), values)["Location"] == url(retry)
    # what is rendered now is another request
    assert form(operator, plain, "action-resubmit")["key"] != values["key"]


@pytest.mark.parametrize("ended", [False, True])
def test_a_colleagues_retry_refuses_a_form_that_was_rendered_before(
    sign_in: Callable[[Role | None], Client], plain: Job, ended: bool
) -> None:
    mine, colleague = sign_in(Role.OPERATOR), sign_in(Role.OPERATOR)
    values = form(mine, plain, "action-resubmit")
    colleague.post(url(plain, "resubmit"), form(colleague, plain, "action-resubmit"))
    retry = Job.objects.get(retry_of=plain)
    if ended:
        Job.objects.filter(pk=retry.pk).update(status="failed", error_class="unknown")
    refused = mine.post(url(plain, "resubmit"), values)
    html = refused.content.decode()
    assert refused.status_code == 409
    assert f"was already retried as job {retry.pk}" in html
    assert f'<a href="{url(retry)}">Go to job {retry.pk}</a>' in html
    assert Job.objects.filter(retry_of=plain).count() == 1


def test_a_colleagues_retry_is_said_on_the_page_of_an_ended_job(
    viewer: Client, operator: Client, plain: Job
) -> None:
    shown = viewer.get(url(plain))
    html = shown.content.decode()
    state = {"state": shown.context["live_state"]}
    assert ('id="retried"' in html, 'data-active="no"' in html) == (False, True)
    # what has ended is confirmed by each pass, which is no news
    ProviderAccount.objects.update(last_pass_at=timezone.now())
    assert viewer.get(url(plain), state, headers=POLLED).status_code == 204
    act(operator, plain, "resubmit")
    html = viewer.get(url(plain), state, headers=POLLED).content.decode()
    retry = Job.objects.get(retry_of=plain)
    assert retry.submitted_by
    assert f'<a href="{url(retry)}">job {retry.pk}</a> by {retry.submitted_by}' in html
    assert 'data-active="yes"' in html


def test_the_attempt_before_and_a_refused_one_lead_to_the_current_one(
    operator: Client, account: ProviderAccount
) -> None:
    job = make_job(account, status="failed")
    act(operator, job, "resubmit")
    attempt = Job.objects.get(retry_of=job)
    assert url(attempt) in operator.get(url(job)).content.decode()
    fail_attempt(attempt, Conflict("Too old."), source=EventSource.ACTION, actor=None)
    html = operator.get(url(attempt)).content.decode()
    assert "The provider did not run this attempt." in html
    assert url(job) in html


@pytest.mark.parametrize(
    ("offered", "now", "name", "sentence"),
    [
        ("running", "failed", "cancel", "has ended since the page was loaded: it is failed now."),
        ("queued", "cancelled", "resubmit", "has ended since"),
        ("failed", "running", "cancel", "has restarted since"),
        ("failed", "cancelled", "resubmit", "has ended since"),
    ],
)
def test_a_form_is_refused_when_the_job_has_ended_or_begun_again(
    operator: Client, account: ProviderAccount, offered: str, now: str, name: str, sentence: str
) -> None:
    job = make_job(account, status=now)
    values = {"attempt": "1", "status": offered, "retried": "", "key": "k"}
    refused = operator.post(url(job, name), values)
    assert refused.status_code == 409
    assert sentence in refused.content.decode()
    part = operator.post(url(job, name), values, headers=POLLED)
    html = part.content.decode()
    assert part.status_code == 409
    assert (sentence in html, "<html" in html, 'id="job-live"' in html) == (True, False, True)
    assert not JobAction.objects.exists()


def test_a_form_of_another_attempt_is_refused(operator: Client, account: ProviderAccount) -> None:
    job = make_job(account, status="running", attempt=2)
    values = {"attempt": "1", "status": "running", "key": "k"}
    assert operator.post(url(job, "cancel"), values).status_code == 409
    assert not JobAction.objects.exists()


@pytest.mark.parametrize("now", ["queued", "running", "unknown"])
def test_what_moves_while_a_job_runs_refuses_nothing(
    operator: Client, account: ProviderAccount, now: str
) -> None:
    job = make_job(account, status=JobStatus.QUEUED)
    values = form(operator, job, "action-cancel")
    assert values["status"] == "queued"
    Job.objects.update(status=now, progress=40, version=7)
    operator.post(url(job, "cancel"), values)
    # Zencoder itself cannot cancel what is in a status that we do not know
    assert JobAction.objects.exists() == (now != "unknown")


@pytest.mark.parametrize("name", ["cancel", "resubmit"])
def test_each_action_has_one_form_in_one_place(
    operator: Client, account: ProviderAccount, name: str
) -> None:
    for status in ("queued", "running", "failed"):
        html = operator.get(url(make_job(account, status=status))).content.decode()
        forms = re.findall(r'<form[^>]*\bid="action-(\w+)"[^>]*\bclass="action-(\w+)"', html)
        assert all(form_id == place for form_id, place in forms)
        assert forms.count((name, name)) == (name == "resubmit" or status != "failed")


def test_it_is_sent_again_once_for_each_form(operator: Client, account: ProviderAccount) -> None:
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(organization=account.organization, account=account, request=request).job
    Submission.objects.update(state=SubmissionState.UNCONFIRMED)
    values = form(operator, job, "unconfirmed-again") | {"again": "yes", "send_again": "on"}
    assert operator.post(url(job, "resolve"), values).status_code == 302
    assert Submission.objects.get().state == SubmissionState.DUE
    # sent, and again without a clear answer: the same form is no second decision
    Submission.objects.update(state=SubmissionState.UNCONFIRMED)
    html = operator.post(url(job, "resolve"), values, follow=True).content.decode()
    assert "has already been sent again" in html
    assert Submission.objects.get().state == SubmissionState.UNCONFIRMED
    # and one that was rendered since is
    fresh = form(operator, job, "unconfirmed-again") | {"again": "yes", "send_again": "on"}
    operator.post(url(job, "resolve"), fresh)
    assert Submission.objects.get().state == SubmissionState.DUE
