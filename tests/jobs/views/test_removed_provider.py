"""Accounts and jobs of a provider that this installation no longer has still have their pages."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from jobs.media.links import NoLink, find_link
from jobs.models import Job, Output, ProviderAccount
from jobs.sync.runner import sync_account
from organizations.models import ApiToken, Scope, User
from providers.core.status import JobStatus
from tests.jobs.factories import make_body, make_delivery, make_job, make_output, make_preset
from tests.markup import without_isolation

ORG = "/o/harbour-studio"


@pytest.fixture
def removed(account: ProviderAccount) -> ProviderAccount:
    """The account of the studio, of a provider that is in no registry."""
    for status in JobStatus:
        job = make_job(account, status=status, name=f"{status}.mov")
        preset = make_preset(account)
        make_output(job, url="https://cdn.example/a.mp4", preset=preset)
        make_output(job, url="https://cdn.example/a.jpg", kind="image")
    make_body(job, {"state": "finished"})
    make_delivery(account, remote_id=job.remote_id)
    ProviderAccount.objects.update(provider="betamax")
    account.refresh_from_db()
    return account


def pages(account: ProviderAccount) -> list[str]:
    jobs = [f"{ORG}/jobs/{job.pk}/" for job in Job.objects.all()]
    rows = "_".join(f"{job.pk}.0" for job in Job.objects.all())
    copied = Job.objects.latest("pk").pk
    own = f"{ORG}/accounts/{account.pk}"
    return [
        *jobs,
        *(f"{path}?{part}=1" for path in jobs[:1] for part in ("play", "thumbnails")),
        *(f"{ORG}/jobs/", f"{ORG}/jobs/?provider=betamax", f"{ORG}/jobs/?q=mov"),
        *(f"{ORG}/jobs/live/?rows={rows}&since=r&health=x", f"{ORG}/jobs/{copied}/raw/"),
        *(f"{ORG}/jobs/new/", f"{ORG}/jobs/new/?duplicate={copied}"),
        *(f"{ORG}/files/", f"{ORG}/files/?provider=betamax", f"{ORG}/presets/"),
        *(f"{ORG}/accounts/", f"{own}/", f"{own}/deliveries/"),
    ]


def test_every_page_works(manager: Client, removed: ProviderAccount) -> None:
    for path in pages(removed):
        response = manager.get(path)
        assert response.status_code == 200, path
        html = without_isolation(response.content.decode())
        assert "cannot be shown" not in html, path
        assert "There is no provider" not in html, path


def test_the_account_says_why_it_does_not_sync(manager: Client, removed: ProviderAccount) -> None:
    sync_account(removed.pk, foreground=True)
    html = without_isolation(manager.get(f"{ORG}/accounts/").content.decode())
    assert "The provider betamax is not part of this installation" in html


@pytest.mark.parametrize("name", ["account_sync", "account_pause", "account_resume"])
def test_its_buttons_work(manager: Client, removed: ProviderAccount, name: str) -> None:
    path = reverse(f"jobs:{name}", args=["harbour-studio", removed.pk])
    assert manager.post(path).status_code == 302


def test_it_can_be_saved(manager: Client, removed: ProviderAccount) -> None:
    path = reverse("jobs:account_edit", args=["harbour-studio", removed.pk])
    assert manager.post(path, {"interval_s": "20"}).status_code in (302, 422)


def test_what_is_asked_of_the_provider_is_refused(
    manager: Client, removed: ProviderAccount
) -> None:
    for job in Job.objects.all():
        for name in ("cancel", "resubmit", "resolve"):
            path = reverse(f"jobs:{name}", args=["harbour-studio", job.pk])
            assert manager.post(path).status_code in (302, 409, 422), path


def test_files_still_open_and_expired_ones_say_why(removed: ProviderAccount) -> None:
    output = Output.objects.select_related("job", "account").exclude(kind="image")[0]
    output.status = "succeeded"
    assert find_link(output).url == "https://cdn.example/a.mp4"
    output.expires_at = removed.created_at
    output.job.is_newest = True
    with pytest.raises(NoLink, match="not part of this installation"):
        find_link(output)


def test_every_call_of_the_api_works(removed: ProviderAccount) -> None:
    _, token = ApiToken.issue(removed.organization, "script", scope=Scope.OPERATE)
    headers = {"Authorization": f"Bearer {token}"}
    job = Job.objects.latest("pk")
    for path in (
        *("/jobs", "/jobs?provider=betamax", f"/jobs/{job.pk}", f"/jobs/{job.pk}/raw"),
        *("/accounts", f"/accounts/{removed.pk}", "/files", "/presets"),
    ):
        answer = Client().get(f"/api/v1{path}", headers=headers)
        assert answer.status_code == 200, path
    calls: list[tuple[str, dict[str, Any], int]] = [
        (f"/accounts/{removed.pk}/sync", {}, 202),
        (f"/jobs/{job.pk}/cancel", {}, 409),
        (f"/jobs/{job.pk}/resubmit", {}, 409),
        ("/jobs", {"account": str(removed.pk), "input": "https://media.example/a.mp4"}, 422),
    ]
    for path, body, status in calls:
        answer = Client().post(f"/api/v1{path}", body, "application/json", headers=headers)
        assert answer.status_code == status, (path, answer.content)


def test_the_admin_shows_and_pauses_it(removed: ProviderAccount, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root@studio.example"))
    accounts = reverse("admin:jobs_provideraccount_changelist")
    change = reverse("admin:jobs_provideraccount_change", args=[removed.pk])
    job = Job.objects.latest("pk")
    for path in (
        accounts, f"{accounts}?provider__exact=betamax", change,
        reverse("admin:jobs_job_changelist"), reverse("admin:jobs_job_change", args=[job.pk]),
        reverse("admin:jobs_output_changelist"), reverse("admin:jobs_webhookdelivery_changelist"),
    ):  # fmt: skip
        assert client.get(path).status_code == 200, path
    assert client.post(change, {"base_url": removed.base_url}).status_code in (200, 302)
    client.post(accounts, {"action": "pause", "_selected_action": [removed.pk]})
    removed.refresh_from_db()
    assert not removed.enabled


def test_commands_and_metrics_go_on(
    removed: ProviderAccount, client: Client, settings: Any
) -> None:
    settings.METRICS_TOKEN = "metrics-token"
    answer = client.get("/metrics", headers={"authorization": "Bearer metrics-token"})
    assert answer.status_code == 200
    with pytest.raises(CommandError):
        call_command("sync", "--organization=harbour-studio", stdout=StringIO(), stderr=StringIO())


def test_a_delivery_for_it_is_not_expected(removed: ProviderAccount, client: Client) -> None:
    path = reverse("jobs:webhook", args=["betamax", removed.pk, removed.hook_secret])
    assert client.post(path, "{}", "application/json").status_code == 400
