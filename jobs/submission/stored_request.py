"""The request of a job that was submitted here, as its submission stores it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from jobs.models import Job, Submission
from providers.core.types import JobRequest, Rendition, Thumbnails


def dump_request(request: JobRequest) -> dict[str, Any]:
    """A JobRequest as JSON values."""
    return asdict(request)


def load_request(value: Mapping[str, Any]) -> JobRequest:
    """The JobRequest that `dump_request` dumped."""
    fields = dict(value)
    fields["renditions"] = tuple(
        Rendition(rendition["packaging"], tuple(rendition["heights"]))
        for rendition in fields.get("renditions") or ()
    )
    if fields.get("thumbnails"):
        fields["thumbnails"] = _load_thumbnails(fields["thumbnails"])
    return JobRequest(**fields)


def _load_thumbnails(value: Mapping[str, Any]) -> Thumbnails:
    """The Thumbnails; of an older request too, with one format, and an interval beside a count."""
    fields = dict(value)
    if form := fields.pop("format", None):
        fields["formats"] = [form]
    count, interval_s = fields.get("count"), fields.get("interval_s")
    if count and interval_s:
        fields["count"] = fields["interval_s"] = None
        fields["timestamps"] = [number * interval_s for number in range(count)]
    lists = {name: tuple(fields.get(name) or ()) for name in ("timestamps", "formats", "filters")}
    return Thumbnails(**fields | lists)


def find_sent_request(job: Job) -> JobRequest | None:
    """The complete request of a job submitted here, secrets included; None for other jobs.

    Raises Undecryptable when none of the configured keys opens it.
    """
    submission = Submission.objects.filter(job=job).first()
    return load_request(submission.request) if submission else None
