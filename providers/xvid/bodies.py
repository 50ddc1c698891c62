"""The fields of Xvid's jobs, files and presets, and its statuses.

A reference to a file or a preset is `{id, href}`, the full object, or null, whatever was asked
for. No URL in a body is ever called: the id alone is used, at the account's own base URL.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import (
    OutputKind,
    RemoteError,
    RemoteInput,
    RemoteJob,
    RemoteOutput,
    RemotePreset,
)
from providers.http.redaction import split_url
from providers.parsing.media import read_kind
from providers.parsing.payloads import Body, PayloadUrl
from providers.xvid.error_table import ERRORS

# https://mediahub.xvid.com/manual/api/jobs/DELETE.html. What a cancelled job is called is not
# documented; these two could mean nothing else.
JOB_STATUSES: Mapping[str, JobStatus] = {
    "queued": JobStatus.QUEUED,
    "processing": JobStatus.RUNNING,
    "success": JobStatus.SUCCEEDED,
    "failure": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
# Outputs have no status of their own: the job's is read for each of them.
OUTPUT_STATUSES: Mapping[str, OutputStatus] = {
    label: OutputStatus(status.value) for label, status in JOB_STATUSES.items()
}
_ENDED_BADLY = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})

# Of a preset, what says who keeps it and when rather than what it does.
_BOOKKEEPING = frozenset(
    {"id", "href", "name", "type", "user", "application", "version", "created_at", "updated_at"}
)


class Part(NamedTuple):
    """One file that an output makes; `file` is empty until it is there."""

    slot: str
    kind: OutputKind
    output: Body
    file: Body


def fill_job(job: RemoteJob, body: Body, base_url: str) -> RemoteJob:
    # a path in the pipeline's storage, or a URL with all it may carry
    source, file = body.url("input.input_name"), body.object("input.file")
    error = _read_error(job, body)
    presets = (read_preset(output.object("preset")) for output in body.items("outputs"))
    return replace(
        job,
        # the name of the file is what people know; the URL may be a generated path
        name=file.text("name"),
        progress=job.progress or _read_percentage(job, body),
        created_at=body.epoch_ms("created_at"),
        # not `updated_at`, which lies before `created_at`, and stays there
        finished_at=body.epoch_ms("finished_at"),
        input=RemoteInput(
            url=source.redacted,
            secret_url=source.original,
            bitrate_kbps=_sum_bitrates(file),
            **_read_media(file),
        ),
        outputs=tuple(_read_output(part, job, error, base_url) for part in list_parts(body)),
        presets=tuple(preset for preset in presets if preset),
        errors=(error,) if error else (),
        # with `show_null` it is null where all of the input is encoded
        is_clip=True if body.get("input.start_time") else None,
    )


def list_parts(body: Body) -> Iterator[Part]:
    """Yield the files of each output: the video, the archive of thumbnails, the thumbnails.

    Outputs have no id, and the file's comes late: until then its place in the list is its slot.
    """
    for output in body.items("outputs"):
        slot = str(output.index)
        yield Part(slot, OutputKind.VIDEO, output, output.object("file"))
        archive = output.object("thumbnail_zip.file")
        if archive.id("id"):
            yield Part(f"{slot}/thumbnails.zip", OutputKind.ARCHIVE, output, archive)
        for image in output.items("thumbnails"):
            image_slot = f"{slot}/thumbnails/{image.index}"
            yield Part(image_slot, OutputKind.IMAGE, output, image.object("file"))


def read_preset(preset: Body) -> RemotePreset | None:
    """Read a preset or a reference to one, which has no name."""
    remote_id = preset.id("id")
    if remote_id is None:
        return None
    return RemotePreset(
        remote_id=remote_id,
        name=preset.text("name") or "",
        kind=preset.text("type") or "",
        settings={
            name: value for name, value in preset.redacted.items() if name not in _BOOKKEEPING
        },
    )


def read_web_url(value: Any) -> str | None:
    """Find the first web URL in an answer whose shape is not documented.

    `href` is passed over: it is a URL of the API, which opens with our token alone.
    """
    if isinstance(value, str):
        text = value.strip()
        return text if text.lower().startswith(("https://", "http://")) else None
    parts: Iterable[Any] = value if isinstance(value, list) else ()
    if isinstance(value, dict):
        parts = [part for name, part in value.items() if name != "href"]
    return next((found for part in parts if (found := read_web_url(part))), None)


def _read_media(file: Body) -> dict[str, Any]:
    """Read what an input and an output have in common."""
    video, audio = file.first("video_tracks"), file.first("audio_tracks")
    return {
        "duration_ms": file.duration_ms("duration")
        or video.duration_ms("video_duration")
        or audio.duration_ms("audio_duration"),
        "size_bytes": file.count("size"),  # not `size_on_disk`, which is eight times as much
        "width": video.count("width"),
        "height": video.count("height"),
        "frame_rate": video.number("framerate"),
        "video_codec": video.text("video_codec"),
        "audio_codec": audio.text("audio_codec"),
    }


def _sum_bitrates(file: Body) -> int | None:
    video = [track.count("video_bitrate") for track in file.items("video_tracks")]
    audio = [track.count("audio_bitrate") for track in file.items("audio_tracks")]
    return sum(rate or 0 for rate in video + audio) or None


def _read_output(
    part: Part, job: RemoteJob, error: RemoteError | None, base_url: str
) -> RemoteOutput:
    output, file = part.output, part.file
    video, audio = file.first("video_tracks"), file.first("audio_tracks")
    percentage = _read_percentage(job, output)
    status = read_status(job.provider_status, OUTPUT_STATUSES, OutputStatus.UNKNOWN)
    if job.status in _ENDED_BADLY and percentage == 100 and file.epoch_ms("finished_at"):
        status = OutputStatus.SUCCEEDED  # it was made before the job ended
    if status is OutputStatus.SUCCEEDED:
        percentage = 100.0
    elif part.kind is not OutputKind.VIDEO:
        percentage = None  # it is the video's
    kind = part.kind
    if kind is OutputKind.VIDEO:
        kind = OutputKind.AUDIO if audio and not video else read_kind(file.text("name")) or kind
    url = _read_url(file, base_url)
    return RemoteOutput(
        remote_id=file.id("id") or part.slot,
        slot=part.slot,
        kind=kind,
        status=status,
        label=output.text("output_name"),
        preset_id=output.id("preset.id"),
        # a MIME type may be a GStreamer caps string with more behind it
        format=file.text("container") or re.split("[,;]", file.text("mime_type") or "")[0] or None,
        video_bitrate_kbps=video.count("video_bitrate"),
        audio_bitrate_kbps=audio.count("audio_bitrate"),
        url=url.redacted,
        secret_url=url.original,
        expires_at=file.epoch_ms("expires_at"),
        progress=percentage,
        error=error if status is OutputStatus.FAILED else None,
        **_read_media(file),
    )


def _read_percentage(job: RemoteJob, body: Body) -> float | None:
    """Read how far a job or an output is.

    Whether a bad end sets it back is not documented. A zero says nothing then, so that how far
    it was last seen to be stays known.
    """
    percentage = body.percentage("percentage_completed")
    return None if job.status in _ENDED_BADLY and percentage == 0 else percentage


def _read_url(file: Body, base_url: str) -> PayloadUrl:
    url, file_id = file.url("uri"), file.id("id")
    if url.redacted or not file_id:
        return url
    download = f"{base_url}/files/downloads/?file_id={quote(file_id, safe='')}"
    return PayloadUrl(*split_url(download, file.secrets))


def _read_error(job: RemoteJob, body: Body) -> RemoteError | None:
    """Read the error. Xvid writes the same code with and without `0x`."""
    code = body.text("error_code") or ""
    message = body.text("error_msg", "error_message")
    normalized = f"0x{code.lower().removeprefix('0x')}"
    if not message and not normalized.strip("0x"):
        return RemoteError("unknown") if job.status is JobStatus.FAILED else None
    return replace(ERRORS.read(normalized, message), code=code)
