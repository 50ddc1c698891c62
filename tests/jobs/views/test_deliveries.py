"""Webhook deliveries of an account: verdicts for all, what was in them for operators."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from jobs.accounts.webhook_urls import mask, webhook_url
from jobs.models import Job, ProviderAccount
from organizations.models import Organization
from tests.jobs.factories import NOON, make_account, make_delivery, make_job

ACCOUNTS = "/o/harbour-studio/accounts/"
# session, user, membership; account, deliveries, jobs; accounts, views, organizations
QUERIES = 9


@pytest.fixture
def page(account: ProviderAccount) -> str:
    return reverse("jobs:deliveries", args=["harbour-studio", account.pk])


def test_a_row_says_when_what_and_about_which_job(
    viewer: Client, account: ProviderAccount, job: Job, page: str
) -> None:
    make_delivery(account, remote_id="881200")
    make_delivery(account, remote_id="404404", handled_at=None, result="output 1 finished")
    make_delivery(account, verdict="ignored", remote_id="", result="It is about a live stream.")
    html = viewer.get(page).content.decode()
    for phrase in (
        "2026-03-14 12:00:00 UTC", "Accepted", "Job refreshed.", "harbour-at-dawn.mov",
        "404404", "Not imported", "Waiting to refresh the job",
        "Not about a job", "It is about a live stream.",
    ):  # fmt: skip
        assert phrase in html
    assert f'href="{reverse("jobs:detail", args=["harbour-studio", job.pk])}"' in html


def test_the_job_is_the_newest_attempt_of_this_very_account(
    viewer: Client, studio: Organization, account: ProviderAccount, foreign_job: Job, page: str
) -> None:
    newest = make_job(account, remote_id="881200", attempt=2)
    make_job(account, remote_id="881200", is_newest=False)
    make_job(make_account(studio), remote_id="881200")
    make_delivery(account, remote_id="881200")
    (row,) = viewer.get(page).context["rows"]
    assert row.job == newest


def test_deliveries_of_other_accounts_are_not_listed(
    viewer: Client, studio: Organization, account: ProviderAccount, foreign_job: Job, page: str
) -> None:
    mine = make_delivery(account)
    make_delivery(make_account(studio))
    make_delivery(foreign_job.account)
    assert [row.delivery for row in viewer.get(page).context["rows"]] == [mine]


def test_what_was_in_it_is_for_operators(
    viewer: Client, operator: Client, account: ProviderAccount, page: str
) -> None:
    found = make_delivery(account, body='{"note": "<b>tape 7</b>", "token": "REDACTED"}')
    one = reverse("jobs:delivery", args=["harbour-studio", account.pk, found.pk])
    assert one not in viewer.get(page).content.decode()
    assert viewer.get(one).status_code == 403

    listed = operator.get(page).content.decode()
    assert f'hx-get="{one}"' in listed
    assert f'href="{one}"' in listed
    assert "tape 7" not in listed  # it comes when it is opened
    for headers in ({}, {"HX-Request": "true"}):
        html = operator.get(one, headers=headers).content.decode()
        assert "&lt;b&gt;tape 7&lt;/b&gt;" in html
        assert "<mark>REDACTED</mark>" in html
        assert "Hooks/2.1" in html
        assert ("<html" in html) is not bool(headers)


def test_a_delivery_is_only_found_under_its_own_account(
    operator: Client, studio: Organization, account: ProviderAccount
) -> None:
    other = make_delivery(make_account(studio))
    path = reverse("jobs:delivery", args=["harbour-studio", account.pk, other.pk])
    assert operator.get(path).status_code == 404


def test_newer_and_older_lead_through_all_deliveries(
    viewer: Client, account: ProviderAccount, page: str
) -> None:
    made = [
        make_delivery(account, received_at=NOON + timedelta(seconds=number // 2))
        for number in range(52)
    ]
    first = viewer.get(page)
    second = viewer.get(first.context["older_url"])
    seen = [row.delivery for part in (first, second) for row in part.context["rows"]]
    assert seen == made[::-1]
    assert not second.context["older_url"]
    back = viewer.get(second.context["newer_url"])
    assert [row.delivery for row in back.context["rows"]] == seen[:50]
    assert viewer.get(f"{page}?cursor=broken").status_code == 302


def test_an_account_without_deliveries_says_what_to_do(
    viewer: Client, manager: Client, studio: Organization, page: str
) -> None:
    assert "No deliveries yet" in viewer.get(page).content.decode()
    assert "A manager of Harbour Studio" in viewer.get(page).content.decode()
    assert "shows the URL and the steps" in manager.get(page).content.decode()


def test_a_provider_without_webhooks_has_no_deliveries_to_show(
    viewer: Client, studio: Organization
) -> None:
    account = make_account(studio, provider="xvid")
    page = reverse("jobs:deliveries", args=["harbour-studio", account.pk])
    assert "does not send webhooks" in viewer.get(page).content.decode()
    assert page not in viewer.get(ACCOUNTS).content.decode()


def test_the_account_leads_to_its_deliveries_and_says_how_the_last_one_went(
    viewer: Client, account: ProviderAccount, page: str
) -> None:
    assert "None yet" in viewer.get(ACCOUNTS).content.decode()
    make_delivery(account)
    make_delivery(account, verdict="refused", received_at=NOON + timedelta(minutes=1))
    html = viewer.get(ACCOUNTS).content.decode()
    assert f'href="{page}"' in html
    assert ">refused</span>" in html


def test_the_account_s_own_page_lists_the_newest_few(
    manager: Client, account: ProviderAccount
) -> None:
    made = [
        make_delivery(account, received_at=NOON + timedelta(minutes=number)) for number in range(7)
    ]
    path = reverse("jobs:account_edit", args=["harbour-studio", account.pk])
    assert [row.delivery for row in manager.get(path).context["rows"]] == made[:1:-1]


@pytest.mark.parametrize("provider", ["zencoder", "tpstreams"])
def test_the_steps_name_our_url_to_managers_alone(
    manager: Client, operator: Client, studio: Organization, provider: str
) -> None:
    account = make_account(studio, provider=provider)
    steps = account.adapter_class.webhook_steps
    assert any("{url}" in step for step in steps)
    edit = reverse("jobs:account_edit", args=["harbour-studio", account.pk])
    html = manager.get(edit).content.decode()
    url = webhook_url(account)
    assert html.count(url) == 2  # to read once it is asked for, and to copy
    assert html.count(mask(url)) >= 2  # to begin with, and in a step
    assert "{url}" not in html
    assert account.hook_secret not in operator.get(edit).content.decode()
    page = reverse("jobs:deliveries", args=["harbour-studio", account.pk])
    make_delivery(account)
    assert account.hook_secret not in manager.get(page).content.decode()


@pytest.mark.parametrize("number", [2, 20])
def test_a_page_costs_the_same_queries_and_loads_no_body(
    viewer: Client,
    account: ProviderAccount,
    page: str,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for _ in range(number):
        make_delivery(account, remote_id=str(make_job(account).remote_id))
    viewer.get(page)
    with django_assert_num_queries(QUERIES) as queries:
        assert len(viewer.get(page).context["rows"]) == number
    assert not any('"body"' in one["sql"] for one in queries.captured_queries)
