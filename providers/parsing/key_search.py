"""Looking for a job that was submitted, where lists carry our key."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from providers.core.contract import Found
from providers.core.errors import ProviderError
from providers.core.types import Page

# A submission is looked for within minutes: what is deeper than this is not its job.
LOOK_PAGES = 20
# The provider's clock may be behind ours by this much.
CLOCK_SKEW = timedelta(minutes=10)


def find_in_pages(pages: Iterable[Page], key: str, since: datetime) -> Found:
    """Look for `key` in pages that run newest first, back to `since`.

    A look that a passing trouble or the number of pages cut short is not complete.
    """
    try:
        for count, page in enumerate(pages, start=1):
            if found := next((job for job in page.jobs if job.key == key), None):
                return Found(found)
            times = [job.created_at for job in page.jobs if job.created_at]
            if page.cursor is None or (times and times[-1] < since - CLOCK_SKEW):
                return Found(None)
            if count == LOOK_PAGES:
                break
    except ProviderError as error:
        if not error.transient:
            raise
    return Found(None, complete=False)
