"""The fields of Zencoder's jobs, and its states."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from providers.core.error_tables import ErrorTable
from providers.core.status import JobStatus, OutputStatus, normalize_status, read_status
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.parsing.media import read_kind
from providers.parsing.payloads import Body, PayloadUrl
from providers.parsing.values import read_text
from providers.zencoder.error_table import INPUT_ERRORS, JOB_ERRORS, OUTPUT_ERRORS

JOB_STATUSES: Mapping[str, JobStatus] = {
    "pending": JobStatus.QUEUED,
    "waiting": JobStatus.QUEUED,
    "processing": JobStatus.RUNNING,
    "finished": JobStatus.SUCCEEDED,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
# Most are of the recordings and the clients; the reference lists fewer.
OUTPUT_STATUSES: Mapping[str, OutputStatus] = {
    "waiting": OutputStatus.QUEUED,
    "pending": OutputStatus.QUEUED,
    "queued": OutputStatus.QUEUED,
    "assigning": OutputStatus.QUEUED,
    "ready": OutputStatus.QUEUED,
    "processing": OutputStatus.RUNNING,
    "uploading": OutputStatus.RUNNING,
    "finished": OutputStatus.SUCCEEDED,
    "failed": OutputStatus.FAILED,
    "noinput": OutputStatus.FAILED,
    "cancelled": OutputStatus.CANCELLED,
    "canceled": OutputStatus.CANCELLED,
    "skipped": OutputStatus.SKIPPED,
}

UNFINISHED = frozenset({OutputStatus.QUEUED, OutputStatus.RUNNING})

T = TypeVar("T", RemoteJob, RemoteOutput)

SIZES = ("file_size_bytes", "file_size_in_bytes")

_KINDS = {"playlist": OutputKind.PLAYLIST, "captions": OutputKind.CAPTIONS}
_DIMENSIONS = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)


def fill_job(job: RemoteJob, body: Body) -> RemoteJob:
    source = body.object("input_media_file")
    outputs = (*_read_outputs(body), *_read_all_images(body))
    # the faults of the input come first: those of the outputs follow from them
    errors = (
        *_read_fault(source, "input", INPUT_ERRORS),
        *_read_fault(body, "job", JOB_ERRORS),
        *(JOB_ERRORS.read("", message) for message in _read_messages(body)),
        *(output.error for output in outputs if output.error),
    )
    return replace(
        job,
        created_at=body.time("created_at", "submitted_at"),
        finished_at=body.time("finished_at"),
        updated_at=body.time("updated_at"),
        input=read_input(source),
        outputs=outputs,
        errors=errors,
        is_test=body.flag("test"),
    )


def read_input(file: Body) -> RemoteInput:
    bitrate_kbps = file.positive("total_bitrate_in_kbps")
    return RemoteInput(**_read_media(file, file.url("url")), bitrate_kbps=bitrate_kbps)


def _read_media(file: Body, url: PayloadUrl) -> dict[str, Any]:
    """Read what an input and an output have in common.

    Zero pixels, milliseconds or frames are "not known" with playlists.
    """
    return {
        "url": url.redacted,
        "secret_url": url.original,
        "duration_ms": file.positive("duration_in_ms"),
        "size_bytes": file.count(*SIZES),
        "width": file.positive("width"),
        "height": file.positive("height"),
        "frame_rate": file.number("frame_rate") or None,
        "video_codec": file.text("video_codec"),
        "audio_codec": file.text("audio_codec"),
    }


def _list_outputs(body: Body) -> list[Body]:
    """A new job calls them `outputs`."""
    return body.items("output_media_files") or body.items("outputs")


def _read_outputs(body: Body) -> Iterator[RemoteOutput]:
    for file in _list_outputs(body):
        remote_id = file.id("id") or f"n{file.index}"
        origin = f"output:{remote_id}"
        url = file.url("url")
        status = read_status(file.get("state"), OUTPUT_STATUSES, OutputStatus.UNKNOWN)
        faults = (*_read_fault(file, origin, OUTPUT_ERRORS), *_read_fallback(file, origin))
        output = RemoteOutput(
            remote_id=remote_id,
            kind=_read_kind(file, url.redacted),
            status=status,
            provider_status=file.text("state") or "",
            label=file.text("label"),
            format=file.text("format"),
            video_bitrate_kbps=file.positive("video_bitrate_in_kbps"),
            audio_bitrate_kbps=file.positive("audio_bitrate_in_kbps"),
            expires_at=url.expires_at,
            progress=100.0 if status is OutputStatus.SUCCEEDED else None,
            error=next(iter(faults), None),
            **_read_media(file, url),
        )
        if output.kind is OutputKind.PLAYLIST:
            output = replace(output, size_bytes=output.size_bytes or None)
        yield output


def _read_kind(file: Body, url: str | None) -> OutputKind:
    kind = _KINDS.get(str(file.get("type")).lower()) or read_kind(url)
    if kind is None and file.get("audio_codec") and not file.get("video_codec"):
        return OutputKind.AUDIO
    return kind or OutputKind.VIDEO


def _read_all_images(body: Body) -> Iterator[RemoteOutput]:
    """Yield the thumbnails of the job, then those of each output, which are in labelled groups."""
    yield from _read_images(body.items("thumbnails"), "")
    for output in _list_outputs(body):
        owner = output.id("id") or str(output.index)
        for group in output.items("thumbnails"):
            label = group.text("label")
            prefix = f"{owner}/{label or ''}/"
            for image in _read_images(group.items("images"), prefix):
                yield replace(image, label=label)


def _read_images(images: list[Body], prefix: str) -> Iterator[RemoteOutput]:
    """Yield thumbnails. Their ids are apart from those of outputs, or there are none."""
    for image in images:
        url = image.url("url")
        if url.redacted is None:
            continue
        size = _DIMENSIONS.fullmatch(image.text("dimensions") or "")
        yield RemoteOutput(
            remote_id=f"thumbnail:{prefix}{image.id('id') or image.index}",
            kind=OutputKind.IMAGE,
            status=OutputStatus.SUCCEEDED,  # none is listed before it is made
            label=image.text("group_label"),
            format=(image.text("format") or "").lower() or None,
            width=int(size[1]) if size else image.positive("width"),
            height=int(size[2]) if size else image.positive("height"),
            size_bytes=image.count(*SIZES),
            url=url.redacted,
            secret_url=url.original,
            expires_at=url.expires_at,
        )


def _read_messages(body: Body) -> list[str]:
    """Read the job's own errors: a text, or a list of texts."""
    errors = body.get("errors")
    texts = map(read_text, errors if isinstance(errors, list) else [errors])
    return [text for text in texts if text]


