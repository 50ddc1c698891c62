"""Reads Zencoder's bodies. Any key may be missing, null, or of another type than documented.

Everything is read from the redacted body; only the address that opens and our key are taken from
the whole one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from providers.core.errors import classify
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.http.redaction import redact, split_url, url_expiry
from providers.parsing import customer_text
from providers.parsing.media import read_file_name, read_kind
from providers.parsing.times import read_time
from providers.parsing.values import (
    limit_items,
    read_bool,
    read_count,
    read_dict,
    read_float,
    read_id,
    read_list,
    read_progress,
    read_text,
)
from providers.zencoder.error_classes import (
    ERROR_CLASSES,
    INPUT_CLASSES,
    INPUT_PATTERNS,
    OUTPUT_PATTERNS,
)

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

_DIMENSIONS = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)


def read_job(item: Any, secrets: Iterable[str]) -> RemoteJob | None:
    """Read a job of a list, of the details or of the answer to its creation.

    None when it has no id: it is not a job, or one of the `mock` kind that does not exist.
    """
    whole = _unwrap(item)
    secrets = tuple(secrets)
    raw = redact(whole, secrets)
    # Not of `raw`: redaction cuts what comes late in a body that is too large.
    remote_id = read_id(redact(whole.get("id"), secrets))
    if remote_id is None:
        return None
    status = read_status(raw.get("state"), JOB_STATUSES, JobStatus.UNKNOWN)
    source = _read_input(whole, raw, secrets)
    outputs = limit_items(_read_outputs(whole, raw, secrets))
    errors = limit_items(_read_errors(raw, outputs))
    if status is JobStatus.FAILED and not errors:
        errors = (RemoteError("unknown"),)
    metadata, key = customer_text.read(whole.get("pass_through"))
    return RemoteJob(
        remote_id=remote_id,
        status=status,
        provider_status=read_text(raw.get("state")) or "",
        name=read_file_name(source.url),
        progress=100.0 if status is JobStatus.SUCCEEDED else None,
        created_at=read_time(raw.get("created_at")) or read_time(raw.get("submitted_at")),
        finished_at=read_time(raw.get("finished_at")),
        updated_at=read_time(raw.get("updated_at")),
        input=source,
        outputs=outputs,
        errors=errors,
        metadata=redact(metadata, secrets),
        key=key,
        is_test=read_bool(raw.get("test")),
        raw=raw,
        lists_outputs="output_media_files" in raw,
    )


def merge_progress(job: RemoteJob, progress: Mapping[str, Any]) -> RemoteJob:
    """Add what only the progress call tells. It may be ahead of the details, or behind them.

    An end it tells is left to the next reading of the details, which has the sizes and the
    errors as well; a step back is disbelieved.
    """
    status = read_status(progress.get("state"), JOB_STATUSES, JobStatus.UNKNOWN)
    starts = status is JobStatus.RUNNING and job.status is JobStatus.QUEUED
    outputs = read_list(progress.get("outputs")) or read_list(progress.get("output"))
    parts = {read_id(read_dict(part).get("id")): read_dict(part) for part in outputs}
    active = [read_dict(progress.get("input")), *parts.values()]
    events = (read_text(part.get("current_event"), 100) for part in reversed(active))
    return replace(
        job,
        status=status if starts else job.status,
        provider_status=read_text(progress.get("state")) or "" if starts else job.provider_status,
        progress=read_progress(progress.get("progress")),
        phase=next((event for event in events if event), None),
        outputs=tuple(
            _merge_output(output, parts.get(output.remote_id, {})) for output in job.outputs
        ),
    )


def _merge_output(output: RemoteOutput, part: Mapping[str, Any]) -> RemoteOutput:
    if output.status not in {OutputStatus.QUEUED, OutputStatus.RUNNING}:
        return output
    status = read_status(part.get("state"), OUTPUT_STATUSES, OutputStatus.UNKNOWN)
    starts = status is OutputStatus.RUNNING
    return replace(
        output,
        status=status if starts else output.status,
        provider_status=read_text(part.get("state")) or "" if starts else output.provider_status,
        progress=read_progress(part.get("progress")),
    )


def _unwrap(item: Any) -> Mapping[str, Any]:
    body = read_dict(item)
    return body["job"] if isinstance(body.get("job"), dict) else body


def _read_input(
    whole: Mapping[str, Any], raw: Mapping[str, Any], secrets: tuple[str, ...]
) -> RemoteInput:
    part = read_dict(raw.get("input_media_file"))
    url, secret_url = _read_url(read_dict(whole.get("input_media_file")), secrets)
    return RemoteInput(
        url=url,
        secret_url=secret_url,
        duration_ms=_read_media_count(part, "duration_in_ms"),
        size_bytes=_read_size(part),
        width=_read_media_count(part, "width"),
        height=_read_media_count(part, "height"),
        frame_rate=read_float(part.get("frame_rate")),
        video_codec=read_text(part.get("video_codec"), 100),
        audio_codec=read_text(part.get("audio_codec"), 100),
        bitrate_kbps=_read_media_count(part, "total_bitrate_in_kbps"),
    )


def _read_outputs(
    whole: Mapping[str, Any], raw: Mapping[str, Any], secrets: tuple[str, ...]
) -> Iterator[RemoteOutput]:
    """Yield outputs, then images, each remote id once. A new job calls them `outputs`."""
    seen: set[str] = set()
    key = "output_media_files" if "output_media_files" in raw else "outputs"
    # Not strict: redaction cuts a list that is too long to be looked through.
    pairs = list(zip(read_list(whole.get(key)), read_list(raw.get(key)), strict=False))
    for index, (whole_part, part) in enumerate(pairs):
        if isinstance(part, dict):
            output = _read_output(whole_part, part, index, secrets)
            if output.remote_id not in seen:
                seen.add(output.remote_id)
                yield output
    for image in _read_all_images(whole, raw, pairs, secrets):
        if image.remote_id not in seen:
            seen.add(image.remote_id)
            yield image


def _read_all_images(
    whole: Mapping[str, Any],
    raw: Mapping[str, Any],
    pairs: Iterable[tuple[Any, Any]],
    secrets: tuple[str, ...],
) -> Iterator[RemoteOutput]:
    """Yield the images of the job, then those of each output, which come in labelled groups."""
    yield from _read_images(whole.get("thumbnails"), raw.get("thumbnails"), "", secrets)
    for index, (whole_part, part) in enumerate(pairs):
        owner = read_id(read_dict(part).get("id")) or str(index)
        for whole_group, group in _pair(
            read_dict(whole_part).get("thumbnails"), read_dict(part).get("thumbnails")
        ):
            label = read_text(group.get("label"), 255)
            prefix = f"{owner}/{label or ''}/"
            for image in _read_images(
                whole_group.get("images"), group.get("images"), prefix, secrets
            ):
                yield replace(image, label=label)


def _read_output(
    whole: Mapping[str, Any], part: Mapping[str, Any], index: int, secrets: tuple[str, ...]
) -> RemoteOutput:
    remote_id = read_id(part.get("id")) or f"n{index}"
    url, secret_url = _read_url(whole, secrets)
    status = read_status(part.get("state"), OUTPUT_STATUSES, OutputStatus.UNKNOWN)
    kind = _read_kind(part, url)
    return RemoteOutput(
        remote_id=remote_id,
        kind=kind,
        status=status,
        provider_status=read_text(part.get("state")) or "",
        label=read_text(part.get("label"), 255),
        format=read_text(part.get("format"), 100),
        width=_read_media_count(part, "width"),
        height=_read_media_count(part, "height"),
        frame_rate=read_float(part.get("frame_rate")) or None,
        video_codec=read_text(part.get("video_codec"), 100),
        audio_codec=read_text(part.get("audio_codec"), 100),
        video_bitrate_kbps=_read_media_count(part, "video_bitrate_in_kbps"),
        audio_bitrate_kbps=_read_media_count(part, "audio_bitrate_in_kbps"),
        duration_ms=_read_media_count(part, "duration_in_ms"),
        # A playlist's own size is not told; zero stands for that.
        size_bytes=_read_size(part) or (None if kind is OutputKind.PLAYLIST else _read_size(part)),
        url=url,
        secret_url=secret_url,
        expires_at=url_expiry(url) if url else None,
        progress=100.0 if status is OutputStatus.SUCCEEDED else None,
        error=_read_fault(part, f"output:{remote_id}") or _read_fallback(part, remote_id),
    )


def _read_kind(part: Mapping[str, Any], url: str | None) -> OutputKind:
    kind = {"playlist": OutputKind.PLAYLIST, "captions": OutputKind.CAPTIONS}.get(
        str(part.get("type")).lower()
    ) or read_kind(url)
    if kind is None and part.get("audio_codec") and not part.get("video_codec"):
        return OutputKind.AUDIO
    return kind or OutputKind.VIDEO


def _pair(whole: Any, raw: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the objects of a list as they came, each with its redacted self."""
    for whole_item, item in zip(read_list(whole), read_list(raw), strict=False):
        yield read_dict(whole_item), read_dict(item)


