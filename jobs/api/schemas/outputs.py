"""Outputs: within a job, and as files of all jobs."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from ninja import Field, Schema

from jobs.api.schemas.errors import ErrorInfo
from jobs.api.schemas.fields import AccountReference, Id, Text
from jobs.display.errors import describe_error
from jobs.models import Output


class OutputCounts(Schema):
    """Images are not counted."""

    total: int = Field(validation_alias="outputs_total")
    succeeded: int = Field(validation_alias="outputs_succeeded")
    failed: int = Field(validation_alias="outputs_failed")


class MediaFacts(Schema):
    """What the provider reported about the file beyond its size."""

    frame_rate: float | None = Field(description="Frames per second.")
    video_codec: Text
    audio_codec: Text
    video_bitrate_kbps: int | None
    audio_bitrate_kbps: int | None


class OutputShape(MediaFacts):
    id: Id
    remote_id: str
    kind: str
    label: Text
    format: Text
    width: int | None
    height: int | None
    duration_ms: int | None
    size_bytes: int | None
    url: Text = Field(description="Without signatures and keys.")
    open_url: str | None = Field(
        description="Ours: checks membership, renews an expired link where the provider can, then "
        "redirects. Null when nothing opens."
    )
    expires_at: datetime | None = Field(description="When the URL expires, if known.")
    status: str
    provider_status: Text
    progress: float | None
    error: ErrorInfo | None

    @staticmethod
    def resolve_open_url(output: Output) -> str | None:
        return _open_url(output, output.job.organization.slug)

    @staticmethod
    def resolve_error(output: Output) -> dict[str, Any] | None:
        if not output.error_class:
            return None
        return describe_error(output.error_class, output.error_code, output.error_message)


class JobReference(Schema):
    id: Id
    name: Text
    status: str


class FileShape(Schema):
    """An output by itself, with the job that made it."""

    id: Id
    job: JobReference
    account: AccountReference
    remote_id: str
    kind: str
    label: Text
    format: Text
    width: int | None
    height: int | None
    duration_ms: int | None
    size_bytes: int | None
    video_codec: Text
    audio_codec: Text
    status: str
    url: Text = Field(description="Without signatures and keys.")
    open_url: str | None = Field(description="As in an output of a job.")
    expires_at: datetime | None = Field(description="When the URL expires, if known.")

    @staticmethod
    def resolve_open_url(output: Output) -> str | None:
        return _open_url(output, output.organization.slug)


class FileDetail(FileShape, MediaFacts):
    """An output by itself, with all that is known about it."""


class OutputLinkShape(Schema):
    url: str = Field(description="Opens the file; whoever has it needs no token.")
    expires_at: datetime | None = Field(description="Until when; null: not known.")


class FileList(Schema):
    results: list[FileShape]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


def _open_url(output: Output, slug: str) -> str | None:
    if not output.is_web or not output.was_made:
        return None
    opener = reverse("jobs:output_open", args=[slug, output.job_id, output.pk])
    return f"{settings.BASE_URL}{opener}"
