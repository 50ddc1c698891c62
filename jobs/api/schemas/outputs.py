"""Outputs: within a job, and as files of all jobs."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from ninja import Field, Schema

from jobs.api.schemas.errors import ErrorInfo
from jobs.api.schemas.fields import AccountReference, Id, SearchedList, Text
from jobs.display.errors import describe_error
from jobs.models import Output
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind


class OutputCounts(Schema):
    """Images are not counted."""

    total: int = Field(validation_alias="outputs_total", description="All outputs.")
    succeeded: int = Field(
        validation_alias="outputs_succeeded", description="Those that were made."
    )
    failed: int = Field(validation_alias="outputs_failed", description="Those not made.")


class MediaFacts(Schema):
    """What the provider reported about the file beyond its size."""

    frame_rate: float | None = Field(description="Frames per second.")
    video_codec: Text = Field(description="The video codec, such as `h264`.")
    audio_codec: Text = Field(description="The audio codec, such as `aac`.")
    video_bitrate_kbps: int | None = Field(description="The bitrate of the video, in kbit/s.")
    audio_bitrate_kbps: int | None = Field(description="The bitrate of the audio, in kbit/s.")


class OutputFacts(Schema):
    """What an output of a job and a file by itself share."""

    id: Id = Field(description="Our id of the output.")
    remote_id: str = Field(description="The provider's id.")
    kind: OutputKind = Field(description="What it is.")
    label: Text = Field(description="Its name at the provider.")
    format: Text = Field(description="The container, as the provider spells it.")
    width: int | None = Field(description="In pixels.")
    height: int | None = Field(description="In pixels.")
    duration_ms: int | None = Field(description="In milliseconds.")
    size_bytes: int | None = Field(description="In bytes.")
    status: OutputStatus = Field(description="`skipped`: left out by a rule of the customer's.")
    url: Text = Field(description="Without signatures and keys.")
    open_url: str | None = Field(
        description="Ours: checks membership, renews an expired link where the provider can, then "
        "redirects. Null when nothing opens."
    )
    expires_at: datetime | None = Field(description="When the URL expires, if known.")


class OutputShape(OutputFacts, MediaFacts):
    provider_status: Text = Field(description="The provider's own status.")
    progress: float | None = Field(description="0 to 100; null: not reported.")
    error: ErrorInfo | None = Field(description="Why it failed; null, if it did not.")

    @staticmethod
    def resolve_open_url(output: Output) -> str | None:
        return _open_url(output, output.job.organization.slug)

    @staticmethod
    def resolve_error(output: Output) -> dict[str, Any] | None:
        if not output.error_class:
            return None
        return describe_error(output.error_class, output.error_code, output.error_message)


class JobReference(Schema):
    id: Id = Field(description="Our id of the job.")
    name: Text = Field(description="Its name.")
    status: JobStatus = Field(description="Its status.")


class FileShape(OutputFacts):
    """An output by itself, with the job that made it."""

    job: JobReference = Field(description="The job that made it.")
    account: AccountReference = Field(description="The account of that job.")
    video_codec: Text = Field(description="The video codec, such as `h264`.")
    audio_codec: Text = Field(description="The audio codec, such as `aac`.")

    @staticmethod
    def resolve_open_url(output: Output) -> str | None:
        return _open_url(output, output.organization.slug)


class FileDetail(FileShape, MediaFacts):
    """An output by itself, with all that is known about it."""


class OutputLinkShape(Schema):
    url: str = Field(description="Opens the file; whoever has it needs no token.")
    expires_at: datetime | None = Field(description="Until when; null: not known.")


class FileList(SearchedList):
    results: list[FileShape] = Field(description="The files of this page.")


def _open_url(output: Output, slug: str) -> str | None:
    if not output.is_web or not output.was_made:
        return None
    opener = reverse("jobs:output_open", args=[slug, output.job_id, output.pk])
    return f"{settings.BASE_URL}{opener}"