def _read_fault(part: Body, origin: str, table: ErrorTable) -> Iterator[RemoteError]:
    code = part.text("error_class") or _read_link(part, "error_link")
    message = part.text("error_message")
    if code or message:
        yield table.read(code, message, origin)


def _read_fallback(file: Body, origin: str) -> Iterator[RemoteError]:
    """The upload failed and Zencoder's own server took the file: finished, but elsewhere.

    It may have been the thumbnails alone that did not get where they belong.
    """
    if not file.flag("backup_server_used"):
        return
    names = ("primary_upload_error", "primary_thumbnail_upload_error")
    faults = ((_read_link(file, f"{name}_link"), file.text(f"{name}_message")) for name in names)
    code, message = next((fault for fault in faults if any(fault)), ("", ""))
    error = OUTPUT_ERRORS.read(code, message, origin)
    is_unknown = error.error_class == "unknown"
    yield replace(error, error_class="output.failed") if is_unknown else error


def _read_link(part: Body, name: str) -> str:
    """Read the class from the link to its page, `.../docs/errors/#NoMediaError`."""
    return re.split(r"[/#]", part.text(name) or "")[-1]


def merge_progress(job: RemoteJob, body: Body) -> RemoteJob:
    """Add what only the progress call reports. It may be ahead of the details, or behind them.

    An end is left to the next reading of the details, which has the sizes and the errors as well;
    a step back is not believed.
    """
    parts = {part.id("id"): part for part in body.items("outputs") or body.items("output")}
    events = [part.text("current_event") for part in (body.object("input"), *parts.values())]
    outputs = (
        _merge(output, parts[output.remote_id], OUTPUT_STATUSES)
        if output.remote_id in parts and output.status in UNFINISHED
        else output
        for output in job.outputs
    )
    return replace(
        _merge(job, body, JOB_STATUSES),
        phase=next((event for event in reversed(events) if event), None),
        outputs=tuple(outputs),
    )


def _merge(found: T, body: Body, statuses: Mapping[str, Any]) -> T:
    reported = body.text("state") or ""
    status = statuses.get(normalize_status(reported))
    if found.status == JobStatus.QUEUED and status == JobStatus.RUNNING:
        found = replace(found, status=status, provider_status=reported)
    return replace(found, progress=body.percentage("progress"))
