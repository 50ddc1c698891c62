"""The accounts page: health, and setting an account up without ever showing a secret."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from jobs.accounts.webhook_urls import webhook_url
from jobs.models import ProviderAccount
from organizations.models import Organization
from providers.core import registry
from tests.jobs.factories import make_account, make_job, make_output
from tests.markup import without_isolation

ACCOUNTS = "/o/harbour-studio/accounts/"
NEW = f"{ACCOUNTS}new/?provider=zencoder"


def path(account: ProviderAccount, name: str) -> str:
    return reverse(f"jobs:{name}", args=["harbour-studio", account.pk])


def test_health_is_described(viewer: Client, studio: Organization) -> None:
    make_account(
        studio,
        name="Night shift",
        consecutive_failures=4,
        last_error_at=timezone.now(),
        last_error_class="provider.timeout",
        last_error_message="No answer within 30 s.",
        latency_ms=412,
        rate_remaining=57,
    )
    html = viewer.get(ACCOUNTS).content.decode()
    for phrase in ("Failing", "No answer within 30 s.", "did not finish in time", "412", "57 left"):
        assert phrase in html


def test_an_import_shows_how_far_it_is(viewer: Client, studio: Organization) -> None:
    account = make_account(studio, imported_at=None, next_sync_at=timezone.now())
    for _ in range(3):
        make_job(account)
    assert "3 jobs so far" in viewer.get(ACCOUNTS).content.decode()


def test_the_webhook_url_is_for_managers_alone(
    manager: Client, operator: Client, account: ProviderAccount
) -> None:
    page = path(account, "account_edit")
    assert webhook_url(account) in manager.get(page).content.decode()
    html = operator.get(page).content.decode()
    assert account.hook_secret not in html
    assert f"/hooks/zencoder/{account.pk}/••••••••••••/" in html
    assert account.hook_secret not in manager.get(ACCOUNTS).content.decode()


def test_no_page_shows_a_stored_credential(manager: Client, account: ProviderAccount) -> None:
    for url in (ACCOUNTS, path(account, "account_edit")):
        assert account.credentials["api_key"] not in manager.get(url).content.decode()
    assert "A value is stored" in manager.get(path(account, "account_edit")).content.decode()


def test_an_account_is_added_on_screen(manager: Client, studio: Organization) -> None:
    values = {"name": "Zencoder east", "api_key": "k-123456", "interval_s": "20"}
    assert manager.post(NEW, values)["Location"] == ACCOUNTS
    account = ProviderAccount.objects.get()
    assert account.organization == studio
    assert account.credentials == {"api_key": "k-123456"}
    assert account.options == {"interval_s": "20"}
    assert account.base_url == "https://app.zencoder.com/api/v2"


def test_an_account_that_is_here_already_is_saved_with_a_warning(
    manager: Client, account: ProviderAccount
) -> None:
    values = {"name": "Zencoder east", "api_key": account.credentials["api_key"]}
    text = manager.post(NEW, values, follow=True).content.decode()
    assert "the same Zencoder account as “Zencoder main”" in without_isolation(text)
    text = manager.get(path(account, "account_edit")).content.decode()
    assert "the same Zencoder account as “Zencoder east”" in without_isolation(text)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"api_key": ""}, "api_key"),
        ({"base_url": "ftp://zencoder.example"}, "base_url"),
        ({"interval_s": "soon"}, "interval_s"),
        ({"name": "Zencoder main"}, "name"),
    ],
)
def test_what_cannot_be_an_account_is_refused_at_its_field(
    manager: Client, account: ProviderAccount, change: dict[str, str], field: str
) -> None:
    values: dict[str, Any] = {"name": "Zencoder east", "api_key": "k-123456"} | change
    response = manager.post(NEW, values)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert ProviderAccount.objects.count() == 1


def test_an_empty_credential_keeps_the_one_that_is_stored(
    manager: Client, account: ProviderAccount
) -> None:
    before = account.credentials
    edit = path(account, "account_edit")
    assert manager.post(edit, {"base_url": account.base_url + "/"}).status_code == 302
    account.refresh_from_db()
    assert account.credentials == before
    manager.post(edit, {"api_key": "k-new"})
    account.refresh_from_db()
    assert account.credentials == {"api_key": "k-new"}


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/api/v2", "https://app.zencoder.com/api/v3"]
)
def test_no_stored_secret_is_sent_to_another_base_url(
    manager: Client, account: ProviderAccount, elsewhere: str
) -> None:
    edit = path(account, "account_edit")
    refused = manager.post(edit, {"base_url": elsewhere})
    assert refused.status_code == 422
    assert "enter API key again" in str(refused.context["form"].errors["api_key"])
    before = account.base_url
    account.refresh_from_db()
    assert account.base_url == before
    assert manager.post(edit, {"base_url": elsewhere, "api_key": "k-new"}).status_code == 302
    account.refresh_from_db()
    assert (account.base_url, account.credentials) == (elsewhere, {"api_key": "k-new"})


@pytest.mark.parametrize("number", ["-1", "1000001", "9" * 30, "9" * 5000, "٣", "1.5"])
def test_an_option_that_nobody_can_mean_is_refused(
    manager: Client, account: ProviderAccount, number: str
) -> None:
    refused = manager.post(path(account, "account_edit"), {"idle_interval_s": number})
    assert "idle_interval_s" in refused.context["form"].errors


@pytest.mark.parametrize("number", ["-1", "9" * 30, "9" * 5000, 1e400, None])
def test_an_option_that_was_stored_all_the_same_is_not_used(
    account: ProviderAccount, number: object
) -> None:
    account.options = {"idle_interval_s": number}
    assert account.option_int("idle_interval_s", 60) == 60


def test_after_a_lost_key_the_pages_work_and_the_credentials_can_be_given_anew(
    manager: Client, account: ProviderAccount, settings: Settings
) -> None:
    output = make_output(make_job(account), secret_url="https://media.example/a.mp4?sig=1")
    settings.CREDENTIALS_KEYS = ("another key, of the same length as the first",)
    job_page = reverse("jobs:detail", args=["harbour-studio", output.job_id])
    edit = path(account, "account_edit")
    for url in (ACCOUNTS, edit, job_page, reverse("jobs:files", args=["harbour-studio"])):
        assert manager.get(url).status_code == 200, url
    opened = reverse("jobs:output_open", args=["harbour-studio", output.job_id, output.pk])
    assert manager.get(opened).status_code == 410
    assert "A value is stored" not in manager.get(edit).content.decode()
    assert manager.post(edit, {"api_key": "k-new"}).status_code == 302
    account = ProviderAccount.objects.get()
    assert account.credentials == {"api_key": "k-new"}
    assert webhook_url(account) in manager.get(edit).content.decode()


def test_sync_now_makes_a_refused_account_due(operator: Client, studio: Organization) -> None:
    later = timezone.now() + timedelta(hours=1)
    account = make_account(studio, refused_at=timezone.now(), next_sync_at=later)
    operator.post(path(account, "account_sync"))
    account.refresh_from_db()
    assert account.refused_at is None
    assert account.next_sync_at <= timezone.now()


def test_a_paused_account_says_so_and_can_be_resumed(
    manager: Client, account: ProviderAccount
) -> None:
    manager.post(path(account, "account_pause"))
    html = manager.get(ACCOUNTS).content.decode()
    assert "Submissions wait until the account is resumed." in html
    assert path(account, "account_sync") not in html
    manager.post(path(account, "account_resume"))
    account.refresh_from_db()
    assert account.enabled


def test_an_unknown_provider_has_no_form(manager: Client) -> None:
    assert manager.get(f"{ACCOUNTS}new/?provider=betamax").status_code == 404


def test_every_provider_can_be_added(manager: Client) -> None:
    new = f"{ACCOUNTS}new/"
    assert f'href="{new}"' in manager.get(ACCOUNTS).content.decode()
    html = manager.get(new).content.decode()
    for slug, label in registry.choices():
        assert f'<a href="?provider={slug}"' in html
        form = manager.get(f"{new}?provider={slug}").context["form"]
        assert {field.name for field in registry.get(slug).credential_fields} <= set(form.fields)
        assert label in html


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_good_credentials_are_said_to_be_and_start_a_stopped_account(
    manager: Client, account: ProviderAccount, wire: responses.RequestsMock
) -> None:
    ProviderAccount.objects.update(refused_at=timezone.now())
    wire.get(f"{account.base_url}/account", json={"plan": "Studio"})
    html = manager.post(path(account, "account_check"), follow=True).content.decode()
    assert "Zencoder accepted the credentials of Zencoder main." in html
    account.refresh_from_db()
    assert account.refused_at is None


@pytest.mark.parametrize(
    ("status", "phrase"), [(401, "Enter a valid key"), (503, "Zencoder main:")]
)
def test_credentials_that_are_not_taken_are_reported_with_a_clear_message(
    manager: Client,
    account: ProviderAccount,
    wire: responses.RequestsMock,
    status: int,
    phrase: str,
) -> None:
    wire.get(f"{account.base_url}/account", status=status, json={"errors": ["No."]})
    html = manager.post(path(account, "account_check"), follow=True).content.decode()
    assert "banner-error" in html
    assert phrase in html
    assert account.credentials["api_key"] not in html


def test_usage_is_reported_when_it_is_asked_for(
    operator: Client, viewer: Client, account: ProviderAccount, wire: responses.RequestsMock
) -> None:
    wire.get(f"{account.base_url}/account", json={"plan": "Studio <7>", "minutes_used": 412})
    url = path(account, "account_usage")
    assert f'hx-get="{url}"' in operator.get(path(account, "account_edit")).content.decode()
    assert viewer.get(url).status_code == 403
    page = operator.get(url).content.decode()
    part = operator.get(url, headers={"HX-Request": "true"}).content.decode()
    for html in (page, part):
        assert "Studio &lt;7&gt;" in html
        assert "412" in html
    assert ("<html" in page, "<html" in part) == (True, False)


def test_usage_that_is_not_reported_says_why(
    operator: Client, account: ProviderAccount, wire: responses.RequestsMock
) -> None:
    wire.get(f"{account.base_url}/account", status=503, json={})
    html = operator.get(path(account, "account_usage")).content.decode()
    assert "No response from Zencoder." in html


def test_what_a_provider_cannot_do_is_not_there(manager: Client, studio: Organization) -> None:
    video = make_account(studio, provider="videosdk", credentials={"token": "t"})
    page = manager.get(path(video, "account_edit")).content.decode()
    assert path(video, "account_usage") not in page
    assert manager.get(path(video, "account_usage")).status_code == 404


def test_an_option_that_is_emptied_is_taken_away(manager: Client, account: ProviderAccount) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(options={"interval_s": "7"})
    manager.post(path(account, "account_edit"), {"interval_s": "", "concurrency": "2"})
    account.refresh_from_db()
    assert account.options == {"concurrency": "2"}


def test_alternative_credentials_are_reported_at_a_field(manager: Client, db: None) -> None:
    new = f"{ACCOUNTS}new/?provider=videosdk"
    refused = manager.post(new, {"name": "V", "api_key": "k"})
    assert "needs API key and Secret, or Token" in str(refused.context["form"].errors["secret"])
    assert manager.post(new, {"name": "V", "api_key": "k", "secret": "s"}).status_code == 302
