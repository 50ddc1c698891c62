"""The frame around every page: accounts and how current they are, banners, the one search box."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, ProviderAccount
from organizations.models import Organization
from tests.jobs.factories import make_account
from tests.markup import without_isolation

BOARD = "/o/harbour-studio/"


def part(html: str, name: str) -> str:
    """The element with the id `name`, up to the next element of the header or the page."""
    return without_isolation(html.split(f'id="{name}"')[1].split('id="')[0])


def header(client: Client) -> tuple[str, list[str], list[str]]:
    """A page, the names in the header's line of accounts, and the banners."""
    html = client.get(f"{BOARD}presets/").content.decode()
    line = html.split('id="health"')[1].split('class="fresh"')[0]
    named = re.findall(r'<span class="text-truncate"><bdi>(.*?)</bdi>', line)
    banners = re.findall(
        r'<p class="banner banner-warning" id="banner-\d+">(.*?)</p>', html, re.DOTALL
    )
    return html, named, [" ".join(without_isolation(one).split()) for one in banners]


def test_above_six_accounts_those_are_named_that_are_not_fine(
    viewer: Client, studio: Organization
) -> None:
    now = timezone.now()
    fine = [make_account(studio, name=f"Fine {number}", last_success_at=now) for number in range(6)]
    _, named, _ = header(viewer)
    assert named == [account.name for account in fine]
    make_account(studio, name="Turned away", refused_at=now)
    html, named, _ = header(viewer)
    assert named == ["Turned away"]
    assert "<span>6 OK</span>" in html


def test_one_cause_is_one_banner_however_many_accounts_it_concerns(
    viewer: Client, studio: Organization
) -> None:
    late = timezone.now() - timedelta(minutes=10)
    for name in ("East", "West"):
        account = make_account(studio, name=name)
        ProviderAccount.objects.filter(pk=account.pk).update(next_sync_at=late, expected_at=late)
    make_account(studio, name="South", refused_at=timezone.now())
    _, _, banners = header(viewer)
    assert len(banners) == 2
    both = next(one for one in banners if "2 accounts are late" in one)
    assert "East, West" in both
    assert "South" not in both


def test_data_is_as_old_as_that_of_the_account_that_is_longest_unsynced(
    viewer: Client, studio: Organization
) -> None:
    now = timezone.now()
    for minutes in (1, 4):
        make_account(
            studio, name=f"Ago {minutes}", last_success_at=now - timedelta(minutes=minutes)
        )
    html, _, _ = header(viewer)
    assert "4 min ago" in part(html, "synced")


@pytest.mark.parametrize(
    ("path", "placeholder"),
    [("jobs/", "Search jobs"), ("files/", "Search files"), ("presets/", "Search presets"),
     ("accounts/", "Search jobs"), ("settings/audit/", "Search the audit log")],
)  # fmt: skip
def test_each_page_has_one_search_box_that_says_what_it_searches(
    manager: Client, job: Job, path: str, placeholder: str
) -> None:
    html = manager.get(f"{BOARD}{path}?q=dawn").content.decode()
    assert html.count('type="search"') == 1
    assert f'placeholder="{placeholder}' in html
    assert ('value="dawn"' in html) is (path != "accounts/")


def test_a_search_keeps_the_filters_of_the_list(viewer: Client, job: Job) -> None:
    html = viewer.get(f"{BOARD}jobs/?status=failed").content.decode()
    assert '<input type="hidden" name="status" value="failed">' in html
    answer = viewer.get(f"{BOARD}search/", {"q": "dusk", "status": "failed"})
    assert answer["Location"] == f"{BOARD}jobs/?status=failed&q=dusk"


def test_the_key_that_retries_is_for_those_who_may(
    viewer: Client, operator: Client, job: Job
) -> None:
    for client, may in ((viewer, False), (operator, True)):
        html = client.get(f"{BOARD}jobs/").content.decode()
        assert ("data-may-retry" in html, "<kbd>r</kbd>" in html) == (may, may)
        assert "<kbd>j</kbd>" in html