def _read_images(
    whole: Any, raw: Any, prefix: str, secrets: tuple[str, ...]
) -> Iterator[RemoteOutput]:
    """Yield thumbnails. Their ids are apart from those of outputs, or there are none."""
    for index, (whole_part, part) in enumerate(_pair(whole, raw)):
        url, secret_url = _read_url(whole_part, secrets)
        if url is None:
            continue
        size = _DIMENSIONS.fullmatch(read_text(part.get("dimensions"), 20) or "")
        yield RemoteOutput(
            remote_id=f"thumbnail:{prefix}{read_id(part.get('id')) or index}",
            kind=OutputKind.IMAGE,
            status=OutputStatus.SUCCEEDED,  # none is listed before it is made
            label=read_text(part.get("group_label"), 255),
            format=(read_text(part.get("format"), 100) or "").lower() or None,
            width=int(size[1]) if size else _read_media_count(part, "width"),
            height=int(size[2]) if size else _read_media_count(part, "height"),
            size_bytes=_read_size(part),
            url=url,
            secret_url=secret_url,
            expires_at=url_expiry(url),
        )


def _read_url(whole: Any, secrets: tuple[str, ...]) -> tuple[str | None, str | None]:
    url = read_text(read_dict(whole).get("url"), 8000)
    return split_url(url, secrets) if url else (None, None)


