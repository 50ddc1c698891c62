"""The job that the form for a new job copies.

The request as stored where the job was submitted here, else one rebuilt from the mirror. Secrets
do not reach the page: it shows the redacted request, and what comes back unchanged is replaced by
the original.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from jobs.forms.rebuilt_request import LOST_KEY, NO_LONGER_STORED, rebuild_request
from jobs.models import Job
from jobs.submission.stored_request import dump_request, find_sent_request, load_request
from organizations.encryption import Undecryptable
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest
from providers.http.redaction import has_marker, redact, redact_url, url_expiry

RESTORED = ("input", "destination", "metadata", "extra")


@dataclass(frozen=True, slots=True)
class StoredValues:
    """What a form began with: `original` is to be sent, `shown` was displayed."""

    original: JobRequest = field(repr=False)
    shown: JobRequest

    def restore(self, request: JobRequest) -> JobRequest:
        """`request` with the original of each value that is still as it was shown."""
        values = {
            name: _restore(
                getattr(request, name), getattr(self.shown, name), getattr(self.original, name)
            )
            for name in RESTORED
        }
        return replace(request, **values)

    def describe_use(self, request: JobRequest, now: datetime) -> list[RequestIssue]:
        """Which fields of `request` are sent with a stored secret; blocking where it expired."""
        restored = self.restore(request)
        changed = [name for name in RESTORED if getattr(restored, name) != getattr(request, name)]
        return [_describe_use(name, getattr(restored, name), now) for name in changed]


@dataclass(frozen=True, slots=True)
class JobCopy(StoredValues):
    """The job that is copied, with its request. `missing` names what the copy does not have."""

    job: Job
    missing: tuple[str, ...] = ()


def copy_job(job: Job) -> JobCopy:
    """What a copy of `job` starts from, whatever its provider, status and origin."""
    try:
        request = find_sent_request(job)
    except Undecryptable:
        request = None
        missing = LOST_KEY
    else:
        missing = NO_LONGER_STORED
    if request is not None:
        shown = _redact_request(request)
        return JobCopy(request, shown, job)
    if job.request is None:
        rebuilt = rebuild_request(job)
        shown = replace(rebuilt.request, input=job.input_url)
        return JobCopy(rebuilt.request, shown, job, tuple(rebuilt.missing))
    shown = load_request(job.request)
    return JobCopy(shown, shown, job, (missing,) if has_marker(job.request) else ())


def _redact_request(request: JobRequest) -> JobRequest:
    shown = load_request(redact(dump_request(request)))
    destination = request.destination and redact_url(request.destination)
    return replace(shown, input=redact_url(request.input), destination=destination)


def _restore(value: Any, shown: Any, original: Any) -> Any:
    if value == shown:
        return original
    if isinstance(value, dict) and isinstance(shown, dict) and isinstance(original, dict):
        return {
            name: _restore(part, shown.get(name), original[name]) if name in original else part
            for name, part in value.items()
        }
    if isinstance(value, list) and isinstance(shown, list) and len(value) == len(shown):
        return [_restore(*parts) for parts in zip(value, shown, original, strict=True)]
    if isinstance(value, list) and isinstance(shown, list):
        # some were added or removed: what is left is recognized by what it shows
        return [original[shown.index(part)] if shown.count(part) == 1 else part for part in value]
    return value


def _describe_use(name: str, value: Any, now: datetime) -> RequestIssue:
    ends = [at for text in _texts(value) if (at := url_expiry(text)) and at <= now]
    if ends:
        expired_at = f"{min(ends):%Y-%m-%d %H:%M}"
        return RequestIssue(name, "stored_link_expired", {"at": expired_at})
    if name in ("input", "destination"):
        return RequestIssue(name, "stored_link_used", blocking=False)
    return RequestIssue(name, "stored_secret_used", blocking=False)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
