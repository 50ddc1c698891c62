"""Rules of the look for one submission in a list without keys and without created times."""

from datetime import datetime
from urllib.parse import unquote

from providers.core.types import Page, RemoteJob
from providers.http.redaction import redact_url
from providers.parsing.urls import strip_query
from providers.parsing.values import read_dict


def fold_source(address: str | None) -> str:
    """What stays of an address when it is signed anew, or told with its secrets taken off."""
    return unquote(strip_query(redact_url(address or ""))).rstrip("/")


def may_be_sent_as(job: RemoteJob, source: str, earliest: datetime) -> bool:
    """Whether only reading the job alone tells if it is the one looked for."""
    tells_key = isinstance(read_dict(job.raw).get("client_metadata"), dict)
    is_older = job.started_at is not None and job.started_at < earliest
    return not tells_key and not is_older and fold_source(job.input.url) in {source, ""}


def is_past(page: Page, earliest: datetime) -> bool:
    """Whether all pages below hold older jobs: what began before `earliest` was made before it.

    An API that knows no `ordering` lists oldest first, and then an old job proves nothing.
    """
    starts = [job.started_at for job in page.jobs if job.started_at]
    return bool(starts) and starts[0] >= starts[-1] and starts[-1] < earliest