def _read_size(part: Mapping[str, Any]) -> int | None:
    size = read_count(part.get("file_size_bytes"))
    return read_count(part.get("file_size_in_bytes")) if size is None else size


def _read_media_count(part: Mapping[str, Any], name: str) -> int | None:
    """Zero pixels, milliseconds or kilobits stand for "not known" with playlists."""
    return read_count(part.get(name)) or None


def _read_errors(raw: Mapping[str, Any], outputs: Iterable[RemoteOutput]) -> Iterator[RemoteError]:
    """Yield the faults, those of the input first: the outputs' follow from them."""
    if fault := _read_fault(read_dict(raw.get("input_media_file")), "input"):
        yield fault
    if fault := _read_fault(raw, "job"):
        yield fault
    told = raw.get("errors")
    for text in read_list(told) if isinstance(told, list) else [told]:
        if message := read_text(text):
            yield RemoteError(_classify("", message, "job"), "", message, "job")
    for output in outputs:
        if output.error:
            yield output.error


def _read_fault(part: Mapping[str, Any], origin: str) -> RemoteError | None:
    code = read_text(part.get("error_class"), 255) or _read_link(part.get("error_link"))
    message = read_text(part.get("error_message")) or ""
    if not code and not message:
        return None
    return RemoteError(_classify(code, message, origin), code, message, origin)


def _read_fallback(part: Mapping[str, Any], remote_id: str) -> RemoteError | None:
    """The upload failed and Zencoder's own server took the file: finished, but elsewhere.

    It may have been the thumbnails alone that did not get where they belong.
    """
    if not read_bool(part.get("backup_server_used")):
        return None
    faults = (
        (_read_link(part.get(f"{name}_link")), read_text(part.get(f"{name}_message")) or "")
        for name in ("primary_upload_error", "primary_thumbnail_upload_error")
    )
    code, message = next((fault for fault in faults if any(fault)), ("", ""))
    origin = f"output:{remote_id}"
    name = _classify(code, message, origin)
    return RemoteError("output.failed" if name == "unknown" else name, code, message, origin)


def _read_link(link: Any) -> str:
    """Take the class from the link to its page, `.../docs/errors/#NoMediaError`."""
    return re.split(r"[/#]", read_text(link) or "")[-1]


def _classify(code: str, message: str, origin: str) -> str:
    if origin == "input":
        return classify(code, message, {**ERROR_CLASSES, **INPUT_CLASSES}, INPUT_PATTERNS)
    patterns = OUTPUT_PATTERNS if origin.startswith("output") else INPUT_PATTERNS + OUTPUT_PATTERNS
    return classify(code, message, ERROR_CLASSES, patterns)
