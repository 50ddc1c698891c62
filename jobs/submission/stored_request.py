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
        fields["thumbnails"] = Thumbnails(**fields["thumbnails"])
    return JobRequest(**fields)


def find_sent_request(job: Job) -> JobRequest | None:
    """The complete request of a job submitted here, secrets included; None for other jobs.

    Raises Undecryptable when none of the configured keys opens it.
    """
    submission = Submission.objects.filter(job=job).first()
    return load_request(submission.request) if submission else None
