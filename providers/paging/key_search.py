"""Searching for a job that was submitted, in pages that run newest first."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from providers.core.contract import Found
from providers.core.errors import ProviderError
from providers.core.types import Page, RemoteJob

# A submission is searched for within minutes: what is deeper than this is not its job.
MAX_PAGES = 20

# A provider's clock may be behind ours by this much.
CLOCK_SKEW = timedelta(minutes=15)

# One that is further behind makes new jobs look old. They are at the top of the list all the same,
# and a search that missed them would be followed by a second job, which is paid for too.
MIN_PAGES = 3


def find_in_pages(pages: Iterable[Page], key: str, since: datetime) -> Found:
    """Search for the job that carries `key`, made at or after `since`."""
    return search_pages(pages, since, lambda job: job if job.key == key else None)


def search_pages(
    pages: Iterable[Page],
    since: datetime,
    find: Callable[[RemoteJob], RemoteJob | None],
    read_time: Callable[[RemoteJob], datetime | None] = lambda job: job.created_at,
) -> Found:
    """Search for the first job for which `find` returns one, back to `since` by `read_time`.

    A search that a transient error (of `find`, too) or the number of pages cut short is not
    complete.
    """
    try:
        for count, page in enumerate(pages, start=1):
            for listed in page.listed:
                if found := find(listed.read()):
                    return Found(found)
            if page.cursor is None or (count >= MIN_PAGES and _is_older(page, since, read_time)):
                return Found(None)
            if count == MAX_PAGES:
                break
    except ProviderError as error:
        if not error.transient:
            raise
    return Found(None, complete=False)


def _is_older(
    page: Page, since: datetime, read_time: Callable[[RemoteJob], datetime | None]
) -> bool:
    """Whether all jobs below the page are older. A list that runs upwards proves nothing."""
    times = [at for job in page.jobs if (at := read_time(job))]
    return bool(times) and times[0] >= times[-1] and times[-1] < since - CLOCK_SKEW
