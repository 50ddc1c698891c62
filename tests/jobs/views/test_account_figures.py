"""What an account works on and how much of its limit it uses, in the list and on its page."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.accounts.budget import RequestUsage, read_usage
from jobs.models import Job, ProviderAccount, RateBudget
from organizations.models import Organization, Role
from tests.jobs.factories import NOON, make_account, make_delivery, make_job
from tests.jobs.views.list_page import LIST
from tests.markup import without_isolation

ACCOUNTS = "/o/harbour-studio/accounts/"


def page_of(account: ProviderAccount) -> str:
    return reverse("jobs:account_edit", args=["harbour-studio", account.pk])


def figures(html: str) -> dict[str, str]:
    strip = without_isolation(html).partition('<dl class="figures')[2].partition("</dl>")[0]
    pairs = re.findall(r"<dt>(.*?)</dt>(.*?)</dd>", strip, flags=re.S)
    return {label: " ".join(re.sub(r"<[^>]*>", " ", text).split()) for label, text in pairs}


@pytest.fixture
def busy(account: ProviderAccount) -> ProviderAccount:
    """With decoys: a gone job, one that ended, and another account's."""
    for status in ("queued", "running", "running", "failed"):
        make_job(account, status=status)
    make_job(account, status="running", gone_at=NOON)
    Job.objects.filter(gone_at__isnull=False).update(is_active=False)
    make_job(make_account(account.organization, name="Decoy"), status="running")
    ago = time.time()
    RateBudget.objects.create(account=account, bucket="list", sent=[[ago - 90, 9], [ago - 5, 18]])
    RateBudget.objects.create(account=account, bucket="submit", sent=[[ago, 200]])
    return account


def test_figures_equal_the_lists_that_they_lead_to(viewer: Client, busy: ProviderAccount) -> None:
    html = viewer.get(ACCOUNTS).content.decode()
    row = html.partition(f'id="account-{busy.pk}"')[2].partition("</tr>")[0]
    for status, number in (("queued", 1), ("running", 2)):
        assert f'?account={busy.pk}&amp;status={status}">{number}</a>' in row
        listed = viewer.get(f"{LIST}?account={busy.pk}&status={status}")
        assert len(listed.context["page"].rows) == number
    # a minute's requests of the kind that is nearest to its limit
    assert 'max="60"' in row
    assert 'value="18"' in row


def test_an_accounts_page_begins_with_six_figures(operator: Client, busy: ProviderAccount) -> None:
    make_delivery(busy, received_at=timezone.now(), verdict="refused")
    ProviderAccount.objects.update(
        last_error_at=timezone.now(), last_error_class="provider.timeout", latency_ms=184
    )
    shown = figures(operator.get(page_of(busy)).content.decode())
    assert len(shown) == 6
    assert shown["Requests a minute"] == "18 of 60"
    assert shown["Latency"] == "184 ms"
    assert re.fullmatch(r"\d+ s ago Provider timeout", shown["Last error"])
    assert shown["Queued, running"] == "1 and 2"
    assert re.fullmatch(r"\d+ s ago refused", shown["Last webhook"])


def test_an_idle_account_has_figures_too(operator: Client, studio: Organization) -> None:
    quiet = make_account(studio, provider="xvid", last_success_at=None, enabled=False)
    shown = figures(operator.get(page_of(quiet)).content.decode())
    assert shown["Last synced"] == "Never paused"
    assert shown["Requests a minute"] == "Stopped"
    assert shown["Last webhook"] == "Polled no webhooks"
    assert read_usage([quiet], timezone.now()) == {}


def test_an_own_limit_counts(account: ProviderAccount) -> None:
    account.options = {"requests_per_minute": "7"}
    assert read_usage([account], timezone.now()) == {account.pk: RequestUsage(0, 7)}


@pytest.mark.parametrize("accounts", [1, 5])
def test_the_list_costs_the_same_however_many_accounts(
    viewer: Client,
    studio: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
    accounts: int,
) -> None:
    for number in range(accounts):
        make_job(make_account(studio, name=f"account {number}"), status="running")
    viewer.get(ACCOUNTS)
    with django_assert_num_queries(9):
        viewer.get(ACCOUNTS)


def test_who_may_sees_what_was_done_to_it_and_goes_back_to_it(
    sign_in: Callable[[Role | None], Client], account: ProviderAccount
) -> None:
    manager: Any = sign_in(Role.MANAGER)
    pause = reverse("jobs:account_pause", args=["harbour-studio", account.pk])
    assert manager.post(pause, {"from": "account"}).url == page_of(account)
    assert manager.post(pause).url == ACCOUNTS
    html = sign_in(Role.OWNER).get(page_of(account)).content.decode()
    assert 'id="history-title"' in html
    operator = sign_in(Role.OPERATOR).get(page_of(account)).content.decode()
    assert 'id="history-title"' not in operator
