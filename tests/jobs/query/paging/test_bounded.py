"""A search that no index serves ends in time, says how far it got, and loses nothing."""

from datetime import timedelta

import pytest
from django.db.models import Q, QuerySet

from jobs.models import Job, ProviderAccount
from jobs.query.paging import bounded, windows
from jobs.query.paging.keyset import KeysetPage
from jobs.query.paging.orderings import Ordering
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = [pytest.mark.django_db, pytest.mark.database]

WANTED = Q(name="wanted") | Q(error_code="wanted")


@pytest.fixture
def account() -> ProviderAccount:
    return make_account(make_organization())


@pytest.fixture
def jobs(account: ProviderAccount) -> QuerySet[Job]:
    """40 jobs, four of each time; every seventh is wanted."""
    for number in range(40):
        name = "" if number % 7 else "wanted"
        make_job(account, name=name, sort_at=NOON + timedelta(microseconds=number // 4))
    return Job.objects.filter(account=account)


def search(jobs: QuerySet[Job], ordering: Ordering, cursor: str = "") -> KeysetPage[Job]:
    return bounded.search_page(jobs, WANTED, ordering, 2, cursor)


@pytest.mark.parametrize("is_late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_have_every_match_once_in_both_directions(
    jobs: QuerySet[Job], monkeypatch: pytest.MonkeyPatch, descending: bool, is_late: bool
) -> None:
    monkeypatch.setattr(windows, "FIRST_WINDOW", 3)
    if is_late:
        monkeypatch.setattr(windows, "SEARCH_S", 0)
    ordering = Ordering("created", descending)
    found = sorted(jobs.filter(WANTED), key=lambda job: (job.sort_at, job.pk), reverse=descending)
    pages, cursor = [], ""
    while True:
        page = search(jobs, ordering, cursor)
        pages.append(page)
        assert (page.searched_to is not None) == (
            is_late and len(page.rows) < 2 and bool(page.next)
        )
        if page.next is None:
            break
        cursor = page.next
    assert [row for page in pages for row in page.rows] == found

    back = list(page.rows)
    while page.previous:
        page = search(jobs, ordering, page.previous)
        back = page.rows + back
    assert back == found


def test_a_late_search_says_how_far_it_got(
    jobs: QuerySet[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "SEARCH_S", 0)
    monkeypatch.setattr(windows, "FIRST_WINDOW", 4)
    page = search(jobs, Ordering("created"))
    assert page.searched_to == NOON + timedelta(microseconds=9)
    assert page.next is not None
