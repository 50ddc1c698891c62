"""What no index serves is searched for a limited time, and its page says how far that got."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from jobs.models import ProviderAccount
from jobs.query.paging import windows
from tests.jobs.factories import NOON, make_job
from tests.jobs.views.list_page import LIST, tab_counts

EITHER = "?q=is:test+OR+name:wanted"


@pytest.fixture
def late(account: ProviderAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for one window of three jobs; of five, the oldest is wanted."""
    monkeypatch.setattr(windows, "SEARCH_S", 0)
    monkeypatch.setattr(windows, "FIRST_WINDOW", 3)
    for days in range(4):
        make_job(account, name="other", sort_at=NOON - timedelta(days=days))
    make_job(account, name="wanted", sort_at=NOON - timedelta(days=4))


def test_a_page_says_how_far_it_searched_and_the_next_goes_on(viewer: Client, late: None) -> None:
    html = viewer.get(LIST + EITHER).content.decode()
    assert "Searched back to" in html
    assert not re.findall(r'<tr id="job-', html)
    older = re.search(r'href="([^"]*)">Search older', html)
    assert older is not None
    html = viewer.get(older[1].replace("&amp;", "&")).content.decode()
    assert len(re.findall(r'<tr id="job-', html)) == 1
    assert "Searched back to" not in html


def test_what_is_slow_to_count_is_not_counted(viewer: Client, late: None) -> None:
    html = viewer.get(LIST + EITHER).content.decode()
    assert tab_counts(html) == {}
    html = viewer.get(f"{LIST}?q=status:succeeded").content.decode()
    assert tab_counts(html)["all"] == "5"
