"""How far a search for a submission goes. A second job that follows from a miss is paid for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from providers.core.errors import AuthRefused, Outage
from providers.core.status import JobStatus
from providers.core.types import Page, RemoteJob
from providers.paging.key_search import CLOCK_SKEW, MAX_PAGES, MIN_PAGES, find_in_pages

KEY = "0f8fad5bd9cb469fa16570867728950e"
SENT_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Shelf:
    """Endless pages of two jobs each, and which of them were read.

    The first job was created at `newest`, the others each `step` before the one above.
    """

    def __init__(self, newest: datetime | None, step: timedelta = timedelta(minutes=1)) -> None:
        self.newest = newest
        self.step = step
        self.ours: int | None = None
        self.read = 0

    def pages(self) -> Iterator[Page]:
        while True:
            first = 2 * self.read
            self.read += 1
            yield Page((self._make_job(first), self._make_job(first + 1)), str(self.read))

    def _make_job(self, place: int) -> RemoteJob:
        created_at = self.newest and self.newest - place * self.step
        key = KEY if place == self.ours else None
        return RemoteJob(str(place), JobStatus.QUEUED, created_at=created_at, key=key)


def test_a_search_ends_after_three_pages_where_the_jobs_are_older() -> None:
    shelf = Shelf(SENT_AT - HOUR)
    found = find_in_pages(shelf.pages(), KEY, SENT_AT)
    assert (found.job, found.complete, shelf.read) == (None, True, MIN_PAGES)


def test_a_job_of_a_provider_whose_clock_is_far_behind_is_found_on_the_first_pages() -> None:
    """An hour, where quarter of one is allowed for: by its time the job was there before."""
    shelf = Shelf(SENT_AT - HOUR)
    shelf.ours = 5
    found = find_in_pages(shelf.pages(), KEY, SENT_AT)
    assert found.job
    assert found.job.remote_id == str(shelf.ours)


@pytest.mark.parametrize(("behind", "pages"), [(CLOCK_SKEW, 5), (2 * CLOCK_SKEW, 3)])
def test_one_allowance_is_made_for_the_providers_clock(behind: timedelta, pages: int) -> None:
    shelf = Shelf(SENT_AT - behind + timedelta(minutes=8))
    assert find_in_pages(shelf.pages(), KEY, SENT_AT).complete
    assert shelf.read == pages


@pytest.mark.parametrize("newest", [None, SENT_AT + 3 * HOUR])
def test_a_search_that_finds_no_end_is_not_complete(newest: datetime | None) -> None:
    shelf = Shelf(newest)
    found = find_in_pages(shelf.pages(), KEY, SENT_AT)
    assert (found.job, found.complete, shelf.read) == (None, False, MAX_PAGES)


def test_old_jobs_at_the_top_prove_nothing_in_a_list_that_runs_upwards() -> None:
    shelf = Shelf(SENT_AT - 3 * HOUR, step=-timedelta(minutes=1))
    assert not find_in_pages(shelf.pages(), KEY, SENT_AT).complete


def test_an_error_that_passes_cuts_a_search_short_and_any_other_ends_it() -> None:
    def stumble(error: Exception) -> Iterator[Page]:
        yield Page((RemoteJob("1", JobStatus.QUEUED, created_at=SENT_AT),), "2")
        raise error

    assert not find_in_pages(stumble(Outage("Down.")), KEY, SENT_AT).complete
    with pytest.raises(AuthRefused):
        find_in_pages(stumble(AuthRefused("No.")), KEY, SENT_AT)
